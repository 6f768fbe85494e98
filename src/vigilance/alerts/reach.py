"""Whom an alert concerns: every site at its place, at any tier, and every buyer above one of them."""

from __future__ import annotations

import polars as pl


def no_reach() -> pl.DataFrame:
    """Nobody."""
    return pl.DataFrame(schema={"id": pl.String, "supplier_id": pl.String, "how": pl.String})


def with_regions(sites: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    """Sites with ``region``: the subdivision that holds their zone, or the zone itself where it is one.

    ``zones`` is the table ``data/zones`` (``zone, kind, parent_zone``).
    """
    own = zones.select(
        "zone",
        region=pl.when(pl.col("kind") == "subdivision").then(pl.col("zone")).otherwise(pl.col("parent_zone")),
    )
    return sites.join(own, on="zone", how="left", maintain_order="left")


def sites_at(level: str, place: str, sites: pl.DataFrame) -> pl.Series:
    """The ids of the sites that an alert at a place concerns.

    ``sites`` has ``supplier_id, parent, zone, region, country``. A company named at site level is reached by its name.
    """
    at = {
        "site": (pl.col("supplier_id") == place) | (pl.col("parent") == place).fill_null(value=False),
        "zone": (pl.col("zone") == place) | (pl.col("region") == place),
        "region": (pl.col("region") == place) | (pl.col("zone") == place),
        "country": pl.col("country") == place,
    }[level]
    return sites.filter(at.fill_null(value=False))["supplier_id"].unique().sort()


def buyers_above(ids: pl.Series, links: pl.DataFrame | None) -> pl.Series:
    """Everyone who buys from one of these sites, or from one who does, however long the chain."""
    empty = pl.Series([], dtype=pl.String)
    if links is None or not links.height:
        return empty
    edges = links.select("_buyer_id", "_supplier_id").unique()
    known, front = empty, ids
    while len(front):
        above = edges.filter(pl.col("_supplier_id").is_in(front.implode()))["_buyer_id"].unique()
        front = above.filter(~above.is_in(known.implode()))
        known = pl.concat([known, front])
    return known.filter(~known.is_in(ids.implode())).unique().sort()


def reach(sent: pl.DataFrame, sites: pl.DataFrame, links: pl.DataFrame | None) -> pl.DataFrame:
    """``id, supplier_id, how`` (site or buyer) for each alert that is sent, sorted."""
    rows = [no_reach()]
    for alert, level, place in sent.select("id", "level", "place").iter_rows():
        ids = sites_at(level, place, sites)
        for how, found in (("site", ids), ("buyer", buyers_above(ids, links))):
            rows.append(
                pl.DataFrame({"supplier_id": found}).select(
                    id=pl.lit(alert), supplier_id="supplier_id", how=pl.lit(how)
                )
            )
    return pl.concat(rows).sort("id", "how", "supplier_id")
