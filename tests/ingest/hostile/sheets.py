"""Files under construction: a header and records as text, each line with what ends it, and the truth that they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from tests.ingest.hostile.tables import Table

LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True)
class Piece:
    """One record (or another line) as text, with what ends it. ``row`` is its place in the truth, -1 for none."""

    text: str
    row: int = -1
    end: str = "\r\n"
    also: int = -1
    """Another row of the truth that has come to stand here too."""


@dataclass(frozen=True)
class Case:
    """A damaged file. ``damaged`` rows need not be loaded, but then have to be named."""

    kind: str
    content: bytes
    header: list[str]
    rows: list[list[str]]
    lines: list[set[int]]
    damaged: frozenset[int] = frozenset()
    place: str = ""


@dataclass
class Sheet:
    """A file under construction: a header, its records, and which of them are damaged."""

    table: Table
    delimiter: str = ","
    pieces: list[Piece] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)

    @property
    def header(self) -> int:
        """The place of the header among the pieces."""
        return next(i for i, piece in enumerate(self.pieces) if piece.row == -2)

    def places(self) -> list[int]:
        """The places of the records of the truth that are still whole."""
        return [i for i, piece in enumerate(self.pieces) if piece.row >= 0 and piece.row not in self.damaged]

    def hurt(self, place: int, *texts: str) -> None:
        """Put other lines in the place of a record, which counts as damaged from now on."""
        old = self.pieces[place]
        self.damaged.add(old.row)
        self.pieces[place : place + 1] = [replace(old, text=text) for text in texts]

    def case(self, kind: str, place: str = "", encoding: str = "utf-8", prefix: bytes = b"") -> Case:
        """The finished file."""
        lines: list[set[int]] = [set() for _ in self.table.rows]
        at, text = 1, ""
        for piece in self.pieces:
            whole = piece.text + piece.end
            spans = len(LINE_END.findall(piece.text)) + 1
            for row in (piece.row, piece.also):
                if row >= 0:
                    lines[row] |= set(range(at, at + spans))
            at = len(LINE_END.findall(text + whole)) + 1
            text += whole
        content = prefix + text.encode(encoding, "strict")
        return Case(kind, content, self.table.header, self.table.rows, lines, frozenset(self.damaged), place)


def cell(text: str, delimiter: str = ",", quote: str = '"', always: bool = False) -> str:
    """One cell as RFC 4180 wants it."""
    if always or any(mark in text for mark in (delimiter, quote, "\n", "\r")):
        return quote + text.replace(quote, quote * 2) + quote
    return text


def record(cells: list[str], delimiter: str = ",", quote: str = '"', always: bool = False) -> str:
    """One record."""
    return delimiter.join(cell(text, delimiter, quote, always) for text in cells)


def sheet(table: Table, delimiter: str = ",", end: str = "\r\n", quote: str = '"', always: bool = False) -> Sheet:
    """A clean file under construction."""
    made = Sheet(table, delimiter)
    made.pieces = [Piece(record(table.header, delimiter, quote, always), -2, end)]
    made.pieces += [Piece(record(row, delimiter, quote, always), i, end) for i, row in enumerate(table.rows)]
    return made
