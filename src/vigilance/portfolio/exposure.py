"""From what is known of an issuer to places, activities and tiers, and from there to its risk.

An issuer is a mix of *parts* (activity, country). A part is a set of *cells* (country, activity, tier) with weights
that add up to 1 in each tier: where it works, and where the tiers behind it stand. With ``l = −ln(1 − P)`` of a cell,

    L(issuer, tier) = Σ weight · l ,   P(issuer) = 1 − exp(−Σ_tier L)

the chain formula of the method with one typical site per tier: a further tier never lowers it, and every cell's part
in the whole is a plain sum. Sums are made on integers, so that the order of rows changes no digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from vigilance.portfolio.inputs import MEASURES, CellScorer, World
from vigilance.terms import DIVISION_UNKNOWN, HAZARDS, TIER_UNKNOWN

UPSTREAM: Final = (2, 3, 4)
LEVELS: Final = ("supplier_file", "declared", "sector", "domicile", "nothing")
"""How an issuer's exposure is known, best first."""

MOMENTS: Final = tuple(f"{hazard}_{what}" for what in ("at_risk", "spread") for hazard in HAZARDS)
"""Beside the measures: what a tier holds at significant risk, and how far apart its cells lie."""

_GRAIN: Final = 1e12
_CERTAIN: Final = 1.0 - 1e-12


def exact_sum(expr: pl.Expr) -> pl.Expr:
    """A sum that does not depend on the order of its rows: on integers of 1e-12.

    It multiplies where one would divide (Polars divides by a constant in two ways, by the length of the column), and
    rounds to the same grain so that 0.3 is printed as 0.3.
    """
    return ((expr * _GRAIN + 0.5).floor().cast(pl.Int64).sum().cast(pl.Float64) * (1.0 / _GRAIN)).round(12)


def loss(expr: pl.Expr) -> pl.Expr:
    """``−ln(1 − P)``."""
    return -(-pl.min_horizontal(expr, pl.lit(_CERTAIN))).log1p()


def presence(expr: pl.Expr) -> pl.Expr:
    """``1 − exp(−L)``, without loss of digits for small L."""
    # sinh keeps the digits that 1 - exp(-x) loses: 1 - exp(-x) = 2·exp(-x/2)·sinh(x/2).
    return 2.0 * (-expr / 2.0).exp() * (expr / 2.0).sinh()


@dataclass(frozen=True)
class Exposure:
    """Where the issuers stand.

    ``parts``: ``issuer, component, share``. ``cells``: ``component, iso3, division, tier, weight`` and ``l`` of each
    measure. ``tiers``: one row per issuer and tier with ``L`` of each measure, ``<h>_at_risk`` (share of the tier in
    cells of significant risk) and ``<h>_spread``: how far apart the places and activities lie between which nothing is
    known (standard deviation of ``l`` at the median).
    """

    parts: pl.DataFrame
    cells: pl.DataFrame
    tiers: pl.DataFrame


def expose(
    parts: pl.DataFrame, world: World, home_share: Mapping[int, float], score: CellScorer, significant: float
) -> Exposure:
    """Place issuers and score their cells.

    ``parts``: ``issuer, division, iso3`` (null unknown), ``share`` (adds up to 1 per issuer), ``level`` (``declared``,
    ``sector`` or ``domicile``). ``home_share``: by tier, the share that stays in the country of the part.
    ``significant``: presence (80th percentile) from which a cell counts as at significant risk.
    """
    kinds = parts.select("division", "iso3", "level").unique().sort("level", "division", "iso3", nulls_last=True)
    cells = pl.concat(
        [
            _home(kinds, world, home_share),
            _abroad(kinds, world, home_share),
            _anywhere(kinds, world),
            _domicile(kinds),
        ]
    )
    cells = _scored(cells, score)
    owned = _components(kinds, cells)
    linked = (
        parts.join(owned, on=["division", "iso3", "level"], nulls_equal=True)
        .group_by("issuer", "component")
        .agg(share=exact_sum(pl.col("share")))
        .sort("issuer", "component")
    )
    return Exposure(linked, cells, _tiers(linked, cells, significant))


