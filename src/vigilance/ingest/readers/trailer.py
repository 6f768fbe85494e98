"""Totals and legal text below a table: found from the end of the file, and only when clearly not data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigilance.ingest.readers.records import LINE_END, cells_of, record_pattern

_TAIL: Final = 65_536
_CHUNK: Final = 4 * 1024 * 1024
_MOST: Final = 60
"""Lines of text below a table; more are no footnote."""
_SUM: Final = re.compile(
    r"\W*(grand[ -]|sub-?|sous-)?(totals?|totaux|total g[eé]n[eé]ral|sum|somme)\b(\s+\w+){0,2}\W*$",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(
    r"\W*(sources?|notes?|disclaimer|legal|avertissement|mentions|copyright|©|\(c\)|end of|fin d|generated"
    r"|g[eé]n[eé]r[eé]|printed|extracted|exported|export[eé] le|page|all rights|tous droits|confidential|confidentiel)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Trailer:
    """Where the table ends (a byte offset), the lines of text below, and the 1-based physical line of the first."""

    end: int
    lines: tuple[str, ...] = ()
    line: int | None = None


def find_trailer(path: Path, start: int, delimiter: str, width: int) -> Trailer:
    """The end of the table that has its records from byte ``start`` on, ``width`` cells each.

    A line below the table is a sum, or has fewer cells than a record and reads like a sentence, or stands apart after
    a blank line and says what it is (source, note, ...). The search goes up from the end of the file and stops at
    the first line that is none of these.
    """
    size = path.stat().st_size
    begin = max(start, size - _TAIL)
    with path.open("rb") as file:
        file.seek(begin)
        tail = file.read()
    if begin > start:
        first = LINE_END.search(tail)
        begin, tail = (begin + first.end(), tail[first.end() :]) if first else (size, b"")
    spans = _lines(tail)
    apart_from = _last_blank(tail, spans)
    end, kept = len(spans), []
    for index in range(len(spans) - 1, max(-1, len(spans) - _MOST), -1):
        content = tail[spans[index][0] : spans[index][1]]
        blank = not content.strip()
        if not blank and not _line_is_note(content, delimiter, width, apart=index > apart_from >= 0):
            break
        if not blank:
            kept.append(content.decode("utf-8", "replace"))
            end = index
    if not kept or end == 0:
        return Trailer(size)
    below = begin + spans[end][0]
    return Trailer(below, tuple(reversed(kept)), _line_at(path, below))


def _line_at(path: Path, offset: int) -> int:
    """The 1-based physical line that begins at an offset."""
    line, left, split = 1, offset, False
    with path.open("rb") as file:
        while left and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            pairs = chunk.count(b"\r\n") + (split and chunk.startswith(b"\n"))
            line += chunk.count(b"\n") + chunk.count(b"\r") - pairs
            split = chunk.endswith(b"\r")
    return line


def _lines(data: bytes) -> list[tuple[int, int]]:
    spans, position = [], 0
    for found in LINE_END.finditer(data):
        spans.append((position, found.start()))
        position = found.end()
    if position < len(data):
        spans.append((position, len(data)))
    return spans


def _last_blank(data: bytes, spans: list[tuple[int, int]]) -> int:
    """The last blank line with text below it, or -1."""
    text_below = False
    for index in range(len(spans) - 1, -1, -1):
        blank = not data[spans[index][0] : spans[index][1]].strip()
        if blank and text_below:
            return index
        text_below = text_below or not blank
    return -1


def _line_is_note(content: bytes, delimiter: str, width: int, *, apart: bool) -> bool:
    mark = delimiter.encode()
    if width < 2 or content.count(b'"') % 2 or not record_pattern(mark).fullmatch(content):
        return False
    if mark not in content and any(content.count(other) >= width - 1 for other in b",;\t|"):
        return False  # a record with another delimiter
    cells = cells_of(content, mark)
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and is_note(filled, len(cells), width, apart=apart)


def is_note(filled: Sequence[str], count: int, width: int, *, apart: bool) -> bool:
    """Whether a line is a sum or a sentence rather than data.

    ``filled`` are its cells that are not blank, of ``count`` in all where a record has ``width``; ``apart`` says that
    a blank line stands between it and the table.
    """
    if _SUM.match(filled[0]) and (len(filled) < count or count != width):
        return True
    if _NOTE.match(filled[0]) and (apart or len(filled) == 1 or count != width):
        return True
    words = len(re.findall(r"[^\W\d_]{2,}", " ".join(filled)))
    if len(filled) == 1:
        return words >= 4 or (apart and count != width)
    return apart and count != width and words >= 6
