"""Publishers' files as frames of text: CSV (also gzip), XLSX, saved HTML pages, JSON.

Nothing is guessed: the table is found by the header names that the reader asks for, under whatever stands above it.
Every column is text, and its name is folded (``Country/Area`` becomes ``country_area``); values are trimmed, and an
empty one is null. A file that does not hold such a table is refused with the headers that were found.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages

_ = messages("data")

BYTES_LIMIT: Final = 2 * 1024**3
"""Bytes of a file after unpacking; the whole World Development Indicators are a quarter of a gigabyte."""
SHEET_ROWS: Final = 200_000
SHEET_COLUMNS: Final = 500
PREAMBLE_LINES: Final = 40
"""How far down the header of a table is looked for."""
DELIMITERS: Final = (",", ";", "\t", "|")

Header = Sequence[Sequence[str]]
"""The columns that a reader needs, each as the folded names by which the publisher has called it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A table in a file: text columns under their folded names, and the text that stood above it."""

    frame: pl.DataFrame
    preamble: str


def fold(text: str) -> str:
    """A header or a name without case, accents and punctuation: ``Côte d'Ivoire`` is ``cote_d_ivoire``."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def find(path: Path, header: Header) -> Found:
    """The first table of a file whose header has one name of each group of ``header``.

    Raises ``InputRefused`` when the file is missing, of another kind, over a limit, or holds no such table.
    """
    seen: list[list[str]] = []
    for preamble, rows in _tables(path):
        for at, names in _headers(rows):
            seen.append(names)
            if all(any(name in names for name in group) for group in header):
                return Found(_frame(names, rows[at + 1 :]), preamble)
    shown = "; ".join(", ".join(name for name in names if name) for names in seen[:3] if any(names))
    raise InputRefused(
        _("{path}: no table with the columns {wanted}").format(
            path=path.name, wanted=", ".join("/".join(group) for group in header)
        ),
        hint=_("headers found: {names}").format(names=shown[:300] or _("none")),
    )


