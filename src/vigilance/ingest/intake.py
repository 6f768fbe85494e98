"""What reading gives back: rows with typed columns, and everything that has to be said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from vigilance.errors import InputRefused, VigilanceError
from vigilance.i18n import messages
from vigilance.ingest.phrasing import several

_ = messages("ingest")

UNREAD: Final = "activity_unknown"
"""The code of an optional text that was not understood and counts as unknown: a warning, fatal under ``--strict``."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file that was read, and how. The identity ``rows_in = loaded + set_aside + blank + collapsed`` is checked."""

    file: str
    path: Path | None
    sheet: str
    sha256: str
    bytes: int
    dialect: Mapping[str, str]
    rows_in: int
    loaded: int
    set_aside: int
    blank: int
    collapsed: int = 0
    """Rows identical to another one, taken once. They are among ``set_aside``."""

    def __post_init__(self) -> None:
        if self.rows_in != self.loaded + self.set_aside + self.blank:
            raise VigilanceError(f"rows were lost while reading {self.file}: {self}")


@dataclass(frozen=True, slots=True)
class Intake:
    """A table as it was understood.

    ``rows`` is lazy: the user's own columns under their own names, in input order (text; of a long list of sites,
    columns that repeat are held as codes), then the typed columns of docs/architecture.md. ``corrected`` are the same
    rows with the user's columns alone, every reading that had to be said written plainly, so that reading it again says
    nothing of it. ``issues`` has ``issues.SCHEMA``. ``rejected``
    holds the rows set aside with their text: ``REJECTED``. ``columns`` maps canonical names to the user's headers.

    ``unchanged`` are typed columns known to be, in every row, the text of a column of the user's (typed name → name in
    ``rows``). ``first_line`` is the line of the first row when rows and lines are counted alike: ``_row`` from 0 and
    ``_line`` from there, without a gap; None where that is not so or not known.
    """

    table: str
    rows: pl.LazyFrame
    issues: pl.DataFrame
    sources: tuple[Source, ...]
    rejected: pl.DataFrame
    columns: Mapping[str, str]
    corrected: pl.LazyFrame
    unknown: Sequence[str] = ()
    unchanged: Mapping[str, str] = field(default_factory=dict)
    first_line: int | None = None

    @property
    def files(self) -> list[dict[str, object]]:
        """Name, sha256, bytes and dialect of each file, as they go into ``run.json``."""
        return [
            {"file": s.file, "sheet": s.sheet, "sha256": s.sha256, "bytes": s.bytes, "dialect": dict(s.dialect)}
            for s in self.sources
        ]

    @property
    def counts(self) -> dict[str, int]:
        """Rows in, loaded, set aside and blank over all files."""
        return {
            name: sum(getattr(source, name) for source in self.sources)
            for name in ("rows_in", "loaded", "set_aside", "blank")
        }

    def refuse_if_strict(self) -> None:
        """Raise ``InputRefused`` when a row was set aside or a cell left unread (``--strict``)."""
        errors = self.issues.filter((pl.col("severity") == "error") | (pl.col("code") == UNREAD))
        if errors.height:
            first = errors.row(0, named=True)
            raise InputRefused(
                several(
                    errors.height,
                    _("{count} error: {file}, row {row}, {column}: {message}"),
                    _("{count} errors; the first: {file}, row {row}, {column}: {message}"),
                    **{k: first[k] for k in ("file", "row", "column", "message")},
                ),
                hint=_("correct the file, or leave out --strict"),
            )


REJECTED = pl.Schema(
    {"file": pl.String, "sheet": pl.String, "line": pl.Int64, "code": pl.String, "original": pl.Binary}
)
"""A row set aside: where it stood, the code of the first error, and its bytes as the file has them."""
