"""The first look at a Parquet or Arrow file, in a process of its own: a damaged one can make the engine abort.

Its argument is a JSON object ``{path, kind, rows, columns, cells, text, memory, seconds}``. It decodes every page once,
makes every value text once, and gives ``{rows, nans: {column: count}}`` or ``{refused: reason, detail}``.
"""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl

from vigilance.ingest.readers.child import limit

FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError)
_WHOLE = 1e15


def is_flat(dtype: pl.DataType) -> bool:
    """Whether a column of the type can be written as text."""
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object)


def called(name: str) -> pl.Expr:
    """The column of exactly that name: Polars would take ``*``, and ``^`` to ``$``, for a pattern of names."""
    return pl.col(f"^{re.escape(name)}$" if name == "*" or name.startswith("^") else name)


def as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text: whole floats without a point, ISO dates, an empty string or NaN as null."""
    value = called(column)
    if dtype.is_float():
        value = value.cast(pl.Float64).fill_nan(None)
        whole = (value == value.floor()) & (value.abs() < _WHOLE)
        return pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%d %H:%M:%S")
    text = value.cast(pl.String)
    return pl.when(text != "").then(text)


def scanned(path: str, kind: str) -> pl.LazyFrame:
    """The file as a lazy frame."""
    return pl.scan_parquet(path, glob=False) if kind == "parquet" else pl.scan_ipc(path, glob=False)


def _look(request: dict[str, Any]) -> dict[str, Any]:
    source = scanned(request["path"], request["kind"])
    schema = source.collect_schema()
    rows = int(source.select(pl.len()).collect().item())
    if rows > request["rows"]:
        return {"refused": "rows"}
    if len(schema) > request["columns"]:
        return {"refused": "columns", "detail": str(len(schema))}
    if rows * len(schema) > request["cells"]:
        return {"refused": "bomb", "detail": f"{rows} x {len(schema)}"}
    nans = source.select(called(column).is_nan().sum() for column, dtype in schema.items() if dtype.is_float()).collect(
        engine="streaming"
    )
    text = source.select(as_text(column, dtype).alias(column) for column, dtype in schema.items() if is_flat(dtype))
    # Every value is made text once: what a damaged file makes the engine trip over shows now.
    sizes = text.select(pl.all().str.len_bytes().cast(pl.Int64).sum()).collect(engine="streaming")
    total = sum(sizes.row(0)) if sizes.width else 0
    if total > request["text"]:
        return {"refused": "bomb", "detail": f"{total} bytes"}
    return {"rows": rows, "nans": {column: int(nans[column][0]) for column in nans.columns} if rows else {}}


def main(argument: str) -> dict[str, Any]:
    """Answer one request; whatever else goes wrong ends the process, and the parent words it."""
    request = json.loads(argument)
    limit(request["memory"], request["seconds"])
    try:
        return _look(request)
    except FAILURES as error:
        return {"refused": "damaged", "detail": str(error).partition("\n")[0][:200]}
