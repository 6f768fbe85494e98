"""The part of the workbook reader that touches untrusted bytes; runs in a process of its own, under limits.

It imports the standard library and python-calamine only (see ``child``), so that its memory limit can be
tight. Its argument is a JSON object ``{path, out, memory, cells, seconds, sheet}``. It first walks the sheets as a
stream and refuses what is absurd; only then calamine builds the values. It writes one CSV file per sheet to ``out``
and gives ``{sheets: [...]}`` or ``{refused: reason, detail: ...}``.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vigilance.ingest.readers.child import limit
from vigilance.ingest.readers.workbook_binary import scan_xls, scan_xlsb
from vigilance.ingest.readers.workbook_ods import scan_ods
from vigilance.ingest.readers.workbook_scan import Refused, Sheet, scan_xlsx


def number(value: float) -> str:
    """A number with the 15 digits that a spreadsheet keeps, without exponent or trailing zeros."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.15g}"
    if "e" in text:
        text = f"{value:.30f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:.0f}"
    return text


def as_text(value: Any) -> str:
    """A cell as text: ISO dates, plain numbers, lower-case booleans."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, dt.datetime):
        whole = value.replace(microsecond=0)
        return whole.date().isoformat() if whole.time() == dt.time() else whole.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def write_values(source: Any, sheet: Sheet, path: Path) -> None:
    """Write the values of a sheet from A1 on as CSV; line ends inside cells are folded (see ``cleaning``)."""
    # Cells that are not shown as their bare value: errors by their name, padded numbers, percentages.
    special: dict[tuple[int, int], str | int | None] = dict.fromkeys(sheet.percents)
    special.update({(row, column): size for row, column, size in sheet.zeros})
    special.update({(row, column): text for row, column, text in sheet.errors})
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        index = -1
        for index, row in enumerate(source.to_python(skip_empty_area=False)):
            texts = [as_text(value) for value in row]
            for column, value in enumerate(row):
                if isinstance(value, float) and abs(value) >= 1e15:
                    sheet.rounded.append((index, column))
                elif (index, column) in special:
                    texts[column] = as_shown(value, special[index, column])
                elif isinstance(value, str):
                    if "\0" in value:
                        sheet.odd.append((index, column))
                    texts[column] = value.replace("\0", "").replace("\n", "\0L").replace("\r", "\0C")
            sheet.columns = max(sheet.columns, len(texts))
            writer.writerow(padded(texts, index, sheet, special))
        # The library leaves out rows and columns that hold nothing but what it cannot read, errors above all.
        for below in range(index + 1, sheet.rows):
            writer.writerow(padded([], below, sheet, special))
        sheet.rows = max(sheet.rows, index + 1)
    sheet.file = path.name


def padded(texts: list[str], row: int, sheet: Sheet, special: dict[tuple[int, int], str | int | None]) -> list[str]:
    """A row to the width of the sheet; an error cell that the library left out is named."""
    for column in range(len(texts), sheet.columns):
        how = special.get((row, column))
        texts.append(how if isinstance(how, str) else "")
    return texts


def as_shown(value: Any, how: str | int | None) -> str:
    """A cell as the spreadsheet shows it: ``how`` is an error, a number of digits, or None for a percentage."""
    if isinstance(how, str):
        return how
    if not isinstance(value, float):
        return as_text(value)
    if how is None:
        return number(float(f"{value * 100:.13g}")) + "%"
    return str(int(value)).zfill(how) if value.is_integer() and value >= 0 else as_text(value)


def scan(path: Path, limit: int) -> dict[str, Sheet]:
    """What a stream walk knows of the sheets, by name."""
    with path.open("rb") as file:
        archive = file.read(2) == b"PK"
    if not archive:
        return scan_xls(path.read_bytes(), limit)
    with zipfile.ZipFile(path) as book:
        parts = {info.filename.lower() for info in book.infolist()}
        if "content.xml" in parts:
            return scan_ods(book, limit)
        if any(part.endswith("workbook.bin") for part in parts):
            return scan_xlsb(book, limit)
        return scan_xlsx(book, limit)


def read(request: dict[str, Any]) -> list[Sheet]:
    """Read a workbook as the request says."""
    import python_calamine as calamine  # noqa: PLC0415 - after the limits are set

    path, out = Path(request["path"]), Path(request["out"])
    known = scan(path, request["cells"])
    with path.open("rb") as stream:
        book = calamine.CalamineWorkbook.from_filelike(stream)
        sheets, cells = [], 0
        for index, meta in enumerate(book.sheets_metadata):
            sheet = known.get(meta.name) or Sheet(meta.name)
            sheet.visible = meta.visible == calamine.SheetVisibleEnum.Visible
            sheets.append(sheet)
            if meta.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            if not sheet.visible and request["sheet"] != meta.name:
                continue
            source = book.get_sheet_by_index(index)
            cells += source.total_height * source.total_width
            if cells > request["cells"]:
                raise Refused("extent", f"{meta.name}: {source.total_height} x {source.total_width}")
            sheet.merges = sheet.merges or [(*first, *last) for first, last in source.merged_cell_ranges or ()]
            write_values(source, sheet, out / f"{index}.csv")
    return sheets


def main(argument: str) -> dict[str, Any]:
    """Answer one request; anything else that goes wrong ends the process, and the parent words it."""
    request = json.loads(argument)
    limit(request["memory"], request["seconds"])
    try:
        return {"sheets": [asdict(sheet) for sheet in read(request)]}
    except Refused as error:
        return {"refused": error.reason, "detail": error.detail}
