"""Workbooks: what a person sees is what is read, or the row is set aside; bombs and damage are refused."""

import datetime as dt
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from vigilance.errors import InputRefused
from vigilance.ingest.readers import Limits, RawTable, read_raw

from .conftest import WANTED, cells, codes, lines, read

HEAD = ["id", "name", "country"]


def book(path: Path, fill: Callable[[Any, Any], None]) -> Path:
    workbook = xlsxwriter.Workbook(path, {"strings_to_numbers": False})
    fill(workbook, workbook.add_worksheet("Sites"))
    workbook.close()
    return path


def simple(_workbook: Any, sheet: Any) -> None:
    sheet.write_row(0, 0, HEAD)
    sheet.write_row(1, 0, ["1", "a", "FR"])


def test_values_are_the_text_a_person_sees(tmp_path):
    def fill(workbook, sheet):
        zeros = workbook.add_format({"num_format": "00000"})
        percent = workbook.add_format({"num_format": "0.0%"})
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, [*HEAD, "share", "day", "moment", "sum", "yes", "big"])
        sheet.write_number(1, 0, 123, zeros)
        sheet.write_string(1, 1, "first\nsecond")
        sheet.write_string(1, 2, "007")
        sheet.write_number(1, 3, 0.285, percent)
        sheet.write_datetime(1, 4, dt.date(2026, 2, 1), day)
        sheet.write_datetime(1, 5, dt.datetime(2026, 2, 1, 13, 45), moment)  # noqa: DTZ001 - a spreadsheet knows no time zone
        sheet.write_number(1, 6, 0.1 + 0.2)
        sheet.write_boolean(1, 7, True)
        sheet.write_number(1, 8, 123456789012345)

    table = read(book(tmp_path / "list.xlsx", fill))
    assert cells(table) == [
        (
            "00123",
            "first\nsecond",
            "007",
            "28.5%",
            "2026-02-01",
            "2026-02-01 13:45:00",
            "0.3",
            "true",
            "123456789012345",
        )
    ]
    assert codes(table) == [("zeros_restored", 2), ("percent_format", 2)]
    assert table.sheet == "Sites"


def test_rows_with_errors_formulas_and_rounded_ids_are_set_aside(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append([*HEAD, "x"])
    sheet.append(["1", "a", "FR", 1])
    sheet.append(["2", "b", "DE", "#DIV/0!"])
    sheet.append(["3", "c", "IT", "=1+1"])
    sheet.append([1234567890123456789, "d", "ES", 1])
    sheet.append(["#N/A", None, None, None])
    path = tmp_path / "list.xlsx"
    workbook.save(path)
    table = read(path)
    assert cells(table) == [("1", "a", "FR", "1")]
    assert lines(table) == [2]
    assert table.counts.set_aside == 4
    assert table.rejected["line"].to_list() == [3, 4, 5, 6]
    found = table.issues.select("code", "row", "column", "value").rows()
    assert sorted(found) == [
        ("error_cell", 3, "x", "#DIV/0!"),
        ("error_cell", 6, "id", "#N/A"),
        ("formula_without_value", 4, "x", ""),
        ("number_over_15_digits", 5, "id", ""),
    ]


def test_what_surrounds_hides_or_merges_is_said(tmp_path):
    def fill(workbook, sheet):
        sheet.merge_range("A1:C1", "Our suppliers")
        sheet.merge_range("A3:A4", "id")
        sheet.merge_range("B3:B4", "name")
        sheet.merge_range("C3:D3", "Place")
        sheet.write_row("C4", ["country", "city"])
        sheet.write_row("A5", ["1", "a", "FR", "Lyon"])
        sheet.set_row(4, None, None, {"hidden": True})
        sheet.set_column("D:D", None, None, {"hidden": True})
        sheet.write_row("A7", [*HEAD, "city"])
        sheet.write_row("A8", ["2", "b", "DE", "Ulm"])
        sheet.write_row("A9", ["Total", None, None, "2"])
        workbook.add_worksheet("Hidden").hide()

    table = read(book(tmp_path / "list.xlsx", fill))
    assert table.header == ["id", "name", "country", "city"]
    assert cells(table) == [("1", "a", "FR", "Lyon"), ("2", "b", "DE", "Ulm")]
    assert lines(table) == [5, 8]
    assert table.counts.blank == 1
    assert {code for code, _row in codes(table)} == {
        "hidden_sheet",
        "title_lines",
        "repeated_header",
        "trailer",
        "hidden_rows",
        "hidden_columns",
        "merged_header",
    }


def test_the_sheet_that_fits_is_read_and_two_are_refused(tmp_path):
    def fill(workbook, sheet):
        simple(workbook, sheet)
        workbook.add_worksheet("Notes").write(0, 0, "some text")

    def twice(workbook, sheet):
        simple(workbook, sheet)
        simple(workbook, workbook.add_worksheet("Old"))

    assert cells(read(book(tmp_path / "one.xlsx", fill))) == [("1", "a", "FR")]
    path = book(tmp_path / "two.xlsx", twice)
    with pytest.raises(InputRefused, match="two sheets fit: 'Sites', 'Old'"):
        read(path)
    assert read(path, sheet="Old").sheet == "Old"
    with pytest.raises(InputRefused, match="no sheet 'New'"):
        read(path, sheet="New")


def test_no_header_names_what_was_found(tmp_path):
    path = book(tmp_path / "list.xlsx", lambda _book, sheet: sheet.write_row(0, 0, ["id", "nam", "country"]))
    with pytest.raises(InputRefused, match=r"'name'.*row 1.*'nam'(.|\n)*nearest"):
        read(path)


def test_a_bomb_of_two_cells_is_refused(tmp_path):
    def fill(_workbook, sheet):
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "x")

    with pytest.raises(InputRefused, match="cells"):
        read(book(tmp_path / "list.xlsx", fill))


