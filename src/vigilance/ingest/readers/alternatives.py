"""Files in another dialect than RFC 4180 with a usual delimiter: other quotes, escapes, blanks after delimiters.

They are rewritten, aloud, when exactly one such dialect gives a perfectly regular table. Nothing here is a first
choice: it is tried only on a file that cannot be read, or not wholly, as it stands.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigilance.ingest.readers import scratch
from vigilance.ingest.readers.certain import leaves_no_choice, named_above_values, record_by_record
from vigilance.ingest.readers.encoding import Text
from vigilance.ingest.readers.layouts import DELIMITERS
from vigilance.ingest.readers.limits import MIB

_HEAD: Final = 256 * 1024
_LARGEST: Final = 256 * MIB
_UNUSUAL: Final = "^~\x1f\x1e\x01:# =*!&¦、，；"
_RUN: Final = re.compile(r"[^\w\s\"'`´“”„«»‘’/.]{2,4}|\t +")
_RUNS: Final = 5
"""Runs of signs in the first line that are tried as one delimiter."""
_MARKS: Final = frozenset(DELIMITERS) - {"\t"}
_PAIRS: Final = ("“”", "„“", "«»")
_LEAST: Final = 3
"""Records, the header among them, that a dialect must give before it is believed."""
_STAND_IN: Final = "\x1c"
_QUOTE: Final = "\x1d"
"""One sign each for a delimiter of several and for quotes that open and close differently; no text holds them."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """How the cells of a file are told apart.

    ``quote`` is one sign, a pair that opens and closes, or nothing where quotes are ordinary signs. ``blanks`` may
    stand around delimiters. Where a file is ``wrapped``, each line is one quoted cell that holds a record. Some
    records may have a ``second`` delimiter in the place of the first; each record may end in a sign, its ``tail``.
    """

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    blanks: bool = False
    wrapped: bool = False
    second: str = ""
    tail: str = ""

    @property
    def cost(self) -> int:
        """How far the dialect is from the usual ones."""
        unusual = (self.delimiter not in DELIMITERS, self.quote != '"', self.escape is not None)
        return sum(unusual) + self.blanks + self.wrapped + 2 * bool(self.second) + bool(self.tail)

    @property
    def strict(self) -> bool:
        """Whether each record must be well-formed and of the width of the first: other evidence is weak."""
        return bool(self.second or self.tail) or self.delimiter == "/"

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The records of some text, given line by line. Raises ``csv.Error`` where the quotes are wrong."""
        if self.strict:
            return record_by_record(lines, self.delimiter, self.second, self.tail)
        several = len(self.delimiter) > 1
        found = csv.reader(
            map(self._plain, _unwrapped(lines, self.delimiter) if self.wrapped else lines),
            delimiter=_STAND_IN if several else self.delimiter,
            quotechar=_QUOTE if len(self.quote) > 1 else self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape,
            doublequote=True,
            skipinitialspace=self.blanks,
            strict=True,
        )
        return ([cell.replace(_STAND_IN, self.delimiter) for cell in cells] for cells in found) if several else found

    def _plain(self, line: str) -> str:
        """A line in signs that ``csv`` knows. Raises ``csv.Error`` for one that cannot be put so."""
        if _STAND_IN in line or _QUOTE in line:
            raise csv.Error("a sign that stands for others")
        quote, mark = re.escape(self.quote), re.escape(self.delimiter)
        if self.blanks and f"{self.quote} " in line:
            if re.search(rf"[^\s{mark}{quote}](?:{quote}{quote})+ +({mark}|[\r\n]|\Z)", line):
                raise csv.Error("a blank after a doubled quote may belong to the cell")
            line = re.sub(rf"{quote} +(?={mark}|[\r\n]|\Z)", self.quote, line)
        if len(self.quote) > 1:
            line = line.replace(self.quote[0], _QUOTE).replace(self.quote[1], _QUOTE)
        return line.replace(self.delimiter, _STAND_IN) if len(self.delimiter) > 1 else line


