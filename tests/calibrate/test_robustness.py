"""Screening: what is moved, what a move does, and that it is Morris's method."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from SALib.analyze import morris

from vigilance import reference, rules
from vigilance.calibrate.robustness import _effects, _sample, evaluations, screening
from vigilance.calibrate.stress import Stress, Stressed, names, stressed
from vigilance.calibrate.worlds import mix
from vigilance.errors import UsageError
from vigilance.scoring.model import Model, build

SOME = (
    "method.size_exponent",
    "method.country_slope.forced_labour",
    "method.site_check_weight.forced_labour",
    "factors.seasonal.ratio.forced_labour",
    "tables.activity_profile.size",
)


def test_every_number_with_a_range_is_moved(judgements: rules.Judgements) -> None:
    found = names(judgements)
    assert len(found) == len(set(found)) > 180
    for path in found:
        if not path.startswith("tables."):
            assert judgements.get(path).low < judgements.get(path).high
    assert "method.combined_ratio_bound" not in found
    assert "tables.activity_profile.recruitment_fees" in found


def test_the_ends_and_the_middle_of_a_range(judgements: rules.Judgements) -> None:
    path = "factors.recruitment_fees.ratio.forced_labour"
    told = judgements.get(path)
    for place, expected in ((0.0, told.low), (0.5, told.value), (1.0, told.high)):
        assert stressed(judgements, [path], np.array([place])).value(path) == pytest.approx(expected)


def test_columns_of_the_profiles_move_within_their_ranges(judgements: rules.Judgements) -> None:
    plain = judgements.table("activity_profile")
    column = "tables.activity_profile.seasonal"
    for place, end in ((0.0, "low"), (0.5, "value"), (1.0, "high")):
        moved = stressed(judgements, [column], np.array([place])).table("activity_profile")
        mine = plain["parameter"] == "seasonal"
        assert moved.filter(mine)["value"].to_numpy() == pytest.approx(plain.filter(mine)[end].to_numpy())
        assert moved.filter(~mine).equals(plain.filter(~mine))


def test_the_middle_is_the_shipped_model(facts: reference.Facts, judgements: rules.Judgements, model: Model) -> None:
    paths = names(judgements)
    same = build(facts, stressed(judgements, paths, np.full(len(paths), 0.5)))
    for hazard, mine in model.hazards.items():
        assert same.hazards[hazard].country.ln == pytest.approx(mine.country.ln)
        assert same.hazards[hazard].tier.ln == pytest.approx(mine.tier.ln)
    assert Stressed(judgements, {}, {}).table("upstream").equals(judgements.table("upstream"))


def test_what_matters_comes_first_and_what_ranks_never_read_does_nothing(
    facts: reference.Facts, judgements: rules.Judgements, model: Model
) -> None:
    found = screening(Stress(facts, judgements, mix(model, 150), {}), trajectories=2, paths=SOME)
    effects = dict(found.effects.select("path", "effect").iter_rows())
    assert effects["method.site_check_weight.forced_labour"] == 0
    assert effects["method.size_exponent"] > effects["factors.seasonal.ratio.forced_labour"] > 0
    assert found.effects["effect"].is_sorted(descending=True)
    assert found.draws.height == 2 * (len(SOME) + 1) == evaluations(len(SOME), 2) - 1
    assert (found.draws["rank_correlation"] > 0.7).all()


def test_effects_are_those_of_salib() -> None:
    """On a made-up ranking score, the mean absolute elementary effect of one site is the μ* of SALib."""
    paths = ["a", "b", "c"]
    points = _sample(paths, 6, seed=3)
    ranks = np.stack([points @ np.array([0.2, -0.5, 0.0])], axis=1)
    problem = {"num_vars": 3, "names": paths, "bounds": [[0.0, 1.0]] * 3}
    theirs = morris.analyze(problem, points, ranks[:, 0], num_levels=4, seed=1)
    step = 2 / 3
    ours = dict(_effects(points, ranks, paths, 6).select("path", "effect").iter_rows())
    for name, value in zip(paths, theirs["mu_star"], strict=True):
        assert ours[name] / step == pytest.approx(value, abs=1e-6)


def test_without_salib_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, facts: reference.Facts, judgements: rules.Judgements, model: Model
) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample", None)
    with pytest.raises(UsageError, match="pip install SALib"):
        screening(Stress(facts, judgements, mix(model, 20), {}), trajectories=2, paths=SOME)


@pytest.mark.slow
def test_processes_do_not_change_the_result(facts: reference.Facts, judgements: rules.Judgements, model: Model) -> None:
    sites = mix(model, 80)
    one, two = (screening(Stress(facts, judgements, sites, {}, n), trajectories=2, paths=SOME) for n in (1, 2))
    assert one.effects.equals(two.effects)
