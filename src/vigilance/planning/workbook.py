"""The plan as a workbook: calendar, what was left out, figures.

Text is text: no cell can become a formula or a link.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from vigilance.i18n import messages

_ = messages("planning")

CREATED = datetime(2020, 1, 1)  # noqa: DTZ001 - a fixed date in the file, so that the same plan gives the same bytes
MOST_LEFT_OUT = 5_000
"""Rows of the sheet of sites left out; the CSV file has them all."""


def write(path: Path, planned: pl.DataFrame, left_out: pl.DataFrame, figures: dict[str, Any]) -> None:
    """Write ``plan.xlsx``."""
    book = xlsxwriter.Workbook(
        str(path),
        {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "in_memory": True,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    book.set_properties({"title": _("Audit plan"), "created": CREATED})
    bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    _sheet(book.add_worksheet(_("Calendar")), planned, bold, day)
    _sheet(book.add_worksheet(_("Left out")), left_out.head(MOST_LEFT_OUT), bold, day)
    _figures(book.add_worksheet(_("Figures")), figures, bold)
    book.close()


def _sheet(sheet: Any, table: pl.DataFrame, bold: Any, day: Any) -> None:
    for column, name in enumerate(table.columns):
        sheet.write_string(0, column, name, bold)
        kind = table.schema[name]
        sheet.set_column(column, column, 60 if name == "reason" else 14)
        for row, value in enumerate(table[name].to_list(), start=1):
            _cell(sheet, row, column, value, day if kind == pl.Date else None)
    sheet.freeze_panes(1, 1)
    if table.height:
        sheet.autofilter(0, 0, table.height, table.width - 1)


def _cell(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
    else:
        sheet.write_string(row, column, value)


def _figures(sheet: Any, figures: dict[str, Any], bold: Any) -> None:
    sheet.set_column(0, 0, 34)
    row = 0
    for key, value in figures.items():
        if isinstance(value, int | float | str):
            sheet.write_string(row, 0, key)
            _cell(sheet, row, 1, value, None)
            row += 1
    sheet.write_string(row + 1, 0, "person_days", bold)
    sheet.write_string(row + 1, 1, "value", bold)
    for offset, point in enumerate(figures["curve"], start=row + 2):
        sheet.write_number(offset, 0, point["person_days"])
        sheet.write_number(offset, 1, point["value"])
