"""Delimited text (CSV and its kin): settle encoding, dialect and header, prove or clean the records, scan lazily."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers import headings, lines
from vigilance.ingest.readers.cleaning import CODES, FOLDED_CR, FOLDED_LF, BadByte, Cleaned, Fate, Plan, clean
from vigilance.ingest.readers.coding import Ahead
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.dialect import find, two_tables
from vigilance.ingest.readers.encoding import Text, open_text, refuse_bytes
from vigilance.ingest.readers.layouts import Layout
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.prescan import Shape, scan
from vigilance.ingest.readers.proof import proved
from vigilance.ingest.readers.records import cells_of, record_pattern
from vigilance.ingest.readers.remarks import set_aside
from vigilance.ingest.readers.table import (
    LINE,
    REJECTED_SCHEMA,
    ROW,
    Counts,
    Dialect,
    HeaderMatcher,
    RawTable,
)
from vigilance.ingest.readers.trailer import Trailer, find_trailer
from vigilance.issues import frame as issue_frame
from vigilance.issues import issue

_ = messages("readers")

_HEAD: Final = 1024 * 1024


@dataclass(slots=True)
class _Found:
    """What a scan of the records gives, whichever way it was done."""

    path: Path
    start_line: int
    counts: Counts
    line_end: str
    cleaned: Cleaned | None = None
    issues: list[dict[str, Any]] = field(default_factory=list)


def read_delimited(
    path: Path,
    *,
    name: str,
    matcher: HeaderMatcher | None,
    limits: Limits,
    encoding: str | None = None,
    delimiter: str | None = None,
    headless: bool = False,
    digest: str = "",
    size: int = 0,
    ahead: bool = False,
) -> RawTable:
    """One delimited text file as a table of text.

    ``name`` is what to call the file in messages, ``digest`` and ``size`` describe the user's own file, ``headless``
    says that no line names the columns, ``ahead`` that a long clean file is wanted in memory. Raises
    ``InputRefused`` when the file as a whole cannot be read without guessing.
    """
    text = open_text(path, name, encoding)
    head = _head(text, name)
    layout = find(head, name, matcher, limits, delimiter, text.start, headless=headless)
    names, notes = unique_names(layout.header, layout.match, name, layout.header_line)
    notes = _say_layout(layout, name) + notes
    lines.refuse_endless(text.path, layout.data_start, name, limits)
    try:
        trailer = find_trailer(text.path, layout.data_start, layout.delimiter, layout.width)
        early = _ahead(text, layout, names, head) if ahead else None
        found = _scan(text, layout, trailer.end, name, matcher, limits, early)
    except BadByte as error:
        raise refuse_bytes(text.path, name, error.offset) from None
    frame, names, header, more = _frame(found, layout, names, name)
    # Of a column that was dropped, that it had no name is not said too.
    notes = [note for note in notes if note["code"] != "unnamed_column" or note["column"] in names]
    plain = found.counts.loaded and not (found.cleaned is not None and found.cleaned.folded)
    issues = pl.concat(
        [
            issue_frame(notes + found.issues + _say_trailer(trailer, name) + more),
            set_aside(found.cleaned, layout.width, name),
        ]
    )
    table = RawTable(
        file=path,
        sheet="",
        header=header,
        names=names,
        frame=frame,
        issues=issues,
        rejected=_rejected(found, text),
        counts=found.counts,
        sha256=digest,
        size=size,
        dialect=Dialect("csv", text.encoding, layout.delimiter, '"', found.line_end, layout.trailing == 1),
        preamble=list(layout.preamble),
        trailer=list(trailer.lines),
        parse=partial(_parsed, found, layout, names) if plain else None,
        begun=early.result if early and plain and found.cleaned is None and names == early.names else None,
        line=_line(found) if plain else None,
    )
    return headings.told(table, layout, text)


def _head(text: Text, name: str) -> bytes:
    """The first bytes of the file, whole lines, proved to be UTF-8 without NUL."""
    with text.path.open("rb") as file:
        head = file.read(_HEAD)
        if file.read(1):
            head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
            if not head:
                raise InputRefused(
                    _("{file}, line 1: the first line is longer than {limit} bytes").format(file=name, limit=_HEAD)
                )
    nul = head.find(0)
    if nul >= 0:
        raise refuse_bytes(text.path, name, nul)
    try:
        head.decode()
    except UnicodeDecodeError as error:
        raise refuse_bytes(text.path, name, error.start) from None
    return head


def _say_layout(layout: Layout, name: str) -> list[dict[str, Any]]:
    """Warnings on what stands above the header and on delimiters at the ends of lines."""
    notes = []
    if layout.preamble:
        notes.append(
            issue(
                "title_lines",
                several(
                    len(layout.preamble),
                    _("{count} line above the header was skipped"),
                    _("{count} lines above the header were skipped"),
                ),
                severity="warning",
                file=name,
                row=layout.header_line,
                value=layout.preamble[0],
            )
        )
    if layout.declared:
        text = _("the first line names {declared} as the delimiter, but it is {delimiter}; the file was read so")
        notes.append(
            issue(
                "delimiter_named_wrongly",
                text.format(declared=repr(layout.declared), delimiter=repr(layout.delimiter)),
                severity="warning",
                file=name,
                row=1,
            )
        )
    if layout.trailing:
        notes.append(
            issue(
                "trailing_delimiter",
                _("each line ends in a delimiter that the header lacks; it was dropped")
                if layout.trailing > 0
                else _("the header ends in a delimiter that the lines lack; it was dropped"),
                severity="warning",
                file=name,
                row=layout.header_line,
            )
        )
    return notes


def _ahead(text: Text, layout: Layout, names: list[str], head: bytes) -> Ahead:
    """The parse of the file itself, as it will be should it prove clean."""
    found = _Found(text.path, layout.data_line, Counts(0, 0, 0, 0), "LF")
    lines_ = max(1, head.count(b"\n", layout.data_start))
    rows = text.path.stat().st_size * lines_ // max(1, len(head) - layout.data_start)
    return Ahead(partial(_parsed, found, layout, names), names, rows)


def _scan(
    text: Text,
    layout: Layout,
    end: int,
    name: str,
    matcher: HeaderMatcher | None,
    limits: Limits,
    ahead: Ahead | None = None,
) -> _Found:
    """Prove that the file is clean, or make a clean copy of its good records."""
    shape = Shape(ord(layout.delimiter), layout.width, layout.header_bytes, limits.cell, limits.record)
    begin = ahead.begin if ahead and _header_lines_are_lf(text.path, layout) else lambda: None
    verdict = proved(text.path, layout.data_start, end, shape, begin)
    if verdict is None:
        verdict = scan(text.path, layout.data_start, end, shape, min(4, os.cpu_count() or 1))
    if verdict.bad_byte is not None:
        raise BadByte(verdict.bad_byte)
    if verdict.clean:
        if verdict.records > limits.rows:
            raise InputRefused(_("{file}: more than {limit} rows").format(file=name, limit=limits.rows))
        counts = Counts(verdict.records, verdict.records, 0, 0, len(layout.preamble))
        # A parser reads to the end of the file and counts LF: the file itself will do only if both suit.
        if end == text.path.stat().st_size and _header_lines_are_lf(text.path, layout):
            return _Found(text.path, layout.data_line, counts, "CRLF" if verdict.crlf else "LF")
    return _cleaned(text, layout, end, name, matcher, limits)


def _header_lines_are_lf(path: Path, layout: Layout) -> bool:
    """Whether a parser that counts LF finds the data on ``data_line``."""
    with path.open("rb") as file:
        return file.read(layout.data_start).count(b"\n") == layout.data_line - 1


def _cleaned(text: Text, layout: Layout, end: int, name: str, matcher: HeaderMatcher | None, limits: Limits) -> _Found:
    plan = Plan(
        text.path,
        name,
        layout.data_start,
        end,
        layout.data_line,
        layout.delimiter,
        layout.width,
        layout.header_bytes,
        limits,
    )
    cleaned = clean(plan)
    _refuse_other_tables(cleaned, layout, name, matcher)
    set_aside = len(cleaned.lines)
    skipped = len(layout.preamble) + len(cleaned.repeated)
    counts = Counts(cleaned.loaded + set_aside + cleaned.blank, cleaned.loaded, set_aside, cleaned.blank, skipped)
    used = [kind for kind, count in cleaned.ends.items() if count]
    found = _Found(cleaned.copy, 1, counts, "+".join(used), cleaned)
    found.issues = _say_cleaned(found, name, used)
    return found


def _refuse_other_tables(cleaned: Cleaned, layout: Layout, name: str, matcher: HeaderMatcher | None) -> None:
    """Refuse a file in which a second header fits, after a blank line or among the records of another width."""
    delimiter = layout.delimiter.encode()
    pattern = record_pattern(delimiter)
    odd = zip(cleaned.lines[:1000], cleaned.contents[:1000], strict=True)
    own = {cell.strip().casefold() for cell in layout.header if cell.strip()}
    for line, content in [*cleaned.after_blank, *odd]:
        if not pattern.fullmatch(content):
            continue
        cells = cells_of(content, delimiter)
        if matcher is not None:
            second = not matcher.match(cells).missing
        else:
            second = len(own & {cell.strip().casefold() for cell in cells}) * 2 > len(own)
        if second:
            raise two_tables(name, layout.header_line, line)


def _say_cleaned(found: _Found, name: str, used: Sequence[str]) -> list[dict[str, Any]]:
    cleaned = found.cleaned
    assert cleaned is not None
    notes = []
    if len(used) > 1:
        notes.append(
            issue(
                "mixed_line_ends",
                _("lines end in different ways ({kinds}); each was read as a line end").format(
                    kinds=", ".join(f"{kind}: {cleaned.ends[kind]}" for kind in used)
                ),
                severity="warning",
                file=name,
            )
        )
    if cleaned.repeated:
        notes.append(
            issue(
                "repeated_header",
                several(
                    len(cleaned.repeated),
                    _("the header is repeated once below; that line was skipped"),
                    _("the header is repeated {count} times below; these lines were skipped"),
                ),
                severity="warning",
                file=name,
                row=cleaned.repeated[0],
            )
        )
    return notes


def _say_trailer(trailer: Trailer, name: str) -> list[dict[str, Any]]:
    if not trailer.lines:
        return []
    return [
        issue(
            "trailer",
            several(
                len(trailer.lines),
                _("{count} line of totals or text below the table was skipped"),
                _("{count} lines of totals or text below the table were skipped"),
            ),
            severity="warning",
            file=name,
            row=trailer.line,
            value=trailer.lines[0],
        )
    ]


def _rejected(found: _Found, text: Text) -> pl.DataFrame:
    cleaned = found.cleaned
    if cleaned is None:
        return pl.DataFrame(schema=REJECTED_SCHEMA)
    contents = cleaned.contents
    return pl.DataFrame(
        {
            "line": cleaned.lines,
            "bytes": contents if text.encoding == "utf-8" else [text.original(content) for content in contents],
            "reason": [CODES[Fate(fate)] for fate in cleaned.fates],
        },
        schema=REJECTED_SCHEMA,
    )


def _frame(
    found: _Found, layout: Layout, names: list[str], name: str
) -> tuple[pl.LazyFrame, list[str], list[str], list[dict[str, Any]]]:
    """The lazy table; unnamed empty columns at the end are dropped, aloud."""
    extra = [f"_beyond_{len(names)}"] if layout.trailing > 0 else []
    schema = dict.fromkeys([*names, *extra], pl.String())
    if found.counts.loaded == 0:
        frame = pl.LazyFrame(schema={**schema, ROW: pl.Int64(), LINE: pl.Int64()})
    else:
        frame = _scanned(found, layout, schema)
    dropped, issues = _empty_tail(frame, layout, names, extra, name)
    kept = [column for column in names if column not in dropped]
    return frame.select([*kept, ROW, LINE]), kept, layout.header[: len(kept)], issues


def _scanned(found: _Found, layout: Layout, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The good records, in their order, with ``_row`` and ``_line``."""
    scanned = pl.scan_csv(
        found.path,
        has_header=False,
        skip_lines=found.start_line - 1,
        schema=dict(schema),
        separator=layout.delimiter,
        quote_char='"',
        null_values=[""],
        row_index_name=ROW,
        infer_schema=False,
        glob=False,
    )
    if found.cleaned is not None and found.cleaned.folded:
        text = pl.col(list(schema)).str
        scanned = scanned.with_columns(text.replace_many([FOLDED_LF, FOLDED_CR], ["\n", "\r"]))
    return scanned.with_columns(pl.col(ROW).cast(pl.Int64)).with_columns(_line(found).alias(LINE))


