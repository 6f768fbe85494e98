"""Cells: what country, activity, tier and zone alone say of a site, computed once per combination that occurs.

A supplier row then needs one join instead of a dozen. The same lines, unsummed, are the explanation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.scoring import lines
from vigilance.scoring.model import HazardModel, Model
from vigilance.scoring.site_numbers import size
from vigilance.terms import BANDS, HAZARDS, PRESENT, UNKNOWN, Hazard

Floats = NDArray[np.float64]
KEY: Final = ("_iso3", "_division", "_tier", "_zone")
NO_ZONE: Final = ""
DRIVERS: Final = 3


@dataclass(frozen=True)
class Line:
    """One ratio in each of n cells: its logarithm, its variance, its weight in the grade, how much of it is known."""

    ln: Floats
    var: Floats
    weight: Floats
    known: Floats
    stated: NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """n cells as positions in the model's tables; ``tier`` 0 is an unknown tier."""

    country: NDArray[np.intp]
    division: NDArray[np.intp]
    tier: NDArray[np.intp]
    zone: NDArray[np.str_]


def places(model: Model, keys: nw.DataFrame[Any]) -> Places:
    """Positions of cells given by the columns ``KEY``. Raises ``KeyError`` for a country that does not exist."""
    return Places(
        country=model.country_places(keys["_iso3"].to_numpy().astype("U3")),
        division=model.activities.index(keys["_division"].to_numpy().astype("U2")),
        tier=keys["_tier"].to_numpy().astype(np.intp),
        zone=keys["_zone"].to_numpy().astype("U"),
    )


def cell_lines(model: Model, hazard: Hazard, at: Places) -> dict[str, Line]:
    """The lines of one hazard that follow from the cell, in the order of ``lines.LINES``."""
    mine = model.hazards[hazard]
    zero = np.zeros(len(at.country))
    unstated = at.division == 0
    activity_var = np.where(unstated, mine.unknown_activity[at.country], 0.0)
    activity_weight = zero + mine.unknown_activity_var
    tier_weight = _largest_first(mine.tier.weight)[at.division]
    tier_known = _smallest_first(mine.tier.weight)[at.division]
    has_tier = at.tier > 0
    found = {
        lines.BASE: _certain(zero + np.log(mine.base.world), zero + mine.base_var),
        lines.ACTIVITY: Line(
            ln=mine.base.activity[at.division],
            var=activity_var,
            weight=activity_weight,
            known=np.where(unstated, 0.0, activity_weight),
            stated=~unstated,
        ),
        lines.WORKFORCE: _certain(mine.workforce.ln[at.division], mine.workforce.var[at.division]),
        lines.REGION: _certain(mine.base.region[at.country], zero),
        lines.COUNTRY: Line(
            ln=mine.country.ln[at.country],
            var=mine.country.var[at.country],
            weight=mine.country.weight[at.country],
            known=mine.country.known[at.country],
            stated=mine.country.known[at.country] > 0,
        ),
        lines.TIER: Line(
            ln=mine.tier.ln[at.division, at.tier],
            var=mine.tier.var[at.division, at.tier],
            weight=tier_weight,
            known=np.where(has_tier, tier_known, 0.0),
            stated=has_tier,
        ),
    }
    for name in mine.listings:
        found[name] = _listing(mine, name, at, zone_states(model, at) if name == lines.STATE_IMPOSED else None)
    cell = at.country, at.division
    for name, one in mine.neighbours.items():
        found[name] = _certain(one.ln[cell], one.var[cell])
    found[lines.LIST_BOUND] = _certain(mine.list_bound[cell], zero)
    found[lines.BALANCE] = _certain(mine.balance[cell], zero)
    if mine.audited is not None:
        open_ = mine.audited.var[cell]
        found[lines.AUDIT_CELLS] = _certain(mine.audited.ln[cell], open_)
        found[lines.BASE] = _certain(found[lines.BASE].ln, found[lines.BASE].var - open_)
    return {name: found[name] for name in lines.LINES if name in found}


def _certain(ln: Floats, var: Floats) -> Line:
    zero = np.zeros(len(ln))
    return Line(ln=ln, var=var, weight=zero, known=zero, stated=np.ones(len(ln), dtype=bool))


def zone_states(model: Model, at: Places) -> NDArray[np.int8]:
    """Labour imposed by the State in each cell: present, absent, or unknown where the zone is not stated."""
    listing = next(m.listings[lines.STATE_IMPOSED] for m in model.hazards.values() if lines.STATE_IMPOSED in m.listings)
    state = listing.state[at.country, at.division].copy()
    # A zone that no list knows may lie anywhere in its country: it proves nothing.
    stated = np.isin(at.zone, model.zones)
    state[stated & (state == UNKNOWN)] = 0
    for zone, flags in model.programmes.zones.items():
        state[(at.zone == zone) & flags[at.country, at.division]] = PRESENT
    return state


