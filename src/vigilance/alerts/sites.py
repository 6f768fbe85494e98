"""What is kept of each site each week: what the score was made of, the score, and what was told of it.

Scores and probabilities are whole numbers (10⁻⁸ points, 10⁻¹⁰), so that differences add up exactly and the same run
gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from vigilance.terms import BANDS, GRADES, HAZARDS

SCORE_UNITS: Final = 10**8
"""Units in a point of score."""
PROBABILITY_UNITS: Final = 10**10

TYPED: Final[dict[str, str]] = {
    "_supplier_id": "supplier_id",
    "_iso3": "country",
    "_division": "division",
    "_zone": "zone",
    "_tier": "tier",
    "_workers": "workers",
    "_migrant_share": "migrant_share",
    "_factors": "factors",
}
"""The typed columns that the core reads, and what they are called here."""

_STATE: Final[dict[str, pl.DataType]] = {
    "score": pl.Int64(),
    "p80": pl.Int64(),
    "band": pl.Int8(),
    "grade": pl.Int8(),
    "override": pl.String(),
    "held": pl.Int8(),
    "told": pl.Int64(),
}

SITES: Final = pl.Schema(
    {
        "row": pl.Int64(),
        "supplier_id": pl.String(),
        "predecessor_id": pl.String(),
        "parent": pl.String(),
        "lei": pl.String(),
        "country": pl.String(),
        "division": pl.String(),
        "zone": pl.String(),
        "tier": pl.Int8(),
        "workers": pl.Float64(),
        "migrant_share": pl.Float64(),
        "factors": pl.Int32(),
        "since": pl.Date(),
        **{f"{hazard}_{name}": kind for hazard in HAZARDS for name, kind in _STATE.items()},
    }
)
"""One row per site and run.

``since`` is when what is said of the site last changed. ``<h>_held`` is the band after hysteresis (0 low to 3 severe),
``<h>_told`` the score against which a change is measured, ``<h>_grade`` 0 (A) to 4 (E).
"""

DESCRIPTION: Final = ("country", "division", "zone", "tier", "workers", "migrant_share", "factors")


def whole(column: str, units: int) -> pl.Expr:
    """A quantised number as a whole number of units."""
    return (pl.col(column) * units + 0.5).floor().cast(pl.Int64)


def kept(scores: pl.LazyFrame, sites: pl.LazyFrame, on: date) -> pl.DataFrame:
    """The rows of ``SITES`` of a run, as if nothing had come before: held is the band, told the score, since ``on``.

    ``scores`` and ``sites`` are the tables of a run (docs/architecture.md), row by row the same sites. Also holds
    ``name`` and ``<h>_priority`` (Float64), which are not stored.
    """
    given = sites.collect_schema().names()
    typed = sites.select(
        "_row",
        "_name",
        *TYPED,
        *(pl.col(name) if name in given else pl.lit(None, dtype=pl.String).alias(name) for name in OPTIONAL),
    )
    measures = [f"{hazard}_{name}" for hazard in HAZARDS for name in MEASURES]
    frame = pl.concat([typed.collect(), scores.select(measures).collect()], how="horizontal")
    places = {"band": list(map(str, BANDS)), "grade": list(GRADES)}
    made: list[pl.Expr] = []
    for hazard in HAZARDS:
        score, p80 = whole(f"{hazard}_score", SCORE_UNITS), whole(f"{hazard}_p80", PROBABILITY_UNITS)
        band, grade = (_place(f"{hazard}_{name}", words) for name, words in places.items())
        made += [
            score.alias(f"{hazard}_score"),
            score.alias(f"{hazard}_told"),
            p80.alias(f"{hazard}_p80"),
            band.alias(f"{hazard}_band"),
            band.alias(f"{hazard}_held"),
            grade.alias(f"{hazard}_grade"),
        ]
    return (
        frame.with_columns(made)
        .rename({**TYPED, **OPTIONAL, "_row": "row", "_name": "name"})
        .with_columns(since=pl.lit(on))
        .cast({name: kind for name, kind in SITES.items() if name in frame.columns or name in TYPED.values()})
        .select(*SITES.names(), "name", *(f"{hazard}_priority" for hazard in HAZARDS))
    )


OPTIONAL: Final = {"_predecessor_id": "predecessor_id", "_parent_company": "parent", "_lei": "lei"}
"""Typed columns that are there only when the input has them."""
MEASURES: Final = ("score", "p80", "band", "grade", "override", "priority")


def _place(column: str, words: Sequence[str]) -> pl.Expr:
    return pl.col(column).cast(pl.Enum(words)).to_physical().cast(pl.Int8)


def core(rows: pl.DataFrame) -> pl.DataFrame:
    """Stored rows as the typed columns that the scoring core reads."""
    companies = {typed: OPTIONAL[typed] for typed in ("_parent_company", "_lei")}
    return rows.select(
        pl.col("row").alias("_row"), *(pl.col(name).alias(typed) for typed, name in {**TYPED, **companies}.items())
    )
