"""Links: one row per supplier of a site, with its share of what the site buys of a product."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import identifiers, numbers
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="links",
    columns=(
        Column("buyer_id", identifiers.text, required=True, options={"key": True}),
        Column("supplier_id", identifiers.text, required=True, options={"key": True}),
        Column("share", numbers.share, options={"low": 0, "high": 1}),
        Column("product", identifiers.text),
    ),
    needed=(("buyer_id",), ("supplier_id",)),
)
