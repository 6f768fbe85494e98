"""``vigilance plan`` from the command line: outputs, exit codes, refusals, French, review."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from vigilance.cli.group import cli
from vigilance.errors import InputRefused, UsageError, VigilanceError

COUNTRIES = ("Bangladesh", "India", "Malaysia", "France")
ACTIVITIES = ("Wearing apparel", "Textiles", "Rubber products", "Retail trade")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of sixty sites, one with an overdue critical action."""
    folder = tmp_path_factory.mktemp("planning")
    source = folder / "sites.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["supplier_id", "name", "country", "activity", "tier", "workers", "unit"])
        writer.writerows(
            [
                f"S{i:02d}",
                f"Site {i}",
                COUNTRIES[i % 4],
                ACTIVITIES[i % 3],
                i % 4 + 1,
                40 + 37 * i,
                "N" if i % 2 else "S",
            ]
            for i in range(60)
        )
    result = call("score", source, "--on", "2026-11-01", "--out", folder / "run")
    assert result.exit_code == 0, result.output
    return folder / "run"


def call(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def code(result: Result) -> int:
    """The exit code that ``main`` would give."""
    return result.exception.exit_code if isinstance(result.exception, VigilanceError) else result.exit_code


def test_a_plan_within_its_budget(run: Path, tmp_path: Path) -> None:
    result = call("plan", run, "--days", 60, "--seed", 7, "--out", tmp_path / "p")
    assert code(result) == 0, result.output
    assert max(len(line) for line in result.stdout.splitlines() if "Plan:" not in line) <= 80
    frame = pl.read_csv(tmp_path / "p" / "plan.csv")
    head = ["supplier_id", "action", "person_days", "start_on", "team", "chosen_by", "probability", "value", "reason"]
    assert frame.columns[:9] == head
    assert 0 < frame["person_days"].sum() + frame["travel_days"].sum() <= 60.001
    meta = json.loads((tmp_path / "p" / "plan.json").read_text(encoding="utf-8"))
    assert {"budget", "used", "gap", "value_of_next_day", "curve", "seed", "learning", "sensitivity"} <= set(meta)
    assert [case["sensitivity"] for case in meta["sensitivity"]] == [0.05, 0.15, 0.35]
    assert meta["from"] == "2026-12-01"


def test_same_seed_same_bytes_and_no_overwriting(run: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert code(call("plan", run, "--days", 40, "--seed", 3, "--out", tmp_path / name, "--quiet")) == 0
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    again = call("plan", run, "--days", 40, "--out", tmp_path / "a")
    assert code(again) == 2


def test_without_out_a_new_folder_beside_the_run(run: Path) -> None:
    first = call("plan", run, "--days", 30, "--json")
    second = call("plan", run, "--days", 30, "--json")
    folders = [Path(json.loads(result.stdout)["plan"]) for result in (first, second)]
    assert folders[0].parent == run.parent
    assert folders[0] != folders[1]


def test_a_changed_run_is_refused(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    for file in run.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    target = copy / "scores.parquet"
    raw = bytearray(target.read_bytes())
    raw[len(raw) // 2] ^= 1
    target.write_bytes(bytes(raw))
    result = call("plan", copy, "--days", 30, "--out", tmp_path / "p")
    assert isinstance(result.exception, InputRefused)
    assert code(result) == 3
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shares: [{by: tier, is: 4, mn: 0.1}]\n", "Did you mean min"),
        ("shares: [{by: tier, is: 4, min: 1.5}]\n", "shares[0].min"),
        ("shares: [{by: region, is: West, min: 0.1}]\n", "region"),
        ("mandatory: [{supplier_id: S01, action: raid}]\n", "unannounced"),
        ("mandatory: [{supplier_id: nobody, action: follow_up}]\n", "nobody"),
        ("exclude: [S01]\nexclude: [S02]\n", "exclude"),
        ("shares: [{by: country, is: IND, min: 0.8}, {by: country, is: BGD, min: 0.7}]\n", "cannot hold together"),
    ],
)
def test_wrong_constraints_are_usage_errors(run: Path, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "asked.yaml"
    path.write_text(text, encoding="utf-8")
    result = call("plan", run, "--days", 30, "--constraints", path, "--out", tmp_path / "p")
    assert isinstance(result.exception, UsageError), result.output
    assert said in str(result.exception)
    assert not (tmp_path / "p").exists()


def test_usage() -> None:
    assert code(call("plan", "nowhere", "--days", 10)) == 2
    assert code(call("plan", "nowhere", "--days", 0)) == 2
    for words in (("plan", "--help"), ("plan", "review", "--help")):
        result = call(*words)
        assert result.exit_code == 0
        assert "vigilance plan review plan-2027" in result.output
        assert max(map(len, result.output.splitlines())) <= 80


def test_protocol_changes_costs(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text("travel: {days_per_trip: 0}\nevidence.audits.sensitivity.forced_labour: 0.3\n", encoding="utf-8")
    assert code(call("plan", run, "--days", 30, "--protocol", path, "--out", tmp_path / "p", "--quiet")) == 0
    assert json.loads((tmp_path / "p" / "plan.json").read_text(encoding="utf-8"))["travel_days"] == 0
    path.write_text("travel: {day_per_trip: 0}\n", encoding="utf-8")
    assert code(call("plan", run, "--days", 30, "--protocol", path, "--out", tmp_path / "q")) == 2


def test_french(run: Path, tmp_path: Path) -> None:
    result = call("plan", run, "--days", 40, "--lang", "fr", "--out", tmp_path / "p")
    assert code(result) == 0
    assert "jours-personnes" in result.stdout
    said = result.stdout.split("Plan :")[0]
    assert re.search(r"\d,\d", said)
    assert not re.search(r"\d\.\d|\d %|\d{4,}(?!-)", said), "French decimals, and narrow spaces that no line breaks at"
    assert max(len(line) for line in result.stdout.splitlines() if "Plan :" not in line) <= 80
    assert ";" in (tmp_path / "p" / "plan.csv").read_text(encoding="utf-8-sig").splitlines()[0]


def test_keep_and_review(run: Path, tmp_path: Path) -> None:
    assert code(call("plan", run, "--days", 60, "--out", tmp_path / "first", "--quiet")) == 0
    kept = call("plan", run, "--days", 60, "--keep", tmp_path / "first", "--out", tmp_path / "second", "--quiet")
    assert code(kept) == 0, kept.output
    first, second = (pl.read_csv(tmp_path / name / "plan.csv") for name in ("first", "second"))
    drawn = first.filter(pl.col("chosen_by") == "random")
    same = second.join(drawn, on=["supplier_id", "action", "start_on", "probability"])
    assert same.height == drawn.height > 0

    audits, findings = tmp_path / "audits.csv", tmp_path / "findings.csv"
    first.select("supplier_id", pl.col("start_on").alias("audited_on")).write_csv(audits)
    first.head(2).select(
        "supplier_id",
        pl.col("start_on").alias("audited_on"),
        pl.lit("Forced labour").alias("topic"),
        pl.lit("critical").alias("severity"),
    ).write_csv(findings)
    words = ("plan", "review", tmp_path / "first", "--audits", audits)
    assert code(call(*words)) == 2
    result = call(*words, "--findings", findings, "--json")
    assert code(result) == 0, result.output
    said = json.loads(result.stdout)["plans"][0]
    assert said["audited"] == first.height
    assert said["hits"] == 2
    told = call(*words, "--findings", findings)
    assert max(map(len, told.stdout.splitlines())) <= 80
