"""Channels: ways into forced labour that a mean over indicators would dilute.

Each acts on top of a part as ``x = 1 - (1 - x)(1 - channel)``: where a channel is absent nothing changes, so a country
without a row in these tables is not made safer by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw

from vigilance.scoring.country_observations import MOMENT, Tables, coded, moments_frame, year_number
from vigilance.scoring.country_rules import CountryRules


def faded(age: nw.Expr, half_life: float) -> nw.Expr:
    """2 to the power of minus age over half-life; both in years."""
    return nw.lit(2.0) ** (-age / half_life)


def joined(first: nw.Expr, *channels: nw.Expr) -> nw.Expr:
    """``1 - (1 - x)(1 - channel)...``; null where x is.

    A part of which nothing else is known is not made of its channels alone: a weak one would then pass for the whole
    part and could lower the index.
    """
    spared = 1.0 - first
    for channel in channels:
        spared = spared * (1.0 - channel)
    return 1.0 - spared


def imposed(tables: Tables, rules: CountryRules, moments: Sequence[date]) -> nw.LazyFrame[Any]:
    """Columns ``iso3, moment, imposed`` (0 to 1): labour imposed by the State, the gravest programme or listing.

    A programme counts at earlier moments too: the day on which it became known is not the day on which it began.
    One that ended fades from then on.
    """
    levels = rules.group("channel.state_imposed")
    programmes = tables["state_imposed"].filter(nw.col("link") == "direct")
    level = (
        nw.when(nw.col("place_kind") == "zone")
        .then(nw.lit(levels["zone"]))
        .when(nw.col("isic_division") == "all")
        .then(nw.lit(levels["all_activities"]))
        .otherwise(nw.lit(levels["some_activities"]))
    )
    listed = tables["enforcement"].filter(nw.col("kind") == "state_policy_list")
    both = nw.concat(
        [
            programmes.select("iso3", "until", level.alias("level")),
            listed.select("iso3", "until", nw.lit(levels["listed"]).alias("level")),
        ]
    )
    since_end = (nw.col("year_then") - year_number("until")).clip(lower_bound=0.0).fill_null(0.0)
    return (
        both.join(moments_frame(both, moments), how="cross")
        .with_columns(imposed=nw.col("level") * faded(since_end, levels["half_life_years"]))
        .group_by("iso3", MOMENT)
        .agg(nw.col("imposed").max())
    )


def sponsored(tables: Tables, rules: CountryRules) -> nw.LazyFrame[Any]:
    """Columns ``iso3, sponsored`` (0 to 1): strength of the regime, times the share of the employed whom it binds."""
    shares = dict(rules.group("migrant_share"))
    elsewhere = shares.pop("other")
    regimes = tables["sponsorship"].select("iso3", "strength")
    known = coded(regimes.select("iso3"), "iso3", shares, "share")
    strength = nw.col("strength") ** rules.number("channel.sponsorship.exponent")
    return regimes.join(known, on="iso3", how="left").select(
        "iso3", (strength * nw.col("share").fill_null(elsewhere)).alias("sponsored")
    )
