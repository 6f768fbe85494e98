"""Random problems, small enough to enumerate or as large as asked."""

from __future__ import annotations

import numpy as np

from vigilance.planning.problem import Limit, Problem


def random_problem(seed: int, sites: int, actions: int, limits: int = 0, budget_share: float = 0.3) -> Problem:
    """A problem with whole-number values and costs, some impossible actions, shared trips and random
    limits."""
    rng = np.random.default_rng(seed)
    value = np.floor(rng.lognormal(10, 1.5, size=(actions, sites)))
    value[rng.random(value.shape) < 0.2] = -np.inf
    days = rng.integers(1, 17, size=(actions, sites)).astype(float)
    trips = max(1, sites // 3)
    trip = rng.integers(0, trips, size=sites)
    travel = rng.integers(0, 9, size=trips).astype(float)
    on_trip = rng.random(actions) < 0.7
    budget = float(np.floor(days.mean() * sites * budget_share)) + 4
    made = []
    for index in range(limits):
        mask = rng.random(sites) < 0.5
        least = bool(rng.random() < 0.4)
        bound = float(np.floor(budget * (rng.uniform(0, 0.3) if least else rng.uniform(0.1, 0.8))))
        counted = rng.random(trips) < 0.5 if rng.random() < 0.5 and not least else None
        made.append(Limit(f"limit {index}", mask, bound, at_least=least, trips=counted))
    return Problem(value, days, on_trip, trip, travel, budget, tuple(made))
