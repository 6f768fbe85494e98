"""Base rates: what is expected of a site of which only the region and the broad activity are known.

Per 1,000 employed, by hazard (ILO Global Estimates 2021 and Profits and Poverty 2024; ILO and UNICEF, Child Labour
2024). The base is split in three lines that multiply: the world's average, the activity over it, the region over the
world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.terms import DIVISION_UNKNOWN, HAZARDS, Hazard

_ = messages("scoring")

WORLD = "world"
DOMESTIC = "domestic_work"
BROAD_SECTORS = ("agriculture", "industry", "services")


@dataclass(frozen=True)
class Base:
    """One hazard's base: the world rate (share of the employed), ln ratio by division and by country."""

    world: float
    activity: NDArray[np.float64]
    region: NDArray[np.float64]
    sources: dict[str, str]
    since: dict[str, str]


def newest(table: nw.DataFrame[Any], **where: str) -> dict[str, Any] | None:
    """The row of the newest year that fits, or nothing."""
    frame = table.filter(*(nw.col(column) == value for column, value in where.items()))
    rows: list[dict[str, Any]] = frame.sort("year").rows(named=True)
    return rows[-1] if rows else None


def bases(
    facts: Facts, judgements: Judgements, divisions: NDArray[np.str_], countries: nw.DataFrame[Any]
) -> dict[Hazard, Base]:
    """Base rates for the given divisions (D) and countries (C: ``iso3, ilo_region, un_subregion``).

    Raises ``UsageError`` when no estimate had been published on the date.
    """
    return {hazard: base_of(hazard, facts, judgements, divisions, countries) for hazard in HAZARDS}


def base_of(
    hazard: Hazard, facts: Facts, judgements: Judgements, divisions: NDArray[np.str_], countries: nw.DataFrame[Any]
) -> Base:
    """The base rate of one hazard; see ``bases``."""
    estimates = nw.from_native(facts.table("global_estimates"), eager_only=True)
    shares = {name: judgements.value(f"method.employment_share.{name}") for name in BROAD_SECTORS}
    rates, source, since = _sector_rates(hazard, estimates, judgements, shares)
    world = sum(shares[name] * rates[name] for name in BROAD_SECTORS)
    by_division = sectors(judgements, divisions)
    ratio = np.array([world if sector == WORLD else rates[sector] for sector in by_division]) / world
    region, region_source, region_since = _regions(hazard, facts, judgements, estimates, countries)
    return Base(
        world=world,
        activity=np.log(ratio),
        region=region,
        sources={"base": source, "activity": source, "region": region_source},
        since={"base": since, "activity": since, "region": region_since},
    )


def sectors(judgements: Judgements, divisions: NDArray[np.str_]) -> list[str]:
    """The broad sector of each division; the unknown activity stands for the world."""
    table = nw.from_native(judgements.table("broad_sector"), eager_only=True)
    by_code = dict(zip(table["division"].to_list(), table["sector"].to_list(), strict=True))
    return [WORLD if code == DIVISION_UNKNOWN else by_code[code] for code in divisions.tolist()]


def _sector_rates(
    hazard: Hazard, estimates: nw.DataFrame[Any], judgements: Judgements, shares: dict[str, float]
) -> tuple[dict[str, float], str, str]:
    """Rate per employed person by broad sector, with its source and its date."""
    if hazard is Hazard.FORCED_LABOUR:
        rows = {
            name: newest(estimates, hazard=hazard.value, dimension="activity_rate", key=name)
            for name in (*BROAD_SECTORS, DOMESTIC)
        }
        kept = _required(rows, hazard)
        return {name: row["value"] / 1000.0 for name, row in kept.items()}, *_said(kept["industry"])
    rows = {
        name: newest(estimates, hazard=hazard.value, dimension="activity", key=name, unit="percent of child labour")
        for name in BROAD_SECTORS
    }
    rows[WORLD] = newest(estimates, hazard=hazard.value, dimension="region", key=WORLD, unit="million children")
    kept = _required(rows, hazard)
    children = kept.pop(WORLD)["value"] * 1e6
    employed = judgements.value("method.employed_world_million") * 1e6
    rates = {name: children * row["value"] / 100.0 / (employed * shares[name]) for name, row in kept.items()}
    return {**rates, DOMESTIC: rates["services"]}, *_said(kept["industry"])


def _required(rows: Mapping[str, dict[str, Any] | None], hazard: Hazard) -> dict[str, dict[str, Any]]:
    missing = [name for name, row in rows.items() if row is None]
    if missing:
        raise UsageError(
            _("no estimate of {hazard} had been published on this date for: {names}").format(
                hazard=hazard.value, names=", ".join(missing)
            ),
            hint=_("score with a later --on; `vigilance data show global_estimates` lists the dates"),
        )
    return {name: row for name, row in rows.items() if row is not None}


def _said(row: dict[str, Any]) -> tuple[str, str]:
    return str(row["source"]), str(row["year"])


def _regions(
    hazard: Hazard,
    facts: Facts,
    judgements: Judgements,
    estimates: nw.DataFrame[Any],
    countries: nw.DataFrame[Any],
) -> tuple[NDArray[np.float64], str, str]:
    """ln of each country's regional prevalence over the world's."""
    regions = countries["ilo_region"].to_list()
    if hazard is Hazard.FORCED_LABOUR:
        unit = "per 1000 population"
        keys = sorted({*regions, WORLD})
        rows = _required(
            {key: newest(estimates, hazard=hazard.value, dimension="region", key=key, unit=unit) for key in keys},
            hazard,
        )
        level = {key: row["value"] / rows[WORLD]["value"] for key, row in rows.items()}
        return np.log([level[region] for region in regions]), *_said(rows[WORLD])
    shares = nw.from_native(facts.table("child_labour_share"), eager_only=True).filter(
        nw.col("level") == "region",
        nw.col("measure") == "child_labour",
        nw.col("unit") == "percent",
        nw.col("sex") == "total",
    )
    levels = _child_levels(shares)
    by_subregion = judgements.words("method.choices.child_labour_region")
    subregions = countries["un_subregion"].to_list()
    own = [by_subregion.get(sub, region) for sub, region in zip(subregions, regions, strict=True)]
    # Until a subregion had a figure of its own, that of its region, which counts it in, is what was known.
    wanted = [key if key in levels else region for key, region in zip(own, regions, strict=True)]
    _required({key: levels.get(key) for key in wanted}, hazard)
    last = max(row["year"] for row in levels.values())
    source = "ILO and UNICEF, Child labour: Global estimates"
    return np.log([levels[key]["level"] for key in wanted]), source, str(last)


def _child_levels(shares: nw.DataFrame[Any]) -> dict[str, dict[str, Any]]:
    """Each region's newest share of children in child labour, over the world's share of the same year.

    A region last estimated in an older year keeps its ratio to the world of that year, which is the same as scaling
    it by the world's fall since. Of several values for a region and year, the first of the table counts.
    """
    rows = shares.sort("year", "item", descending=[False, True]).rows(named=True)
    world = {row["year"]: row["value"] for row in rows if row["area"] == WORLD}
    levels: dict[str, dict[str, Any]] = {}
    for row in rows:
        if world and row["area"] != WORLD:
            year = min(world, key=lambda known: (abs(known - row["year"]), known))
            levels[row["area"]] = {"level": row["value"] / world[year], "year": row["year"]}
    if world:
        levels[WORLD] = {"level": 1.0, "year": max(world)}
    return levels