def _listing(mine: HazardModel, name: str, at: Places, states: NDArray[np.int8] | None) -> Line:
    listing = mine.listings[name]
    state = (listing.state[at.country, at.division] if states is None else states).astype(np.intp)
    effect = listing.effect
    # Lists are public: they weigh in the grade only where the site's own zone decides.
    weight = effect.weight[at.country, at.division] if states is not None else np.zeros(len(state))
    known = effect.known[at.country, at.division, state] if states is not None else np.zeros(len(state))
    return Line(
        ln=effect.ln[at.country, at.division, state],
        var=effect.var[at.country, at.division, state],
        weight=weight,
        known=np.minimum(known, weight),
        stated=state != UNKNOWN,
    )


def table(model: Model, keys: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """One row per cell: ``KEY``, and per hazard the sums that a site row needs (see ``columns`` in the code).

    ``<h>_ln_outside`` (ln of what multiplies outside the bound), ``<h>_ln_factors`` (Σ ln r of listings), ``<h>_var``,
    ``<h>_known`` and ``<h>_weight`` (grade), ``<h>_cell_driver_1..3``, ``<h>_floor`` (position of the band to which the
    cell raises a site, 0 for none), and what centring the site's own numbers needs.
    """
    at = places(model, keys)
    columns: dict[str, Any] = {}
    for hazard in HAZARDS:
        columns |= _hazard_columns(model, hazard, at)
    usual = size(model.judgements, model.activities)
    columns |= {
        "ln_usual_size": usual.ln_usual[at.division],
        "size_unknown_var": usual.var[at.division],
        "size_known": _smallest_first(usual.between)[at.division],
    }
    given = nw.from_dict(columns, backend=keys.implementation)
    return nw.concat([keys.select(*KEY), given], how="horizontal")


def _smallest_first(values: Floats) -> Floats:
    smallest = values.copy()
    smallest[0] = values.min()
    return smallest


def _largest_first(values: Floats) -> Floats:
    largest = values.copy()
    largest[0] = values.max()
    return largest


def _hazard_columns(model: Model, hazard: Hazard, at: Places) -> dict[str, Any]:
    found = cell_lines(model, hazard, at)
    mine = model.hazards[hazard]
    listings = [found[name] for name in lines.CELL_FACTORS if name in found]
    weight, known = (sum(getattr(line, what) for line in found.values()) for what in ("weight", "known"))
    drivers = _drivers({name: line.ln for name, line in found.items() if name not in (lines.BASE, *lines.EVENED)})
    columns: dict[str, Any] = {
        f"{hazard}_ln_outside": sum(found[name].ln for name in lines.OUTSIDE if name in found),
        f"{hazard}_ln_factors": sum((line.ln for line in listings), np.zeros(len(at.country))),
        f"{hazard}_var": sum(line.var for line in found.values()),
        f"{hazard}_known": known,
        f"{hazard}_weight": weight + _site_weight(model, hazard, at),
        f"{hazard}_floor": _floor(model, hazard, at),
    }
    columns |= {f"{hazard}_cell_driver_{place + 1}": drivers[place] for place in range(DRIVERS)}
    if mine.migrants is not None:
        slope = 1.0 - np.exp(-mine.migrants.average)
        columns |= {
            f"{hazard}_migrants_average": mine.migrants.average[at.division],
            f"{hazard}_migrants_slope": slope[at.division],
            f"{hazard}_migrants_unknown_var": mine.migrants.unknown_var[at.division],
            f"{hazard}_migrants_known": _smallest_first(mine.migrants.between)[at.division],
        }
    if mine.sponsorship is not None:
        columns |= {
            f"{hazard}_sponsorship_reach": mine.sponsorship.coefficient * model.strength[at.country],
            f"{hazard}_sponsorship_average": mine.sponsorship.average[at.country, at.division],
            f"{hazard}_sponsorship_unknown_var": mine.sponsorship.unknown_var[at.country, at.division],
            f"{hazard}_usual_migrants": model.activities.migrants[at.division, 1],
        }
    return columns


def _site_weight(model: Model, hazard: Hazard, at: Places) -> Floats:
    """The weight of what only the site's own row, or a look at the site, can tell."""
    mine = model.hazards[hazard]
    usual = size(model.judgements, model.activities)
    weight = _largest_first(usual.between)[at.division]
    weight = weight + model.activities.factors[hazard].weight.sum(axis=1)[at.division]
    if mine.migrants is not None:
        weight = weight + _largest_first(mine.migrants.between)[at.division]
    total: Floats = weight + model.judgements.value(f"method.site_check_weight.{hazard}")
    return total


def _floor(model: Model, hazard: Hazard, at: Places) -> NDArray[np.int8]:
    """The band below which labour imposed by the State does not let a site fall (its position; 0 for none)."""
    if lines.STATE_IMPOSED not in model.hazards[hazard].listings:
        return np.zeros(len(at.country), dtype=np.int8)
    position = min(int(model.judgements.value("method.state_imposed_override")), len(BANDS) - 1)
    return np.where(zone_states(model, at) == PRESENT, position, 0).astype(np.int8)


def _drivers(ratios: dict[str, Floats]) -> NDArray[np.int32]:
    """The strongest lines of each cell, as driver codes (3×n), strongest first."""
    codes = np.stack([lines.driver_codes(name, ln) for name, ln in ratios.items()])
    return -np.sort(-codes, axis=0)[:DRIVERS]
