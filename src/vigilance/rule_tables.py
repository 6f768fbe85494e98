"""Judgements that are tables: a CSV read with the types of its card, and nothing guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.i18n import messages

_ = messages("rules")

POLARS_TYPES: Final[dict[str, Any]] = {"string": pl.String, "number": pl.Float64, "integer": pl.Int64}


def read_table(path: Path, types: dict[str, str]) -> pl.DataFrame:
    """A table of judgements with the types of its card; ``PolarsError`` when header or cells do not fit."""
    schema = {name: POLARS_TYPES[kind] for name, kind in types.items()}
    with path.open(encoding="utf-8") as lines:
        header = lines.readline().rstrip("\r\n").split(",")
    if header != list(schema):
        raise pl.exceptions.SchemaError(
            _("the header is {found}, the card says {wanted}").format(found=", ".join(header), wanted=", ".join(schema))
        )
    return pl.read_csv(path, schema=schema)
