"""An import: what it shows, what it keeps, what it refuses."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import reference, tables
from vigilance.errors import InputRefused, OutOfResources, UsageError
from vigilance.publishers import refresh
from vigilance.publishers.reading import Reading

from . import samples

SOME = ("conventions", "countries", "goods", "ratifications", "trafficking_tiers")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Facts of a user's own: a few of the shipped tables."""
    for name in SOME:
        shutil.copytree(reference.shipped_data() / name, tmp_path / "facts" / name)
    refresh.record(tmp_path / "facts")
    return tmp_path / "facts"


def test_a_change_is_shown_written_and_the_old_table_kept(root: Path, tmp_path: Path) -> None:
    path = samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT)
    before = (root / "ratifications" / tables.TABLE).read_bytes()
    proposal = refresh.propose(root, "ratifications", path, date(2026, 10, 1))
    assert (proposal.added.height, proposal.removed.height) == (0, 0)
    assert {"ALB C105", "BOL C105"} & set(proposal.changed["key"])
    assert (root / "ratifications" / tables.TABLE).read_bytes() == before
    kept = refresh.apply(root, proposal)
    assert kept.read_bytes() == before
    assert tables.check_all(root)[1].rows() == []
    rows = reference.load(root).table("ratifications").filter(iso3="BOL", convention="C105")
    assert rows.select("deposited_on", "date_precision", "confidence").rows() == [(date(2005, 1, 11), "day", "seen")]
    assert rows["status_as_of"].item() == date(2026, 10, 1)
    assert tables.read_card(root / "ratifications" / tables.CARD).as_of == date(2026, 10, 1)


def test_the_same_file_again_changes_nothing(root: Path, tmp_path: Path) -> None:
    path = samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT)
    refresh.apply(root, refresh.propose(root, "ratifications", path))
    again = refresh.propose(root, "ratifications", path)
    assert again.empty
    assert again.confirmed == 4


def test_a_file_older_than_the_table_is_said() -> None:
    table = {"iso3": ["FRA", "IND"], "known_on": [date(2024, 12, 31), date(2022, 12, 31)]}
    told = pl.DataFrame({"iso3": ["FRA", "IND"], "known_on": [date(2023, 12, 31), date(2023, 12, 31)]})
    found = refresh.older(pl.DataFrame(table), told, ("iso3",), "wdi.csv")
    assert found["code"].to_list() == ["older_than_table"]
    assert found["value"].item() == "FRA: 2023-12-31 < 2024-12-31"
    assert refresh.older(told, pl.DataFrame(table), ("iso3",), "wdi.csv")["value"].item().startswith("IND")
    assert refresh.older(told, told, ("iso3",), "wdi.csv").is_empty()
    assert refresh.older(told.drop("known_on"), told, ("iso3",), "wdi.csv").is_empty()


def test_an_import_shows_that_the_file_is_older(tmp_path: Path) -> None:
    root = refresh.copy_of(reference.shipped_data(), tmp_path / "facts")
    path = samples.write(tmp_path, "vdem.csv", "country_name,country_text_id,year,v2x_rule\nFrance,FRA,2016,0.98\n")
    proposal = refresh.propose(root, "country_indicators", path)
    assert "older_than_table" in proposal.reading.issues["code"].to_list()


def test_an_empty_cell_erases_nothing(root: Path, tmp_path: Path) -> None:
    ages = pl.col("declared_min_age")
    old = reference.load(root).table("ratifications").filter(ages.is_not_null(), convention="C138").row(0, named=True)
    text = f"Country,Date,Status,Note\n{old['iso3']},1 Jan 1990,In Force,\n"
    refresh.apply(root, refresh.propose(root, "ratifications", samples.write(tmp_path, "C138.csv", text)))
    new = reference.load(root).table("ratifications").filter(iso3=old["iso3"], convention="C138")
    assert new["declared_min_age"].item() == old["declared_min_age"]


def test_a_new_edition_leaves_the_others_alone_and_drops_what_it_no_longer_lists(root: Path, tmp_path: Path) -> None:
    published = date(2024, 9, 5)
    path = samples.workbook(tmp_path, "goods.xlsx", samples.GOODS)
    first = refresh.propose(root, "goods", path, published)
    assert (first.added.height, first.changed.height, first.removed.height) == (4, 0, 0)
    refresh.apply(root, first)
    shorter = samples.workbook(tmp_path, "shorter.xlsx", samples.GOODS[:-1])
    second = refresh.propose(root, "goods", shorter, published)
    assert second.removed.select("edition", "iso3", "good").rows() == [(2024, "COD", "Gold")]
    card = tables.read_card(root / "goods" / tables.CARD)
    assert card.as_of == published


