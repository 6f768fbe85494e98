"""``vigilance data`` as a person types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vigilance import reference
from vigilance.cli.data import command
from vigilance.errors import InputRefused, UsageError
from vigilance.publishers import refresh

NORMLEX = "Country,Date,Status,Note\nBolivia (Plurinational State of),11 Jan 2005,In Force,\n"


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """Facts of a user's own: a few of the shipped tables."""
    for name in ("conventions", "countries", "ratifications"):
        shutil.copytree(reference.shipped_data() / name, tmp_path / "facts" / name)
    refresh.record(tmp_path / "facts")
    return tmp_path / "facts"


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_list_names_every_table_within_80_columns(facts: Path) -> None:
    done = run("list", "--data", facts)
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[:3]] == ["conventions", "countries", "ratifications"]
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Pays et territoires" in run("list", "--data", facts, "--lang", "fr").stdout


def test_list_json(facts: Path) -> None:
    found = {row["table"]: row for row in json.loads(run("list", "--data", facts, "--json").stdout)}
    assert found["ratifications"]["rows"] == 935
    assert found["ratifications"]["importable"] is True
    assert found["countries"]["importable"] is False


def test_show_prints_card_and_rows_within_80_columns(facts: Path) -> None:
    done = run("show", "ratifications", "--data", facts, "--where", "iso3=CHN", "--where", "convention=C029")
    assert "12 months after its deposit" in done.stdout.replace("\n", " ")
    assert "2022-08-12" in done.stdout
    assert "rows shown: 1 of 1" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_show_on_a_date_hides_what_came_later(facts: Path) -> None:
    words = ("show", "ratifications", "--data", facts, "--where", "iso3=CHN", "--where", "convention=C029", "--json")
    assert json.loads(run(*words).stdout)["matching"] == 1
    assert json.loads(run(*words, "--on", "2022-08-11").stdout)["matching"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "ratification"), "ratifications"),
        (("show", "ratifications", "--where", "country=CHN"), "iso3"),
        (("import", "countries", "x.csv"), "ratifications"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(facts: Path, words: tuple[str, ...], told: str) -> None:
    done = run(*words, "--data", facts)
    assert isinstance(done.exception, UsageError)
    assert told in str(done.exception)


def test_a_wrong_date_is_told_with_the_form(facts: Path) -> None:
    done = run("show", "ratifications", "--on", "01/02/2026", "--data", facts)
    assert done.exit_code == 2
    assert "2026-11-01" in done.stderr


def test_check_passes_then_names_a_change_then_records_it(facts: Path) -> None:
    assert "3 tables fit their cards" in run("check", "--data", facts).stdout
    path = facts / "conventions" / "table.csv"
    path.write_text(path.read_text().replace("Forced Labour Convention, 1930", "Convention 29", 1))
    done = run("check", "--data", facts)
    assert isinstance(done.exception, InputRefused)
    assert "conventions/table.csv" in done.stderr
    assert json.loads(run("check", "--data", facts, "--json").stdout)[0]["code"] == "sha256"
    assert "recorded: conventions" in run("check", "--data", facts, "--write").stdout


def test_import_shows_and_writes_only_when_told(facts: Path, tmp_path: Path) -> None:
    file = tmp_path / "C105.csv"
    file.write_text(NORMLEX)
    table = facts / "ratifications" / "table.csv"
    before = table.read_bytes()
    shown = run("import", "ratifications", file, "--data", facts)
    assert "BOL C105: deposited_on: 1990-06-11 → 2005-01-11" in shown.stdout
    assert "--yes" in shown.stderr
    assert table.read_bytes() == before
    done = run("import", "ratifications", file, "--data", facts, "--yes")
    assert "the old table is kept" in done.stdout.replace("\n", " ")
    assert table.read_bytes() != before
    assert [path.read_bytes() for path in (facts / "ratifications" / "previous").iterdir()] == [before]
    assert "3 tables fit" in run("check", "--data", facts).stdout
    assert "nothing changes" in run("import", "ratifications", file, "--data", facts, "--yes").stdout


def test_import_json(facts: Path, tmp_path: Path) -> None:
    file = tmp_path / "C105.csv"
    file.write_text(NORMLEX)
    told = json.loads(run("import", "ratifications", file, "--data", facts, "--json").stdout)
    assert (told["written"], told["added"], told["changed"], told["removed"]) == (False, 0, 1, 0)


def test_import_into_a_new_folder_leaves_the_shipped_facts_alone(tmp_path: Path) -> None:
    file = tmp_path / "C105.csv"
    file.write_text(NORMLEX)
    shipped = (reference.shipped_data() / "ratifications" / "table.csv").read_bytes()
    done = run("import", "ratifications", file, "--data", tmp_path / "mine", "--yes", "--quiet")
    assert done.exit_code == 0
    assert (reference.shipped_data() / "ratifications" / "table.csv").read_bytes() == shipped
    assert (tmp_path / "mine" / "ratifications" / "table.csv").read_bytes() != shipped


@pytest.mark.parametrize("words", [(), ("list",), ("show",), ("check",), ("import",)])
def test_every_help_has_an_example(words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert done.exit_code == 0
    assert "Example:" in done.stdout


def test_french_messages(facts: Path, tmp_path: Path) -> None:
    file = tmp_path / "C105.csv"
    file.write_text(NORMLEX)
    told = run("import", "ratifications", file, "--data", facts, "--lang", "fr").stdout
    assert "modifiées 1" in told