def _unwrapped(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """The lines inside the only cell of each record. Raises ``csv.Error`` for a record of several cells."""
    for cells in csv.reader(lines, delimiter=delimiter, strict=True):
        if len(cells) > 1:
            raise csv.Error("more than one cell")
        yield from io.StringIO("".join(cells) + "\n", newline="")


def find(text: Text) -> Alternative | None:
    """The one unusual dialect in which the head of a file is perfectly regular, or None."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        head = file.read(_HEAD)
        whole = not file.read(1)
    if not whole:
        head = head[: head.rfind(b"\n") + 1]
    sample = head.decode("utf-8", "ignore")
    if not sample or "\0" in sample:
        return None
    found: dict[Alternative, list[list[str]]] = {}
    for alternative in _candidates(sample):
        records = _regular(alternative, sample)
        if records:
            found[alternative] = records
    cheapest = min((alternative.cost for alternative in found), default=0)
    best = {a: r for a, r in found.items() if a.cost == cheapest}
    tables = [records for i, records in enumerate(best.values()) if records not in list(best.values())[:i]]
    return next(iter(best)) if len(tables) == 1 else None


def _candidates(sample: str) -> Iterator[Alternative]:
    quotes = ['"', *(mark for mark in "'`´“”" if sample.count(mark) > 3)]
    escapes = [None, *(["\\"] if "\\" in sample else [])]
    top = sample.lstrip().partition("\n")[0]
    runs = list(dict.fromkeys(_RUN.findall(top)))[:_RUNS]
    marks = [mark for mark in (*DELIMITERS, *_UNUSUAL, *runs) if mark in sample]
    for mark, quote, escape, blanks in itertools.product(marks, quotes, escapes, (False, True)):
        if (mark, blanks) != (" ", True):
            alternative = Alternative(mark, quote, escape, blanks)
            if alternative.cost:
                yield alternative
    usual = [mark for mark in DELIMITERS if mark in sample]
    for mark, pair in itertools.product(usual, [pair for pair in _PAIRS if sample.count(pair[0]) > 3]):
        yield Alternative(mark, pair)
    if '"' in sample:
        yield from (Alternative(mark, "", escape) for mark in usual for escape in escapes)
    tail = top.rstrip()[-1:]
    yield from (Alternative(mark, tail=tail) for mark in usual if tail in _MARKS and mark != tail)
    if "/" in top:
        yield Alternative("/")
    yield from (Alternative(mark, second=other) for mark, other in itertools.permutations(usual, 2))
    if top.startswith('"') and top.rstrip().endswith('"'):
        yield from (Alternative(mark, wrapped=True) for mark in usual)


def _regular(alternative: Alternative, sample: str) -> list[list[str]] | None:
    """The records of a sample, when they are regular and every unusual feature of the dialect is at work in it."""
    try:
        records = [cells for cells in alternative.reader(io.StringIO(sample, newline="")) if cells]
    except csv.Error:
        return None
    width = len(records[0]) if records else 0
    least = 3 if alternative.delimiter in " :=&" or alternative.strict else 2
    if len(records) < _LEAST or width < least or any(len(cells) != width for cells in records):
        return None
    if alternative.delimiter == "/" and not named_above_values(records):
        return None
    if any(cell.strip() in _MARKS for cells in records for cell in cells):
        return None
    if any(not cell.strip() or cell.strip()[:1].isdigit() for cell in records[0]):
        return None
    if alternative.second or alternative.tail:
        at_work = leaves_no_choice(sample, alternative.delimiter, alternative.second, alternative.tail)
    else:
        at_work = _is_at_work(alternative, sample, records)
    return records if at_work else None


def _is_at_work(alternative: Alternative, sample: str, records: list[list[str]]) -> bool:
    mark, quote, escape = alternative.delimiter, alternative.quote, alternative.escape
    if alternative.wrapped or len(quote) > 1:
        return alternative.wrapped or f"{quote[1]}{mark}{quote[0]}" in sample
    if (escape and not _escapes(sample, mark, quote or '"')) or not _quotes(mark, quote, sample):
        return False
    if not quote and not _quotes_are_signs(records):
        return False
    if alternative.blanks:
        plain = Alternative(mark, quote, escape)
        try:
            raw = [cells for cells in plain.reader(io.StringIO(sample, newline="")) if cells]
        except csv.Error:
            after = re.search(rf"{quote} +({re.escape(mark)}|[\r\n])", sample)
            return after is not None or f"{mark} {quote}" in sample
        return all(cell.startswith(" ") for cells in raw for cell in cells[1:]) or len(raw[0]) != len(records[0])
    # What looks like a quote of another kind around whole cells was not understood.
    last = [cells[-1] for cells in records]
    long = (cell for cells in records for cell in cells if len(cell) > 1)
    wrapped = sum(cell[0] == cell[-1] and cell[0] in "'`\"“”´" for cell in long)
    return wrapped * 10 < len(records) * len(records[0]) and not any(
        all(cell.endswith(end) for cell in last) for end in DELIMITERS
    )


def _quotes(mark: str, quote: str, sample: str) -> bool:
    """Whether an unusual quote opens some cell."""
    return quote in ("", '"') or any(f"{end}{quote}" in sample for end in (mark, "\n", "\r"))


def _quotes_are_signs(records: list[list[str]]) -> bool:
    """Whether quotes are inch marks or stand in pairs inside cells, on several lines, and never around a cell."""
    quoting = [[cell for cell in cells if '"' in cell] for cells in records]
    cells = [cell for cells in quoting for cell in cells]
    sound = all(
        not cell.lstrip().startswith('"')
        and '""' not in cell
        and (cell.count('"') % 2 == 0 or not re.search(r'(?<!\d)"', cell))
        for cell in cells
    )
    return sound and sum(map(bool, quoting)) > 1


def _escapes(sample: str, mark: str, quote: str) -> bool:
    """Whether backslashes escape: on several lines, before special characters only, and no quote is doubled."""
    special = mark + quote
    after = re.findall(r"\\(.)", sample, re.DOTALL)
    doubled = re.search(rf"[^\\{re.escape(special)}\s]{quote}{quote}", sample)
    lines = re.findall(rf"^.*?\\[{re.escape(special)}]", sample, re.MULTILINE)
    return len(lines) > 1 and set(special) & set(after) != set() and set(after) <= {*special, "\\"} and not doubled


def rewrite(text: Text, alternative: Alternative) -> Path | None:
    """A copy of a file with usual quotes and a usual delimiter, line for line; None where its quotes are wrong."""
    if text.path.stat().st_size > _LARGEST:
        return None
    target = scratch.new_file(".csv")
    mark = alternative.delimiter if alternative.delimiter in DELIMITERS else ","
    csv.field_size_limit(MIB)
    try:
        with text.path.open("rb") as raw, target.open("w", encoding="utf-8", newline="") as out:
            raw.seek(text.start)
            source = io.TextIOWrapper(raw, encoding="utf-8", newline="")
            csv.writer(out, delimiter=mark, lineterminator="\n").writerows(alternative.reader(source))
    except (csv.Error, UnicodeDecodeError):
        return None
    return target
