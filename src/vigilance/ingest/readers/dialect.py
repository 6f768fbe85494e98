"""Which delimiter, and where the header is: tried against the required names, never guessed.

Without required names (``matcher`` None) the cell counts decide, and only when one delimiter alone is consistent.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.records import LINE_END, Record, records
from vigilance.ingest.readers.table import HeaderMatcher, Match

_ = messages("readers")

DELIMITERS: Final = (",", ";", "\t", "|")
_SEP_LINE: Final = re.compile(rb'"?sep=(.)"?(?=\r|\n|\Z)', re.IGNORECASE)
_SAMPLE: Final = 400
"""Records below the header that are looked at to see how lines end and which delimiter is consistent."""
_QUOTE_PAIRS: Final = ("''", "``", "´´", "““", "””", "“”", "„“", "„”", "«»", "‘’", "’’")
_AGREE: Final = 0.8
"""Share of records with the cell count of the header from which a delimiter counts as a candidate."""
_YEAR: Final = re.compile(r"(19|20)\d\d")
_VALUE: Final = re.compile(r"\s*[-+(]?[€$£]?\s*\d[\d\s.,:/%-]*\)?\s*$|\s*(true|false|null|nan|n/a)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table of a text file is. ``width`` counts the cells of a record as they stand in the file.

    ``data_start`` is a byte offset, ``data_line`` the 1-based physical line there. ``extra`` trailing cells of each
    record have no header (a delimiter at the end of each line); ``short`` header cells at the end have no data.
    """

    delimiter: str
    header: list[str]
    header_bytes: bytes
    header_line: int
    data_start: int
    data_line: int
    width: int
    match: Match | None
    preamble: tuple[str, ...]
    trailing: int = 0


@dataclass(frozen=True, slots=True)
class _Fit:
    delimiter: str
    record: Record
    match: Match | None
    above: tuple[Record, ...]
    below: tuple[Record, ...]


def find(
    head: bytes,
    name: str,
    matcher: HeaderMatcher | None,
    limits: Limits,
    delimiter: str | None,
    start: int = 0,
) -> Layout:
    """The layout of the table at the beginning of a file.

    ``head`` is UTF-8; ``start`` skips a byte-order mark. Raises ``InputRefused`` when no delimiter, or more than
    one, gives a header that fits, or when two tables do.
    """
    body, first_line = start, 1
    declared = _SEP_LINE.match(head, start)
    if declared:
        delimiter = delimiter or declared.group(1).decode("latin-1")
        line_end = LINE_END.match(head, declared.end())
        body, first_line = (line_end.end() if line_end else len(head)), 2
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
        raise UsageError(_("a delimiter is one ASCII character, not '{text}'").format(text=delimiter))
    candidates = (delimiter,) if delimiter else DELIMITERS
    parsed = {mark: list(records(head, mark.encode(), limits.preamble + _SAMPLE, body)) for mark in candidates}
    if not any(record.filled or record.cells is None for record in next(iter(parsed.values()))):
        raise InputRefused(_("{file}: the file is empty").format(file=name))
    fit = _by_names(parsed, name, matcher, limits) if matcher else _by_counts(parsed, name)
    _refuse_foreign_quotes(fit, name)
    _refuse_second_delimiter(fit, name)
    _refuse_doubled_delimiter(fit, name)
    layout = _layout(head, fit, name, limits)
    shift = first_line - 1
    return replace(layout, header_line=layout.header_line + shift, data_line=layout.data_line + shift)


def _by_names(parsed: dict[str, list[Record]], name: str, matcher: HeaderMatcher, limits: Limits) -> _Fit:
    fits: list[_Fit] = []
    best: tuple[int, int, Record, Match, str] | None = None
    for rank, (mark, rows) in enumerate(parsed.items()):
        for index, record in enumerate(rows[: limits.preamble]):
            if not record.cells or not record.filled:
                continue
            match = matcher.match(record.cells)
            if not match.missing:
                fits.append(_Fit(mark, record, match, tuple(rows[:index]), tuple(rows[index + 1 :])))
                break
            key = (match.score, -rank)
            if best is None or key > best[:2]:
                best = (*key, record, match, mark)
    if not fits:
        raise _no_header(name, best)
    if len(fits) > 1 and any(len(fit.record.cells or ()) > 1 for fit in fits):
        raise _ambiguous(name, [fit.delimiter for fit in fits])
    fit = _calmest(fits)
    _refuse_second_table(name, fit, matcher)
    return fit


def _calmest(fits: Sequence[_Fit]) -> _Fit:
    """Of fits with the same header, which is then of one column: the one whose delimiter appears least below."""
    return min(fits, key=lambda fit: sum(len(record.cells or "") - 1 for record in fit.below))


