"""Where the typed columns of a run stand: what is in ``scores.parquet`` already is not written again.

Most typed columns are a column of the scores, a text of the user's own that needed no correction, or the position of
the row. ``run.json`` says which, so that reading needs no guess; the others are in ``sites.parquet``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from vigilance.ingest import Intake

RESULTS: Final[Mapping[str, str]] = {
    "_iso3": "country_iso3",
    "_division": "isic_division",
    "_zone": "zone_code",
    "_tier": "tier_used",
}
"""Typed columns that are results as they are (``scoring.assess.PLACE``)."""
_PLACE: Final = "place"
"""Of a row among the rows of a run; no typed column, whose names have an underscore."""


@dataclass(frozen=True)
class Stands:
    """Where each typed column of a run stands, as ``run.json`` says it under ``sites``.

    ``columns`` are all of them, in order; ``in_scores`` those that are a column of ``scores.parquet`` (typed name →
    that column); ``counted_from`` those that are the position of a row plus a number. The others are ``written``.
    """

    columns: Sequence[str]
    in_scores: Mapping[str, str]
    counted_from: Mapping[str, int]

    @property
    def written(self) -> list[str]:
        """The columns of ``sites.parquet``."""
        return [name for name in self.columns if name not in self.in_scores and name not in self.counted_from]


def decided(intake: Intake, typed: Sequence[str]) -> Stands:
    """Where to put the typed columns (``typed``) of an intake's rows."""
    given = intake.rows.collect_schema()
    in_scores = {
        name: own
        for name, own in intake.unchanged.items()
        if name in given and _written_as(given[name]) == _written_as(given[own])
    } | dict(RESULTS)
    if "supplier_id" not in given:
        # The list has no column of this name: its scores were given the id that was read.
        in_scores["_supplier_id"] = "supplier_id"
    return Stands(
        columns=list(typed),
        in_scores={name: in_scores[name] for name in typed if name in in_scores},
        counted_from={} if intake.first_line is None else {"_row": 0, "_line": intake.first_line},
    )


def _written_as(kind: pl.DataType) -> pl.DataType:
    """The type in a file: what is held as codes is written as text."""
    return pl.String() if isinstance(kind, (pl.Categorical, pl.Enum)) else kind


def gathered(written: pl.LazyFrame, scores: pl.LazyFrame, stands: Stands) -> pl.LazyFrame:
    """The typed columns of all rows from where they stand, read in batches whatever is asked of them.

    ``written`` is ``sites.parquet`` and ``scores`` is ``scores.parquet``, row by row the same sites. A filter cannot be
    pushed through two files side by side: to apply it, the engine would hold every row of every column.
    """
    kinds = {**written.collect_schema(), **dict.fromkeys(stands.counted_from, pl.Int64())}
    given = scores.collect_schema()
    kinds |= {name: given[column] for name, column in stands.in_scores.items()}
    beside = scores.select(pl.col(column).alias(name) for name, column in stands.in_scores.items())
    place = pl.col(_PLACE).cast(pl.Int64)
    rows = (
        pl.concat([written, beside], how="horizontal")
        .with_row_index(_PLACE)
        .with_columns((place + first).alias(name) for name, first in stands.counted_from.items())
    )

    def produce(
        wanted: list[str] | None, condition: pl.Expr | None, count: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        # A count that comes with a condition was asked for before it: Polars pushes none through a filter.
        asked = rows if count is None else rows.head(count)
        asked = asked if condition is None else asked.filter(condition)
        asked = asked.select(stands.columns if wanted is None else wanted)
        yield from asked.collect_batches(chunk_size=size, maintain_order=True)

    return register_io_source(produce, schema=pl.Schema({name: kinds[name] for name in stands.columns}))
