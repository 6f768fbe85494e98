"""Check digits against python-stdnum, names without their legal clothing, lines into issuers."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isin as std_isin
from stdnum import lei as std_lei

from vigilance.portfolio import identity

ISINS = ["US0378331005", "FR0000121014", "JP3802300008", "US0378331006", "GB0002634946", "XX", "US03783310059"]
LEIS = ["HWUPKR0MPOU8FGXBT394", "IOG4E947OATN0KJYSD45", "HWUPKR0MPOU8FGXBT395", "short"]


def test_known_codes() -> None:
    assert identity.valid_isin(pl.Series(ISINS)).to_list() == [True, True, True, False, True, False, False]
    assert identity.valid_lei(pl.Series(LEIS)).to_list() == [True, True, False, False]
    assert identity.valid_isin(pl.Series([None], dtype=pl.String)).to_list() == [None]


letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=9, max_size=9)


@given(
    st.lists(
        st.builds(
            lambda a, b, c: a + b + c, st.sampled_from(["US", "FR", "JP"]), letters, st.sampled_from("0123456789")
        ),
        min_size=1,
    )
)
def test_isin_check_digits_agree_with_stdnum(codes: list[str]) -> None:
    assert identity.valid_isin(pl.Series(codes)).to_list() == [std_isin.is_valid(c) for c in codes]


@given(st.lists(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=18, max_size=18), min_size=1))
def test_lei_check_digits_agree_with_stdnum(stems: list[str]) -> None:
    codes = [
        stem + std_lei.calc_check_digits(stem) if hasattr(std_lei, "calc_check_digits") else stem + "00"
        for stem in stems
    ]
    assert identity.valid_lei(pl.Series(codes)).to_list() == [std_lei.is_valid(c) for c in codes]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("ALPHABET INC CLASS A", "Alphabet Inc."),
        ("SAMSUNG ELECTRONICS LTD PREF", "Samsung Electronics Co., Ltd."),
        ("THE COCA-COLA CO", "Coca Cola Company"),
        ("Kering S.A.", "KERING SA"),
        ("GRUMA S.A.B. DE CV", "Gruma SAB de CV"),
        ("Électricité de France SA", "ELECTRICITE DE FRANCE"),
    ],
)
def test_one_company_one_name(one: str, two: str) -> None:
    plain = pl.DataFrame({"n": [one, two]}).select(identity.plain_name("n"))["n"].to_list()
    assert plain[0] == plain[1]


@pytest.mark.parametrize(
    ("one", "two"), [("SOFTBANK GROUP CORP", "SOFTBANK CORP"), ("HEINEKEN NV", "HEINEKEN HOLDING NV")]
)
def test_near_names_of_two_companies_stay_two(one: str, two: str) -> None:
    plain = pl.DataFrame({"n": [one, two]}).select(identity.plain_name("n"))["n"].to_list()
    assert plain[0] != plain[1]


def lines(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    names = ("name", "isin", "lei", "ticker", "exchange", "iso3")
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String), orient="row")


def groups(*rows: tuple[str | None, ...]) -> list[int]:
    return identity.group(lines(*rows))["issuer"].to_list()


def test_many_isins_of_one_lei_are_one_issuer() -> None:
    lei = LEIS[0]
    assert groups(("A", ISINS[0], lei, None, None, None), ("B", ISINS[1], lei, None, None, None)) == [0, 0]


def test_a_shared_isin_joins_and_a_shared_ticker_needs_its_exchange() -> None:
    assert groups(("A", ISINS[0], None, None, None, None), ("B", ISINS[0], None, None, None, None)) == [0, 0]
    assert groups(("A", None, None, "MC", "Paris", None), ("B", None, None, "MC", "Paris", None)) == [0, 0]
    assert groups(("A", None, None, "MC", None, None), ("B", None, None, "MC", None, None)) == [0, 1]
    assert groups(("A", None, None, "MC", "Paris", None), ("B", None, None, "MC", "Nairobi", None)) == [0, 1]


def test_one_name_in_two_countries_or_with_two_leis_is_two_issuers() -> None:
    assert groups(("Metro AG", None, None, None, None, "DEU"), ("METRO INC", None, None, None, None, "CAN")) == [0, 1]
    assert groups(("X", None, LEIS[0], None, None, None), ("X", None, LEIS[1], None, None, None)) == [0, 1]


def test_names_join_when_nothing_speaks_against_it() -> None:
    assert groups(
        ("ALPHABET INC CLASS A", None, None, "GOOGL", "NASDAQ", "USA"), ("Alphabet Inc", None, None, None, None, None)
    ) == [0, 0]


def test_a_person_can_join_two_names() -> None:
    decided = pl.DataFrame({"name": ["lvmh moet hennessy"], "candidate": ["lvmh"]})
    rows = lines(("LVMH", None, None, None, None, None), ("LVMH Moët Hennessy", None, None, None, None, None))
    assert identity.group(rows)["issuer"].to_list() == [0, 1]
    assert identity.group(rows, decided)["issuer"].to_list() == [0, 0]


def test_near_names_are_asked_and_far_ones_are_not() -> None:
    found = identity.near(
        pl.Series(["fast retailling", "unrelated name"]), pl.DataFrame({"id": ["x"], "name": ["fast retailing"]}), 88.0
    )
    assert found["name"].to_list() == ["fast retailling"]
    assert found["decision"].to_list() == [""]
    assert found["candidate_id"].to_list() == ["x"]


def test_wrong_identifiers_are_blanked_and_named() -> None:
    rows = lines(("A", "us 0378331005", "bad", None, None, None), ("B", "US0378331006", None, None, None, None))
    rows = rows.with_columns(_file=pl.lit("f"), _sheet=pl.lit(""), _row=pl.int_range(2, 4, eager=True).cast(pl.Int64))
    tidy, problems = identity.clean(rows)
    assert tidy["isin"].to_list() == ["US0378331005", None]
    assert tidy["lei"].to_list() == [None, None]
    assert sorted(problems.select("code", "row").rows()) == [("isin_check", 3), ("lei_check", 2)]
