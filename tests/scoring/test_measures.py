"""Measures in place: worked values, and what must earn nothing."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from vigilance import rules
from vigilance.rules import Judgements
from vigilance.scoring import measures

ON = date(2026, 11, 1)
PILLARS = ("map", "assess", "act", "alert", "measure")
SCHEMA = {
    "_supplier_id": pl.String,
    "_parent_company": pl.String,
    "_pillar": pl.String,
    "_proof": pl.String,
    "_coverage": pl.Float64,
    "_since": pl.Date,
}
SITES = pl.DataFrame(
    {
        "_supplier_id": ["A", "B", "C", "D"],
        "_tier": [1, 4, 0, 1],
        "_parent_company": ["Acme Ltd", "ACME LTD ", None, None],
    },
    schema_overrides={"_tier": pl.Int8},
)


@cache
def judgements() -> Judgements:
    return rules.load().in_force(ON)


def row(pillar: str, proof: str = "confirmed", coverage: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "_supplier_id": "A",
        "_pillar": pillar,
        "_proof": proof,
        "_coverage": coverage,
        "_since": date(2026, 1, 1),
    } | more


def factors(rows: list[dict[str, Any]], engine: str = "polars") -> dict[str, float]:
    given_rows = pl.DataFrame([{name: r.get(name) for name in SCHEMA} for r in rows], schema=SCHEMA)
    if engine == "polars":
        sites, table = (nw.from_native(f.lazy()) for f in (SITES, given_rows))
    else:
        sites, table = (nw.from_native(duckdb.from_arrow(f.to_arrow())) for f in (SITES, given_rows))
    found: Any = pl.from_arrow(measures.attach(sites, table, judgements(), ON).collect().to_arrow())
    assert found["forced_labour_ln_measures"].equals(found["child_labour_ln_measures"])
    return {who: math.exp(ln) for who, ln in found.select("_supplier_id", "forced_labour_ln_measures").iter_rows()}


def test_everything_confirmed_everywhere_halves_the_rate_at_tier_1() -> None:
    assert factors([row(pillar) for pillar in PILLARS])["A"] == pytest.approx(0.5)


def test_a_missing_pillar_falls_to_the_floor() -> None:
    quality = math.exp((1 * math.log(0.05) + 5 * math.log(0.6)) / 6)
    rows = [row(pillar, "documented", 0.8) for pillar in PILLARS if pillar != "map"]
    assert factors(rows)["A"] == pytest.approx(1 - 0.5 * quality * 0.8)


def test_measures_of_the_parent_reach_its_sites_at_their_tier() -> None:
    found = factors([row(p, _supplier_id=None, _parent_company="acme ltd") for p in PILLARS])
    assert found["A"] == pytest.approx(0.5)
    assert found["B"] == pytest.approx(0.85)
    assert found["C"] == found["D"] == 1


@pytest.mark.parametrize(
    "nothing",
    [
        row("certificate"),
        row("zero_cases"),
        row("act", "certified"),
        row("act", coverage=None),
        row("act", coverage=0.0),
        row("act", _since=None),
        row("act", _since=date(2026, 12, 1)),
        row("act", _supplier_id="nobody"),
        row("act", _supplier_id=None),
    ],
)
def test_what_earns_nothing(nothing: dict[str, Any]) -> None:
    assert set(factors([nothing]).values()) == {1.0}
    assert factors([row("map"), nothing]) == factors([row("map")])


measure_rows = st.builds(
    row,
    st.sampled_from([*PILLARS, "certificate"]),
    st.sampled_from(["declared", "documented", "confirmed"]),
    st.one_of(st.none(), st.floats(0, 1)),
    _supplier_id=st.sampled_from(["A", "B", None]),
    _parent_company=st.sampled_from(["Acme Ltd", None]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(measure_rows, max_size=6), measure_rows)
def test_one_more_measure_never_raises_the_rate(before: list[dict[str, Any]], more: dict[str, Any]) -> None:
    was, now = factors(before), factors([*before, more])
    for who, factor in now.items():
        assert 0.3 < factor <= was[who] + 1e-12


@settings(max_examples=5, deadline=None)
@given(st.lists(measure_rows, max_size=6))
def test_engines_agree(rows: list[dict[str, Any]]) -> None:
    here, there = factors(rows), factors(rows, "duckdb")
    assert {who: there[who] for who in here} == pytest.approx(here, rel=1e-12)


def test_a_line_says_the_ratio_of_the_rate_with_its_range() -> None:
    table = pl.DataFrame([row(p) for p in PILLARS], schema_overrides={"_parent_company": pl.String}).lazy()
    found: Any = (
        measures.lines(nw.from_native(SITES.lazy()), nw.from_native(table), judgements(), ON).collect().to_native()
    )
    expected = pl.DataFrame(
        {
            "supplier_id": ["A", "A"],
            "hazard": ["child_labour", "forced_labour"],
            "step": "rate",
            "factor": "measures",
            "ratio": 0.5,
        }
    )
    assert_frame_equal(found.sort("hazard").select(expected.columns), expected)
    assert ((found["low"] < 0.5) & (found["high"] > 0.5) & (found["since"] == "2026-01-01")).all()
