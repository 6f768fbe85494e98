"""``vigilance score`` as a person runs it: exit codes, what is said, what is written, the same bytes everywhere."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from vigilance.cli import main
from vigilance.cli.group import cli
from vigilance.run import open_run
from vigilance.terms import HAZARDS

ON = ("--on", "2026-11-01")
HEADER = "supplier_id,name,country,activity,tier,workers,migrant_share,recruitment_fees"
GOOD = (
    "A-1,Rivière Couture,France,14,1,40,0.1,false",
    "A-2,Delta Knit,Bangladesh,14,1,900,,",
    "A-3,Penang Gloves,Malaysia,22,1,3000,0.7,true",
    "A-4,Baraka Tea,Kenya,01,4,,,",
)
BAD = "A-5,Nowhere Ltd,Atlantis,14,1,10,,"

Run = Callable[..., tuple[int, str, str]]


def written(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *(lines or GOOD))) + "\n", encoding="utf-8")
    return path


def score(*args: object) -> Result:
    """Run in this process; what is not an exit is raised."""
    found = CliRunner().invoke(cli, ["score", *map(str, args), *ON])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The whole command line, errors turned into exit codes and messages: (code, stdout, stderr)."""

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vigilance", "score", *map(str, args), *ON])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=delimiter))


def meta(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_bytes())
    return found


def test_a_clean_list_gives_a_run_and_zero(tmp_path: Path) -> None:
    out = tmp_path / "run"
    found = score(written(tmp_path / "list.csv"), "--out", out)
    assert found.exit_code == 0, found.output
    said = found.stdout
    assert said.startswith("4 sites scored as of 2026-11-01\n")
    assert "A-3 Penang Gloves" in said
    assert all(len(line) <= 80 for line in said.splitlines() if str(tmp_path) not in line)
    assert {path.name for path in out.iterdir()} == {
        *("run.json", "scores.parquet", "scores.csv", "sites.parquet", "issues.csv", "issues.jsonl", "rejected"),
    }
    rows = table(out / "scores.csv")
    assert [row["supplier_id"] for row in rows] == ["A-1", "A-2", "A-3", "A-4"]
    worst = max(rows, key=lambda row: max(float(row[f"{hazard}_p80"]) for hazard in HAZARDS))
    assert worst["rank"] == "1"
    assert sum(meta(out)["bands"]["forced_labour"].values()) == 4


def test_without_out_a_new_folder_stands_beside_the_input(tmp_path: Path) -> None:
    score(written(tmp_path / "list.csv"))
    folders = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(folders) == 1
    assert folders[0].name == f"vigilance-2026-11-01-{meta(folders[0])['identity'][:8]}"


def test_rows_set_aside_give_four_and_keep_their_bytes(tmp_path: Path, command: Run) -> None:
    path, out = written(tmp_path / "list.csv", *GOOD, BAD), tmp_path / "run"
    code, said, _err = command(path, "--out", out, "--max-rejected", "0.2")
    assert code == 4
    assert "rows set aside: 1" in said.splitlines()[0]
    issues = table(out / "issues.csv")
    assert [(row["severity"], row["row"], row["value"]) for row in issues if row["severity"] == "error"] == [
        ("error", "6", "Atlantis")
    ]
    assert (out / "rejected" / "rows-1.bin").read_text() == BAD + "\n"
    counts = meta(out)["counts"]
    assert counts["rows_in"] == counts["loaded"] + counts["set_aside"] + counts["blank"] == 5


def test_too_many_rows_set_aside_give_three_and_write_nothing(tmp_path: Path, command: Run) -> None:
    path = written(tmp_path / "list.csv", *GOOD, BAD)
    code, said, err = command(path, "--out", tmp_path / "run")
    assert (code, said) == (3, "")
    assert "1 of 5 rows" in err
    assert "Atlantis" in err
    assert "--max-rejected" in err
    assert [found.name for found in tmp_path.iterdir()] == ["list.csv"]


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "empty"), ("a;b\n1;2\n", "'name', 'country'"), (HEADER + "\n", "row")],
    ids=["empty", "no such column", "header only"],
)
def test_a_list_that_cannot_be_used_gives_three(tmp_path: Path, command: Run, content: str, words: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content)
    code, said, err = command(path, "--out", tmp_path / "run")
    assert (code, said) == (3, "")
    assert words in err
    assert not (tmp_path / "run").exists()


def test_a_missing_file_gives_three(tmp_path: Path, command: Run) -> None:
    code, _out, err = command(tmp_path / "absent.csv")
    assert code == 3
    assert "absent.csv" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--set", "method.size_exponent"), "NAME=VALUE"),
        (("--set", "method.size_exponent=much"), "not a number"),
        (("--set", "method.size_exponant=0.4"), "size_exponent"),
        (("--map", "vendor=name"), "vendor"),
        (("--engine", "abacus"), "abacus"),
        (("--max-rejected", "2"), "range"),
        (("--nonsense",), "nonsense"),
    ],
)
def test_wrong_usage_gives_two_and_says_what_to_write(
    tmp_path: Path, command: Run, options: tuple[str, ...], words: str
) -> None:
    code, said, err = command(written(tmp_path / "list.csv"), "--out", tmp_path / "run", *options)
    assert (code, said) == (2, "")
    assert words in err
    assert not (tmp_path / "run").exists()


