"""A world drawn from the model under some parameters: sites that state everything, audits, findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from vigilance.calibrate.recomputed import Parameters, design, link, presence
from vigilance.calibrate.worlds import mix
from vigilance.scoring.evidence_audits import NOTICES
from vigilance.scoring.model import Model
from vigilance.terms import ABSENT, FACTORS, PRESENT, Hazard

ON = date(2026, 11, 1)


@dataclass(frozen=True)
class World:
    sites: pl.DataFrame
    audits: pl.DataFrame
    findings: pl.DataFrame
    present: np.ndarray


def world(
    model: Model, hazard: Hazard, numbers: Parameters, count: int, seed: int, audits: int = 3, size: float = 1000.0
) -> World:
    """Sites with stated factors, each audited ``audits`` times without notice, on days too close for any decay.

    Absences are confirmed here, so that what is stated is what is true (``proof`` 1).
    """
    rng = np.random.default_rng(seed)
    answers = np.where(rng.random((count, len(FACTORS))) < 0.5, PRESENT, ABSENT)
    sites = mix(model, count, seed).with_columns(
        _factors=pl.Series((answers @ 3 ** np.arange(len(FACTORS))).astype(np.int32)),
        _tier=pl.Series(rng.integers(1, 5, count).astype(np.int8)),
        _workers=pl.lit(size),
        _migrant_share=pl.Series(rng.random(count)),
    )
    of = design(model, sites, hazard)
    present = rng.random(count) < presence(link(of, numbers, of.stated).ln_m)
    found = detected(model, hazard, present, audits, rng)
    ids = np.array(sites["_supplier_id"].to_list())
    site = np.repeat(np.arange(count), audits)
    days = np.tile(np.arange(audits), count)
    table = pl.DataFrame(
        {
            "_supplier_id": ids[site],
            "_audited_on": [ON - timedelta(days=int(day)) for day in days],
            "_notice": ["unannounced"] * len(site),
        }
    )
    findings = table.filter(pl.Series(found)).select(
        "_supplier_id",
        "_audited_on",
        _topic=pl.lit(str(hazard)),
        _severity=pl.lit("major"),
        _status=pl.lit("open"),
    )
    return World(sites, table, findings, present)


def detected(model: Model, hazard: Hazard, present: np.ndarray, audits: int, rng: np.random.Generator) -> np.ndarray:
    """Whether each of a site's unannounced audits finds what is there (n·audits)."""
    judgements = model.judgements
    base = judgements.value(f"evidence.audits.sensitivity.{hazard}")
    logit = np.log(base / (1 - base)) + judgements.value("evidence.audits.shift.unannounced")
    error = 1 - judgements.value("evidence.audits.specificity")
    conceals = rng.random(len(present)) < judgements.value(f"evidence.audits.concealment.{NOTICES[0]}")
    chance = np.where(present & ~conceals, 1 / (1 + np.exp(-logit)), error)
    return rng.random(len(present) * audits) < np.repeat(chance, audits)
