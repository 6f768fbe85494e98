"""The solver equals brute force where brute force can go, and proves its gap where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.planning import solve
from vigilance.planning.dual import Oracle, lowest
from vigilance.planning.problem import keeps, worth

from . import brute
from .problems import random_problem


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sites=st.integers(1, 5),
    actions=st.integers(1, 3),
    limits=st.integers(0, 3),
    share=st.floats(0.05, 1.2),
)
def test_equal_to_brute_force(seed: int, sites: int, actions: int, limits: int, share: float) -> None:
    problem = random_problem(seed, sites, actions, limits, share)
    truth = brute.best(problem)
    found = solve.best(problem)
    if truth is None:
        assert found is None
        return
    assert found is not None
    assert keeps(problem, found.choice)
    assert worth(problem, found.choice) == truth
    assert found.gap <= 1e-6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), sites=st.integers(2, 5), limits=st.integers(0, 2))
def test_decomposition_equals_brute_force(seed: int, sites: int, limits: int) -> None:
    """The path for large problems, on small ones: fixing by prices never loses the best plan."""
    problem = random_problem(seed, sites, 3, limits)
    truth = brute.best(problem)
    oracle = Oracle(problem)
    answer, answers = lowest(oracle)
    found = solve._large(problem, oracle, answer, answers)
    assert (found is None) == (truth is None)
    if found is not None:
        assert found.value == truth
        assert answer.bound >= truth - 1e-6 * abs(truth)


@pytest.mark.parametrize("limits", [0, 4])
def test_middling_problem_is_within_a_thousandth(limits: int) -> None:
    problem = random_problem(5, 5_000, 4, limits, budget_share=0.05)
    found = solve.best(problem)
    assert found is not None
    assert keeps(problem, found.choice)
    assert found.gap <= 1e-3
    assert found.value <= found.bound
    again = solve.best(problem)
    assert again is not None
    assert np.array_equal(found.choice, again.choice)