def test_a_table_that_would_not_fit_its_card_is_refused(root: Path, tmp_path: Path) -> None:
    path = samples.write(tmp_path, "tiers.csv", "Country,Tier,Year\nFrance,Tier 1,1931\n")
    before = (root / "trafficking_tiers" / tables.TABLE).read_bytes()
    with pytest.raises(InputRefused, match="would not fit its card"):
        refresh.propose(root, "trafficking_tiers", path)
    assert (root / "trafficking_tiers" / tables.TABLE).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_said(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT)
    proposal = refresh.propose(root, "ratifications", path)
    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(OutOfResources, match="--data DIR"):
        refresh.apply(root, proposal)


def test_a_full_disk_leaves_the_old_table_whole(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT)
    proposal = refresh.propose(root, "ratifications", path)
    before = (root / "ratifications" / tables.TABLE).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        refresh.apply(root, proposal)
    monkeypatch.undo()
    assert (root / "ratifications" / tables.TABLE).read_bytes() == before
    assert tables.check_all(root)[1].rows() == []


KEYS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(2000, 2003)), unique=True, max_size=8)


@settings(max_examples=30, deadline=None)
@given(old=KEYS, told=KEYS, scoped=st.booleans())
def test_a_merge_keeps_adds_and_drops_what_it_says(
    old: list[tuple[str, int]], told: list[tuple[str, int]], scoped: bool
) -> None:
    """Keys after = told + old ones outside the scope; merging twice is merging once; null erases nothing."""
    card = tables.read_card(reference.shipped_data() / "conventions" / tables.CARD)
    columns = (
        tables.Column(name="iso3", type="string", meaning="x"),
        tables.Column(name="year", type="integer", meaning="x"),
        tables.Column(name="value", type="number", meaning="x", nullable=True),
    )
    card = card.model_copy(update={"columns": columns, "key": ("iso3", "year")})
    schema = {"iso3": pl.String, "year": pl.Int64, "value": pl.Float64}
    before = pl.DataFrame([(*key, 1.0) for key in old], schema=schema, orient="row")
    rows = pl.DataFrame([(*key, None) for key in told], schema=schema, orient="row")
    reading = Reading("x", "y", rows, ("year",) if scoped else ())
    once = refresh.merged(before, reading, card)
    years = {year for _iso3, year in told} if scoped else set()
    assert set(once.select("iso3", "year").iter_rows()) == {*told, *(key for key in old if key[1] not in years)}
    assert refresh.merged(once, reading, card).equals(once)
    assert once.filter(pl.col("value").is_not_null()).height == once.join(before, on=["iso3", "year"]).height


def test_a_copy_is_made_once_and_never_over_something_else(root: Path, tmp_path: Path) -> None:
    marker = root / "conventions" / "mine.txt"
    marker.write_text("mine")
    assert refresh.copy_of(reference.shipped_data(), root) == root
    assert marker.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("x")
    with pytest.raises(UsageError, match="not a copy"):
        refresh.copy_of(reference.shipped_data(), tmp_path / "other")


def test_a_table_edited_by_hand_is_recorded(root: Path) -> None:
    path = root / "conventions" / tables.TABLE
    path.write_text(path.read_text().replace("Forced Labour Convention, 1930", "Convention 29", 1))
    assert refresh.record(root) == ["conventions"]
    assert refresh.record(root) == []
    assert tables.check_all(root)[1].rows() == []


def test_a_wrong_edit_is_not_recorded(root: Path) -> None:
    path = root / "conventions" / tables.TABLE
    path.write_text(path.read_text().replace("1932-05-01", "soon"))
    with pytest.raises(InputRefused, match="not a date"):
        refresh.record(root)


def test_a_copy_of_the_shipped_facts_is_whole_without_the_examples(tmp_path: Path) -> None:
    copy = refresh.copy_of(reference.shipped_data(), tmp_path / "facts")
    assert not (copy / "examples").exists()
    assert (
        reference.load(copy).in_force(date(2026, 1, 1)).digest
        == reference.load(reference.shipped_data()).in_force(date(2026, 1, 1)).digest
    )
