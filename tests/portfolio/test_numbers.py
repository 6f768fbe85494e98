"""Numbers and dates of fund files: the column decides, never a single cell."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.portfolio import numbers


def read(*texts: str | None) -> list[float | None]:
    column = pl.Series("x", list(texts), dtype=pl.String)
    return numbers.parsed(column, numbers.decimal_sign(column)).to_list()


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,000,000.00", "0.50"], [1_000_000.0, 0.5]),
        (["1.000.000,00", "0,50"], [1_000_000.0, 0.5]),
        (["1 234,56", "3,5"], [1234.56, 3.5]),
        (["1\u202f234,56", "7"], [1234.56, 7.0]),
        (["4.98 %", "0.02%"], [4.98, 0.02]),
        (["-0.07", "(1.5)", "−2"], [-0.07, -1.5, -2.0]),
        (["1'234.5", "2"], [1234.5, 2.0]),
        (["EUR 10.5", "12$"], [10.5, 12.0]),
        (["1.2e-3", "5"], [0.0012, 5.0]),
        (["abc", "1.5", None], [None, 1.5, None]),
        (["1,234", "2,345"], [1234.0, 2345.0]),
        (["1,5", "1.5"], [None, 1.5]),
    ],
)
def test_spellings(texts: list[str | None], values: list[float | None]) -> None:
    assert read(*texts) == values


@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 2)), min_size=1, max_size=20))
def test_english_and_french_columns_read_the_same(values: list[float]) -> None:
    english = [f"{v:,.2f}" for v in values]
    french = [t.replace(",", " ").replace(".", ",") for t in english]
    assert read(*english) == pytest.approx(values)
    assert read(*french) == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Dec 24, 2024", date(2024, 12, 24)),
        ("19-Jun-2026", date(2026, 6, 19)),
        ("As of 10-Mar-2022", date(2022, 3, 10)),
        ("31 décembre 2025", date(2025, 12, 31)),
        ("1er août 2026", date(2026, 8, 1)),
        ("2026-11-30", date(2026, 11, 30)),
        ("20261130", date(2026, 11, 30)),
        ("31/12/2025", date(2025, 12, 31)),
        ("12/31/2025", date(2025, 12, 31)),
        ("01/02/2026", None),
        ("02/02/2026", date(2026, 2, 2)),
        ("31-Feb-2026", None),
        ("nothing", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert numbers.day(text) == day
