"""Look-up tables that grow with the list: a cell or pattern is computed when it first occurs, then fetched by place.

A join would hash four keys of every row again for every batch; a place in a dense array of all possible keys is found
with one addition and one fetch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.scoring import cells, patterns
from vigilance.scoring.model import Model
from vigilance.terms import FACTORS, TIERS

Places = NDArray[np.int64]

_DIVISIONS: Final = 100
_TIERS: Final = len(TIERS) + 1
_PATTERNS: Final = 3 ** len(FACTORS)
_COUNTRY_CODES: Final = 36**3


class Grown:
    """A table of which the rows of new keys are made when they occur."""

    def __init__(self, key: tuple[str, ...], make: Callable[[Any], Any]) -> None:
        self.key, self.make = key, make
        # One more than the row of each key, 0 while there is none: zeros cost nothing until they are touched.
        self.place = np.zeros(0, dtype=np.uint32)
        self.table: pl.DataFrame | None = None

    def fetched(self, keys: Places, batch: pl.DataFrame, size: int) -> pl.DataFrame:
        """The table's columns for each row of ``batch``; equal ``keys`` (below ``size``) have equal key columns."""
        if self.place.size < size:
            known, self.place = self.place, np.zeros(size, dtype=np.uint32)
            self.place[: known.size] = known
        # Unlike an index in brackets, ``take`` lets other threads have the interpreter.
        at = self.place.take(keys)
        if at.size and at.min() == 0:
            absent = at == 0
            self._grow(keys[absent], np.flatnonzero(absent), batch)
            at = self.place.take(keys)
        assert self.table is not None
        return self.table[pl.Series(at - np.uint32(1))]

    def _grow(self, keys: Places, at: Places, batch: pl.DataFrame) -> None:
        """Make the rows of ``keys``, which stand at the rows ``at`` of the batch."""
        new, first = np.unique(keys, return_index=True)
        rows = at[first]
        said = batch.select(self.key)[rows].with_columns(pl.col("^_zone$").fill_null(cells.NO_ZONE))
        made = self.make(nw.from_native(said, eager_only=True)).to_native().drop(self.key)
        height = 0 if self.table is None else self.table.height
        self.table = made if self.table is None else pl.concat([self.table, made])
        self.place[new] = np.arange(height + 1, height + len(new) + 1)


class Lookups:
    """Cells and patterns of one model, for batches of typed rows."""

    def __init__(self, model: Model) -> None:
        self.country = np.zeros(_COUNTRY_CODES, dtype=np.int64)
        for position, code in enumerate(model.grid.countries.tolist(), 1):
            self.country[int(code, 36)] = position
        self.zones: dict[str, int] = {cells.NO_ZONE: 0}
        self.cells = Grown(cells.KEY, lambda keys: cells.table(model, keys))
        self.patterns = Grown(patterns.KEY, lambda keys: patterns.table(model, keys))

    def of(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What the cell and the pattern of each row say; ``rows`` has the columns of both keys."""
        codes = rows.select(
            pl.col("_iso3").str.to_integer(base=36, strict=False, dtype=pl.Int64).fill_null(0),
            pl.col("_division").str.to_integer(dtype=pl.Int64),
            pl.col("_tier").cast(pl.Int64),
            pl.col("_factors").cast(pl.Int64),
        )
        iso3, division, tier, factors = (codes[name].to_numpy() for name in codes.columns)
        # A code that no country has stays 0: making its cell says which.
        place = self.country.take(iso3) * _DIVISIONS + division
        place = (self._zones(rows["_zone"]) * (_countries(self.country) * _DIVISIONS) + place) * _TIERS + tier
        size = len(self.zones) * _countries(self.country) * _DIVISIONS * _TIERS
        found = self.cells.fetched(place, rows, size)
        return found, self.patterns.fetched(division * _PATTERNS + factors, rows, _DIVISIONS * _PATTERNS)

    def _zones(self, zones: pl.Series) -> Places | int:
        if zones.null_count() == zones.len():
            return 0
        stated = zones.fill_null(cells.NO_ZONE)
        for zone in stated.unique().sort().to_list():
            self.zones.setdefault(zone, len(self.zones))
        return stated.replace_strict(self.zones, return_dtype=pl.Int64).to_numpy()


def _countries(places: Places) -> int:
    return int(places.max()) + 1
