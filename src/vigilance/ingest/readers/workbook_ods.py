"""A walk over ``content.xml`` of an ODS file as a stream: extent, errors, formulas, formats, hidden parts, merges.

Runs in the child process of the workbook reader: standard library only.
"""

from __future__ import annotations

import re
import zipfile

from vigilance.ingest.readers.workbook_scan import CHUNK, Refused, Sheet, feed, local

_ERROR = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|(?:Err|Fehler|Erreur|Error)\s?:\s?\d{3}")
_PADDED = re.compile(r"0\d+")
_NUMBERS = frozenset({"float", "currency", "percentage"})
_MOST_REPEATED = 1_000
"""Repetitions of one cell or row that are noted one by one."""


class OdsTables:
    """Handlers for ``content.xml``: extents count repeated cells and rows only where something is in them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.sheets: dict[str, Sheet] = {}
        self.sheet = Sheet("")
        self.row = self.column = self.declared = 0
        self.rows = self.times = 1
        self.cell: dict[str, str] = {}
        self.shown = ""
        self.notes = 0
        self.in_text = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = local(name)
        if tag == "table":
            self.sheet = Sheet(attributes.get("table:name", ""))
            self.sheets[self.sheet.name] = self.sheet
            self.row = self.column = self.declared = 0
        elif tag == "table-column":
            self._declare(attributes)
        elif tag == "table-row":
            self.column, self.rows = 0, int(attributes.get("table:number-rows-repeated", "1"))
            if attributes.get("table:visibility") in ("collapse", "filter"):
                self.sheet.hidden_rows.extend(range(self.row, self.row + min(self.rows, _MOST_REPEATED)))
        elif tag in ("table-cell", "covered-table-cell"):
            self.cell, self.shown, self.in_text = attributes, "", False
            self.times = int(attributes.get("table:number-columns-repeated", "1"))
        elif tag == "annotation":
            self.notes += 1
        elif tag == "p" and not self.notes:
            self.in_text = True

    def _declare(self, attributes: dict[str, str]) -> None:
        times = int(attributes.get("table:number-columns-repeated", "1"))
        if attributes.get("table:visibility") in ("collapse", "filter"):
            self.sheet.hide_columns(self.declared, self.declared + times - 1)
        self.declared += times

    def text(self, data: str) -> None:
        """Keep the beginning of what a cell shows."""
        if self.in_text and not self.notes and len(self.shown) < 64:
            self.shown += data

    def end(self, name: str) -> None:
        """Close an element."""
        tag = local(name)
        if tag == "table-row":
            self.row += self.rows
        elif tag in ("table-cell", "covered-table-cell"):
            self._cell()
            self.column += self.times
        elif tag == "annotation":
            self.notes -= 1
        elif tag == "p" and not self.notes:
            self.in_text = False

    def _cell(self) -> None:
        sheet, attributes = self.sheet, self.cell
        kind, extra = attributes.get("office:value-type"), attributes.get("calcext:value-type")
        formula = "table:formula" in attributes
        if kind or extra or formula:
            sheet.stretch(self.row + self.rows - 1, self.column + self.times - 1, self.limit)
        # Older files give an error the value 0 and say it only in the text that is shown.
        if extra == "error" or ((formula or kind in _NUMBERS) and _ERROR.fullmatch(self.shown)):
            sheet.errors.extend((row, column, self.shown[:40] or "error") for row, column in self._places())
        elif formula and not kind and not extra:
            sheet.uncached.extend(self._places())
        elif kind == "percentage":
            sheet.percents.extend(self._places())
        elif kind == "float" and _PADDED.fullmatch(self.shown):
            sheet.zeros.extend((row, column, len(self.shown)) for row, column in self._places())
        down = int(attributes.get("table:number-rows-spanned", "1"))
        across = int(attributes.get("table:number-columns-spanned", "1"))
        if down > 1 or across > 1:
            sheet.merges.append((self.row, self.column, self.row + down - 1, self.column + across - 1))

    def _places(self) -> list[tuple[int, int]]:
        """Row and column of a cell and of its repetitions."""
        return [
            (self.row + down, self.column + across)
            for down in range(min(self.rows, _MOST_REPEATED))
            for across in range(min(self.times, _MOST_REPEATED))
        ]


def scan_ods(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Walk all tables of an ODS file."""
    tables = OdsTables(limit)
    with book.open("META-INF/manifest.xml") as stream:
        if b"encryption-data" in stream.read(CHUNK):
            raise Refused("password")
    with book.open("content.xml") as stream:
        feed(stream, tables.start, tables.end, tables.text)
    return tables.sheets
