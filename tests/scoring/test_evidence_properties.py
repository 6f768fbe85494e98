"""The laws of evidence, table by table, as properties; histories of all tables are in ``test_evidence_laws``."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.scoring.evidence_cases import (
    FEW,
    HAZARDS,
    HISTORY,
    Rows,
    Scenario,
    audit_rows,
    everything,
    explained,
    few,
    finding_rows,
    many,
    shifts,
    ticket_rows,
    wide_of,
)
from tests.scoring.evidence_rows import audit, on_polars

from vigilance.scoring.evidence import COLUMNS


@FEW
@given(many(st.tuples(few(audit_rows), audit_rows)))
def test_a_clean_audit_never_raises(cases: list[tuple[Rows, dict[str, Any]]]) -> None:
    was = shifts([{"audits": before} for before, _ in cases])
    now = shifts([{"audits": [*before, more]} for before, more in cases])
    for old, new in zip(was, now, strict=True):
        assert new[0] <= old[0]
        assert new[1] <= old[1]


@FEW
@given(many(st.lists(audit_rows, max_size=6)))
def test_a_run_of_clean_audits_stays_above_the_share_that_conceals(runs: list[Rows]) -> None:
    share = {"unannounced": 0.15, "semi_announced": 0.4}
    for run, values in zip(runs, shifts([{"audits": run} for run in runs]), strict=True):
        floor = math.log(min((share.get(row["_notice"], 0.5) for row in run), default=1.0))
        for value in values:
            assert floor - 1e-12 <= value <= 0


def test_an_announced_clean_audit_moves_less() -> None:
    for age in (0, 100, 2000):
        told, blank, semi, surprise = shifts(
            [{"audits": [audit(age, notice)]} for notice in ("announced", None, "semi_announced", "unannounced")]
        )
        assert told == blank
        for hazard in (0, 1):
            assert 0 > told[hazard] > semi[hazard] > surprise[hazard]


@FEW
@given(many(st.tuples(few(audit_rows), few(finding_rows), finding_rows, st.booleans())))
def test_a_finding_never_lowers(cases: list[tuple[Rows, Rows, dict[str, Any], bool]]) -> None:
    was, now = [], []
    for audits, before, more, same_day in cases:
        day = {"_audited_on": audits[0]["_audited_on"]} if same_day and audits else {}
        was.append({"audits": audits, "findings": before})
        now.append({"audits": audits, "findings": [*before, {**more, **day}]})
    for old, new in zip(shifts(was), shifts(now), strict=True):
        assert new[0] >= old[0]
        assert new[1] >= old[1]


@FEW
@given(many(st.tuples(few(ticket_rows), ticket_rows)))
def test_a_ticket_never_lowers(cases: list[tuple[Rows, dict[str, Any]]]) -> None:
    was = shifts([{"grievances": before} for before, _ in cases])
    now = shifts([{"grievances": [*before, more]} for before, more in cases])
    for old, new in zip(was, now, strict=True):
        assert new[0] >= old[0]
        assert new[1] >= old[1]


@FEW
@given(many(everything))
def test_duplicates_count_once_and_order_changes_nothing(cases: list[Scenario]) -> None:
    twice = [{name: [*rows[::-1], *rows] for name, rows in case.items()} for case in cases]
    columns = [column for column in COLUMNS if column != "evidence_incidents"]
    assert_frame_equal(wide_of(cases).select(columns), wide_of(twice).select(columns), check_exact=True)


@FEW
@given(many(everything))
def test_a_site_alone_equals_the_same_site_among_others(cases: list[Scenario]) -> None:
    together = shifts(cases)
    assert shifts(cases[:1]) == together[:1]


@FEW
@given(many(everything))
def test_lines_multiply_to_the_shift(cases: list[Scenario]) -> None:
    multiply([HISTORY, *cases])


def multiply(cases: list[Scenario]) -> None:
    wide, found = wide_of(cases), explained(cases, on_polars)
    products = {
        (who, hazard): product
        for who, hazard, product in found.group_by("supplier_id", "hazard").agg(pl.col("ratio").product()).iter_rows()
    }
    for row in wide.iter_rows(named=True):
        for hazard in HAZARDS:
            expected = math.exp(row[f"{hazard}_shift"])
            assert products.get((row["_supplier_id"], hazard), 1.0) == pytest.approx(expected, rel=1e-9)
    assert found.filter((pl.col("low") > pl.col("ratio")) | (pl.col("ratio") > pl.col("high"))).is_empty()
