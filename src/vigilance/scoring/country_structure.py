"""Structure: what a State has bound itself to, read by how far it is applied (method section 4).

The method's own formula, L = 1 - mean R (.2 + .8 A), lets a ratification lower the risk while application stands still,
which its law 7 forbids. Here a convention counts by its application alone, and ratification decides how much of an
improvement of application is credited: docs/country-index.md gives the reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.country_channels import faded
from vigilance.scoring.country_observations import (
    MOMENT,
    Tables,
    coded,
    known_by,
    moments_frame,
    year_number,
)
from vigilance.scoring.country_rules import CountryRules

DENOUNCED: Final = "denounced"


def supervision(tables: Tables, rules: CountryRules, moments: Sequence[date]) -> nw.LazyFrame[Any]:
    """Columns ``moment, iso3, convention, gravity`` (0 to 1): the gravest case known then, faded by its age.

    The table is a sample, so a country without a case is not in it: silence is not compliance.
    """
    cases = coded(tables["supervision"], "kind", rules.group("supervision.gravity"))
    age = nw.col("year_then") - nw.col("year_known")
    return (
        cases.with_columns(year_number("known_on").alias("year_known"))
        .join(moments_frame(cases, moments), how="cross")
        .filter(known_by(nw.col("day")))
        .with_columns(gravity=nw.col("value") * faded(age, rules.number("supervision.half_life_years")))
        .group_by(MOMENT, "iso3", "convention")
        .agg(nw.col("gravity").max())
    )


def statuses(by_moment: Sequence[nw.LazyFrame[Any]], rules: CountryRules) -> nw.LazyFrame[Any]:
    """Give columns ``moment, iso3, convention, bound`` (0 to 1) and ``denounced`` (0 or 1) at each moment."""
    stacked = [
        frame.select("iso3", "convention", "status", nw.lit(moment).cast(nw.Int64()).alias(MOMENT))
        for moment, frame in enumerate(by_moment)
    ]
    return coded(nw.concat(stacked), "status", rules.group("bound"), "bound").select(
        MOMENT,
        "iso3",
        "convention",
        "bound",
        (nw.col("status") == DENOUNCED).cast(nw.Float64()).alias("denounced"),
    )


def gap(rules: CountryRules) -> nw.Expr:
    """How far one convention is from being applied (0 to 1): more where its text is missing or a State withdrew.

    Reads ``process``, ``imposed``, ``law``, ``gravity``, ``denounced``; null where process is.
    A law that meets every standard adds nothing by itself: it is its application that protects.
    """
    applied = (
        (1.0 - nw.col("process"))
        * (1.0 - nw.col("imposed"))
        * (1.0 - rules.number("structure.law_shortfall") * (1.0 - nw.col("law").fill_null(1.0)))
        * (1.0 - nw.col("gravity").fill_null(0.0))
    )
    withdrawal = rules.number("structure.withdrawal") * nw.col("denounced").fill_null(0.0)
    return (1.0 - applied + withdrawal).clip(0.0, 1.0)


def gaps(
    frame: nw.LazyFrame[Any],
    conventions: nw.LazyFrame[Any],
    law: nw.LazyFrame[Any],
    cases: nw.LazyFrame[Any],
    bound: nw.LazyFrame[Any],
    rules: CountryRules,
) -> nw.LazyFrame[Any]:
    """Add ``gap`` and ``bound``, each the mean over the conventions of the hazard.

    ``frame`` has one row per country, moment and hazard with ``process, imposed``; ``conventions`` has ``convention,
    hazard``; ``law`` has ``iso3, moment, convention, law``; ``cases`` comes from ``supervision``, ``bound`` from
    ``statuses``.
    """
    keys, each = ["iso3", MOMENT, "hazard"], ["iso3", MOMENT, "convention"]
    long = (
        frame.select(*keys, "process", "imposed")
        .join(conventions, on="hazard", how="inner")
        .join(law, on=each, how="left")
        .join(cases, on=each, how="left")
        .join(bound, on=each, how="left")
        .with_columns(gap=gap(rules), bound=nw.col("bound").fill_null(0.0))
    )
    # Two conventions per hazard: their sum is the same in either order.
    averages = long.group_by(*keys).agg(nw.col("gap").mean(), nw.col("bound").mean())
    return frame.join(averages, on=keys, how="left")


def structure(rules: CountryRules) -> nw.Expr:
    """Structure (0 to 1) from ``gap``, ``gap_before`` (a window earlier) and ``bound``.

    A gap that widened weighs more than one that narrowed, and narrowing is credited only as far as the State is bound:
    the gap narrows only when application rises, so a ratification alone changes nothing.
    """
    change = nw.col("gap") - nw.col("gap_before")
    worse = rules.number("structure.worsening") * change.clip(lower_bound=0.0)
    better = rules.number("structure.improvement") * (-change).clip(lower_bound=0.0) * nw.col("bound")
    return (nw.col("gap") + worse - better).clip(0.0, 1.0)
