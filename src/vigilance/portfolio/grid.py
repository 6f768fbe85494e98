"""A fund file as a grid of text: the table found by its header, the lines around it kept.

Fund files are reports, not tables: a title, the fund and its date above, legal text below, sometimes one table after
another. The header is found by the words it must hold; nothing is guessed from the values. A file of holdings has some
thousands of lines, so the standard library reads it; everything after this module works on columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages

_ = messages("portfolio")

DELIMITERS: Final = (",", ";", "\t", "|")
SCAN: Final = 200
"""Lines in which the header must stand."""
MAX_BYTES: Final = 256 * 2**20
_BLANK: Final = "\ufeff\xa0 \t"
LONGEST_NAME: Final = 80
"""A single cell longer than this is a note, not the name of a position."""
_XLSX: Final = b"PK\x03\x04"

Row = tuple[int, list[str]]
"""1-based physical line and its cells."""
Header = Callable[[Sequence[str]], dict[str, int] | None]
"""Given cells: the column numbers by meaning when they are a header, else None."""


@dataclass(frozen=True)
class Table:
    """One table of a file.

    ``frame``: text columns by meaning, and ``_file, _sheet, _row`` (physical line), ``_malformed`` (too many cells).
    ``headers``: meaning → the header as written. ``above``: the non-blank lines between the table before and this one.
    ``outside``: lines below or inside that are not rows of the table, as ``(line, text)``.
    """

    file: str
    sheet: str
    frame: pl.DataFrame
    headers: dict[str, str]
    above: list[list[str]]
    outside: list[tuple[int, str]]


def read(path: Path, header: Header, wanted: str) -> list[Table]:
    """Every table of a file whose header ``header`` recognises; ``InputRefused`` when there is none.

    ``wanted`` says in words what a header must hold; it is shown when none is found.
    """
    raw = _bytes(path)
    if raw.startswith(_XLSX):
        from vigilance.portfolio.workbook import sheets  # noqa: PLC0415 - only workbooks pay for it

        grids = [(name, rows) for name, rows in sheets(path)]
    else:
        grids = [("", _csv_rows(path, _text(path, raw), header, wanted))]
    tables = [table for sheet, rows in grids for table in _tables(path.name, sheet, rows, header)]
    if not tables:
        raise InputRefused(
            _("{file}: no table found").format(file=path.name),
            hint=_("A header with {wanted} is needed in the first {n} lines.").format(wanted=wanted, n=SCAN),
        )
    return tables


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputRefused(
                _("{file}: larger than {n} MiB").format(file=path.name, n=MAX_BYTES // 2**20),
                hint=_("Split it by fund or by date."),
            )
        raw = path.read_bytes()
    except OSError as error:
        raise InputRefused(
            _("{file}: cannot be read: {why}").format(file=path.name, why=error.strerror or error)
        ) from error
    if not raw.strip():
        raise InputRefused(_("{file}: the file is empty").format(file=path.name))
    return raw


def _text(path: Path, raw: bytes) -> str:
    """Decode by byte order mark, then strict UTF-8; anything else is refused with a proposal."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif raw[:200].count(0) > len(raw[:200]) // 4:
        encoding = "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputRefused(
            _("{file}: not {encoding} text at line {line}, byte {byte}").format(
                file=path.name, encoding=encoding.removesuffix("-sig").upper(), line=line, byte=error.start
            ),
            hint=_("It may be Windows-1252: save it as UTF-8 (CSV UTF-8 in Excel)."),
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputRefused(_("{file}: a NUL byte at line {line}").format(file=path.name, line=line))
    return text


def _csv_rows(path: Path, text: str, header: Header, wanted: str) -> list[Row]:
    """Rows under the one delimiter whose header holds the most known columns."""
    found: dict[str, int] = {}
    for delimiter in DELIMITERS:
        head = (cells for _line, cells in _parsed(text, delimiter, SCAN) if len(cells) > 1)
        first = next((columns for cells in head if (columns := header(cells)) is not None), None)
        if first is not None:
            found[delimiter] = len(first)
    best = [d for d, n in found.items() if n == max(found.values())]
    if not best:
        begins = next((cells for _line, cells in _parsed(text, ",", SCAN) if any(cells)), [])
        raise InputRefused(
            _("{file}: no header found").format(file=path.name),
            hint=_("A header with {wanted} is needed in the first {n} lines; the file begins: {first}").format(
                wanted=wanted, n=SCAN, first=" ".join(begins)[:80]
            ),
        )
    if len(best) > 1:
        raise InputRefused(
            _("{file}: two delimiters fit equally: {found}").format(file=path.name, found=" ".join(map(repr, best)))
        )
    rows = _parsed(text, best[0], None)
    _refuse_open_quote(path, text, best[0])
    return rows


