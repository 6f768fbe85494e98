"""A blank never narrows an interval, over thousands of sites at once, and is worth no more than it leaves open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from tests.conftest import sites

from vigilance import engines
from vigilance.scoring.activities import centred
from vigilance.scoring.cells import Places, cell_lines
from vigilance.scoring.model import Model
from vigilance.scoring.site_numbers import migrants, over_unknown_migrants, size
from vigilance.scoring.uncertainty import held, of_chance, of_unknown_size, over_unknown_activity
from vigilance.terms import ABSENT, FACTORS, HAZARDS, PRESENT, UNKNOWN, Hazard

COUNT = 4000
BLANK = {"_division": "00", "_tier": 0, "_workers": None, "_migrant_share": None, "_zone": ""}
ROUNDING = 1e-5
"""Probabilities are printed to some digits."""


def anything(model: Model, seed: int) -> pl.DataFrame:
    """Sites of every country and activity, with every kind of answer, extremes included."""
    rng = np.random.default_rng(seed)
    workers = np.where(rng.random(COUNT) < 0.2, np.nan, np.ceil(np.exp(rng.uniform(0, 12.5, COUNT))))
    shares = np.where(rng.random(COUNT) < 0.2, np.nan, rng.choice([0.0, 1.0, rng.random()], COUNT))
    rows = sites({"id": f"S{number}"} for number in range(COUNT))
    countries = [*model.grid.countries.tolist(), *["CHN"] * 40, *["TKM"] * 10, *["QAT"] * 10]
    return rows.with_columns(
        _iso3=pl.Series(rng.choice(countries, COUNT)),
        _division=pl.Series(rng.choice(model.grid.divisions, COUNT)),
        _tier=pl.Series(rng.integers(0, 5, COUNT).astype(np.int8)),
        _workers=pl.Series(workers, nan_to_null=True),
        _migrant_share=pl.Series(shares, nan_to_null=True),
        _factors=pl.Series(rng.integers(0, 3 ** len(FACTORS), COUNT).astype(np.int32)),
        _zone=pl.Series(rng.choice(["", *model.zones.tolist()[:3], *model.programmes.zones], COUNT)),
    )


def widths(model: Model, typed: pl.DataFrame, hazard: Hazard) -> NDArray[np.float64]:
    """From P05 to P50 on the complementary log-log, where presence is normal."""
    scored = pl.concat(list(engines.polars(typed.lazy(), model, None)))
    low, middle = (np.log(-np.log1p(-scored[f"{hazard}_{name}"].to_numpy())) for name in ("p05", "p50"))
    found: NDArray[np.float64] = middle - low
    return np.where(scored[f"{hazard}_p05"].to_numpy() > 1e-6, found, np.nan)


@pytest.mark.parametrize("seed", [1, 2])
def test_blanking_any_field_of_any_site_never_narrows_its_interval(model: Model, seed: int) -> None:
    stated = anything(model, seed)
    powers = [3**place for place in range(len(FACTORS))]
    code = pl.col("_factors")
    blanked = {
        name: stated.with_columns(pl.lit(blank).alias(name).cast(stated[name].dtype)) for name, blank in BLANK.items()
    }
    blanked |= {
        name: stated.with_columns(_factors=code + (UNKNOWN - code // power % 3) * power)
        for name, power in zip(FACTORS, powers, strict=True)
    }
    for hazard in HAZARDS:
        known = widths(model, stated, hazard)
        assert np.isfinite(known).mean() > 0.9
        for name, typed in blanked.items():
            narrowed = known - widths(model, typed, hazard)
            assert np.nanmax(narrowed) < ROUNDING, (hazard, name, stated[int(np.nanargmax(narrowed))].to_dicts())


def test_an_unknown_activity_is_not_the_sum_of_all_that_is_widest(model: Model) -> None:
    """What it adds is its own, or just what some activity would have more: not the widest of every term besides."""
    for hazard, mine in model.hazards.items():
        own = model.judgements.sd_ln(f"method.base_unknown_activity.{hazard}") ** 2
        spread = (
            np.ptp(model.activities.factors[hazard].var, axis=0).max(axis=1).sum() + np.ptp(mine.tier.var, axis=0).max()
        )
        assert (mine.unknown_activity >= own).all()
        assert (mine.unknown_activity < own + spread).all()


def test_the_cells_of_an_unknown_activity_add_what_its_country_needs(model: Model) -> None:
    count = len(model.grid.countries)
    at = Places(np.arange(count), np.zeros(count, np.intp), np.zeros(count, np.intp), np.full(count, "", "U8"))
    for hazard, mine in model.hazards.items():
        needed = replace(mine, unknown_activity=mine.unknown_activity + 1.0)
        wider = replace(model, hazards={**model.hazards, hazard: needed})
        gain = cell_lines(wider, hazard, at)["activity"].var - cell_lines(model, hazard, at)["activity"].var
        assert gain == pytest.approx(np.ones(count))


def test_the_variance_of_a_chance_is_that_of_draws() -> None:
    """Between the answers and within them, by drawing answers and ratios."""
    rng = np.random.default_rng(3)
    q, ln_ratio, present, absent = 0.3, np.log(2.5), 0.09, 0.01
    there = rng.random(400_000) < q
    drawn = np.where(there, ln_ratio + 0.3 * rng.standard_normal(len(there)), 0.1 * rng.standard_normal(len(there)))
    told = of_chance(np.array(q), ln_ratio, np.array(present), np.array(absent))
    assert told == pytest.approx(drawn.var(), rel=0.01)
    assert of_chance(np.array(1.0), ln_ratio, np.array(present), np.array(absent)) == present
    assert of_chance(np.array(0.0), ln_ratio, np.array(present), np.array(absent)) == absent


def test_answers_to_a_question_are_held_at_the_blank_and_public_lists_are_not() -> None:
    rare = np.array([0.02])
    asked, listed = (centred(rare, 2.0, 0.4, 0.3, asked=asked).var[0] for asked in (True, False))
    assert asked[PRESENT] == asked[UNKNOWN] == listed[UNKNOWN]
    assert listed[PRESENT] > listed[UNKNOWN] > listed[ABSENT] == asked[ABSENT]
    common = centred(np.array([0.5]), 2.0, 0.4, 0.3).var[0]
    assert common[UNKNOWN] > common[PRESENT] == pytest.approx((0.5 / 1.5 * 0.4) ** 2)


def test_a_better_proven_absence_leaves_less_open() -> None:
    var = [centred(np.array([0.3]), 2.0, 0.3, proof).var[0, ABSENT] for proof in (0.0, 0.3, 0.6, 1.0)]
    assert var == sorted(var, reverse=True)
    assert var[0] == centred(np.array([0.3]), 2.0, 0.3, 0.0).var[0, UNKNOWN]


def test_an_unknown_size_is_the_size_and_the_exponent_where_sites_are(model: Model) -> None:
    rng = np.random.default_rng(4)
    ln_n = 5.0 + 0.9 * rng.standard_normal(400_000)
    gamma = 0.33 + 0.1 * rng.standard_normal(len(ln_n))
    told = of_unknown_size(np.array((0.33 * 0.9) ** 2), 0.1, np.array(5.0), np.array(5.0), np.array(0.9))
    assert told == pytest.approx((gamma * ln_n).var(), rel=0.01)
    usual = size(model.judgements, model.activities)
    largest = (model.judgements.get("method.size_exponent").sd * np.log(model.activities.size[:, 2])) ** 2
    assert (usual.var >= largest).all()


def test_what_an_activity_may_have_over_the_unknown_one() -> None:
    by_state = np.array([[1.0, 2.0], [0.5, 2.5], [3.0, 0.0]])
    by_cell = np.array([[0.0, 1.0, 0.0], [0.2, 0.1, 0.1]])
    assert over_unknown_activity([by_state], [by_cell]).tolist() == [2.0, 2.0]
    assert over_unknown_activity([by_state, by_state], []).tolist() == [4.0]
    assert held(np.array([1.0, 3.0]), np.array([2.0, 2.0])).tolist() == [1.0, 2.0]


def test_no_share_of_migrants_gains_more_than_the_bound_says(model: Model) -> None:
    term = migrants(HAZARDS[0], model.judgements, model.activities)
    assert term is not None
    bound = over_unknown_migrants(term)[:, 0]
    m = np.linspace(0, 1, 401)
    slope = term.coefficient * m / (1 + term.coefficient * m)
    usual = 1 - np.exp(-term.average)
    own = np.minimum(((slope - usual[:, None]) * term.sd) ** 2, term.unknown_var[:, None])
    assert ((own - own[0]).max(axis=1) <= bound + 1e-12).all()
    assert (term.unknown_var - term.unknown_var[0] <= bound + 1e-12).all()
