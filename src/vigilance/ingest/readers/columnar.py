"""Parquet and Arrow files: typed columns as the text a person would write, their declared types beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers.child import Died, ask
from vigilance.ingest.readers.columnar_child import as_text, is_flat, scanned
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.dialect import nearest
from vigilance.ingest.readers.layouts import quoted
from vigilance.ingest.readers.limits import GIB, MIB, Limits
from vigilance.ingest.readers.table import (
    LINE,
    ROW,
    Counts,
    Dialect,
    HeaderMatcher,
    Match,
    RawTable,
    no_rejects,
)
from vigilance.issues import frame as issue_frame
from vigilance.issues import issue

_ = messages("readers")

_BASE_MEMORY: Final = 6 * GIB
_CELLS_FROM: Final = 50_000_000
_CELLS_PER_BYTE: Final = 200
_TEXT_PER_BYTE: Final = 2_000
"""Cells, and bytes of text, per byte of the file (above ``_CELLS_FROM`` cells) from which it is a bomb."""


def read_columnar(path: Path, name: str, kind: str, matcher: HeaderMatcher | None, limits: Limits) -> RawTable:
    """One Parquet or Arrow file as a lazy table of text.

    All pages are decoded once, in a process of their own, so that a damaged file is refused now and harms nothing.
    """
    answer = _looked_at(path, name, kind, limits)
    rows, nans = int(answer["rows"]), answer["nans"]
    source = scanned(str(path), kind)
    schema = source.collect_schema()
    kept = [column for column, dtype in schema.items() if is_flat(dtype)]
    match = check_header(kept, name, matcher)
    names, notes = unique_names(kept, match, name, 1)
    notes += [
        issue(
            "nested_column",
            _("the column holds lists or structures and was not read"),
            severity="warning",
            file=name,
            column=column,
        )
        for column in schema
        if column not in kept
    ]
    notes += [
        issue(
            "not_a_number",
            several(
                count,
                _("{count} value is 'not a number' and was read as empty"),
                _("{count} values are 'not a number' and were read as empty"),
            ),
            severity="warning",
            file=name,
            column=column,
        )
        for column, count in nans.items()
        if count
    ]
    frame = source.select(
        *(as_text(column, schema[column]).alias(new) for column, new in zip(kept, names, strict=True)),
        pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE),
    )
    return RawTable(
        file=path,
        sheet="",
        header=kept,
        names=names,
        frame=frame,
        issues=issue_frame(notes),
        rejected=no_rejects(),
        counts=Counts(rows, rows, 0, 0),
        sha256="",
        size=0,
        dialect=Dialect(kind),
        types={new: str(schema[column]) for column, new in zip(kept, names, strict=True)},
    )


def _looked_at(path: Path, name: str, kind: str, limits: Limits) -> dict[str, Any]:
    """What a child process found in the file; raises ``InputRefused`` when it cannot be read."""
    size = path.stat().st_size
    seconds = 12 + size // (20 * MIB)
    request = {
        "path": str(path.resolve()),
        "kind": kind,
        "rows": limits.rows,
        "columns": limits.columns,
        "cells": max(_CELLS_FROM, _CELLS_PER_BYTE * size),
        "text": max(limits.ratio_from, _TEXT_PER_BYTE * size),
        "memory": _BASE_MEMORY + 8 * size,
        "seconds": 4 * seconds,
    }
    answer = ask("columnar_child", request, seconds)
    if isinstance(answer, Died):
        raise _damaged(name, kind, answer.last if answer.reason == "damaged" else answer.reason)
    refused, detail = answer.get("refused"), str(answer.get("detail", ""))
    if refused == "rows":
        raise InputRefused(_("{file}: more than {limit} rows").format(file=name, limit=limits.rows))
    if refused == "columns":
        raise InputRefused(
            _("{file}: {count} columns, over the limit of {limit}").format(
                file=name, count=detail, limit=limits.columns
            )
        )
    if refused == "bomb":
        raise InputRefused(
            _("{file}: decompresses to more than {size} bytes, over the limit").format(file=name, size=request["text"])
        )
    if refused:
        raise _damaged(name, kind, detail)
    return answer


def _damaged(name: str, kind: str, detail: str) -> InputRefused:
    return InputRefused(_("{file}: the {kind} data is damaged ({detail})").format(file=name, kind=kind, detail=detail))


def check_header(header: list[str], name: str, matcher: HeaderMatcher | None) -> Match | None:
    """The match of a header that is given by the format; raises ``InputRefused`` when a column is missing."""
    if matcher is None:
        return None
    match = matcher.match(header)
    if match.missing:
        raise InputRefused(
            _("{file}: no columns {missing}; it has: {found}").format(
                file=name, missing=quoted(match.missing), found=quoted(header)
            ),
            hint=nearest(match.missing, header),
        )
    return match
