"""Ids of evidence found among the sites of a list, whatever their hashes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.register import Register, beyond, once_a_day

IDS = st.lists(st.text(max_size=14), unique=True, max_size=30)
ASKED = st.lists(st.none() | st.text(max_size=3), max_size=30)


def register(ids: list[str], **columns: list[object]) -> Register:
    rows = {"_row": list(range(0, 2 * len(ids), 2)), "_supplier_id": pl.Series(ids, dtype=pl.String), **columns}
    return Register(pl.LazyFrame(rows), list(columns))


@given(IDS, ASKED)
def test_each_id_is_found_where_it_stands(ids: list[str], others: list[str | None]) -> None:
    asked = pl.Series([*ids, *others, *ids], dtype=pl.String).sample(fraction=1, shuffle=True, seed=1)
    where = {text: place for place, text in enumerate(ids)}
    assert register(ids).places(asked).to_list() == [where.get(text) for text in asked]


def test_ids_of_one_hash_are_told_apart_by_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Series, "hash", lambda self: pl.select(pl.repeat(7, len(self), dtype=pl.UInt64)).to_series())
    asked = pl.Series(["b", None, "z", "a", "b"])
    assert register(["a", "b", "c"]).places(asked).to_list() == [1, None, None, 0, 1]


def test_rows_about_unknown_sites_are_left_out_and_rows_about_none_stay() -> None:
    frame = pl.DataFrame({"_supplier_id": ["b", "nobody", None, "a"], "n": [1, 2, 3, 4]})
    assert register(["a", "b"]).of_sites(frame).rows() == [(1, 1), (None, 3), (0, 4)]


def test_sites_come_back_by_place_with_their_row_and_id() -> None:
    known = register(["a", "b", "c"], _workers=[1.0, 2.0, None])
    told = known.told_of([pl.DataFrame({"_supplier_id": pl.Series([2, 0, 2, None], dtype=pl.Int32)})])
    rows = known.at(told, {"_supplier_id", "_workers"})
    assert rows.select("_supplier_id", "_workers").rows() == [(0, 1.0), (2, None)]
    shuffled = rows.reverse().select("_supplier_id", "_workers")
    assert known.named(shuffled).rows() == [(0, "a", 1.0), (4, "c", None)]
    assert known.at(None, {"_supplier_id"})["_supplier_id"].to_list() == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-40_000, 40_000)), max_size=12))
def test_two_audits_on_one_day_are_seen(found: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(
        {"_supplier_id": [site for site, _ in found], "_audited_on": [day for _, day in found]},
        schema={"_supplier_id": pl.Int32, "_audited_on": pl.Int32},
    ).cast({"_audited_on": pl.Date})
    assert once_a_day(frame) == (len(set(found)) == len(found))


def test_what_reaches_beyond_its_site() -> None:
    own = pl.DataFrame({"_supplier_id": ["a"]})
    group = pl.DataFrame({"_supplier_id": ["a", None]})
    assert not beyond({"audits": own, "measures": own})
    assert beyond({"audits": own, "measures": group})
    assert beyond({"events": pl.DataFrame({"_place": ["BGD"]})})
    assert beyond({"measures": pl.DataFrame({"_parent_company": ["x"]})})
