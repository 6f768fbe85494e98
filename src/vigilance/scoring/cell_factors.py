"""The ratios that follow from where a site is and what it does: listings of goods, labour imposed by the State.

A *listing* has three states per country and division, and is centred on its prevalence: in the region and broad sector
for goods, so that a cell which is not listed is not lowered for standing among listed ones; in the region and activity
for labour imposed by the State, which a law or a finding settles. Absence from a list of goods proves little, so it
counts only as far as its ``absence_proof``. ``neighbours`` adds what is listed around a cell.
Shapes: C countries × D divisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring import lines
from vigilance.scoring.activities import Factor, centred
from vigilance.scoring.centring import NONE, Axes, Floats, Groups, balance, share
from vigilance.scoring.listings import (
    LIST_MAKER,
    Flags,
    Grid,
    Programmes,
    listed_goods,
    listed_upstream,
    makes_goods,
    regional_share,
    unheard_of,
)
from vigilance.scoring.neighbours import Graded, elsewhere, graded, in_country
from vigilance.terms import ABSENT, DIVISION_UNKNOWN, HAZARDS, PRESENT, UNKNOWN, Hazard

States = NDArray[np.int8]


@dataclass(frozen=True)
class Listing:
    """A factor of a country × division: its state in each cell, and what each state does there (C×D×3).

    ``prevalence`` (C×D) is the average that it is centred on.
    """

    state: States
    effect: Factor
    prevalence: Floats


@dataclass(frozen=True)
class Listed:
    """What the list of goods of one date says, by hazard (C×D each), and the edition it stands in."""

    own: dict[Hazard, Flags]
    upstream: dict[Hazard, Flags]
    edition: str

    def other(self, hazard: Hazard) -> Flags:
        """Cells listed for the other hazard."""
        return next(flags for one, flags in self.own.items() if one != hazard)


@dataclass(frozen=True)
class ListLines:
    """One hazard's lines from the list of goods, and what holds them together.

    ``bound`` is ln of what the bound on them leaves of their product, ``balance`` ln of what brings the averages over
    regions and broad sectors back to the base rates (C×D each).
    """

    listings: dict[str, Listing]
    graded: dict[str, Graded]
    bound: Floats
    balance: Floats


def listed(facts: Facts, judgements: Judgements, grid: Grid, found: Programmes) -> Listed:
    """Read the list of goods in force."""
    read = {hazard: listed_goods(facts, grid, hazard) for hazard in HAZARDS}
    return Listed(
        own={hazard: own for hazard, (own, _, _) in read.items()},
        upstream={
            hazard: listed_upstream(judgements, grid, own, inputs | found.inputs)
            for hazard, (own, inputs, _) in read.items()
        },
        edition=next(edition for _, _, edition in read.values()),
    )


def list_lines(
    hazard: Hazard,
    judgements: Judgements,
    facts: Facts,
    grid: Grid,
    at: Axes,
    seen: tuple[Listed, Listed],
    base: tuple[Floats, Floats],
) -> ListLines:
    """The lines of what the list says.

    ``seen`` is the list as of now and as it counts; the two differ only in a model of some years before, where the
    averages stay those of now, so that what moves a cell is what became known of it. ``base`` holds ln of what the
    averages are taken of (C×D): the base rates, and what else tells activities apart.
    """
    goods = np.where(makes_goods(facts, grid)[None, :], at.by_both(), NONE)
    groups = {lines.LISTED_GOOD: goods, lines.LISTED_OTHER: goods, lines.LISTED_UPSTREAM: at.by_both()}
    reach = np.log(judgements.value(f"method.{lines.LIST_BOUND}"))
    made, bounded = [], []
    for then in seen:
        listings = {}
        for name, group in groups.items():
            prevalence = share(_flags(name, hazard, seen[0]).astype(float), at.weight, group)
            listings[name] = _of_goods(name, hazard, judgements, grid, _flags(name, hazard, then), prevalence)
        around = _neighbours(hazard, judgements, facts, grid, at, (seen[0], then))
        said = sum(map(_stated, listings.values())) + sum(one.ln for one in around.values())
        bounded.append(reach * np.tanh(said / reach))
        # The bound lets a move of the sum through as far as it is from its limit, and so its uncertainty. It is a
        # matter of the cell alone: no answer of a site changes it.
        through = (1.0 - np.tanh(said / reach) ** 2) ** 2
        listings = {name: _narrowed(one, through) for name, one in listings.items()}
        around = {name: replace(one, var=one.var * through) for name, one in around.items()}
        made.append((listings, around, bounded[-1] - said))
    rates, ratios = base
    evened = balance(ratios + bounded[0], at.weight * np.exp(rates), at)
    return ListLines(*made[1], balance=evened)


def _narrowed(listing: Listing, through: Floats) -> Listing:
    effect = replace(listing.effect, var=listing.effect.var * through[..., None])
    return replace(listing, effect=effect)


def _flags(name: str, hazard: Hazard, seen: Listed) -> Flags:
    if name == lines.LISTED_UPSTREAM:
        return seen.upstream[hazard]
    own = seen.own[hazard]
    return own if name == lines.LISTED_GOOD else seen.other(hazard) & ~own


def _of_goods(
    name: str, hazard: Hazard, judgements: Judgements, grid: Grid, flags: Flags, prevalence: Floats
) -> Listing:
    state = np.where(flags, PRESENT, np.where(unheard_of(grid), UNKNOWN, ABSENT)).astype(np.int8)
    ratio = judgements.get(f"factors.{name}.ratio.{hazard}")
    proof = judgements.value(f"factors.{name}.absence_proof")
    effect = centred(prevalence, ratio.value, ratio.sd_ln, proof, asked=False)
    return Listing(state, _unknown_activity_least(effect, grid), prevalence)


def _stated(listing: Listing) -> Floats:
    """ln ratio of each cell in its own state (C×D)."""
    return np.take_along_axis(listing.effect.ln, listing.state.astype(np.intp)[..., None], axis=2)[..., 0]


def _neighbours(
    hazard: Hazard, judgements: Judgements, facts: Facts, grid: Grid, at: Axes, seen: tuple[Listed, Listed]
) -> dict[str, Graded]:
    of_maker = (grid.countries == LIST_MAKER)[:, None]
    groups: dict[str, Groups] = {
        lines.LISTED_ELSEWHERE: np.where(makes_goods(facts, grid)[None, :], at.by_sector(), NONE),
        lines.LISTED_IN_COUNTRY: np.where(of_maker, NONE, at.by_region()),
    }
    strength = {
        lines.LISTED_ELSEWHERE: [elsewhere(judgements, one.own[hazard], one.other(hazard), at.region) for one in seen],
        lines.LISTED_IN_COUNTRY: [in_country(judgements, one.own[hazard], one.other(hazard)) for one in seen],
    }
    return {
        name: graded(
            judgements.get(f"factors.{name}.ratio.{hazard}"),
            judgements.value(f"factors.{name}.absence_proof.{hazard}"),
            (strength[name][0], strength[name][1]),
            at.weight,
            group,
        )
        for name, group in groups.items()
    }


def state_imposed(
    hazard: Hazard, judgements: Judgements, grid: Grid, regions: NDArray[np.str_], found: Programmes
) -> Listing:
    """Labour imposed by the State. Where a country has such a zone and the site's own is not stated, it is unknown."""
    in_zone = grid.empty()
    for flags in found.zones.values():
        in_zone |= flags
    proportion = judgements.value("factors.state_imposed_zone.zone_share")
    prevalence = np.where(found.country, 1.0, np.where(in_zone, proportion, 0.0))
    proof = judgements.value("method.absence_proof.documented")
    ratio = judgements.get(f"factors.{lines.STATE_IMPOSED}.ratio.{hazard}")
    average = regional_share(prevalence, regions)
    chance = np.where(in_zone, proportion, average)
    effect = centred(average, ratio.value, ratio.sd_ln, proof, chance=chance, asked=in_zone)
    between = np.where(in_zone, proportion * (1.0 - proportion) * np.log(ratio.value) ** 2, 0.0)
    known = np.zeros_like(effect.known)
    known[..., PRESENT] = known[..., ABSENT] = between
    state = np.where(found.country, PRESENT, np.where(in_zone, UNKNOWN, ABSENT)).astype(np.int8)
    whole = Factor(ln=effect.ln, var=effect.var, weight=between, known=known)
    return Listing(state, _unknown_activity_least(whole, grid), average)


def _unknown_activity_least(effect: Factor, grid: Grid) -> Factor:
    """Give the unknown activity the largest weight of its country and no credit: a blank never improves the grade."""
    blank = grid.divisions == DIVISION_UNKNOWN
    effect.weight[:, blank] = effect.weight.max(axis=1)[:, None]
    effect.known[:, blank] = 0.0
    return effect


def over_unknown(listing: Listing, zones: Mapping[str, Flags]) -> Floats:
    """What ``over_unknown_activity`` compares of a listing (C×D): its variance over that of the unknown activity.

    Where zones count, a site names one, names another place, or leaves it blank, whatever its activity: the answer with
    the most counts.
    """
    absent = np.where(listing.state == UNKNOWN, ABSENT, listing.state)
    named = [absent, *(np.where(flags, PRESENT, absent) for flags in zones.values())] if zones else []
    over = []
    for state in (listing.state, *named):
        var = np.take_along_axis(listing.effect.var, state.astype(np.intp)[..., None], axis=2)[..., 0]
        over.append(var - var[:, :1])
    most: Floats = np.max(over, axis=0)
    return most
