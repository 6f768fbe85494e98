"""Tables as bytes: a digest of a frame that depends on its content alone, and files kept compressed by their sha256."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

_LEVEL: Final = 1


def frame_digest(frame: pl.DataFrame) -> str:
    """sha256 over names, types, nulls and values of a frame, column by column; the same for the same content.

    Dates count as days; text by the lengths and the bytes of its cells. Nothing of it depends on the layout in memory.
    """
    total = hashlib.sha256(f"{frame.height}\n".encode())
    for name, kind in frame.schema.items():
        column = frame[name]
        total.update(f"{name} {kind}\n".encode())
        total.update(np.packbits(column.is_null().to_numpy()).tobytes())
        for part in _parts(column, kind):
            total.update(part)
    return total.hexdigest()


def _parts(column: pl.Series, kind: Any) -> list[bytes]:
    if kind == pl.String:
        filled = column.fill_null("")
        lengths = filled.str.len_bytes().cast(pl.UInt32).to_numpy().astype("<u4", copy=False)
        joined: str = filled.str.join("").item() if len(filled) else ""
        return [lengths.tobytes(), joined.encode()]
    if kind == pl.Date:
        column = column.cast(pl.Int32)
    filled = column.fill_null(value=False) if kind == pl.Boolean else column.fill_null(0)
    values = filled.to_numpy()
    return [np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()]


def sha256(content: bytes) -> str:
    """sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def packed(content: bytes) -> bytes:
    """Bytes compressed with Zstandard behind their length, a CRC of their own and one of these two."""
    head = len(content).to_bytes(8, "little") + zlib.crc32(content).to_bytes(4, "little")
    body: bytes = pa.Codec("zstd", compression_level=_LEVEL).compress(content, asbytes=True)
    return head + zlib.crc32(head).to_bytes(4, "little") + body


def unpacked(content: bytes) -> bytes:
    """The bytes behind ``packed``. Raises ``ValueError`` when they are damaged."""
    head = content[:12]
    if zlib.crc32(head) != int.from_bytes(content[12:16], "little"):
        raise ValueError("CRC of the head differs")
    size, check = int.from_bytes(head[:8], "little"), int.from_bytes(head[8:], "little")
    try:
        raw: bytes = pa.Codec("zstd").decompress(content[16:], decompressed_size=size, asbytes=True)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error
    if zlib.crc32(raw) != check:
        raise ValueError("CRC differs")
    return raw
