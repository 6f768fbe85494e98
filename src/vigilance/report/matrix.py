"""The places of a list: the cells of the risk matrix in which it has sites, and its countries."""

from __future__ import annotations

from typing import Final

import polars as pl

from vigilance import matrix as whole
from vigilance.report.material import WINDOW_YEARS, Material
from vigilance.terms import BANDS, DIVISION_UNKNOWN, HAZARDS

SIGNS: Final = {"up": 1, "same": 0, "down": -1}
EMPTY: Final = {"p50": pl.Float64, "p80": pl.Float64, "band": pl.String, "p50_before": pl.Float64}
CONVENTIONS: Final = ("c029", "c105", "c138", "c182", "p029")


def matrix(material: Material) -> pl.DataFrame:
    """One row per country and stated activity of the list, sorted.

    ``iso3, division, sites`` and per hazard ``<h>_p50, _p80, _band`` (of a site of which nothing else is known),
    ``<h>_p50_before`` (five years before), ``<h>_direction`` (-1 better, 0 same, 1 worse), ``<h>_severe`` (sites of
    the list in the severe band) and ``<h>_grade`` (the most common evidence grade of its sites).
    """
    sites = material.sites.filter(pl.col("_division") != DIVISION_UNKNOWN)
    cells = (
        sites.group_by(pl.col("_iso3").alias("iso3"), pl.col("_division").alias("division"))
        .agg(
            pl.len().alias("sites"),
            *((pl.col(f"{h}_band") == "severe").sum().alias(f"{h}_severe") for h in HAZARDS),
            *(pl.col(f"{h}_grade").mode().sort().first().alias(f"{h}_grade") for h in HAZARDS),
        )
        .sort("iso3", "division")
    )
    countries, divisions = (sorted(cells[c].unique().to_list()) for c in ("iso3", "division"))
    if not countries:
        nothing = [pl.lit(None, dtype=kind).alias(f"{h}_{name}") for h in HAZARDS for name, kind in EMPTY.items()]
        return cells.with_columns(*nothing, *(pl.lit(0, dtype=pl.Int8).alias(f"{h}_direction") for h in HAZARDS))
    found = whole.matrix(
        material.facts.reference, material.judgements, material.run.on, WINDOW_YEARS, countries, divisions
    ).cells
    wanted = ("p50", "p80", "band", "p50_before", "direction")
    kept = found.select("iso3", "division", *(f"{h}_{name}" for h in HAZARDS for name in wanted))
    signed = kept.with_columns(
        pl.col(f"{h}_direction").replace_strict(SIGNS, default=0, return_dtype=pl.Int8) for h in HAZARDS
    )
    return cells.join(signed, on=["iso3", "division"], how="inner").sort("iso3", "division")


def by_country(material: Material) -> pl.DataFrame:
    """One row per country of the list, most severe first.

    ``iso3, sites``, per hazard ``<h>_<band>`` (sites), ``<h>_index, _index_5_years_before, _coverage``, and the status
    of the conventions.
    """
    counted = material.sites.group_by(pl.col("_iso3").alias("iso3")).agg(
        pl.len().alias("sites"),
        *((pl.col(f"{h}_band") == str(b)).sum().alias(f"{h}_{b}") for h in HAZARDS for b in BANDS),
    )
    index = material.model.countries.to_native()
    kept = [f"{h}_{what}" for h in HAZARDS for what in ("index", "index_5_years_before", "coverage")]
    known = index.select("iso3", *kept, *CONVENTIONS).with_columns(pl.col(pl.Float64).fill_nan(None))
    order = [f"{HAZARDS[0]}_severe", f"{HAZARDS[1]}_severe", "sites", "iso3"]
    return counted.join(known, on="iso3", how="left").sort(order, descending=[True, True, True, False])