def _buys(world: World, tiers: Sequence[int]) -> pl.DataFrame:
    """What stands in each tier of a division: itself in tier 1, its upstream divisions behind; and whether placed."""
    placed = world.footprint.select(upstream="division").unique().with_columns(placed=pl.lit(value=True))
    divisions = pl.concat([world.upstream["division"], world.footprint["division"]]).unique().sort()
    own = pl.DataFrame({"division": divisions}).select(
        "division", tier=pl.lit(1, dtype=pl.Int8), upstream=pl.col("division"), share=pl.lit(1.0)
    )
    return (
        pl.concat([own, world.upstream])
        .filter(pl.col("tier").is_in(list(tiers)))
        .join(placed, on="upstream", how="left")
        .with_columns(pl.col("placed").fill_null(value=False))
    )


def _id(*parts: pl.Expr) -> pl.Expr:
    return pl.concat_str(*parts, separator="|").alias("component")


def _home(kinds: pl.DataFrame, world: World, home_share: Mapping[int, float]) -> pl.DataFrame:
    """What stays in the country of the part: a share of each tier, all of it where an activity has no footprint.

    A declared country is where the work is done: its first tier stays there whole.
    """
    wanted = kinds.filter(pl.col("iso3").is_not_null() & (pl.col("level") != "domicile"))
    stays = pl.DataFrame(
        {"tier": list(home_share), "stays": list(home_share.values())},
        schema={"tier": pl.Int8, "stays": pl.Float64},
    )
    whole = ~pl.col("placed") | ((pl.col("level") == "declared") & (pl.col("tier") == 1))
    known = _buys(world, (1, *UPSTREAM)).join(stays, on="tier")
    unknown_chain = wanted.join(known.select("division").unique(), on="division", how="anti").select(
        "division", "iso3", "level", tier=pl.lit(1, dtype=pl.Int8), upstream="division", weight=pl.lit(1.0)
    )
    return pl.concat(
        [
            wanted.join(known, on="division").select(
                "division",
                "iso3",
                "level",
                "tier",
                "upstream",
                weight=pl.col("share") * pl.when(whole).then(1.0).otherwise(pl.col("stays")),
            ),
            unknown_chain,
        ]
    ).select(
        _id(pl.col("level"), pl.col("division"), pl.col("iso3")),
        "iso3",
        division="upstream",
        tier="tier",
        weight="weight",
    )


def _abroad(kinds: pl.DataFrame, world: World, home_share: Mapping[int, float]) -> pl.DataFrame:
    """What is spread over the footprint of each activity when the country of the part is known."""
    wanted = kinds.filter(pl.col("iso3").is_not_null() & (pl.col("level") != "domicile"))
    leaves = pl.DataFrame(
        {"tier": list(home_share), "leaves": [1.0 - s for s in home_share.values()]},
        schema={"tier": pl.Int8, "leaves": pl.Float64},
    )
    return (
        wanted.select("division", "level")
        .unique()
        .join(_buys(world, (1, *UPSTREAM)), on="division")
        .filter(~((pl.col("level") == "declared") & (pl.col("tier") == 1)))
        .join(leaves, on="tier")
        .join(world.footprint.rename({"division": "upstream", "share": "there"}), on="upstream")
        .select(
            _id(pl.col("level"), pl.col("division"), pl.lit("abroad")),
            "iso3",
            division="upstream",
            tier="tier",
            weight=pl.col("share") * pl.col("leaves") * pl.col("there"),
        )
    )


def _anywhere(kinds: pl.DataFrame, world: World) -> pl.DataFrame:
    """The footprint alone, for a part whose country nobody states."""
    wanted = kinds.filter(pl.col("iso3").is_null() & (pl.col("level") != "domicile")).select("division").unique()
    return (
        wanted.join(_buys(world, (1, *UPSTREAM)).filter("placed"), on="division")
        .sort("division", "tier", "upstream")
        .with_columns(share=pl.col("share") / pl.col("share").sum().over("division", "tier"))
        .join(world.footprint.rename({"division": "upstream", "share": "there"}), on="upstream")
        .select(
            _id(pl.lit("sector"), pl.col("division"), pl.lit("anywhere")),
            "iso3",
            division="upstream",
            tier="tier",
            weight=pl.col("share") * pl.col("there"),
        )
    )


