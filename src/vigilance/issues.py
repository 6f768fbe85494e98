"""The record of one problem in a user's file: what, where, and how to mend it.

Problems in a user's rows are data, not exceptions: they are collected in one frame, written to ``issues.csv`` and
``issues.jsonl``, and the run goes on with the good rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import polars as pl

Severity = Literal["error", "warning", "info"]

SCHEMA: Final = pl.Schema(
    {
        "code": pl.String,
        "severity": pl.String,
        "file": pl.String,
        "sheet": pl.String,
        "row": pl.Int64,
        "column": pl.String,
        "value": pl.String,
        "message": pl.String,
        "hint": pl.String,
    }
)
"""``row`` is the 1-based physical line of the file (or row of the sheet); null where a whole file is meant."""

VALUE_LIMIT: Final = 80
_CONTROL: Final = {i: f"\\x{i:02x}" for i in (*range(0x20), 0x7F)}


def shown(value: object) -> str:
    """A value as it may be printed: control characters escaped, at most ``VALUE_LIMIT`` characters."""
    text = ("" if value is None else str(value)).translate(_CONTROL)
    return text if len(text) <= VALUE_LIMIT else text[: VALUE_LIMIT - 1] + "…"


def issue(
    code: str,
    message: str,
    *,
    severity: Severity = "error",
    file: str = "",
    sheet: str = "",
    row: int | None = None,
    column: str = "",
    value: object = "",
    hint: str = "",
) -> dict[str, Any]:
    """One record with the keys of ``SCHEMA``."""
    return {
        "code": code,
        "severity": severity,
        "file": file,
        "sheet": sheet,
        "row": row,
        "column": column,
        "value": shown(value),
        "message": message,
        "hint": hint,
    }


def frame(records: Iterable[Mapping[str, Any]] = ()) -> pl.DataFrame:
    """Records as a frame with ``SCHEMA``; empty without records."""
    return pl.DataFrame(list(records), schema=SCHEMA)


def ordered(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All issues of a run as one frame, sorted by file, sheet, row, column and code."""
    parts = [part.select(SCHEMA.names()) for part in frames if part.height]
    if not parts:
        return frame()
    return pl.concat(parts).sort(
        ["file", "sheet", "row", "column", "code", "value"], nulls_last=True, maintain_order=True
    )
