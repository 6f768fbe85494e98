"""The part of the workbook reader that touches untrusted bytes; runs as a process of its own, under limits.

Called as a script, isolated from the package: it imports the standard library and python-calamine only, so that its
memory limit can be tight. Argument: a JSON object ``{path, out, memory, cells, seconds, suffix}``. It first walks the
sheets as a stream (extent, errors, formulas, formats, hidden parts, merges), refuses what is absurd, and only then
lets calamine build the values. It writes one CSV file per sheet to ``out`` and one JSON object to standard output:
``{sheets: [...]}`` or ``{refused: reason, detail: ...}``.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

CHUNK = 1 << 18
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


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
    """Which cell styles of a workbook pad with zeros or show a percentage."""

    def __init__(self) -> None:
        self.formats: dict[str, str] = {"9": "0%", "10": "0.00%"}
        self.zeros: dict[str, int] = {}
        self.percents: set[str] = set()
        self._inside, self._index = False, 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = local(name)
        if tag == "numFmt":
            self.formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            self._inside, self._index = True, 0
        elif tag == "xf" and self._inside:
            code = re.sub(r'\[[^\]]*\]|\\.|"[^"]*"|[_*].', "", self.formats.get(attributes.get("numFmtId", ""), ""))
            if re.fullmatch(r"0{2,}", code.partition(";")[0]):
                self.zeros[str(self._index)] = len(code.partition(";")[0])
            elif "%" in code:
                self.percents.add(str(self._index))
            self._index += 1

    def end(self, name: str) -> None:
        """Close an element."""
        if local(name) == "cellXfs":
            self._inside = False

    def text(self, _data: str) -> None:
        """Ignore text."""


class XlsxSheet:
    """Handlers for the XML of one sheet."""

    def __init__(self, sheet: Sheet, limit: int, styles: Styles, stale: bool) -> None:
        self.sheet, self.limit = sheet, limit
        self.zero_styles, self.percent_styles, self.stale = styles.zeros, styles.percents, stale
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
            low, high = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.sheet.hidden_columns.extend(range(low - 1, min(high, low + 16_384)))
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
            style = self.attributes["s"]
            if style in self.zero_styles:
                sheet.zeros.append((row, column, self.zero_styles[style]))
            elif style in self.percent_styles:
                sheet.percents.append((row, column))


class Names:
    """Sheet names and targets from ``workbook.xml`` and its relations."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}
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
            target = plain.get("Target", "")
            self.targets[plain.get("Id", "")] = target.lstrip("/") if target.startswith("/") else "xl/" + target

    def ignore(self, *_arguments: object) -> None:
        """Ignore what carries no name."""


