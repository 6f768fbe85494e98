"""Coverage of the intervals: counted right, and where it stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from vigilance.calibrate import decomposition, groups
from vigilance.calibrate.coverage import BAR, Coverage, coverage
from vigilance.calibrate.recomputed import SLOPE, design, line_values, link, parameters, presence
from vigilance.calibrate.worlds import STATED, drawn_parameters, drawn_truth, mix
from vigilance.scoring.model import Model
from vigilance.terms import ABSENT, FACTORS, HAZARDS, PRESENT, UNKNOWN


@pytest.fixture(scope="module")
def counted(model: Model) -> Coverage:
    return coverage(model, draws=250, count=500)


NARROWEST, WIDEST = 0.86, 0.945
"""For groups of sites: they are a few dozen in these tests."""


def test_the_counts_add_up_and_no_group_is_far_from_the_bar(counted: Coverage) -> None:
    for row in counted.groups.filter(counted.groups["sites"] >= 25).iter_rows(named=True):
        assert row["coverage"] == pytest.approx(1 - row["below"] - row["above"], abs=1e-5)
        assert NARROWEST < row["coverage"] < WIDEST, row
    everywhere = counted.groups.filter(counted.groups["group"] == "all")
    regions = counted.groups.filter(counted.groups["kind"] == groups.REGION)
    assert everywhere["sites"].sum() == regions["sites"].sum()


def test_both_hazards_are_inside_the_bar(counted: Coverage) -> None:
    """A few hundred draws of a few hundred sites: the standard error is half a point."""
    for row in counted.groups.filter(counted.groups["group"] == "all").iter_rows(named=True):
        assert BAR[0] <= row["coverage"] <= BAR[1]


def test_the_normal_shape_is_not_at_fault(counted: Coverage) -> None:
    nominal = counted.reasons.filter(counted.reasons["interval"] == "drawn_variance_and_mean")
    assert nominal.height == len(HAZARDS)
    for row in nominal.iter_rows(named=True):
        assert row["coverage"] == pytest.approx(0.9, abs=0.012)


def test_no_line_claims_much_more_than_there_is(counted: Coverage) -> None:
    """Of a factor that was left open, the variance claimed is the one drawn; of an answer, at most that."""
    assert counted.lines.height > 25
    for row in counted.lines.iter_rows(named=True):
        if row["line"] in FACTORS and row["blank_sites"] > 100:
            assert row["blank_claimed"] == pytest.approx(row["blank_drawn"], rel=0.25, abs=0.002), row
            assert row["stated_claimed"] < row["stated_drawn"] * 1.2, row
    size = counted.lines.filter(counted.lines["line"] == "size")
    assert (size["blank_claimed"] > size["stated_claimed"]).all()


def test_the_lines_of_a_world_add_up_to_its_link(model: Model) -> None:
    sites = mix(model, 300)
    for hazard in HAZARDS:
        of, numbers = design(model, sites, hazard), parameters(model.judgements, hazard)
        truth = drawn_truth(of, 0.5, np.random.default_rng(4))
        free = replace(of, bound=1e6, list_bound=1e6, ceiling=1e6)
        total = sum(line_values(of, numbers, truth).values())
        assert np.asarray(total) == pytest.approx(link(free, numbers, truth).ln_m, abs=1e-5)
        told = decomposition.claimed(model, sites).filter(pl.col("hazard") == str(hazard))
        assert set(line_values(of, numbers, truth)) <= set(told["factor"])


def test_every_number_is_drawn_from_its_range(model: Model) -> None:
    """5 % and 95 % of the draws are the low and the high of each range, ratios and slopes alike."""
    rng = np.random.default_rng(5)
    for hazard in HAZARDS:
        numbers = parameters(model.judgements, hazard)
        drawn = np.stack([drawn_parameters(numbers, rng).ln for _draw in range(4000)])
        for path in (f"{SLOPE}.{hazard}", f"factors.isolated.ratio.{hazard}"):
            told = model.judgements.get(path)
            found = np.exp(np.quantile(drawn[:, numbers.at(path)], [0.05, 0.5, 0.95]))
            assert found == pytest.approx([told.low, told.value, told.high], rel=0.12), path


def test_a_zone_left_open_is_as_likely_as_its_share(model: Model) -> None:
    sites = mix(model, 200).with_columns(_iso3=pl.lit("CHN"))
    of = design(model, sites, HAZARDS[0])
    open_to_it = of.stated.state[:, -1] == UNKNOWN
    assert open_to_it.mean() > 0.5
    assert of.chance[open_to_it, -1] == pytest.approx(model.zone_prevalence)
    assert (of.prevalence[open_to_it, -1] < model.zone_prevalence).all()
    assert (of.chance[:, :-1] == of.prevalence[:, :-1]).all()


def test_without_uncertainty_the_draw_is_what_was_stated(model: Model) -> None:
    hazard = HAZARDS[0]
    numbers = parameters(model.judgements, hazard)
    still = replace(numbers, sd=np.zeros(len(numbers.sd)), exponent_sd=0.0, slope_sd=0.0)
    assert drawn_parameters(still, np.random.default_rng(0)).ln == pytest.approx(numbers.ln, abs=1e-14)


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


@pytest.mark.slow
@pytest.mark.parametrize("seed", [90, 1])
def test_coverage_of_the_default_mix(model: Model, seed: int) -> None:
    """Both hazards inside the bar; every group of some size within a point of it."""
    found = coverage(model, seed=seed).groups
    for row in found.iter_rows(named=True):
        slack = 0.0 if row["group"] == "all" else 0.01
        if row["sites"] >= 100:
            assert BAR[0] - slack <= row["coverage"] <= BAR[1] + slack, row


def test_a_list_can_state_everything(model: Model) -> None:
    of = design(model, mix(model, 50, known=STATED), HAZARDS[0])
    assert of.size_known.all()
    assert (of.stated.tier > 0).all()
    assert np.isfinite(of.stated.migrants).all()
    assert (of.stated.state[:, :8] != UNKNOWN).all()


def test_draws_of_one_seed_are_the_same(model: Model) -> None:
    one, two = (coverage(model, draws=20, count=40).groups for _again in range(2))
    assert one.equals(two)


def test_presence_is_a_probability(model: Model) -> None:
    of, numbers = design(model, mix(model, 100), HAZARDS[0]), parameters(model.judgements, HAZARDS[0])
    p = presence(link(of, numbers, of.stated).ln_m)
    assert ((p > 0) & (p < 1)).all()
