"""Text that a spreadsheet may open: nothing in a cell can become a formula."""

from __future__ import annotations

import polars as pl

RISKY = r"^[\s\x00]*[=+\-@\t\r\n\x00\uFF1D\uFF0B\uFF0D\uFF20]"
"""Leading characters, also after spaces, that start a formula in a spreadsheet; with their full-width forms."""


def guarded(column: pl.Expr) -> pl.Expr:
    """A text column with an apostrophe before whatever a spreadsheet would run; NUL is dropped."""
    clean = column.str.replace_all("\x00", "", literal=True)
    return pl.when(column.str.contains(RISKY)).then(pl.concat_str(pl.lit("'"), clean)).otherwise(clean)


def guard_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame with every text column guarded."""
    return frame.with_columns(
        guarded(pl.col(name)).alias(name) for name, kind in frame.schema.items() if kind == pl.String
    )
