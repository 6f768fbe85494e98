"""A walk over the records of binary workbooks (XLSB and XLS): extent, errors, empty formulas, formats, hidden parts.

Sources: [MS-XLSB] 2.1.4, [MS-XLS] 2.4, [MS-CFB] 2.
Runs in the child process of the workbook reader: standard library only.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator

from vigilance.ingest.readers.workbook_formats import Shown
from vigilance.ingest.readers.workbook_scan import Package, Refused, Sheet

ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_END_OF_CHAIN = 0xFFFFFFFA


def scan_xlsb(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Extents and error cells of the sheets of an XLSB file, from their records ([MS-XLSB] 2.1.4)."""
    package = Package(book)
    document, relations = package.relations()
    data = book.read(package.parts[document.lower()])
    styles = package.parts.get(f"{relations.base}styles.bin".lower())
    shown = xlsb_formats(book.read(styles)) if styles is not None else Shown()
    sheets: dict[str, Sheet] = {}
    for kind, start, _size in xlsb_records(data):
        if kind == 156:  # BrtBundleSh: state, id, relation, name
            relation, after = wide_string(data, start + 8)
            name, _after = wide_string(data, after)
            info = package.parts.get(relations.targets.get(relation, "").lower())
            if info is not None:
                sheets[name] = Sheet(name)
                walk_xlsb_sheet(book.read(info), sheets[name], limit, shown)
    return sheets


def xlsb_formats(data: bytes) -> Shown:
    """The number formats of the cell styles in a binary styles part."""
    codes: dict[int, str] = {}
    shown, inside = Shown(), False
    for kind, start, size in xlsb_records(data):
        if kind == 44 and size >= 6:  # BrtFmt
            codes[struct.unpack_from("<H", data, start)[0]] = wide_string(data, start + 2)[0]
        elif kind in (617, 618):  # BrtBeginCellXFs, BrtEndCellXFs
            inside = kind == 617
        elif kind == 47 and inside and size >= 4:  # BrtXF
            shown.add_number(struct.unpack_from("<H", data, start + 2)[0], codes)
    return shown


def walk_xlsb_sheet(data: bytes, sheet: Sheet, limit: int, shown: Shown) -> None:
    """Extent, error cells, formats, merges and hidden parts of one binary sheet."""
    row = 0
    for kind, start, size in xlsb_records(data):
        if kind == 0 and size >= 12:  # BrtRowHdr
            row = struct.unpack_from("<I", data, start)[0]
            if data[start + 11] & 0x10:
                sheet.hidden_rows.append(row)
        elif 2 <= kind <= 11 and size >= 8:  # BrtCellRk to BrtFmlaError
            column, style = struct.unpack_from("<II", data, start)
            sheet.stretch(row, column, limit)
            if kind in (3, 11):
                sheet.errors.append((row, column, ERRORS.get(data[start + 8] if size > 8 else 0, "error")))
            elif kind in (2, 5, 9):  # numbers
                sheet.mark(row, column, style & 0xFFFFFF, shown)
        elif kind == 60 and size >= 18 and data[start + 16] & 1:  # BrtColInfo, hidden
            sheet.hide_columns(*struct.unpack_from("<II", data, start))
        elif kind == 176 and size >= 16:  # BrtMergeCell: rows, then columns
            top, bottom, left, right = struct.unpack_from("<IIII", data, start)
            sheet.merges.append((top, left, bottom, right))


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


def scan_xls(data: bytes, limit: int) -> dict[str, Sheet]:
    """Walk the sheets of an XLS file (BIFF 5 and 8)."""
    container = Compound(data)
    stream = container.stream("workbook") or container.stream("book")
    if not stream:
        raise Refused("damaged", "no workbook stream")
    sheets: dict[str, Sheet] = {}
    codes: dict[int, str] = {}
    shown, places, version = Shown(), [], 0
    for kind, start, size in biff_records(stream, 0):
        if kind == 0x2F:  # FilePass
            raise Refused("password")
        if kind == 0x809 and size >= 2:  # BOF
            version = struct.unpack_from("<H", stream, start)[0]
        elif kind == 0x41E and size >= 5:  # Format
            codes[struct.unpack_from("<H", stream, start)[0]] = _format(stream[start + 2 : start + size], version)
        elif kind == 0xE0 and size >= 4:  # XF
            shown.add_number(struct.unpack_from("<H", stream, start + 2)[0], codes)
        elif kind == 0x85 and size > 8:  # BoundSheet8: position, state, type, name
            wide = stream[start + 7] & 1
            end = start + 8 + stream[start + 6] * (1 + wide)
            name = stream[start + 8 : end].decode("utf-16-le" if wide else "latin-1", "replace")
            places.append((name, struct.unpack_from("<I", stream, start)[0]))
        if kind == 0x0A:
            break
    sheets = {}
    for name, position in places:
        sheets[name] = Sheet(name)
        walk_xls_sheet(stream, position, sheets[name], limit, shown)
    return sheets


