"""Delimited text (CSV and its kin): settle encoding, dialect and header, prove or clean the records, scan lazily."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers import headings, lines
from vigilance.ingest.readers.cleaning import CODES, BadByte, Cleaned, Fate, Plan, clean
from vigilance.ingest.readers.coding import Ahead
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.dialect import find, two_tables
from vigilance.ingest.readers.encoding import Text, open_text, refuse_bytes
from vigilance.ingest.readers.layouts import Layout
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.parsing import Found, begun, header_lines_are_lf, lazy_table, line_of, parsed
from vigilance.ingest.readers.prescan import Shape, scan
from vigilance.ingest.readers.proof import proved
from vigilance.ingest.readers.records import cells_of, record_pattern
from vigilance.ingest.readers.remarks import set_aside
from vigilance.ingest.readers.table import (
    REJECTED_SCHEMA,
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
        early = begun(text, layout, names, head) if ahead else None
        found = _scan(text, layout, trailer.end, name, matcher, limits, early)
    except BadByte as error:
        raise refuse_bytes(text.path, name, error.offset) from None
    frame, names, header, more = lazy_table(found, layout, names, name)
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
        parse=partial(parsed, found, layout, names) if plain else None,
        begun=_of_use(early, found, names) if plain else None,
        line=line_of(found) if plain else None,
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


def _scan(
    text: Text,
    layout: Layout,
    end: int,
    name: str,
    matcher: HeaderMatcher | None,
    limits: Limits,
    ahead: Ahead | None = None,
) -> Found:
    """Prove that the file is clean, or make a clean copy of its good records."""
    shape = Shape(ord(layout.delimiter), layout.width, layout.header_bytes, limits.cell, limits.record)
    try:
        verdict = proved(text.path, layout.data_start, end, shape, ahead.proved if ahead else lambda _end: None)
    finally:
        if ahead and not ahead.complete:
            ahead.forget()
    if verdict is None:
        verdict = scan(text.path, layout.data_start, end, shape, min(4, os.cpu_count() or 1))
    if verdict.bad_byte is not None:
        raise BadByte(verdict.bad_byte)
    if verdict.clean:
        if verdict.records > limits.rows:
            raise InputRefused(_("{file}: more than {limit} rows").format(file=name, limit=limits.rows))
        counts = Counts(verdict.records, verdict.records, 0, 0, len(layout.preamble))
        # A parser reads to the end of the file and counts LF: the file itself will do only if both suit.
        if end == text.path.stat().st_size and header_lines_are_lf(text.path, layout):
            return Found(text.path, layout.data_line, counts, "CRLF" if verdict.crlf else "LF")
    return _cleaned(text, layout, end, name, matcher, limits)


def _cleaned(text: Text, layout: Layout, end: int, name: str, matcher: HeaderMatcher | None, limits: Limits) -> Found:
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
    found = Found(cleaned.copy, 1, counts, "+".join(used), cleaned)
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


def _say_cleaned(found: Found, name: str, used: Sequence[str]) -> list[dict[str, Any]]:
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


def _of_use(early: Ahead | None, found: Found, names: list[str]) -> Ahead | None:
    """What was parsed early, if that is the whole file as it is, and no column of it was dropped."""
    if early is None or (early.complete and found.cleaned is None and names == early.names):
        return early
    early.forget()
    return None


def _rejected(found: Found, text: Text) -> pl.DataFrame:
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
