"""Ranks: the highest P80 first, ties share the better rank, the interval of a rank holds it."""

from unittest import mock

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from vigilance import ranking
from vigilance.ranking import RANKS, with_ranks
from vigilance.terms import HAZARDS


def frame(values: list[tuple[float, float, float]]) -> pl.DataFrame:
    made = pl.DataFrame(values, schema=["p05", "p80", "p95"], orient="row")
    return made.select(
        pl.col(q).alias(f"{h}_{q}") if h == HAZARDS[0] else (pl.col(q) * 0).alias(f"{h}_{q}")
        for h in HAZARDS
        for q in made.columns
    )


def test_the_highest_comes_first_and_ties_share() -> None:
    ranks = with_ranks(frame([(0.1, 0.2, 0.3), (0.0, 0.5, 0.9), (0.1, 0.2, 0.3), (0.0, 0.05, 0.1)]), whole=True)
    assert ranks["rank"].to_list() == [2, 1, 2, 4]
    # At its 95 % bound the first would pass nobody but its equal; at its 5 % bound it would stand below both.
    assert ranks["rank_low"].to_list()[1] == 1
    assert ranks["rank_high"].to_list() == [3, 4, 3, 4]


def test_a_part_of_a_list_has_no_rank() -> None:
    ranks = with_ranks(frame([(0.1, 0.2, 0.3)]), whole=False)
    assert ranks.select(RANKS).row(0) == (None, None, None)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3).map(sorted), min_size=1, max_size=30))
def test_the_interval_of_a_rank_holds_it(values: list[list[float]]) -> None:
    ranks = with_ranks(frame([tuple(v) for v in values]), whole=True)  # type: ignore[misc]
    for low, mid, high in ranks.select("rank_low", "rank", "rank_high").iter_rows():
        assert 1 <= low <= mid <= high <= len(values)


@given(
    st.lists(st.tuples(*[st.sampled_from([0.0, 1e-7, 0.25, 0.2500001, 0.5, 1.0]) | st.floats(0, 1)] * 3), min_size=1)
)
def test_a_short_list_and_a_long_one_are_ranked_alike(values: list[tuple[float, float, float]]) -> None:
    rows = frame([tuple(sorted(v)) for v in values])  # type: ignore[misc]
    with mock.patch.object(ranking, "SORTED_ROWS", 0):
        counted = with_ranks(rows, whole=True)
    assert with_ranks(rows, whole=True).equals(counted)
