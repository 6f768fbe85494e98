from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.frames import POINT, limits, sites

from vigilance.alerts import compare
from vigilance.terms import HAZARDS


@dataclass
class Steps:
    """A past whose scores after each step are given: step → site → score (both hazards)."""

    scores: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    same_evidence: bool = True

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(step for step in compare.STEPS if step in self.scores)

    def rescored(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        ids = rows["supplier_id"].to_list()
        return {
            step: pl.DataFrame(
                {"supplier_id": ids, **{f"{h}_score": [self.scores[step][i] for i in ids] for h in HAZARDS}},
                schema={"supplier_id": pl.String, **{f"{h}_score": pl.Int64 for h in HAZARDS}},
            )
            for step in self.steps
        }


def scored(supplier_id: str, score: int, **more: object) -> dict[str, object]:
    return {"supplier_id": supplier_id, **{f"{h}_{n}": score for h in HAZARDS for n in ("score", "told")}, **more}


units = st.integers(0, 100 * POINT)


@given(st.lists(st.tuples(units, units, units, units, units, units), min_size=1, max_size=6))
def test_the_parts_add_up_exactly(rows: list[tuple[int, ...]]) -> None:
    ids = [f"S{n}" for n in range(len(rows))]
    then = sites(*(scored(i, row[0]) for i, row in zip(ids, rows, strict=True)))
    now = sites(*(scored(i, row[5], workers=101.0) for i, row in zip(ids, rows, strict=True)))
    steps = {
        step: {i: row[place] for i, row in zip(ids, rows, strict=True)}
        for place, step in enumerate(compare.STEPS, start=1)
    }
    found = compare.ledger(compare.paired(now, then), then, Steps(steps))
    assert found.select((pl.sum_horizontal(compare.PARTS) == pl.col("after") - pl.col("before")).all()).item()
    changed = {i for i, row in zip(ids, rows, strict=True) if row[0] != row[5]}
    assert set(found["supplier_id"]) == changed
    for row in found.iter_rows(named=True):
        values = rows[ids.index(row["supplier_id"])]
        assert row["code"] == values[1] - values[0]
        assert row["time"] == values[2] - values[1]
        assert row["data"] == values[5] - values[4]


def test_a_site_of_which_nothing_new_was_said_is_moved_by_the_one_thing_that_changed() -> None:
    then = sites(scored("A", 10), scored("B", 10))
    now = sites(scored("A", 13), scored("B", 20, workers=7.0))
    past = Steps({"time": {"A": 13, "B": 13}})
    pairs = compare.paired(now, then)
    found = compare.ledger(pairs, then, past)
    assert set(found["supplier_id"]) == {"B"}
    assert compare.only_step(past) == "time"
    frame = pairs.select("supplier_id", score="forced_labour_score", was_score="was_forced_labour_score")
    parts = compare.with_parts(frame, found, "forced_labour", "time").rows_by_key("supplier_id", named=True)
    assert {name: parts["A"][0][name] for name in ("before", "after", "time", "data")} == {
        "before": 10,
        "after": 13,
        "time": 3,
        "data": 0,
    }
    assert (parts["B"][0]["time"], parts["B"][0]["data"]) == (3, 7)


def test_new_evidence_is_not_taken_for_the_passing_of_time() -> None:
    then, now = sites(scored("A", 10)), sites(scored("A", 30))
    past = Steps({"time": {"A": 11}}, same_evidence=False)
    found = compare.ledger(compare.paired(now, then), then, past)
    assert found["time"].to_list() == [1, 1]
    assert found["data"].to_list() == [19, 19]


def test_appeared_moved_and_vanished() -> None:
    then = sites(scored("old", 40), scored("gone", 5), scored("stays", 7))
    now = sites(scored("stays", 7), scored("moved", 50, predecessor_id="old"), scored("fresh", 9, predecessor_id="?"))
    pairs = compare.paired(now, then)
    found = compare.ledger(pairs, then, Steps())
    kinds = {(row["supplier_id"], row["kind"]) for row in found.iter_rows(named=True)}
    assert kinds == {("moved", "moved"), ("fresh", "appeared"), ("gone", "vanished")}
    moved = found.filter(pl.col("kind") == "moved").row(0, named=True)
    assert (moved["before"], moved["after"], moved["data"]) == (40, 50, 10)
    appeared = found.filter(pl.col("kind") == "appeared").row(0, named=True)
    assert appeared["before"] is None
    assert appeared["data"] is None


def test_a_predecessor_that_is_still_there_is_not_taken_over() -> None:
    then = sites(scored("old", 40))
    now = sites(scored("old", 40), scored("new", 50, predecessor_id="old"))
    assert compare.paired(now, then)["origin"].to_list() == ["old", None]


def test_only_the_first_of_two_sites_follows_a_predecessor() -> None:
    then = sites(scored("old", 40))
    now = sites(scored("a", 1, predecessor_id="old"), scored("b", 2, predecessor_id="old"))
    assert compare.paired(now, then)["origin"].to_list() == ["old", None]


def test_the_order_of_the_list_changes_nothing() -> None:
    then = sites(scored("A", 1), scored("B", 2), scored("C", 3))
    now = sites(scored("C", 4), scored("A", 1), scored("B", 5))
    pairs = compare.paired(now, then)
    assert dict(pairs.select("supplier_id", "was_forced_labour_score").iter_rows()) == {"A": 1, "B": 2, "C": 3}


def held(was: int, p80: float, band: int, override: str | None = None) -> int:
    """The band held after a week, from what was held, the percentile in per cent, and the band of the score."""
    h = "forced_labour"
    then = sites({"supplier_id": "A", f"{h}_held": was})
    now = sites({"supplier_id": "A", f"{h}_p80": int(p80 * 10**8), f"{h}_band": band, f"{h}_override": override})
    pairs = compare.paired(now, then)
    changes = compare.ledger(pairs, then, Steps())
    frame = compare.carried(pairs, changes, limits().bands, limits().band_margin)
    return int(frame[f"{h}_held"][0])


@pytest.mark.parametrize(
    ("was", "p80", "band", "after"),
    [
        (1, 5.2, 2, 1),  # above the limit of 5, not by the margin
        (1, 5.6, 2, 2),
        (2, 4.8, 1, 2),  # below, not by the margin
        (2, 4.4, 1, 1),
        (0, 16.0, 3, 2),  # from low to just above 15: high at once, severe not yet
        (0, 17.0, 3, 3),
        (3, 1.0, 0, 0),
    ],
)
def test_a_band_changes_only_beyond_its_margin(was: int, p80: float, band: int, after: int) -> None:
    assert held(was, p80, band) == after


def test_an_override_is_held_at_once() -> None:
    assert held(0, 0.1, 3, "confirmed_case") == 3


@given(st.lists(st.floats(4.6, 5.4), min_size=2, max_size=20))
def test_a_site_that_hovers_around_a_limit_crosses_at_most_once(levels: list[float]) -> None:
    now, crossings = 1, 0
    for level in levels:
        after = held(now, level, 2 if level >= 5 else 1)
        crossings += after != now
        now = after
    assert crossings <= 1


def test_what_the_method_changes_moves_the_told_score_with_it() -> None:
    then = sites(scored("A", 10 * POINT))
    now = sites(scored("A", 30 * POINT, workers=5.0))
    past = Steps({"code": {"A": 15 * POINT}, "time": {"A": 15 * POINT}, "weights": {"A": 25 * POINT}})
    pairs = compare.paired(now, then)
    found = compare.ledger(pairs, then, past)
    frame = compare.carried(pairs, found, limits().bands, 0.1)
    assert frame["forced_labour_told"].to_list() == [25 * POINT]  # 5 of the program, 10 of the judgements


def test_since_is_kept_while_nothing_new_is_said() -> None:
    then = sites(scored("A", 1), scored("B", 1))
    now = sites(scored("A", 2), scored("B", 1, tier=4)).with_columns(since=pl.date(2026, 6, 1))
    pairs = compare.paired(now, then)
    frame = compare.carried(pairs, compare.ledger(pairs, then, Steps()), limits().bands, 0.1)
    assert [str(day) for day in frame["since"]] == ["2026-01-05", "2026-06-01"]
