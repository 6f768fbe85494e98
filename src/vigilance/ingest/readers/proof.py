"""The quick proof that a large text file is clean: every physical line is one good record.

The file is cut at line ends into stretches, which threads read block by block (numpy releases the interpreter). The
proof only ever says that all is well: a file that it does not prove goes to ``prescan``, which names the flaw.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Final

from vigilance.ingest.readers.bitlines import Block, Lines
from vigilance.ingest.readers.prescan import LF, Shape, Verdict

SMALLEST: Final = 256 * 1024
"""Bytes below which the exact look alone is as quick."""
BLOCK: Final = 960 * 1024
"""Bytes checked at a time. With less the threads wait for the interpreter; with more the marks, an eighth of it each, are
above 128 KiB, from where on the allocator takes new pages from the system each time."""
STRETCH: Final = 32 * 1024 * 1024
"""Bytes that a thread takes at a time: few enough that the threads end together."""
WORKERS: Final = 2
"""Threads: more of them wait for each other longer than they help."""


def proved(path: Path, start: int, line: int, end: int, shape: Shape) -> Verdict | None:  # noqa: ARG001
    """The verdict on a file that is clean from byte ``start``, where a line begins, to its end; else nothing.

    Raises ``OSError`` when the file cannot be read.
    """
    size = path.stat().st_size
    if end != size or size - start < SMALLEST:
        return None
    lines = _lines(path, start, shape)
    if lines is None:
        return None
    cuts = _cuts(path, start, size, lines)
    # The iterator of a list may be shared: a thread that has done one stretch takes the next.
    stretches, doubt = iter(list(pairwise(cuts))), Event()
    room = min(BLOCK, size - start)
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(_records, path, stretches, lines, room, doubt) for _ in range(min(WORKERS, len(cuts) - 1))]
    records = sum(job.result() for job in jobs)
    return None if doubt.is_set() else Verdict(True, records, lines.crlf)


def _lines(path: Path, start: int, shape: Shape) -> Lines | None:
    """What all lines must look like if they end as the first one does; nothing when that one does not end in time."""
    with path.open("rb") as file:
        file.seek(start)
        first = file.readline(min(shape.cell_limit, shape.record_limit) + 2)
    return Lines(shape, first.endswith(b"\r\n")) if first.endswith(b"\n") else None


def _cuts(path: Path, start: int, size: int, lines: Lines) -> list[int]:
    """Where the stretches begin, each at the start of a line, and where the last one ends.

    A line that is too long may be cut in two, of which the first is too long by itself.
    """
    cuts = [start]
    with path.open("rb") as file:
        for at in range(start + STRETCH, size, STRETCH):
            file.seek(at)
            cuts.append(at + len(file.readline(lines.longest + len(lines.end))))
    return [*cuts, size]


def _records(path: Path, stretches: Iterator[tuple[int, int]], lines: Lines, room: int, doubt: Event) -> int:
    """How many good records there are in the stretches that are left; stops, in ``doubt``, where one may not be good.

    ``room`` bytes are checked at a time, or as many as a line may have.
    """
    block = Block(max(room, lines.longest + len(lines.end)) + len(lines.end))
    records = 0
    with path.open("rb", buffering=0) as file:
        for begin, end in stretches:
            file.seek(begin)
            for size in _fillings(file, end - begin, lines.end, block.text):
                found = block.records(size, lines) if size and not doubt.is_set() else None
                if found is None:
                    doubt.set()
                    return records
                records += found
    return records


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
