"""The laws of evidence on whole histories drawn at random, of all its tables at once.

They are seen from outside: the typed tables of a run go in, the probability of presence of each site comes out, on the
way that a run takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.conftest import sites
from tests.scoring.evidence_cases import Rows, Scenario, audit_rows, event_rows, finding_rows, ticket_rows
from tests.scoring.evidence_rows import AUDITS, EVENTS, FINDINGS, GRIEVANCES, MATCHES, ON
from tests.scoring.test_measures import SCHEMA as MEASURES

from vigilance import engines, evidence
from vigilance.scoring.evidence import COLUMNS
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS

SCHEMAS = {
    "audits": AUDITS,
    "findings": FINDINGS,
    "grievances": GRIEVANCES,
    "events": EVENTS,
    "matches": MATCHES,
    "measures": MEASURES,
}
COUNTRIES = ("FRA", "NOR", "BGD", "CHN", "IND", "QAT", "MYS", "TKM", "CIV", "USA", "BRA", "TUR", "VNM", "ETH")
DIVISIONS = ("00", "01", "13", "14", "22", "41", "47", "62")
FEW = settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])
"""Two dozen histories a law; a dozen of them at once are not worth shrinking, which takes minutes."""
DATES = ("_audited_on", "_found_on", "_received_on", "_occurred_on", "_known_on", "_since")
"""What dates a row; the day on which something ended (``_closed_on``, ``_until``) only ever takes from it."""

days = st.integers(0, 3000).map(lambda age: ON - timedelta(days=age))
match_rows = st.builds(
    lambda name, confidence, decision, since, until: {
        "_list": name,
        "_supplier_id": "A",
        "_confidence": confidence,
        "_decision": decision,
        "_since": since,
        "_until": until,
    },
    st.sampled_from(["uflpa", "cbp_wro", "somebody's own"]),
    st.sampled_from([0.2, 0.7, 1.0, None]),
    st.sampled_from(["confirmed", "rejected", None]),
    st.one_of(st.none(), days),
    st.one_of(st.none(), days),
)
measure_rows = st.builds(
    lambda own, pillar, proof, coverage, since: {
        "_supplier_id": "A" if own else None,
        "_parent_company": None if own else "acme ltd",
        "_pillar": pillar,
        "_proof": proof,
        "_coverage": coverage,
        "_since": since,
    },
    st.booleans(),
    st.sampled_from(["map", "assess", "act", "alert", "measure", "certificate"]),
    st.sampled_from(["declared", "documented", "confirmed"]),
    st.sampled_from([0.0, 0.3, 1.0, None]),
    st.one_of(st.none(), days),
)
ROWS = {
    "audits": audit_rows,
    "findings": finding_rows,
    "grievances": ticket_rows,
    "events": event_rows,
    "matches": match_rows,
    "measures": measure_rows,
}
histories = st.fixed_dictionaries({name: st.lists(of, max_size=3) for name, of in ROWS.items()})


def several(case: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A dozen cases at once, a site, a company, a zone and a country each: a query costs the same for all."""
    return st.lists(case, min_size=8, max_size=len(COUNTRIES))


def frames(cases: Sequence[Scenario]) -> dict[str, pl.DataFrame]:
    """The typed tables of all cases, each about places of its own."""
    rows: dict[str, Rows] = {name: [] for name in SCHEMAS}
    for number, case in enumerate(cases):
        own = {"A": f"S{number}", "Z1": f"z{number}", "BGD": COUNTRIES[number], "acme ltd": f"acme {number}"}
        for name, given_rows in case.items():
            for row in given_rows:
                moved = {key: own.get(value, value) if isinstance(value, str) else value for key, value in row.items()}
                ids = {key: f"{number}-{row[key]}" for key in ("_incident_id", "_event_id") if key in row}
                rows[name].append(moved | ids)
    return {
        name: pl.DataFrame([{key: row.get(key) for key in SCHEMAS[name]} for row in found], schema=SCHEMAS[name])
        for name, found in rows.items()
        if any(name in case for case in cases)
    }


def listed(count: int) -> pl.DataFrame:
    rows = [
        {"iso3": COUNTRIES[n], "division": DIVISIONS[n % 8], "tier": n % 5, "workers": (None, 40, 900, 12_000)[n % 4]}
        for n in range(count)
    ]
    return sites(rows).with_columns(
        _zone=pl.format("z{}", "_row"),
        _parent_company=pl.format("Acme {} ", "_row"),
        _lei=pl.lit(None, dtype=pl.String),
    )


