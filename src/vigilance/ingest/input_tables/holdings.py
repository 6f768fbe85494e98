"""Holdings: one row per position of a fund, as its manager publishes it.

Weights stay on the scale of the file (a fund may be short or leveraged, and its weights need not sum to one): the
portfolio part reconciles them.
"""

from __future__ import annotations

from typing import Final

from vigilance.ingest import identifiers, numbers
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="holdings",
    columns=(
        Column("name", identifiers.text, required=True),
        Column("isin", identifiers.isin),
        Column("lei", identifiers.lei),
        Column("ticker", identifiers.text),
        Column("weight", numbers.number, options={"low": -1_000, "high": 1_000}),
        Column("value", numbers.number, options={"low": -1e14, "high": 1e14, "money": True}),
        Column("currency", identifiers.text),
        Column("country", identifiers.text),
        Column("activity", identifiers.text),
        Column("asset_class", identifiers.text),
    ),
    needed=(("name",), ("weight", "value")),
)
