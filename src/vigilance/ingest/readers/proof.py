"""The quick proof that a large text file is clean: one regular expression, matched against every physical line.

A line that matches *is* one record of the right number of cells with well-formed quotes. The engine splits and matches
on all cores without holding the interpreter, several times faster than arithmetic on the positions of bytes. It only
ever says that all is well: a file that it does not prove goes to ``prescan``, which names the flaw.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import polars as pl

from vigilance.ingest.readers.prescan import Shape, Verdict

SMALLEST: Final = 4 * 1024 * 1024
"""Bytes below which the start of the engine costs more than it saves."""
_WIDEST: Final = 256
"""Cells of a line up to which the automaton of the expression stays small."""


def proved(path: Path, start: int, line: int, end: int, shape: Shape) -> Verdict | None:
    """The verdict on a file that is clean from byte ``start``, on physical line ``line``, to its end; else nothing."""
    size = path.stat().st_size
    if end != size or size - start < SMALLEST or shape.width > _WIDEST:
        return None
    text = pl.col("line")
    length = text.str.len_bytes()
    lines = pl.scan_lines(path, name="line", glob=False).slice(line - 1)
    try:
        seen = lines.select(
            records=pl.len(),
            matching=text.str.contains(_record(shape)).sum(),
            headers=(text == shape.header.decode()).sum(),
            shortest=length.min(),
            longest=length.max(),
            bytes=length.cast(pl.Int64).sum(),
        ).collect(engine="streaming")
    except pl.exceptions.ComputeError:
        # Not UTF-8; where, is for the exact look to say.
        return None
    found = seen.row(0, named=True)
    if found["matching"] != found["records"] or found["headers"] or not found["records"]:
        return None
    if found["shortest"] < shape.width or found["longest"] > min(shape.cell_limit, shape.record_limit):
        return None
    line_end = _line_end(size - start - found["bytes"], found["records"], _last_byte(path))
    return None if line_end is None else Verdict(True, found["records"], line_end == 2)


def _record(shape: Shape) -> str:
    """A whole line: cells that hold no quote, delimiter, NUL or CR, or that are quoted with inner quotes doubled."""
    mark = re.escape(chr(shape.delimiter))
    cell = rf'(?:[^"{mark}\x00\r]*|"(?:[^"\x00\r]|"")*")'
    return rf"^{cell}(?:{mark}{cell}){{{shape.width - 1}}}$"


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def _line_end(between: int, records: int, last: bytes) -> int | None:
    """How many bytes end each line, 1 (LF) or 2 (CRLF), when it is the same for all; the last may have none."""
    ended = records if last == b"\n" else records - 1
    if not ended:
        return None
    return next((width for width in (1, 2) if between == width * ended), None)
