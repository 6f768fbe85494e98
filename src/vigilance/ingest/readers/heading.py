"""Where the header of a table is when no column is known: what reads like names above what reads like values.

A line above the first whole record may be a title, or a header that lost or gained a cell. Only the values tell: when
the first whole record looks like those below it, it is data, and the line above was the header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.layouts import DELIMITERS, Fit, header_missing
from vigilance.ingest.readers.records import Record

_ = messages("readers")

_LEAST: Final = 4
"""Values below from which a column can have a form."""
_FORMS: Final = 6
_COVERED: Final = 0.9
"""Share of the values of a column that its frequent forms must cover."""
_YEAR: Final = re.compile(r"(19|20)\d\d")
_VALUE: Final = re.compile(r"\s*[-+(]?[€$£]?\s*\d[\d\s.,:/%-]*\)?\s*$|\s*(true|false|null|nan|n/a)\s*$", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+(]?[€$£]?\s?\d[\d\s.,']*\)?\s?[%€$£]?|[-+]?\d+(\.\d+)?[eE][-+]?\d+")
_THOUSANDS: Final = re.compile(r"[-+]?\d{1,3}( \d{3})+([.,]\d+)?")
_WHOLE: Final = re.compile(r"[-+]?\d+|[-+]?\d{1,3}( \d{3})+")
_FRACTION: Final = re.compile(r"\d{1,3}( ?[%€$£])?")
_BLANKS: Final = re.compile(r"[-+]?[\d.,]+( [-+]?[\d.,]+)+")


def locate(
    mark: str, width: int, rows: Sequence[Record], name: str, *, headless: bool = False, declared: bool = False
) -> Fit:
    """The header among the records of a head, the usual number of cells being ``width``.

    ``headless`` takes the first whole record for data whatever it looks like; a ``declared`` delimiter was not compared
    with others. Raises ``HeaderMissing`` when it is
    data and ``headless`` was not asked for, ``InputRefused`` when its nature cannot be told.
    """
    index = _first_whole(rows, width)
    if index is None:
        raise InputRefused(
            _("{file}, line {line}: no line can be read as a header").format(file=name, line=rows[0].line),
            hint=_("the first line must hold the column names"),
        )
    record, below = rows[index], rows[index + 1 :]
    above = rows[index - 1] if index else None
    suspect = above if above is not None and _is_wide(above, mark, width) else None
    if headless:
        fit = _without_header(mark, width, rows, index, suspect)
        _refuse_several_in_one(fit, width, name, [other for other in DELIMITERS if declared and other != mark])
        _refuse_decimal_commas(fit, width, name)
        return fit
    if suspect is None:
        if not _reads_like_names(record, below):
            raise header_missing(name, record.line, [cell.strip() for cell in record.filled])
        return Fit(mark, record, None, tuple(rows[:index]), tuple(below))
    alike = True if not _reads_like_names(record, below) else _resembles(record, below, width)
    names = _in_another_delimiter(suspect, mark, width)
    if alike is not False and names:
        return Fit(mark, suspect, None, tuple(rows[: index - 1]), tuple(rows[index:]), names=names)
    if alike is not False and len(suspect.cells or ()) == width and (alike or _is_first(suspect, rows)):
        return Fit(mark, suspect, None, tuple(rows[: index - 1]), tuple(rows[index:]))
    if alike:
        raise header_missing(name, record.line, [cell.strip() for cell in record.filled])
    if alike is None:
        raise InputRefused(
            _("{file}, line {line}: {cells} cells where the lines below have {width}; it may be a title or the header")
            .format(file=name, line=suspect.line, cells=len(suspect.cells or ()), width=width),
            hint=_("mend the line of column names, or remove the lines above it"),
        )  # fmt: skip
    return Fit(mark, record, None, tuple(rows[:index]), tuple(below))


def _is_first(record: Record, rows: Sequence[Record]) -> bool:
    """Whether a line is the first of the file and its first cell is filled: a header with gaps, or over two lines."""
    return record is rows[0] and bool(record.cells and record.cells[0].strip())


def _first_whole(rows: Sequence[Record], width: int) -> int | None:
    """The first record of the right number of cells of which more than half are filled."""
    trailing = all(not (r.cells or ("",))[-1].strip() for r in rows if len(r.cells or ()) == width)
    widths = (width - 1, width) if trailing else (width,)
    fitting = (
        index
        for index, record in enumerate(rows)
        if record.cells and len(record.cells) in widths and len(record.filled) * 2 > width
    )
    return next(fitting, None)


def _is_wide(record: Record, mark: str, width: int) -> bool:
    """Whether a line has so many cells that it may be a damaged record: more than a title has."""
    if record.cells is None:
        return True
    if len(record.filled) < 2:
        text = record.cells[0]
        return any(other != mark and text.count(other) * 2 >= width > 1 for other in DELIMITERS)
    return len(record.cells) * 2 > width


def _in_another_delimiter(record: Record, mark: str, width: int) -> tuple[str, ...]:
    """The cells of a line that another delimiter parts as the lines below are parted; none if none does."""
    if width < 3 or record.cells is None or len(record.cells) != 1:
        return ()
    for other in DELIMITERS:
        cells = tuple(cell.strip() for cell in record.cells[0].split(other))
        whole = len(cells) == width and all(cells) and '"' not in record.cells[0]
        if other != mark and whole and not any(_VALUE.match(cell) for cell in cells):
            return cells
    return ()


def _without_header(mark: str, width: int, rows: Sequence[Record], index: int, suspect: Record | None) -> Fit:
    """All whole records are data; the line above them is the lost header, if it is no title."""
    first = index
    while first and len(rows[first - 1].cells or ()) == width and len(rows[first - 1].filled) > 1:
        first -= 1
    lost = suspect if first == index else None
    data = rows[first:]
    above = rows[: first - 1] if lost else rows[:first]
    return Fit(mark, data[0], None, tuple(above), tuple(data), headless=True, lost=lost)


def _refuse_several_in_one(fit: Fit, width: int, name: str, others: Sequence[str]) -> None:
    """Refuse a table without names in which another delimiter, or a blank between numbers, may part cells too."""
    shapes = [record.cells for record in fit.below if record.cells and len(record.cells) == width]
    for column in zip(*shapes, strict=True):
        if sum(_may_be_several(cell.strip(), others) for cell in column) * 2 > len(column):
            raise InputRefused(
                _(
                    "{file}, line {line}: no column names, and cells that may be several: the delimiter is ambiguous"
                ).format(file=name, line=fit.record.line),
                hint=_("say which delimiter the file uses"),
            )


def _refuse_decimal_commas(fit: Fit, width: int, name: str) -> None:
    """Refuse a header with fewer cells than the lines below where decimal commas may have made the others."""
    missing = width - len(fit.lost.cells or ()) if fit.lost and fit.lost.cells and fit.delimiter == "," else 0
    shapes = [record.cells for record in fit.below if record.cells and len(record.cells) == width]
    columns = [[cell.strip() for cell in column] for column in zip(*shapes, strict=True)]
    halves = sum(all(map(_WHOLE.fullmatch, a)) and all(map(_FRACTION.fullmatch, b)) for a, b in pairwise(columns))
    if 0 < missing <= halves and fit.lost:
        raise InputRefused(
            _("{file}, line {line}: {cells} names for {width} cells; commas may be decimal marks here").format(
                file=name, line=fit.lost.line, cells=len(fit.lost.cells or ()), width=width
            ),
            hint=_("put quotes around numbers with a decimal comma, or use another delimiter"),
        )


def _may_be_several(cell: str, others: Sequence[str]) -> bool:
    """Whether a value is numbers with blanks between them, or holds another delimiter and is no number."""
    if _BLANKS.fullmatch(cell) and not _THOUSANDS.fullmatch(cell):
        return True
    return any(other in cell for other in others) and not _NUMBER.fullmatch(cell)


def _reads_like_names(record: Record, below: Sequence[Record]) -> bool:
    """Whether a record may be a header: few of its cells are numbers (years apart), and it differs from the next."""
    cells = [cell.strip() for cell in record.cells or ()]
    shapes = [other.cells for other in below if other.cells and len(other.cells) == len(cells)]
    columns = list(zip(*shapes, strict=True)) or [()] * len(cells)
    # A year is a name, but not above years alone.
    values = [
        bool(_VALUE.match(cell)) and not (_YEAR.fullmatch(cell) and not _are_years(column))
        for cell, column in zip(cells, columns, strict=True)
    ]
    if sum(values) * 2 > sum(1 for cell in cells if cell):
        return False
    following = next((other.cells for other in below if other.cells and other.filled), None)
    return not (any(values) and following and values == [bool(_VALUE.match(cell.strip())) for cell in following])


def _are_years(column: Sequence[str]) -> bool:
    values = [cell.strip() for cell in column if cell.strip()]
    return bool(values) and all(map(_YEAR.fullmatch, values))


def _form(cell: str) -> str:
    """What a value looks like: ``N`` for a number, else its digits and letters each as one sign."""
    text = cell.strip()[:200]
    return "N" if _NUMBER.fullmatch(text) else re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))


def _resembles(record: Record, below: Sequence[Record], width: int) -> bool | None:
    """Whether a record looks like those below it, in the columns that have a form; None where none has, or half do."""
    shapes = [other.cells for other in below if other.cells and len(other.cells) == width]
    fits = breaks = 0
    for cell, column in zip(record.cells or (), zip(*shapes, strict=True), strict=False):
        values = [value.strip() for value in column if value.strip()]
        forms = Counter(map(_form, values)).most_common(_FORMS)
        covered = sum(times for _form_, times in forms) >= _COVERED * len(values)
        if not cell.strip() or len(values) < _LEAST or not covered or any("9" not in f and f != "N" for f, _n in forms):
            continue
        like = _form(cell) in {form for form, _times in forms}
        year = _YEAR.fullmatch(cell.strip()) and not all(map(_YEAR.fullmatch, values))
        fits, breaks = fits + (like and not year), breaks + (not like or bool(year))
    return None if fits == breaks else fits > breaks
