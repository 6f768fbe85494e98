"""Grievances: one row per incident. Nothing else of the file is kept: what a worker wrote is never read."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import dates, identifiers, words
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="grievances",
    columns=(
        Column("incident_id", identifiers.text, required=True, options={"key": True}),
        Column("supplier_id", identifiers.text),
        Column("zone", identifiers.text),
        Column("received_on", dates.column, required=True),
        Column("channel", identifiers.text),
        Column("indicator", identifiers.text),
        Column("substantiated", words.boolean),
        Column("language", identifiers.text),
    ),
    needed=(("incident_id",), ("received_on",), ("supplier_id", "zone")),
    keep_unknown=False,
)
