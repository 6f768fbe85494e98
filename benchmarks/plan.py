"""How good and how fast audit plans are.

    python benchmarks/plan.py harm            # harm found against simpler plans, 50 seeds, four worlds
    python benchmarks/plan.py speed [SITES DAYS]   # seconds, memory and gap; 1,000,000 sites and 50,000 days

Sites are made up with the model's own shape: a rate by country and activity, site factors, and a size effect.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import date

import numpy as np
import polars as pl

from vigilance import rules
from vigilance.planning import constraints, inputs, make, protocol, simulate
from vigilance.planning.assemble import Request
from vigilance.planning.inputs import SiteTable

COUNTRIES = {"BGD": 1.0, "CHN": 0.9, "FRA": -1.2, "IND": 1.1, "MYS": 0.8, "QAT": 1.3, "VNM": 0.6, "ITA": -0.8}
ACTIVITIES = {"01": 0.4, "13": 0.3, "14": 0.3, "22": 0.2, "29": -0.3, "41": 0.4, "47": -0.6}
GAMMA = 0.33


def sites(number: int, seed: int) -> SiteTable:
    """Made-up sites: ln rate = level + country + activity + factors; P = 1 - exp(-rate N^0.33)."""
    rng = np.random.default_rng(seed)
    country = rng.integers(0, len(COUNTRIES), number)
    activity = rng.integers(0, len(ACTIVITIES), number)
    workers = np.floor(np.exp(rng.normal(5.0, 1.2, number))) + 1
    ids = [f"S{i:07d}" for i in range(number)]
    columns: dict[str, object] = {}
    sd = rng.uniform(0.5, 1.3, number)
    for hazard, level in (("forced_labour", 0.006), ("child_labour", 0.008)):
        factors = rng.normal(0, 0.8, number)
        step = np.array(list(COUNTRIES.values()))[country] + np.array(list(ACTIVITIES.values()))[activity]
        rate = 0.5 * (1 - np.exp(-2 * level * np.exp(step + factors)))
        p50 = 1 - np.exp(-rate * workers**GAMMA)
        logit = np.log(p50 / (1 - p50))
        columns |= {
            f"{hazard}_p05": 1 / (1 + np.exp(-(logit - 1.645 * sd))),
            f"{hazard}_p50": p50,
            f"{hazard}_p95": 1 / (1 + np.exp(-(logit + 1.645 * sd))),
            f"{hazard}_expected_affected": rate * workers,
        }
    typed = pl.DataFrame(
        {
            "_supplier_id": ids,
            "_iso3": np.array(list(COUNTRIES))[country],
            "_division": np.array(list(ACTIVITIES))[activity],
            "_tier": rng.integers(1, 5, number).astype(np.int8),
            "_workers": workers,
        }
    )
    return inputs.read(pl.LazyFrame(columns), typed.lazy())


def request(days: float, seed: int) -> Request:
    return Request(days, date(2027, 1, 1), date(2027, 12, 31), seed, constraints.Constraints())


def harm(seeds: int = 50, number: int = 2_000, days: float = 300) -> dict[str, dict[str, float]]:
    """Mean ratio of harm found by the plan to that of each simpler plan, by world."""
    numbers = protocol.read(rules.load().in_force(date(2026, 11, 1)))
    sums: dict[str, dict[str, float]] = {}
    for seed in range(seeds):
        table = sites(number, seed)
        plan = make.make(table, None, None, request(days, seed), numbers)
        choices = {
            "plan": plan.choice,
            "highest score first": simulate.highest_score_first(plan.ground),
            "country only": simulate.country_only(plan.ground, seed),
            "highest score, unannounced": simulate.highest_score_first(plan.ground, simulate.TELLING),
            "country only, unannounced": simulate.country_only(plan.ground, seed, simulate.TELLING),
        }
        worlds = {
            "as modelled": simulate.as_modelled(table),
            "sensitivity halved": simulate.as_modelled(table, sensitivity=0.5),
            "concealment doubled": simulate.as_modelled(table, concealment=2.0),
            "factors shuffled": simulate.shuffled(table, numbers, seed),
        }
        for world_name, world in worlds.items():
            for name, choice in choices.items():
                found = simulate.harm_found(plan.ground, numbers, world, choice, np.random.default_rng([seed, 5]))
                here = sums.setdefault(world_name, {})
                here[name] = here.get(name, 0.0) + found
    return {
        world: {name: here["plan"] / value for name, value in here.items() if name != "plan"}
        for world, here in sums.items()
    }


def speed(number: int = 1_000_000, days: float = 50_000) -> dict[str, float]:
    """Seconds to plan, peak memory in GiB and gap."""
    numbers = protocol.read(rules.load().in_force(date(2026, 11, 1)))
    table = sites(number, 0)
    started = time.perf_counter()
    plan = make.make(table, None, None, request(days, 1), numbers)
    return {
        "sites": number,
        "days": days,
        "seconds": time.perf_counter() - started,
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "gap": plan.solution.gap,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["speed"]:
        print(speed(*(int(float(a)) for a in sys.argv[2:4])))
    else:
        for world, ratios in harm().items():
            print(f"{world:<22}", {name: round(ratio, 2) for name, ratio in ratios.items()})