def _format(data: bytes, version: int) -> str:
    """The code of a number format: counted text, of 8 or 16 bits in BIFF 8, of 8 bits before."""
    if version < _BIFF8:
        return data[1 : 1 + data[0]].decode("latin-1")
    count, wide = struct.unpack_from("<H", data)[0], data[2] & 1
    return data[3 : 3 + count * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")


def walk_xls_sheet(stream: bytes, position: int, sheet: Sheet, limit: int, shown: Shown) -> None:
    """Extent, error cells, formulas without a value, formats and hidden parts of one sheet."""
    blank: list[tuple[int, int]] = []
    valued = 0
    for kind, start, size in biff_records(stream, position):
        if kind == 0x0A:  # EOF
            break
        if size < 6 or kind not in _CELLS:
            _note_hidden(stream, kind, start, size, sheet)
            continue
        row, column, style = struct.unpack_from("<HHH", stream, start)
        sheet.stretch(row, column, limit)
        if kind == 0xBD:
            _note_many(stream, start, size, sheet, limit, shown)
            continue
        what = _given(stream, kind, start, size)
        if what == _NUMBER:
            sheet.mark(row, column, style, shown)
        elif what == _ERROR:
            code = stream[start + (8 if kind == _FORMULA else 6)]
            sheet.errors.append((row, column, ERRORS.get(code, "error")))
        elif what == _BLANK:
            blank.append((row, column))
        valued += kind == _FORMULA and what != _BLANK
    # A blank text is what a formula may well give; where no formula of a sheet gives more, nobody has computed them.
    if not valued:
        sheet.uncached.extend(blank)


def _given(stream: bytes, kind: int, start: int, size: int) -> int:
    """What a cell holds or its formula gave: ``_NUMBER``, ``_TEXT``, ``_BOOLEAN``, ``_ERROR`` or ``_BLANK``."""
    if kind == _FORMULA and size >= 14:
        return stream[start + 6] if stream[start + 12 : start + 14] == b"\xff\xff" else _NUMBER
    if kind == 0x205 and size >= 8:  # BoolErr
        return _ERROR if stream[start + 7] else _BOOLEAN
    return _NUMBER if kind in (0x203, 0x27E) else _TEXT


def _note_many(stream: bytes, start: int, size: int, sheet: Sheet, limit: int, shown: Shown) -> None:
    """Note the numbers of a MulRk record: a row, the first column, then a style and a number for each cell."""
    row, column = struct.unpack_from("<HH", stream, start)
    count = (size - 6) // 6
    sheet.stretch(row, column + max(0, count - 1), limit)
    for index in range(count):
        sheet.mark(row, column + index, struct.unpack_from("<H", stream, start + 4 + 6 * index)[0], shown)


def _note_hidden(stream: bytes, kind: int, start: int, size: int, sheet: Sheet) -> None:
    """Note the rows and columns that a record hides."""
    if kind == 0x208 and size >= 14 and stream[start + 12] & 0x20:  # Row: fDyZero is the mark of a hidden one
        sheet.hidden_rows.append(struct.unpack_from("<H", stream, start)[0])
    elif kind == 0x7D and size >= 10 and stream[start + 8] & 1:  # ColInfo
        sheet.hide_columns(*struct.unpack_from("<HH", stream, start))


_FORMULA = 0x06
_TEXT, _BOOLEAN, _ERROR, _BLANK, _NUMBER = range(5)
_BIFF8 = 0x600
_CELLS = frozenset({0x06, 0xBD, 0xD6, 0xFD, 0x203, 0x204, 0x205, 0x27E})
"""Formula, MulRk, RString, LabelSst, Number, Label, BoolErr, RK; a blank cell with a format is nothing."""


def biff_records(stream: bytes, position: int) -> Iterator[tuple[int, int, int]]:
    """Kind, start and size of the records from a position on."""
    while position + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, position)
        if position + 4 + size > len(stream):
            raise Refused("damaged", "record")
        yield kind, position + 4, size
        position += 4 + size


class Compound:
    """The streams of a compound file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sector = 1 << min(struct.unpack_from("<H", data, 30)[0], 16)
        directory, _signature, self.cutoff, small, _smalls, more, _count = struct.unpack_from("<IIIIIII", data, 48)
        sectors = list(struct.unpack_from("<109I", data, 76))
        seen = 0
        while more < _END_OF_CHAIN and seen * self.sector < len(data):
            *found, more = struct.unpack(f"<{self.sector // 4}I", self._at(more))
            sectors += found
            seen += 1
        table = b"".join(self._at(number) for number in sectors if number < _END_OF_CHAIN)
        self.table = struct.unpack(f"<{len(table) // 4}I", table)
        small_table = self._chain(small)
        self.small_table = struct.unpack(f"<{len(small_table) // 4}I", small_table)
        self.entries = self._chain(directory)
        self.small = self._chain(struct.unpack_from("<I", self.entries, 116)[0])

    def _at(self, number: int) -> bytes:
        start = (number + 1) * self.sector
        part = self.data[start : start + self.sector]
        if len(part) < self.sector:
            part = part.ljust(self.sector, b"\0") if part else part
        if not part:
            raise Refused("damaged", "sector")
        return part

    def _chain(self, number: int) -> bytes:
        parts: list[bytes] = []
        while number < _END_OF_CHAIN:
            if number >= len(self.table) or len(parts) > len(self.table):
                raise Refused("damaged", "chain")
            parts.append(self._at(number))
            number = self.table[number]
        return b"".join(parts)

    def stream(self, name: str) -> bytes:
        """The content of the stream of that name (any case), or nothing."""
        for at in range(0, len(self.entries) - 127, 128):
            length = struct.unpack_from("<H", self.entries, at + 64)[0]
            if self.entries[at : at + max(0, length - 2)].decode("utf-16-le", "replace").lower() == name:
                start, size = struct.unpack_from("<II", self.entries, at + 116)
                return (self._chain(start) if size >= self.cutoff else self._small_chain(start))[:size]
        return b""

    def _small_chain(self, number: int) -> bytes:
        parts: list[bytes] = []
        while number < _END_OF_CHAIN:
            if number >= len(self.small_table) or len(parts) > len(self.small_table):
                raise Refused("damaged", "chain")
            parts.append(self.small[number * 64 : number * 64 + 64])
            number = self.small_table[number]
        return b"".join(parts)
