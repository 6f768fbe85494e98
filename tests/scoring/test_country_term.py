"""What is shown of a country's line is what scores use: the ratio to its region, and the rate that follows from it."""

from __future__ import annotations

import math
from datetime import date

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance import reference, rules
from vigilance.scoring.country import country_index
from vigilance.scoring.country_term import country_rates, country_term
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, Hazard

FL = Hazard.FORCED_LABOUR


@pytest.fixture(scope="module")
def rates(facts: reference.Facts, judgements: rules.Judgements) -> pl.DataFrame:
    made: pl.DataFrame = country_rates(facts, judgements, country_index(facts, judgements)).to_native()
    return made


def test_ratio_and_rate_are_those_of_the_model(model: Model, rates: pl.DataFrame) -> None:
    assert rates["iso3"].to_list() == model.grid.countries.tolist()
    for hazard in HAZARDS:
        of = model.hazards[hazard]
        ratio, rate = (rates[f"{hazard}_{name}"].to_numpy() for name in ("ratio", "rate"))
        known = np.isfinite(ratio)
        assert 190 < known.sum() < len(known)
        assert ratio[known] == pytest.approx(np.exp(of.country.ln)[known], abs=1e-6)
        from_lines = 1000 * of.base.world * np.exp(of.base.region + of.country.ln)
        assert rate[known] == pytest.approx(from_lines[known], abs=1e-6)
        assert not np.isfinite(rate[~known]).any()


def test_the_world_by_hand(rates: pl.DataFrame) -> None:
    # ILO: 2.8, 9.0 and 3.9 per 1,000 in agriculture, industry and services, weighing .24, .26 and .50; Asia and the
    # Pacific has 3.5 per 1,000 people as the world has.
    world = 0.24 * 2.8 + 0.26 * 9.0 + 0.50 * 3.9
    one = rates.row(by_predicate=pl.col("iso3") == "IND", named=True)
    assert one["forced_labour_region_rate"] == pytest.approx(world, abs=1e-6)
    assert one["forced_labour_rate"] == pytest.approx(world * one["forced_labour_ratio"], abs=1e-5)


def test_ratios_of_a_region_average_to_one_over_its_people(
    facts: reference.Facts, judgements: rules.Judgements, rates: pl.DataFrame
) -> None:
    people = facts.table("population").select("iso3", "million")
    regions = facts.table("countries").select("iso3", "ilo_region")
    frame = rates.join(people, on="iso3").join(regions, on="iso3").drop_nulls("ilo_region")
    for hazard in HAZARDS:
        ratio, million = pl.col(f"{hazard}_ratio"), pl.col("million")
        known = frame.drop_nulls(f"{hazard}_ratio").group_by("ilo_region")
        means = known.agg((ratio * million).sum() / million.sum())[f"{hazard}_ratio"]
        assert means.len() == 5
        assert means.to_list() == pytest.approx([1.0] * 5, abs=1e-6)


@given(
    st.lists(
        st.tuples(st.sampled_from(["africa", "americas"]), st.floats(0, 1), st.floats(0.01, 1500)),
        min_size=1,
        max_size=12,
    )
)
def test_so_they_do_whatever_the_countries(
    judgements: rules.Judgements, countries: list[tuple[str, float, float]]
) -> None:
    regions, index, million = (list(column) for column in zip(*countries, strict=True))
    frame = pl.DataFrame({f"{FL}_index": index, f"{FL}_index_used": index, "million": million})
    frame = frame.with_columns(pl.lit(0.1).alias(f"{FL}_sd"), pl.lit(1.0).alias(f"{FL}_coverage"))
    named = np.array(regions, dtype="U24")
    ratio = np.exp(country_term(FL, judgements, nw.from_native(frame, eager_only=True), named).ln)
    for region in set(regions):
        mine = named == region
        assert np.average(ratio[mine], weights=np.array(million)[mine]) == pytest.approx(1.0)


def test_two_countries_by_hand(judgements: rules.Judgements) -> None:
    frame = pl.DataFrame({f"{FL}_index": [0.2, 0.6], f"{FL}_index_used": [0.2, 0.6], "million": [30.0, 10.0]})
    frame = frame.with_columns(pl.lit(0.1).alias(f"{FL}_sd"), pl.lit(1.0).alias(f"{FL}_coverage"))
    found = country_term(FL, judgements, nw.from_native(frame, eager_only=True), np.array(["africa", "africa"]))
    mean = (3 * math.exp(2.5 * 0.2) + math.exp(2.5 * 0.6)) / 4
    assert np.exp(found.ln) == pytest.approx([math.exp(0.5) / mean, math.exp(1.5) / mean])


def test_no_rate_before_an_estimate_was_published(judgements: rules.Judgements) -> None:
    facts = reference.load().in_force(date(2016, 2, 29))
    then = country_rates(facts, judgements, country_index(facts, judgements)).to_native()
    assert then["forced_labour_ratio"].is_not_null().any()
    assert then["forced_labour_rate"].is_null().all()


def test_a_country_without_a_region_stands_at_the_world(facts: reference.Facts, rates: pl.DataFrame) -> None:
    outside = facts.table("countries").filter(pl.col("ilo_region").is_null())["iso3"].to_list()
    assert "TWN" in outside
    taiwan = rates.row(by_predicate=pl.col("iso3") == "TWN", named=True)
    assert taiwan["forced_labour_region_rate"] == pytest.approx(4.962, abs=1e-6)
