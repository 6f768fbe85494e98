"""What every report reads: a run, opened and checked, beside the facts and judgements that it used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import explanation, models
from vigilance.evidence import KEPT, TABLES, informed
from vigilance.i18n import language, messages
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.run import Run
from vigilance.scoring import assess
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, SITE_COLUMNS

_ = messages("report")

WINDOW_YEARS: Final = 5
MEASURES: Final = tuple(name for name in assess.MEASURES if not name.startswith("driver_"))
TYPED: Final = ("_row", *SITE_COLUMNS)
OPTIONAL: Final = ("_lat", "_lng", "_spend_eur")
WORST: Final = "worst_p80"


@dataclass(frozen=True, eq=False)
class Material:
    """A run and its basis. Frames are in input order."""

    run: Run
    facts: Facts
    judgements: Judgements

    @cached_property
    def sites(self) -> pl.DataFrame:
        """Typed columns and scores of every site, side by side, and ``worst_p80`` (the larger of the two hazards)."""
        typed = self.run.sites
        there = typed.collect_schema().names()
        known = typed.select(*TYPED, *(c for c in OPTIONAL if c in there)).collect()
        missing = [pl.lit(None, dtype=pl.Float64).alias(c) for c in OPTIONAL if c not in there]
        wanted = [f"{hazard}_{measure}" for hazard in HAZARDS for measure in MEASURES]
        scores = self.run.scores.select(*wanted, "rank", "rank_low", "rank_high").collect()
        worst = pl.max_horizontal(f"{hazard}_p80" for hazard in HAZARDS).alias(WORST)
        return pl.concat([known.with_columns(missing), scores], how="horizontal").with_columns(worst)

    @cached_property
    def model(self) -> Model:
        """The model that scored the run."""
        return informed(models.in_force(self.facts, self.judgements), self.evidence_frames)

    @cached_property
    def countries(self) -> dict[str, str]:
        """Names of the countries in the language in use."""
        return self.facts.names("countries", "iso3")

    @cached_property
    def activities(self) -> dict[str, str]:
        """Names of the ISIC divisions in the language in use."""
        return {"00": _("activity not stated"), **self.facts.names("activities", "code")}

    @cached_property
    def zones(self) -> dict[str, str]:
        """Names of the zones in the language in use."""
        table = self.facts.table("zones")
        names = [c for c in (f"name_{language()}", "name_en", "name") if c in table.columns]
        key = self.facts.reference.entries["zones"].key[0]
        return dict(table.select(key, pl.coalesce(names)).iter_rows())

    @property
    def evidence_tables(self) -> list[str]:
        """The evidence tables that the run read."""
        return [name for name in TABLES if self.run.has(f"{name}.parquet")]

    @cached_property
    def evidence_frames(self) -> dict[str, pl.DataFrame]:
        """The typed evidence tables that the run kept, by name."""
        return {name: found.collect() for name in KEPT if (found := self.run.evidence(name)) is not None}

    def bands(self, hazard: str) -> dict[str, int]:
        """Sites by band, mildest first."""
        counted: dict[str, int] = dict(self.run.meta["bands"][hazard])
        return counted

    def grades(self, hazard: str) -> dict[str, int]:
        """Sites by evidence grade."""
        counted: dict[str, int] = dict(self.run.meta["grades"][hazard])
        return counted

    @cached_property
    def expert_priors(self) -> tuple[int, int]:
        """How many numbers of the method rest on an expert prior, and how many there are (conventions apart)."""
        found = [e for prefix in ("method", "factors") for e in self.judgements.under(prefix).values() if not e.exact]
        return sum("expert-prior-2026" in e.sources for e in found), len(found)

    def provenance(self) -> list[tuple[str, str]]:
        """Label and value of what identifies the run."""
        meta = self.run.meta
        files = ", ".join(dict.fromkeys(str(given["file"]) for given in meta["inputs"]))
        return [
            (_("Input"), files),
            (_("Run"), str(meta["identity"])[:12]),
            (_("Rules"), str(meta["rules"]["sha256"])[:12]),
            (_("Facts"), str(meta["facts"]["sha256"])[:12]),
            (_("Version"), f"vigilance {meta['version']}"),
        ]


def gather(run: Run, rules_path: Path | None = None, data_path: Path | None = None) -> Material:
    """Open what a report reads.

    Raises ``UsageError`` when the rules or the facts are not those that the run used, ``InputRefused`` when a file of
    the run was changed.
    """
    facts, judgements = explanation.basis(run, rules_path, data_path)
    return Material(run, facts, judgements)
