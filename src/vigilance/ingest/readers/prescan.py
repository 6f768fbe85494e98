"""The fast look at every byte of a text file: each physical line must be one well-formed record.

The file is cut into segments at line ends and the segments are checked side by side (numpy and hashing release the
interpreter lock). If every line of every segment is right by itself, then by induction from the first line every line
*is* a record, and any reader that follows RFC 4180 gives the same table. If one is not, ``cleaning`` takes over.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

SEGMENT: Final = 256 * 1024
"""Small enough that all arrays on a segment stay in a core's cache."""
LF, CR, QUOTE = 10, 13, 34

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """What every line must look like; ``delimiter`` is a byte, the limits are in bytes."""

    delimiter: int
    width: int
    header: bytes
    cell_limit: int
    record_limit: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a segment, or of a file: ``records`` counts lines, ``bad_byte`` is an offset in the file."""

    clean: bool
    records: int = 0
    crlf: bool | None = None
    bad_byte: int | None = None


def scan(path: Path, start: int, end: int, shape: Shape, workers: int) -> Verdict:
    """Check the bytes ``start`` to ``end`` of ``path``, which must begin at a record; stops at the first flaw.

    A NUL or a byte that is not UTF-8 is reported as ``bad_byte``, unless another flaw comes before it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        with ThreadPoolExecutor(workers) as pool:
            verdicts = _in_order(pool, handle, start, end, shape, 2 * workers)
            try:
                return _merge(verdicts)
            finally:
                verdicts.close()
    finally:
        os.close(handle)


def _in_order(
    pool: ThreadPoolExecutor, handle: int, start: int, end: int, shape: Shape, ahead: int
) -> Generator[Verdict, None, None]:
    starts = iter(range(start, end, SEGMENT))
    pending = [pool.submit(_segment, handle, at, start, end, shape) for at in islice(starts, ahead)]
    try:
        while pending:
            yield pending.pop(0).result()
            pending.extend(pool.submit(_segment, handle, at, start, end, shape) for at in islice(starts, 1))
    finally:
        for left in pending:
            left.cancel()


def _merge(verdicts: Iterator[Verdict]) -> Verdict:
    records, crlf = 0, None
    for verdict in verdicts:
        crlf = verdict.crlf if crlf is None else crlf
        if not verdict.clean:
            return verdict
        if verdict.crlf not in (None, crlf):
            return Verdict(False)
        records += verdict.records
    return Verdict(True, records, crlf)


def _segment(handle: int, at: int, first: int, end: int, shape: Shape) -> Verdict:
    """Check the lines that begin in ``at`` .. ``at + SEGMENT``."""
    lead = 1 if at > first else 0
    data = os.pread(handle, min(SEGMENT, end - at) + lead, at - lead)
    if lead:
        cut = data.find(b"\n") + 1
        if not cut:
            # No line begins here; the segment before reads on until the line ends.
            return _bytes_verdict(data[1:], at, whole=False) or Verdict(True)
        begin, data = at - lead + cut, data[cut:]
        if not data:
            return Verdict(True)
    else:
        begin = at
    position, step = begin + len(data), 4096
    while position < end and data[-1:] != b"\n":
        if len(data) > SEGMENT + 2 * shape.record_limit:
            return _bytes_verdict(data, begin, whole=False) or Verdict(False)
        more = os.pread(handle, min(step, end - position), position)
        step *= 2
        line_end = more.find(b"\n") + 1
        data += more[:line_end] if line_end else more
        position = begin + len(data)
        if not more:
            break
    return _bytes_verdict(data, begin, whole=True) or check_lines(data, shape)


def _bytes_verdict(data: bytes, begin: int, *, whole: bool) -> Verdict | None:
    nul = data.find(0)
    if nul >= 0:
        return Verdict(False, bad_byte=begin + nul)
    if data.isascii() or not whole:
        # Without whole lines a character may be cut; the segment that owns the line decodes it.
        return None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return Verdict(False, bad_byte=begin + error.start)
    return None


def check_lines(data: bytes, shape: Shape) -> Verdict:
    """Whether every line of ``data`` is one record of ``shape.width`` cells with well-formed quotes, none blank."""
    crlf = b"\r" in data
    buffer = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(buffer == LF)
    if crlf and (data.count(b"\r") != breaks.size or breaks[0] == 0 or not (buffer[breaks - 1] == CR).all()):
        return Verdict(False)
    ends = breaks if data.endswith(b"\n") else np.append(breaks, buffer.size)
    lengths = np.diff(ends, prepend=-1) - 1
    # A line of delimiters only, or an empty one, is a blank row.
    sized = int(lengths.min()) >= shape.width + crlf and int(lengths.max()) <= shape.record_limit
    if not sized or _repeats(data, shape.header, b"\r\n" if crlf else b"\n"):
        return Verdict(False)
    marks = buffer == shape.delimiter
    marks[breaks] = True
    cuts = _outside_quotes(buffer, marks, crlf) if b'"' in data else np.flatnonzero(marks)
    if cuts is None or not _regular(np.append(cuts, ends[breaks.size :]), ends, shape):
        return Verdict(False)
    return Verdict(True, int(ends.size), crlf if breaks.size else None)


def _regular(cuts: Positions, ends: Positions, shape: Shape) -> bool:
    """Whether every ``shape.width``-th cut, and no other, is a line end, and no cell is too long."""
    if cuts.size != ends.size * shape.width or not (cuts[shape.width - 1 :: shape.width] == ends).all():
        return False
    return int(np.diff(cuts, prepend=-1).max()) - 1 <= shape.cell_limit


def _repeats(data: bytes, header: bytes, line_end: bytes) -> bool:
    """Whether a line of ``data`` is the header again."""
    line = header + line_end
    return data.startswith(line) or b"\n" + line in data or data.endswith(b"\n" + header)


def _outside_quotes(buffer: Bytes, marks: npt.NDArray[np.bool_], crlf: bool) -> Positions | None:
    """The delimiters and line ends among ``marks`` that are not quoted, or None when the quotes are malformed.

    A quote that opens must follow a delimiter, a line end or (doubled) a quote; one that closes must be followed by
    one of these: in both cases the neighbour is itself a mark, so that legality is adjacency of marks.
    """
    is_quote = buffer == QUOTE
    spots = np.flatnonzero(marks | is_quote)
    quote = is_quote[spots]
    inside = np.logical_xor.accumulate(quote)
    if inside[-1]:
        return None
    touches = np.empty(spots.size + 1, dtype=np.bool_)
    touches[0], touches[-1] = spots[0] == 0, spots[-1] == buffer.size - 1
    np.equal(spots[1:] - spots[:-1], 1, out=touches[1:-1])
    opening = quote & inside
    lonely = np.flatnonzero((opening & ~touches[:-1]) | (quote & ~inside & ~touches[1:]))
    if lonely.size and not (crlf and not inside[lonely].any() and (buffer[spots[lonely] + 1] == CR).all()):
        return None
    return spots.compress(~(quote | inside))
