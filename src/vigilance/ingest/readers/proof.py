"""The quick proof that a large text file is clean: every physical line is one good record.

One thread reads the file block by block: on bits there is so little to do that more threads spend what they save on
handing the interpreter over. The proof only ever says that all is well: a file that it does not prove goes to
``prescan``, which names the flaw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from vigilance.ingest.readers.bitlines import Block, Lines
from vigilance.ingest.readers.prescan import LF, Shape, Verdict

SMALLEST: Final = 256 * 1024
"""Bytes below which the exact look alone is as quick."""
BLOCK: Final = 640 * 1024
"""Bytes checked at a time. With less the calls cost more than the work; with more the marks, an eighth of it each, are
so large that the allocator hands their pages back to the system and takes new ones for each block."""


def proved(
    path: Path, start: int, end: int, shape: Shape, told: Callable[[int], None] = lambda _end: None
) -> Verdict | None:
    """The verdict on a file that is clean from byte ``start``, where a line begins, to its end; else nothing.

    ``told`` hears up to which byte it is proved, block after block. Raises ``OSError`` when the file cannot be read.
    """
    size = path.stat().st_size
    if end != size or size - start < SMALLEST:
        return None
    lines = _lines(path, start, shape)
    if lines is None:
        return None
    block = Block(max(min(BLOCK, size - start), lines.longest + len(lines.end)) + len(lines.end))
    records, position = 0, start
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        for filled in _fillings(file, size - start, lines.end, block.text):
            found = block.records(filled, lines) if filled else None
            if found is None:
                return None
            records += found
            # A last line without an end was given one.
            position = min(position + filled, size)
            told(position)
    return Verdict(True, records, lines.crlf)


def _lines(path: Path, start: int, shape: Shape) -> Lines | None:
    """What all lines must look like if they end as the first one does; nothing when that one does not end in time."""
    with path.open("rb") as file:
        file.seek(start)
        first = file.readline(min(shape.cell_limit, shape.record_limit) + 2)
    return Lines(shape, first.endswith(b"\r\n")) if first.endswith(b"\n") else None


def _fillings(file: FileIO, left: int, line_end: bytes, text: bytearray) -> Iterator[int]:
    """Fill ``text`` with the next ``left`` bytes, time after time; yields the size of the whole lines at its start.

    A last line without an end is given one. Yields nought, last, when a line does not fit or the file has shrunk.
    """
    view, kept = memoryview(text), 0
    room = len(text) - len(line_end)
    while left:
        got = file.readinto(view[kept : min(room, kept + left)])
        if not got:
            yield 0
            return
        filled, left = kept + got, left - got
        if not left and text[filled - 1] != LF:
            view[filled : filled + len(line_end)] = line_end
            filled += len(line_end)
        whole = text.rfind(b"\n", 0, filled) + 1
        if whole:
            yield whole
        kept = filled - whole
        view[:kept] = view[whole:filled]
