"""Check digits, against python-stdnum as a second opinion; texts that hide something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import ean, isin, lei
from tests.ingest.conftest import codes

from vigilance.ingest import identifiers


def says(valid: Callable[[pl.Expr], pl.Expr], texts: list[str]) -> list[bool]:
    return pl.DataFrame({"t": texts}).select(valid(pl.col("t")).fill_null(value=False))["t"].to_list()


@settings(max_examples=25, deadline=None)
@given(body=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=18, max_size=18), wrong=st.integers(0, 99))
def test_lei_agrees_with_stdnum(body: str, wrong: int) -> None:
    texts = [lei_of(body), f"{body}{wrong:02}"]
    assert says(identifiers.valid_lei, texts) == [True, lei.is_valid(texts[1])]


def lei_of(body: str) -> str:
    value = int("".join(str(int(char, 36)) for char in body + "00"))
    return f"{body}{98 - value % 97:02}"


@settings(max_examples=25, deadline=None)
@given(
    country=st.sampled_from(["US", "FR", "DE", "JP", "CN"]),
    body=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=9, max_size=9),
    wrong=st.integers(0, 9),
)
def test_isin_agrees_with_stdnum(country: str, body: str, wrong: int) -> None:
    texts = [isin.from_natid(country, body), f"{country}{body}{wrong}"]
    assert says(identifiers.valid_isin, texts) == [isin.is_valid(text) for text in texts]


@settings(max_examples=25, deadline=None)
@given(body=st.text("0123456789", min_size=12, max_size=12), wrong=st.integers(0, 9))
def test_gln_agrees_with_stdnum(body: str, wrong: int) -> None:
    texts = [body + ean.calc_check_digit(body), f"{body}{wrong}"]
    assert says(identifiers.valid_gln, texts) == [True, ean.is_valid(texts[1])]


def test_a_bad_check_digit_is_a_warning_where_it_is_not_the_key(sites: Callable[..., Any]) -> None:
    good = lei_of("969500FP1Q27V66DXE")
    bad = good[:-1] + str((int(good[-1]) + 1) % 10)
    intake = sites({"lei": [good, bad], "duns": ["012345678", "12345678"]})
    assert codes(intake) == ["duns_invalid", "lei_invalid"]
    rows = intake.rows.collect()
    assert rows["_lei"].to_list() == [good, None]
    assert rows["_duns"].to_list() == ["012345678", None]


@pytest.mark.parametrize(
    ("name", "code"),
    [("Acme\u200b Ltd", "text_invisible"), ("Acme\u202e Ltd", "text_invisible"), ("Аcme Ltd", "text_lookalike")],
)
def test_hidden_characters_are_said_and_the_original_is_kept(sites: Callable[..., Any], name: str, code: str) -> None:
    intake = sites({"name": [name, "Plain"]})
    assert codes(intake) == [code]
    assert intake.rows.collect()["name"][0] == name


def test_an_id_made_a_number_by_a_spreadsheet_is_said(sites: Callable[..., Any]) -> None:
    assert codes(sites({"supplier_id": ["1.23E+15", "S2"]})) == ["id_scientific"]
    assert sites({"supplier_id": ["007", "7"]}).rows.collect()["_supplier_id"].to_list() == ["007", "7"]


def test_formula_like_text_is_data(sites: Callable[..., Any]) -> None:
    name = '=HYPERLINK("http://x","y")'
    intake = sites({"name": [name]})
    assert codes(intake) == []
    assert intake.rows.collect()["_name"][0] == name
