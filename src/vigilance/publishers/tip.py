"""US Department of State: tiers of the Trafficking in Persons Report.

Layouts read: one row per country (``Country, Tier`` and, where there is one, ``Year``); one column per year; and the
page of tier placements, one column per tier with the countries under it. CSV, XLSX or saved page.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.publishers import files
from vigilance.publishers.places import with_iso3
from vigilance.publishers.reading import Reading

_ = messages("data")

PUBLISHER: Final = "US Department of State"
COUNTRY: Final = ("country", "country_name", "countries", "state", "name")
TIER: Final = ("tier", "tier_placement", "tier_ranking", "ranking")
YEAR: Final = ("year", "report_year", "edition")
COMPLETE: Final = 150
"""Governments that a complete year has at least; the reports of the last ten years have 180 to 190."""


def recognise(path: Path, as_of: date | None = None) -> Reading:
    """Read tier placements; ``as_of`` is the day of the report where the file has no year.

    Raises ``InputRefused`` when the layout is none of the three, ``UsageError`` when the year is not known.
    """
    long = _long(path)
    if "year" not in long.columns:
        if as_of is None:
            raise UsageError(
                _("{path} does not say of which year it is").format(path=path.name),
                hint=_("say when the report was published: --as-of 2025-09-29"),
            )
        long = long.with_columns(pl.lit(as_of.year).alias("year"))
    rows, problems = with_iso3(long, "country", path.name)
    rows = rows.with_columns(_tier("tier").alias("tier"), pl.col("year").cast(pl.Int64, strict=False))
    unread = rows.filter(pl.col("tier").is_null()).height
    rows = rows.drop_nulls(["tier", "year"]).unique(["iso3", "year"], keep="first", maintain_order=True)
    complete = pl.len().over("year") >= COMPLETE
    published = pl.date(pl.col("year"), 12, 31)
    if as_of is not None:
        published = pl.when(pl.col("year") == as_of.year).then(pl.lit(as_of)).otherwise(published)
    rows = rows.select(
        "iso3",
        "year",
        "tier",
        complete.alias("complete_year"),
        published.alias("known_on"),
        pl.lit("US Department of State, the publisher's own file").alias("source"),
        pl.lit("seen").alias("confidence"),
    )
    found = [problems]
    if unread:
        message = _("{count} placements that are none of the tiers: set aside").format(count=unread)
        found.append(issues.frame([issues.issue("tier", message, severity="warning", file=path.name)]))
    return Reading("trafficking_tiers", PUBLISHER, rows, as_of=as_of, issues=issues.ordered(found))


def _long(path: Path) -> pl.DataFrame:
    """``country, tier`` and, where the file has it, ``year``, as text."""
    try:
        frame = files.find(path, (COUNTRY, TIER)).frame
    except InputRefused:
        return _placements(path)
    country = next(name for name in COUNTRY if name in frame.columns)
    tier = next(name for name in TIER if name in frame.columns)
    year = next((name for name in YEAR if name in frame.columns), None)
    kept = {"country": pl.col(country), "tier": pl.col(tier)}
    return frame.select(**kept, **({"year": pl.col(year)} if year else {}))


def _placements(path: Path) -> pl.DataFrame:
    try:
        frame = files.find(path, (("tier_1",), ("tier_3",))).frame
        tiers = [name for name in frame.columns if name.startswith(("tier_", "special"))]
        # State's page repeats a tier over two columns when its list is long; the second one is numbered here.
        long = frame.select(tiers).unpivot(on=tiers, variable_name="tier", value_name="country")
        named = pl.col("tier").str.replace(r"^(tier_2_watch_list|tier_[123]|special_cases?).*$", "$1")
        return long.select("country", named).drop_nulls("country")
    except InputRefused:
        frame = files.find(path, (COUNTRY,)).frame
    country = next(name for name in COUNTRY if name in frame.columns)
    years = [name for name in frame.columns if name.isdigit() and len(name) == 4]
    if not years:
        raise InputRefused(
            _("{path}: no tiers in it").format(path=path.name),
            hint=_("columns wanted: {names}").format(names="Country, Tier; Country, 2024, 2025; Tier 1, Tier 2, ..."),
        )
    long = frame.unpivot(on=years, index=country, variable_name="year", value_name="tier")
    return long.rename({country: "country"}).drop_nulls("tier")


def _tier(column: str) -> pl.Expr:
    """``tier_1``, ``tier_2``, ``tier_2_watch_list``, ``tier_3`` or ``special_case``; null for anything else."""
    text = pl.col(column).str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "_").str.strip_chars("_")
    return (
        pl.when(text.str.contains(r"^(tier_)?2_?(wl|watch_?list)$|^tier_2_watch|^watch_?list$|^2_5$"))
        .then(pl.lit("tier_2_watch_list"))
        .when(text.str.contains(r"^(tier_?)?[123]$"))
        .then(pl.concat_str([pl.lit("tier_"), text.str.extract(r"([123])$")]))
        .when(text.str.contains(r"^special"))
        .then(pl.lit("special_case"))
    )
