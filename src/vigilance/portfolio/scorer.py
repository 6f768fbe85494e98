"""Scores of cells and of sites, from the scoring core: an exposure is a site of which only the place is known."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from vigilance.portfolio.inputs import MEASURES, CellScorer
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring import cells, model, patterns
from vigilance.scoring.assess import assess, tables
from vigilance.terms import ALL_UNKNOWN


class Scorer:
    """The model in force, built once for all cells and sites of a screening."""

    def __init__(self, facts: Facts, judgements: Judgements) -> None:
        self.model = model.build(facts, judgements)
        self.countries = facts.table("countries")["iso3"]

    def cells(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Cells ``iso3, division, tier`` with the eight measures; null for a country that does not exist."""
        sites = wanted.with_row_index("_row").select(
            _row=pl.col("_row").cast(pl.Int64),
            _supplier_id=pl.col("_row").cast(pl.String),
            _iso3="iso3",
            _division="division",
            _tier=pl.col("tier").cast(pl.Int8),
            _workers=pl.lit(None, dtype=pl.Float64),
            _migrant_share=pl.lit(None, dtype=pl.Float64),
            _factors=pl.lit(ALL_UNKNOWN, dtype=pl.Int32),
            _zone=pl.lit(cells.NO_ZONE),
        )
        scored = self.sites(sites)
        return (
            wanted.with_row_index("_row")
            .with_columns(pl.col("_row").cast(pl.Int64))
            .join(scored, on="_row", how="left", maintain_order="left")
            .drop("_row")
        )

    def sites(self, sites: pl.DataFrame) -> pl.DataFrame:
        """Typed sites (docs/architecture.md) to ``_row`` and the eight measures, without evidence."""
        usable = sites.filter(pl.col("_iso3").is_in(self.countries.implode())).with_columns(
            pl.col("_zone").fill_null(cells.NO_ZONE)
        )
        keys = [_keys(usable, cells.KEY), _keys(usable, patterns.KEY)]
        scores: Any = assess(nw.from_native(usable), self.model, tables(self.model, *keys))
        native: pl.DataFrame = nw.to_native(scores)
        return native.select("_row", *MEASURES)


def _keys(sites: pl.DataFrame, key: tuple[str, ...]) -> nw.DataFrame[Any]:
    distinct = sites.select(key).unique().sort(key)
    return nw.from_native(distinct, eager_only=True)


def cell_scorer(facts: Facts, judgements: Judgements) -> CellScorer:
    """The scoring core as a function on cells."""
    return Scorer(facts, judgements).cells
