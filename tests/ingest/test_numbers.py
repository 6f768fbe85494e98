"""Numbers, shares and counts by the column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest.conftest import codes

GOLDEN = [
    ("spend_eur", "1234.5|0|-0|", [1234.5, 0, 0, None]),
    ("spend_eur", "1 234,56|3,5|10", [1234.56, 3.5, 10]),
    ("spend_eur", "1\u202f234,56|1\u00a0000", [1234.56, 1000]),
    ("spend_eur", "1.234,56|1.234|7", [1234.56, 1234, 7]),
    ("spend_eur", "1,234.56|1,234|7.5", [1234.56, 1234, 7.5]),
    ("spend_eur", "1'234.50|1'000", [1234.5, 1000]),
    ("spend_eur", "€ 1,200|$3.50|12 EUR", [1200, 3.5, 12]),
    ("spend_eur", "2.5|3,5|4.75", [2.5, "aside", 4.75]),
    ("spend_eur", "1E5|1e+03", [100000, 1000]),
    ("spend_eur", "12|abc|nan|inf", [12, "aside", "aside", "aside"]),
    ("workers", "1.234|2.500|800", [1234, 2500, 800]),
    ("workers", "1.000|250", [1000, 250]),
    ("workers", "1.0|250.0", [1, 250]),
    ("workers", "1.250|12.5|40", [1.25, 12.5, 40]),
    ("workers", "250 employees|env. 300|200 salariés|between 100 and 400|entre 100 et 400", [250, 300, 200, 200, 200]),
    ("workers", "1 000 - 4 000|1,000-4,000|1.000-4.000|10,000+", [2000, 2000, 2000, 10000]),
    ("workers", "5k|1000-|~|12a", ["aside"] * 4),
    ("spend_eur", "1.234|250", ["aside", 250]),
    ("spend_eur", "1.234|250|7.5", [1.234, 250, 7.5]),
    ("spend_eur", "1.234.567|1.234", [1234567, 1234]),
    ("lat", "45.123|2.345", [45.123, 2.345]),
    ("migrant_share", "0.4|40", [0.4, "aside"]),
    ("migrant_share", "40%|0.4", [0.4, 0.4]),
    ("migrant_share", "1|1|0", [1, 1, 0]),
    ("migrant_share", "110%|40-60%|< 5%", ["aside"] * 3),
    ("workers", "1 234|56", [1234, 56]),
    ("workers", "1,234|56", [1234, 56]),
    ("workers", "100-500|> 1000|1 000+|~200|20", [223, 1000, 1000, 200, 20]),
    ("workers", "100 à 500|10 to 40|", [223, 20, None]),
    ("workers", "500-100|5", ["aside", 5]),
    ("workers", "-5|5000001|5000000|0", ["aside", "aside", 5_000_000, 0]),
    ("workers", "n/a|unknown|-|12", [None, None, None, 12]),
    ("migrant_share", "0.4|0.05|1|0", [0.4, 0.05, 1, 0]),
    ("migrant_share", "40|5|100", [0.4, 0.05, 1]),
    ("migrant_share", "40 %|5%|0,5 %", [0.4, 0.05, 0.005]),
    ("migrant_share", "0,4|0,05", [0.4, 0.05]),
    ("migrant_share", "0.05|0.1|7.5", [0.05, 0.1, "aside"]),
    ("migrant_share", "40|50|0.5|60", [0.4, 0.5, "aside", 0.6]),
    ("migrant_share", "-0.1|1.0|101", ["aside", 1.0, "aside"]),
    ("lat", "48.85|-91|91|abc", [48.85, "aside", "aside", "aside"]),
    ("lat", "48,85|2,35", [48.85, 2.35]),
]


@pytest.mark.parametrize(("name", "texts", "expected"), GOLDEN)
def test_golden(column: Callable[..., list[Any]], name: str, texts: str, expected: list[Any]) -> None:
    found = column(name, texts.split("|"))
    assert [x if isinstance(x, str) or x is None else round(x, 9) for x in found] == expected


def test_every_reading_that_is_not_plain_is_said(sites: Callable[..., Any]) -> None:
    said = {
        ("spend_eur", "3,5|1 234,5"): {"number_comma", "number_spaced"},
        ("workers", "1.234|2.000"): {"number_thousands"},
        ("workers", "100-500|> 10"): {"number_range", "number_bound"},
        ("migrant_share", "40|50"): {"share_percent"},
        ("workers", "12|n/a"): {"number_unknown"},
        ("workers", "12|13"): set(),
        ("workers", "1.000|250"): {"number_thousands"},
        ("spend_eur", "1.234|250"): {"number_unreadable"},
        ("migrant_share", "1|0"): {"share_whole"},
        ("migrant_share", "1|0.5"): set(),
    }
    for (name, texts), expected in said.items():
        assert set(codes(sites({name: texts.split("|")}))) == expected


def test_a_mixed_column_keeps_the_majority_and_says_why(sites: Callable[..., Any]) -> None:
    intake = sites({"spend_eur": ["2.5", "4.75", "3,5"]})
    issue = intake.issues.filter(pl.col("severity") == "error").row(0, named=True)
    assert (issue["row"], issue["value"]) == (3, "3,5")
    assert "both" in issue["message"]


@settings(max_examples=12, deadline=None)
@given(values=st.lists(st.integers(0, 4_999_999), min_size=1, max_size=8))
def test_counts_survive_any_consistent_spelling(sites: Callable[..., Any], values: list[int]) -> None:
    spellings = [
        str,
        lambda v: f"{v:,}".replace(",", " "),
        lambda v: f"{v:,}".replace(",", "\u202f"),
        lambda v: f"{v}.0",
    ]
    for spell in spellings:
        found = sites({"workers": [spell(v) for v in values]}).rows.collect()["_workers"].to_list()
        assert found == [float(v) for v in values]


@settings(max_examples=12, deadline=None)
@given(values=st.lists(st.floats(0.5, 1e6).map(lambda v: round(v, 2)), min_size=2, max_size=8))
def test_a_decimal_comma_is_the_same_number(sites: Callable[..., Any], values: list[float]) -> None:
    texts = [f"{v:.2f}".replace(".", ",") for v in values]
    found = sites({"spend_eur": texts}).rows.collect()["_spend_eur"].to_list()
    assert found == pytest.approx(values)


def test_a_whole_share_is_written_so_that_nothing_has_to_be_said_again(sites: Callable[..., Any]) -> None:
    corrected = sites({"migrant_share": ["1", "0", ""]}).corrected.collect()["migrant_share"].to_list()
    assert corrected[:2] == ["100%", "0"]
    again = sites({"migrant_share": corrected})
    assert not codes(again)
    assert again.rows.collect()["_migrant_share"].to_list() == [1, 0, None]
