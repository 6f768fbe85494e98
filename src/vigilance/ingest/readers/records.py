"""The grammar of one delimited record (RFC 4180, strictly) as regular expressions over bytes.

A quote opens only at the start of a cell and closes only before a delimiter or a line end; inside, it is doubled.
Possessive quantifiers keep every match linear in the size of the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

LINE_END: Final = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the head of a file: ``cells`` is None when its quotes are malformed."""

    line: int
    start: int
    end: int
    after: int
    cells: list[str] | None

    @property
    def filled(self) -> list[str]:
        """The cells that hold more than blanks."""
        return [cell for cell in self.cells or () if cell.strip()]


@cache
def _field(delimiter: bytes) -> bytes:
    return rb'(?:"(?:[^"]|"")*+"|[^"\r\n' + re.escape(delimiter) + rb"]*+)"


@cache
def record_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """A whole well-formed record, up to but not with its line end."""
    field, separator = _field(delimiter), re.escape(delimiter)
    return re.compile(rb"(?:" + field + separator + rb")*+" + field + rb"(?=[\r\n]|\Z)")


@cache
def _cell_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(" + _field(delimiter) + rb")(?:" + re.escape(delimiter) + rb"|\Z)")


_QUOTED: Final = re.compile(rb'"(?:[^"]|"")*+"')


def count_cells(record: bytes, delimiter: bytes) -> int:
    """Cells of a well-formed record."""
    return _QUOTED.sub(b"", record).count(delimiter) + 1


def cells_of(record: bytes, delimiter: bytes) -> list[str]:
    """The cells of a well-formed record as text."""
    if b'"' not in record:
        return record.decode("utf-8", "replace").split(delimiter.decode("ascii"))
    cells: list[str] = []
    position, size = 0, len(record)
    pattern = _cell_pattern(delimiter)
    while position <= size:
        found = pattern.match(record, position)
        if found is None:
            break
        raw = found.group(1)
        quoted = raw[:1] == b'"'
        cells.append((raw[1:-1].replace(b'""', b'"') if quoted else raw).decode("utf-8", "replace"))
        if found.end() == size and not (size and record[size - 1 :] == delimiter and found.end(1) < size):
            break
        position = found.end()
    return cells


def records(head: bytes, delimiter: bytes, limit: int, start: int = 0, line: int = 1) -> Iterator[Record]:
    """The first ``limit`` records of ``head``, the first on ``line``; a malformed one is taken to be one line."""
    pattern = record_pattern(delimiter)
    position = start
    for _index in range(limit):
        if position >= len(head):
            return
        found = pattern.match(head, position)
        if found:
            end, cells = found.end(), cells_of(found.group(), delimiter)
        else:
            stop = LINE_END.search(head, position)
            end, cells = (stop.start() if stop else len(head)), None
        terminator = LINE_END.match(head, end)
        after = terminator.end() if terminator else end
        yield Record(line, position, end, after, cells)
        line += len(LINE_END.findall(head, position, after))
        position = after
