"""What is said of the records of a text file that are set aside."""

from __future__ import annotations

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.readers.cleaning import CODES, Cleaned, Fate
from vigilance.issues import SCHEMA, VALUE_LIMIT
from vigilance.issues import frame as issue_frame

_ = messages("readers")


def set_aside(cleaned: Cleaned | None, width: int, name: str) -> pl.DataFrame:
    """One error (``issues.SCHEMA``) per record that was set aside, built in bulk; ``width`` is that of the header."""
    if cleaned is None or not cleaned.lines:
        return issue_frame()
    messages_ = {
        Fate.TOO_FEW: _("too few cells: {{}} instead of {width}"),
        Fate.TOO_MANY: _("too many cells: {{}} instead of {width}"),
        Fate.BARE_QUOTE: _("a bare quote inside a cell (cells seen: {{}}, wanted: {width})"),
        Fate.UNCLOSED_QUOTE: _("an unclosed quote (cells seen: {{}}, wanted: {width})"),
        Fate.TOO_LONG: _("a cell over the length limit (cells seen: {{}}, wanted: {width})"),
    }
    hints = {
        Fate.TOO_FEW: _("a delimiter is missing, or a cell; mend the line"),
        Fate.TOO_MANY: _("put quotes around a cell that holds the delimiter, or remove the extra cell"),
        Fate.BARE_QUOTE: _("put quotes around the whole cell and double those inside it"),
        Fate.UNCLOSED_QUOTE: _("close or remove the quote"),
        Fate.TOO_LONG: _("shorten the cell"),
    }
    base = pl.DataFrame(
        {
            "fate": pl.Series(cleaned.fates, dtype=pl.UInt8),
            "row": pl.Series(cleaned.lines, dtype=pl.Int64),
            "cells": pl.Series(cleaned.cells, dtype=pl.Int64),
            "value": pl.Series(cleaned.contents, dtype=pl.Binary).cast(pl.String),
        }
    )
    fate = pl.col("fate")
    message = pl.coalesce(
        pl.when(fate == int(kind)).then(pl.format(text.format(width=width), pl.col("cells")))
        for kind, text in messages_.items()
    )
    return base.select(
        fate.replace_strict({int(k): v for k, v in CODES.items()}, return_dtype=pl.String).alias("code"),
        pl.lit("error").alias("severity"),
        pl.lit(name).alias("file"),
        pl.lit("").alias("sheet"),
        "row",
        pl.lit("").alias("column"),
        _shown("value"),
        message.alias("message"),
        fate.replace_strict({int(k): v for k, v in hints.items()}, return_dtype=pl.String).alias("hint"),
    ).select(SCHEMA.names())


def _shown(column: str) -> pl.Expr:
    """As ``issues.shown``, for a whole column: control characters escaped, cut at the limit."""
    codes = [*range(0x20), 0x7F]
    text = pl.col(column).str.slice(0, VALUE_LIMIT + 1)
    text = text.str.replace_many([chr(code) for code in codes], [f"\\x{code:02x}" for code in codes])
    long = text.str.len_chars() > VALUE_LIMIT
    return pl.when(long).then(text.str.slice(0, VALUE_LIMIT - 1) + "…").otherwise(text).alias(column)
