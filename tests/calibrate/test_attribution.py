"""Sobol's indices on ranks: SALib's for one site, generalised for many; what is known to matter, and what is not."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from SALib.analyze import sobol

from vigilance import reference, rules
from vigilance.calibrate.attribution import OTHERS, _table, attribution, evaluations, indices, sample
from vigilance.calibrate.stress import Stress
from vigilance.calibrate.worlds import mix
from vigilance.errors import UsageError
from vigilance.scoring.model import Model

LEADING = ["method.size_exponent", "tables.activity_profile.size", "method.site_check_weight.forced_labour"]
NAMES = ["a", "b", "c"]
WHOLE = np.full((1, 64), 1 / 64)


def worlds(of: np.ndarray, groups: list[str], rows: int) -> np.ndarray:
    """Outputs (points × sites) in the shape that the estimators take."""
    return of.reshape(rows, len(dict.fromkeys(groups)) + 2, -1)


def test_the_estimators_of_one_site_are_those_of_salib() -> None:
    points = sample(NAMES, NAMES, 64, seed=3)
    made = points @ np.array([0.4, 0.2, 0.0]) + points[:, 0] * points[:, 1]
    problem = {"num_vars": 3, "names": NAMES, "bounds": [[0.0, 1.0]] * 3}
    theirs = sobol.analyze(problem, made, calc_second_order=False, seed=1)
    total, first = indices(worlds(made, NAMES, 64), WHOLE)
    assert total[0] == pytest.approx(theirs["ST"], abs=1e-9)
    assert first[0] == pytest.approx(theirs["S1"], abs=1e-9)


def test_groups_move_together_and_indices_are_those_of_a_sum() -> None:
    """For a sum of independent terms a total index is the term's share of the variance: 16, 4, and 4 + 1 for two."""
    names, groups = ["a", "b", "c", "d"], ["a", "b", "rest", "rest"]
    points = sample(names, groups, 512, seed=5)
    total, first = indices(worlds(points @ np.array([4.0, 2.0, 2.0, 1.0]), groups, 512), np.full((1, 512), 1 / 512))
    assert total[0] == pytest.approx(np.array([16, 4, 5]) / 25, abs=0.02)
    assert first[0] == pytest.approx(np.array([16, 4, 5]) / 25, abs=0.04)


def test_sites_are_weighed_by_how_much_they_move() -> None:
    """One site moves ten times as much as the other: its index counts a hundredfold."""
    points = sample(NAMES, NAMES, 256, seed=6)
    made = np.column_stack([10 * points[:, 0], points[:, 1]])
    total, _first = indices(worlds(made, NAMES, 256), np.full((1, 256), 1 / 256))
    assert total[0] == pytest.approx([100 / 101, 1 / 101, 0.0], abs=0.02)


def test_intervals_hold_the_estimate_and_narrow_with_the_sample() -> None:
    wide = {}
    for rows in (16, 256):
        points = sample(NAMES, NAMES, rows, seed=7)
        ranks = np.argsort(np.argsort(points @ np.array([[3.0, 1.0, 2.0], [1.0, 0.5, 0.0], [0.0, 0.1, 0.0]]), axis=1))
        table = _table(NAMES, worlds(ranks / 2.0, NAMES, rows), seed=1)
        assert ((table["total_low"] <= table["total"]) & (table["total"] <= table["total_high"])).all()
        wide[rows] = (table["total_high"] - table["total_low"]).mean()
    assert wide[256] < wide[16] / 2


def test_what_ranks_never_read_has_no_share(facts: reference.Facts, judgements: rules.Judgements, model: Model) -> None:
    told = []
    stress = Stress(facts, judgements, mix(model, 120), {}, told=lambda: told.append(1))
    found = attribution(stress, LEADING, samples=8)
    rows = {row["path"]: row for row in found.indices.iter_rows(named=True)}
    assert rows["method.site_check_weight.forced_labour"]["total"] == 0
    assert rows["tables.activity_profile.size"]["total"] > 0.05
    assert rows[OTHERS]["total"] > 0.1
    assert found.indices["path"].to_list()[-1] == OTHERS
    assert len(told) == evaluations(len(LEADING) + 1, 8) == 49
    assert found.draws.height == 2 * 8
    assert found.judgements > 180


def test_samples_are_a_power_of_two_and_salib_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, facts: reference.Facts, judgements: rules.Judgements, model: Model
) -> None:
    stress = Stress(facts, judgements, mix(model, 10), {})
    with pytest.raises(UsageError, match="power of two"):
        attribution(stress, LEADING, samples=12)
    monkeypatch.setitem(sys.modules, "SALib.sample", None)
    with pytest.raises(UsageError, match="SALib"):
        attribution(stress, LEADING, samples=8)


@pytest.mark.slow
def test_processes_do_not_change_the_indices(
    facts: reference.Facts, judgements: rules.Judgements, model: Model
) -> None:
    sites = mix(model, 40)
    one, two = (attribution(Stress(facts, judgements, sites, {}, n), LEADING, samples=4).indices for n in (1, 2))
    assert one.equals(two)
