"""The user's own table, repaired: the same columns, ready to be read again without a remark.

Cells that a spreadsheet could take for a formula are guarded; readings that had to be said are written plainly (a
comma as a dot, a range as its middle, a date as ISO). Rows that were set aside are not in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from vigilance.ingest.intake import Intake
from vigilance.tabular import guarded

XLSX_ROWS: Final = 1_048_575
"""Rows of a worksheet below its header."""

_CREATED: Final = "2020-01-01T00:00:00Z"


def write_csv(intake: Intake, path: Path) -> None:
    """Write the corrected table as UTF-8 with a byte-order mark, comma-separated, streaming."""
    frame = intake.corrected
    names = frame.collect_schema().names()
    # One kind of line end in the whole file, also inside cells, or the reader would have to remark on it.
    cells = [guarded(name).str.replace_all(r"\r\n?", "\n") for name in names]
    frame.select(cells).sink_csv(path, include_bom=True, line_terminator="\n", quote_style="necessary")


def write_xlsx(intake: Intake, path: Path) -> bool:
    """Write the corrected table as a workbook of text cells; False, and no file, where a sheet cannot hold it."""
    if intake.counts["loaded"] > XLSX_ROWS:
        return False
    from datetime import datetime  # noqa: PLC0415

    import xlsxwriter  # noqa: PLC0415 - only when a workbook is wanted

    frame = intake.corrected
    names = frame.collect_schema().names()
    rows = frame.select(guarded(name) for name in names).collect(engine="streaming")
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": datetime.fromisoformat(_CREATED)})
        sheet = book.add_worksheet("corrected")
        for column, name in enumerate(names):
            sheet.write_string(0, column, name)
        _write_cells(sheet, rows)
    return True


def _write_cells(sheet: object, rows: pl.DataFrame) -> None:
    # A workbook is written cell by cell in the order of its rows; there is no other way in the library.
    write = sheet.write_string  # type: ignore[attr-defined]
    for number, row in enumerate(rows.iter_rows(), 1):
        for column, cell in enumerate(row):
            if cell is not None:
                write(number, column, cell)
