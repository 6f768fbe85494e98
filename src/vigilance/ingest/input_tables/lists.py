"""Lists: one row per entity on a list, such as an import ban."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import countries, dates, identifiers
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="lists",
    columns=(
        Column("list", identifiers.text, required=True),
        Column("name", identifiers.text, required=True),
        Column("aliases", identifiers.text),
        Column("country", countries.column, options={"typed": "_iso3"}),
        Column("since", dates.column),
        Column("until", dates.column),
        Column("product", identifiers.text),
    ),
    needed=(("list",), ("name",)),
)