def _refuse_second_table(name: str, fit: _Fit, matcher: HeaderMatcher) -> None:
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
            _("{file}: no line can be read as a header").format(file=name),
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


def quoted(names: Sequence[str], limit: int = 12) -> str:
    """Names for a message, each in quotes and cut, at most ``limit`` of them."""
    shown = [f"'{' '.join(name.split())[:40]}'" for name in names[:limit]]
    return ", ".join(shown) + (", ..." if len(names) > limit else "")


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


def _ambiguous(name: str, marks: Sequence[str]) -> InputRefused:
    return InputRefused(
        _("{file}: the delimiter is ambiguous: {marks} all give a table").format(
            file=name, marks=", ".join(repr(mark) for mark in marks)
        ),
        hint=_("say which delimiter the file uses"),
    )


def _by_counts(parsed: dict[str, list[Record]], name: str) -> _Fit:
    perfect: list[tuple[int, str]] = []
    likely: list[tuple[int, str]] = []
    for mark, rows in parsed.items():
        width, share = _agreement(rows)
        if width >= 2 and share >= _AGREE:
            (perfect if share == 1.0 else likely).append((width, mark))
    chosen = perfect or likely
    if not chosen and all(_is_one_column(rows) for rows in parsed.values()):
        chosen = [(1, next(iter(parsed)))]
        _refuse_other_delimiter(next(iter(parsed.values())), name)
    if not chosen:
        chosen = _sole(parsed)
    chosen = _headed(chosen, parsed)
    if len(chosen) > 1 or (chosen == perfect and any(width > perfect[0][0] for width, _mark in likely)):
        raise _ambiguous(name, [mark for _width, mark in perfect + likely])
    if not chosen:
        raise InputRefused(
            _("{file}: no delimiter among comma, semicolon, tab and pipe gives records of one size").format(file=name),
            hint=_("say which delimiter the file uses"),
        )
    fit = _header_by_counts(chosen[0][1], chosen[0][0], parsed[chosen[0][1]], name)
    if fit.above and chosen[0][0] > 1:
        _refuse_header_above(fit, name)
    return fit


def _headed(chosen: list[tuple[int, str]], parsed: dict[str, list[Record]]) -> list[tuple[int, str]]:
    """Of several delimiters, the widest, when the first record has its width and, with the others, not theirs.

    So a decimal comma in every row is no delimiter: there is none in the header.
    """
    tops = {mark: next((r for r in parsed[mark] if r.filled), None) for _width, mark in chosen}
    fitting = [(width, mark) for width, mark in chosen if (top := tops[mark]) and len(top.cells or ()) == width]
    widest = max(chosen, default=(0, ""))
    alone = fitting == [widest] and all(width < widest[0] for width, mark in chosen if mark != widest[1])
    return fitting if alone else chosen


def _sole(parsed: dict[str, list[Record]]) -> list[tuple[int, str]]:
    """The one delimiter that occurs at all, when the first record and half of the others have the same width."""
    used = {mark: rows for mark, rows in parsed.items() if any(len(record.cells or ()) > 1 for record in rows)}
    if len(used) != 1:
        return []
    mark, rows = next(iter(used.items()))
    width, share = _agreement(rows)
    first = next((record for record in rows if record.filled), None)
    fits = first is not None and len(first.cells or ()) == width >= 2 and share >= 0.5
    return [(width, mark)] if fits else []


def _is_one_column(rows: Sequence[Record]) -> bool:
    """Whether no record has two cells and nearly all can be read."""
    malformed = sum(record.cells is None for record in rows)
    return malformed * 5 <= len(rows) and all(len(record.cells or ()) <= 1 for record in rows)


def _refuse_header_above(fit: _Fit, name: str) -> None:
    """Refuse a table whose would-be title shares a mark with all records, at least as often as their delimiter.

    A decimal comma in every record of a file with an unusual delimiter looks like a delimiter; its true header, which
    holds no number, then looks like a title.
    """
    title = next((" ".join(record.filled) for record in fit.above if record.filled), "")
    texts = [fit.delimiter.join(record.cells) for record in (fit.record, *fit.below) if record.cells]
    for mark in dict.fromkeys(char for char in title if not char.isalnum() and char not in fit.delimiter):
        times = title.count(mark)
        if times >= len(fit.record.cells or ()) - 1 and all(text.count(mark) == times for text in texts):
            raise _ambiguous(name, [mark, fit.delimiter])


