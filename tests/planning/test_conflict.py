"""Limits that cannot hold together are named, the fewest of them, with the days that are missing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.planning import conflict
from vigilance.planning.problem import Limit, Problem

from . import brute
from .problems import random_problem


def flat(sites: int, days: float, budget: float, *limits: Limit) -> Problem:
    """Sites alike, one action each, no travel."""
    return Problem(
        value=np.full((1, sites), 10.0),
        days=np.full((1, sites), days),
        on_trip=np.array([False]),
        trip=np.zeros(sites, dtype=np.int64),
        travel=np.zeros(1),
        budget=budget,
        limits=limits,
    )


def some(sites: int, upto: int) -> np.ndarray:
    return np.arange(sites) < upto


def test_two_minima_above_the_budget_are_named_with_the_shortfall() -> None:
    first, second = some(20, 10), ~some(20, 10)
    problem = flat(
        20,
        4.0,
        40.0,
        Limit("loose", some(20, 20), 100.0),
        Limit("first", first, 24.0, at_least=True),
        Limit("second", second, 28.0, at_least=True),
    )
    found = conflict.smallest(problem)
    assert found is not None
    assert found.members == (conflict.BUDGET, 1, 2)
    assert found.short_by == 12.0


def test_a_minimum_that_no_site_can_meet_stands_alone() -> None:
    found = conflict.smallest(flat(5, 4.0, 100.0, Limit("few", some(5, 2), 20.0, at_least=True)))
    assert found == conflict.Conflict((0,), 12.0)


def test_large_problems_are_asked_by_days() -> None:
    half = some(2_000, 1_000)
    problem = flat(2_000, 4.0, 400.0, Limit("half", half, 300.0, at_least=True), Limit("cap", half, 200.0))
    found = conflict.smallest(problem)
    assert found == conflict.Conflict((0, 1), 100.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), sites=st.integers(1, 5), limits=st.integers(1, 3))
def test_a_conflict_is_found_exactly_when_no_plan_exists(seed: int, sites: int, limits: int) -> None:
    problem = random_problem(seed, sites, 2, limits)
    assert (conflict.smallest(problem) is None) == (brute.best(problem) is not None)
