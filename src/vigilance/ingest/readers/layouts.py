"""Where the table of a text file is, and the words for a file in which that is not certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.records import Record
from vigilance.ingest.readers.table import Match

_ = messages("readers")

DELIMITERS: Final = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table of a text file is. ``width`` counts the cells of a record as they stand in the file.

    ``data_start`` is a byte offset, ``data_line`` the 1-based physical line there. ``extra`` trailing cells of each
    record have no header (a delimiter at the end of each line); ``short`` header cells at the end have no data.
    """

    delimiter: str
    header: list[str]
    header_bytes: bytes
    header_line: int
    data_start: int
    data_line: int
    width: int
    match: Match | None
    preamble: tuple[str, ...]
    trailing: int = 0
    headless: bool = False
    """The file names no columns, or not so that it can be read; ``header`` holds names of our own."""
    lost: Lost | None = None
    mended: bool = False
    """The header has another delimiter than the records."""
    declared: str = ""
    """The delimiter that the first line names where it is not the one of the file."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A line that should name the columns but has another number of cells: it is set aside like a bad record."""

    line: int
    content: bytes
    cells: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A delimiter under which a record of the head of a file is the header.

    ``names`` are its cells where they are parted by another delimiter than those below. A ``headless`` fit has its
    first row of data in the place of the header, and in ``lost`` the line above that should have been one.
    """

    delimiter: str
    record: Record
    match: Match | None
    above: tuple[Record, ...]
    below: tuple[Record, ...]
    names: tuple[str, ...] = ()
    headless: bool = False
    lost: Record | None = None


class HeaderMissing(InputRefused):
    """Values stand where the names of the columns should; the file may still be read without names."""


def quoted(names: Sequence[str], limit: int = 12) -> str:
    """Names for a message, each in quotes and cut, at most ``limit`` of them."""
    shown = [f"'{' '.join(name.split())[:40]}'" for name in names[:limit]]
    return ", ".join(shown) + (", ..." if len(names) > limit else "")


def ambiguous(name: str, line: int, marks: Sequence[str]) -> InputRefused:
    """The refusal of a file that more than one delimiter makes a table."""
    return InputRefused(
        _("{file}, line {line}: the delimiter is ambiguous: {marks} all give a table").format(
            file=name, line=line, marks=", ".join(repr(mark) for mark in marks)
        ),
        hint=_("say which delimiter the file uses"),
    )


def header_missing(name: str, line: int | None, found: Sequence[str]) -> HeaderMissing:
    """The refusal of a file with values in the place of the header."""
    where = _("{file}, line {line}").format(file=name, line=line) if line else name
    return HeaderMissing(
        _("{where}: values where the column names should be: {found}").format(where=where, found=quoted(found)),
        hint=_("the first line must hold the column names"),
    )
