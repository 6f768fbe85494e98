"""Lone cells between records: a record that was broken inside its first or last cell leaves one behind.

The piece itself has too few cells and is set aside; the other piece has the right number of cells and is read, though
its last (or first) cell is cut. It cannot be told from a heading between two whole records, so both neighbours are
named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.readers.layouts import DELIMITERS
from vigilance.ingest.readers.table import LINE, RawTable
from vigilance.issues import SCHEMA

_ = messages("readers")

_MOST: Final = 10_000
_DELIMITERS: Final = tuple(mark.encode() for mark in DELIMITERS)


def beside(table: RawTable) -> list[int]:
    """The lines of the records next to a lone cell, in order."""
    mark = table.dialect.delimiter.encode()
    if len(table.names) < 2 or not mark or not table.rejected.height:
        return []
    lone = table.rejected.filter(
        (pl.col("reason") == "too_few_cells")
        & ~pl.col("bytes").bin.contains(mark)
        & ~pl.col("bytes").bin.starts_with(b"#")
    ).head(_MOST)
    # With another delimiter in all the right places it is a whole record, not a piece of one.
    pieces = [
        not any(piece.count(other) >= len(table.names) - 1 for other in _DELIMITERS)
        for piece in lone["bytes"].to_list()
    ]
    places = lone["line"].filter(pl.Series(pieces, dtype=pl.Boolean))
    if not places.len():
        return []
    lines = table.frame.select(LINE).collect(engine="streaming")[LINE].to_numpy()
    after = np.searchsorted(lines, places.to_numpy())
    # A record of several lines begins further up, but only the one that ends right above can be the other piece.
    near = np.concatenate((after - 1, after[(after < lines.size)]))
    near = np.unique(near[near >= 0])
    return [int(line) for line in lines[near]]


def named(table: RawTable, lines: list[int]) -> RawTable:
    """The table with a warning on each of the lines."""
    if not lines:
        return table
    said = pl.DataFrame(
        {
            "code": "beside_a_fragment",
            "severity": "warning",
            "file": table.file.name,
            "sheet": table.sheet,
            "row": pl.Series(lines, dtype=pl.Int64),
            "column": "",
            "value": "",
            "message": _("a lone cell stands beside this record: part of its first or last cell may be missing"),
            "hint": _("if the record is broken over two lines, join them"),
        },
        schema=SCHEMA,
    )
    return replace(table, issues=pl.concat([table.issues, said]))
