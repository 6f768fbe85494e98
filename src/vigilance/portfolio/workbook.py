"""Sheets of a workbook as grids of text, read in a child process with limits.

A workbook of one kilobyte with cells in A1 and in the last corner aborts the process that opens it, so the zip and
the stated dimensions are checked first and the reading is done by a child (docs/bad-input.md).
"""

from __future__ import annotations

import re
import zipfile
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any, Final

from vigilance.errors import InputRefused
from vigilance.i18n import messages

_ = messages("portfolio")

MAX_UNPACKED: Final = 512 * 2**20
MAX_CELLS: Final = 20_000_000
SECONDS: Final = 60.0
MEMORY: Final = 3 * 2**30
_DIMENSION: Final = re.compile(rb'<dimension ref="[A-Z]+[0-9]+:([A-Z]+)([0-9]+)"')

Rows = list[tuple[int, list[str]]]


def sheets(path: Path) -> list[tuple[str, Rows]]:
    """Name and rows (1-based row number, cells as text) of every sheet; ``InputRefused`` when it cannot be read."""
    _checked(path)
    context = get_context("spawn")
    queue = context.Queue(1)
    child = context.Process(target=_read, args=(str(path), queue), daemon=True)
    child.start()
    try:
        kind, found = queue.get(timeout=SECONDS)
    except Empty:
        child.kill()
        raise InputRefused(_("{file}: the workbook could not be read in time").format(file=path.name)) from None
    finally:
        child.join(timeout=5)
    if kind != "sheets":
        raise InputRefused(_("{file}: not a workbook that can be read: {why}").format(file=path.name, why=found))
    result: list[tuple[str, Rows]] = found
    return result


def _checked(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            if sum(m.file_size for m in members) > MAX_UNPACKED:
                raise InputRefused(_("{file}: the workbook unpacks to more than is read").format(file=path.name))
            for member in members:
                if member.filename.startswith("xl/worksheets/sheet"):
                    with packed.open(member) as sheet:
                        _small(path, sheet.read(4096))
    except zipfile.BadZipFile as error:
        raise InputRefused(
            _("{file}: not a workbook that can be read: {why}").format(file=path.name, why=error)
        ) from error


def _small(path: Path, head: bytes) -> None:
    match = _DIMENSION.search(head)
    if match is None:
        return
    columns = 0
    for letter in match[1].decode():
        columns = columns * 26 + ord(letter) - 64
    if columns * int(match[2]) > MAX_CELLS:
        raise InputRefused(
            _("{file}: a sheet spans {columns} columns and {rows} rows, more than is read").format(
                file=path.name, columns=columns, rows=int(match[2])
            )
        )


def _read(path: str, queue: Any) -> None:
    """In the child: limit memory, read, hand over text."""
    import resource  # noqa: PLC0415 - a POSIX module, needed in the child alone

    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - hostile files meet it here only

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        book = CalamineWorkbook.from_path(path)
        found = [
            (
                name,
                [
                    (number, [_shown(cell) for cell in cells])
                    for number, cells in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), 1)
                ],
            )
            for name in book.sheet_names
        ]
    except (CalamineError, OSError, MemoryError, ValueError) as error:
        queue.put(("error", str(error)[:200]))
        return
    queue.put(("sheets", found))


def _shown(cell: Any) -> str:
    """A cell as text: whole numbers without a point, dates as ISO days."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())[:10]
    return "" if cell is None else str(cell)
