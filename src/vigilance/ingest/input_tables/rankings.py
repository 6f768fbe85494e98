"""Rankings: one row per country with the number that somebody else gives it; a blank number says nothing of it."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import countries, numbers
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="rankings",
    columns=(
        Column("country", countries.column, required=True, options={"typed": "_country"}),
        Column("value", numbers.number, options={"low": -1e15, "high": 1e15}),
    ),
    needed=(("country",), ("value",)),
    key=("country",),
)
