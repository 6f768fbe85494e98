"""Suppliers: one row per site."""

from __future__ import annotations

from typing import Final

from vigilance import terms
from vigilance.ingest import activities, countries, identifiers, numbers, words
from vigilance.ingest.columns import Column, Table

_PEOPLE: Final = {"low": 0, "high": 5_000_000}
"""No site on earth has more people; a larger number is a slip."""

TABLE: Final = Table(
    name="suppliers",
    columns=(
        Column("supplier_id", identifiers.text, required=True, options={"key": True}),
        Column("name", identifiers.text, required=True),
        Column("country", countries.column, required=True, options={"typed": "_iso3"}),
        Column("activity", activities.column, options={"kept": True}),
        Column("tier", words.tier),
        Column("workers", numbers.count, options=_PEOPLE),
        Column("migrant_share", numbers.share, options={"low": 0, "high": 1}),
        Column("women_share", numbers.share, options={"low": 0, "high": 1}),
        *(Column(name, words.factor) for name in terms.FACTORS),
        Column("spend_eur", numbers.number, options={"low": 0, "high": 1e13, "money": True}),
        Column("buyer_share", numbers.share, options={"low": 0, "high": 1}),
        Column("lat", numbers.number, options={"low": -90, "high": 90}),
        Column("lng", numbers.number, options={"low": -180, "high": 180}),
        Column("zone", identifiers.text),
        Column("address", identifiers.text),
        Column("parent_company", identifiers.text),
        Column("lei", identifiers.lei),
        Column("os_id", identifiers.text),
        Column("duns", identifiers.duns),
        Column("gln", identifiers.gln),
        Column("predecessor_id", identifiers.text),
    ),
    needed=(("name",), ("country",)),
    key=("supplier_id",),
)
