"""``vigilance screen`` as a person runs it: files, exit codes, what is said first, what is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vigilance.cli.group import cli

HEADER = "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Location,Exchange,Currency"
LINES = (
    '"AAPL","APPLE INC","Information Technology","Equity","1,000,000.00","50.00","United States","NASDAQ","USD"',
    '"MC","LVMH","Consumer Discretionary","Equity","600,000.00","30.00","France","Euronext","EUR"',
    '"9983","=FAST RETAILING","Consumer Discretionary","Equity","360,000.00","18.00","Japan","Tokyo","JPY"',
    '"USD","USD CASH","Cash and/or Derivatives","Cash","40,000.00","2.00","United States","-","USD"',
)


def fund(path: Path, *lines: str) -> Path:
    path.write_text("\ufeffExample Fund\n\n" + "\n".join((HEADER, *(lines or LINES))) + "\n", encoding="utf-8")
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, ["screen", *map(str, args), "--on", "2026-11-01"])


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=delimiter))


def test_a_screening_from_file_to_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run(fund(tmp_path / "fund.csv"), "--out", out)
    assert found.exit_code == 0, found.output
    assert found.output.index("Coverage") < found.output.index("Forced labour") < found.output.index("Child labour")
    assert all(len(line) <= 80 for line in found.output.splitlines() if str(tmp_path) not in line)
    issuers = rows(out / "issuers.csv")
    assert [r["exposure_source"] for r in issuers] == ["sector"] * 3
    assert sum(float(r["weight"]) for r in issuers) == pytest.approx(0.98)
    assert issuers[2]["name"] == "'=FAST RETAILING"
    assert next(iter(json.loads((out / "portfolio.json").read_text()))) == "coverage"
    assert {p.name for p in out.iterdir()} == {
        *("issuers.csv", "contributions.csv", "portfolio.json", "disclosures.json", "engagement.csv"),
        *("positions.csv", "set_apart.csv", "matches.csv", "issues.csv", "issues.jsonl"),
    }
    assert [r["reason"] for r in rows(out / "set_apart.csv")] == ["cash"]
    assert [(r["row"], r["issuer_id"]) for r in rows(out / "positions.csv")] == [
        ("4", "ticker:AAPL@NASDAQ"),
        ("5", "ticker:MC@Euronext"),
        ("6", "ticker:9983@Tokyo"),
    ]


def test_the_same_twice_gives_the_same_bytes_and_says_so(tmp_path: Path) -> None:
    source = fund(tmp_path / "fund.csv")
    run(source, "--out", tmp_path / "a")
    run(source, "--out", tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    again = run(source, "--out", tmp_path / "a")
    assert again.exit_code == 0
    assert "nothing was written" in again.output


def test_a_folder_that_holds_something_else_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(fund(tmp_path / "fund.csv"), "--out", out)
    before = (out / "issuers.csv").read_bytes()
    other = run(fund(tmp_path / "other.csv", *LINES[:2]), "--out", out)
    assert other.exit_code != 0
    assert (out / "issuers.csv").read_bytes() == before


def test_unreadable_lines_are_exit_4_within_the_limit_and_3_beyond(tmp_path: Path) -> None:
    bad = fund(tmp_path / "fund.csv", *LINES, '"X","BAD LINE","Financials","Equity","","abc","France","Paris","EUR"')
    kept = run(bad, "--out", tmp_path / "a", "--max-rejected", "0.5")
    assert kept.exit_code == 4, kept.output
    assert (tmp_path / "a" / "issuers.csv").exists()
    refused = run(bad, "--out", tmp_path / "b", "--max-rejected", "0.1")
    assert refused.exception is not None
    assert getattr(refused.exception, "exit_code", None) == 3
    assert not (tmp_path / "b").exists()


def test_fail_on_a_band_is_exit_10_and_still_writes(tmp_path: Path) -> None:
    found = run(fund(tmp_path / "fund.csv"), "--out", tmp_path / "a", "--fail-on", "low")
    assert found.exit_code == 10
    assert (tmp_path / "a" / "portfolio.json").exists()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    found = run(tmp_path / "none.csv")
    assert getattr(found.exception, "exit_code", None) == 3


def test_french_speaks_french_and_writes_decimal_commas(tmp_path: Path) -> None:
    found = run(fund(tmp_path / "fund.csv"), "--out", tmp_path / "a", "--lang", "fr")
    assert found.exit_code == 0, found.output
    assert "Travail forcé" in found.output
    assert "Couverture" in found.output
    assert rows(tmp_path / "a" / "issuers.csv", ";")[0]["weight"] == "0,5"


def test_json_is_the_portfolio_view(tmp_path: Path) -> None:
    found = run(fund(tmp_path / "fund.csv"), "--out", tmp_path / "a", "--json")
    assert next(iter(json.loads(found.output))) == "coverage"


def test_everything_at_once(tmp_path: Path) -> None:
    """Declarations, suppliers with links, answers, a benchmark and the last screening, in one run."""
    source = fund(tmp_path / "fund.csv")
    (tmp_path / "sites.csv").write_text(
        "supplier_id,name,country,activity,tier\n"
        "S1,Dhaka Knit,Bangladesh,Wearing apparel,1\nS2,Cotton,India,Growing of cotton,4\n"
    )
    (tmp_path / "issuers.csv").write_text(
        "name,country,activity,share,supplier_file\n"
        "LVMH,France,15,60 %,sites.csv\nLVMH,Italy,14,40 %,\nFast Retailling,China,14,,\n"
    )
    (tmp_path / "links.csv").write_text("buyer_id,supplier_id,share\nLVMH,S1,0.4\nS1,S2,0.9\n")
    (tmp_path / "q.csv").write_text("name,question,answer,proof\nLVMH,m1,yes,documented\nLVMH,c2,yes,declared\n")
    first = run(source, "--out", tmp_path / "first")
    assert first.exit_code == 0, first.output
    found = run(
        source, "--out", tmp_path / "second", "--issuers", tmp_path / "issuers.csv", "--links", tmp_path / "links.csv",
        "--measures", tmp_path / "q.csv", "--benchmark", source, "--previous", tmp_path / "first",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    seen = json.loads((tmp_path / "second" / "portfolio.json").read_text())
    shares = seen["coverage"]["value_by_exposure_source"]
    assert shares["supplier_file"] == pytest.approx(0.30 / 0.98)
    assert seen["coverage"]["questionnaire_assessed"] == pytest.approx(0.30 / 0.98)
    assert seen["benchmark"]["forced_labour"]["presence"]["inherent"]["ratio"] == 1.0
    assert seen["change"]["entered"] == []
    lvmh = next(r for r in rows(tmp_path / "second" / "issuers.csv") if r["name"] == "LVMH")
    assert float(lvmh["forced_labour_gap"]) > 0
    assert [r["name"] for r in rows(tmp_path / "second" / "matches.csv")] == ["fast retailling"]


def test_a_decided_match_is_used(tmp_path: Path) -> None:
    source = fund(tmp_path / "fund.csv")
    (tmp_path / "issuers.csv").write_text("name,country,activity,share\nApple Incc,China,26,\n")
    (tmp_path / "matches.csv").write_text("name,candidate,decision\napple incc,apple,same\n")
    out = tmp_path / "a"
    found = run(source, "--out", out, "--issuers", tmp_path / "issuers.csv", "--matches", tmp_path / "matches.csv")
    assert found.exit_code == 0, found.output
    apple = next(r for r in rows(out / "issuers.csv") if r["name"] == "APPLE INC")
    assert apple["exposure_source"] == "declared"
