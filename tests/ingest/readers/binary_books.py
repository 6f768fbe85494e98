"""Small XLS and XLSB workbooks, record by record: nothing that is installed writes them.

Sources: [MS-XLS] 2.4, [MS-CFB] 2, [MS-XLSB] 2.4. A cell is a text, a number, a ``Number`` with a style, an ``Error``, a
``Formula`` or None.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


@dataclass(frozen=True)
class Number:
    """A number in cell style ``style``: 0 general, then the formats of the book in their order."""

    value: float
    style: int = 0


@dataclass(frozen=True)
class Error:
    """An error cell, by its code: 7 is #DIV/0!, 42 #N/A."""

    code: int
    formula: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula whose value is a number, or the blank text for None."""

    value: float | None


Cell = str | float | Number | Error | Formula | None


@dataclass(frozen=True)
class Book:
    """One sheet, its number formats beyond the built-in ones, and what is hidden."""

    rows: Sequence[Sequence[Cell]]
    formats: Sequence[str] = ()
    hidden_rows: Sequence[int] = ()
    hidden_columns: Sequence[int] = ()
    merges: Sequence[tuple[int, int, int, int]] = ()
    from_1904: bool = False
    sheet: str = "Sites"


# XLS


def _biff(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _biff_text(text: str, count: str) -> bytes:
    return struct.pack(f"<{count}B", len(text), 1) + text.encode("utf-16-le")


def _xls_cell(row: int, column: int, cell: Cell) -> bytes:
    at = struct.pack("<HH", row, column)
    match cell:
        case None:
            return b""
        case str():
            return _biff(0x204, at + struct.pack("<H", 0) + _biff_text(cell, "H"))
        case Number(value, style):
            return _biff(0x203, at + struct.pack("<Hd", style, value))
        case Error(code, formula=False):
            return _biff(0x205, at + struct.pack("<HBB", 0, code, 1))
        case Error(code):
            return _biff(
                0x06, at + struct.pack("<HBBBBBBHHIHB", 0, 2, 0, code, 0, 0, 0, 0xFFFF, 0, 0, 2, 0x1C) + bytes([code])
            )
        case Formula(None):
            return _biff(0x06, at + struct.pack("<HBBBBBBHHIHBH", 0, 3, 0, 0, 0, 0, 0, 0xFFFF, 0, 0, 3, 0x1E, 1))
        case Formula(value):
            return _biff(0x06, at + struct.pack("<HdHIHBH", 0, value, 0, 0, 3, 0x1E, 1))
    return _biff(0x203, at + struct.pack("<Hd", 0, float(cell)))


def _xls_stream(book: Book) -> bytes:
    formats = b"".join(
        _biff(0x41E, struct.pack("<H", 164 + i) + _biff_text(code, "H")) for i, code in enumerate(book.formats)
    )
    styles = b"".join(
        _biff(0xE0, struct.pack("<HH", 0, number) + bytes(16)) for number in (0, *range(164, 164 + len(book.formats)))
    )
    start = _biff(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 1997, 0, 6))
    start += _biff(0x22, struct.pack("<H", book.from_1904)) + formats + styles
    name = struct.pack("<BB", len(book.sheet), 0) + book.sheet.encode("latin-1")
    place = len(start) + 4 + 6 + len(name) + 4
    start += _biff(0x85, struct.pack("<IH", place, 0) + name) + _biff(0x0A)
    body = _biff(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 6))
    body += b"".join(_biff(0x7D, struct.pack("<HHHHHH", c, c, 2000, 0, 1, 0)) for c in book.hidden_columns)
    height, width = len(book.rows), max(map(len, book.rows))
    body += _biff(0x200, struct.pack("<IIHHH", 0, height, 0, width, 0))
    for row in range(height):
        hidden = 0x20 if row in book.hidden_rows else 0
        body += _biff(0x208, struct.pack("<HHHHHHHH", row, 0, width, 255, 0, 0, 0x100 | hidden, 15))
    for row, cells in enumerate(book.rows):
        body += b"".join(_xls_cell(row, column, cell) for column, cell in enumerate(cells))
    if book.merges:
        spans = b"".join(struct.pack("<HHHH", top, bottom, left, right) for top, left, bottom, right in book.merges)
        body += _biff(0xE5, struct.pack("<H", len(book.merges)) + spans)
    return start + body + _biff(0x0A)


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    title = (name + "\0").encode("utf-16-le")
    head = title.ljust(64, b"\0") + struct.pack("<HBBIII", len(title), kind, 1, FREE, FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def write_xls(path: Path, book: Book) -> Path:
    """Write a book as BIFF 8 inside a compound file."""
    stream = _xls_stream(book).ljust(4096, b"\0")  # shorter streams would go to the small sectors
    stream = stream.ljust(-(-len(stream) // SECTOR) * SECTOR, b"\0")
    count = len(stream) // SECTOR
    table = [TABLE, END, *range(3, count + 2), END]
    table += [FREE] * (SECTOR // 4 - len(table))
    directory = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, 2, len(stream))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    content = header + struct.pack(f"<{SECTOR // 4}I", *table) + (directory + bytes(256))[:SECTOR] + stream
    path.write_bytes(content)
    return path


# XLSB


def _record(kind: int, body: bytes = b"") -> bytes:
    code = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, left = b"", len(body)
    while True:
        size += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
        left >>= 7
        if not left:
            return code + size + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _xlsb_cell(column: int, cell: Cell) -> bytes:
    at = struct.pack("<I", column)
    match cell:
        case None:
            return b""
        case str():
            return _record(6, at + bytes(4) + _wide(cell))
        case Number(value, style):
            return _record(5, at + struct.pack("<Id", style, value))
        case Error(code):
            return _record(3, at + bytes(4) + bytes([code]))
        case Formula(value):
            return _record(9, at + bytes(4) + struct.pack("<dHII", value or 0.0, 0, 0, 0))
    return _record(5, at + bytes(4) + struct.pack("<d", float(cell)))


def write_xlsb(path: Path, book: Book) -> Path:
    """Write a book as XLSB."""
    flags = 1 if book.from_1904 else 0
    bundle = struct.pack("<II", 0, 1) + _wide("rId1") + _wide(book.sheet)
    workbook = _record(131) + _record(153, struct.pack("<II", flags, 0) + _wide(""))
    workbook += _record(143) + _record(156, bundle) + _record(144) + _record(132)
    formats = b"".join(_record(44, struct.pack("<H", 164 + i) + _wide(code)) for i, code in enumerate(book.formats))
    numbers = (0, *range(164, 164 + len(book.formats)))
    styles = _record(278) + _record(615, struct.pack("<I", len(book.formats))) + formats + _record(616)
    styles += _record(617, struct.pack("<I", len(numbers)))
    styles += b"".join(_record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in numbers) + _record(618)
    styles += _record(279)
    height, width = len(book.rows), max(map(len, book.rows))
    sheet = _record(129) + _record(148, struct.pack("<IIII", 0, height - 1, 0, width - 1))
    if book.hidden_columns:
        columns = [_record(60, struct.pack("<IIIIH", c, c, 2000, 0, 1)) for c in book.hidden_columns]
        sheet += _record(390) + b"".join(columns) + _record(391)
    sheet += _record(145)
    for row, cells in enumerate(book.rows):
        hidden = 0x10 if row in book.hidden_rows else 0
        sheet += _record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, hidden, 0, 0))
        sheet += b"".join(_xlsb_cell(column, cell) for column, cell in enumerate(cells))
    sheet += _record(146)
    if book.merges:
        spans = [_record(176, struct.pack("<IIII", t, b, left, right)) for t, left, b, right in book.merges]
        sheet += _record(177, struct.pack("<I", len(spans))) + b"".join(spans) + _record(178)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    one = f'<Relationship Id="{{}}" Type="{office}/{{}}" Target="{{}}"/>'
    inside = one.format("rId1", "worksheet", "worksheets/sheet1.bin") + one.format("rId2", "styles", "styles.bin")
    parts = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relation.format(one.format("rId1", "officeDocument", "xl/workbook.bin")).encode(),
        "xl/_rels/workbook.bin.rels": relation.format(inside).encode(),
        "xl/workbook.bin": workbook,
        "xl/styles.bin": styles,
        "xl/worksheets/sheet1.bin": sheet + _record(130),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path
