"""From what a user names to files: folders, several files, compressed files, and what a file really is."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from vigilance.errors import InputRefused, OutOfResources
from vigilance.i18n import messages
from vigilance.ingest.readers import scratch
from vigilance.ingest.readers.limits import Limits

_ = messages("readers")

_TEXT: Final = (".csv", ".tsv", ".txt", ".tab", ".psv")
_JSON: Final = (".jsonl", ".ndjson")
_BOOK: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_COLUMNAR: Final = (".parquet", ".pq", ".arrow", ".feather", ".ipc")
KNOWN: Final = (*_TEXT, *_JSON, *_BOOK, *_COLUMNAR)
_CHUNK: Final = 4 * 1024 * 1024

_MAGIC: Final = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"(\xb5/\xfd", "Zstandard"),
    (b"\x7fELF", "ELF"),
    (b"{\\rtf", "RTF"),
)
_MARKUP: Final = (b"<!doctype html", b"<html", b"<?xml", b"<table")


def expand(paths: Iterable[Path | str]) -> list[Path]:
    """The files to read: folders are replaced by their files of a known kind, in the order of their names.

    Raises ``InputRefused`` for a path that does not exist or a folder without a known file.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputRefused(_("{file}: there is no such file").format(file=path))
        if path.is_dir():
            inside = sorted(
                entry
                for entry in path.iterdir()
                if entry.is_file() and kind_of_name(entry) and entry.name[:1] not in ".~"
            )
            if not inside:
                raise InputRefused(_("{file}: the folder holds no file of a known kind").format(file=path))
            files.extend(inside)
        else:
            files.append(path)
    if not files:
        raise InputRefused(_("no input file"))
    return list(dict.fromkeys(files))


def kind_of_name(path: Path) -> str:
    """``text``, ``json``, ``workbook``, ``columnar`` or nothing, by the end of the name; ``.gz`` is looked through."""
    name = path.name.lower().removesuffix(".gz")
    for ends, kind in ((_TEXT, "text"), (_JSON, "json"), (_BOOK, "workbook"), (_COLUMNAR, "columnar")):
        if name.endswith(ends):
            return kind
    return ""


def check_readable(path: Path, limits: Limits) -> int:
    """The size of a file that can be opened and is not empty; raises the matching error otherwise."""
    try:
        if not path.exists():
            raise InputRefused(_("{file}: there is no such file").format(file=path))
        if not path.is_file():
            raise InputRefused(_("{file}: not a regular file").format(file=path))
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except PermissionError:
        raise OutOfResources(_("{file}: no permission to read it").format(file=path)) from None
    except (OSError, ValueError) as error:
        raise InputRefused(_("{file}: cannot be opened ({error})").format(file=path, error=error)) from None
    if size == 0:
        raise InputRefused(_("{file}: the file is empty").format(file=path.name))
    if size > limits.bytes:
        raise InputRefused(
            _("{file}: {size} bytes, over the limit of {limit}").format(file=path.name, size=size, limit=limits.bytes)
        )
    return size


def kind_of_bytes(path: Path) -> str:
    """What the first bytes say: ``zip``, ``ole``, ``parquet``, ``arrow``, ``gzip``, a foreign format, or nothing."""
    with path.open("rb") as file:
        head = file.read(1024)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "HTML or XML" if start.startswith(_MARKUP) else ""


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; releases the interpreter lock while it works."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def gunzip(path: Path, name: str, limits: Limits) -> Path:
    """A scratch copy of a gzip file's content; refused as soon as it grows over the size or ratio limit."""
    target = scratch.new_file(Path(name.removesuffix(".gz")).suffix[:8])
    size = 0
    try:
        with path.open("rb") as packed, gzip.open(packed, "rb") as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > limits.unpacked or (size > limits.ratio_from and size > packed.tell() * limits.gzip_ratio):
                    raise InputRefused(
                        _("{file}: decompresses to more than {size} bytes, over the limit").format(file=name, size=size)
                    )
                out.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise InputRefused(
            _("{file}: the gzip data is damaged or cut off ({error})").format(file=name, error=error)
        ) from None
    if not size:
        raise InputRefused(_("{file}: the file is empty").format(file=name))
    return target
