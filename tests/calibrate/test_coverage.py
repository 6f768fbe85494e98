"""Coverage of the intervals: counted right, and where it stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vigilance.calibrate import lighter
from vigilance.calibrate.coverage import BAR, Coverage, coverage, drawn_parameters, drawn_truth, mix
from vigilance.calibrate.recomputed import design, link, parameters, presence
from vigilance.scoring.model import Model
from vigilance.terms import ABSENT, HAZARDS, PRESENT


@pytest.fixture(scope="module")
def counted(model: Model) -> Coverage:
    return coverage(model, draws=250, count=500)


def test_intervals_are_never_too_narrow(counted: Coverage) -> None:
    for row in counted.groups.filter(counted.groups["group"] == "all").iter_rows(named=True):
        assert row["coverage"] >= BAR[0]
        assert row["coverage"] == pytest.approx(1 - row["below"] - row["above"], abs=1e-5)
        assert row["coverage"] < 0.97


def test_the_normal_shape_is_not_at_fault(counted: Coverage) -> None:
    nominal = counted.reasons.filter(counted.reasons["interval"] == "drawn_variance_and_mean")
    assert nominal.height == len(HAZARDS)
    for row in nominal.iter_rows(named=True):
        assert row["coverage"] == pytest.approx(0.9, abs=0.012)


def test_claimed_variances_are_above_those_drawn_and_the_proposal_is_between(counted: Coverage) -> None:
    for hazard in map(str, HAZARDS):
        mine = {r["interval"]: r for r in counted.reasons.iter_rows(named=True) if r["hazard"] == hazard}
        assert mine["closed_form"]["variance"] > mine["lighter_unknowns"]["variance"] > mine["closed_form"]["drawn"]
        assert mine["closed_form"]["coverage"] > mine["lighter_unknowns"]["coverage"] > 0.9


def test_without_uncertainty_the_draw_is_what_was_stated(model: Model) -> None:
    hazard = HAZARDS[0]
    numbers = parameters(model.judgements, hazard)
    still = replace(numbers, sd=np.zeros(len(numbers.sd)), exponent_sd=0.0)
    assert (drawn_parameters(still, np.random.default_rng(0)).ln == numbers.ln).all()


def test_a_draw_leaves_nothing_unknown_and_keeps_what_is_stated(model: Model) -> None:
    of = design(model, mix(model, 400), HAZARDS[0])
    truth = drawn_truth(of, 0.5, np.random.default_rng(1))
    assert set(np.unique(truth.state)) <= {ABSENT, PRESENT}
    assert (truth.tier > 0).all()
    assert np.isfinite(truth.migrants).all()
    assert (truth.state[of.stated.state == PRESENT] == PRESENT).all()
    assert (truth.ln_workers[of.size_known] == of.stated.ln_workers[of.size_known]).all()
    # A declared absence is proven to .3 only, so some of it is not true.
    assert (truth.state[of.stated.state == ABSENT] == PRESENT).any()


def test_unknown_answers_are_true_as_often_as_in_their_activity(model: Model) -> None:
    of = design(model, mix(model, 4000), HAZARDS[0])
    unknown = of.stated.state == 2
    truth = drawn_truth(of, 0.5, np.random.default_rng(2))
    for column in range(8):
        mine = unknown[:, column]
        assert (truth.state[mine, column] == PRESENT).mean() == pytest.approx(
            of.prevalence[mine, column].mean(), abs=0.03
        )


def test_the_proposal_saves_only_at_blanks_and_never_below_an_answer(model: Model) -> None:
    sites = mix(model, 600)
    for hazard in HAZARDS:
        of, numbers = design(model, sites, hazard), parameters(model.judgements, hazard)
        saved = lighter.saved(model, of, numbers)
        # Where a factor is the rule, its absence is the surprise, and the truth varies more than the engine says.
        assert saved.min() > -0.03
        assert saved.mean() > 0.03
        full = of.size_known & np.isfinite(of.stated.migrants) & (of.stated.state[:, :8] != 2).all(axis=1)
        assert saved[full] == pytest.approx(0.0)
        assert saved.max() > 0.05


@pytest.mark.slow
def test_coverage_of_the_default_mix(model: Model) -> None:
    found = coverage(model)
    for row in found.groups.filter(found.groups["group"] == "all").iter_rows(named=True):
        assert 0.88 <= row["coverage"] <= 0.96


def test_draws_of_one_seed_are_the_same(model: Model) -> None:
    one, two = (coverage(model, draws=20, count=40).groups for _again in range(2))
    assert one.equals(two)


def test_presence_is_a_probability(model: Model) -> None:
    of, numbers = design(model, mix(model, 100), HAZARDS[0]), parameters(model.judgements, HAZARDS[0])
    p = presence(link(of, numbers, of.stated).ln_m)
    assert ((p > 0) & (p < 1)).all()
