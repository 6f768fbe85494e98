"""Which delimiter makes a table of a text file, when no column is known: the numbers of cells decide.

One delimiter alone must give records of one size; where several do, the header or the values must tell which of them
merely stands inside cells. What is left open is refused, never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.heading import locate
from vigilance.ingest.readers.layouts import DELIMITERS, Fit, ambiguous
from vigilance.ingest.readers.records import Record

_ = messages("readers")

AGREE: Final = 0.8
"""Share of records with the usual number of cells from which a delimiter counts as a candidate."""
_IN_WORDS: Final = "-._'@+()\\"
"""Signs that stand in names, numbers, dates and addresses, and between cells of no file that is known."""
_WHOLE: Final = re.compile(r"\S*\.\w+|\S+://\S+|\d{1,2}/\d{1,2}/(\d\d){1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}:\d\d(:\d\d)?")
"""Paths, links, dates and times, of which no slash or colon parts cells."""
_CLEAN: Final = 0.98
_WELL_BELOW: Final = 0.9
"""How much smaller the share of clean cells of other delimiters must be for one to be certain."""
_TYPED: Final = re.compile(
    r"[-+]?\d[\d  .,']*%?|[-+]?\d+([.,]\d+)?[eE][-+]?\d+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d.*)?|https?://\S+"
    r"|-?\d{1,3}\.\d+, ?-?\d{1,3}\.\d+"
)


def by_counts(parsed: dict[str, list[Record]], name: str, *, headless: bool = False) -> Fit:
    """The delimiter and the header of a table. ``parsed`` holds the records of the head under each delimiter.

    Raises ``InputRefused`` when none or more than one delimiter fits, and as ``heading.locate`` does.
    """
    perfect: list[tuple[int, str]] = []
    likely: list[tuple[int, str]] = []
    for mark, rows in parsed.items():
        width, share = _agreement(rows)
        if width >= 2 and share >= AGREE:
            (perfect if share == 1.0 else likely).append((width, mark))
    chosen = perfect or likely
    if not chosen and all(_is_one_column(rows) for rows in parsed.values()):
        chosen = [(1, next(iter(parsed)))]
        _refuse_other_delimiter(next(iter(parsed.values())), name)
    if not chosen:
        chosen = _sole(parsed)
    rivals = [pair for pair in likely if chosen == perfect and perfect and pair[0] > perfect[0][0]]
    chosen = _cleanest(_headed(chosen, parsed), rivals, parsed)
    if len(chosen) > 1:
        raise ambiguous(name, _first_line(next(iter(parsed.values()))), [mark for _width, mark in perfect + likely])
    if not chosen:
        raise _no_delimiter(name, parsed)
    fit = locate(chosen[0][1], chosen[0][0], parsed[chosen[0][1]], name, headless=headless, declared=len(parsed) == 1)
    if fit.above and chosen[0][0] > 1:
        _refuse_header_above(fit, name)
    return fit


def _first_line(rows: Sequence[Record]) -> int:
    return next((record.line for record in rows if record.filled or record.cells is None), 1)


def _no_delimiter(name: str, parsed: dict[str, list[Record]]) -> InputRefused:
    """The refusal of a file in which no delimiter is consistent, with the line that breaks the best of them."""
    several = {mark: _agreement(rows) for mark, rows in parsed.items()}
    best = max(several, key=lambda mark: (several[mark][0] > 1, several[mark][1]))
    width = several[best][0]
    odd = next((r for r in parsed[best] if (r.filled or r.cells is None) and len(r.cells or ()) != width), None)
    return InputRefused(
        _("{file}, line {line}: no delimiter among comma, semicolon, tab and pipe gives records of one size").format(
            file=name, line=odd.line if odd else _first_line(parsed[best])
        ),
        hint=_("with {mark}, most lines have {width} cells and this one has not; mend it, or say which delimiter it is")
        .format(mark=repr(best), width=width)
        if width > 1
        else _("say which delimiter the file uses"),
    )  # fmt: skip


def _headed(chosen: list[tuple[int, str]], parsed: dict[str, list[Record]]) -> list[tuple[int, str]]:
    """Of several delimiters, the widest, when the first record has its width and, with the others, not theirs.

    So a decimal comma in every row is no delimiter: there is none in the header.
    """
    tops = {mark: next((r for r in parsed[mark] if r.filled), None) for _width, mark in chosen}
    fitting = [(width, mark) for width, mark in chosen if (top := tops[mark]) and len(top.cells or ()) == width]
    widest = max(chosen, default=(0, ""))
    alone = fitting == [widest] and all(width < widest[0] for width, mark in chosen if mark != widest[1])
    return fitting if alone else chosen


def _cleanest(
    chosen: list[tuple[int, str]], rivals: list[tuple[int, str]], parsed: dict[str, list[Record]]
) -> list[tuple[int, str]]:
    """Of several delimiters, the one under which no cell holds another of them as a delimiter would stand.

    Under any other, many cells must: decimal commas in each record give as many cells as the true delimiter.
    ``rivals`` fit less well than the ``chosen``, but can only be left out of account on the same ground.
    """
    pool = [*chosen, *rivals]
    if len(pool) < 2:
        return pool
    marks = [mark for _width, mark in pool]
    shares = {mark: _clean_share(parsed[mark], [other for other in marks if other != mark]) for mark in marks}
    best = max(shares, key=lambda mark: shares[mark])
    alone = all(share < _WELL_BELOW * shares[best] for mark, share in shares.items() if mark != best)
    return [pair for pair in chosen if pair[1] == best] if shares[best] >= _CLEAN and alone else pool


def _clean_share(rows: Sequence[Record], others: Sequence[str]) -> float:
    """The share of cells without another delimiter, but for numbers, dates, links and signs of a sentence."""
    cells = [cell.strip() for record in rows for cell in record.cells or () if cell.strip()]
    clean = sum(_TYPED.fullmatch(cell) is not None or not any(_parts(cell, mark) for mark in others) for cell in cells)
    return clean / len(cells) if cells else 0.0


def _parts(cell: str, mark: str) -> bool:
    """Whether a mark stands in a cell otherwise than in a sentence, where a blank or nothing follows."""
    return mark in (cell if mark == "\t" else cell.replace(mark + " ", "").removesuffix(mark))


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


def _refuse_header_above(fit: Fit, name: str) -> None:
    """Refuse a table whose would-be title shares a mark with all records, at least as often as their delimiter.

    A decimal comma in every record of a file with an unusual delimiter looks like a delimiter; its true header, which
    holds no number, then looks like a title.
    """
    title = next((" ".join(record.filled) for record in fit.above if record.filled), "")
    texts = [fit.delimiter.join(record.cells) for record in (fit.record, *fit.below) if record.cells]
    for mark in dict.fromkeys(char for char in title if not char.isalnum() and char not in fit.delimiter):
        times = title.count(mark)
        if times >= len(fit.record.cells or ()) - 1 and all(text.count(mark) == times for text in texts):
            raise ambiguous(name, fit.above[0].line, [mark, fit.delimiter])


def _refuse_other_delimiter(rows: Sequence[Record], name: str) -> None:
    """Refuse a file of one column whose header and lines share a mark: it may well stand between cells.

    Such marks are the usual delimiters inside the only cell (a wrong declaration, or a line in quotes), any sign that
    is neither letter nor digit, and a blank where all lines have the same number of words.
    """
    texts = [record.cells[0].strip() for record in rows if record.cells and record.filled]
    if len(texts) < 2:
        return
    for mark in dict.fromkeys(char for char in texts[0] if not char.isalnum() and char not in _IN_WORDS):
        if mark in "/:" and all(map(_WHOLE.fullmatch, texts[1:])):
            continue
        shared = sum(mark in text for text in texts)
        words = {len(text.split()) for text in texts}
        if shared == len(texts) if mark.isspace() else shared >= AGREE * len(texts):
            if mark == " " and len(words) > 1 and not any('" ' in text or ' "' in text for text in texts):
                continue
            raise ambiguous(name, _first_line(rows), [mark, *(other for other in DELIMITERS if other != mark)])


def _agreement(rows: Sequence[Record]) -> tuple[int, float]:
    """The usual number of cells, and the share of the records that have it.

    Blank lines and comments do not count, nor do titles and notes, which are single cells without any delimiter above
    and below, unless they are most of the file.
    """
    records = [r for r in rows if (r.filled or not r.cells) and not _is_comment(r)]
    places = [place for place, record in enumerate(records) if not _is_plain(record)]
    table = records[places[0] : places[-1] + 1] if places else []
    if len(table) * 2 > len(records):
        records = table
    counts = [len(record.cells) if record.cells else 0 for record in records]
    if not counts:
        return 0, 0.0
    width, times = Counter(counts).most_common(1)[0]
    return width, times / len(counts)


def _is_plain(record: Record) -> bool:
    """Whether a record is one cell in which no delimiter stands."""
    text = "".join(record.filled)
    return record.cells is not None and len(record.filled) < 2 and not any(mark in text for mark in DELIMITERS)


def _is_comment(record: Record) -> bool:
    return len(record.filled) == 1 and record.filled[0].startswith("#")
