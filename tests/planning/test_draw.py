"""The draw: every site has the probability that is recorded, and the cost is bounded before drawing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.planning.draw import draw


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    cost=st.lists(st.integers(1, 30), min_size=1, max_size=60),
    share=st.floats(0.01, 0.5),
)
def test_never_above_the_most(seed: int, cost: list[int], share: float) -> None:
    costs = np.array(cost, dtype=float)
    most = float(costs.sum() * share)
    drawn = draw(costs, np.ones(costs.size, dtype=bool), 0.75 * most, most, seed)
    assert costs[drawn.sites].sum() <= most
    assert np.unique(drawn.sites).size == drawn.sites.size
    if drawn.sites.size:
        assert drawn.probability == drawn.sites.size / drawn.frame.sum()


def test_each_site_is_drawn_as_often_as_recorded() -> None:
    rng = np.random.default_rng(0)
    costs = rng.integers(4, 24, 50).astype(float)
    eligible = rng.random(50) < 0.8
    counts, draws, probability = np.zeros(50), 4000, 0.0
    for seed in range(draws):
        drawn = draw(costs, eligible, 100.0, 140.0, seed)
        counts[drawn.sites] += 1
        probability = drawn.probability
    assert counts[~eligible].sum() == 0
    spread = np.sqrt(probability * (1 - probability) / draws)
    assert np.abs(counts[eligible] / draws - probability).max() < 5 * spread


def test_dear_sites_outside_the_frame_are_said() -> None:
    drawn = draw(np.array([2.0, 2.0, 50.0, 50.0]), np.ones(4, dtype=bool), 3.0, 4.0, 1)
    assert drawn.frame_share == 0.5
    assert set(drawn.sites) <= {0, 1}


def test_nothing_is_drawn_when_nothing_fits() -> None:
    assert draw(np.array([8.0]), np.ones(1, dtype=bool), 3.0, 4.0, 1).sites.size == 0
