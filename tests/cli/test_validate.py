"""vigilance validate: what it says, what it writes, what it refuses; a proposal is never applied."""

from __future__ import annotations

import html
import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from tests.calibrate.world import world

from vigilance import pipeline, reference, rules
from vigilance.calibrate.recomputed import parameters
from vigilance.calibrate.written import count, plain
from vigilance.cli.validate import command
from vigilance.errors import UsageError
from vigilance.i18n import use
from vigilance.scoring.model import Model
from vigilance.scoring.patterns import digits
from vigilance.terms import FACTORS, HAZARDS, PRESENT

ON = date(2026, 11, 1)
WIDTH = 80


def validate(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(command, [*map(str, arguments), "--on", ON.isoformat()])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def audited(model: Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A run of 1,500 sites, and files of their audits and findings, from a world with a stronger ratio of isolation."""
    folder = tmp_path_factory.mktemp("audited")
    hazard = HAZARDS[0]
    numbers = parameters(model.judgements, hazard)
    ln = numbers.ln.copy()
    ln[numbers.at(f"factors.isolated.ratio.{hazard}")] += 1.2
    drawn = world(model, hazard, numbers.with_ln(ln), 1500, seed=2)
    states = digits(drawn.sites["_factors"].to_numpy())
    suppliers = drawn.sites.select(
        supplier_id="_supplier_id",
        name=pl.concat_str(pl.lit("Site "), "_supplier_id"),
        country="_iso3",
        activity=pl.col("_division").replace("00", ""),
        tier="_tier",
        workers=pl.col("_workers").cast(pl.Int64),
        migrant_share="_migrant_share",
    ).with_columns(
        pl.Series(name, ["yes" if state == PRESENT else "no" for state in states[:, place]])
        for place, name in enumerate(FACTORS)
    )
    paths = [folder / name for name in ("suppliers.csv", "audits.csv", "findings.csv")]
    suppliers.write_csv(paths[0])
    for frame, path in ((drawn.audits, paths[1]), (drawn.findings, paths[2])):
        frame.rename({name: name.removeprefix("_") for name in frame.columns}).write_csv(path)
    job = pipeline.Job(inputs=[paths[0]], on=ON, out=folder / "run")
    pipeline.score(job, reference.load().in_force(ON), rules.load().in_force(ON))
    return folder / "run", paths[1], paths[2]


def test_coverage_in_words_and_as_json() -> None:
    said = validate("coverage", "--draws", "100")
    assert "Do the intervals cover?" in said.stdout
    assert "Back-test" not in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= WIDTH
    told = json.loads(validate("coverage", "--draws", "100", "--json").stdout)
    assert told["parts"] == ["coverage"]
    assert {row["hazard"] for row in told["coverage"]["groups"]} == set(map(str, HAZARDS))


def test_it_speaks_french_and_can_be_quiet() -> None:
    said = validate("coverage", "--draws", "100", "--lang", "fr").stdout
    assert "intervalles" in said
    assert "Do the intervals" not in said
    assert not re.search(r"\d\.\d|\d{4,}", said)
    with use("fr"):
        assert (plain(0.85), count(12_345)) == ("0,85", "12\u202f345")
    assert validate("coverage", "--draws", "100", "--quiet").output == ""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("validation") / "report"
    validate("coverage", "--draws", "100", "--out", out)
    return out


@pytest.mark.slow
def test_the_default_report_holds_the_backtest_and_the_coverage(tmp_path: Path) -> None:
    report = tmp_path / "default"
    validate("--draws", "100", "--out", report)
    names = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert {"validation.md", "validation.html", "validation.json", "trial.diff"} <= names
    assert {"figures/discrimination.svg", "figures/discrimination.png", "figures/coverage.svg"} <= names
    assert {"tables/backtest-results.csv", "tables/coverage.csv"} <= names
    told = json.loads((report / "validation.json").read_text(encoding="utf-8"))
    headline = told["backtest"]["headline"]
    text = (report / "validation.md").read_text(encoding="utf-8")
    assert f"{headline['auc']['neighbours']:.3f}" in text
    assert "Short of the bar by" in text
    assert "![" in text
    assert "](figures/discrimination.svg)" in text
    assert (report / "figures" / "discrimination.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_loads_nothing_and_runs_nothing(report: Path) -> None:
    page = (report / "validation.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in html.unescape(page)
    assert "<script" not in page
    assert "http-equiv" in page
    assert page.count("data:image/svg+xml;base64,") == 2


def test_a_report_is_never_overwritten(report: Path) -> None:
    with pytest.raises(UsageError, match="never overwritten"):
        validate("coverage", "--draws", "100", "--out", report)


def test_the_same_bytes_again(report: Path, tmp_path: Path) -> None:
    validate("coverage", "--draws", "100", "--out", tmp_path / "again")
    for path in sorted(report.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(report)).read_bytes(), path.name


def test_calibration_proposes_and_does_not_apply(audited: tuple[Path, Path, Path], tmp_path: Path) -> None:
    run, audits, findings = audited
    before = rules.load().digest
    out = tmp_path / "calibration"
    said = validate("calibrate", "--run", run, "--audits", audits, "--findings", findings, "--out", out)
    assert rules.load().digest == before
    told = json.loads((out / "validation.json").read_text(encoding="utf-8"))["calibrate"]
    assert told["proposed"]["factors.isolated.ratio.forced_labour"] > 1.8
    assert all(value >= 1 for path, value in told["proposed"].items() if path.startswith("factors."))
    assert told["hazards"]["forced_labour"]["gain"] > 0
    assert told["hazards"]["forced_labour"]["audited"] == 1500
    assert 0 < told["moves"]["rank_correlation"] <= 1
    assert (out / "proposal.diff").read_text(encoding="utf-8").startswith("--- a/rules/")
    assert "Nothing was applied" in said.stdout
    assert "factors.isolated.ratio" in json.dumps(json.loads((out / "proposal.json").read_text(encoding="utf-8")))


def test_calibration_says_what_it_lacks(audited: tuple[Path, Path, Path]) -> None:
    run, audits, _findings = audited
    with pytest.raises(UsageError, match="needs a run"):
        validate("calibrate")
    with pytest.raises(UsageError, match="needs audits"):
        validate("calibrate", "--run", run)
    with pytest.raises(UsageError, match="needs findings"):
        validate("calibrate", "--run", run, "--audits", audits)


def test_an_unknown_part_is_a_usage_error() -> None:
    result = CliRunner().invoke(command, ["everything"])
    assert result.exit_code == 2
    assert "robustness" in result.output
