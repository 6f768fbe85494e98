"""A frame in memory to a raw table: Polars, pandas, Arrow, DuckDB or anything else that narwhals knows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from vigilance import issues as issues_
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.ingest.columns import LINE, ROW, Tables
from vigilance.ingest.headers import Headers, nearest
from vigilance.ingest.input_tables import table as input_table
from vigilance.ingest.intake import Intake
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.table import REJECTED_SCHEMA, Counts, Dialect, RawTable
from vigilance.ingest.reading import understand

_ = messages("ingest")


def from_frame(
    frame: Any,
    table: str = "suppliers",
    *,
    on: date,
    reference: Tables | None = None,
    mapping: Mapping[str, str] | None = None,
    strict: bool = False,
    name: str = "frame",
) -> Intake:
    """Read one input table from a frame or relation in memory; as ``read``, rows are counted from 1.

    The frame becomes text first, so that the same values are read the same way from a file and from memory. Raises
    ``UsageError`` for what is no frame, ``InputRefused`` when a required column is missing.
    """
    specification = input_table(table)
    headers = Headers(table, specification.needed, dict(mapping or {}))
    raw = raw_table(frame, headers, name)
    return understand([raw], specification, headers, on=on, reference=reference, strict=strict)


def raw_table(frame: Any, headers: Headers, name: str) -> RawTable:
    """The frame as text with positions. Rows without any value are counted as blank and left out."""
    native = _polars(frame)
    missing = headers.match(native.columns).missing
    if missing:
        raise InputRefused(
            _("{name}: no column for {missing}; found: {found}").format(
                name=name, missing=", ".join(missing), found=", ".join(native.columns)
            ),
            hint=_hint(headers.table, native.columns, list(missing)),
        )
    header = native.columns
    own, notes = unique_names(header, None, name, 0)
    text = _text(native.rename(dict(zip(header, own, strict=True)))).with_row_index(LINE, offset=1)
    held = text.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in own)).with_row_index(ROW)
    held = held.with_columns(pl.col(ROW, LINE).cast(pl.Int64))
    return RawTable(
        file=Path(name),
        sheet="",
        header=list(header),
        names=list(own),
        frame=held.lazy(),
        issues=issues_.frame(notes),
        rejected=pl.DataFrame(schema=REJECTED_SCHEMA),
        counts=Counts(native.height, held.height, 0, native.height - held.height),
        sha256=_digest(text),
        size=int(native.estimated_size()),
        dialect=Dialect(format="frame"),
    )


def _polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        native = nw.from_native(frame)
    except TypeError as error:
        raise UsageError(
            _("{kind} is neither a path nor a frame that can be read").format(kind=type(frame).__name__),
            hint=_("give a path, or a Polars, pandas, Arrow or DuckDB table"),
        ) from error
    if isinstance(native, nw.LazyFrame):
        return pl.DataFrame(native.collect(backend="polars").to_native())
    return pl.DataFrame(native.to_polars())


def _text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as text; missing values of any kind are null."""
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype.is_float():
            column = column.fill_nan(None)
        if dtype.is_nested() or dtype == pl.Binary:
            raise InputRefused(
                _("column {name} holds {dtype}, which is not one value a row").format(name=name, dtype=dtype)
            )
        text = column.cast(pl.String)
        columns.append(pl.when(text.str.strip_chars().str.len_bytes() > 0).then(text).alias(name))
    return frame.select(columns)


def _digest(text: pl.DataFrame) -> str:
    """sha256 of the content as CSV: the same rows have the same digest from any kind of frame."""
    return hashlib.sha256(text.drop(LINE).write_csv().encode()).hexdigest()


def _hint(table: str, found: list[str], missing: list[str]) -> str:
    near = [f"{header} ({column})" for header in found if (column := nearest(table, header, missing))]
    if near:
        return _("did you mean {near}? Rename it, or give a mapping").format(near=", ".join(near))
    return _("rename the column, or give a mapping")
