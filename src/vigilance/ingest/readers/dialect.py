"""Which delimiter, and where the header is: tried against the required names, never guessed.

Without required names (``matcher`` None) the cell counts decide, and only when one delimiter alone is consistent.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.ingest.readers.consistency import AGREE, by_counts
from vigilance.ingest.readers.layouts import DELIMITERS, Fit, Layout, Lost, ambiguous, quoted
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.records import LINE_END, Record, records
from vigilance.ingest.readers.table import HeaderMatcher, Match

_ = messages("readers")

_SEP_LINE: Final = re.compile(rb'"?sep=(.)"?(?=\r|\n|\Z)', re.IGNORECASE)
_SAMPLE: Final = 400
"""Records below the header that are looked at to see how lines end and which delimiter is consistent."""
_QUOTE_PAIRS: Final = ("''", "``", "´´", "““", "””", "“”", "„“", "„”", "«»", "‘’", "’’")


def find(
    head: bytes,
    name: str,
    matcher: HeaderMatcher | None,
    limits: Limits,
    delimiter: str | None,
    start: int = 0,
    *,
    headless: bool = False,
) -> Layout:
    """The layout of the table at the beginning of a file.

    ``head`` is UTF-8; ``start`` skips a byte-order mark; ``headless`` says that no line names the columns. Raises
    ``InputRefused`` when no delimiter, or more than one, gives a header that fits, or when two tables do.
    """
    body, first_line = start, 1
    declared = _SEP_LINE.match(head, start)
    by_caller, by_file = delimiter is not None, delimiter is None and declared is not None
    if declared:
        delimiter = delimiter or declared.group(1).decode("latin-1")
        line_end = LINE_END.match(head, declared.end())
        body, first_line = (line_end.end() if line_end else len(head)), 2
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
        raise UsageError(_("a delimiter is one ASCII character, not '{text}'").format(text=delimiter))
    sample = _Sample(head, name, matcher, limits, body, first_line, by_caller)
    try:
        return sample.layout((delimiter,) if delimiter else DELIMITERS, headless=headless)
    except InputRefused:
        # A first line that names a delimiter may have been carried over from another export.
        found = sample.without_word(delimiter) if by_file and delimiter else None
        if found is None:
            raise
        return found


@dataclass(frozen=True, slots=True)
class _Sample:
    """The head of a file, from byte ``body`` on line ``line``, and what is sought in it.

    ``said``: it is the caller who names the delimiter.
    """

    head: bytes
    name: str
    matcher: HeaderMatcher | None
    limits: Limits
    body: int
    line: int
    said: bool

    def layout(self, marks: Sequence[str], *, headless: bool) -> Layout:
        """The layout under one of some delimiters. Raises ``InputRefused`` when none, or more than one, fits."""
        most = self.limits.preamble + _SAMPLE
        parsed = {mark: list(records(self.head, mark.encode(), most, self.body, self.line)) for mark in marks}
        if not any(record.filled or record.cells is None for record in next(iter(parsed.values()))):
            raise InputRefused(_("{file}: the file is empty").format(file=self.name))
        fit = (
            _by_names(parsed, self.name, self.matcher, self.limits)
            if self.matcher
            else by_counts(parsed, self.name, headless=headless)
        )
        _refuse_foreign_quotes(fit, self.name)
        _refuse_second_delimiter(fit, self.name, said=self.said)
        _refuse_doubled_delimiter(fit, self.name)
        return _layout(self.head, fit, self.name, self.limits)

    def without_word(self, declared: str) -> Layout | None:
        """The layout under the one delimiter that the file itself shows, where it is another than ``declared``."""
        try:
            found = self.layout(DELIMITERS, headless=False)
        except InputRefused:
            return None
        plain = found.width > 1 and not (found.headless or found.mended)
        return replace(found, declared=declared) if plain and found.delimiter != declared else None


def _by_names(parsed: dict[str, list[Record]], name: str, matcher: HeaderMatcher, limits: Limits) -> Fit:
    fits: list[Fit] = []
    best: tuple[int, int, Record, Match, str] | None = None
    for rank, (mark, rows) in enumerate(parsed.items()):
        for index, record in enumerate(rows[: limits.preamble]):
            if not record.cells or not record.filled:
                continue
            match = matcher.match(record.cells)
            if not match.missing:
                fits.append(Fit(mark, record, match, tuple(rows[:index]), tuple(rows[index + 1 :])))
                break
            key = (match.score, -rank)
            if best is None or key > best[:2]:
                best = (*key, record, match, mark)
    if not fits:
        raise _no_header(name, best)
    if len(fits) > 1 and any(len(fit.record.cells or ()) > 1 for fit in fits):
        raise ambiguous(name, fits[0].record.line, [fit.delimiter for fit in fits])
    fit = _calmest(fits)
    _refuse_second_table(name, fit, matcher)
    return fit


def _calmest(fits: Sequence[Fit]) -> Fit:
    """Of fits with the same header, which is then of one column: the one whose delimiter appears least below."""
    return min(fits, key=lambda fit: sum(len(record.cells or "") - 1 for record in fit.below))


def _refuse_second_table(name: str, fit: Fit, matcher: HeaderMatcher) -> None:
    for record in fit.below:
        if record.cells and record.cells != fit.record.cells and not matcher.match(record.cells).missing:
            raise two_tables(name, fit.record.line, record.line)


def two_tables(name: str, first: int, second: int) -> InputRefused:
    """The refusal of a file with two headers that fit."""
    return InputRefused(
        _("{file}: two tables fit: one has its header on line {first}, another on line {second}").format(
            file=name, first=first, second=second
        ),
        hint=_("keep one table per file"),
    )


def _no_header(name: str, best: tuple[int, int, Record, Match, str] | None) -> InputRefused:
    if best is None:
        return InputRefused(
            _("{file}, line {line}: no line can be read as a header").format(file=name, line=1),
            hint=_("the first line must hold the column names"),
        )
    _score, _rank, record, match, _mark = best
    found = record.filled
    return InputRefused(
        _("{file}: no header with {missing}; line {line} has: {found}").format(
            file=name, missing=quoted(match.missing), line=record.line, found=quoted(found)
        ),
        hint=nearest(match.missing, found),
    )


def nearest(missing: Sequence[str], found: Sequence[str]) -> str:
    """A hint with the found names that look like the missing ones."""
    folded = {name.strip().casefold(): name for name in found}
    close = {
        want: near[0]
        for want in missing
        if (near := difflib.get_close_matches(want.casefold(), list(folded)[:200], n=1, cutoff=0.5))
    }
    if not close:
        return _("name the columns as asked, or say which header stands for which column")
    pairs = ", ".join(f"'{want}': '{folded[near].strip()[:40]}'" for want, near in close.items())
    return _("nearest names: {pairs}").format(pairs=pairs)


def _refuse_foreign_quotes(fit: Fit, name: str) -> None:
    """Refuse a file that puts cells between apostrophes and the like: they would become part of the values."""
    records = (fit.record, *fit.below)
    wrapped = [cell for record in records for cell in record.cells or () if _is_wrapped(cell)]
    if any(fit.delimiter in cell for cell in wrapped):
        return  # quotes stand around them; the other marks are text
    lines = [record for record in records if any(map(_is_wrapped, record.cells or ()))]
    if len(lines) > 1 and len(lines) * 10 >= len(fit.below):
        raise InputRefused(
            _("{file}, line {line}: cells between apostrophes or other marks instead of quotes").format(
                file=name, line=lines[0].line
            ),
            hint=_('export the file with double quotes (") around cells, or with none'),
        )


def _is_wrapped(cell: str) -> bool:
    plain = cell.strip()
    return len(plain) > 1 and plain[0] + plain[-1] in _QUOTE_PAIRS


def _refuse_second_delimiter(fit: Fit, name: str, *, said: bool) -> None:
    """Refuse a file whose lines, nearly all, end in another delimiter than the one between cells.

    Below a header that does not end so, it belongs to the values if the caller ``said`` what parts the cells.
    """
    lasts = [record.cells[-1].rstrip() for record in (fit.record, *fit.below) if record.cells and record.filled]
    for mark in DELIMITERS:
        ending = sum(last.endswith(mark) for last in lasts)
        of_values = said and not lasts[0].endswith(mark)
        if mark != fit.delimiter and len(lasts) > 1 and ending >= AGREE * len(lasts) and not of_values:
            raise ambiguous(name, fit.record.line, [fit.delimiter, mark])


def _refuse_doubled_delimiter(fit: Fit, name: str) -> None:
    """Refuse a delimiter of two characters: every second cell of every record would be empty."""
    shapes = [record.cells for record in (fit.record, *fit.below) if record.cells and record.filled]
    doubled = sum(1 for cells in shapes if len(cells) % 2 and not any(cells[1::2]))
    if len(shapes[0]) > 2 and not any(shapes[0][1::2]) and doubled >= AGREE * len(shapes):
        raise InputRefused(
            _("{file}, line {line}: the delimiter seems to be '{mark}', two characters").format(
                file=name, line=fit.record.line, mark=fit.delimiter * 2
            ),
            hint=_("export the file with one character between cells"),
        )


def _layout(head: bytes, fit: Fit, name: str, limits: Limits) -> Layout:
    record, cells = fit.record, list(fit.names or fit.record.cells or ())
    if record.end - record.start > limits.header and not fit.headless:
        raise InputRefused(_("{file}: the header is longer than {limit} bytes").format(file=name, limit=limits.header))
    if len(cells) > limits.columns:
        raise InputRefused(
            _("{file}: {count} columns, over the limit of {limit}").format(
                file=name, count=len(cells), limit=limits.columns
            )
        )
    titles = (
        head[above.start : above.end].decode("utf-8", "replace") for above in fit.above if above.end > above.start
    )
    preamble = tuple(titles)
    if fit.headless:
        return _headless_layout(head, fit, preamble)
    lines = len(LINE_END.findall(head, record.start, record.after))
    trailing = _trailing(cells, fit.below)
    return Layout(
        delimiter=fit.delimiter,
        header=cells[: len(cells) + trailing] if trailing < 0 else cells,
        header_bytes=head[record.start : record.end],
        header_line=record.line,
        data_start=record.after,
        data_line=record.line + max(lines, 1),
        width=len(cells) + trailing,
        match=fit.match,
        preamble=preamble,
        trailing=trailing,
        mended=bool(fit.names),
    )


def _headless_layout(head: bytes, fit: Fit, preamble: tuple[str, ...]) -> Layout:
    """The layout of a table whose first row is data; its columns are named by their places."""
    record, cells, lost = fit.record, list(fit.record.cells or ()), fit.lost
    header = [f"column {place}" for place in range(1, len(cells) + 1)]
    if not any(below.cells[-1].strip() for below in fit.below if below.cells and len(below.cells) == len(cells)):
        header[-1] = ""  # the delimiter at the end of each line, not a column
    content = head[lost.start : lost.end] if lost else b""
    return Layout(
        delimiter=fit.delimiter,
        header=header,
        # No line of text is a NUL: without a header, none is repeated.
        header_bytes=content or b"\0",
        header_line=lost.line if lost else record.line,
        data_start=record.start,
        data_line=record.line,
        width=len(cells),
        match=None,
        preamble=preamble,
        headless=True,
        lost=Lost(lost.line, content, len(lost.cells or ())) if lost else None,
    )


def _trailing(header: Sequence[str], below: Sequence[Record]) -> int:
    """1 when every record ends in a delimiter that the header lacks, -1 when only the header has one, else 0."""
    shapes = [record.cells for record in below if record.cells and record.filled]
    if not shapes:
        return 0
    if all(len(cells) == len(header) + 1 and not cells[-1].strip() for cells in shapes):
        return 1
    if len(header) > 1 and not header[-1].strip() and all(len(cells) == len(header) - 1 for cells in shapes):
        return -1
    return 0
