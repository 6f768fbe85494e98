"""Issuers: one row per country and activity of an issuer, with the share of its business there."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import activities, countries, identifiers, numbers
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="issuers",
    columns=(
        Column("lei", identifiers.lei),
        Column("isin", identifiers.isin),
        Column("name", identifiers.text),
        Column("country", countries.column, required=True, options={"typed": "_iso3"}),
        Column("activity", activities.column, required=True),
        Column("share", numbers.share, options={"low": 0, "high": 1}),
        Column("supplier_file", identifiers.text),
    ),
    needed=(("lei", "isin", "name"), ("country",), ("activity",)),
)
