"""Ranks: the highest P80 first, ties share the better rank, the interval of a rank holds it."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

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
