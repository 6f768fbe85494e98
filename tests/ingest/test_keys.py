"""Keys in order cannot repeat: the quick look must never say so of a list that has a key twice."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.ingest import keys
from vigilance.ingest.columns import LINE, ROW


def _frame(given: list[str | None]) -> pl.LazyFrame:
    ids = pl.DataFrame({"id": given}, schema={"id": pl.String})
    return ids.with_columns(pl.int_range(pl.len()).alias(ROW), (pl.int_range(pl.len()) + 2).alias(LINE)).lazy()


def _repeated(ids: list[str | None]) -> keys.Repeated | None:
    return keys.repeated([_frame(ids)], [pl.col("id")], [["id"]], ["list.csv"], [""], "id")


@given(ids=st.lists(st.one_of(st.none(), st.text("ab1", max_size=3)), max_size=12), ordered=st.booleans())
def test_a_key_that_is_there_twice_is_found_in_any_order(ids: list[str | None], ordered: bool) -> None:
    ids = sorted(ids, key=lambda text: text or "") if ordered else ids
    stated = [text for text in ids if text is not None]
    found = _repeated(ids)
    assert (found is not None) == (len(set(stated)) < len(stated))


@given(pairs=st.lists(st.tuples(st.one_of(st.none(), st.text("ab", max_size=2)), st.integers(0, 2)), max_size=12))
def test_a_key_of_two_columns_is_both_of_them(pairs: list[tuple[str | None, int]]) -> None:
    """A key with a blank part is none, and is not compared."""
    days = pl.Series([day for _id, day in pairs], dtype=pl.Int32).cast(pl.Date)
    frame = _frame([found for found, _day in pairs]).with_columns(day=days)
    parts = [pl.col("id"), pl.col("day")]
    found = keys.repeated([frame], parts, [["id", "day"]], ["list.csv"], [""], "id, day")
    stated = [pair for pair in pairs if pair[0] is not None]
    assert (found is not None) == (len(set(stated)) < len(stated))
    if found is not None:
        # The same twice is taken once; here nothing but the key could differ.
        assert found.rows["code"].unique().to_list() == ["duplicate_identical"]
        assert found.rows.height == len(stated) - len(set(stated))


@pytest.mark.parametrize("last", ["00003", "00999", None])
def test_only_the_end_is_out_of_order(last: str | None) -> None:
    ids: list[str | None] = [f"{i:05d}" for i in range(30_000)]
    found = _repeated([*ids, last])
    assert (found is None) == (last is None)
