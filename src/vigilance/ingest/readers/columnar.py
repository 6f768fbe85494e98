"""Parquet and Arrow files: typed columns as the text a person would write, their declared types beside them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.dialect import nearest, quoted
from vigilance.ingest.readers.limits import Limits
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

_FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError)
_WHOLE = 1e15


def read_columnar(path: Path, name: str, kind: str, matcher: HeaderMatcher | None, limits: Limits) -> RawTable:
    """One Parquet or Arrow file as a lazy table of text.

    All pages are decoded once here, so that a damaged file is refused now and not in the middle of a run.
    """
    try:
        source = pl.scan_parquet(path, glob=False) if kind == "parquet" else pl.scan_ipc(path, glob=False)
        schema = source.collect_schema()
        rows = int(source.select(pl.len()).collect().item())
        _check_size(rows, len(schema), name, limits)
        nans = source.select(
            pl.col(column).is_nan().sum() for column, dtype in schema.items() if dtype.is_float()
        ).collect(engine="streaming")
        text = source.select(
            _as_text(column, dtype).alias(column) for column, dtype in schema.items() if _is_flat(dtype)
        )
        # Every value is made text once: what a damaged file makes the engine trip over shows now.
        text.select(pl.all().null_count()).collect(engine="streaming")
    except _FAILURES as error:
        detail = str(error).partition("\n")[0][:200]
        raise InputRefused(
            _("{file}: the {kind} data is damaged ({detail})").format(file=name, kind=kind, detail=detail)
        ) from None
    kept = [column for column, dtype in schema.items() if _is_flat(dtype)]
    match = check_header(kept, name, matcher)
    names, notes = unique_names(kept, match, name, 1)
    notes += [
        issue(
            "nested-column",
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
            "not-a-number",
            _("{count} values are 'not a number' and were read as empty").format(count=nans[column][0]),
            severity="warning",
            file=name,
            column=column,
        )
        for column in nans.columns
        if rows and nans[column][0]
    ]
    frame = source.select(
        *(_as_text(column, schema[column]).alias(new) for column, new in zip(kept, names, strict=True)),
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


def _is_flat(dtype: pl.DataType) -> bool:
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object)


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


def _check_size(rows: int, columns: int, name: str, limits: Limits) -> None:
    if rows > limits.rows:
        raise InputRefused(_("{file}: more than {limit} rows").format(file=name, limit=limits.rows))
    if columns > limits.columns:
        raise InputRefused(
            _("{file}: {count} columns, over the limit of {limit}").format(
                file=name, count=columns, limit=limits.columns
            )
        )


def _as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text: whole floats without a point, ISO dates, an empty string or NaN as null."""
    value = pl.col(column)
    if dtype.is_float():
        value = value.cast(pl.Float64).fill_nan(None)
        whole = (value == value.floor()) & (value.abs() < _WHOLE)
        return pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%d %H:%M:%S")
    text = value.cast(pl.String)
    return pl.when(text != "").then(text)
