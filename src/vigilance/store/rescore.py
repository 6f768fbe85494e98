"""Scores of old data under other circumstances: the steps by which the ledger splits a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from vigilance import engines, evidence, models
from vigilance.alerts.compare import STEPS
from vigilance.alerts.sites import SCORE_UNITS, core, whole
from vigilance.reference import Facts
from vigilance.rules import Judgements
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
    same_evidence: bool

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps at which something differs, in the order of ``compare.STEPS``."""
        differs = {
            "code": self.code_changed,
            "time": self.then != self.now,
            "facts": self.facts_changed,
            "weights": self.rules_changed,
        }
        return tuple(step for step in STEPS if differs[step])

    def rescored(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Scores of stored rows after each of ``steps``: ``supplier_id, <h>_score`` in units."""
        found: dict[str, pl.DataFrame] = {}
        on, facts, judgements = self.then, self.past.facts(self.then), self.past.judgements(self.then)
        for step in self.steps:
            if step == "time":
                on = self.now
                facts, judgements = self.past.facts(on), self.past.judgements(on)
            elif step == "facts":
                facts = self.facts
            elif step == "weights":
                judgements = self.judgements
            found[step] = self._scored(rows, facts, judgements)
        return found

    def _scored(self, rows: pl.DataFrame, facts: Facts, judgements: Judgements) -> pl.DataFrame:
        sites = core(rows).lazy()
        known = evidence.table(sites, self.frames, judgements, judgements.on) if self.frames else None
        model = evidence.informed(models.in_force(facts, judgements), self.frames)
        wanted = ["_supplier_id", *(f"{hazard}_score" for hazard in HAZARDS)]
        scored = pl.concat(batch.select(wanted) for batch in engines.polars(sites, model, known))
        return scored.select(
            pl.col("_supplier_id").alias("supplier_id"),
            *(whole(f"{hazard}_score", SCORE_UNITS).alias(f"{hazard}_score") for hazard in HAZARDS),
        )
