"""The country's line of the rate: the index against its region, and what that makes of the published estimates.

Scores and ``vigilance countries`` read both from here, so that what is shown is what is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.errors import UsageError
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring.base import WORLD, base_of
from vigilance.terms import DIVISION_UNKNOWN, HAZARDS, Hazard

Floats = NDArray[np.float64]

PER: Final = 1000.0
"""Rates are shown per so many employed people."""
UNITS: Final = 10.0**6
"""Shown ratios and rates are on a grid of 10^-6, as the index is."""


@dataclass(frozen=True)
class Countries:
    """One hazard's country term (C): ln ratio, its variance, and what knowing the country is worth in the grade.

    ``centred`` is the index less its region's centre, ``sd`` the standard deviation of the index.
    """

    centred: Floats
    sd: Floats
    ln: Floats
    var: Floats
    weight: Floats
    known: Floats


def known_countries(facts: Facts, index: nw.DataFrame[Any], used: str = "index") -> nw.DataFrame[Any]:
    """The countries of ``data/countries``, sorted, with their index, their population and ``<h>_index_used``.

    ``index`` is what ``country_index`` gives; ``used`` the column of it that makes the ratio.
    """
    known = nw.from_native(facts.table("countries"), eager_only=True).sort("iso3")
    # Territories that the ILO assigns to no region (Antarctica, ...) stand at the world's average.
    known = known.with_columns(nw.col("ilo_region").fill_null(WORLD))
    countries = known.join(index.drop("ilo_region"), on="iso3", how="left").sort("iso3")
    people = nw.from_native(facts.table("population"), eager_only=True).select("iso3", "million")
    countries = countries.join(people, on="iso3", how="left").sort("iso3")
    return countries.with_columns(nw.col(f"{h}_{used}").alias(f"{h}_index_used") for h in HAZARDS)


def country_term(
    hazard: Hazard, judgements: Judgements, countries: nw.DataFrame[Any], regions: NDArray[np.str_]
) -> Countries:
    """β·X, centred so that the ratios of a region's countries average to one, each weighing its population.

    The regional prevalence is itself an average over the people of the region, so that nothing of it is counted twice.
    A country of which nothing is known stands at the average.
    """
    slope = judgements.get(f"method.country_slope.{hazard}")
    now = _filled(countries, f"{hazard}_index", np.nan)
    then = _filled(countries, f"{hazard}_index_used", np.nan)
    people = _filled(countries, "million", 0.0)
    # Before the first estimate of population had been published, countries weigh the same.
    weights = np.where(np.isnan(now), 0.0, people if people.any() else 1.0)
    spread, centre = np.zeros(len(regions)), np.zeros(len(regions))
    for region in np.unique(regions):
        mine = (regions == region) & (weights > 0)
        if mine.any():
            share = weights[mine] / weights[mine].sum()
            spread[regions == region] = np.std(now[mine])
            centre[regions == region] = np.log(share @ np.exp(slope.value * now[mine])) / slope.value
    centred_index = np.where(np.isnan(then), 0.0, then - centre)
    sd = np.where(np.isnan(then), spread, _filled(countries, f"{hazard}_sd", 0.0))
    between = (slope.value * spread) ** 2
    return Countries(
        centred=centred_index,
        sd=sd,
        ln=slope.value * centred_index,
        var=(centred_index * slope.sd) ** 2 + (slope.value * sd) ** 2,
        weight=between,
        known=between * _filled(countries, f"{hazard}_coverage", 0.0),
    )


def _filled(frame: nw.DataFrame[Any], column: str, missing: float) -> Floats:
    values: Floats = frame[column].cast(nw.Float64).to_numpy().astype(float)
    return np.where(np.isnan(values), missing, values)


def country_rates(facts: Facts, judgements: Judgements, index: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """What the index makes of a country in scores: ``iso3``, per hazard ``<h>_ratio, _region_rate, _rate``.

    The ratio is to the average of its ILO region. Rates are people affected per 1,000 employed, of all activities
    together as the world mixes them (``method.employment_share``): that of the region as published, and that times the
    ratio, which is what a site of an unknown activity starts from before listings, programmes and factors. Null where
    nothing is known of the country; rates also where no estimate had been published yet.
    """
    countries = known_countries(facts, index)
    regions = countries["ilo_region"].to_numpy().astype("U24")
    shown: dict[str, list[Any]] = {"iso3": countries["iso3"].to_list()}
    for hazard in HAZARDS:
        known = ~np.isnan(_filled(countries, f"{hazard}_index", np.nan))
        ratio = np.where(known, np.exp(country_term(hazard, judgements, countries, regions).ln), np.nan)
        region = _region_rates(hazard, facts, judgements, countries)
        shown |= {
            f"{hazard}_ratio": _shown(ratio),
            f"{hazard}_region_rate": _shown(region),
            f"{hazard}_rate": _shown(region * ratio),
        }
    numbers = dict.fromkeys(list(shown)[1:], nw.Float64())
    return nw.from_dict(shown, schema={"iso3": nw.String(), **numbers}, backend=countries.implementation)


def _region_rates(hazard: Hazard, facts: Facts, judgements: Judgements, countries: nw.DataFrame[Any]) -> Floats:
    """The published rate of each country's region (C), NaN where none had been published on the date."""
    try:
        base = base_of(hazard, facts, judgements, np.array([DIVISION_UNKNOWN]), countries)
    except UsageError:
        return np.full(len(countries), np.nan)
    rates: Floats = PER * base.world * np.exp(base.activity[0] + base.region)
    return rates


def _shown(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(np.floor(value * UNITS + 0.5) / UNITS) for value in values]
