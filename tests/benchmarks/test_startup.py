"""The benchmark of short lists: what it runs, what it makes of the figures."""

from __future__ import annotations

from pathlib import Path

from benchmarks import startup


def test_every_contender_is_named_and_goals_are_of_contenders() -> None:
    assert set(startup.SAID) == set(startup.CONTENDERS)
    assert set(startup.GOALS) | startup.FRESH <= set(startup.CONTENDERS)


def test_figures_are_summed_over_rounds() -> None:
    rounds = [{"seconds": s, "cpu": s / 2, "peak_bytes": s * 1e6} for s in (3.0, 1.0, 2.0)]
    assert startup.summed(rounds) == {
        "least": 1.0,
        "median": 2.0,
        "cpu_least": 0.5,
        "cpu_median": 1.0,
        "peak_mb": 3.0,
    }


def test_one_round_is_measured_and_told(tmp_path: Path) -> None:
    found = startup.run(1, ("help", "score"), tmp_path)
    assert set(found["contenders"]) == {"help", "score"}
    assert 0 < found["contenders"]["help"]["cpu_median"] < found["contenders"]["score"]["cpu_median"]
    text = startup.table(found)
    assert f"polars {found['versions']['polars']}" in text
    assert text.count("\n| ") == 3


def test_a_goal_that_is_missed_is_said() -> None:
    row = {"median": 9.0, "least": 8.0, "cpu_median": 9.0, "cpu_least": 8.0, "peak_mb": 1.0}
    assert startup._goal("score", row) == "0.7: missed"
    assert startup._goal("score", {**row, "least": 0.6}) == "0.7: reached at best"
    assert startup._goal("score", {**row, "median": 0.6, "least": 0.5}) == "0.7: reached"
    assert startup._goal("libraries", row) == ""
