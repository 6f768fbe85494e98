"""Whole lines of delimited text, checked by arithmetic on one bit per byte.

The places of the delimiters, line ends and quotes are packed into words of 64 bits. What is quoted, whether each quote
may stand where it does and how many cells a line has then follow from shifts, parities and counts of bits, without a
branch or a step per cell. Quotes are those of RFC 4180, except that a quoted line end is a flaw: a line is a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from vigilance.ingest.readers.prescan import CR, LF, QUOTE, Bytes, Positions, Shape

_WORD: Final = 64
_GROUP: Final = 32
_ONE: Final = np.uint64(1)
_LAST: Final = np.uint64(_WORD - 1)
"""The number of the last bit of a word, and the mask of such numbers."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Lines:
    """What every line of a file must look like: its shape, and whether it ends in CR LF or in LF alone."""

    shape: Shape
    crlf: bool

    @property
    def end(self) -> bytes:
        """The bytes that end a line."""
        return b"\r\n" if self.crlf else b"\n"

    @property
    def longest(self) -> int:
        """The bytes that a line may have without its end; no cell of such a line is too long either."""
        return min(self.shape.cell_limit, self.shape.record_limit)


class Block:
    """Memory for at least ``room`` bytes of text and the marks on them, used again for each block of a file."""

    def __init__(self, room: int) -> None:
        padded = -(-room // _WORD) * _WORD
        self.text: Final = bytearray(padded)
        self._bytes: Final = np.frombuffer(self.text, dtype=np.uint8)
        self._mask: Final = np.empty(padded, dtype=np.bool_)

    def records(self, size: int, lines: Lines) -> int | None:
        """How many lines the first ``size`` bytes of ``text`` are, if each is one good record; else nothing.

        They must begin a line and end with LF. A line is good that is UTF-8 without NUL, neither blank nor the header
        again, within the limits, and of ``shape.width`` cells with well-formed quotes.
        """
        data = self._bytes[:size]
        if (self.text.find(CR, 0, size) >= 0) != lines.crlf or not _is_text(data):
            return None
        line_ends = self._marks(LF, size)
        ends = _places(line_ends)
        if not _fit(data, ends, lines):
            return None
        closers = line_ends
        if lines.crlf:
            returns = self._marks(CR, size)
            if not np.array_equal(_after(returns, first=0), line_ends):
                return None
            closers = line_ends | returns
        cuts = self._marks(lines.shape.delimiter, size)
        if self.text.find(QUOTE, 0, size) >= 0:
            quotes = self._marks(QUOTE, size)
            inside = _inside(quotes)
            if (line_ends & inside).any() or not _well_placed(quotes, inside, cuts | closers | quotes):
                return None
            cuts &= ~inside
        return int(ends.size) if _regular(cuts, ends, lines.shape.width) else None

    def _marks(self, byte: int, size: int) -> Words:
        """One bit for each byte of the text, the first in the lowest: whether it is ``byte``; unset from ``size``."""
        whole = -(-size // _WORD) * _WORD
        np.equal(self._bytes[:whole], byte, out=self._mask[:whole])
        self._mask[size:whole] = False
        return np.packbits(self._mask[:whole], bitorder="little").view("<u8")


def _is_text(data: Bytes) -> bool:
    """Whether the bytes are UTF-8 without NUL."""
    # As signed numbers, the bytes beyond ASCII are negative.
    if data.view(np.int8).min() > 0:
        return True
    if not data.min():
        return False
    try:
        pl.Series([data.tobytes()], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True


def _places(bits: Words) -> Positions:
    """The positions of the bits that are set, in order."""
    groups = bits.view("<u4")
    taken = np.flatnonzero(groups != 0)
    found = groups[taken]
    lowest = found & np.negative(found)
    if np.array_equal(found, lowest):
        taken *= _GROUP
        taken += np.bitwise_count(lowest - np.uint32(1))
        return taken
    # More than one to a group, as when lines are very short: slower.
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_))


def _fit(data: Bytes, ends: Positions, lines: Lines) -> bool:
    """Whether no line is too long, none blank (at most its delimiters long) and none the header again."""
    lengths = np.diff(ends, prepend=-1) - len(lines.end)
    if lengths.min() < lines.shape.width or lengths.max() > lines.longest:
        return False
    header = np.frombuffer(lines.shape.header, dtype=np.uint8)
    starts = ends[lengths == header.size] - (header.size + len(lines.end) - 1)
    starts = starts[data[starts] == header[:1]]
    if not starts.size:
        return True
    return not (np.lib.stride_tricks.sliding_window_view(data, header.size)[starts] == header).all(axis=1).any()


def _after(bits: Words, *, first: int) -> Words:
    """Each bit moved to the byte after its own; ``first`` comes to the first byte."""
    moved = np.left_shift(bits, _ONE)
    moved[1:] |= bits[:-1] >> _LAST
    moved[0] |= np.uint64(first)
    return moved


def _before(bits: Words) -> Words:
    """Each bit moved to the byte before its own."""
    moved = np.right_shift(bits, _ONE)
    moved[:-1] |= bits[1:] << _LAST
    return moved


def _inside(quotes: Words) -> Words:
    """The bytes up to which the number of quotes is odd: from a quote that opens to before the one that closes."""
    inside = quotes.copy()
    for step in (1, 2, 4, 8, 16, 32):
        inside ^= inside << np.uint64(step)
    odd = np.bitwise_xor.accumulate(inside >> _LAST)
    # After an odd number of quotes every bit of a word is turned.
    inside[1:] ^= np.negative(odd[:-1])
    return inside


def _well_placed(quotes: Words, inside: Words, marks: Words) -> bool:
    """Whether each quote that opens follows a mark, and each that closes is followed by one.

    A mark is a delimiter, a line end or a quote. The mark before a quote that opens is not quoted, nor is the one after
    a quote that closes; two quotes that touch outside are a doubled one or an empty cell.
    """
    alone = inside & ~_after(marks, first=1)
    alone |= ~(inside | _before(marks))
    return not (quotes & alone).any()


def _regular(cuts: Words, ends: Positions, width: int) -> bool:
    """Whether up to each line end there are as many cuts as that many lines of ``width`` cells have, and no more."""
    words = ends >> 6
    counted = np.cumsum(np.bitwise_count(cuts), dtype=np.int64)
    # Less the cuts that come after the line end in the same word.
    found = counted[words] - np.bitwise_count(cuts[words] >> (ends.view(np.uint64) & _LAST))
    return np.array_equal(found, np.arange(1, ends.size + 1) * (width - 1))
