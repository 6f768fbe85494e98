"""In simulation the plan finds more harm than simpler plans, in the model's world and in wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from vigilance.planning import simulate
from vigilance.planning.problem import cost

from . import runs

NUMBERS = runs.numbers()


def ratios(seeds: int, sites: int, days: float) -> dict[str, list[float]]:
    """Harm of the plan over harm of each simpler plan, in each world, summed over seeds."""
    sums = np.zeros((4, 3))
    for seed in range(seeds):
        table = runs.table(sites, seed)
        plan = runs.plan(0, days, of=table, seed=seed)
        choices = (
            plan.choice,
            simulate.highest_score_first(plan.ground),
            simulate.country_only(plan.ground, seed),
        )
        worlds = (
            simulate.as_modelled(table),
            simulate.as_modelled(table, sensitivity=0.5),
            simulate.as_modelled(table, concealment=2.0),
            simulate.shuffled(table, NUMBERS, seed),
        )
        for w, world in enumerate(worlds):
            for c, choice in enumerate(choices):
                rng = np.random.default_rng([seed, w])
                sums[w, c] += simulate.harm_found(plan.ground, NUMBERS, world, choice, rng)
    names = ("modelled", "halved", "doubled", "shuffled")
    return {name: (row[0] / row[1:]).tolist() for name, row in zip(names, sums, strict=True)}


def hold(found: dict[str, list[float]]) -> None:
    assert min(found["modelled"]) >= 1.5
    for world in ("halved", "doubled", "shuffled"):
        assert min(found[world]) >= 1.0, world


def test_plan_beats_simpler_plans() -> None:
    hold(ratios(3, 300, 60))


@pytest.mark.slow
def test_plan_beats_simpler_plans_over_fifty_seeds() -> None:
    hold(ratios(50, 2_000, 300))


def test_baselines_stay_within_the_budget() -> None:
    plan = runs.plan(500, 100)
    for choice in (simulate.highest_score_first(plan.ground), simulate.country_only(plan.ground, 1)):
        assert 0 < cost(plan.ground.problem, choice) <= plan.ground.problem.budget
