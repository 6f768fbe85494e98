"""The exact look at a text file that is not clean: record by record, what can be read and what is set aside.

Lines are judged in bulk. Only a line whose last quote is still open at its end needs more: its record is matched
with the grammar of ``records``. If that fails, the quote is a stray one, its line alone is set aside and reading
goes on with the next line. Good records are copied to a scratch file; a parser never sees the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers import scratch
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.prescan import CR, LF, QUOTE, Bytes, Positions
from vigilance.ingest.readers.records import count_cells, record_pattern

_ = messages("readers")

CHUNK: Final = 4 * 1024 * 1024
FOLDED_LF: Final = "\x00L"
FOLDED_CR: Final = "\x00C"
"""Line ends inside cells in the copy: no input holds a NUL, and the parser has no line end to stumble over."""


class Fate(IntEnum):
    """What becomes of a physical line."""

    GOOD = 0
    BLANK = 1
    TOO_FEW = 2
    TOO_MANY = 3
    BARE_QUOTE = 4
    UNCLOSED_QUOTE = 5
    TOO_LONG = 6
    CONTINUED = 7
    REPEATED_HEADER = 8


SET_ASIDE: Final = (Fate.TOO_FEW, Fate.TOO_MANY, Fate.BARE_QUOTE, Fate.UNCLOSED_QUOTE, Fate.TOO_LONG)
CODES: Final = {
    Fate.TOO_FEW: "too_few_cells",
    Fate.TOO_MANY: "too_many_cells",
    Fate.BARE_QUOTE: "bare_quote",
    Fate.UNCLOSED_QUOTE: "unclosed_quote",
    Fate.TOO_LONG: "cell_too_long",
}

_LF_FOLDED: Final = FOLDED_LF.encode()
_CR_FOLDED: Final = FOLDED_CR.encode()
_CONTINUED: Final = Fate.CONTINUED.value

Fates = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the records of a file begin and what they must look like."""

    path: Path
    name: str
    start: int
    end: int
    line: int
    delimiter: str
    width: int
    header: bytes
    limits: Limits


@dataclass(slots=True)
class Cleaned:
    """The good records in ``copy``, and all that is not in it. Lines are 1-based physical lines.

    Record ``r`` of the copy began on line ``r + shift[k]`` where ``k`` is the last index with ``since[k] <= r``.
    """

    copy: Path
    loaded: int = 0
    blank: int = 0
    lines: list[int] = field(default_factory=list)
    fates: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    after_blank: list[tuple[int, bytes]] = field(default_factory=list)
    since: list[Positions] = field(default_factory=list)
    shift: list[Positions] = field(default_factory=list)
    folded: bool = False
    """Whether some cell of the copy holds ``FOLDED_LF`` or ``FOLDED_CR``."""
    ends: dict[str, int] = field(default_factory=lambda: {"LF": 0, "CRLF": 0, "CR": 0})


@dataclass(slots=True)
class _Lines:
    """The complete physical lines of a chunk: content is ``start:end``, ``after`` is where the next begins."""

    start: Positions
    end: Positions
    after: Positions

    def __len__(self) -> int:
        return int(self.start.size)


