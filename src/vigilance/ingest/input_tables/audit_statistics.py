"""Audit statistics: one row per count of audits of a country, an activity or both, of one hazard and year."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest import activities, countries, identifiers, numbers, words
from vigilance.ingest.columns import Cell, Check, Column, Reader, Table, Text
from vigilance.terms import DIVISION_UNKNOWN

_ = messages("ingest")

_HAZARDS: Final = {
    "forced_labour": ("forced labor", "modern slavery", "travail forcé", "esclavage moderne"),
    "child_labour": ("child labor", "children at work", "travail des enfants", "travail d'enfants"),
}
_MOST: Final = {"low": 0, "high": 10_000_000}
_YEARS: Final = {"low": 1990, "high": 2100}


def activity(cell: Cell, column: Column) -> Reader:
    """An activity, blank for all of them; a text that names none of them is an error, not a total."""
    plan = yield from activities.column(cell, column)
    said = Text(
        "activity_broad",
        "error",
        _("too broad for one division of ISIC Rev. 4"),
        _("name one activity, or leave the cell blank for all of them"),
    )
    broad = pl.when(plan.typed["_division"] == DIVISION_UNKNOWN).then(pl.lit("broad"))
    kept = [note for note in plan.notes if note.text.code != said.code]
    return replace(
        plan, checks=[*plan.checks, Check(cell.header, cell.text, broad, {"broad": said})], notes=kept, failing=True
    )


TABLE: Final = Table(
    name="audit_statistics",
    columns=(
        Column("country", countries.column, options={"typed": "_iso3"}),
        Column("activity", activity),
        Column("hazard", words.choice, required=True, options={"words": _HAZARDS}),
        Column("audits", numbers.count, required=True, options=_MOST),
        Column("positives", numbers.count, required=True, options=_MOST),
        Column("year", numbers.number, required=True, options=_YEARS),
        Column("drawn_with", numbers.share),
        Column("source", identifiers.text),
    ),
    needed=(("country", "activity"), ("hazard",), ("audits",), ("positives",), ("year",)),
)
