"""``vigilance check``: what a person reads, what a program reads, what is written, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vigilance.cli.check import command
from vigilance.errors import InputRefused

LIST = """supplier_id,name,country,workers,colour
A,Site A,France,10,red
B,Site B,Atlantis,10,red
C,Site C,Atlantis,10,red
D,Site D,Inde,-4,red
E,Site A,France,11,red
"""


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def check(*arguments: object) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments), "--on", "2026-11-01"])


def test_the_summary_groups_the_same_problem_and_fits_80_columns(listed: Path) -> None:
    result = check(listed, "--duplicates")
    assert result.exit_code == 4
    assert "5 rows, 2 can be used, 3 would be set aside, 0 blank" in result.output
    assert result.output.count("Atlantis") == 1
    assert "row 3 and 1 more" in result.output
    assert "did you mean" in result.output
    assert max(map(len, result.output.splitlines())) <= 80
    assert "Possible duplicates: 1 pairs" in result.output


def test_json_is_the_same_for_a_program(listed: Path) -> None:
    result = check(listed, "--json")
    found = json.loads(result.stdout)
    assert found["counts"] == {"rows_in": 5, "loaded": 2, "set_aside": 3, "blank": 0}
    assert found["columns"]["workers"] == "workers"
    assert found["unknown_columns"] == ["colour"]
    assert {p["code"]: p["rows"] for p in found["problems"]}["country_unknown"] == 2


def test_what_is_written(listed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = check(listed, "--out", out, "--xlsx", "--quiet")
    assert result.exit_code == 4
    assert result.output == ""
    assert {p.name for p in out.iterdir()} >= {
        "corrected.csv",
        "corrected.xlsx",
        "issues.csv",
        "issues.jsonl",
        "rejected",
    }
    assert any("Site B" in p.read_text(encoding="utf-8-sig", errors="strict") for p in (out / "rejected").iterdir())
    again = check(out / "corrected.csv", "--json")
    assert again.exit_code == 0
    assert [p["code"] for p in json.loads(again.stdout)["problems"]] == ["column_unknown"]


def test_french(listed: Path) -> None:
    result = check(listed, "--lang", "fr")
    assert "5 lignes, 2 utilisables" in result.output
    assert "voulez-vous dire" in result.output
    assert "not " not in result.output


def test_a_clean_list_exits_with_0(tmp_path: Path) -> None:
    path = tmp_path / "clean.csv"
    path.write_text("supplier_id,name,country\nA,Site,France\n")
    result = check(path)
    assert result.exit_code == 0
    assert "Nothing to remark." in result.output


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(bytes(range(256)) * 4)
    assert isinstance(check(path).exception, InputRefused)
