"""All choices of a small problem, one by one: the slow truth that the solver is held to."""

from __future__ import annotations

import itertools

import numpy as np

from vigilance.planning.problem import NONE, Problem, keeps, worth


def best(problem: Problem) -> float | None:
    """The value of the best choice that keeps every limit, or None when none does."""
    options = [[NONE, *np.flatnonzero(np.isfinite(problem.value[:, site]))] for site in range(problem.sites)]
    values = [
        worth(problem, choice)
        for choice in (np.array(pick, dtype=np.int64) for pick in itertools.product(*options))
        if keeps(problem, choice)
    ]
    return max(values, default=None)
