"""Files in another dialect than RFC 4180 with a usual delimiter: other quotes, escapes, blanks after delimiters.

They are rewritten, aloud, when exactly one such dialect gives a perfectly regular table. Nothing here is a first
choice: it is tried only on a file that cannot be read, or not wholly, as it stands.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigilance.ingest.readers import scratch
from vigilance.ingest.readers.dialect import DELIMITERS
from vigilance.ingest.readers.encoding import Text
from vigilance.ingest.readers.limits import MIB

_HEAD: Final = 256 * 1024
_LARGEST: Final = 256 * MIB
_UNUSUAL: Final = "^~\x1f\x1e\x01:# =/*!&"
_MARKS: Final = frozenset(DELIMITERS) - {"\t"}
_LEAST: Final = 3
"""Records, the header among them, that a dialect must give before it is believed."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """How the cells of a file are told apart."""

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    blanks: bool = False

    @property
    def cost(self) -> int:
        """How far the dialect is from the usual ones."""
        return (self.delimiter not in DELIMITERS) + (self.quote != '"') + (self.escape is not None) + self.blanks

    def reader(self, lines: Iterator[str] | io.TextIOBase) -> Iterator[list[str]]:
        """The records of some text. Raises ``csv.Error`` where the quotes are wrong."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            doublequote=True,
            skipinitialspace=self.blanks,
            strict=True,
        )


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
    quotes = ['"', *(mark for mark in "'`" if sample.count(mark) > 3)]
    escapes = [None, *(["\\"] if "\\" in sample else [])]
    marks = [mark for mark in (*DELIMITERS, *_UNUSUAL) if mark in sample]
    for mark, quote, escape, blanks in itertools.product(marks, quotes, escapes, (False, True)):
        if (mark, blanks) != (" ", True):
            alternative = Alternative(mark, quote, escape, blanks)
            if alternative.cost:
                yield alternative


def _regular(alternative: Alternative, sample: str) -> list[list[str]] | None:
    """The records of a sample, when they are regular and every unusual feature of the dialect is at work in it."""
    try:
        records = [cells for cells in alternative.reader(io.StringIO(sample, newline="")) if cells]
    except csv.Error:
        return None
    width = len(records[0]) if records else 0
    least = 3 if alternative.delimiter in " :=/&" else 2
    if len(records) < _LEAST or width < least or any(len(cells) != width for cells in records):
        return None
    if any(cell.strip() in _MARKS for cells in records for cell in cells):
        return None
    if any(not cell.strip() or cell.strip()[:1].isdigit() for cell in records[0]):
        return None
    return records if _is_at_work(alternative, sample, records) else None


def _is_at_work(alternative: Alternative, sample: str, records: list[list[str]]) -> bool:
    mark, quote, escape = alternative.delimiter, alternative.quote, alternative.escape
    if quote != '"' and not any(f"{end}{quote}" in sample for end in (mark, "\n", "\r")):
        return False
    if escape and not _escapes(sample, mark + quote):
        return False
    if alternative.blanks:
        plain = Alternative(mark, quote, escape)
        try:
            raw = [cells for cells in plain.reader(io.StringIO(sample, newline="")) if cells]
        except csv.Error:
            return f"{mark} {quote}" in sample
        return all(cell.startswith(" ") for cells in raw for cell in cells[1:]) or len(raw[0]) != len(records[0])
    # What looks like a quote of another kind around whole cells was not understood.
    last = [cells[-1] for cells in records]
    wrapped = sum(cell[:1] == cell[-1:] and cell[:1] in "'`\"“" for cells in records for cell in cells if len(cell) > 1)
    return wrapped * 10 < len(records) * len(records[0]) and not any(
        all(cell.endswith(end) for cell in last) for end in DELIMITERS
    )


def _escapes(sample: str, special: str) -> bool:
    """Whether backslashes escape: on several lines, before special characters only, and no quote is doubled."""
    after = re.findall(r"\\(.)", sample, re.DOTALL)
    doubled = re.search(rf"[^\\{re.escape(special)}\s]{special[1]}{special[1]}", sample)
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
