"""Whole plans: budget, duties, draw, shares, teams, seasons, rotation, keeping, and clear refusals."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from vigilance.errors import InputRefused, UsageError
from vigilance.planning import inputs, listing

from . import runs


def rows(plan: object) -> pl.DataFrame:
    return listing.planned(plan)  # type: ignore[arg-type]


def total(frame: pl.DataFrame) -> float:
    return float(frame["person_days"].sum() + frame["travel_days"].sum())


@pytest.mark.parametrize("days", [24, 40, 400])
def test_budget_draw_and_gap(days: float) -> None:
    plan = runs.plan(800, days)
    frame = rows(plan)
    assert 0 < total(frame) <= days + 1e-3
    drawn = frame.filter(pl.col("chosen_by") == "random")
    share = drawn["person_days"].sum() / frame["person_days"].sum()
    assert 0.02 <= share <= 0.2
    assert (drawn["probability"] > 0).all()
    assert plan.solution.gap <= 1e-3
    assert frame["supplier_id"].n_unique() == frame.height
    assert frame["start_on"].is_between(runs.START, runs.END).all()
    assert (frame["start_on"].dt.weekday() <= 5).all()


def test_order_of_rows_changes_nothing_and_seed_does() -> None:
    scores, sites = runs.made_up(300)
    order = np.random.default_rng(3).permutation(300)
    straight = runs.plan(0, 60, of=inputs.read(scores.lazy(), sites.lazy()))
    shuffled = runs.plan(0, 60, of=inputs.read(scores[order].lazy(), sites[order].lazy()))
    assert rows(straight).equals(rows(shuffled))
    other = runs.plan(0, 60, of=inputs.read(scores.lazy(), sites.lazy()), seed=8)
    assert not rows(other).equals(rows(straight))


def test_duties_come_first_and_soon() -> None:
    findings = pl.DataFrame(
        {
            "_supplier_id": ["S0000003", "S0000004", "S0000005"],
            "_audited_on": [date(2026, 1, 1)] * 3,
            "_topic": ["wages and benefits"] * 3,
            "_severity": ["Critical", "zero tolerance", "critical"],
            "_status": ["open", "in progress", "Closed"],
            "_due_on": [date(2026, 6, 1), date(2026, 7, 1), date(2026, 6, 1)],
            "_closed_on": [None, None, date(2026, 5, 1)],
        }
    )
    scores, sites = runs.made_up(300)
    scores = scores.with_columns(
        pl.when(pl.col("supplier_id") == "S0000009")
        .then(pl.lit("confirmed_case"))
        .otherwise(None)
        .alias("forced_labour_override")
    )
    frame = rows(runs.plan(0, 60, findings=findings, of=inputs.read(scores.lazy(), sites.lazy())))
    due = frame.filter(pl.col("chosen_by") == "mandatory").sort("supplier_id")
    assert due["supplier_id"].to_list() == ["S0000003", "S0000004", "S0000009"]
    assert due["action"].to_list()[:2] == ["follow_up", "follow_up"]
    assert due["action"][2] in {"unannounced", "field_audit"}
    assert (due["start_on"] < date(2027, 5, 1)).all()
    assert (due["probability"] == 1).all()


def test_duties_above_the_budget_are_refused_with_the_difference() -> None:
    asked = [{"supplier_id": f"S000000{i}", "action": "follow_up"} for i in range(6)]
    with pytest.raises(UsageError, match=r"need .* person-days, .* more than the 3 given"):
        runs.plan(100, 3, mandatory=asked)


def test_shares_are_kept() -> None:
    shares = [
        {"by": "tier", "is": 4, "min": 0.3},
        {"by": "country", "is": "QAT", "max": 0.1},
        {"by": "unit", "is": "North", "min": 0.5},
        {"by": "activity", "is": "14", "max": 0.2},
    ]
    plan = runs.plan(300, 120, shares=shares)
    frame = rows(plan).join(
        plan.ground.table.frame.select("_supplier_id", "user:unit"), left_on="supplier_id", right_on="_supplier_id"
    )

    def days(condition: pl.Expr) -> float:
        return float(frame.filter(condition)["person_days"].sum())

    assert days(pl.col("tier") == 4) >= 36
    assert days(pl.col("country") == "QAT") <= 12
    assert days(pl.col("user:unit") == "North") >= 60
    assert days(pl.col("activity") == "14") <= 24
    assert plan.solution.gap <= 1e-3


def test_conflicting_shares_are_named() -> None:
    shares = [
        {"by": "country", "is": "QAT", "min": 0.7},
        {"by": "country", "is": "IND", "min": 0.6},
        {"by": "tier", "is": 1, "max": 0.9},
    ]
    with pytest.raises(UsageError) as error:
        runs.plan(500, 100, shares=shares)
    text = str(error.value)
    assert "cannot hold together" in text
    assert "QAT" in text
    assert "IND" in text
    assert "tier" not in text


TEAMS = [
    {"id": "south", "countries": ["BGD", "IND"], "days_per_month": 6, "skills": ["field"], "auditors": ["Rahman"]},
    {"id": "east", "countries": ["CHN", "MYS"], "days_per_month": 8, "months": {"2027-02": 0.0}},
    {"id": "gulf", "languages": ["ar"], "days_per_month": 5},
]


def test_teams_work_where_and_when_they_can() -> None:
    plan = runs.plan(400, 200, teams=TEAMS)
    frame = rows(plan)
    where = {"south": {"BGD", "IND"}, "east": {"CHN", "MYS"}, "gulf": {"QAT"}}
    for team, country in frame.select("team", "country").iter_rows():
        assert country in where[team]
    slots = plan.ground.calendar.slots
    used = np.bincount(plan.slot[plan.planned], plan.on_site_days[plan.planned], minlength=len(slots))
    for slot, days in zip(slots, used, strict=True):
        assert days <= slot.capacity + 1e-6, slot
    spent = frame.group_by("team").agg((pl.col("person_days") + pl.col("travel_days")).sum())
    for team, days in spent.iter_rows():
        assert days <= sum(slot.capacity for slot in slots if slot.team == team) + 1e-2
    assert not frame.filter((pl.col("team") == "east") & (pl.col("start_on").dt.month() == 2)).height
    assert "FRA" not in frame["country"].to_list()
    assert "no team or season in the window" in listing.left_out(plan)["why"].to_list()


def test_no_auditor_twice_running() -> None:
    audits = pl.DataFrame(
        {
            "_supplier_id": [f"S{i:07d}" for i in range(200)],
            "_audited_on": [date(2026, 3, 2)] * 200,
            "_auditor": ["Rahman"] * 200,
        }
    )
    frame = rows(runs.plan(200, 100, audits=audits, teams=TEAMS))
    assert frame.height
    assert "south" not in frame["team"].to_list()


def test_worn_notice_and_barred_countries() -> None:
    audits = pl.DataFrame(
        {
            "supplier_id": [f"S{i:07d}" for i in range(200) for _ in range(2)],
            "audited_on": ["2025-03-02", "2026-03-02"] * 200,
            "notice": ["unannounced"] * 400,
        }
    )
    assert "unannounced" not in rows(runs.plan(200, 100, audits=audits))["action"].to_list()
    frame = rows(runs.plan(200, 150, no_unannounced=["QAT", "MYS", "IND", "CHN", "BGD"]))
    assert set(frame.filter(pl.col("action") == "unannounced")["country"]) <= {"FRA"}


def test_seasons_bound_the_months() -> None:
    seasons = [{"activities": ["01"], "months": [10, 11]}, {"activities": ["13"], "months": [3]}]
    frame = rows(runs.plan(400, 200, seasons=seasons))
    for division, months in (("01", {10, 11}), ("13", {3})):
        found = set(frame.filter(pl.col("activity") == division)["start_on"].dt.month())
        assert found
        assert found <= months


def test_excluded_sites_stay_out() -> None:
    names = rows(runs.plan(200, 60))["supplier_id"].to_list()
    again = rows(runs.plan(200, 60, exclude=names[:5]))["supplier_id"].to_list()
    assert not set(names[:5]) & set(again)


def test_replanning_keeps_what_is_fixed() -> None:
    first = rows(runs.plan(300, 100))
    keep = first.filter((pl.col("start_on") <= date(2027, 1, 31)) | (pl.col("chosen_by") == "random"))
    second = rows(runs.plan(300, 80, keep=keep, seed=9))
    same = second.join(keep, on=["supplier_id", "action", "start_on", "chosen_by", "probability"])
    assert same.height == keep.height > 2
    assert second.filter("kept").height == keep.height
    assert total(second) <= 80 + 1e-3


def test_more_days_are_never_worth_less() -> None:
    values = [runs.plan(150, days).solution.value for days in (20, 60, 120)]
    assert values == sorted(values)


def test_curve_is_monotone_and_holds_the_plan() -> None:
    plan = runs.plan(300, 60)
    days, worth = zip(*plan.outlook.curve, strict=True)
    assert list(days) == sorted(days)
    assert any(abs(d - 60) < 1 for d in days)
    assert max(worth) > worth[0]
    low, middle, high = plan.outlook.cases
    assert low.value < middle.value < high.value
    assert all(case.best_value >= case.value for case in (low, middle, high))


def test_no_pattern_in_the_days_of_the_month() -> None:
    frame = rows(runs.plan(2000, 600))
    days = frame["start_on"].dt.day().value_counts()
    assert days["count"].max() < 0.2 * frame.height


def test_a_share_of_nothing_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="BANGLADESH"):
        runs.plan(100, 30, shares=[{"by": "country", "is": "BANGLADESH", "max": 0.2}])


def test_one_site_and_sites_without_risk() -> None:
    scores, sites = runs.made_up(5)
    alone = runs.plan(0, 10, of=inputs.read(scores[:1].lazy(), sites[:1].lazy()))
    assert rows(alone).height == 1
    harmless = scores.with_columns(
        pl.lit(0.0).alias(f"{hazard}_{measure}")
        for hazard in ("forced_labour", "child_labour")
        for measure in ("p05", "p50", "p95", "expected_affected")
    )
    plan = runs.plan(0, 60, of=inputs.read(harmless.lazy(), sites.lazy()))
    assert set(rows(plan)["chosen_by"]) <= {"random"}
    assert plan.solution.gap == 0


def test_the_same_site_twice_is_refused() -> None:
    scores, sites = runs.made_up(3)
    twice = pl.concat([sites[:2], sites[:1]])
    with pytest.raises(InputRefused):
        inputs.read(scores.lazy(), twice.lazy())