def scan(path: Path, header: Header) -> tuple[pl.LazyFrame, str]:
    """A big CSV (or CSV in gzip) as a lazy frame of text, its columns under folded names, and its preamble."""
    content = _content(path)
    text = content[: 256 * 1024].decode("utf-8-sig", errors="replace")
    lines = text.splitlines()[:PREAMBLE_LINES]
    for at, line in enumerate(lines):
        for delimiter in DELIMITERS:
            names = [fold(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
            if all(any(name in names for name in group) for group in header):
                frame = pl.scan_csv(
                    io.BytesIO(content),
                    separator=delimiter,
                    skip_lines=at,
                    has_header=True,
                    infer_schema=False,
                    null_values=[""],
                    with_column_names=lambda found: _unique([fold(name) for name in found]),
                )
                return frame, "\n".join(lines[:at])
    raise InputRefused(
        _("{path}: no table with the columns {wanted}").format(
            path=path.name, wanted=", ".join("/".join(group) for group in header)
        ),
        hint=_("headers found: {names}").format(names=(lines[0] if lines else "")[:300]),
    )


def records(path: Path) -> Any:
    """A JSON file as Python values. Raises ``InputRefused`` when it is not JSON."""
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputRefused(_("{path}: not JSON: {reason}").format(path=path.name, reason=error)) from error


def flat(value: Any, prefix: str = "") -> dict[str, str]:
    """One JSON object with nested ones folded into it: ``{"A": {"B c": 1}}`` is ``{"a_b_c": "1"}``."""
    cells: dict[str, str] = {}
    for key, item in value.items():
        name = f"{prefix}{fold(str(key))}"
        if isinstance(item, dict):
            cells.update(flat(item, f"{name}_"))
        elif item is not None and not isinstance(item, list):
            cells[name] = str(item)
    return cells


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > BYTES_LIMIT:
            raise InputRefused(_("{path}: larger than {limit} bytes").format(path=path.name, limit=BYTES_LIMIT))
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(BYTES_LIMIT + 1)
    except FileNotFoundError as error:
        raise InputRefused(_("{path}: there is no such file").format(path=path)) from error
    except (OSError, EOFError) as error:
        raise InputRefused(_("{path}: cannot be read: {reason}").format(path=path, reason=error)) from error
    if len(content) > BYTES_LIMIT:
        raise InputRefused(_("{path}: larger than {limit} bytes").format(path=path.name, limit=BYTES_LIMIT))
    if not content.strip():
        raise InputRefused(_("{path}: the file is empty").format(path=path.name))
    return content


def _text(path: Path) -> str:
    content = _content(path)
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputRefused(
            _("{path}: not UTF-8 at byte {offset}").format(path=path.name, offset=error.start),
            hint=_("save it again as UTF-8"),
        ) from error


def _tables(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """The tables of a file as rows of text, each with the text above it."""
    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm"}:
        yield from _sheets(path)
    elif suffix == ".json":
        objects = _objects(records(path))
        names = list(dict.fromkeys(name for item in objects for name in item))
        yield "", [names, *([item.get(name, "") for name in names] for item in objects)]
    else:
        text = _text(path)
        if suffix in {".html", ".htm"} or text.lstrip()[:200].casefold().startswith(("<!doctype html", "<html")):
            page = _Page()
            page.feed(text)
            yield from (("\n".join(page.texts), table) for table in page.tables)
        else:
            for delimiter in DELIMITERS:
                yield text[:2000], list(csv.reader(io.StringIO(text), delimiter=delimiter))


def _objects(value: Any) -> list[dict[str, str]]:
    """The list of objects in a JSON document, wherever it stands; the deepest lists come with their parents' cells."""
    if isinstance(value, list):
        return [row for item in value for row in _objects(item)]
    if not isinstance(value, dict):
        return []
    lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
    inner = [
        child
        for item in value.values()
        if isinstance(item, dict)
        for child in item.values()
        if isinstance(child, list) and child and isinstance(child[0], dict)
    ]
    own = flat({key: item for key, item in value.items() if not isinstance(item, list)})
    deeper = [*lists, *inner]
    return [{**own, **row} for item in deeper for row in _objects(item)] if deeper else [own]


def _sheets(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, and most files are not workbooks

    content = _content(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(item.file_size for item in packed.infolist()) > BYTES_LIMIT:
                raise InputRefused(_("{path}: larger than {limit} bytes").format(path=path.name, limit=BYTES_LIMIT))
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputRefused(_("{path}: not a workbook: {reason}").format(path=path.name, reason=error)) from error
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=SHEET_ROWS, max_col=SHEET_COLUMNS, values_only=True)
        yield sheet.title, [["" if cell is None else _cell(cell) for cell in row] for row in rows]


def _cell(value: object) -> str:
    iso = getattr(value, "date", None)
    return iso().isoformat() if callable(iso) else str(value)


def _headers(rows: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for at, row in enumerate(rows[:PREAMBLE_LINES]):
        names = [fold(str(cell)) for cell in row]
        if sum(1 for name in names if name) > 1:
            yield at, names


def _unique(names: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    out = []
    for at, name in enumerate(names):
        base = name or f"column_{at + 1}"
        counts[base] = counts.get(base, 0) + 1
        out.append(base if counts[base] == 1 else f"{base}_{counts[base]}")
    return out


def _frame(names: list[str], rows: list[list[str]]) -> pl.DataFrame:
    """Rows under a header as text columns; rows without any cell are dropped, short rows are filled."""
    width = len(names)
    kept = [[*row[:width], *[""] * (width - len(row))] for row in rows if any(str(cell).strip() for cell in row)]
    frame = pl.DataFrame(kept, schema=dict.fromkeys(_unique(names), pl.String), orient="row")
    text = pl.all().str.replace_all(r"\s+", " ").str.strip_chars()
    return frame.select(text).select(pl.when(pl.all() != "").then(pl.all()))


class _Page(HTMLParser):
    """The tables of a saved page, cell by cell, and the text of its headings and title."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.texts: list[str] = []
        self._open: list[list[list[str]]] = []
        self._cell: list[str] | None = None
        self._heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row, a cell or a heading."""
        del attrs
        if tag == "table":
            self._open.append([])
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in {"td", "th"} and self._open and self._open[-1]:
            self._cell = []
        elif tag in {"title", "h1", "h2", "h3"}:
            self._heading = True

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened."""
        if tag in {"td", "th"} and self._cell is not None:
            self._open[-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None
        elif tag == "table" and self._open:
            self.tables.append(self._open.pop())
        elif tag in {"title", "h1", "h2", "h3"}:
            self._heading = False

    def handle_data(self, data: str) -> None:
        """Keep the text of a cell or a heading."""
        if self._cell is not None:
            self._cell.append(data)
        elif self._heading and data.strip():
            self.texts.append(" ".join(data.split()))
