"""vigilance rules: what it prints, in both languages, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vigilance.cli.rules import command
from vigilance.errors import RuleError, UsageError

WRONG = Path(__file__).parent.parent / "wrong_rules"
WIDTH = 80


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    text = run(name, "--help").output
    assert "Example:" in text
    for option in ("--json", "--lang", "--quiet"):
        assert option in text


def test_list_is_readable_and_complete() -> None:
    result = run("list", "factors", "--on", "2026-11-01")
    assert "factors.recruitment_fees  Workers pay recruitment fees or owe a debt" in result.stdout
    assert "1.3 – 3.5" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= WIDTH
    assert "numbers in force on 2026-11-01" in result.stderr
    assert run("list", "factors", "--quiet").stderr == ""


def test_list_as_json() -> None:
    rows = json.loads(run("list", "method.tier", "--json", "--on", "2026-11-01").stdout)
    assert {row["path"] for row in rows} >= {"method.tier.forced_labour.1", "method.tier.child_labour.4"}
    assert all(row["low"] <= row["value"] <= row["high"] and row["sources"] for row in rows)


def test_list_before_anything_holds() -> None:
    assert run("list", "method", "--on", "1999-01-01").stdout == ""


def test_show_a_factor_in_french() -> None:
    text = run("show", "recruitment_fees", "--lang", "fr", "--on", "2026-11-01").stdout
    assert "Les travailleurs paient des frais de recrutement" in text
    assert "Exemple" in text
    assert "verite-malaysia-2014" in text
    assert "oui" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("method.tier.child_labour.3", "0.18 – 0.68"),
        ("method.tier", "method.tier.forced_labour.2"),
        ("upstream", "697"),
        ("ilo-c182", "Worst Forms"),
        ("severity", "irremediability.child_labour"),
    ],
)
def test_show_finds_numbers_files_tables_and_sources(name: str, words: str) -> None:
    assert words in run("show", name, "--on", "2026-11-01").stdout
    described = json.loads(run("show", name, "--json", "--on", "2026-11-01").stdout)
    assert described["title"]


def test_show_says_what_is_near() -> None:
    with pytest.raises(UsageError, match=r"Did you mean method\.size_exponent"):
        run("show", "method.size_exponant")


def test_a_wrong_date_is_refused() -> None:
    refused = run("list", "--on", "01/11/2026")
    assert refused.exit_code == 2
    assert "is not a date such as 2026-11-01" in refused.stderr


def test_check_the_shipped_rules() -> None:
    assert "nothing wrong" in run("check").stdout
    assert run("check", "--quiet").stdout == ""
    assert json.loads(run("check", "--json").stdout)["examples"] >= 30


def test_check_one_file() -> None:
    assert "1 files, 2 numbers" in run("check", str(shipped("factors", "seasonal.yaml"))).stdout
    with pytest.raises(RuleError, match="Did you mean high"):
        run("check", str(WRONG / "unknown_entry_field.yaml"))


def test_check_runs_the_examples(tmp_path: Path) -> None:
    text = shipped("factors", "seasonal.yaml").read_text(encoding="utf-8")
    path = tmp_path / "seasonal.yaml"
    path.write_text(text.replace("expect: {forced_labour: 1.3", "expect: {forced_labour: 1.4"), encoding="utf-8")
    with pytest.raises(RuleError, match=r"forced_labour is 1\.3, not 1\.4"):
        run("check", str(path))


def test_check_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rule file or folder"):
        run("check", str(tmp_path / "nowhere"))


def test_document_is_markdown() -> None:
    page = run("document", "--lang", "fr", "--on", "2026-11-01").stdout
    assert page.startswith("# Les jugements\n")
    assert "\n## factors.recruitment_fees\n" in page


def shipped(*parts: str) -> Path:
    from vigilance.rules import shipped_rules

    return shipped_rules().joinpath(*parts)
