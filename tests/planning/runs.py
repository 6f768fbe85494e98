"""Small runs made up in memory: scores and sites with the columns of docs/architecture.md."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from vigilance import rules
from vigilance.planning import constraints, inputs, make, protocol
from vigilance.planning.assemble import Request
from vigilance.planning.inputs import SiteTable
from vigilance.planning.make import Plan

ON = date(2026, 11, 1)
START, END = date(2027, 1, 1), date(2027, 12, 31)
COUNTRIES = ("BGD", "CHN", "FRA", "IND", "MYS", "QAT")
DIVISIONS = ("01", "13", "14", "22", "41")


def made_up(sites: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores and typed columns of made-up sites, in the shapes that a run has."""
    rng = np.random.default_rng(seed)
    country = rng.integers(0, len(COUNTRIES), sites)
    workers = np.floor(rng.lognormal(5.5, 1.2, sites)) + 1
    tier = rng.integers(1, 5, sites)
    ids = [f"S{i:07d}" for i in range(sites)]
    typed = pl.DataFrame(
        {
            "_row": np.arange(sites),
            "_supplier_id": ids,
            "_name": [f"Site {i}" for i in range(sites)],
            "_iso3": np.array(COUNTRIES)[country],
            "_division": np.array(DIVISIONS)[rng.integers(0, len(DIVISIONS), sites)],
            "_tier": tier.astype(np.int8),
            "_workers": np.where(rng.random(sites) < 0.1, np.nan, workers),
            "_zone": pl.Series([None] * sites, dtype=pl.String),
            "_spend_eur": np.floor(rng.lognormal(11, 2, sites)),
        }
    ).with_columns(pl.col("_workers").fill_nan(None))
    columns: dict[str, Any] = {"supplier_id": ids, "unit": np.array(["North", "South"])[rng.integers(0, 2, sites)]}
    for hazard, level in (("forced_labour", -3.0), ("child_labour", -3.5)):
        logit = level + 0.5 * country - 0.4 * (country == 2) + 0.35 * np.log(workers / 200) + rng.normal(0, 1, sites)
        sd = rng.uniform(0.4, 1.5, sites)
        p50 = _expit(logit)
        share = _expit(logit - 2.5)
        affected = np.maximum(share * workers, p50)
        columns |= {
            f"{hazard}_score": 100 * np.log(1 + p50 / 0.01) / np.log(101),
            f"{hazard}_band": np.where(p50 > 0.15, "severe", "moderate"),
            f"{hazard}_grade": np.array(list("ABCDE"))[np.minimum((sd * 3).astype(int), 4)],
            f"{hazard}_p05": _expit(logit - 1.645 * sd),
            f"{hazard}_p50": p50,
            f"{hazard}_p95": _expit(logit + 1.645 * sd),
            f"{hazard}_expected_affected": affected,
            f"{hazard}_override": pl.Series([None] * sites, dtype=pl.String),
        }
    return pl.DataFrame(columns), typed


def _expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def numbers() -> protocol.AuditProtocol:
    """The shipped protocol on the date of the tests."""
    return protocol.read(rules.load().in_force(ON))


def table(sites: int, seed: int = 0, columns: tuple[str, ...] = ()) -> SiteTable:
    scores, typed = made_up(sites, seed)
    return inputs.read(scores.lazy(), typed.lazy(), columns)


def request(days: float, seed: int = 7, **asked: Any) -> Request:
    keep = asked.pop("keep", None)
    limits = constraints.Constraints.model_validate(asked)
    return Request(days, START, END, seed, limits, keep)


def plan(
    sites: int,
    days: float,
    audits: pl.DataFrame | None = None,
    findings: pl.DataFrame | None = None,
    seed: int = 7,
    of: SiteTable | None = None,
    **asked: Any,
) -> Plan:
    """Plan made-up sites, or the sites given."""
    return make.make(of or table(sites, columns=("unit",)), audits, findings, request(days, seed, **asked), numbers())
