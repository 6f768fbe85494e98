"""An import: what it shows, what it keeps, what it refuses."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import reference, tables
from vigilance.errors import InputRefused, OutOfResources, UsageError
from vigilance.publishers import refresh

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
    proposal = refresh.propose(root, "ratifications", path)
    assert (proposal.added.height, proposal.removed.height) == (0, 0)
    assert {"ALB C105", "BOL C105"} & set(proposal.changed["key"])
    assert (root / "ratifications" / tables.TABLE).read_bytes() == before
    kept = refresh.apply(root, proposal)
    assert kept.read_bytes() == before
    assert tables.check_all(root)[1].rows() == []
    rows = reference.load(root).table("ratifications").filter(iso3="BOL", convention="C105")
    assert rows.select("deposited_on", "date_precision", "confidence").rows() == [(date(2005, 1, 11), "day", "seen")]


def test_the_same_file_again_changes_nothing(root: Path, tmp_path: Path) -> None:
    path = samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT)
    refresh.apply(root, refresh.propose(root, "ratifications", path))
    again = refresh.propose(root, "ratifications", path)
    assert again.empty
    assert again.confirmed == 4


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(root: Path, tmp_path: Path) -> None:
    proposal = refresh.propose(
        root, "ratifications", samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT)
    )
    (root / "ratifications").chmod(0o555)
    with pytest.raises(OutOfResources, match="--data DIR"):
        refresh.apply(root, proposal)


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
