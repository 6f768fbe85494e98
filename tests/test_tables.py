"""The contract of a table: every card against its table, and wrong tables against the words of their message."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import reference, tables
from vigilance.errors import RuleError, UsageError

ROOT = reference.shipped_data()
CARDS = tables.read_cards(ROOT)
WRONG = Path(__file__).parent / "wrong_tables"


@pytest.fixture(scope="module")
def checked() -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    return tables.check_all(ROOT)


def test_every_shipped_table_fits_its_card(checked: tuple[dict[str, pl.DataFrame], pl.DataFrame]) -> None:
    assert checked[1].rows() == []


@pytest.mark.parametrize("name", sorted(CARDS))
def test_rows_and_digest_are_those_of_the_card(
    name: str, checked: tuple[dict[str, pl.DataFrame], pl.DataFrame]
) -> None:
    content = (ROOT / name / tables.TABLE).read_bytes()
    assert hashlib.sha256(content).hexdigest() == CARDS[name].sha256
    assert checked[0][name].height == CARDS[name].rows
    assert content.endswith(b"\n")
    assert b"\r" not in content


@pytest.mark.parametrize("name", sorted(CARDS))
def test_a_table_written_again_gives_the_same_bytes(
    name: str, checked: tuple[dict[str, pl.DataFrame], pl.DataFrame]
) -> None:
    assert tables.to_csv(CARDS[name], checked[0][name]) == (ROOT / name / tables.TABLE).read_bytes()


def test_the_manifest_is_that_of_the_cards() -> None:
    assert (ROOT / reference.MANIFEST).read_bytes() == tables.manifest(CARDS)


@pytest.mark.parametrize("name", sorted(CARDS))
def test_every_source_has_terms_and_no_path_of_a_machine(name: str) -> None:
    text = (ROOT / name / tables.TABLE).read_text() + (ROOT / name / tables.CARD).read_text()
    for words in ("/tmp/", "/home/", "/root/", "localhost"):
        assert words not in text
    assert all(source.licence for source in CARDS[name].sources)


def test_every_table_with_rows_of_a_year_says_when_they_were_known() -> None:
    dated = {name for name, card in CARDS.items() if {"year", "edition", "year_max"} & set(card.types)}
    assert {name for name in dated if reference.KNOWN_ON not in CARDS[name].types} == {"indicators"}


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.csv")), ids=lambda path: path.stem)
def test_a_wrong_table_is_told_in_words(path: Path) -> None:
    """``<case>.csv`` breaks the contract of ``card.yaml``; ``<case>.words`` holds what its messages must say."""
    card = tables.read_card(WRONG / "card.yaml")
    others = {"countries": pl.DataFrame({"iso3": ["FRA", "DEU", "CHN"]})}
    _rows, found = tables.check(card, path.read_bytes(), others)
    told = "\n".join(f"row {row['row']} {row['column']}: {row['message']} {row['value']}" for row in found.to_dicts())
    for words in path.with_suffix(".words").read_text().splitlines():
        assert words in told


def test_the_right_table_beside_the_wrong_ones_has_no_issue() -> None:
    card = tables.read_card(WRONG / "card.yaml")
    content = b"iso3,year,status,share,seen,since\nDEU,2020,done,0.5,true,2020-01-31\nFRA,2021,,1,false,\n"
    rows, found = tables.check(card, content, {"countries": pl.DataFrame({"iso3": ["FRA", "DEU"]})})
    assert found.rows() == []
    assert rows.rows()[0] == ("DEU", 2020, "done", 0.5, True, date(2020, 1, 31))


@pytest.mark.parametrize("path", sorted(WRONG.glob("card_*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_card_is_told_in_words(path: Path) -> None:
    with pytest.raises(RuleError) as raised:
        tables.read_card(path)
    assert str(path) in str(raised.value)
    for words in path.with_suffix(".words").read_text().splitlines():
        assert words in str(raised.value)


def test_the_errors_of_all_cards_come_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / tables.CARD).write_text(f"table: {name}\nwrong: 1\n")
    with pytest.raises(RuleError) as raised:
        tables.read_cards(tmp_path)
    assert "one" in str(raised.value)
    assert "two" in str(raised.value)


def test_a_card_in_another_folder_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conventions", tmp_path / "treaties")
    with pytest.raises(RuleError, match="treaties"):
        tables.read_cards(tmp_path)


def test_an_edited_table_shows_until_it_is_recorded(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conventions", tmp_path / "conventions")
    (tmp_path / reference.MANIFEST).write_bytes(tables.manifest(tables.read_cards(tmp_path)))
    path = tmp_path / "conventions" / tables.TABLE
    path.write_text(path.read_text().replace("Forced Labour Convention, 1930", "Convention 29", 1))
    found = tables.check_all(tmp_path)[1]
    assert found["code"].to_list() == ["sha256"]


def test_an_unknown_table_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="ratifications"):
        tables.columns_of(CARDS, "ratification")


def test_many_problems_of_one_kind_are_counted() -> None:
    card = tables.read_card(WRONG / "card.yaml")
    lines = "".join(f"FRA,{year},perhaps,0.5,true,\n" for year in range(2000, 2060))
    found = tables.check(card, f"iso3,year,status,share,seen,since\n{lines}".encode())[1]
    assert found.height == tables.SHOWN_ISSUES + 1
    assert "40 more rows" in found["message"].to_list()[-1]
