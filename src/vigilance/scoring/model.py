"""The model in force: facts and judgements of one date, turned into small tables that rows are looked up in.

``build`` reads everything once. Shapes: C countries × D divisions × 4 tiers; variances are on the scale of ln π. The
model holds no row of a user's file, and is the same for every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring import lines
from vigilance.scoring.activities import Activities, activities
from vigilance.scoring.base import Base, bases
from vigilance.scoring.cell_factors import Listed, Listing, list_lines, listed, over_unknown, state_imposed
from vigilance.scoring.centring import Axes, axes, ln_average
from vigilance.scoring.country import country_index
from vigilance.scoring.country_term import Countries, country_term, known_countries
from vigilance.scoring.listings import Grid, Programmes, programmes
from vigilance.scoring.neighbours import Graded
from vigilance.scoring.site_numbers import Shares, migrants, over_unknown_migrants, size, sponsorship
from vigilance.scoring.uncertainty import at_least, held, over_unknown_activity
from vigilance.terms import HAZARDS, TIERS, Hazard

Floats = NDArray[np.float64]
States = NDArray[np.int8]


@dataclass(frozen=True)
class TierTerm:
    """One hazard's tier term, D×5: column 0 for an unknown tier (the activity's average), then tiers 1 to 4."""

    ln: Floats
    var: Floats
    weight: Floats


@dataclass(frozen=True)
class Audited:
    """What statistics of audits make of the rate of each cell (C×D), and the date of the newest of them.

    ``var`` is taken from that of the base: what the line leaves open is part of what the base left open before it.
    """

    ln: Floats
    var: Floats
    since: str


@dataclass(frozen=True)
class HazardModel:
    """Everything that differs between the two hazards."""

    base: Base
    base_var: float
    unknown_activity_var: float
    unknown_activity: Floats
    """What an unknown activity adds to the variance (C): its own, and at least what the terms of any other would."""
    country: Countries
    tier: TierTerm
    workforce: Graded
    """The usual workforce of the activity against that of its broad sector (D)."""
    listings: dict[str, Listing]
    neighbours: dict[str, Graded]
    """What is listed around a cell (C×D each), by line."""
    list_bound: Floats
    balance: Floats
    """ln of what holds the lines of the list together, and of what evens out averages (C×D): ``cell_factors``."""
    migrants: Shares | None
    sponsorship: Shares | None
    editions: dict[str, str]
    audited: Audited | None = None


@dataclass(frozen=True)
class Model:
    """Facts and judgements of one date, ready to be looked up."""

    facts: Facts
    judgements: Judgements
    grid: Grid
    countries: nw.DataFrame[Any]
    activities: Activities
    programmes: Programmes
    zone_prevalence: float
    zones: NDArray[np.str_]
    """The ids of the zones that ``data/zones`` knows."""
    strength: Floats
    hazards: dict[Hazard, HazardModel]

    def country_places(self, iso3: NDArray[np.str_]) -> NDArray[np.intp]:
        """Positions of country codes; raises ``KeyError`` for one that ``data/countries`` does not hold."""
        place = np.minimum(np.searchsorted(self.grid.countries, iso3), len(self.grid.countries) - 1)
        wrong = self.grid.countries[place] != iso3
        if wrong.any():
            raise KeyError(f"no such country in data/countries: {sorted(set(iso3[wrong].tolist()))}")
        return place


def build(facts: Facts, judgements: Judgements, *, earlier: Facts | None = None) -> Model:
    """The model in force on a date.

    With ``earlier``, the model of some years before, like for like: the country index as it stood then (its column
    ``_index_5_years_before``), the lists and programmes known then, and the base rates of ``facts``, so that what moves
    between the two is the world and not the estimates. Raises ``UsageError`` when no base rate had been published yet.
    """
    index = nw.from_native(country_index(facts, judgements), eager_only=True)
    countries = known_countries(facts, index, "index" if earlier is None else "index_5_years_before")
    profile = activities(judgements)
    grid = Grid(countries=countries["iso3"].to_numpy().astype("U3"), divisions=profile.codes)
    regions = countries["ilo_region"].to_numpy().astype("U24")
    found = programmes(earlier or facts, grid)
    now = listed(facts, judgements, grid, found if earlier is None else programmes(facts, grid))
    seen = (now, now if earlier is None else listed(earlier, judgements, grid, found))
    at = axes(judgements, countries, profile.codes)
    base = bases(facts, judgements, profile.codes, countries)
    strength = _strength(facts, grid)
    return Model(
        facts=facts,
        judgements=judgements,
        grid=grid,
        countries=countries,
        activities=profile,
        programmes=found,
        zone_prevalence=judgements.value("factors.state_imposed_zone.zone_share"),
        zones=nw.from_native(facts.table("zones"), eager_only=True)["zone"].to_numpy().astype("U"),
        strength=strength,
        hazards={
            hazard: _hazard(
                hazard, facts, judgements, grid, countries, regions, profile, found, strength, base[hazard], at, seen
            )
            for hazard in HAZARDS
        },
    )


def _hazard(
    hazard: Hazard,
    facts: Facts,
    judgements: Judgements,
    grid: Grid,
    countries: nw.DataFrame[Any],
    regions: NDArray[np.str_],
    profile: Activities,
    found: Programmes,
    strength: Floats,
    base: Base,
    at: Axes,
    seen: tuple[Listed, Listed],
) -> HazardModel:
    workforce = _workforce(hazard, judgements, profile, at)
    rates = base.activity[None, :] + base.region[:, None]
    made = list_lines(hazard, judgements, facts, grid, at, seen, (rates, workforce.ln[None, :]))
    listings = dict(made.listings)
    if judgements.has(f"factors.{lines.STATE_IMPOSED}.ratio.{hazard}"):
        listings[lines.STATE_IMPOSED] = state_imposed(hazard, judgements, grid, regions, found)
    unknown = judgements.sd_ln(f"method.base_unknown_activity.{hazard}") ** 2
    tier, shares = _tier_term(hazard, judgements, profile), migrants(hazard, judgements, profile)
    sponsored = sponsorship(hazard, judgements, profile, strength, regions)
    by_state = [*np.moveaxis(profile.factors[hazard].var, 1, 0), tier.var, size(judgements, profile).var[:, None]]
    by_state += [workforce.var[:, None]]
    by_state += [] if shares is None else [over_unknown_migrants(shares)]
    by_cell = [over_unknown(one, found.zones if name == lines.STATE_IMPOSED else {}) for name, one in listings.items()]
    by_cell += [one.var for one in made.graded.values()]
    by_cell += [] if sponsored is None else [sponsored.unknown_var]
    return HazardModel(
        base=base,
        base_var=judgements.sd_ln(f"method.base_range.{hazard}") ** 2,
        unknown_activity_var=unknown,
        unknown_activity=np.maximum(unknown, over_unknown_activity(by_state, by_cell)),
        country=country_term(hazard, judgements, countries, regions),
        tier=tier,
        workforce=workforce,
        listings=listings,
        neighbours=made.graded,
        list_bound=made.bound,
        balance=made.balance,
        migrants=shares,
        sponsorship=sponsored,
        editions={**dict.fromkeys(lines.LISTS, seen[1].edition), lines.STATE_IMPOSED: found.since},
    )


def _workforce(hazard: Hazard, judgements: Judgements, profile: Activities, at: Axes) -> Graded:
    """How the workforce that is usual in an activity moves its rate from that of its broad sector (D).

    The published rate of a sector is an average over its activities, so the ratios average to one over its employment.
    """
    weight = judgements.get(f"method.workforce_weight.{hazard}")
    employed, sector = at.weight.max(axis=0)[None, :], at.sector[None, :]
    ln = weight.value * profile.workforce[hazard][None, :]
    ln = np.where(sector < 0, 0.0, ln - ln_average(ln, employed, sector))[0]
    centred = ln / weight.value
    return Graded(centred=centred, ln=ln, var=(ln * weight.sd_ln) ** 2)


def _tier_term(hazard: Hazard, judgements: Judgements, profile: Activities) -> TierTerm:
    """ln r(tier); an unknown tier is the average over the tiers of the activity, with their spread."""
    stated = [judgements.get(f"method.tier.{hazard}.{tier}") for tier in TIERS]
    ratio = np.array([estimate.value for estimate in stated])
    own = np.array([estimate.sd_ln for estimate in stated]) ** 2
    mean_ln = profile.tiers @ np.log(ratio)
    between = profile.tiers @ np.log(ratio) ** 2 - mean_ln**2
    divisions = len(profile.codes)
    ln = np.column_stack([np.log(profile.tiers @ ratio), np.tile(np.log(ratio), (divisions, 1))])
    # Most lists state the tier: an answer is held at the mean of the answers, not at the one that is usual here.
    blank = at_least(between + profile.tiers @ own, own.mean())
    var = np.column_stack([blank, held(np.tile(own, (divisions, 1)), blank[:, None])])
    return TierTerm(ln=ln, var=var, weight=between)


def _strength(facts: Facts, grid: Grid) -> Floats:
    """Strength of the sponsorship regime by country, 0 to 1; 0 where there is none."""
    table = nw.from_native(facts.table("sponsorship"), eager_only=True)
    by_country = dict(zip(table["iso3"].to_list(), table["strength"].to_list(), strict=True))
    return np.array([by_country.get(code, 0.0) for code in grid.countries.tolist()])