def _parsed(found: _Found, layout: Layout, names: list[str], kinds: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The table again with other types for some columns; ``names`` without the empty columns at the end."""
    beyond = [f"_beyond_{i}" for i in range(layout.width - len(names))]
    schema = {name: kinds.get(name, pl.String()) for name in [*names, *beyond]}
    return _scanned(found, layout, schema).select(names)


def _empty_tail(
    frame: pl.LazyFrame, layout: Layout, names: list[str], extra: list[str], name: str
) -> tuple[set[str], list[dict[str, Any]]]:
    """Which columns without a header, at the end, are empty all the way down."""
    count = 0
    while count < len(names) - 1 and not layout.header[len(names) - 1 - count].strip():
        count += 1
    unnamed = names[len(names) - count :]
    if not unnamed and not extra:
        return set(), []
    firsts = frame.select(
        pl.col(LINE).filter(pl.col(column).is_not_null()).min().alias(column) for column in [*unnamed, *extra]
    ).collect()
    filled = {column: firsts[column][0] for column in [*unnamed, *extra] if firsts[column][0] is not None}
    if any(column in filled for column in extra):
        raise InputRefused(
            _("{file}, line {line}: a cell beyond the last column of the header").format(
                file=name, line=filled[extra[0]]
            ),
            hint=_("name the column, or remove the cell"),
        )
    dropped: set[str] = set()
    for column in reversed(unnamed):
        if column in filled:
            break
        dropped.add(column)
    notes = [
        issue(
            "empty_columns",
            several(
                len(dropped),
                _("{count} column without a name or content, at the end, was dropped"),
                _("{count} columns without a name or content, at the end, were dropped"),
            ),
            severity="info",
            file=name,
            row=layout.header_line,
        )
    ]
    return dropped, notes if dropped else []


def _line(found: _Found) -> pl.Expr:
    """The physical line of each row, from the points where lines and rows part."""
    row = pl.col(ROW)
    cleaned = found.cleaned
    if cleaned is None:
        return row + found.start_line
    since, shift = np.concatenate(cleaned.since), np.concatenate(cleaned.shift)
    if shift.size == 1:
        return row + int(shift[0])

    def place(rows: pl.Series) -> pl.Series:
        positions = rows.to_numpy()
        return pl.Series(rows.name, positions + shift[np.searchsorted(since, positions, side="right") - 1])

    return row.map_batches(place, return_dtype=pl.Int64, is_elementwise=True)
