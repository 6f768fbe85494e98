"""Trips: sites of one area that the same team can visit on one journey share its travel.

An area is a zone, else a cell of coordinates, else a country. Within an area and a class (same teams, same
months) sites are taken in order of worth per day, ``sites_per_trip`` at a time: the sites a plan is likely to
choose are then together, and a trip is nearly full or not made at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from vigilance.planning.inputs import SiteTable
from vigilance.planning.problem import Floats, Ints


@dataclass(frozen=True)
class Trips:
    """``trip`` (N,) of each site.

    Per trip (K,) the class, the country of its sites and the travel in person-days.
    """

    trip: Ints
    trip_class: Ints
    travel_days: Floats
    area: pl.Series


def form(
    table: SiteTable,
    site_class: Ints,
    worth_per_day: Floats,
    sites_per_trip: int,
    cell_degrees: float,
    days_per_trip: float,
    days_by_country: dict[str, float],
) -> Trips:
    """Group the sites into trips; deterministic, whatever the order of the input (sites are sorted by id)."""
    frame = table.frame.select("_iso3", "_zone", "_lat", "_lng").with_columns(
        _area(cell_degrees).alias("area"),
        pl.Series("class", site_class),
        pl.Series("worth", worth_per_day).fill_nan(0.0),
    )
    ranked = frame.with_columns(
        (pl.col("worth").rank("ordinal", descending=True).over("area", "class") - 1)
        .floordiv(sites_per_trip)
        .alias("round")
    )
    numbered = ranked.select("area", "class", "round", "_iso3").with_row_index("row")
    trips = (
        numbered.group_by("area", "class", "round")
        .agg(pl.col("_iso3").first())
        .sort("area", "class", "round")
        .with_row_index("trip")
    )
    joined = numbered.join(trips.drop("_iso3"), on=["area", "class", "round"], how="left", maintain_order="left")
    days = trips["_iso3"].replace_strict(
        list(days_by_country), list(days_by_country.values()), default=days_per_trip, return_dtype=pl.Float64
    )
    return Trips(
        trip=joined["trip"].to_numpy().astype(np.int64),
        trip_class=trips["class"].to_numpy().astype(np.int64),
        travel_days=days.to_numpy().astype(np.float64),
        area=trips["area"],
    )


def _area(cell_degrees: float) -> pl.Expr:
    country = pl.col("_iso3").fill_null("?")
    cell = pl.format(
        "{}:{}:{}",
        country,
        (pl.col("_lat") / cell_degrees).floor().cast(pl.Int64),
        (pl.col("_lng") / cell_degrees).floor().cast(pl.Int64),
    )
    zone = pl.format("{}:{}", country, pl.col("_zone"))
    return pl.coalesce(zone, cell, country)
