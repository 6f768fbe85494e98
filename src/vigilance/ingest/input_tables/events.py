"""Events: one row per event at a site, in a zone, a region or a country, or about an entity."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import dates, identifiers, words
from vigilance.ingest.columns import Column, Table

_PLACES: Final = {
    "site": ("facility", "factory", "supplier", "usine", "fournisseur"),
    "zone": ("industrial zone", "zone industrielle", "zone franche"),
    "region": ("province", "state", "région"),
    "country": ("pays", "national"),
    "entity": ("company", "group", "entité", "entreprise", "groupe"),
}

TABLE: Final = Table(
    name="events",
    columns=(
        Column("event_id", identifiers.text, required=True, options={"key": True}),
        Column("place_kind", words.choice, required=True, options={"words": _PLACES}),
        Column("place", identifiers.text, required=True),
        Column("occurred_on", dates.column, required=True),
        Column("known_on", dates.column),
        Column("kind", identifiers.text),
        Column("hazard", identifiers.text),
        Column("source", identifiers.text),
        Column("proven", words.boolean),
    ),
    needed=(("event_id",), ("place_kind",), ("place",), ("occurred_on",)),
)
