"""The same sheet as XLSX, XLS, XLSB and ODS: the same table, and the same things said."""

from __future__ import annotations

import datetime as dt
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigilance.errors import InputRefused
from vigilance.ingest.readers import read_raw

from .binary_books import Book, Cell, Error, Formula, Number, write_xls, write_xlsb
from .conftest import WANTED, cells, codes, lines, read
from .xml_books import write_ods, write_xlsx

HEAD = ["id", "name", "country", "share", "day"]
DAY = (dt.date(2026, 2, 1) - dt.date(1899, 12, 30)).days
SINCE_1904 = (dt.date(2026, 2, 1) - dt.date(1904, 1, 1)).days
ZEROS, PERCENT, DATE = 1, 2, 3
FORMATS = ("00000", "0.0%", "yyyy-mm-dd")
BOOK = Book(
    rows=[
        HEAD,
        [Number(123, ZEROS), "a", "FR", Number(0.285, PERCENT), Number(DAY, DATE)],
        ["2", "b", "DE", Error(7), None],
        ["3", "c", "IT", Error(42, formula=True), None],
        ["4", "d", "ES", Formula(0.5), None],
        [None, None, None, None, Error(36)],
    ],
    formats=FORMATS,
    hidden_rows=[4],
    hidden_columns=[3],
)


WRITERS: dict[str, Callable[[Path, Book], Path]] = {
    "xlsx": write_xlsx,
    "xlsm": write_xlsx,
    "xls": write_xls,
    "xlsb": write_xlsb,
    "ods": write_ods,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_sheet_is_the_same_table_in_every_kind(tmp_path: Path, kind: str) -> None:
    table = read(WRITERS[kind](tmp_path / f"list.{kind}", BOOK))
    assert cells(table) == [("00123", "a", "FR", "28.5%", "2026-02-01"), ("4", "d", "ES", "0.5", None)]
    assert lines(table) == [2, 5]
    assert table.rejected["line"].to_list() == [3, 4, 6]
    errors = table.issues.filter(table.issues["code"] == "error_cell").select("row", "column", "value").rows()
    assert errors == [(3, "share", "#DIV/0!"), (4, "share", "#N/A"), (6, "day", "#NUM!")]
    assert {code for code, _row in codes(table)} == {
        "error_cell",
        "zeros_restored",
        "percent_format",
        "hidden_rows",
        "hidden_columns",
    }


@pytest.mark.parametrize("kind", ["xlsx", "xls", "xlsb"])
def test_dates_that_count_from_1904(tmp_path: Path, kind: str) -> None:
    rows = [HEAD, ["1", "a", "FR", None, Number(SINCE_1904, DATE)]]
    path = WRITERS[kind](tmp_path / f"list.{kind}", Book(rows=rows, formats=FORMATS, from_1904=True))
    assert cells(read(path)) == [("1", "a", "FR", None, "2026-02-01")]


@pytest.mark.parametrize("kind", WRITERS)
def test_merged_header_cells_are_filled(tmp_path: Path, kind: str) -> None:
    rows = [["Place", None, "id", "name"], ["country", "city", None, None], ["FR", "Lyon", "1", "a"]]
    book = Book(rows=rows, merges=[(0, 0, 0, 1), (0, 2, 1, 2), (0, 3, 1, 3)])
    table = read(WRITERS[kind](tmp_path / f"list.{kind}", book))
    assert table.header == ["country", "city", "id", "name"]
    assert cells(table) == [("FR", "Lyon", "1", "a")]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_merged_title_is_no_merged_header(tmp_path: Path, kind: str) -> None:
    rows = [["Sites of the year", None, None], ["id", "name", "country"], ["1", "a", "FR"]]
    table = read(WRITERS[kind](tmp_path / f"list.{kind}", Book(rows=rows, merges=[(0, 0, 0, 2)])))
    assert cells(table) == [("1", "a", "FR")]
    assert table.issues["code"].to_list() == ["title_lines"]
    assert table.issues["message"].to_list() == ["1 row above the header was skipped"]


def test_a_blank_text_is_a_value_unless_no_formula_has_any(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["id", "name", "country", "x"], ["1", "a", "FR", Formula(None)]]
    computed = read(write_xls(tmp_path / "one.xls", Book([*rows, ["2", "b", "DE", Formula(7)]])))
    assert [row[3] for row in cells(computed)] == [None, "7"]
    never = read(write_xls(tmp_path / "two.xls", Book(rows)))
    assert not cells(never)
    assert codes(never) == [("formula_without_value", 2)]


def test_errors_alone_at_the_edge_are_named(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["id", "name", "country", "x", "y"], ["1", "a", "FR", None, Error(7)], ["2", "b", "DE"]]
    for kind, write in WRITERS.items():
        table = read(write(tmp_path / f"edge.{kind}", Book([*rows, [None, None, None, None, Error(42)]])))
        assert table.rejected["line"].to_list() == [2, 4], kind
        assert cells(table) == [("2", "b", "DE", None, None)], kind


def outcome(path: Path) -> Any:
    try:
        table = read_raw(path, required=WANTED)[0]
    except InputRefused:
        return None
    assert table.counts.loaded == table.collect().height
    assert table.counts.rows_in == table.counts.loaded + table.counts.set_aside + table.counts.blank
    return table


def damage(path: Path, rng: random.Random) -> None:
    """Flip bits of a file, or of what is packed in it, or cut it off."""
    if zipfile.is_zipfile(path) and rng.random() < 0.6:
        with zipfile.ZipFile(path) as old:
            parts = {info.filename: bytearray(old.read(info)) for info in old.infolist()}
        target = parts[rng.choice([name for name, content in parts.items() if content])]
        _flip(target, rng)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name, content in parts.items():
                new.writestr(zipfile.ZipInfo(name), bytes(content))
        return
    content = bytearray(path.read_bytes())
    _flip(content, rng)
    path.write_bytes(content[: rng.randrange(1, len(content))] if rng.random() < 0.3 else content)


def _flip(content: bytearray, rng: random.Random) -> None:
    for _count in range(rng.randint(1, 12)):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("seed", range(3))
def test_damaged_books_are_refused_or_read(tmp_path: Path, kind: str, seed: int) -> None:
    path = WRITERS[kind](tmp_path / f"list.{kind}", BOOK)
    damage(path, random.Random(f"{kind}{seed}"))
    outcome(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_hundreds_of_damaged_books_are_refused_or_read(tmp_path: Path, kind: str) -> None:
    for seed in range(300):
        path = WRITERS[kind](tmp_path / f"list.{kind}", BOOK)
        damage(path, random.Random(f"long {kind}{seed}"))
        outcome(path)
