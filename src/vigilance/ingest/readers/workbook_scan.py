"""A walk over the XML sheets of a workbook as a stream: extent, errors, formulas, formats, hidden parts, merges.

Runs in the child process of the workbook reader: standard library only.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from vigilance.ingest.readers.workbook_formats import Shown

CHUNK = 1 << 18
COLUMNS = 16_384
"""Columns that a worksheet can have."""
WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin")


class Refused(Exception):  # noqa: N818 - a verdict
    """The workbook is refused; ``reason`` is a key that the parent words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(slots=True)
class Sheet:
    """What is known of a sheet besides its values. Rows and columns count from 0."""

    name: str
    visible: bool = True
    rows: int = 0
    columns: int = 0
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    uncached: list[tuple[int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    zeros: list[tuple[int, int, int]] = field(default_factory=list)
    percents: list[tuple[int, int]] = field(default_factory=list)
    rounded: list[tuple[int, int]] = field(default_factory=list)
    odd: list[tuple[int, int]] = field(default_factory=list)
    file: str = ""

    def mark(self, row: int, column: int, style: int, shown: Shown) -> None:
        """Note a number that its style shows with leading zeros or as a percentage."""
        if style in shown.zeros:
            self.zeros.append((row, column, shown.zeros[style]))
        elif style in shown.percents:
            self.percents.append((row, column))

    def hide_columns(self, first: int, last: int) -> None:
        """Note hidden columns, at most as many as a worksheet can have."""
        if len(self.hidden_columns) < COLUMNS:
            self.hidden_columns.extend(range(first, min(last + 1, first + COLUMNS)))

    def stretch(self, row: int, column: int, limit: int) -> None:
        """Grow the extent to a cell; refuse an absurd one."""
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)
        if self.rows * self.columns > limit:
            raise Refused("extent", f"{self.name}: {self.rows} x {self.columns}")


def feed(stream: IO[bytes], start: Callable[..., None], end: Callable[..., None], text: Callable[..., None]) -> None:
    """Walk an XML stream; a document type declaration is refused, so that no entity can be declared."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text

    def doctype(*_arguments: object) -> None:
        raise Refused("doctype")

    parser.StartDoctypeDeclHandler = doctype
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def local(name: str) -> str:
    """An element or attribute name without its prefix."""
    return name.rpartition(":")[2]


def place(ref: str) -> tuple[int, int]:
    """Row and column of a reference like ``B7``."""
    column, index = 0, 0
    for index, char in enumerate(ref):  # noqa: B007 - the index after the letters is used
        if not "A" <= char <= "Z":
            break
        column = column * 26 + ord(char) - 64
    digits = ref[index:]
    if not digits.isdigit() or column > 16_384 or len(digits) > 7:
        raise Refused("damaged", ref[:20])
    return int(digits) - 1, column - 1


class Styles:
    """Handlers for the styles part: the number formats of the cell styles."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.shown = Shown()
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = local(name)
        if tag == "numFmt":
            self.codes[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            self._inside = True
        elif tag == "xf" and self._inside:
            self.shown.add_number(_number(attributes.get("numFmtId")), self.codes)

    def end(self, name: str) -> None:
        """Close an element."""
        if local(name) == "cellXfs":
            self._inside = False

    def text(self, _data: str) -> None:
        """Ignore text."""


def _number(text: str | None) -> int:
    """A number of an attribute; -1 where there is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else -1


class XlsxSheet:
    """Handlers for the XML of one sheet."""

    def __init__(self, sheet: Sheet, limit: int, shown: Shown, stale: bool) -> None:
        self.sheet, self.limit, self.shown, self.stale = sheet, limit, shown, stale
        self.row, self.column = -1, -1
        self.attributes: dict[str, str] = {}
        self.formula = self.in_value = False
        self.value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = local(name)
        if tag == "c":
            ref = attributes.get("r")
            self.row, self.column = place(ref) if ref else (max(self.row, 0), self.column + 1)
            self.attributes, self.formula, self.value = attributes, False, ""
        elif tag in ("v", "t"):
            self.in_value = True
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            self.row = int(attributes["r"]) - 1 if "r" in attributes else self.row + 1
            self.column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.sheet.hidden_rows.append(self.row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            self.sheet.hide_columns(int(attributes.get("min", "1")) - 1, int(attributes.get("max", "1")) - 1)
        elif tag == "mergeCell":
            first, _colon, last = attributes.get("ref", "").partition(":")
            self.sheet.merges.append((*place(first), *place(last or first)))

    def text(self, data: str) -> None:
        """Keep the beginning of a value."""
        if self.in_value and len(self.value) < 64:
            self.value += data

    def end(self, name: str) -> None:
        """Close an element."""
        tag = local(name)
        if tag in ("v", "t"):
            self.in_value = False
        elif tag == "c":
            self._cell()

    def _cell(self) -> None:
        sheet, row, column = self.sheet, self.row, self.column
        kind = self.attributes.get("t")
        if not self.value and not self.formula:
            return
        sheet.stretch(row, column, self.limit)
        if kind == "e":
            sheet.errors.append((row, column, self.value[:40]))
        elif self.formula and ((not self.value and kind != "str") or (self.stale and self.value == "0")):
            sheet.uncached.append((row, column))
        elif kind in (None, "n") and "s" in self.attributes:
            sheet.mark(row, column, _number(self.attributes["s"]), self.shown)


class Names:
    """Sheet names and targets from the workbook part and its relations; ``base`` is the folder of the part."""

    def __init__(self, base: str = "") -> None:
        self.base = base
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}
        self.document = ""
        self.stale = False
        """The writer computed nothing and asks the spreadsheet to: a cached 0 may be no value at all."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        plain = {local(key): value for key, value in attributes.items()}
        if local(name) == "sheet":
            # sheetId and r:id both end in "id" but only the second is the relation.
            self.sheets.append((plain.get("name", ""), plain.get("id", "")))
        elif local(name) == "calcPr":
            self.stale = plain.get("fullCalcOnLoad") in ("1", "true")
        elif local(name) == "Relationship":
            target = plain.get("Target", "").replace("\\", "/")
            full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(self.base + target)
            self.targets[plain.get("Id", "")] = full
            if plain.get("Type", "").endswith("/officeDocument"):
                self.document = full

    def ignore(self, *_arguments: object) -> None:
        """Ignore what carries no name."""


class Package:
    """The parts of an office archive by name, whatever their case and slashes."""

    def __init__(self, book: zipfile.ZipFile) -> None:
        self.book = book
        self.parts = {info.filename.lower().replace("\\", "/"): info for info in book.infolist()}

    def walk(self, part: str, handlers: Names | Styles) -> None:
        """Feed a part, if it is there, to its handlers."""
        info = self.parts.get(part.lower())
        if info is not None:
            end, text = (handlers.ignore,) * 2 if isinstance(handlers, Names) else (handlers.end, handlers.text)
            with self.book.open(info) as stream:
                feed(stream, handlers.start, end, text)

    def relations(self) -> tuple[str, Names]:
        """The name of the workbook part, and its relations."""
        root = Names()
        self.walk("_rels/.rels", root)
        document = root.document or next((part for part in WORKBOOKS if part in self.parts), "")
        if document.lower() not in self.parts:
            raise Refused("damaged", document or "workbook")
        folder, _slash, name = document.rpartition("/")
        names = Names(f"{folder}/" if folder else "")
        self.walk(f"{names.base}_rels/{name}.rels", names)
        return document, names


def scan_xlsx(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Walk all sheets of an XLSX or XLSM file."""
    package, styles = Package(book), Styles()
    document, names = package.relations()
    package.walk(document, names)
    package.walk(f"{names.base}styles.xml", styles)
    sheets: dict[str, Sheet] = {}
    for name, relation in names.sheets:
        info = package.parts.get(names.targets.get(relation, "").lower())
        sheet = Sheet(name)
        if info is None:
            continue
        handlers = XlsxSheet(sheet, limit, styles.shown, names.stale)
        with book.open(info) as stream:
            feed(stream, handlers.start, handlers.end, handlers.text)
        sheets[name] = sheet
    return sheets
