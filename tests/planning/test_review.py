"""Reviews: hit-rates, baselines and the estimate for what was never audited, on outcomes that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vigilance.planning import output, past, review

from . import runs

NUMBERS = runs.numbers()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "plan"
    output.write(runs.plan(3_000, 900), path, {"on": "2026-11-01"}, runs.ON)
    return path


def audits(plan: past.PastPlan, found: pl.Expr) -> pl.DataFrame:
    return plan.planned.select(pl.col("supplier_id"), pl.col("start_on").alias("audited_on"), found.alias("found"))


def test_rates_of_known_outcomes(folder: Path) -> None:
    plan = past.open_plan(folder)
    said = review.review([plan], audits(plan, pl.col("chosen_by") == "value"), None, NUMBERS)
    one = said["plans"][0]
    assert one["audited"] == one["planned"] == plan.planned.height
    assert one["hit_rate"]["share"] == 1.0
    assert one["baselines"]["random"]["share"] == 0.0
    assert one["not_audited"]["as_audits_see_it"]["share"] == 0.0
    assert one["not_audited"]["as_audits_see_it"]["high"] > 0.0
    assert said["hit_rate"]["random"]["share"] == 0.0


def test_findings_of_forced_labour_are_hits_and_fire_safety_is_not(folder: Path) -> None:
    plan = past.open_plan(folder)
    seen = audits(plan, pl.lit(None, pl.Boolean)).drop("found")
    first, second, third = seen["supplier_id"].head(3).to_list()
    days = dict(seen.iter_rows())
    findings = pl.DataFrame(
        {
            "supplier_id": [first, second, third],
            "audited_on": [days[first], days[second], days[third]],
            "topic": ["Forced labour", "health and safety", "debt bondage"],
            "severity": ["critical", "critical", "minor"],
        }
    )
    said = review.review([plan], seen, findings, NUMBERS)
    assert said["plans"][0]["hits"] == 1


def test_prevalence_of_the_unaudited_is_recovered(folder: Path) -> None:
    """Over many drawn samples the interval holds the truth about as often as it says."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        truth, drawn = 0.2, 40
        hits = (rng.random(drawn) < truth).astype(float)
        found = review.rate(hits, np.full(drawn, 75.0))
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= truth <= found.high
    assert inside / 200 > 0.84


def test_correction_raises_what_audits_see(folder: Path) -> None:
    plan = past.open_plan(folder)
    drawn = pl.col("chosen_by") == "random"
    one = review.review([plan], audits(plan, drawn & (pl.col("supplier_id").hash(0) % 4 == 0)), None, NUMBERS)
    said = one["plans"][0]["not_audited"]
    shares = [case["share"] for case in said["corrected"]]
    assert shares == sorted(shares, reverse=True)
    if said["as_audits_see_it"]["share"]:
        assert shares[-1] > said["as_audits_see_it"]["share"]


def test_audits_outside_the_window_do_not_count(folder: Path) -> None:
    plan = past.open_plan(folder)
    late = audits(plan, pl.lit(True)).with_columns(pl.col("audited_on").dt.offset_by("3y"))
    assert review.review([plan], late, None, NUMBERS)["plans"][0]["audited"] == 0
