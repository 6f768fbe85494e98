"""Simulate sites, truth, concealment and audits from the model; compare predicted with observed presence.

    python benchmarks/quality/calibration_sim.py [--sites 200000] [--seed 7]

First the evidence under the rules that drew the world: predicted and observed presence must agree in ten bins. Then the
same world scored under wrong Se, c and γ: how far levels and ranks move. Audits alone cannot tell Se and c, so levels
follow the prior; what a reader may rely on is how little the ranks do.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from vigilance import rules
from vigilance.rules import Judgements
from vigilance.scoring.evidence import Evidence, table
from vigilance.scoring.evidence_audits import NOTICES

ON = date(2026, 11, 1)
HAZARD = "forced_labour"
_AUDITS = "evidence.audits"


@dataclass(frozen=True)
class World:
    """A drawn world: what is true of each site, what was seen of it, and what the core is told."""

    present: np.ndarray
    workers: np.ndarray
    rate: np.ndarray
    sites: pl.DataFrame
    audits: pl.DataFrame
    findings: pl.DataFrame


def presence(rate: np.ndarray, workers: np.ndarray, exponent: float) -> np.ndarray:
    """P0 = 1 - exp(-π·N^γ), method section 3."""
    return -np.expm1(-rate * workers**exponent)


def draw(sites: int, seed: int, judgements: Judgements) -> World:
    """A world drawn from the model: rates and sizes, presence, a nested concealment type, up to four audits a site.

    All audits are of the last days, so that no decay stands between the draw and the score.
    """
    rng = np.random.default_rng(seed)
    workers = np.ceil(rng.lognormal(math.log(150), 1.2, sites))
    rate = np.exp(rng.normal(math.log(0.01), 1.3, sites))
    rate = 0.5 * -np.expm1(-2 * rate)
    present = rng.random(sites) < presence(rate, workers, judgements.value("method.size_exponent"))
    # One number per site orders the types: who conceals from an unannounced audit conceals from all others.
    secrecy = rng.random(sites)
    counts = rng.choice(5, sites, p=[0.35, 0.3, 0.2, 0.1, 0.05])
    site = np.repeat(np.arange(sites), counts)
    notice = rng.integers(0, 3, site.size)
    concealed = secrecy[site] < np.array([judgements.value(f"{_AUDITS}.concealment.{n}") for n in NOTICES])[notice]
    shift = np.array(
        [judgements.value(f"{_AUDITS}.shift.unannounced"), 0.0, judgements.value(f"{_AUDITS}.shift.announced")]
    )
    base = judgements.value(f"{_AUDITS}.sensitivity.{HAZARD}")
    sensitivity = 1 / (1 + np.exp(-(math.log(base / (1 - base)) + shift[notice])))
    error = 1 - judgements.value(f"{_AUDITS}.specificity")
    chance = np.where(present[site] & ~concealed, np.maximum(sensitivity, error), error)
    positive = rng.random(site.size) < chance
    ids = np.array([f"S{i:07d}" for i in range(sites)])
    # The audits of one site fall on different days, or they would be one visit; three days' decay is not seen.
    first = np.searchsorted(site, site)
    day = np.arange(site.size) - first
    audits = pl.DataFrame(
        {
            "_supplier_id": ids[site],
            "_audited_on": pl.Series([ON] * site.size) - pl.Series(day).cast(pl.Int64) * timedelta(days=1),
            "_notice": np.array(NOTICES)[notice],
        }
    )
    findings = audits.filter(pl.Series(positive)).select(
        "_supplier_id", "_audited_on", _topic=pl.lit("forced_labour"), _severity=pl.lit("major"), _status=pl.lit("open")
    )
    return World(present, workers, rate, pl.DataFrame({"_supplier_id": ids}), audits, findings)


def predicted(world: World, judgements: Judgements) -> np.ndarray:
    """P of each site after its audits, by the scoring core."""
    wrap: Any = lambda frame: nw.from_native(frame.lazy())  # noqa: E731 - one expression
    known = Evidence(audits=wrap(world.audits), findings=wrap(world.findings))
    found: pl.DataFrame = table(wrap(world.sites), known, judgements, ON).collect().to_native()
    shift = world.sites.join(found, on="_supplier_id", how="left", maintain_order="left")[f"{HAZARD}_shift"].fill_null(
        0
    )
    p = presence(world.rate, world.workers, judgements.value("method.size_exponent"))
    return 1 / (1 + np.exp(-(np.log(p) - np.log1p(-p) + shift.to_numpy())))


def bins(p: np.ndarray, present: np.ndarray, count: int = 10) -> list[dict[str, float]]:
    """Predicted and observed presence in bins of equal size."""
    parts = np.array_split(np.argsort(p, kind="stable"), count)
    return [
        {"sites": len(part), "predicted": float(p[part].mean()), "observed": float(present[part].mean())}
        for part in parts
    ]


def calibration_error(table_of_bins: list[dict[str, float]]) -> float:
    """The mean distance between predicted and observed presence, weighted by sites."""
    total = sum(row["sites"] for row in table_of_bins)
    return sum(row["sites"] * abs(row["predicted"] - row["observed"]) for row in table_of_bins) / total


def rank_moves(p: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """How far ranks move: Spearman's correlation, and the share of the first tenth that stays in it."""
    ranks = [np.argsort(np.argsort(-values, kind="stable"), kind="stable") for values in (p, other)]
    top = len(p) // 10
    stays = np.mean(ranks[1][ranks[0] < top] < top)
    return {"spearman": float(np.corrcoef(*ranks)[0, 1]), "first_tenth_kept": float(stays)}


WRONG: dict[str, dict[str, float]] = {
    "sensitivity .05": {f"{_AUDITS}.sensitivity.{HAZARD}": 0.05},
    "sensitivity .35": {f"{_AUDITS}.sensitivity.{HAZARD}": 0.35},
    "concealment .1": {f"{_AUDITS}.concealment.{notice}": 0.1 for notice in NOTICES},
    "concealment .8": {f"{_AUDITS}.concealment.{notice}": 0.8 for notice in NOTICES},
    "size exponent .15": {"method.size_exponent": 0.15},
    "size exponent .5": {"method.size_exponent": 0.5},
}


def report(sites: int, seed: int) -> dict[str, Any]:
    """Calibration under the true rules; levels and ranks under wrong ones."""
    judgements = rules.load().in_force(ON)
    world = draw(sites, seed, judgements)
    right = predicted(world, judgements)
    true_bins = bins(right, world.present)
    moves = {}
    for name, values in WRONG.items():
        wrong = predicted(world, judgements.with_values(values))
        error = calibration_error(bins(wrong, world.present))
        moves[name] = {"calibration_error": error, "mean_predicted": float(wrong.mean()), **rank_moves(right, wrong)}
    return {
        "sites": sites,
        "audits": world.audits.height,
        "findings": world.findings.height,
        "present": float(world.present.mean()),
        "bins": true_bins,
        "calibration_error": calibration_error(true_bins),
        "under_wrong_rules": moves,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sites", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    print(json.dumps(report(asked.sites, asked.seed), indent=2))


if __name__ == "__main__":
    main()
