"""Scores of old data under other circumstances: the steps by which the ledger splits a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from vigilance import engines, evidence
from vigilance.alerts.sites import SCORE_UNITS, core, whole
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring.model import build
from vigilance.store.versions import Past
from vigilance.terms import HAZARDS


@dataclass(frozen=True)
class Circumstances:
    """Then and now. ``frames`` are the evidence tables of then; ``code_changed`` whether the program is another one."""

    past: Past
    then: date
    now: date
    facts: Facts
    judgements: Judgements
    frames: Mapping[str, pl.DataFrame]
    code_changed: bool
    facts_changed: bool
    rules_changed: bool

    def rescored(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """``compare.Rescore``: scores of stored rows after each step at which something differs.

        A step whose scores are the same as before is left out where that is known without scoring.
        """
        if not rows.height:
            return {}
        found: dict[str, pl.DataFrame] = {}
        if self.code_changed:
            found["code"] = self._scored(rows, self.past.facts(self.then), self.past.judgements(self.then))
        facts, judgements = self.past.facts(self.now), self.past.judgements(self.now)
        if self.then != self.now:
            found["time"] = self._scored(rows, facts, judgements)
        if self.facts_changed:
            facts = self.facts
            found["facts"] = self._scored(rows, facts, judgements)
        if self.rules_changed:
            found["weights"] = self._scored(rows, facts, self.judgements)
        return found

    def _scored(self, rows: pl.DataFrame, facts: Facts, judgements: Judgements) -> pl.DataFrame:
        sites = core(rows).lazy()
        known = evidence.table(sites, self.frames, judgements, judgements.on) if self.frames else None
        model = build(facts, judgements)
        wanted = ["_supplier_id", *(f"{hazard}_score" for hazard in HAZARDS)]
        scored = pl.concat(batch.select(wanted) for batch in engines.polars(sites, model, known))
        return scored.select(
            pl.col("_supplier_id").alias("supplier_id"),
            *(whole(f"{hazard}_score", SCORE_UNITS).alias(f"{hazard}_score") for hazard in HAZARDS),
        )
