"""What a reader hands over: a table of text with its position in the file, and all that was not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from vigilance import issues as issues_
from vigilance.errors import VigilanceError
from vigilance.ingest.readers.coding import Ahead, Parse

REJECTED_SCHEMA: Final = pl.Schema({"line": pl.Int64, "bytes": pl.Binary, "reason": pl.String})
"""A record set aside: its 1-based physical line, its bytes as they stood in the file, the code of its issue."""

ROW, LINE = "_row", "_line"


@dataclass(frozen=True, slots=True)
class Match:
    """How well the cells of a would-be header fit the columns that are needed.

    ``missing`` holds the required columns without a header: empty means that the header fits. ``mapping`` gives, for
    every known column found, the 0-based position of its cell. ``score`` ranks headers that do not fit.
    """

    score: int
    missing: Sequence[str] = ()
    mapping: Mapping[str, int] = field(default_factory=dict)


class HeaderMatcher(Protocol):
    """Knows the required columns and the names they go by."""

    def match(self, cells: Sequence[str]) -> Match:
        """Compare the cells of one record with the required columns."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """A matcher that wants exactly these header names, whatever their order, case and surrounding blanks."""

    required: tuple[str, ...]

    def match(self, cells: Sequence[str]) -> Match:
        """Positions of the required names among ``cells``."""
        folded = [cell.strip().casefold() for cell in cells]
        mapping = {
            name: folded.index(name.strip().casefold()) for name in self.required if name.strip().casefold() in folded
        }
        return Match(len(mapping), [name for name in self.required if name not in mapping], mapping)


@dataclass(frozen=True, slots=True)
class Counts:
    """Records below the header. Titles, repeated headers and trailing text are ``skipped``: they are not rows."""

    rows_in: int
    loaded: int
    set_aside: int
    blank: int
    skipped: int = 0

    def __post_init__(self) -> None:
        if self.rows_in != self.loaded + self.set_aside + self.blank:
            raise VigilanceError(f"the reader lost rows: {self}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file was read. ``delimiter`` is empty where the format has none."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    line_end: str = ""
    trailing_delimiter: bool = False


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of one file as text; nothing in it is interpreted yet.

    ``frame`` is lazy: the columns of ``header`` (String, an empty cell is null) under the unique names ``names``, then
    ``_row`` (Int64, 0-based position among the loaded rows) and ``_line`` (Int64, 1-based physical line, or row of the
    sheet). Scratch copies that it reads live until the process ends.
    """

    file: Path
    sheet: str
    header: list[str]
    names: list[str]
    frame: pl.LazyFrame
    issues: pl.DataFrame
    rejected: pl.DataFrame
    counts: Counts
    sha256: str | Future[str]
    """Of the user's own file; a long file is still being hashed while it is read (``digest`` waits)."""
    size: int
    dialect: Dialect
    preamble: list[str] = field(default_factory=list)
    trailer: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    """Declared types of the columns, by name, where the format has types (Parquet, Arrow)."""
    parse: Parse | None = None
    """``frame`` again without its positions, with other types than String for some columns (delimited text)."""
    begun: Ahead | None = None
    """The same in memory, when parsing it began while the file was being proved."""
    line: pl.Expr | None = None
    """``_line`` as it follows from ``_row``, where there is ``parse``."""

    @property
    def digest(self) -> str:
        """``sha256`` once it is known."""
        return self.sha256 if isinstance(self.sha256, str) else self.sha256.result()

    def collect(self) -> pl.DataFrame:
        """All rows in memory, checked against the count of the reader.

        Raises ``VigilanceError`` when the parser saw another number of rows: our own fault, never the user's.
        """
        frame = self.frame.collect()
        if frame.height != self.counts.loaded:
            raise VigilanceError(f"{self.file.name}: {frame.height} rows parsed, {self.counts.loaded} counted")
        return frame


def no_rejects() -> pl.DataFrame:
    """An empty frame of records set aside."""
    return pl.DataFrame(schema=REJECTED_SCHEMA)


def no_issues() -> pl.DataFrame:
    """An empty frame of issues."""
    return issues_.frame()