def repack(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same workbook with its parts changed."""
    out = path.with_name("changed" + path.suffix)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = change(info.filename, old.read(info))
            if content is not None:
                new.writestr(info.filename, content)
    return out


def rename(path: Path, new: Callable[[str], str], change: Callable[[bytes], bytes] = bytes) -> Path:
    """The same workbook with its parts elsewhere."""
    out = path.with_name("renamed" + path.suffix)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in old.infolist():
            archive.writestr(new(info.filename), change(old.read(info)))
    return out


def test_parts_may_be_named_otherwise(tmp_path):
    path = book(tmp_path / "list.xlsx", simple)
    assert cells(read(rename(path, str.upper))) == [("1", "a", "FR")]
    moved = rename(path, lambda name: name.replace("xl/", "book/"), lambda old: old.replace(b"xl/", b"book/"))
    assert cells(read(moved)) == [("1", "a", "FR")]


def test_archives_that_are_no_honest_workbook_are_refused(tmp_path):
    path = book(tmp_path / "list.xlsx", simple)
    bomb = repack(path, lambda name, old: b" " * 40_000_000 if name.endswith("sharedStrings.xml") else old)
    with pytest.raises(InputRefused, match="limits"):
        read(bomb)
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    sheet = repack(
        path, lambda name, old: old.replace(b"<worksheet", entity + b"<worksheet") if "sheet1" in name else old
    )
    with pytest.raises(InputRefused, match="document type"):
        read(sheet)
    with pytest.raises(InputRefused, match="not a workbook"):
        read(repack(path, lambda name, old: None if name == "xl/workbook.xml" else old))
    with pytest.raises(InputRefused, match="limits"):
        read(path, limits=Limits(workbook_entries=3))
    with pytest.raises(InputRefused, match="cells"):
        read(path, limits=Limits(workbook_cells=5))


def test_password_and_wrong_content_are_named(tmp_path):
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(InputRefused, match="password"):
        read(locked)
    fake = tmp_path / "fake.xlsx"
    fake.write_bytes(b"%PDF-1.4 not a workbook")
    with pytest.raises(InputRefused, match="PDF"):
        read(fake)


def test_ods(tmp_path):
    opendocument = pytest.importorskip("odf.opendocument")
    tables, texts = pytest.importorskip("odf.table"), pytest.importorskip("odf.text")
    document = opendocument.OpenDocumentSpreadsheet()
    sheet = tables.Table(name="Sites")
    for row in [HEAD, ["1", "a", "FR"]]:
        line = tables.TableRow()
        for text in row:
            cell = tables.TableCell(valuetype="string")
            cell.addElement(texts.P(text=text))
            line.addElement(cell)
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    path = tmp_path / "list.ods"
    document.save(path)
    assert cells(read(path)) == [("1", "a", "FR")]


def outcome(path: Path) -> RawTable | None:
    try:
        table = read_raw(path, required=WANTED)[0]
    except InputRefused:
        return None
    assert table.counts.loaded == table.collect().height
    return table


@pytest.mark.parametrize("seed", range(6))
def test_damaged_workbooks_are_refused_or_read(tmp_path, seed):
    rng = random.Random(seed)
    path = book(tmp_path / "list.xlsx", simple)
    content = bytearray(path.read_bytes())
    for _index in range(rng.randint(1, 20)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path.write_bytes(content[: rng.randrange(len(content))] if seed % 3 == 0 else content)
    outcome(path)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_sheets_are_refused_or_read(tmp_path, seed):
    rng = random.Random(seed)

    def change(name: str, old: bytes) -> bytes:
        if not name.startswith("xl/"):
            return old
        new = bytearray(old)
        for _index in range(rng.randint(0, 3)):
            new[rng.randrange(len(new))] = rng.choice(b'<>"=/A1Z ')
        return bytes(new)

    outcome(repack(book(tmp_path / "list.xlsx", simple), change))


def test_absurd_references_are_refused(tmp_path):
    path = book(tmp_path / "list.xlsx", simple)
    for ref in (b"ZZZZZ1", b"A99999999", b"1A", b"A0"):
        changed = repack(
            path, lambda name, old, ref=ref: old.replace(b'r="A2"', b'r="%s"' % ref) if "sheet1" in name else old
        )
        outcome(changed)


def test_in_memory_copies_are_not_needed(tmp_path):
    buffer = io.BytesIO()
    workbook = openpyxl.Workbook()
    workbook.active.append(HEAD)
    workbook.active.append([1, 2.5, None])
    workbook.save(buffer)
    path = tmp_path / "list.xlsm"
    path.write_bytes(buffer.getvalue())
    assert cells(read(path)) == [("1", "2.5", None)]
