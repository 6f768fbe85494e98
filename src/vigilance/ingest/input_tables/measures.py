"""Measures in place: one row per pillar at a site or in a group."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import dates, identifiers, numbers, words
from vigilance.ingest.columns import Column, Table

_PILLARS: Final = {
    "map": ("mapping", "cartographier", "cartographie", "knowledge", "connaissance"),
    "assess": ("assessment", "évaluer", "évaluation"),
    "act": ("action", "agir", "mitigate", "atténuer"),
    "alert": ("alerts", "raise alerts", "alerter", "alerte", "grievance", "whistleblowing"),
    "measure": ("measure and improve", "mesurer", "monitoring", "mesurer et améliorer", "suivi"),
}
_PROOFS: Final = {
    "declared": ("declaration", "self declared", "déclaré", "déclarée", "déclaratif"),
    "documented": ("document", "documentation", "documenté", "documentée"),
    "confirmed": ("confirmed by workers", "confirmed by unions", "confirmé", "confirmée", "vérifié"),
}

TABLE: Final = Table(
    name="measures",
    columns=(
        Column("supplier_id", identifiers.text),
        Column("parent_company", identifiers.text),
        Column("pillar", words.choice, required=True, options={"words": _PILLARS}),
        Column("proof", words.choice, required=True, options={"words": _PROOFS}),
        Column("coverage", numbers.share, options={"low": 0, "high": 1}),
        Column("since", dates.column),
    ),
    needed=(("supplier_id", "parent_company"), ("pillar",), ("proof",)),
)
