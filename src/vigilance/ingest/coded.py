"""Columns whose texts repeat, held as codes: a file is parsed once, and each text is read once for all its rows.

A long list says the same few words over and over. Held as codes it fits into memory, every question about a column
becomes one about its distinct texts, and its typed values are fetched by code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from vigilance.ingest.columns import LINE, WEIGHT, Cell, Plan, prepared
from vigilance.ingest.readers.table import RawTable

LEAST_ROWS: Final = 50_000
"""Below this a list is read in a moment anyway."""
MOST_BYTES: Final = 1_500_000_000
"""Estimated memory up to which a list is held; a longer one is read from its file as often as need be."""
_SAMPLE: Final = 20_000
_REPEATING: Final = 0.3
"""Share of distinct texts in a sample up to which a column is held as codes."""
_CODE_BYTES: Final = 4
_TEXT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Coded:
    """A held table: its lazy frame (some columns Categorical), and the distinct texts of those, in code order.

    ``words[name]`` has the text under its column's own name, ``LINE`` (of its first row) and ``WEIGHT``; the last row
    is the blank cell, of weight 0 where there is none.
    """

    frame: pl.LazyFrame
    words: Mapping[str, pl.DataFrame]

    def fetched(self, name: str, values: pl.Series) -> pl.Expr:
        """The value of each row's text; ``values`` as ``words[name]``."""
        blank = values.len() - 1

        def fetch(codes: pl.Series) -> pl.Series:
            return values.gather(codes.to_physical().fill_null(blank))

        return pl.col(name).map_batches(fetch, return_dtype=values.dtype, is_elementwise=True)

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
    """The table in memory with its repeating columns as codes; None where it is short, or too large to hold."""
    if raw.parse is None or raw.counts.loaded < LEAST_ROWS:
        return None
    sample = raw.parse({}).head(_SAMPLE).select(raw.names).collect()
    limit = sample.height * _REPEATING
    kinds = {
        name: pl.Categorical(pl.Categories.random("vigilance"))
        for name in raw.names
        if sample[name].n_unique() <= limit
    }
    # A text of up to 12 bytes lies inside its own 16 bytes.
    plain = sum(_TEXT_BYTES + _beyond(sample[name]) for name in raw.names if name not in kinds)
    if not kinds or raw.counts.loaded * (plain + _CODE_BYTES * len(kinds)) > MOST_BYTES:
        return None
    held = raw.parse(kinds).collect(engine="streaming")
    rows = held.lazy()
    counted = pl.collect_all(
        [
            rows.select(pl.col(name).to_physical().alias("code"), pl.col(LINE))
            .group_by("code")
            .agg(pl.col(LINE).min(), pl.len().cast(pl.Int64).alias(WEIGHT))
            for name in kinds
        ],
        engine="streaming",
    )
    words = {
        name: _words(name, kind.categories.to_series(), found)
        for (name, kind), found in zip(kinds.items(), counted, strict=True)
    }
    return Coded(rows, words)


def _beyond(texts: pl.Series) -> float:
    """Bytes of a text, on average, that do not fit beside its length."""
    length = texts.str.len_bytes()
    mean: Any = length.filter(length > 12).sum() / max(1, len(texts))
    return float(mean)


def _words(name: str, texts: pl.Series, counted: pl.DataFrame) -> pl.DataFrame:
    """The texts of a column in the order of their codes, the blank cell last."""
    codes = pl.DataFrame({name: texts.extend_constant(None, 1)}).with_row_index("code")
    blank = codes.height - 1
    given = counted.with_columns(pl.col("code").fill_null(blank))
    found = codes.join(given, on="code", how="left", maintain_order="left")
    return found.with_columns(pl.col(WEIGHT).fill_null(0)).drop("code")
