"""Findings: one row per finding of an audit.

Topics, severities and statuses stay in the words of the file: what they mean is a judgement, and lies in
``rules/evidence/vocabulary.yaml``.
"""

from __future__ import annotations

from typing import Final

from vigilance.ingest import dates, identifiers
from vigilance.ingest.columns import Column, Table

TABLE: Final = Table(
    name="findings",
    columns=(
        Column("supplier_id", identifiers.text, required=True, options={"key": True}),
        Column("audited_on", dates.column, required=True),
        Column("topic", identifiers.text, required=True),
        Column("severity", identifiers.text),
        Column("status", identifiers.text),
        Column("found_on", dates.column),
        Column("due_on", dates.column),
        Column("closed_on", dates.column),
    ),
    needed=(("supplier_id",), ("audited_on",), ("topic",)),
)
