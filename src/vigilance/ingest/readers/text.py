"""Delimited text from the first try to the last: as it stands, then in another dialect; what cannot be seen is said."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers import alternatives, charsets, fragments, patterns
from vigilance.ingest.readers.delimited import read_delimited
from vigilance.ingest.readers.encoding import NotUtf8, false_mark, open_text
from vigilance.ingest.readers.layouts import DELIMITERS, HeaderMissing
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.table import HeaderMatcher, RawTable
from vigilance.issues import frame as issue_frame
from vigilance.issues import issue

_ = messages("readers")


@dataclass(frozen=True, slots=True)
class Asked:
    """A text file and what the caller says of it; see ``reading.read_raw``."""

    source: Path
    name: str
    required: HeaderMatcher | None
    limits: Limits
    encoding: str | None
    delimiter: str | None
    ahead: bool = False


def read_text(asked: Asked) -> RawTable:
    """The table of a text file. Raises ``InputRefused`` when no dialect gives one."""
    table = _decoded(asked)
    mark = false_mark(asked.source)
    if not mark:
        return table
    said = issue(
        "encoding_mark",
        _("the first bytes say {encoding}, but all the rest is UTF-8; it was read so").format(encoding=mark),
        severity="warning",
        file=asked.name,
        row=1,
        hint=_("save the file as UTF-8"),
    )
    return replace(table, issues=pl.concat([issue_frame([said]), table.issues]))


def _decoded(asked: Asked) -> RawTable:
    try:
        return _read_as_said(asked)
    except NotUtf8:
        found = None if asked.encoding else charsets.certain(asked.source)
        if found is None:
            raise
    table = _read_as_said(replace(asked, encoding=found.encoding))
    message = _(
        "the file is not UTF-8; of the usual encodings only {encoding} gives words: {before} was read as {after}"
    )
    said = issue(
        "encoding_assumed",
        message.format(encoding=found.encoding, before=found.before, after=found.after),
        severity="warning",
        file=asked.name,
        value=found.after,
        hint=_("save the file as UTF-8, or confirm with --encoding {encoding}").format(encoding=found.encoding),
    )
    return replace(table, issues=pl.concat([issue_frame([said]), table.issues]))


def _read_as_said(asked: Asked) -> RawTable:
    try:
        table = _standing(asked, asked.source, asked.encoding, asked.delimiter)
        if not asked.delimiter and table.rejected.height:
            table = _better(table, _other(asked))
        return _looked_through(asked, table)
    except InputRefused as refused:
        other = _other(asked)
        if other is not None:
            with suppress(InputRefused):
                return _looked_through(asked, other)
        if not isinstance(refused, HeaderMissing) or asked.required is not None:
            raise
    return _looked_through(asked, _standing(asked, asked.source, asked.encoding, asked.delimiter, headless=True))


def _looked_through(asked: Asked, table: RawTable) -> RawTable:
    """The table without what its values show to be wrong."""
    beside = fragments.beside(table)
    table = fragments.named(table, beside)
    return patterns.set_unlike_aside(table, beside) if asked.required is None else table


def _standing(
    asked: Asked, source: Path, encoding: str | None, delimiter: str | None, *, headless: bool = False
) -> RawTable:
    table = read_delimited(
        source,
        name=asked.name,
        matcher=asked.required,
        limits=asked.limits,
        encoding=encoding,
        delimiter=delimiter,
        headless=headless,
        ahead=asked.ahead,
    )
    # The source may be a scratch copy; what is said is said of the user's file.
    return replace(table, file=Path(asked.name))


def _better(table: RawTable, other: RawTable | None) -> RawTable:
    """The reading that sets fewer records aside."""
    return table if other is None or other.counts.set_aside >= table.counts.set_aside else other


def _other(asked: Asked) -> RawTable | None:
    """The file in the one other dialect that makes it regular, if there is one and it holds a table."""
    text = open_text(asked.source, asked.name, asked.encoding)
    alternative = alternatives.find(text)
    if alternative is None or asked.delimiter not in (None, alternative.delimiter):
        return None
    copy = alternatives.rewrite(text, alternative)
    if copy is None:
        return None
    mark = alternative.delimiter if alternative.delimiter in DELIMITERS else ","
    try:
        table = _standing(asked, copy, "utf-8", mark)
    except InputRefused:
        return None
    tail = _(", lines end in {mark}").format(mark=repr(alternative.tail)) if alternative.tail else ""
    said = issue(
        "unusual_dialect",
        _("cells are parted by {delimiter} and quoted with {quote}{escape}{blanks}; the file was read so").format(
            delimiter=", ".join(map(repr, filter(None, (alternative.delimiter, alternative.second)))),
            quote=alternative.quote,
            escape=_(", a backslash before special characters") if alternative.escape else tail,
            blanks=_(", blanks after delimiters dropped") if alternative.blanks else "",
        ),
        severity="warning",
        file=asked.name,
    )
    dialect = replace(table.dialect, encoding=text.encoding, delimiter=alternative.delimiter, quote=alternative.quote)
    return replace(table, dialect=dialect, issues=pl.concat([issue_frame([said]), table.issues]))
