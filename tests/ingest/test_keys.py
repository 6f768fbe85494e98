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
    return keys.repeated([_frame(ids)], pl.col("id"), [["id"]], ["list.csv"], [""], "id")


@given(ids=st.lists(st.one_of(st.none(), st.text("ab1", max_size=3)), max_size=12), ordered=st.booleans())
def test_a_key_that_is_there_twice_is_found_in_any_order(ids: list[str | None], ordered: bool) -> None:
    ids = sorted(ids, key=lambda text: text or "") if ordered else ids
    stated = [text for text in ids if text is not None]
    found = _repeated(ids)
    assert (found is not None) == (len(set(stated)) < len(stated))


@pytest.mark.parametrize("last", ["00003", "00999", None])
def test_only_the_end_is_out_of_order(last: str | None) -> None:
    ids: list[str | None] = [f"{i:05d}" for i in range(30_000)]
    found = _repeated([*ids, last])
    assert (found is None) == (last is None)