class BadByte(Exception):  # noqa: N818 - carries a position to the caller that words the refusal
    """A NUL or undecodable byte at this offset of the file."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def clean(plan: Plan) -> Cleaned:
    """Copy the good records of a file and collect the others.

    Raises ``BadByte`` on a NUL or bytes that are not UTF-8, ``InputRefused`` over a limit.
    """
    result = Cleaned(scratch.new_file(".csv"))
    line, offset, data = plan.line, plan.start, b""
    with plan.path.open("rb") as source, result.copy.open("wb") as out:
        source.seek(plan.start)
        final = False
        while not final:
            more = source.read(min(CHUNK, plan.end - offset - len(data)))
            data, final = data + more, not more
            _refuse_bytes(data, offset, final)
            chunk = _Chunk(data, final, plan)
            chunk.judge()
            out.writelines(chunk.good_bytes())
            chunk.report(result, line)
            _refuse_excess(result, plan)
            line += chunk.taken
            offset += chunk.used
            data = data[chunk.used :]
            if len(data) > CHUNK + plan.limits.record:
                raise InputRefused(
                    _("{file}, line {line}: a line longer than {limit} bytes").format(
                        file=plan.name, line=line, limit=plan.limits.record
                    )
                )
    return result


def _refuse_bytes(data: bytes, offset: int, final: bool) -> None:
    nul = data.find(0)
    if nul >= 0:
        raise BadByte(offset + nul)
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        # The end of a chunk may cut a character of up to four bytes.
        if final or error.start < len(data) - 3:
            raise BadByte(offset + error.start) from None


def _refuse_excess(result: Cleaned, plan: Plan) -> None:
    if len(result.lines) > plan.limits.rejects:
        raise InputRefused(
            _("{file}: more than {limit} records do not fit the header").format(
                file=plan.name, limit=plan.limits.rejects
            )
        )
    if result.loaded > plan.limits.rows:
        raise InputRefused(_("{file}: more than {limit} rows").format(file=plan.name, limit=plan.limits.rows))


class _Chunk:
    """The complete lines of some bytes that begin at a record."""

    def __init__(self, data: bytes, final: bool, plan: Plan) -> None:
        self.data, self.final, self.plan = data, final, plan
        self.buffer: Bytes = np.frombuffer(data, dtype=np.uint8)
        self.separator = plan.delimiter.encode()
        self.lines = self._split()
        count = len(self.lines)
        self.fate: Fates = np.zeros(count, dtype=np.uint8)
        self.cells: Positions = np.zeros(count, dtype=np.int64)
        self.taken = count
        """Lines that are settled here; the rest, at the end, waits for more bytes."""
        self.folded: dict[int, bytes] = {}
        """Good records of several lines, by their first line, with their inner line ends folded."""

    @property
    def used(self) -> int:
        """Bytes that are settled."""
        return int(self.lines.after[self.taken - 1]) if self.taken else 0

    def _split(self) -> _Lines:
        buffer = self.buffer
        is_cr = buffer == CR
        is_lf = buffer == LF
        # The CR of a CRLF is no line end of its own; one at the very end may be the first half of a CRLF.
        lone = is_cr.copy()
        lone[:-1] &= ~is_lf[1:]
        if not self.final and lone.size:
            lone[-1] = False
        after = np.flatnonzero(is_lf | lone) + 1
        if self.final and buffer.size and (not after.size or after[-1] != buffer.size):
            after = np.append(after, buffer.size)
            stops = np.append(after[:-1] - 1, buffer.size)
        else:
            stops = after - 1
        start = np.concatenate((np.zeros(1, dtype=np.int64), after[:-1])) if after.size else after
        paired = (stops > start) & (buffer[np.maximum(stops - 1, 0)] == CR) if buffer.size else stops > start
        paired &= stops < after
        paired &= buffer[np.minimum(stops, buffer.size - 1)] == LF if buffer.size else paired
        return _Lines(start, stops - paired, after)

    def judge(self) -> None:
        """Settle the fate of every line."""
        if not len(self.lines):
            return
        separators = np.flatnonzero(self.buffer == self.separator[0])
        raw_separators = self._per_line(separators)
        open_lines: Positions = np.zeros(0, dtype=np.int64)
        quotes = np.flatnonzero(self.buffer == QUOTE)
        if quotes.size:
            bare, open_lines, separators = self._judge_quotes(quotes, separators)
            self.fate[bare] = Fate.BARE_QUOTE
        self.cells = self._per_line(separators) + 1
        good = self.fate == Fate.GOOD
        self.fate[good & (self.cells < self.plan.width)] = Fate.TOO_FEW
        self.fate[good & (self.cells > self.plan.width)] = Fate.TOO_MANY
        if self.plan.width == 1:
            raw_separators[:] = 0
        self.fate[self.lines.end - self.lines.start == raw_separators] = Fate.BLANK
        self._mark_blanks()
        self._mark_repeated_headers()
        self._mark_long_cells(separators)
        if open_lines.size:
            self._resolve(open_lines)

    def _per_line(self, positions: Positions) -> Positions:
        return np.searchsorted(positions, self.lines.end) - np.searchsorted(positions, self.lines.start)

    def _judge_quotes(self, quotes: Positions, separators: Positions) -> tuple[Positions, Positions, Positions]:
        """Lines with malformed quotes; lines that end inside quotes; the separators outside quotes."""
        buffer, lines = self.buffer, self.lines
        marks = np.zeros(int(lines.after[-1]) + 1, dtype=bool)
        marks[quotes[: np.searchsorted(quotes, lines.after[-1])]] = True
        marks[separators[: np.searchsorted(separators, lines.after[-1])]] = True
        marks[lines.end] = True
        spots = np.flatnonzero(marks)
        quote = buffer[np.minimum(spots, buffer.size - 1)] == QUOTE
        quote &= spots < buffer.size
        ends = np.searchsorted(spots, lines.end)
        line = np.zeros(spots.size, dtype=np.int64)
        line[ends[:-1] + 1] = 1
        line = np.cumsum(line)
        seen = np.cumsum(quote)
        inside = ((seen - np.concatenate(([0], seen[ends[:-1]]))[line]) & 1) == 1
        # The neighbour that makes a quote legal is a delimiter, a quote or a line edge: each is a spot itself.
        touches = np.diff(spots, prepend=-2, append=-2) == 1
        opens = touches[:-1] | (spots == lines.start[line])
        legal = np.where(inside, opens, touches[1:])
        malformed = np.zeros(len(lines), dtype=bool)
        malformed[line[quote & ~legal]] = True
        odd = inside[ends]
        outside = ~inside & ~quote
        outside[ends] = False
        return np.flatnonzero(malformed), np.flatnonzero(odd & ~malformed), spots[outside]

    def _mark_blanks(self) -> None:
        """Lines of blanks and delimiters only, when they do not have the right number of cells."""
        suspects = np.flatnonzero((self.fate == Fate.TOO_FEW) | (self.fate == Fate.TOO_MANY))
        heads = self.buffer[self.lines.start[suspects]]
        for index in suspects[(heads == 32) | (heads == 9) | (heads == self.separator[0])].tolist():
            content = self.data[self.lines.start[index] : self.lines.end[index]]
            if not content.strip(b" \t" + self.separator) and (self.plan.width > 1 or self.separator not in content):
                self.fate[index] = Fate.BLANK

    def _mark_repeated_headers(self) -> None:
        header = np.frombuffer(self.plan.header, dtype=np.uint8)
        same = np.flatnonzero(self.lines.end - self.lines.start == header.size)
        for place in np.linspace(0, header.size - 1, 8).astype(np.int64).tolist():
            same = same[self.buffer[self.lines.start[same] + place] == header[place]]
        for index in same.tolist():
            if self.data[self.lines.start[index] : self.lines.end[index]] == self.plan.header:
                self.fate[index] = Fate.REPEATED_HEADER

    def _mark_long_cells(self, separators: Positions) -> None:
        lines, limit = self.lines, self.plan.limits.cell
        for index in np.flatnonzero(lines.end - lines.start > limit).tolist():
            start, end = int(lines.start[index]), int(lines.end[index])
            inside = separators[np.searchsorted(separators, start) : np.searchsorted(separators, end)]
            cuts = np.concatenate(([start - 1], inside, [end]))
            if int(np.diff(cuts).max()) - 1 > limit or end - start > self.plan.limits.record:
                self.fate[index] = Fate.TOO_LONG

    def _resolve(self, open_lines: Positions) -> None:
        """Match the records that go on over line ends; a stray quote costs its line only."""
        pattern = record_pattern(self.separator)
        data, lines, settled = self.data, self.lines, 0
        complete = int(lines.after[-1])
        for index in open_lines.tolist():
            if index < settled:
                continue
            start = int(lines.start[index])
            stop = min(start + self.plan.limits.record, len(data))
            found = pattern.match(data, start, stop)
            # A record is settled only with its last line: beyond the complete lines, its end may be a mere CR of CRLF.
            if found is None or (found.end() >= complete and not self.final) or stop <= found.end() < len(data):
                if not self.final and len(data) - start < self.plan.limits.record:
                    self.taken = index
                    return
                self.fate[index] = Fate.UNCLOSED_QUOTE
                continue
            settled = self._take_record(index, found.group(), found.end())

    def _take_record(self, index: int, record: bytes, end: int) -> int:
        """Settle a record of several lines; returns the line after it."""
        after, width = self.lines.after, self.plan.width
        last = index
        swallowed = False
        # The record ends on the line whose end comes after its own.
        while after[last] <= end and last + 1 < len(self.lines):
            last += 1
            swallowed = swallowed or (after[last] <= end and self.fate[last] == 0 and self.cells[last] == width)
        if swallowed and width > 2:
            # Lines that are whole records by themselves: two stray quotes swallowed them, or a text looks so. Each of
            # them may be one that is lost, so each is named.
            fates = self.fate[index : last + 1]
            fates[~np.isin(fates, (Fate.BLANK, Fate.REPEATED_HEADER))] = Fate.UNCLOSED_QUOTE
            return last + 1
        cells = count_cells(record, self.separator)
        self.cells[index] = cells
        fate = Fate.GOOD
        if cells != width:
            fate = Fate.TOO_FEW if cells < width else Fate.TOO_MANY
        elif len(record) > self.plan.limits.cell and self._longest(record) > self.plan.limits.cell:
            fate = Fate.TOO_LONG
        else:
            self.folded[index] = record.replace(b"\n", _LF_FOLDED).replace(b"\r", _CR_FOLDED)
        self.fate[index] = fate.value
        self.fate[index + 1 : last + 1] = _CONTINUED
        return last + 1

    def _longest(self, record: bytes) -> int:
        return max(len(part) for part in record.split(b'"'))

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Ranges of good lines."""
        keep = (self.fate[: self.taken] == Fate.GOOD).astype(np.int8)
        keep[list(self.folded)] = 0
        edges = np.flatnonzero(np.diff(np.concatenate(([0], keep, [0]))))
        yield from zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True)

    def good_bytes(self) -> Iterator[bytes]:
        """The bytes of the good records in order, each ended by LF or CRLF."""
        lines = self.lines
        data = self.data
        if self.taken and b"\r" in data:
            stops = lines.after[: self.taken] - 1
            lone = stops[(self.buffer[stops] == CR) & (lines.end[: self.taken] == stops)]
            if lone.size:
                buffer = self.buffer.copy()
                buffer[lone] = LF
                data = buffer.tobytes()
        starts = [(first, stop) for first, stop in self._runs()]
        for first, stop in sorted(starts + [(index, index) for index in self.folded if index < self.taken]):
            if first == stop:
                yield self.folded[first] + b"\n"
                continue
            content = data[int(lines.start[first]) : int(lines.after[stop - 1])]
            yield content if content.endswith(b"\n") else content + b"\n"

    def report(self, result: Cleaned, line: int) -> None:
        """Add what was found to ``result``; ``line`` is the physical line of the first one here."""
        fate = self.fate[: self.taken]
        good = np.flatnonzero(fate == Fate.GOOD)
        self._count_ends(result)
        if good.size:
            shift = good + line - (np.arange(good.size) + result.loaded)
            changed = np.flatnonzero(np.diff(shift, prepend=-1))
            result.since.append(changed + result.loaded)
            result.shift.append(shift[changed])
            result.loaded += int(good.size)
        result.folded = result.folded or bool(self.folded)
        result.blank += int((fate == Fate.BLANK).sum())
        result.repeated.extend((np.flatnonzero(fate == Fate.REPEATED_HEADER) + line).tolist())
        self._report_set_aside(result, line, np.flatnonzero(np.isin(fate, SET_ASIDE)))
        heads = np.flatnonzero(fate == Fate.BLANK) + 1
        heads = heads[heads < self.taken]
        heads = heads[fate[heads] == Fate.GOOD][: max(0, 1000 - len(result.after_blank))]
        result.after_blank.extend(zip((heads + line).tolist(), self._contents(heads), strict=True))

    def _count_ends(self, result: Cleaned) -> None:
        if not self.taken:
            return
        lines = self.lines
        stops = lines.after[: self.taken] - 1
        marks = self.buffer[stops]
        result.ends["CR"] += int(((marks == CR) & (lines.end[: self.taken] == stops)).sum())
        crlf = int(((marks == LF) & (lines.end[: self.taken] < stops)).sum())
        result.ends["CRLF"] += crlf
        result.ends["LF"] += int((marks == LF).sum()) - crlf

    def _contents(self, heads: Positions) -> list[bytes]:
        """The bytes of the records that begin on some lines, without their line ends."""
        begins = np.flatnonzero(self.fate[: self.taken] != Fate.CONTINUED)
        following = np.append(begins, self.taken)[np.searchsorted(begins, heads, side="right")]
        spans = zip(self.lines.start[heads].tolist(), self.lines.end[following - 1].tolist(), strict=True)
        return [self.data[start:end] for start, end in spans]

    def _report_set_aside(self, result: Cleaned, line: int, bad: Positions) -> None:
        result.lines.extend((bad + line).tolist())
        result.fates.extend(self.fate[bad].tolist())
        result.cells.extend(self.cells[bad].tolist())
        result.contents.extend(self._contents(bad))
