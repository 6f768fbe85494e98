"""Columns whose texts repeat, held as codes: a file is parsed once, and each text is read once for all its rows.

A long list says the same few words over and over. Held as codes it fits into memory, every question about a column
becomes one about its distinct texts, and its typed values are fetched by code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.ingest.columns import LINE, ROW, WEIGHT, Cell, Plan, prepared
from vigilance.ingest.readers.table import RawTable

LEAST_ROWS: Final = 50_000
"""Below this a list is read in a moment anyway."""
MOST_BYTES: Final = 1_500_000_000
"""Estimated memory up to which a list is held where the memory of the machine is unknown."""
SHARE: Final = 4
"""Elsewhere a list is held that takes a quarter of it; a longer one is read from its file as often as need be."""
_GROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says how much memory a container may use."""
_SAMPLE: Final = 20_000
_REPEATING: Final = 0.3
"""Share of distinct texts in a sample up to which a column is held as codes."""
_WIDTHS: Final[tuple[tuple[int, Any, int], ...]] = ((24, pl.UInt8, 1), (6_000, pl.UInt16, 2), (_SAMPLE, pl.UInt32, 4))
"""Distinct texts in the sample up to which a code of this type and width in bytes will most likely do for a file."""
_TEXT_BYTES: Final = 16
_SUMS: Final = 2**16 - 1
"""Sums that a table may hold before the next column begins another one: few enough to stay in the nearest memory."""
_CHUNK: Final = 1_000_000
_THREADS: Final = 4

Numbers = NDArray[np.int64]
Integers = NDArray[np.int32]


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
    """The table in memory with its repeating columns as codes; None where it is short, or too large to hold."""
    if raw.parse is None or raw.line is None or raw.counts.loaded < LEAST_ROWS:
        return None
    sample = raw.parse({}).head(_SAMPLE).collect()
    limit = sample.height * _REPEATING
    distinct = {name: sample[name].n_unique() for name in raw.names}
    codes = {n: next(kind for kind in _WIDTHS if count <= kind[0]) for n, count in distinct.items() if count <= limit}
    # A text of up to 12 bytes lies inside its own 16 bytes.
    plain = sum(_TEXT_BYTES + _beyond(sample[name]) for name in raw.names if name not in codes)
    row = plain + sum(width for _most, _type, width in codes.values())
    if not codes or raw.counts.loaded * row > (_memory() // SHARE or MOST_BYTES):
        return None
    kinds, held = _parsed(raw, {name: physical for name, (_most, physical, _width) in codes.items()})
    with ThreadPoolExecutor(_THREADS) as pool:
        tasks = {name: pool.submit(_words, held[name], kind) for name, kind in kinds.items()}
        words = {name: task.result().with_columns(raw.line.alias(LINE)) for name, task in tasks.items()}
    rows = held.lazy().with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64)).with_columns(raw.line.alias(LINE))
    return Coded(rows.select(*raw.names, ROW, LINE), {n: found.select(n, LINE, WEIGHT) for n, found in words.items()})


def _parsed(raw: RawTable, physical: Mapping[str, Any]) -> tuple[dict[str, pl.Categorical], pl.DataFrame]:
    """The table with codes of these types; of the widest, when one of them proves too narrow."""
    assert raw.parse is not None
    kinds = {n: pl.Categorical(pl.Categories.random("vigilance", physical=kind)) for n, kind in physical.items()}
    try:
        parsed = raw.parse(kinds).collect(engine="streaming")
    except pl.exceptions.ComputeError:
        kinds = {n: pl.Categorical(pl.Categories.random("vigilance")) for n in physical}
        parsed = raw.parse(kinds).collect(engine="streaming")
    # In one piece each, so that a batch cut from the columns is in one piece, too, and is not copied to become one. One
    # column after the other: together they would be in memory twice.
    return kinds, pl.DataFrame([parsed.drop_in_place(name).rechunk() for name in parsed.columns])


def _words(column: pl.Series, kind: pl.Categorical) -> pl.DataFrame:
    """The texts of a column in the order of their codes, the blank cell last: ``ROW`` (the first), ``WEIGHT``."""
    texts = kind.categories.to_series().alias(column.name)
    counts, first = _counted(column.to_physical(), len(texts))
    return pl.DataFrame([texts.extend_constant(None, 1), pl.Series(ROW, first), pl.Series(WEIGHT, counts)])


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


def _counted(codes: pl.Series, blank: int) -> tuple[Numbers, Numbers]:
    """In how many rows each code stands, and in which it stands first (0 where in none); nulls count as ``blank``."""
    counts = np.zeros(blank + 1, dtype=np.int64)
    first = np.zeros(blank + 1, dtype=np.int64)
    room = codes.dtype if blank <= codes.upper_bound().item() else pl.UInt32
    for start in range(0, len(codes), _CHUNK):
        given = codes.slice(start, _CHUNK).cast(room).fill_null(blank).to_numpy()
        found = np.bincount(given, minlength=blank + 1)
        new = np.flatnonzero((found > 0) & (counts == 0))
        if new.size:
            seen = np.zeros(blank + 1, dtype=np.int64)
            # The last assignment stays: backwards, that is the first row.
            seen[given[::-1]] = np.arange(start + given.size - 1, start - 1, -1)
            first[new] = seen[new]
        counts += found
    return counts, first


def _memory() -> int:
    """Bytes of memory that this machine has and this process may use; 0 where the system does not say."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
    try:
        allowed = _GROUP_LIMIT.read_text().strip()
    except OSError:
        return there
    return min(there, int(allowed)) if allowed.isdigit() else there


def _beyond(texts: pl.Series) -> float:
    """Bytes of a text, on average, that do not fit beside its length."""
    length = texts.str.len_bytes()
    mean: Any = length.filter(length > 12).sum() / max(1, len(texts))
    return float(mean)