def test_a_band_that_must_not_be_reached_gives_ten(tmp_path: Path, command: Run) -> None:
    path = written(tmp_path / "list.csv")
    code, _out, err = command(path, "--out", tmp_path / "run", "--fail-on", "severe")
    assert code == 10
    assert "severe" in err
    assert (tmp_path / "run" / "scores.parquet").exists()
    safe = written(tmp_path / "safe.csv", "A-1,Rivière Conseil,France,70,1,5,0,false")
    assert command(safe, "--out", tmp_path / "safe", "--fail-on", "severe")[0] == 0


def test_strict_refuses_a_list_with_any_error(tmp_path: Path, command: Run) -> None:
    path = written(tmp_path / "list.csv", *GOOD, BAD)
    code, _out, err = command(path, "--out", tmp_path / "run", "--strict", "--max-rejected", "1")
    assert code == 3
    assert "Atlantis" in err or "list.csv" in err


def test_json_is_the_record_and_nothing_else(tmp_path: Path) -> None:
    found = score(written(tmp_path / "list.csv"), "--out", tmp_path / "run", "--json")
    assert json.loads(found.stdout) == meta(tmp_path / "run")
    assert found.stderr == ""


def test_quiet_says_nothing(tmp_path: Path) -> None:
    found = score(written(tmp_path / "list.csv"), "--out", tmp_path / "run", "--quiet")
    assert found.output == ""


def test_a_changed_judgement_changes_the_scores_and_the_digest(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv")
    score(path, "--out", tmp_path / "as is")
    score(path, "--out", tmp_path / "what if", "--set", "method.tier.forced_labour.4=3.3")
    one, other = meta(tmp_path / "as is"), meta(tmp_path / "what if")
    assert other["rules"]["set"] == {"method.tier.forced_labour.4": 3.3}
    assert one["rules"]["sha256"] != other["rules"]["sha256"]
    assert one["identity"] != other["identity"]
    before, after = (
        pl.read_parquet(tmp_path / name / "scores.parquet")["forced_labour_p50"] for name in ("as is", "what if")
    )
    assert before[3] < after[3]
    assert before[:3].equals(after[:3])


def test_the_same_again_writes_nothing_and_says_so(tmp_path: Path) -> None:
    path, out = written(tmp_path / "list.csv"), tmp_path / "run"
    score(path, "--out", out)
    before = {found: found.stat().st_mtime_ns for found in out.rglob("*")}
    again = score(path, "--out", out)
    assert again.exit_code == 0
    assert "nothing was written" in again.stdout
    assert {found: found.stat().st_mtime_ns for found in out.rglob("*")} == before


def test_what_is_there_is_never_overwritten(tmp_path: Path, command: Run) -> None:
    path, out = written(tmp_path / "list.csv"), tmp_path / "run"
    command(path, "--out", out)
    before = (out / "scores.parquet").read_bytes()
    code, _out, err = command(path, "--out", out, "--set", "method.size_exponent=0.4")
    assert code == 2
    assert "never overwritten" in err
    assert (out / "scores.parquet").read_bytes() == before
    own = tmp_path / "mine"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    assert command(path, "--out", own)[0] == 2
    assert [found.name for found in own.iterdir()] == ["notes.txt"]


def test_french_reads_as_french_and_opens_in_a_french_spreadsheet(tmp_path: Path) -> None:
    path, out = written(tmp_path / "list.csv", *GOOD, BAD), tmp_path / "run"
    found = score(path, "--out", out, "--lang", "fr", "--max-rejected", "0.5")
    assert found.exit_code == 4
    assert "Travail forcé" in found.stdout
    assert "Travail des enfants" in found.stdout
    for word in ("evidence", "sites scored", "Highest", "severe", "warning", " row "):
        assert word not in found.stdout
    text = (out / "scores.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfsupplier_id;name;")
    row = table(out / "scores.csv", ";")[2]
    assert float(row["forced_labour_score"].replace(",", ".")) > 10
    assert "," in row["forced_labour_score"]
    assert "travailleurs migrants ×" in " ".join(row[f"forced_labour_driver_{place}"] for place in (1, 2, 3))
    assert "mises de côté" in meta(out)["warnings"][0]


def test_a_cell_cannot_become_a_formula(tmp_path: Path) -> None:
    header = HEADER + ",=note"
    lines = [
        f"{line},{note}" for line, note in zip(GOOD, ("=1+1", "@SUM(A1)", "-12.5", "+cmd|' /C calc'!A0"), strict=True)
    ]
    out = tmp_path / "run"
    score(written(tmp_path / "list.csv", *lines, header=header), "--out", out)
    rows = table(out / "scores.csv")
    assert [row["'=note"] for row in rows] == ["'=1+1", "'@SUM(A1)", "-12.5", "'+cmd|' /C calc'!A0"]
    assert pl.read_parquet(out / "scores.parquet")["=note"].to_list()[0] == "=1+1"


def test_every_ratio_can_be_kept(tmp_path: Path) -> None:
    out = tmp_path / "run"
    score(written(tmp_path / "list.csv"), "--out", out, "--explain")
    rates = (
        pl.read_parquet(out / "ratios.parquet")
        .filter(pl.col("step").is_in(["rate", "presence"]), hazard="forced_labour")
        .group_by("supplier_id", maintain_order=True)
        .agg(pl.col("ratio").product().alias("m"))
    )
    inherent = pl.read_parquet(out / "scores.parquet")["forced_labour_inherent_p50"]
    assert ((1 - (-rates["m"]).exp()) - inherent).abs().max() < 1e-9


def test_a_list_of_another_name_is_mapped(tmp_path: Path) -> None:
    header = HEADER.replace("supplier_id", "Ref interne")
    out = tmp_path / "run"
    found = score(written(tmp_path / "list.csv", header=header), "--map", "supplier_id=Ref interne", "--out", out)
    assert found.exit_code == 0
    assert open_run(out).sites.select("_supplier_id").collect().to_series().to_list() == ["A-1", "A-2", "A-3", "A-4"]


ENVIRONMENTS = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "POLARS_MAX_THREADS": "1"},
    {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "LC_ALL": "fr_FR.UTF-8", "POLARS_MAX_THREADS": "2"},
    {"PYTHONHASHSEED": "99", "TZ": "America/Los_Angeles", "LC_ALL": "tr_TR.UTF-8", "POLARS_MAX_THREADS": "4"},
)


