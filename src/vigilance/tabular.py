"""Tables for people: CSV that a spreadsheet opens right and that cannot run anything.

A cell that a spreadsheet would take for a formula gets a leading apostrophe; numbers stay numbers. French files use
semicolons and decimal commas. Source of the guard: OWASP, CSV injection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

FORMULA: Final = r"^[\s\x00]*[=+\-@\t\r\n\x00＝＋－＠]"
"""What a spreadsheet may read as the start of a formula, full-width forms and leading spaces included."""
NUMBER: Final = r"^\s*[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?\s*%?\s*$"


def guarded(column: str) -> pl.Expr:
    """A text column in which no cell can become a formula."""
    text = pl.col(column)
    dangerous = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    return pl.when(dangerous).then(pl.lit("'") + text).otherwise(text).alias(column)


def safe(frame: pl.DataFrame) -> pl.DataFrame:
    """The same table with every text cell guarded, headers included; words held as codes are text."""
    frame = frame.with_columns((pl.selectors.enum() | pl.selectors.categorical()).cast(pl.String))
    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    held = frame.with_columns(guarded(name) for name in text)
    headers = pl.DataFrame({"header": frame.columns}).select(guarded("header"))["header"].to_list()
    return held.rename(dict(zip(frame.columns, headers, strict=True)))


def write_csv(frame: pl.DataFrame, path: Path, lang: str = "en") -> None:
    """UTF-8 with a byte order mark; with ``fr``, semicolons and decimal commas."""
    french = lang == "fr"
    safe(frame).write_csv(
        path,
        include_bom=True,
        separator=";" if french else ",",
        decimal_comma=french,
        line_terminator="\r\n",
    )