Scored = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def scored(model: Model) -> Scored:
    """Score one site per case with its evidence; a row of scores each."""

    def run(cases: Sequence[Scenario], on: date = ON) -> list[dict[str, Any]]:
        rows = listed(len(cases)).lazy()
        known = evidence.table(rows, frames(cases), model.judgements, on)
        return pl.concat(engines.polars(rows, model, known)).to_dicts()

    return run


def told(cases: Sequence[Scenario], model: Model, on: date = ON) -> pl.DataFrame:
    """What the evidence says of each site: ``COLUMNS``, one row per case."""
    made = evidence.table(listed(len(cases)).lazy(), frames(cases), model.judgements, on)
    order = pl.DataFrame({"_supplier_id": [f"S{n}" for n in range(len(cases))]})
    if made is None:
        made = pl.DataFrame(schema={"_supplier_id": pl.String, **dict.fromkeys(COLUMNS, pl.Float64)})
    found = order.join(made, on="_supplier_id", how="left", maintain_order="left").select(COLUMNS)
    return found.with_columns(
        pl.col(pl.Boolean).cast(pl.Float64).fill_null(0), pl.col(pl.Float64, pl.Int64).fill_null(0)
    )


def with_row(case: Scenario, table: str, row: dict[str, Any]) -> Scenario:
    return {**case, table: [*case.get(table, []), row]}


def compared(was: list[dict[str, Any]], now: list[dict[str, Any]], measure: str) -> list[tuple[float, float]]:
    return [
        (old[f"{hazard}_{measure}"], new[f"{hazard}_{measure}"])
        for old, new in zip(was, now, strict=True)
        for hazard in HAZARDS
    ]


def after_a_row(cases: list[tuple[Scenario, dict[str, Any]]], table: str, scored: Scored) -> list[tuple[float, float]]:
    """P50 and P80 of each site and hazard, without and with one more row of a table."""
    was = scored([case for case, _ in cases])
    now = scored([with_row(case, table, row) for case, row in cases])
    return compared(was, now, "p50") + compared(was, now, "p80")


@pytest.mark.parametrize("table", ["findings", "grievances", "events", "matches"])
@FEW
@given(data=st.data())
def test_what_is_found_or_told_never_lowers(table: str, data: st.DataObject, scored: Scored) -> None:
    cases = data.draw(several(st.tuples(histories, ROWS[table])))
    if table == "events":
        # Another event: the same one told of a more precise place is not one more, it moves there.
        cases = [(case, {**row, "_event_id": "new"}) for case, row in cases]
    for old, new in after_a_row(cases, table, scored):
        assert new >= old


@pytest.mark.parametrize("table", ["audits", "measures"])
@FEW
@given(data=st.data())
def test_a_clean_audit_and_a_measure_never_raise(table: str, data: st.DataObject, scored: Scored) -> None:
    cases = data.draw(several(st.tuples(histories, ROWS[table])))
    if table == "audits":
        # An audit of a day with findings is the audit that found them: it is not a clean one.
        for case, row in cases:
            found = {finding.get(key) for finding in case["findings"] for key in ("_audited_on", "_found_on")}
            assume(row["_audited_on"] not in found)
    for old, new in after_a_row(cases, table, scored):
        assert new <= old


@FEW
@given(cases=several(st.tuples(st.lists(audit_rows, max_size=4), audit_rows)))
def test_an_announced_clean_audit_moves_less_than_an_unannounced_one(
    cases: list[tuple[Rows, dict[str, Any]]], scored: Scored
) -> None:
    def after(notice: str | None) -> list[dict[str, Any]]:
        return scored([{"audits": [*before, {**row, "_notice": notice}]} for before, row in cases])

    was = scored([{"audits": before} for before, _ in cases])
    announced, blank, semi, unannounced = map(after, ("announced", None, "semi_announced", "unannounced"))
    assert compared(announced, blank, "p50") == [(p, p) for p, _ in compared(announced, blank, "p50")]
    steps = (was, announced, semi, unannounced)
    for less, more in pairwise(steps):
        assert all(new <= old for old, new in compared(less, more, "p50"))
    for (before, row), old, told_before, by_surprise in zip(cases, was, announced, unannounced, strict=True):
        if not before and row["_in_season"] is not False and row["_audited_on"] > ON - timedelta(days=1500):
            for hazard in HAZARDS:
                p0, p1, p2 = (scores[f"{hazard}_p50"] for scores in (old, told_before, by_surprise))
                assert p0 >= p1 > p2


