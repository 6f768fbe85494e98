"""Audits: one row per audit of a site."""

from __future__ import annotations

from typing import Final

from vigilance.ingest import dates, identifiers, numbers, words
from vigilance.ingest.columns import Column, Table

_KINDS: Final = {
    "initial": ("initial audit", "first", "full", "full audit", "initiale", "audit initial", "premier"),
    "follow_up": (
        "follow up",
        "followup",
        "follow-up audit",
        "suivi",
        "audit de suivi",
        "corrective action plan audit",
    ),
    "re_audit": ("re audit", "reaudit", "re-audit", "renewal", "ré-audit", "réaudit", "renouvellement"),
}
_NOTICES: Final = {
    "announced": ("fully announced", "annoncé", "annoncée", "programmé"),
    "semi_announced": ("semi announced", "semi-announced", "semi annoncé", "semi-annoncé", "semi annoncée", "window"),
    "unannounced": ("not announced", "surprise", "inopiné", "inopinée", "non annoncé", "non annoncée"),
}
_PAYERS: Final = {
    "supplier": ("site", "factory", "facility", "fournisseur", "usine", "vendor"),
    "buyer": ("brand", "customer", "retailer", "acheteur", "donneur d'ordre", "client"),
    "shared": ("both", "partagé", "les deux"),
}

TABLE: Final = Table(
    name="audits",
    columns=(
        Column("supplier_id", identifiers.text, required=True, options={"key": True}),
        Column("audited_on", dates.column, required=True),
        Column("scheme", identifiers.text),
        Column("kind", words.choice, options={"words": _KINDS}),
        Column("notice", words.choice, options={"words": _NOTICES}),
        Column("person_days", numbers.number, options={"low": 0, "high": 1_000}),
        Column("interviews", numbers.count, options={"low": 0, "high": 100_000}),
        Column("offsite_interviews", numbers.count, options={"low": 0, "high": 100_000}),
        Column("auditor", identifiers.text),
        Column("paid_by", words.choice, options={"words": _PAYERS}),
        Column("grade", identifiers.text),
        Column("in_season", words.boolean),
        Column("woman_in_team", words.boolean),
        Column("drawn_with", numbers.share),
    ),
    needed=(("supplier_id",), ("audited_on",)),
    key=("supplier_id", "audited_on"),
)