def _domicile(kinds: pl.DataFrame) -> pl.DataFrame:
    """A country and nothing else: one cell of unknown activity and tier."""
    return kinds.filter((pl.col("level") == "domicile") & pl.col("iso3").is_not_null()).select(
        _id(pl.lit("domicile"), pl.lit(DIVISION_UNKNOWN), pl.col("iso3")),
        "iso3",
        division=pl.lit(DIVISION_UNKNOWN),
        tier=pl.lit(TIER_UNKNOWN, dtype=pl.Int8),
        weight=pl.lit(1.0),
    )


def _components(kinds: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Which components make up each kind of part."""
    near = kinds.with_columns(
        _id(
            pl.when(pl.col("level") == "domicile").then(pl.lit("domicile")).otherwise("level"),
            pl.col("division"),
            pl.col("iso3").fill_null("anywhere"),
        )
    )
    far = kinds.filter(pl.col("iso3").is_not_null()).with_columns(
        _id(pl.col("level"), pl.col("division"), pl.lit("abroad"))
    )
    known = cells.select("component").unique()
    return pl.concat([near, far]).join(known, on="component", how="semi")


def _scored(cells: pl.DataFrame, score: CellScorer) -> pl.DataFrame:
    """Cells with ``l`` per measure; a cell that cannot be scored stands at the average of its activity and tier."""
    merged = (
        cells.group_by("component", "iso3", "division", "tier")
        .agg(weight=exact_sum(pl.col("weight")))
        .sort("component", "tier", "division", "iso3")
    )
    distinct = merged.select("iso3", "division", "tier").unique().sort("iso3", "division", "tier")
    scored = score(distinct).select("iso3", "division", "tier", *(loss(pl.col(m)).alias(m) for m in MEASURES))
    scored = scored.with_columns(
        pl.coalesce(pl.col(m), pl.col(m).mean().over("division", "tier"), pl.col(m).mean().over("tier"))
        for m in MEASURES
    )
    return merged.join(scored, on=["iso3", "division", "tier"], how="left", maintain_order="left")


def _tiers(parts: pl.DataFrame, cells: pl.DataFrame, significant: float) -> pl.DataFrame:
    """``L`` per issuer and tier, the share at risk, and the spread between the cells of a tier."""
    risky = {hazard: pl.col(f"{hazard}_p80") >= loss(pl.lit(significant)) for hazard in HAZARDS}
    medians = {hazard: pl.col(f"{hazard}_p50") for hazard in HAZARDS}
    by_component = cells.group_by("component", "tier").agg(
        *(exact_sum(pl.col("weight") * pl.col(m)).alias(m) for m in MEASURES),
        *(exact_sum(pl.col("weight") * l50 * l50).alias(f"_{h}_square") for h, l50 in medians.items()),
        *(exact_sum(pl.col("weight").filter(flag)).alias(f"{h}_at_risk") for h, flag in risky.items()),
    )
    weighed = parts.join(by_component, on="component")
    summed = weighed.group_by("issuer", "tier").agg(
        *(exact_sum(pl.col("share") * pl.col(m)).alias(m) for m in MEASURES),
        *(exact_sum(pl.col("share") * pl.col(f"_{h}_square")).alias(f"_{h}_square") for h in HAZARDS),
        *(exact_sum(pl.col("share") * pl.col(f"{h}_at_risk")).alias(f"{h}_at_risk") for h in HAZARDS),
    )
    spread = [
        (pl.col(f"_{h}_square") - l50 * l50).clip(lower_bound=0.0).sqrt().alias(f"{h}_spread")
        for h, l50 in medians.items()
    ]
    return summed.with_columns(*spread).select("issuer", "tier", *MEASURES, *MOMENTS).sort("issuer", "tier")
