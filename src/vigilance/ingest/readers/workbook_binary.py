"""A walk over the records of binary workbooks (XLSB and XLS): extent, error cells, empty formulas, hidden rows.

Sources: [MS-XLSB] 2.1.4, [MS-XLS] 2.4, [MS-CFB] 2.
Runs in the child process of the workbook reader: standard library only.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator

from vigilance.ingest.readers.workbook_scan import Package, Refused, Sheet

ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_END_OF_CHAIN = 0xFFFFFFFA


def scan_xlsb(book: zipfile.ZipFile, limit: int) -> dict[str, Sheet]:
    """Extents and error cells of the sheets of an XLSB file, from their records ([MS-XLSB] 2.1.4)."""
    package = Package(book)
    document, relations = package.relations()
    data = book.read(package.parts[document.lower()])
    sheets: dict[str, Sheet] = {}
    for kind, start, _size in xlsb_records(data):
        if kind == 156:  # BrtBundleSh: state, id, relation, name
            relation, after = wide_string(data, start + 8)
            name, _after = wide_string(data, after)
            info = package.parts.get(relations.targets.get(relation, "").lower())
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


def scan_xls(data: bytes, limit: int) -> dict[str, Sheet]:
    """Walk the sheets of an XLS file (BIFF 5 and 8)."""
    container = Compound(data)
    stream = container.stream("workbook") or container.stream("book")
    if not stream:
        raise Refused("damaged", "no workbook stream")
    sheets: dict[str, Sheet] = {}
    for kind, start, size in biff_records(stream, 0):
        if kind == 0x2F:  # FilePass
            raise Refused("password")
        if kind == 0x85 and size > 8:  # BoundSheet8: position, state, type, name
            wide = stream[start + 7] & 1
            end = start + 8 + stream[start + 6] * (1 + wide)
            sheet = Sheet(stream[start + 8 : end].decode("utf-16-le" if wide else "latin-1", "replace"))
            sheets[sheet.name] = sheet
            walk_xls_sheet(stream, struct.unpack_from("<I", stream, start)[0], sheet, limit)
        if kind == 0x0A:
            break
    return sheets


def walk_xls_sheet(stream: bytes, position: int, sheet: Sheet, limit: int) -> None:
    """Extent, hidden rows, error cells and formulas without a value of one sheet."""
    for kind, start, size in biff_records(stream, position):
        if kind == 0x0A:  # EOF
            return
        if size < 6 or kind not in _CELLS:
            continue
        row, column = struct.unpack_from("<HH", stream, start)
        if kind == 0x208:  # Row: fDyZero is the mark of a hidden one
            if size >= 14 and stream[start + 12] & 0x20:
                sheet.hidden_rows.append(row)
            continue
        sheet.stretch(row, column, limit)
        if kind == 0x205 and size >= 8 and stream[start + 7]:  # BoolErr
            sheet.errors.append((row, column, ERRORS.get(stream[start + 6], "error")))
        elif kind == 0x06 and size >= 14 and stream[start + 12 : start + 14] == b"\xff\xff":  # Formula
            if stream[start + 6] == 2:
                sheet.errors.append((row, column, ERRORS.get(stream[start + 8], "error")))
            elif stream[start + 6] == 3:
                sheet.uncached.append((row, column))


_CELLS = frozenset({0x06, 0xBD, 0xD6, 0xFD, 0x203, 0x204, 0x205, 0x208, 0x27E})
"""Formula, MulRk, RString, LabelSst, Number, Label, BoolErr, Row, RK; a blank cell with a format is nothing."""


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
