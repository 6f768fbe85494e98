import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.store.lists import MONDAY, rows, worse, write

from vigilance.cli.group import cli
from vigilance.errors import UsageError


def invoke(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args], standalone_mode=False)


def done(*args: object) -> Result:
    result = invoke(*args)
    assert result.exception is None, result.output
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two weeks, made by the command line."""
    folder = tmp_path_factory.mktemp("watch")
    for week, given in enumerate((rows(), worse(rows(), 0, 5))):
        write(folder / "list.csv", given)
        on = MONDAY + timedelta(weeks=week)
        done(
            "watch",
            "--store",
            folder / "s.duckdb",
            folder / "list.csv",
            "--on",
            on,
            "--out",
            folder / f"out-{week}",
            "--quiet",
        )
    return folder


def test_watch_says_what_it_did_and_twice_that_it_was_done(folder: Path) -> None:
    line = ["watch", "--store", folder / "s.duckdb", folder / "list.csv", "--on", MONDAY + timedelta(weeks=1)]
    assert "already in the store" in done(*line).output
    assert "déjà dans la base" in done(*line, "--lang", "fr").output
    said = json.loads(done(*line, "--json").output)
    assert (said["week"], said["already"], said["alerts"]) == ("2026-W46", True, 0)
    assert invoke(*line, "--fail-on", "low", "--quiet").return_value == 10


def test_alerts_lists_and_suppresses(folder: Path) -> None:
    store = ("--store", folder / "s.duckdb")
    found = json.loads(done("alerts", *store, "--json").output)
    assert found["alerts"]
    assert found["week"] == "2026-W46"
    assert json.loads(done("alerts", *store, "--week", "2026W45", "--json").output)["alerts"] == []
    text = done("alerts", *store, "--all", "--lang", "fr").output
    assert "nouveau" in text
    mark = found["alerts"][0]["fingerprint"]
    options = ("--author", "me", "--reason", "seen", "--on", "2026-11-10", "--until", "2027-01-01", "--json")
    assert json.loads(done("alerts", "suppress", mark, *store, *options).output)["fingerprint"] == mark


def test_store_and_replay(folder: Path) -> None:
    path = folder / "s.duckdb"
    assert json.loads(done("store", "check", path, "--json").output)["runs"] == 2
    assert "2 runs" in done("store", "check", "--store", path).output
    assert "records" in json.loads(done("store", "export", path, "--out", folder / "export", "--json").output)["rows"]
    assert json.loads(done("store", "backup", path, "--out", folder / "copy.duckdb", "--json").output)["runs"] == 2
    assert "bytes" in done("store", "compact", folder / "copy.duckdb").output
    replayed = invoke("replay", "--store", path, "--week", "2026-W46", "--out", folder / "again", "--json")
    assert json.loads(replayed.output)["identical"] is True
    assert replayed.return_value == 0


def test_what_cannot_be_used_is_said(folder: Path) -> None:
    assert isinstance(invoke("store", "check").exception, UsageError)
    line = ("watch", "--store", folder / "s.duckdb", folder / "list.csv")
    assert isinstance(invoke(*line, "--webhook", "https://x.example.org/").exception, UsageError)
    assert isinstance(invoke(*line, "--audits", folder / "none.csv", "--out", folder / "x").exception, UsageError)
    assert not (folder / "x").exists()


@pytest.mark.parametrize("command", [("watch",), ("alerts",), ("alerts", "suppress"), ("store", "check"), ("replay",)])
def test_help_has_an_example(command: tuple[str, ...]) -> None:
    text = CliRunner().invoke(cli, [*command, "--help"]).output
    assert "Example" in text
    assert "vigilance " + " ".join(command) in text


def test_the_scheduling_samples_name_options_that_exist() -> None:
    root = Path(__file__).parent.parent.parent / "docs" / "scheduling"
    known = CliRunner().invoke(cli, ["watch", "--help"]).output
    for path in root.iterdir():
        for word in path.read_text(encoding="utf-8").split():
            if word.startswith("--") and path.name in {"crontab", "vigilance-watch.service"}:
                assert word.rstrip(".") in known, (path.name, word)


def test_the_cron_line_is_one() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "scheduling" / "crontab").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#") and "=" not in line.split()[0]]
    assert [line.split()[:5] for line in lines] == [["30", "5", "*", "*", "1,2"]]
