"""The files of a plan, opened the way a user's programs open them."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import use
from vigilance.planning import inputs, output, past

from . import runs

EVIL = '=HYPERLINK("http://x","y")'


@pytest.fixture(scope="module")
def evil_plan() -> object:
    scores, sites = runs.made_up(200)
    sites = sites.with_columns(
        pl.when(pl.col("_row") % 2 == 0)
        .then(pl.lit(EVIL))
        .otherwise(pl.lit("Café; «Ünïcode», a very long name " + "é" * 60))
        .alias("_name"),
        pl.concat_str(pl.lit("-S"), pl.col("_row").cast(pl.String)).alias("_supplier_id"),
    )
    return runs.plan(0, 60, of=inputs.read(scores.lazy(), sites.lazy()))


def unfolded(text: str) -> list[str]:
    assert "\n" not in text.replace("\r\n", "")
    for line in text.split("\r\n"):
        assert len(line.encode()) <= 75
    return text.replace("\r\n ", "").split("\r\n")


def test_files_open_and_agree(evil_plan: object, tmp_path: Path) -> None:
    figures = output.write(evil_plan, tmp_path / "plan", {"on": "2026-11-01"}, runs.ON)  # type: ignore[arg-type]
    folder = tmp_path / "plan"
    assert sorted(p.name for p in folder.iterdir()) == [
        "left_out.csv",
        "plan.csv",
        "plan.ics",
        "plan.json",
        "plan.xlsx",
    ]
    back = past.open_plan(folder)
    assert back.planned.height + back.left_out.height == 200
    assert figures == json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert abs(figures["used"] - back.planned["person_days"].sum() - back.planned["travel_days"].sum()) < 0.01
    assert back.planned["supplier_id"].str.starts_with("-S").all()

    lines = unfolded((folder / "plan.ics").read_bytes().decode("utf-8"))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == back.planned.height
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == len(uids)
    starts = sorted(date.fromisoformat(line.split(":")[1]) for line in lines if line.startswith("DTSTART"))
    assert starts == sorted(back.planned["start_on"].to_list())
    assert any(r"Café\; «Ünïcode»\, a" in line for line in lines)

    book = openpyxl.load_workbook(folder / "plan.xlsx")
    sheet = book.worksheets[0]
    assert sheet.max_row == back.planned.height + 1
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.data_type != "f"
            assert cell.hyperlink is None
    names = [cell.value for cell in next(sheet.iter_rows(max_row=1))]
    ids = {row[names.index("supplier_id")].value for row in sheet.iter_rows(min_row=2)}
    assert ids == set(back.planned["supplier_id"])


def test_no_cell_of_a_csv_file_can_become_a_formula(evil_plan: object, tmp_path: Path) -> None:
    output.write(evil_plan, tmp_path / "plan", {}, runs.ON)  # type: ignore[arg-type]
    for name in ("plan.csv", "left_out.csv"):
        raw = pl.read_csv(tmp_path / "plan" / name, infer_schema=False)
        for column in raw.columns:
            cells = raw[column].drop_nulls().to_list()
            assert not any(re.match(r"\s*[=+@]", cell) for cell in cells)
        assert raw["name"].str.starts_with("'=").any()


def test_same_plan_same_bytes(evil_plan: object, tmp_path: Path) -> None:
    first = output.write(evil_plan, tmp_path / "a", {}, runs.ON)  # type: ignore[arg-type]
    second = output.write(evil_plan, tmp_path / "b", {}, runs.ON)  # type: ignore[arg-type]
    assert first["outputs"] == second["outputs"]


def test_french_files_read_back_the_same(evil_plan: object, tmp_path: Path) -> None:
    output.write(evil_plan, tmp_path / "en", {}, runs.ON)  # type: ignore[arg-type]
    with use("fr"):
        output.write(evil_plan, tmp_path / "fr", {}, runs.ON)  # type: ignore[arg-type]
    english, french = past.open_plan(tmp_path / "en"), past.open_plan(tmp_path / "fr")
    assert ";" in (tmp_path / "fr" / "plan.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert english.planned.drop("reason").equals(french.planned.drop("reason"))
    assert "travail" in " ".join(french.planned["reason"])


def test_nothing_is_overwritten_and_changes_are_seen(evil_plan: object, tmp_path: Path) -> None:
    output.write(evil_plan, tmp_path / "plan", {}, runs.ON)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        output.write(evil_plan, tmp_path / "plan", {}, runs.ON)  # type: ignore[arg-type]
    target = tmp_path / "plan" / "plan.csv"
    target.write_bytes(target.read_bytes().replace(b"unannounced", b"desk_review"))
    with pytest.raises(InputRefused):
        past.open_plan(tmp_path / "plan")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
