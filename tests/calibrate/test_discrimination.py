"""AUC, average precision and lift against scikit-learn and by hand; resampling by country."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from vigilance.calibrate.discrimination import interval, pooled, resampled, statistics


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_weighted_statistics_agree_with_scikit_learn(data: st.DataObject) -> None:
    n = data.draw(st.integers(4, 60))
    # Few levels, so that there are ties.
    scores = np.array(data.draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)), dtype=float)
    added = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
    added[0], added[1], weight[0], weight[1] = True, False, 1.0, 1.0
    found = statistics(scores, added, weight[None, :])
    assert found.auc[0] == pytest.approx(roc_auc_score(added, scores, sample_weight=weight))
    assert found.average_precision[0] == pytest.approx(average_precision_score(added, scores, sample_weight=weight))


def test_lift_by_hand() -> None:
    # 100 cells; both additions are among the first five, so that 5 % of the cells hold all of them: lift 1/.05 = 20.
    scores = np.arange(100.0)[::-1]
    added = np.zeros(100, dtype=bool)
    added[[1, 4]] = True
    found = statistics(scores, added, np.ones((1, 100)))
    assert found.lift[0.05][0] == pytest.approx(20.0)
    assert found.lift[0.1][0] == pytest.approx(10.0)
    assert found.lift[0.01][0] == pytest.approx(0.0)


def test_a_score_that_says_nothing_has_half_and_no_lift() -> None:
    added = np.arange(50) % 7 == 0
    found = statistics(np.zeros(50), added, np.ones((1, 50)))
    assert found.auc[0] == pytest.approx(0.5)
    assert all(lift[0] == pytest.approx(1.0) for lift in found.lift.values())


def test_without_additions_nothing_is_said() -> None:
    found = statistics(np.arange(5.0), np.zeros(5, dtype=bool), np.ones((1, 5)))
    assert np.isnan(found.auc[0])


def test_resampling_keeps_the_sample_first_and_the_number_of_countries() -> None:
    weights = resampled(30, 20, seed=1)
    assert weights.shape == (21, 30)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 30).all()
    assert (resampled(30, 20, seed=1) == weights).all()


def test_the_interval_holds_the_value_and_widens_with_fewer_countries() -> None:
    rng = np.random.default_rng(0)
    country = np.repeat(np.arange(40), 10)
    added = rng.random(400) < 0.1
    scores = added + rng.normal(0, 1, 400)
    widths = []
    for few in (10, 40):
        mine = country < few
        found = statistics(scores[mine], added[mine], resampled(few, 300, 3)[:, country[mine]])
        low, high = interval(found.auc)
        assert low < found.auc[0] < high
        widths.append(high - low)
    assert widths[0] > widths[1]


def test_pooling_weighs_by_additions_and_leaves_out_what_is_unknown() -> None:
    draws = [np.array([0.9, np.nan]), np.array([0.6, 0.5])]
    assert pooled(draws, [1, 2]) == pytest.approx([(0.9 + 1.2) / 3, 0.5])
