"""Dialects of files that were put together or exported oddly, believed only where each record leaves no choice.

Files whose records have one of two delimiters, files whose records all end in one more sign, and slashes between cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from vigilance.ingest.readers.records import cells_of, record_pattern

_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_VALUE: Final = re.compile(r"[-+]?\d[\d .,:/-]*%?")
_SHARE: Final = 0.2
_LEAST: Final = 4
"""Share of the records, and records, that the rarer of two delimiters must have: a few odd ones are damage."""


def record_by_record(lines: Iterable[str], mark: str, second: str, tail: str) -> Iterator[list[str]]:
    """The cells of each record, the ``tail`` of each cut off; all records have the width of the first.

    Where there is a ``second`` delimiter, a record is parted by the one of the two that gives that width. Raises
    ``csv.Error`` where both do, or neither, or a quote is odd, or a record lacks its tail.
    """
    width = 0
    for text in _records(lines):
        plain = _cut(text, tail)
        width = width or len(_cells(plain, mark) or ())
        parted = [(by, found) for by in filter(None, (mark, second)) if len(found := _cells(plain, by) or ()) == width]
        if len(parted) != 1:
            raise csv.Error("no delimiter, or both, fit a record")
        by, cells = parted[0]
        if second and _is_half_parted(_QUOTED.sub("", plain), by, second if by == mark else mark):
            raise csv.Error("a record that both delimiters may part")
        yield list(cells)


def _is_half_parted(text: str, by: str, other: str) -> bool:
    """Whether another delimiter, left inside cells without quotes, may have been meant to part them."""
    edges = any(cell.startswith(other) or cell.endswith(other) for cell in text.split(by))
    left = text.count(other)
    return edges or (left > 0 and left * 2 >= text.count(by))


def _records(lines: Iterable[str]) -> Iterator[str]:
    """Records with their line ends: lines, joined while a quote is open. Blank lines are none."""
    held: list[str] = []
    quotes = 0
    for line in lines:
        held.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            text = "".join(held)
            if text.strip():
                yield text
            held.clear()
            quotes = 0
    if held:
        raise csv.Error("a quote that is never closed")


def _cut(text: str, tail: str) -> str:
    bare = text.rstrip("\r\n")
    if not tail:
        return bare
    if not bare.endswith(tail):
        raise csv.Error("a record that does not end like the others")
    return bare.removesuffix(tail)


def _cells(text: str, mark: str) -> list[str] | None:
    """The cells of one record under a delimiter; nothing where its quotes are wrong under it."""
    content, delimiter = text.encode(), mark.encode()
    return cells_of(content, delimiter) if record_pattern(delimiter).fullmatch(content) else None


def leaves_no_choice(sample: str, mark: str, second: str, tail: str) -> bool:
    """Whether two delimiters each part a good share of the records, and the header only one; a tail ends them all.

    But for quoted cells, a tail stands nowhere else.
    """
    records = [_QUOTED.sub("", text) for text in _records(io.StringIO(sample, newline=""))]
    if tail:
        return all(text.count(tail) == 1 for text in records)
    if second in records[0]:
        return False
    seconds = sum(text.count(second) == records[0].count(mark) for text in records)
    return min(seconds, len(records) - seconds) >= max(_LEAST, _SHARE * len(records))


def named_above_values(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record can only be names: some column below it holds values alone, and none repeats its name.

    The parts of paths and dates that are parted at each slash do not look so.
    """
    header, body = records[0], records[1:]
    columns = [[cells[place].strip() for cells in body] for place in range(len(header))]
    if any(name.strip() in column for name, column in zip(header, columns, strict=True)):
        return False
    filled = [[text for text in column if text] for column in columns]
    values = [bool(column) and all(_VALUE.fullmatch(text) for text in column) for column in filled]
    words = [bool(column) and not any(_VALUE.fullmatch(text) for text in column) for column in filled]
    return any(values) and any(words) and not any(_VALUE.fullmatch(name.strip()) for name in header)
