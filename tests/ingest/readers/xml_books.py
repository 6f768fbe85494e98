"""The books of ``binary_books`` as XLSX and as ODS."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter

from .binary_books import Book, Cell, Error, Formula, Number

ERRORS = {7: "#DIV/0!", 42: "#N/A", 36: "#NUM!"}


def write_xlsx(path: Path, book: Book) -> Path:
    """Write a book as XLSX or XLSM."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "date_1904": book.from_1904}) as workbook:
        sheet = workbook.add_worksheet(book.sheet)
        styles = [None, *(workbook.add_format({"num_format": code}) for code in book.formats)]
        for row, columns in enumerate(book.rows):
            for column, cell in enumerate(columns):
                _write(sheet, row, column, cell, styles)
        for row in book.hidden_rows:
            sheet.set_row(row, None, None, {"hidden": True})
        for column in book.hidden_columns:
            sheet.set_column(column, column, None, None, {"hidden": True})
        for top, left, bottom, right in book.merges:
            sheet.merge_range(top, left, bottom, right, book.rows[top][left])
    return path


def _write(sheet: Any, row: int, column: int, cell: Cell, styles: Sequence[Any]) -> None:
    match cell:
        case Number(value, style):
            sheet.write_number(row, column, value, styles[style])
        case Error(code):
            sheet.write_formula(row, column, "=1/0", None, ERRORS[code])
        case Formula(value):
            sheet.write_formula(row, column, "=A1", None, "" if value is None else value)
        case str():
            sheet.write_string(row, column, cell)
        case int() | float():
            sheet.write_number(row, column, cell)


def _element(attributes: str, shown: object) -> str:
    return f"<table:table-cell {attributes}><text:p>{escape(str(shown))}</text:p></table:table-cell>"


def _value(kind: str, value: object) -> str:
    return f'office:value-type="{kind}" office:value="{value}"'


def _ods_cell(cell: Cell, formats: Sequence[str], span: str) -> str:
    match cell:
        case None:
            return f"<table:table-cell{span}/>"
        case str():
            return _element(f'{span} office:value-type="string"', cell)
        case Error(code, formula=True):  # as LibreOffice writes it
            kind = 'office:value-type="string" calcext:value-type="error"'
            return _element(f'table:formula="of:=1/0" {kind}', ERRORS[code])
        case Error(code):  # as older programs do
            return _element(f'table:formula="of:=1/0" {_value("float", 0)}', ERRORS[code])
        case Formula(value):
            return _element(f'table:formula="of:=A1" {_value("float", value)}', value)
        case Number(value, style) if style:
            return _ods_number(value, formats[style - 1])
    value = cell.value if isinstance(cell, Number) else cell
    return _element(_value("float", value), value)


def _ods_number(value: float, code: str) -> str:
    """A number as a date, a percentage or with leading zeros."""
    if code.startswith("yyyy"):
        day = (dt.date(1899, 12, 30) + dt.timedelta(value)).isoformat()
        return _element(f'office:value-type="date" office:date-value="{day}"', day)
    if "%" in code:
        return _element(_value("percentage", value), f"{value:.1%}")
    return _element(_value("float", value), str(int(value)).zfill(len(code)))


def write_ods(path: Path, book: Book) -> Path:
    """Write a book as ODS."""
    spans = {
        (
            top,
            left,
        ): f' table:number-rows-spanned="{bottom - top + 1}" table:number-columns-spanned="{right - left + 1}"'
        for top, left, bottom, right in book.merges
    }
    hidden = ' table:visibility="collapse"'
    width = max(map(len, book.rows))
    columns = "".join(f"<table:table-column{hidden if c in book.hidden_columns else ''}/>" for c in range(width))
    rows = "".join(
        f"<table:table-row{hidden if row in book.hidden_rows else ''}>"
        + "".join(_ods_cell(cell, book.formats, spans.get((row, column), "")) for column, cell in enumerate(line))
        + "</table:table-row>"
        for row, line in enumerate(book.rows)
    )
    base = "urn:oasis:names:tc:opendocument:xmlns"
    names = "".join(f' xmlns:{name}="{base}:{name}:1.0"' for name in ("office", "table", "text"))
    names += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    body = f'<table:table table:name="{book.sheet}">{columns}{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/vnd.oasis.opendocument.spreadsheet")
        manifest = f'<manifest:manifest xmlns:manifest="{base}:manifest:1.0"/>'
        archive.writestr(zipfile.ZipInfo("META-INF/manifest.xml"), manifest)
        content = f"<office:document-content{names}>{body}</office:document-content>"
        archive.writestr(zipfile.ZipInfo("content.xml"), content)
    return path
