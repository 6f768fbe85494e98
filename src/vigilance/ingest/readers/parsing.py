"""From what a scan found to columns: the good records of a delimited file as a lazy table, whole or in segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers import coding
from vigilance.ingest.readers.cleaning import FOLDED_CR, FOLDED_LF, Cleaned
from vigilance.ingest.readers.encoding import Text
from vigilance.ingest.readers.layouts import Layout
from vigilance.ingest.readers.table import LINE, ROW, Counts
from vigilance.issues import issue

_ = messages("readers")


@dataclass(slots=True)
class Found:
    """What a scan of the records gives, whichever way it was done."""

    path: Path
    start_line: int
    counts: Counts
    line_end: str
    cleaned: Cleaned | None = None
    issues: list[dict[str, Any]] = field(default_factory=list)


def lazy_table(
    found: Found, layout: Layout, names: list[str], name: str
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


def _scanned(found: Found, layout: Layout, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The good records, in their order, with ``_row`` and ``_line``."""
    scanned = _records(found.path, layout, schema, skip_lines=found.start_line - 1, row_index_name=ROW)
    if found.cleaned is not None and found.cleaned.folded:
        text = pl.col(list(schema)).str
        scanned = scanned.with_columns(text.replace_many([FOLDED_LF, FOLDED_CR], ["\n", "\r"]))
    return scanned.with_columns(pl.col(ROW).cast(pl.Int64)).with_columns(line_of(found).alias(LINE))


def _records(source: Path | bytes, layout: Layout, schema: Mapping[str, pl.DataType], **more: Any) -> pl.LazyFrame:
    return pl.scan_csv(
        source,
        has_header=False,
        schema=dict(schema),
        separator=layout.delimiter,
        quote_char='"',
        null_values=[""],
        infer_schema=False,
        glob=False,
        **more,
    )


def _piece(layout: Layout, names: list[str], lines_: bytes, kinds: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Some whole lines of a table without empty columns at the end, with other types for some columns."""
    return _records(lines_, layout, {name: kinds.get(name, pl.String()) for name in names})


def parsed(found: Found, layout: Layout, names: list[str], kinds: Mapping[str, pl.DataType]) -> pl.LazyFrame:
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


def line_of(found: Found) -> pl.Expr:
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


def begun(text: Text, layout: Layout, names: list[str], head: bytes) -> coding.Ahead | None:
    """The parse of the file itself, for when it proves clean; nothing where that does not pay, or would not do."""
    lines_ = max(1, head.count(b"\n", layout.data_start))
    rows = text.path.stat().st_size * lines_ // max(1, len(head) - layout.data_start)
    if rows < coding.LEAST_ROWS or layout.trailing > 0 or not header_lines_are_lf(text.path, layout):
        return None
    return coding.Ahead(text.path, layout.data_start, partial(_piece, layout, names), names)


def header_lines_are_lf(path: Path, layout: Layout) -> bool:
    """Whether a parser that counts LF finds the data on ``data_line``."""
    with path.open("rb") as file:
        return file.read(layout.data_start).count(b"\n") == layout.data_line - 1
