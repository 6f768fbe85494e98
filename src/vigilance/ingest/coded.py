"""Columns whose texts repeat, held as codes: a file is parsed once, and each text is read once for all its rows.

A long list says the same few words over and over. Held as codes it fits into memory, every question about a column
becomes one about its distinct texts, and its typed values are fetched by code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.errors import VigilanceError
from vigilance.ingest.columns import LINE, ROW, WEIGHT, Cell, Plan, prepared
from vigilance.ingest.readers.coding import parsed
from vigilance.ingest.readers.table import RawTable

_SUMS: Final = 2**16 - 1
"""Sums that a table may hold before the next column begins another one: few enough to stay in the nearest memory."""

Integers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Coded:
    """A held table: its lazy frame (some columns Enum or Categorical), and the distinct texts of those, in code order.

    ``words[name]`` has the text under its column's own name, ``LINE`` (of its first row) and ``WEIGHT``; the last row
    is the blank cell, of weight 0 where there is none.
    """

    frame: pl.LazyFrame
    words: Mapping[str, pl.DataFrame]

    def fetched(self, name: str, values: pl.Series) -> pl.Expr:
        """The value of each row's text; ``values`` as ``words[name]``."""
        blank = values.len() - 1

        def fetch(codes: pl.Series) -> pl.Series:
            return values.gather(_places(codes, blank))

        return pl.col(name).map_batches(fetch, return_dtype=values.dtype, is_elementwise=True)

    def summed(self, values: Mapping[str, pl.Series]) -> pl.Expr:
        """Per row, the sum (Int32) of the values of its texts in several columns; each as ``words`` of that column.

        The codes of columns with few texts make one place in a table of all their sums, so that a row is fetched once.
        """
        tables = _summed([given.to_numpy().astype(np.int32) for given in values.values()])

        def add(columns: Sequence[pl.Series]) -> pl.Series:
            total = np.zeros(len(columns[0]), dtype=np.int32)
            for sizes, sums in tables:
                place = np.zeros(len(total), dtype=np.min_scalar_type(sums.size))
                for at, size in sizes.items():
                    place = place * place.dtype.type(size) + _places(columns[at], size - 1).to_numpy()
                total += sums.take(place)
            return pl.Series(total)

        return pl.map_batches([pl.col(n) for n in values], add, return_dtype=pl.Int32, is_elementwise=True)

    def prepared(self, cells: Mapping[str, Cell], numbers: Sequence[str]) -> dict[str, pl.LazyFrame]:
        """Per canonical column that is coded: its distinct texts with the prepared columns of its cell."""
        return {
            column: prepared(self.words[cell.name].lazy(), {column: cell}, [n for n in numbers if n == column])
            for column, cell in cells.items()
            if cell.name in self.words
        }

    def planned(self, plan: Plan, cell: Cell, words: pl.LazyFrame) -> Plan:
        """The same plan for rows: each expression is computed for the distinct texts, and fetched."""
        wanted: dict[str, pl.Expr] = {f"typed {name}": e for name, e in plan.typed.items()}
        for i, check in enumerate(plan.checks):
            wanted |= {f"key {i}": check.key, f"value {i}": check.value.cast(pl.String)}
        if plan.repaired is not None:
            wanted["repaired"] = plan.repaired
        made = words.select(pl.lit(0).alias(""), **wanted).collect()
        found = {name: self.fetched(cell.name, made[name]) for name in wanted}
        return replace(
            plan,
            typed={name: found[f"typed {name}"] for name in plan.typed},
            checks=[replace(c, key=found[f"key {i}"], value=found[f"value {i}"]) for i, c in enumerate(plan.checks)],
            repaired=found.get("repaired"),
        )


def hold(raw: RawTable) -> Coded | None:
    """The table in memory with its repeating columns as codes; None where it is short, or too large to hold.

    Raises ``VigilanceError`` when the parser saw another number of rows than the reader: our own fault.
    """
    if raw.parse is None or raw.line is None:
        return None
    try:
        held = parsed(raw.parse, raw.names, raw.counts.loaded) if raw.begun is None else raw.begun.result()
    except pl.exceptions.ComputeError:
        held = parsed(raw.parse, raw.names, raw.counts.loaded, wide=True)
    if held is None:
        return None
    if held.frame.height != raw.counts.loaded:
        raise VigilanceError(f"{raw.file.name}: {held.frame.height} rows parsed, {raw.counts.loaded} counted")
    rows = held.frame.lazy().with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    line = raw.line.alias(LINE)
    words = {
        name: pl.DataFrame([told.texts, pl.Series(ROW, told.first), pl.Series(WEIGHT, told.rows)])
        .with_columns(line)
        .select(name, LINE, WEIGHT)
        for name, told in held.words.items()
    }
    return Coded(rows.with_columns(line).select(*raw.names, ROW, LINE), words)


def _summed(columns: Sequence[Integers]) -> list[tuple[dict[int, int], Integers]]:
    """Tables of sums: the columns of each (position → how many values), and all sums, the last column fastest."""
    tables: list[tuple[dict[int, int], Integers]] = []
    for at, values in enumerate(columns):
        if tables and tables[-1][1].size * values.size <= _SUMS:
            sizes, sums = tables[-1]
            tables[-1] = sizes | {at: values.size}, np.add.outer(sums, values).ravel()
        else:
            tables.append(({at: values.size}, values))
    return tables


def _places(codes: pl.Series, blank: int) -> pl.Series:
    """The place of each row's text among the texts of its column; ``blank`` for a blank cell."""
    place = codes.to_physical()
    if not place.null_count():
        return place
    # The narrowest code may have no room for the place of the blank cell.
    room = place if blank <= place.upper_bound().item() else place.cast(pl.UInt32)
    return room.fill_null(blank)