def _refuse_other_delimiter(rows: Sequence[Record], name: str) -> None:
    """Refuse a file of one column whose header and lines share a mark: it may well stand between cells.

    Such marks are the usual delimiters inside the only cell (a wrong declaration, or a line in quotes), any sign that
    is neither letter nor digit, and a blank where all lines have the same number of words.
    """
    texts = [record.cells[0].strip() for record in rows if record.cells and record.filled]
    if len(texts) < 2:
        return
    for mark in dict.fromkeys(char for char in texts[0] if not char.isalnum()):
        shared = sum(mark in text for text in texts)
        words = {len(text.split()) for text in texts}
        if shared == len(texts) if mark.isspace() else shared >= _AGREE * len(texts):
            if mark == " " and len(words) > 1 and not any('" ' in text or ' "' in text for text in texts):
                continue
            raise _ambiguous(name, [mark, *(other for other in DELIMITERS if other != mark)])


def _agreement(rows: Sequence[Record]) -> tuple[int, float]:
    """The usual number of cells, and the share of non-blank records that have it."""
    counts = [len(record.cells) if record.cells else 0 for record in rows if record.filled or not record.cells]
    if not counts:
        return 0, 0.0
    width, times = Counter(counts).most_common(1)[0]
    return width, times / len(counts)


def _header_by_counts(mark: str, width: int, rows: Sequence[Record], name: str) -> _Fit:
    trailing = all(not (r.cells or ("",))[-1].strip() for r in rows if len(r.cells or ()) == width)
    for index, record in enumerate(rows):
        fits = record.cells and len(record.cells) in ((width - 1, width) if trailing else (width,))
        if fits and len(record.filled) * 2 > width:
            if not _reads_like_names(record, rows[index + 1 :]):
                raise InputRefused(
                    _("{file}, line {line}: values where the column names should be: {found}").format(
                        file=name, line=record.line, found=quoted([cell.strip() for cell in record.filled])
                    ),
                    hint=_("the first line must hold the column names"),
                )
            return _Fit(mark, record, None, tuple(rows[:index]), tuple(rows[index + 1 :]))
    raise _no_header(name, None)


def _refuse_foreign_quotes(fit: _Fit, name: str) -> None:
    """Refuse a file that puts cells between apostrophes and the like: they would become part of the values."""
    lines = [record for record in (fit.record, *fit.below) if any(map(_is_wrapped, record.cells or ()))]
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


def _refuse_second_delimiter(fit: _Fit, name: str) -> None:
    """Refuse a file whose lines all end in another delimiter than the one between cells."""
    lasts = [record.cells[-1].rstrip() for record in (fit.record, *fit.below) if record.cells and record.filled]
    for mark in DELIMITERS:
        if mark != fit.delimiter and len(lasts) > 1 and all(last.endswith(mark) for last in lasts):
            raise _ambiguous(name, [fit.delimiter, mark])


def _reads_like_names(record: Record, below: Sequence[Record]) -> bool:
    """Whether a record may be a header: few of its cells are numbers (years apart), and it differs from the next."""
    cells = [cell.strip() for cell in record.cells or ()]
    values = [bool(_VALUE.match(cell)) and not _YEAR.fullmatch(cell) for cell in cells]
    if sum(values) * 2 > sum(1 for cell in cells if cell):
        return False
    following = next((other.cells for other in below if other.cells and other.filled), None)
    return not (any(values) and following and values == [bool(_VALUE.match(cell.strip())) for cell in following])


def _refuse_doubled_delimiter(fit: _Fit, name: str) -> None:
    """Refuse a delimiter of two characters: every second cell of every record would be empty."""
    shapes = [record.cells for record in (fit.record, *fit.below) if record.cells and record.filled]
    doubled = sum(1 for cells in shapes if len(cells) % 2 and not any(cells[1::2]))
    if len(shapes[0]) > 2 and not any(shapes[0][1::2]) and doubled >= _AGREE * len(shapes):
        raise InputRefused(
            _("{file}: the delimiter seems to be '{mark}', two characters").format(file=name, mark=fit.delimiter * 2),
            hint=_("export the file with one character between cells"),
        )


def _layout(head: bytes, fit: _Fit, name: str, limits: Limits) -> Layout:
    record, cells = fit.record, list(fit.record.cells or ())
    if record.end - record.start > limits.header:
        raise InputRefused(_("{file}: the header is longer than {limit} bytes").format(file=name, limit=limits.header))
    if len(cells) > limits.columns:
        raise InputRefused(
            _("{file}: {count} columns, over the limit of {limit}").format(
                file=name, count=len(cells), limit=limits.columns
            )
        )
    lines = len(LINE_END.findall(head, record.start, record.after))
    trailing = _trailing(cells, fit.below)
    kept = cells[: len(cells) + trailing] if trailing < 0 else cells
    return Layout(
        delimiter=fit.delimiter,
        header=kept,
        header_bytes=head[record.start : record.end],
        header_line=record.line,
        data_start=record.after,
        data_line=record.line + max(lines, 1),
        width=len(cells) + trailing,
        match=fit.match,
        preamble=tuple(
            head[above.start : above.end].decode("utf-8", "replace") for above in fit.above if above.end > above.start
        ),
        trailing=trailing,
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
