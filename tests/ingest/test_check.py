"""``vigilance check``: what a person reads, what a program reads, what is written, exit codes."""

from __future__ import annotations

import json
import re
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
    assert "Possible duplicates: 1 pair;" in result.output


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
    assert "5 lignes, 2 à utiliser" in result.output
    assert "voulez-vous dire" in result.output
    assert "not " not in result.output


def test_french_counts_decimals_and_spaces(tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    path.write_text(
        "Code fournisseur;Raison sociale;Pays;Effectif;Montant annuel des achats;Activité;Note;\n"
        "A-1;Delta Knit;Bangladesh;~500;1 200,50;tissage de coton;;\n"
        "A-2;Rivière;France;40;300,5;zorglub;x;\n",
        encoding="utf-8",
    )
    lines = check(path, "--lang", "fr").output.splitlines()
    said = " ".join(line.strip() for line in lines if "utf-8" not in line)
    assert "1 cellule contient une borne" in said
    assert "confiance 0,80" in said
    assert "spend_eur          Montant annuel des achats" in said
    assert "«\u00a0zorglub\u00a0»" in said
    assert not re.search(r" [:;?!»]|« ", said)
    assert "\u00a0:" in said
    assert "column 8" not in said
    assert "COLONNE=''" not in said
    assert said.count("sans nom") == 1


def test_a_column_without_a_header_gives_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("supplier_id,name,country,\nA,Site,France,\nB,Other,France,x\n")
    said = json.loads(check(path, "--json").stdout)["problems"]
    assert [(p["code"], p["column"]) for p in said] == [("unnamed_column", "column 4")]


def test_the_parts_of_a_repeated_row_are_shown_apart(tmp_path: Path) -> None:
    path = tmp_path / "discovery.csv"
    path.write_text(
        "connection_type,your_reference,site_details_name,country_code,locality\n"
        "supplier,R1,Delta Knit,BD,\nsupplier,R2,Delta Knit,BD,\n"
    )
    said = json.loads(check(path, "--json").stdout)["problems"]
    twice = next(p for p in said if p["code"] == "duplicate_identical")
    assert twice["values"] == ["supplier · Delta Knit · BD"]


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
