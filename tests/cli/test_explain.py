"""``vigilance explain``: lines that multiply to the score, in English and French, and its errors."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vigilance.cli.group import cli
from vigilance.errors import InputRefused, UsageError
from vigilance.rules import shipped_rules
from vigilance.terms import HAZARDS

ON = ("--on", "2026-11-01")
LIST = """\
supplier_id,name,country,activity,tier,workers,migrant_share,recruitment_fees
A-1,Penang Gloves,Malaysia,22,1,3000,0.7,true
A-2,Delta Knit,Bangladesh,14,,,,
A-3,Hong Tian Cotton,China,01,4,200,,
"""
AUDITS = "supplier_id,audited_on,kind,notice,person_days\nA-1,2026-03-01,initial,unannounced,4\n"


def vigilance(*args: object) -> Result:
    found = CliRunner().invoke(cli, list(map(str, args)))
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    (folder / "list.csv").write_text(LIST, encoding="utf-8")
    (folder / "audits.csv").write_text(AUDITS, encoding="utf-8")
    vigilance("score", folder / "list.csv", "--audits", folder / "audits.csv", *ON, "--out", folder / "run")
    return folder / "run"


def explained(run: Path, supplier_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vigilance("explain", supplier_id, "--run", run, "--json").stdout)
    return found


@pytest.mark.parametrize("supplier_id", ["A-1", "A-2", "A-3"])
@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_lines_multiply_to_what_is_said(run: Path, supplier_id: str, hazard: str) -> None:
    said = explained(run, supplier_id)["hazards"][hazard]

    def product(step: str) -> float:
        return math.prod(line["ratio"] for line in said["steps"] if line["step"] == step)

    assert product("rate") == pytest.approx(said["rate"], rel=1e-9)
    assert -math.expm1(-product("rate") * product("presence")) == pytest.approx(said["p0"], rel=1e-9)
    odds = said["p0"] / (1 - said["p0"]) * product("evidence")
    assert odds / (1 + odds) == pytest.approx(said["p50"], rel=1e-9)
    score = 100 * math.log(1 + said["p50"] / 0.01) / math.log(101)
    assert score == pytest.approx(said["score"], abs=1e-6)
    assert said["p05"] < said["p50"] < said["p80"] < said["p95"]


def test_every_line_has_a_range_a_source_and_a_date(run: Path) -> None:
    lines = [line for said in explained(run, "A-1")["hazards"].values() for line in said["steps"]]
    assert len(lines) > 20
    for line in lines:
        assert line["low"] <= line["ratio"] <= line["high"]
        assert line["source"], line["factor"]
        assert set(line) == {"step", "factor", "ratio", "low", "high", "source", "since", "known"}


def test_an_audit_is_a_line_of_its_own(run: Path) -> None:
    lines = explained(run, "A-1")["hazards"]["forced_labour"]["steps"]
    evidence = [line for line in lines if line["step"] == "evidence"]
    assert len(evidence) == 1
    assert evidence[0]["ratio"] < 1
    others = explained(run, "A-2")["hazards"]["forced_labour"]["steps"]
    assert not [line for line in others if line["step"] == "evidence"]


def test_what_nobody_stated_is_marked(run: Path) -> None:
    known = {line["factor"]: line["known"] for line in explained(run, "A-2")["hazards"]["forced_labour"]["steps"]}
    assert known["country"]
    assert known["activity"]
    assert not known["migrant_share"]
    assert not known["tier"]
    assert not known["size"]
    assert "?migrant workers" in vigilance("explain", "A-2", "--run", run).stdout


def test_it_reads_in_eighty_columns(run: Path) -> None:
    for lang in ("en", "fr"):
        text = vigilance("explain", "A-1", "--run", run, "--lang", lang).stdout
        assert max(len(line) for line in text.splitlines() if "://" not in line) <= 80


def test_every_source_a_line_names_stands_whole_below(run: Path) -> None:
    text = vigilance("explain", "A-1", "--run", run).stdout
    lines, listed = text.split("\nSources\n")
    named = {int(place) for group in re.findall(r"\[([\d,]+)\]", lines) for place in group.split(",")}
    given = dict(re.findall(r"^  \[(\d+)\]\s+(\S.*)$", listed, re.MULTILINE))
    assert named == set(map(int, given)) == set(range(1, len(named) + 1))
    steps = [step for said in explained(run, "A-1")["hazards"].values() for step in said["steps"]]
    assert len(given) >= len({step["source"].split()[0] for step in steps}) > 5
    assert "your table of audits" in given.values()
    assert "…" not in text


def test_no_probability_is_told_to_the_hundredth(run: Path) -> None:
    text = vigilance("explain", "A-1", "--run", run).stdout
    told = re.findall(r"[<>]?[\d.]+%", text)
    assert len(told) > 8
    assert all(re.fullmatch(r"[<>]?(\d\.\d|\d\d?)%", share) for share in told), told


def test_french_is_french(run: Path) -> None:
    text = vigilance("explain", "A-1", "--run", run, "--lang", "fr").stdout
    assert "Travail forcé : score" in text
    assert "Travail des enfants : score" in text
    assert "frais de recrutement" in text
    assert "×1,0" in text
    text = text.split("\nSources\n")[0]
    for word in ("evidence", "labour", "workers", " as of ", "listed", "country", "clean"):
        assert word not in text, word


def test_json_is_the_same_in_both_languages(run: Path) -> None:
    found = vigilance("explain", "A-1", "--run", run, "--json", "--lang", "fr").stdout
    assert json.loads(found) == explained(run, "A-1")


def test_quiet_says_nothing(run: Path) -> None:
    assert vigilance("explain", "A-1", "--run", run, "--quiet").output == ""


def test_an_unknown_site_is_refused_with_the_nearest(run: Path) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        vigilance("explain", "A-l", "--run", run)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.json is missing"):
        vigilance("explain", "A-1", "--run", tmp_path)


def test_a_changed_run_is_refused(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    content = bytearray((copy / "sites.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "sites.parquet").write_bytes(content)
    with pytest.raises(InputRefused, match=r"sites\.parquet"):
        vigilance("explain", "A-1", "--run", copy)


def test_other_rules_than_the_run_used_are_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(shipped_rules(), tmp_path / "rules")
    path = tmp_path / "rules" / "method.yaml"
    text = path.read_text(encoding="utf-8")
    assert "value: 0.33" in text
    path.write_text(text.replace("value: 0.33", "value: 0.34"), encoding="utf-8")
    with pytest.raises(UsageError, match="rules are not those"):
        vigilance("explain", "A-1", "--run", run, "--rules", tmp_path / "rules")
