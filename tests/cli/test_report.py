import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from vigilance import pipeline, reference, rules
from vigilance.cli.report import command
from vigilance.errors import UsageError

ON = date(2026, 11, 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli-report")
    source = folder / "suppliers.csv"
    source.write_text(
        "supplier_id,name,country,activity\nA,Knit,Bangladesh,Wearing apparel\nB,Shop,France,Retail trade\n"
    )
    job = pipeline.Job(inputs=[source], on=ON, out=folder / "run")
    return pipeline.score(job, reference.load().in_force(ON), rules.load().in_force(ON)).run.path


def test_help_has_an_example() -> None:
    said = CliRunner().invoke(command, ["--help"])
    assert said.exit_code == 0
    assert "vigilance report run --for board" in said.output


def test_files_are_named_on_standard_output(run: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(
        command, [str(run), "--format", "md,xlsx", "--for", "board", "--out", str(tmp_path / "out")]
    )
    assert said.exit_code == 0, said.output
    assert [Path(line).name for line in said.output.splitlines()] == ["report-board-en.md", "report-board-en.xlsx"]
    assert all(Path(line).is_file() for line in said.output.splitlines())


def test_json_traces_each_statement(run: Path, tmp_path: Path) -> None:
    arguments = [
        str(run),
        "--format",
        "md",
        "--for",
        "regulator:csddd",
        "--lang",
        "fr",
        "--json",
        "--out",
        str(tmp_path / "o"),
    ]
    said = json.loads(CliRunner().invoke(command, arguments).output)
    assert said["files"] == ["report-regulator-csddd-fr.md"]
    first = said["statements"][0]
    assert first["supplier_ids"] == ["A", "B"]
    assert first["assessed"] is True


def test_quiet_says_nothing(run: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(command, [str(run), "--format", "md", "--quiet", "--out", str(tmp_path / "out")])
    assert (said.exit_code, said.output) == (0, "")


def test_an_unknown_format_is_refused(run: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(command, [str(run), "--format", "docx", "--out", str(tmp_path / "out")])
    assert isinstance(said.exception, UsageError)
    assert "html, xlsx, pdf, md" in str(said.exception)


def test_the_same_report_again_writes_nothing(run: Path) -> None:
    arguments = [str(run), "--format", "md"]
    first, second = (CliRunner().invoke(command, arguments) for _ in range(2))
    assert first.exit_code == second.exit_code == 0
    assert "already there" in second.output
