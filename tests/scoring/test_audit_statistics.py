"""Audit statistics: a case worked by hand, and the laws of the line."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import ON, sites

from vigilance import engines
from vigilance.scoring import cells, explain, lines
from vigilance.scoring.audit_statistics import COLUMNS, with_statistics, worldwide
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, Hazard

FL, CL = Hazard.FORCED_LABOUR, Hazard.CHILD_LABOUR
RULE = "evidence.audit_cells"
LAWS = settings(max_examples=25, deadline=None, derandomize=True)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "iso3": st.sampled_from(["BGD", "FRA", "TUR"]),
    "division": st.sampled_from([None, "13", "14", "62"]),
    "hazard": st.sampled_from(list(map(str, HAZARDS))),
    "audits": st.integers(0, 3000),
    "positives": st.integers(0, 40),
    "year": st.integers(2015, 2025),
    "drawn_with": st.sampled_from([None, 0.05, 0.5, 1.0]),
    "source": st.sampled_from(["a", "b"]),
}
ROW = st.fixed_dictionaries(FIELDS).filter(lambda one: bool(one["audits"] >= one["positives"]))


def row(audits: float, positives: float, **other: Any) -> dict[str, Any]:
    """A statistic; garments in Bangladesh, forced labour, 2025, drawn at random, unless said otherwise."""
    usual = {"iso3": "BGD", "division": "14", "hazard": "forced_labour", "year": 2025, "drawn_with": 1.0, "source": "a"}
    return {**usual, "audits": audits, "positives": positives, **other}


def statistics(*rows: dict[str, Any]) -> nw.DataFrame[Any]:
    kinds = {nw.String(): pl.String, nw.Float64(): pl.Float64}
    schema = {name: kinds[kind] for name, kind in COLUMNS.items()}
    frame = pl.DataFrame([{f"_{name}": value for name, value in one.items()} for one in rows], schema=schema)
    return nw.from_native(frame, eager_only=True)


def shift(model: Model, *rows: dict[str, Any], on: date = ON, hazard: Hazard = FL) -> np.ndarray[Any, Any]:
    """The line (C×D) that some statistics make; zeros where there is none."""
    audited = with_statistics(model, statistics(*rows), on).hazards[hazard].audited
    return np.zeros((len(model.grid.countries), len(model.grid.divisions))) if audited is None else audited.ln


def at(model: Model, iso3: str, division: str) -> tuple[int, int]:
    return int(model.country_places(np.array([iso3]))[0]), int(model.activities.index(np.array([division]))[0])


def scored(model: Model, *rows: dict[str, Any], engine: str = "polars") -> pl.DataFrame:
    return pl.concat(list(engines.ENGINES[engine](sites(list(rows)).lazy(), model, None)))


def sure(model: Model) -> Model:
    """The model with audits that see everything and err never, nothing concealed, and a bound too far to feel."""
    changed = {
        **{f"{RULE}.sensitivity.{h}.alpha": 1e7 for h in HAZARDS},
        **{f"{RULE}.sensitivity.{h}.beta": 1e-3 for h in HAZARDS},
        f"{RULE}.specificity": 1 - 1e-12,
        f"{RULE}.concealed": 1e-9,
        f"{RULE}.largest_ratio": 1e300,
    }
    return replace(model, judgements=model.judgements.with_values(changed))


def test_a_case_by_hand(model: Model) -> None:
    # Audits that see everything: the posterior of Beta(20μ, 20(1 - μ)) after 30 positives of 100 has the mean
    # (20μ + 30) / 120. With μ = 1 - exp(-m), the line is ln(-ln(1 - mean)) - ln m. The counts
    # age from the end of 2025 on, 305 days before 2026-11-01, with a half-life of 1,461 days: 2^(-305/1461) = 0.86528.
    mu = scored(model, {"iso3": "BGD", "division": "14"})["forced_labour_p50"].item()
    kept = 2 ** (-305 / 1461)
    assert kept == pytest.approx(0.86528, abs=1e-5)
    mean = (20 * mu + kept * 30) / (20 + kept * 100)
    expected = math.log(-math.log1p(-mean)) - math.log(-math.log1p(-mu))
    cell = at(model, "BGD", "14")
    assert shift(sure(model), row(100, 30))[cell] == pytest.approx(expected, abs=2e-4)
    # Chosen audits count for half of the logarithm.
    assert shift(sure(model), row(100, 30, drawn_with=None))[cell] == pytest.approx(expected / 2, abs=1e-4)
    # 50 drawn with 1 in 2 and 10 positive, 50 drawn with 1 in 10 and 1 positive: Hájek's share is
    # (2·10 + 10·1) / (2·50 + 10·50) = .05, Kish's number (2·50 + 10·50)² / (4·50 + 100·50) = 69.23.
    share, n = 30 / 600, kept * 600**2 / 5200
    mean = (20 * mu + share * n) / (20 + n)
    expected = math.log(-math.log1p(-mean)) - math.log(-math.log1p(-mu))
    two = (row(50, 10, drawn_with=0.5), row(50, 1, drawn_with=0.1))
    assert shift(sure(model), *two)[cell] == pytest.approx(expected, abs=2e-4)


def test_the_bound_by_hand(model: Model) -> None:
    # 30 of 100 as above, held by ln 4 · tanh(s / ln 4).
    cell = at(model, "BGD", "14")
    free = shift(sure(model), row(100, 30))[cell]
    held = replace(sure(model), judgements=sure(model).judgements.with_values({f"{RULE}.largest_ratio": 4.0}))
    assert shift(held, row(100, 30))[cell] == pytest.approx(math.log(4) * math.tanh(free / math.log(4)), rel=1e-6)


def test_a_total_of_a_country_moves_all_its_activities_alike(model: Model) -> None:
    found = shift(model, row(2000, 60, division=None))
    bangladesh = at(model, "BGD", "14")[0]
    assert np.ptp(found[bangladesh]) == 0.0
    assert found[bangladesh, 0] != 0.0
    assert not np.delete(found, bangladesh, axis=0).any()


def test_the_finer_counts_of_a_source_replace_its_total(model: Model) -> None:
    cell, other = row(300, 9), row(2000, 60, division=None, source="b")
    same = row(2000, 60, division=None)
    assert np.array_equal(shift(model, cell, same), shift(model, cell))
    assert not np.array_equal(shift(model, cell, other), shift(model, cell))
    assert np.array_equal(shift(model, row(0, 0), same), shift(model, same))


def test_clean_audits_barely_reassure(model: Model) -> None:
    cell = at(model, "BGD", "14")
    hidden = math.log(model.judgements.value(f"{RULE}.concealed"))
    found = [shift(model, row(n, 0))[cell] for n in (1, 10, 100, 10_000, 10_000_000)]
    assert found == sorted(found, reverse=True)
    assert hidden < found[-1] < found[0] < 0
    # Chosen audits reassure less than those drawn at random.
    assert found[2] < shift(model, row(100, 0, drawn_with=None))[cell] < 0
    # Two floors are one: a clean country and a clean cell conceal together.
    both = shift(model, row(10_000_000, 0), row(10_000_000, 0, division=None, source="b"))[cell]
    assert hidden < both


def test_nothing_of_a_year_that_is_not_over_counts(model: Model) -> None:
    assert not shift(model, row(800, 40, year=2026)).any()
    assert not shift(model, row(800, 40), on=date(2025, 12, 30)).any()
    assert shift(model, row(800, 40), on=date(2025, 12, 31)).any()
    cell = at(model, "BGD", "14")
    new, old = shift(model, row(800, 200))[cell], shift(model, row(800, 200, year=2015))[cell]
    assert 0 < old < new


@LAWS
@given(rows=st.lists(ROW, min_size=1, max_size=4), place=st.integers(0, 3), more=st.integers(1, 40))
def test_more_positives_never_lower_a_rate(rows: list[dict[str, Any]], place: int, more: int, model: Model) -> None:
    one = rows[place % len(rows)]
    worse = {**one, "positives": min(one["audits"], one["positives"] + more)}
    # The same statistic twice is one: what is made worse must not become another row's double.
    named = [other for other in rows if other not in (one, worse)]
    for hazard in HAZARDS:
        before, after = (shift(model, *named, told, hazard=hazard) for told in (one, worse))
        assert (after >= before - 1e-12).all()


@LAWS
@given(rows=st.lists(ROW, max_size=4), seed=st.randoms(use_true_random=False))
def test_order_repetition_and_empty_rows_change_nothing(rows: list[dict[str, Any]], seed: Any, model: Model) -> None:
    again = [*rows, *rows, row(0, 0), row(500, 20, year=2026), row(500, 20, iso3=None)]
    seed.shuffle(again)
    for hazard in HAZARDS:
        assert np.array_equal(shift(model, *rows, hazard=hazard), shift(model, *again, hazard=hazard))


@LAWS
@given(rows=st.lists(ROW, min_size=1, max_size=4))
def test_the_line_is_bounded_and_opens_nothing_new(rows: list[dict[str, Any]], model: Model) -> None:
    told = with_statistics(model, statistics(*rows), ON)
    limit = math.log(model.judgements.value(f"{RULE}.largest_ratio"))
    grid = [{"iso3": iso3, "division": d} for iso3 in ("BGD", "FRA", "TUR", "IND") for d in ("00", "13", "14", "62")]
    frame = nw.from_native(engines.core_columns(sites(grid).lazy()).collect(), eager_only=True)
    places = cells.places(model, frame)
    for hazard in HAZARDS:
        before, after = (cells.cell_lines(one, hazard, places) for one in (model, told))
        assert set(after) - set(before) <= {lines.AUDIT_CELLS}
        total = [sum(line.var for line in found.values()) for found in (before, after)]
        assert total[1] == pytest.approx(total[0], rel=1e-12)
        assert all((line.var >= 0).all() for line in after.values())
        if lines.AUDIT_CELLS in after:
            assert (np.abs(after[lines.AUDIT_CELLS].ln) <= limit).all()


def test_the_ratios_multiply_to_the_score_and_a_site_alone_is_the_same(model: Model) -> None:
    told = with_statistics(model, statistics(row(800, 40), row(900, 3, division=None, source="b")), ON)
    rows: list[dict[str, Any]] = [
        {"iso3": "BGD", "division": "14", "workers": 900, "id": "a"},
        {"iso3": "FRA", "division": "14", "id": "b"},
    ]
    frame = sites(rows)
    made = explain.ratios(nw.from_native(frame, eager_only=True), told, engines.look_up(frame, told)).to_native()
    found = scored(told, *rows)
    for place, name in enumerate(("a", "b")):
        steps = made.filter((pl.col("supplier_id") == name) & (pl.col("hazard") == str(FL))).to_dicts()
        m = explain.product(steps, "rate") * explain.product(steps, "presence")
        assert found["forced_labour_p50"][place] == pytest.approx(-math.expm1(-m), abs=2e-10)
        line = next(step for step in steps if step["factor"] == lines.AUDIT_CELLS)
        assert (line["ratio"] > 1) == (name == "a")
        assert (line["source"], line["since"]) == ("audit_statistics", "2025-12-31")
    alone = scored(told, rows[0])
    assert alone.drop("_row").row(0) == found.drop("_row").row(0)
    plain = scored(model, *rows)
    assert found.filter(_supplier_id="b").drop("_row").row(0) == plain.filter(_supplier_id="b").drop("_row").row(0)


def test_the_engines_agree(model: Model) -> None:
    told = with_statistics(model, statistics(row(800, 40), row(500, 60, division=None, hazard="child_labour")), ON)
    rows = [{"iso3": i, "division": d, "workers": 90} for i in ("BGD", "FRA") for d in ("00", "14", "62")]
    one, other = (scored(told, *rows, engine=name) for name in ("polars", "duckdb"))
    for hazard in HAZARDS:
        assert one[f"{hazard}_p80"].to_list() == pytest.approx(other[f"{hazard}_p80"].to_list(), abs=1e-12)


def test_statistics_that_are_there_are_replaced(model: Model) -> None:
    told = with_statistics(model, statistics(row(800, 40)), ON)
    again = with_statistics(told, statistics(row(800, 40)), ON)
    one, other = (of.hazards[FL].audited for of in (told, again))
    assert one is not None
    assert other is not None
    assert np.array_equal(one.ln, other.ln)
    assert with_statistics(told, None, ON).hazards[FL].audited is None
    assert told.hazards[CL].audited is None


def test_totals_of_the_world_say_nothing_of_a_cell(model: Model) -> None:
    given_rows = statistics(row(3000, 40, iso3=None), row(3000, 40, iso3=None, division=None, year=2026))
    assert with_statistics(model, given_rows, ON).hazards[FL].audited is None
    assert len(worldwide(given_rows, ON)) == 1


def test_counts_that_cannot_be_are_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="positives"):
        shift(model, row(10, 11))
    with pytest.raises(KeyError, match="XXX"):
        shift(model, row(10, 1, iso3="XXX"))
