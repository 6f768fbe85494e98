"""Worlds to draw from: typed sites as buyers' lists have them, and what may be true of them.

A draw takes every number of the method from its range, common to all sites; and at each site what nobody stated: its
factors by their prevalence, its tier, its size and its share of migrants from the profile of its activity, the rate of
its activity. A stated absence is true with the weight of its proof, and else as if nothing had been said: that is what
the weight means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.calibrate.recomputed import SLOPE, Design, Parameters, View
from vigilance.scoring.model import Model
from vigilance.terms import (
    ABSENT,
    ALL_UNKNOWN,
    DIVISION_UNKNOWN,
    FACTORS,
    PRESENT,
    TIER_UNKNOWN,
    TIERS,
    UNKNOWN,
)

Floats = NDArray[np.float64]

SITES: Final = 2000
SEED: Final = 90
HALF_WIDTH: Final = 1.645
"""z of the bounds of a range: low and high are 5 % and 95 % bounds."""
ANSWERED: Final = "answered"
"""Of the sites with any answer about the workforce, the share of the questions that is answered."""
KNOWN_SHARES: Final = {
    "_division": 0.95,
    "_tier": 0.8,
    "_workers": 0.7,
    "_migrant_share": 0.3,
    "_factors": 0.4,
    ANSWERED: 0.6,
}
"""How often each field is stated in the mix of sites: as in lists that buyers have, not a number of the method."""
STATED: Final = dict.fromkeys(KNOWN_SHARES, 1.0)
BLANK: Final = {**dict.fromkeys(KNOWN_SHARES, 0.0), "_division": 1.0}
"""Of these sites nothing is known but the country and the activity."""
PRESENT_SHARE: Final = 0.3
"""Share of the answers of the mix that are a yes."""
LEAST_SLOPE: Final = 0.01
"""Share of the central slope that a drawn one is held at."""


def mix(model: Model, count: int = SITES, seed: int = SEED, known: Mapping[str, float] = KNOWN_SHARES) -> pl.DataFrame:
    """A mix of typed sites of any country and activity, each field stated in a share ``known`` of them."""
    rng = np.random.default_rng(seed)
    members = model.countries["ilo_member"].to_numpy().astype(bool)
    divisions = [code for code in model.grid.divisions.tolist() if code != DIVISION_UNKNOWN]
    division = rng.choice(divisions, count)
    place = model.activities.index(division.astype("U2"))
    low, usual, high = model.activities.size[place].T
    workers = np.exp(np.log(usual) + rng.standard_normal(count) * np.log(high / low) / (2 * HALF_WIDTH))
    shares = np.clip(model.activities.migrants[place, 1] * np.exp(rng.standard_normal(count)), 0.0, 1.0)
    stated = {name: rng.random(count) < share for name, share in known.items() if name != ANSWERED}
    answers = np.where(rng.random((count, len(FACTORS))) < PRESENT_SHARE, PRESENT, ABSENT)
    answers = np.where(rng.random(answers.shape) < known[ANSWERED], answers, UNKNOWN)
    codes = np.where(stated["_factors"], answers @ 3 ** np.arange(len(FACTORS)), ALL_UNKNOWN)
    return pl.DataFrame(
        {
            "_row": np.arange(count),
            "_supplier_id": [f"S{number:05d}" for number in range(count)],
            "_iso3": rng.choice(model.grid.countries[members], count),
            "_division": np.where(stated["_division"], division, DIVISION_UNKNOWN),
            "_tier": np.where(stated["_tier"], rng.choice(TIERS, count), TIER_UNKNOWN).astype(np.int8),
            "_workers": pl.Series(np.ceil(workers), nan_to_null=True).set(pl.Series(~stated["_workers"]), None),
            "_migrant_share": pl.Series(shares).set(pl.Series(~stated["_migrant_share"]), None),
            "_factors": codes.astype(np.int32),
            "_zone": pl.Series([""] * count, dtype=pl.String),
        }
    )


def drawn_parameters(numbers: Parameters, rng: np.random.Generator) -> Parameters:
    """Every number from its range: ratios lognormal; slope of the country index and exponent of the size normal.

    So each has its low and its high as 5 % and 95 % bounds. A slope stays above zero: one draw in 300 would not.
    """
    z = rng.standard_normal(len(numbers.ln))
    ln, slope = numbers.ln + numbers.sd * z, numbers.at(f"{SLOPE}.{numbers.hazard}")
    central = np.exp(numbers.ln[slope])
    ln[slope] = np.log(np.maximum(central + numbers.slope_sd * z[slope], LEAST_SLOPE * central))
    return replace(numbers, ln=ln, exponent=numbers.exponent + numbers.exponent_sd * rng.standard_normal())


def drawn_truth(of: Design, unknown_activity_sd: float, rng: np.random.Generator) -> View:
    """What may be true of the sites, given what they state."""
    stated, count = of.stated, len(of.fixed)
    proven = rng.random(stated.state.shape) < stated.proof
    known = (stated.state == PRESENT) | ((stated.state == ABSENT) & proven)
    by_chance = np.where(rng.random(stated.state.shape) < of.chance, PRESENT, ABSENT)
    cut = np.cumsum(of.tiers, axis=1)[:, :-1]
    tier = 1 + (rng.random(count)[:, None] > cut).sum(axis=1)
    return View(
        tier=np.where(stated.tier == TIER_UNKNOWN, tier, stated.tier),
        state=np.where(known, stated.state, by_chance).astype(np.int8),
        proof=np.ones(stated.proof.shape),
        migrants=np.where(
            np.isfinite(stated.migrants), stated.migrants, np.minimum(_from_range(of.usual_migrants, rng), 1.0)
        ),
        ln_workers=np.where(of.size_known, stated.ln_workers, np.log(np.maximum(_from_range(of.size, rng), 1.0))),
        country=stated.country + of.country_sd * rng.standard_normal(count),
        shift=np.where(of.activity_known, 0.0, unknown_activity_sd * rng.standard_normal(count)),
    )


def _from_range(bounds: Floats, rng: np.random.Generator) -> Floats:
    """A draw per row from (low, central, high): median the central value, 5 % below low, 5 % above high."""
    low, central, high = np.maximum(bounds, 1e-9).T
    z = rng.standard_normal(len(central))
    found: Floats = central * np.exp(np.where(z < 0, np.log(central / low), np.log(high / central)) * z / HALF_WIDTH)
    return found