@FEW
@given(runs=several(st.lists(audit_rows, min_size=3, max_size=12)))
def test_clean_audits_never_go_below_the_share_that_conceals(runs: list[Rows], scored: Scored, model: Model) -> None:
    share = {
        notice: model.judgements.value(f"evidence.audits.concealment.{notice}")
        for notice in ("announced", "semi_announced", "unannounced")
    }
    was, now = scored([{} for _ in runs]), scored([{"audits": run} for run in runs])
    for run, old, new in zip(runs, was, now, strict=True):
        floor = min(share[row["_notice"] or "announced"] for row in run)
        for hazard in HAZARDS:
            before, after = (math.log(p / (1.0 - p)) for p in (row[f"{hazard}_p50"] for row in (old, new)))
            assert after >= before + math.log(floor) - 1e-6


@FEW
@given(cases=several(st.tuples(histories, st.sets(st.sampled_from(sorted(ROWS))))))
def test_an_absent_channel_says_nothing(cases: list[tuple[Scenario, set[str]]], model: Model) -> None:
    silenced = [{name: [] if name in silent else rows for name, rows in case.items()} for case, silent in cases]
    absent = [{name: rows for name, rows in case.items() if name not in silent} for case, silent in cases]
    assert_frame_equal(told(silenced, model), told(absent, model), check_exact=True)
    nothing = told([{name: [] for name in ROWS} for _ in cases], model)
    assert nothing.equals(told([{} for _ in cases], model))
    assert nothing.select(pl.all_horizontal((pl.all() == 0).all())).item()


@FEW
@given(cases=several(histories))
def test_whatever_is_told_twice_counts_once(cases: list[Scenario], scored: Scored) -> None:
    twice = [{name: [*rows, *rows[::-1]] for name, rows in case.items()} for case in cases]
    once, again = scored(cases), scored(twice)
    assert once == again


@FEW
@given(cases=several(st.tuples(histories, histories, st.integers(1, 500))))
def test_nothing_dated_after_the_date_counts(cases: list[tuple[Scenario, Scenario, int]], scored: Scored) -> None:
    """Each of the dates of a row alone puts it off: an event of last year that is known tomorrow is not known today."""
    known = [case for case, _later, _ahead in cases]
    both = []
    for case, later, ahead in cases:
        future = {name: [put for row in rows for put in put_off(row, ahead)] for name, rows in later.items()}
        both.append({name: [*future[name], *rows] for name, rows in case.items()})
    assert scored(both) == scored(known)


def put_off(row: dict[str, Any], ahead: int) -> list[dict[str, Any]]:
    """The row with each of its dates in turn after ``ON``, under an id of its own."""
    made: Rows = []
    for column in DATES:
        if column in row or (column == "_found_on" and "_topic" in row):
            ids = {key: f"later {column}" for key in ("_incident_id", "_event_id") if key in row}
            made.append(row | ids | {column: ON + timedelta(days=ahead)})
    return made


@FEW
@given(cases=several(histories), back=st.integers(1, 1500))
def test_the_past_is_what_was_dated_then(cases: list[Scenario], back: int, model: Model) -> None:
    """Scored as of an earlier day, a history equals its rows of then: what came later is not looked at."""
    then = ON - timedelta(days=back)

    def known(row: dict[str, Any]) -> bool:
        return all(row.get(column) is None or row[column] <= then for column in DATES)

    cut = [{name: [row for row in rows if known(row)] for name, rows in case.items()} for case in cases]
    assert_frame_equal(told(cases, model, then), told(cut, model, then), check_exact=True)


@pytest.mark.slow  # DuckDB binds the whole query of the evidence anew
@settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(cases=several(histories))
def test_both_engines_say_the_same(cases: list[Scenario], model: Model) -> None:
    rows = listed(len(cases))
    known = evidence.table(rows.lazy(), frames(cases), model.judgements, ON)
    one, other = (
        pl.concat(engines.engine(name)(rows.lazy(), model, known)).sort("_row") for name in ("polars", "duckdb")
    )
    assert_frame_equal(one, other, abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False, check_column_order=False)