def test_the_same_bytes_whatever_the_machine_is_set_to(tmp_path: Path) -> None:
    many = [f"S-{i},{line.split(',', 1)[1]}" for i in range(60) for line in GOOD[i % 4 : i % 4 + 1]]
    path = written(tmp_path / "list.csv", *many, BAD)
    arguments = [sys.executable, "-m", "vigilance", "score", str(path), *ON, "--explain", "--quiet"]
    running = [
        subprocess.Popen([*arguments, "--out", str(tmp_path / str(number))], env={**os.environ, **settings})
        for number, settings in enumerate(ENVIRONMENTS)
    ]
    assert [process.wait(timeout=120) for process in running] == [4, 4, 4]
    records = [meta(tmp_path / str(number)) for number in range(len(ENVIRONMENTS))]
    for record in records:
        del record["seconds"]
    assert records[0] == records[1] == records[2]
    assert len(records[0]["outputs"]) >= 7


def test_a_change_outside_the_range_of_its_judgement_is_said(tmp_path: Path, command: Run) -> None:
    path = written(tmp_path / "list.csv")
    _code, _said, err = command(path, "--out", tmp_path / "a", "--set", "method.size_exponent=0.9")
    assert "outside the range of this judgement, 0.15 to 0.5" in err
    _code, _said, err = command(path, "--out", tmp_path / "b", "--set", "method.size_exponent=0.4")
    assert "outside" not in err


def test_a_full_disk_is_said_in_the_language_asked_for(
    tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_named: object) -> None:
        raise OSError("No space left on device (os error 28)")

    monkeypatch.setattr("vigilance.pipeline.score", full)
    path = written(tmp_path / "list.csv")
    code, _said, err = command(path, "--lang", "fr")
    assert code == 6
    assert "il n'y a plus de place sur le disque ; rien n'a été écrit" in err
    code, _said, err = command(path)
    assert "no space is left on the disk; nothing was written" in err


def test_the_band_to_fail_on_is_named_in_the_language(tmp_path: Path, command: Run) -> None:
    path = written(tmp_path / "list.csv")
    code, _said, err = command(path, "--out", tmp_path / "a", "--fail-on", "moderate", "--lang", "fr")
    assert code == 10
    assert "la classe modéré " in err


def test_french_spaces_are_no_strange_characters(tmp_path: Path, command: Run) -> None:
    path = written(tmp_path / "list.csv", *GOOD, "A-6,Société\u00a0du Nord\x07,France,14,1,10,,")
    _code, said, _err = command(path, "--out", tmp_path / "a", "--lang", "fr")
    assert "·;" not in said
    assert " ; " in said


def test_a_mapped_header_that_no_file_has_is_refused(tmp_path: Path, command: Run) -> None:
    code, _said, err = command(written(tmp_path / "list.csv"), "--map", "tier=Rank", "--out", tmp_path / "a")
    assert code == 2
    assert "--map tier=Rank: no such header" in err
    assert "'workers'" in err
    assert not (tmp_path / "a").exists()