def _refuse_open_quote(path: Path, text: str, delimiter: str) -> None:
    """A quote that is never closed swallows the rest of a file in silence: refuse it, with the line it opens on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for _cells in reader:
            start = reader.line_num + 1
    except csv.Error as error:
        if "end of data" in str(error):
            raise InputRefused(
                _("{file}: a quote opened at line {line} is never closed").format(file=path.name, line=start)
            ) from error


def _parsed(text: str, delimiter: str, limit: int | None) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    start = 1
    try:
        for cells in reader:
            rows.append((start, cells))
            start = reader.line_num + 1
            if limit is not None and len(rows) >= limit:
                break
    except csv.Error as error:
        raise InputRefused(_("line {line}: {why}").format(line=reader.line_num, why=error)) from error
    return rows


def _blank(cells: Iterable[str]) -> bool:
    return not any(cell.strip(_BLANK) for cell in cells)


def _tables(file: str, sheet: str, rows: list[Row], header: Header) -> list[Table]:
    """Cut a grid at its headers: the first within ``SCAN`` lines, later ones where the first is repeated or like it."""
    # A later table repeats words of the first header as they are written: cheap to see before looking closer.
    known = {cell.strip(_BLANK) for cell in _first_header(rows, header)} - {""}
    starts = [
        (k, columns)
        for k, (_line, cells) in enumerate(rows)
        if not known.isdisjoint(cells) and (columns := header(cells)) is not None
    ]
    tables = []
    above_from = 0
    for at, (k, columns) in enumerate(starts):
        end = starts[at + 1][0] if at + 1 < len(starts) else len(rows)
        above = [cells for _line, cells in rows[above_from:k] if not _blank(cells)]
        body, outside, above_from = _body(rows, k, end, columns)
        headers = {meaning: rows[k][1][n] for meaning, n in columns.items()}
        tables.append(Table(file, sheet, _frame(file, sheet, body, columns, len(rows[k][1])), headers, above, outside))
    return tables


def _first_header(rows: list[Row], header: Header) -> list[str]:
    return next((cells for _line, cells in rows[:SCAN] if header(cells) is not None), [])


def _body(
    rows: list[Row], start: int, end: int, columns: dict[str, int]
) -> tuple[list[Row], list[tuple[int, str]], int]:
    """Rows of one table, the lines that are not, and where the text above the next table begins.

    A line of text in a single cell (a note, a disclaimer, a section title) is not a position: it is kept apart. A row
    that stops short before the table has ended is one all the same, to be named as unreadable.
    """
    width = len(rows[start][1])
    body: list[Row] = []
    outside: list[tuple[int, str]] = []
    after, ended = end, False
    for k in range(start + 1, end):
        line, cells = rows[k]
        filled = sum(1 for cell in cells if cell.strip(_BLANK))
        known = any(n < len(cells) and cells[n].strip(_BLANK) for n in columns.values())
        note = filled == 2 and len(columns) > 4 and len(cells) <= 2
        cut_off = filled == 1 and not ended and len(cells[0]) < LONGEST_NAME and width < 2 * len(columns)
        if known and not note and (filled >= min(2, len(columns)) or cut_off):
            body.append((line, cells))
            after = k + 1
        else:
            ended = ended or bool(body)
            if filled:
                outside.append((line, " ".join(c for c in cells if c.strip(_BLANK))[:200]))
    return body, outside, after


def _frame(file: str, sheet: str, body: list[Row], columns: dict[str, int], full: int) -> pl.DataFrame:
    """Text columns by meaning; ``_malformed`` marks rows with something beyond the last column of the header."""
    width = max(columns.values()) + 1
    malformed = pl.Series("_malformed", [not _blank(cells[full:]) for _line, cells in body], dtype=pl.Boolean)
    padded = [[*cells[:width], *[""] * (width - len(cells))] for _line, cells in body]
    across = list(zip(*padded, strict=True)) if padded else [()] * width
    data = {meaning: pl.Series(meaning, across[n], dtype=pl.String) for meaning, n in columns.items()}
    cleaned = [
        pl.when(pl.col(name).str.strip_chars(_BLANK).is_in(["", "-", "--", "—", "N/A", "n/a"]))
        .then(None)
        .otherwise(pl.col(name).str.strip_chars(_BLANK))
        .alias(name)
        for name in columns
    ]
    lines = pl.Series("_row", [line for line, _cells in body], dtype=pl.Int64)
    return (
        pl.DataFrame(data)
        .select(*cleaned)
        .with_columns(_file=pl.lit(file), _sheet=pl.lit(sheet), _row=lines, _malformed=malformed)
    )
