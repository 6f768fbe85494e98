"""vigilance countries: what it prints in each format and language, and its errors."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vigilance.cli.countries import command
from vigilance.errors import RuleError, UsageError

ON = ("--on", "2026-11-01")
WIDTH = 80
CONTRACT = (
    "iso3 name ilo_region forced_labour_structure forced_labour_process forced_labour_outcome forced_labour_index "
    "forced_labour_index_5_years_before forced_labour_coverage child_labour_structure child_labour_process "
    "child_labour_outcome child_labour_index child_labour_index_5_years_before child_labour_coverage "
    "c029 c105 c138 c182 p029"
)


def run(*arguments: str, **settings: Any) -> Result:
    result = CliRunner(**settings).invoke(command, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(*arguments: str) -> dict[str, dict[str, str]]:
    text = run("--format", "csv", *arguments).stdout
    return {row["iso3"]: row for row in csv.DictReader(io.StringIO(text))}


def test_csv_keeps_its_contract() -> None:
    text = run("--format", "csv", *ON).stdout
    assert text.split("\n", 1)[0].split(",")[:20] == CONTRACT.split()
    found = list(csv.DictReader(io.StringIO(text)))
    assert len(found) >= 187
    assert len({row["iso3"] for row in found}) == len(found)
    for row in found:
        for name, value in row.items():
            if name.endswith(("_index", "_structure", "_process", "_outcome", "_coverage")) and value:
                assert 0 <= float(value) <= 1


def test_what_scores_make_of_the_index_stands_at_the_end() -> None:
    text = run("--format", "csv", *ON).stdout
    wanted = [f"{hazard}_{name}" for hazard in ("forced_labour", "child_labour") for name in ("ratio", "rate")]
    assert text.split("\n", 1)[0].split(",")[-4:] == wanted
    told = {row["iso3"]: row for row in json.loads(run(*ON, "--json").stdout)["countries"]}
    assert told["NOR"]["forced_labour_ratio"] < 1 < told["TKM"]["forced_labour_ratio"]
    # Arab States 5.3 and Africa 2.9 per 1,000 people: with the same index a country stands higher in the first.
    assert told["JOR"]["forced_labour_rate"] / told["JOR"]["forced_labour_ratio"] == pytest.approx(
        4.962 * 5.3 / 3.5, rel=1e-4
    )
    assert {row["forced_labour_rate"] is None for row in told.values() if row["forced_labour_index"] is None} <= {True}


def test_statuses_follow_the_date() -> None:
    now, then, between = rows(*ON), rows("--on", "2020-01-01"), rows("--on", "2022-10-01")
    assert now["TON"]["c182"] == "in_force"
    assert then["TON"]["c182"] == "not_ratified"
    assert between["CHN"]["c029"] == "ratified"
    assert now["PRK"]["c029"] == ""


def test_table_is_sorted_readable_and_explained() -> None:
    assert max(map(len, run(*ON, "--lang", "fr").stdout.splitlines())) <= WIDTH
    result = run(*ON)
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert max(map(len, result.stderr.splitlines())) <= 100
    values = [float(line[28:32]) for line in lines[2:] if line[28:32].strip() != "-"]
    assert values == sorted(values, reverse=True)
    assert "2026-11-01" in result.stderr
    assert run(*ON, "--quiet").stderr == ""


def test_hardly_known_territories_are_in_the_csv_and_when_asked_for() -> None:
    assert "Macao" not in run(*ON).stdout
    assert "left out" in run(*ON).stderr
    assert float(rows(*ON)["MAC"]["forced_labour_coverage"]) < 0.25
    assert "Macao" in run(*ON, "--country", "MAC").stdout
    assert "North Korea" in run(*ON).stdout


def test_the_other_hazard_orders_the_table() -> None:
    found = json.loads(run(*ON, "--hazard", "child_labour", "--json").stdout)
    values = [row["child_labour_index"] for row in found["countries"] if row["child_labour_index"] is not None]
    assert values == sorted(values, reverse=True)
    assert found["on"] == "2026-11-01"
    assert len(found["facts"]) == len(found["rules"]) == 64


def test_countries_by_code_or_name_in_french() -> None:
    result = run(*ON, "--country", "QA", "--country", "Inde", "--lang", "fr")
    assert "Inde" in result.stdout
    assert "Qatar" in result.stdout
    assert "travail forcé" in result.stdout
    assert "pays : 2" in result.stderr
    assert len(result.stdout.splitlines()) == 4


def test_arrows_fall_back_to_ascii() -> None:
    result = run(*ON, "--quiet", charset="ascii")
    assert result.stdout.isascii() or "↑" not in result.stdout
    assert " ^ " in result.stdout


def test_a_country_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean France"):
        run("--country", "Frence")


def test_a_date_that_is_none_is_told_with_the_form() -> None:
    refused = run("--on", "01/02/2026")
    assert refused.exit_code == 2
    assert "not a date such as 2026-11-01" in refused.stderr


def test_a_date_before_the_index_says_since_when() -> None:
    with pytest.raises(RuleError, match="the first holds from 2010-01-01"):
        run("--on", "2009-12-31")


@pytest.mark.parametrize("on", ["2010-01-01", "2016-02-29"])
def test_a_date_with_little_known_still_answers(on: str) -> None:
    found = rows("--on", on)
    assert len(found) >= 187
    assert all(float(row["forced_labour_coverage"]) < 0.5 for row in found.values())


def test_help_has_an_example_and_the_common_options() -> None:
    text = run("--help").output
    assert "Example:" in text
    for option in ("--json", "--lang", "--quiet", "--on", "--format", "--hazard", "--country"):
        assert option in text