def scan_xlsx(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Walk all sheets of an XLSX or XLSM file."""
    names, styles = Names(), Styles()
    members = {info.filename.lower(): info for info in book.infolist()}
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        if part not in members:
            raise Refused("damaged", part)
        with book.open(members[part]) as stream:
            feed(stream, names.start, names.ignore, names.ignore)
    if "xl/styles.xml" in members:
        with book.open(members["xl/styles.xml"]) as stream:
            feed(stream, styles.start, styles.end, styles.text)
    sheets: dict[str, Sheet] = {}
    for name, relation in names.sheets:
        info = members.get(names.targets.get(relation, "").lower())
        sheet = Sheet(name)
        if info is None:
            continue
        handlers = XlsxSheet(sheet, limit, styles, names.stale)
        with book.open(info) as stream:
            feed(stream, handlers.start, handlers.end, handlers.text)
        sheets[name] = sheet
    return sheets


class OdsTables:
    """Handlers for ``content.xml``: extents count repeated cells and rows only where something is in them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.sheets: dict[str, Sheet] = {}
        self.sheet = Sheet("")
        self.row = self.column = 0
        self.rows = 1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = local(name)
        if tag == "table":
            self.sheet = Sheet(attributes.get("table:name", ""))
            self.sheets[self.sheet.name] = self.sheet
            self.row = self.column = 0
        elif tag == "table-row":
            self.column, self.rows = 0, int(attributes.get("table:number-rows-repeated", "1"))
            if attributes.get("table:visibility") in ("collapse", "filter"):
                self.sheet.hidden_rows.extend(range(self.row, self.row + min(self.rows, 1000)))
        elif tag in ("table-cell", "covered-table-cell"):
            self._cell(attributes)

    def _cell(self, attributes: dict[str, str]) -> None:
        times = int(attributes.get("table:number-columns-repeated", "1"))
        kind, extra = attributes.get("office:value-type"), attributes.get("calcext:value-type")
        if kind or extra:
            self.sheet.stretch(self.row + self.rows - 1, self.column + times - 1, self.limit)
        if kind == "percentage":
            self.sheet.percents.extend((self.row, self.column + index) for index in range(times))
        if extra == "error":
            self.sheet.errors.append((self.row, self.column, "error"))
        self.column += times

    def end(self, name: str) -> None:
        """Close an element."""
        if local(name) == "table-row":
            self.row += self.rows

    def text(self, _data: str) -> None:
        """Ignore text: calamine reads the values."""


def scan_ods(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Walk all tables of an ODS file."""
    tables = OdsTables(limit)
    with book.open("content.xml") as stream:
        feed(stream, tables.start, tables.end, tables.text)
    return tables.sheets


def scan_xlsb(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Extents and error cells of the sheets of an XLSB file, from their records ([MS-XLSB] 2.1.4)."""
    relations = Names()
    members = {info.filename.lower(): info for info in book.infolist()}
    with book.open("xl/_rels/workbook.bin.rels") as stream:
        feed(stream, relations.start, relations.ignore, relations.ignore)
    data = book.read("xl/workbook.bin")
    sheets: dict[str, Sheet] = {}
    for kind, start, _size in xlsb_records(data):
        if kind == 156:  # BrtBundleSh: state, id, relation, name
            relation, after = wide_string(data, start + 8)
            name, _after = wide_string(data, after)
            info = members.get(relations.targets.get(relation, "").lower())
            if info is not None:
                sheets[name] = Sheet(name)
                walk_xlsb_sheet(book.read(info), sheets[name], limit)
    return sheets


def walk_xlsb_sheet(data: bytes, sheet: Sheet, limit: int) -> None:
    """Extent, hidden rows and error cells of one binary sheet."""
    row = 0
    for kind, start, size in xlsb_records(data):
        if kind == 0 and size >= 12:  # BrtRowHdr
            row = struct.unpack_from("<I", data, start)[0]
            if data[start + 11] & 0x10:
                sheet.hidden_rows.append(row)
        elif 2 <= kind <= 11 and size >= 4:  # BrtCellRk to BrtFmlaError
            column = struct.unpack_from("<I", data, start)[0]
            sheet.stretch(row, column, limit)
            if kind in (3, 11):
                sheet.errors.append((row, column, ERRORS.get(data[start + 8] if size > 8 else 0, "error")))


def wide_string(data: bytes, at: int) -> tuple[str, int]:
    """A counted UTF-16 string and the position after it."""
    size = struct.unpack_from("<I", data, at)[0]
    end = at + 4 + 2 * size
    return data[at + 4 : end].decode("utf-16-le"), end


def xlsb_records(data: bytes) -> list[tuple[int, int, int]]:
    """Kind, start and size of the records of a binary part."""
    found, position, end = [], 0, len(data)
    while position < end:
        kind = data[position]
        position += 1
        if kind & 0x80 and position < end:
            kind = (kind & 0x7F) | (data[position] & 0x7F) << 7
            position += 1
        size, shift = 0, 0
        while position < end and shift < 28:
            byte = data[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if position + size > end:
            raise Refused("damaged", "record")
        found.append((kind, position, size))
        position += size
    return found


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
    zeros = {(row, column): size for row, column, size in sheet.zeros}
    percents = set(map(tuple, sheet.percents))
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for index, row in enumerate(source.to_python(skip_empty_area=False)):
            texts = [as_text(value) for value in row]
            for column, value in enumerate(row):
                if isinstance(value, str):
                    if "\n" in value or "\r" in value or "\0" in value:
                        if "\0" in value:
                            sheet.odd.append((index, column))
                        clean = value.replace("\0", "")
                        texts[column] = clean.replace("\n", "\0L").replace("\r", "\0C")
                elif isinstance(value, float) and not isinstance(value, bool):
                    if abs(value) >= 1e15:
                        sheet.rounded.append((index, column))
                    elif (index, column) in zeros and value.is_integer() and value >= 0:
                        texts[column] = str(int(value)).zfill(zeros[index, column])
                    elif (index, column) in percents:
                        texts[column] = number(float(f"{value * 100:.13g}")) + "%"
            writer.writerow(texts)
            sheet.rows, sheet.columns = index + 1, max(sheet.columns, len(texts))
    sheet.file = path.name


def limit_process(memory: int, seconds: int) -> None:
    """Cap address space and processor time, where the system can."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def scan(path: Path, limit: int) -> dict[str, Sheet]:
    """What a stream walk knows of the sheets, by name; nothing for XLS."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as book:
        parts = {info.filename.lower() for info in book.infolist()}
        if "content.xml" in parts:
            return scan_ods(book, limit)
        if "xl/workbook.bin" in parts:
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
    if not zipfile.is_zipfile(path):
        add_errors(path, sheets)
    return sheets


def add_errors(path: Path, sheets: list[Sheet]) -> None:
    """Error cells of XLS, which calamine's Python binding shows as empty."""
    import fastexcel  # noqa: PLC0415 - needs much address space and is seldom needed

    book = fastexcel.read_excel(path)
    for sheet in sheets:
        if sheet.file and sheet.rows:
            loaded = book.load_sheet(sheet.name, header_row=None, skip_rows=0, dtypes="string")
            _batch, found = loaded.to_arrow_with_errors()
            for error in found.errors if found else ():
                code = re.search(r"Error\((\w+)\)", error.detail)
                row, column = error.offset_position
                sheet.errors.append((row, column, code.group(1) if code else "error"))


def main(argument: str) -> dict[str, Any]:
    """Answer one request; anything else that goes wrong ends the process, and the parent words it."""
    request = json.loads(argument)
    limit_process(request["memory"], request["seconds"])
    try:
        return {"sheets": [asdict(sheet) for sheet in read(request)]}
    except Refused as error:
        return {"refused": error.reason, "detail": error.detail}


if __name__ == "__main__":
    json.dump(main(sys.argv[1]), sys.stdout)
