"""The laws that every version keeps (docs/method.md), as properties over sites drawn at random."""

from __future__ import annotations

import math
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ON, sites

from vigilance import engines
from vigilance.scoring import explain
from vigilance.scoring.model import Model
from vigilance.terms import FACTORS, GRADES, HAZARDS

COUNTRIES = ["FRA", "NOR", "BGD", "CHN", "IND", "QAT", "MYS", "TKM", "PRK", "CIV", "USA", "BRA", "XKX", "ABW"]
DIVISIONS = ["00", "01", "03", "07", "13", "14", "22", "41", "47", "62", "97"]
ANSWER = st.sampled_from([True, False, None])
SITE = st.fixed_dictionaries(
    {
        "iso3": st.sampled_from(COUNTRIES),
        "division": st.sampled_from(DIVISIONS),
        "tier": st.integers(0, 4),
        "workers": st.one_of(st.none(), st.integers(1, 200_000)),
        "migrant_share": st.one_of(st.none(), st.floats(0, 1, width=32)),
        "zone": st.sampled_from(["", "CN-XJ", "CN-GD"]),
        **dict.fromkeys(FACTORS, ANSWER),
    }
)
PROPERTY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
QUANTILES = ("p05", "p50", "p80", "p95")


def link(p: float) -> float:
    """The complementary log-log of a probability, on which presence is normal."""
    return math.log(-math.log1p(-min(max(p, 1e-300), 1 - 1e-16)))


def width(row: dict[str, Any], hazard: str) -> float:
    """Width of the interval on the link scale."""
    return link(row[f"{hazard}_p95"]) - link(row[f"{hazard}_p05"])


@PROPERTY
@given(rows=st.lists(SITE, min_size=1, max_size=6))
def test_the_ratios_multiply_to_the_score(rows: list[dict[str, Any]], model: Model, score: Any) -> None:
    frame = sites(rows)
    lines = explain.ratios(nw.from_native(frame, eager_only=True), model, engines.look_up(frame, model)).to_native()
    for number, row in enumerate(score(rows)):
        for hazard in HAZARDS:
            steps = lines.filter((pl.col("supplier_id") == f"S{number}") & (pl.col("hazard") == str(hazard))).to_dicts()
            m = explain.product(steps, "rate") * explain.product(steps, "presence")
            assert row[f"{hazard}_p50"] == pytest.approx(-math.expm1(-m), abs=2e-10)
            assert all(step["source"] for step in steps)
            assert all(
                step["low"] <= step["ratio"] * (1 + 1e-12) and step["ratio"] <= step["high"] * (1 + 1e-12)
                for step in steps
            )


@PROPERTY
@given(rows=st.lists(SITE, min_size=2, max_size=8), seed=st.randoms(use_true_random=False))
def test_a_site_alone_equals_the_same_site_in_any_company(rows: list[dict[str, Any]], seed: Any, score: Any) -> None:
    named = [{**row, "id": f"N{number}"} for number, row in enumerate(rows)]
    shuffled = named[:]
    seed.shuffle(shuffled)
    drop = {"_row"}

    def said(found: list[dict[str, Any]], given_rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            site["id"]: {k: v for k, v in row.items() if k not in drop}
            for site, row in zip(given_rows, found, strict=True)
        }

    together = said(score(named), named)
    assert together == said(score(shuffled), shuffled)
    assert together["N0"] == said(score(named[:1]), named[:1])["N0"]


@PROPERTY
@given(site=SITE, factor=st.sampled_from(FACTORS))
def test_adding_a_risk_factor_never_lowers_the_risk(site: dict[str, Any], factor: str, score: Any) -> None:
    no, blank, yes = score([{**site, factor: False}, {**site, factor: None}, {**site, factor: True}])
    for hazard in HAZARDS:
        assert no[f"{hazard}_p50"] <= blank[f"{hazard}_p50"] <= yes[f"{hazard}_p50"]


@PROPERTY
@given(site=SITE, more=st.floats(0, 1, width=32))
def test_more_migrants_and_more_workers_never_lower_the_risk(site: dict[str, Any], more: float, score: Any) -> None:
    share, workers = site["migrant_share"] or 0.0, site["workers"] or 10
    a, b = score(
        [
            {**site, "migrant_share": share, "workers": workers},
            {**site, "migrant_share": max(share, more), "workers": workers * 2},
        ]
    )
    for hazard in HAZARDS:
        assert a[f"{hazard}_p50"] <= b[f"{hazard}_p50"]


FIELDS = ["division", "tier", "workers", "migrant_share", "zone", *FACTORS]
BLANK = {"division": "00", "tier": 0, "zone": ""}


@settings(PROPERTY, max_examples=120)
@given(site=SITE, field=st.sampled_from(FIELDS))
def test_a_blank_never_improves_the_grade_nor_narrows_the_interval(
    site: dict[str, Any], field: str, score: Any
) -> None:
    known, blank = score([site, {**site, field: BLANK.get(field)}])
    for hazard in HAZARDS:
        assert GRADES.index(blank[f"{hazard}_grade"]) >= GRADES.index(known[f"{hazard}_grade"])
        if known[f"{hazard}_p95"] < 1 - 1e-6 and blank[f"{hazard}_p95"] < 1 - 1e-6 and known[f"{hazard}_p05"] > 1e-6:
            assert width(blank, hazard) >= width(known, hazard) - 1e-3


@PROPERTY
@given(rows=st.lists(SITE, min_size=1, max_size=6))
def test_outputs_are_in_range_and_in_order(rows: list[dict[str, Any]], score: Any) -> None:
    for row in score(rows):
        for hazard in HAZARDS:
            low, mid, high, top = (row[f"{hazard}_{q}"] for q in QUANTILES)
            assert 0 <= low <= mid <= high <= top <= 1
            assert 0 < row[f"{hazard}_score"] <= 100
            assert 0 < row[f"{hazard}_priority"] <= 100
            assert row[f"{hazard}_expected_affected"] >= 0
            assert not any(isinstance(v, float) and math.isnan(v) for v in row.values())


@PROPERTY
@given(site=SITE)
def test_a_self_declared_site_never_reaches_grade_a(site: dict[str, Any], score: Any) -> None:
    for hazard in HAZARDS:
        assert score([site])[0][f"{hazard}_grade"] != "A"


def test_nothing_dated_after_the_date_is_used(facts: Any) -> None:
    for name in facts.reference.tables:
        frame = facts.table(name)
        if "known_on" in frame.columns:
            assert frame.filter(pl.col("known_on") > ON).height == 0


def test_leaving_the_activity_blank_does_not_make_a_known_tier_worth_more(score: Any) -> None:
    """Most farms stand at tier 4: knowing the tier of a farm tells little; of an unknown activity it would tell."""
    site = {"iso3": "FRA", "division": "01", "tier": 1, **dict.fromkeys(FACTORS[:7], True)}
    known, blank = score([site, {**site, "division": "00"}])
    for hazard in HAZARDS:
        assert GRADES.index(blank[f"{hazard}_grade"]) >= GRADES.index(known[f"{hazard}_grade"])
