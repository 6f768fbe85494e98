"""The reference: verified when read, and nothing dated after the date asked for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import reference
from vigilance.errors import InputRefused, UsageError

REFERENCE = reference.load()
DAYS = st.dates(min_value=date(1925, 1, 1), max_value=date(2030, 12, 31))
DATED = [name for name in REFERENCE.tables if reference.KNOWN_ON in REFERENCE.entries[name].columns]


@settings(max_examples=40, deadline=None)
@given(on=DAYS)
def test_no_row_and_no_event_of_a_later_date(on: date) -> None:
    facts = REFERENCE.in_force(on)
    for name in DATED:
        frame = facts.table(name)
        assert frame.filter(pl.col(reference.KNOWN_ON) > on).height == 0
        for column in REFERENCE.entries[name].events:
            assert frame.filter(pl.col(column) > on).height == 0


@settings(max_examples=25, deadline=None)
@given(on=DAYS, later=st.integers(min_value=0, max_value=4000))
def test_what_was_known_stays_known(on: date, later: int) -> None:
    for name in ("goods", "trafficking_tiers", "country_indicators", "ratifications", "global_estimates"):
        key = list(REFERENCE.entries[name].key)
        before = REFERENCE.in_force(on).table(name).select(key)
        after = REFERENCE.in_force(on + timedelta(days=later)).table(name).select(key)
        assert before.join(after, on=key, how="anti").height == 0


@settings(max_examples=40, deadline=None)
@given(on=DAYS)
def test_a_ratification_is_not_told_before_its_day(on: date) -> None:
    status = REFERENCE.in_force(on).ratification_status()
    assert status.height == 187 * 5
    assert set(status["status"].unique()) <= set(reference.RATIFICATION_STATUSES)
    assert status.filter(pl.col("since") > on).height == 0
    rows = REFERENCE.table("ratifications").filter(pl.col("deposited_on") > on)
    later = status.join(rows, on=["iso3", "convention"], how="semi")
    assert later.filter(pl.col("status") != reference.NOT_RATIFIED).height == 0
    assert later["declared_min_age"].null_count() == later.height


@settings(max_examples=25, deadline=None)
@given(on=DAYS, later=st.integers(min_value=0, max_value=4000))
def test_a_status_only_moves_forward(on: date, later: int) -> None:
    order = {name: at for at, name in enumerate(reference.RATIFICATION_STATUSES)}
    before = REFERENCE.in_force(on).ratification_status()["status"].replace_strict(order)
    after = REFERENCE.in_force(on + timedelta(days=later)).ratification_status()["status"].replace_strict(order)
    assert (after >= before).all()


def _status(rows: list[dict[str, object]], on: date) -> list[str]:
    blank = {
        "iso3": "FRA", "convention": "C029", "stated_status": "ratified", "deposited_on": None, "deposited_year": None,
        "date_precision": "none", "in_force_on": None, "denounced_on": None, "denounced_year": None,
        "declared_min_age": None, "confidence": "seen",
    }  # fmt: skip
    schema = {name: reference.DTYPES[kind] for name, kind in REFERENCE.entries["ratifications"].columns.items()}
    frame = pl.DataFrame([blank | row for row in rows], schema={name: schema[name] for name in blank})
    return reference.ratification_status(frame, REFERENCE.table("conventions"), on)["status"].to_list()


@pytest.mark.parametrize(
    ("row", "on", "status"),
    [
        ({"stated_status": "not_ratified"}, date(2026, 1, 1), "not_ratified"),
        ({}, date(1932, 4, 30), "not_ratified"),
        ({}, date(1932, 5, 1), "in_force"),
        ({"deposited_year": 2010}, date(2010, 12, 30), "not_ratified"),
        ({"deposited_year": 2010}, date(2010, 12, 31), "ratified"),
        ({"deposited_year": 2010}, date(2011, 12, 31), "in_force"),
        ({"deposited_on": date(2022, 8, 12), "in_force_on": date(2023, 8, 12)}, date(2022, 8, 11), "not_ratified"),
        ({"deposited_on": date(2022, 8, 12), "in_force_on": date(2023, 8, 12)}, date(2023, 8, 11), "ratified"),
        ({"deposited_on": date(2022, 8, 12), "in_force_on": date(2023, 8, 12)}, date(2023, 8, 12), "in_force"),
        ({"stated_status": "denounced", "denounced_year": 1990}, date(1990, 12, 30), "in_force"),
        ({"stated_status": "denounced", "denounced_year": 1990}, date(1990, 12, 31), "denounced"),
        ({"stated_status": "denounced", "denounced_on": date(1990, 1, 10)}, date(1990, 1, 10), "denounced"),
    ],
)
def test_the_rules_of_the_card(row: dict[str, object], on: date, status: str) -> None:
    assert _status([row], on) == [status]


def test_as_of_blanks_an_event_ahead_with_what_tells_of_it() -> None:
    frame = pl.DataFrame(
        {"until": [date(2020, 1, 1), date(2025, 1, 1), None], "status": ["closed", "closed", "active"], "x": [1, 2, 3]}
    )
    seen = reference.as_of(frame, date(2022, 1, 1), {"until": ("status",)})
    assert seen.rows() == [(date(2020, 1, 1), "closed", 1), (None, None, 2), (None, "active", 3)]


def _copy(folder: Path, *names: str) -> Path:
    root = reference.shipped_data()
    content = json.loads((root / reference.MANIFEST).read_bytes())
    content["tables"] = {name: content["tables"][name] for name in names}
    for name in names:
        shutil.copytree(root / name, folder / name)
    (folder / reference.MANIFEST).write_text(json.dumps(content))
    return folder


def test_one_changed_byte_is_refused(tmp_path: Path) -> None:
    table = _copy(tmp_path, "conventions") / "conventions" / "table.csv"
    table.write_bytes(table.read_bytes().replace(b"1932-05-01", b"1932-05-02"))
    with pytest.raises(InputRefused, match="sha256 differs"):
        reference.load(tmp_path).table("conventions")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    (_copy(tmp_path, "conventions") / "conventions" / "table.csv").unlink()
    with pytest.raises(InputRefused, match=r"conventions.*missing"):
        reference.load(tmp_path).table("conventions")


def test_no_manifest_and_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.json is missing"):
        reference.load(tmp_path)
    (tmp_path / reference.MANIFEST).write_text('{"tables": [1]}')
    with pytest.raises(InputRefused, match="cannot be read"):
        reference.load(tmp_path)


def test_an_unknown_table_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="countries, country_indicators"):
        REFERENCE.in_force(date(2026, 1, 1)).table("country")


def test_the_variable_names_a_folder_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(reference.DATA_VARIABLE, str(_copy(tmp_path, "conventions")))
    assert reference.load().tables == ("conventions",)


def test_the_digest_is_of_the_facts_not_of_what_was_read(tmp_path: Path) -> None:
    fresh = reference.load().in_force(date(2026, 1, 1))
    before = fresh.digest
    fresh.table("countries")
    assert fresh.digest == before == REFERENCE.in_force(date(2020, 1, 1)).digest
    assert reference.load(_copy(tmp_path, "conventions")).in_force(date(2026, 1, 1)).digest != before


def test_names_in_both_languages() -> None:
    facts = REFERENCE.in_force(date(2026, 1, 1))
    assert facts.names("countries", lang="fr")["DEU"] == "Allemagne"
    assert facts.names("countries")["DEU"] == "Germany"
    assert facts.names("activities", lang="fr")["03"] == "Pêche et aquaculture"


def test_reading_facts_imports_no_yaml_and_no_pydantic() -> None:
    """Scoring reads facts: the slow imports belong to the check of the cards."""
    script = (
        "import sys, datetime; from vigilance import reference; "
        "reference.load().in_force(datetime.date(2026, 1, 1)).ratification_status(); "
        "print([m for m in ('ruamel.yaml', 'pydantic', 'babel', 'openpyxl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
