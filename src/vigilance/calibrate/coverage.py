"""Do the closed-form intervals cover? All parameters drawn at once, presence recomputed exactly, counted.

A draw takes every number of the method from its range, common to all sites; and at each site what nobody stated: its
factors by their prevalence, its tier, its size and its share of migrants from the profile of its activity, the rate of
its activity. A stated absence is true with the weight of its proof, and else as if nothing had been said: that is what
the weight means. The share of draws in which the true presence lies between P05 and P95 is the coverage; 90 % is
nominal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance import engines
from vigilance.calibrate import lighter
from vigilance.calibrate.recomputed import Design, Parameters, View, design, link, parameters, presence
from vigilance.scoring.interval import standard_normal
from vigilance.scoring.model import Model
from vigilance.terms import (
    ABSENT,
    ALL_UNKNOWN,
    DIVISION_UNKNOWN,
    FACTORS,
    HAZARDS,
    PRESENT,
    TIER_UNKNOWN,
    TIERS,
    UNKNOWN,
    Hazard,
)

Floats = NDArray[np.float64]

SITES: Final = 2000
DRAWS: Final = 1000
SEED: Final = 90
BAR: Final = (0.88, 0.92)
NOMINAL: Final = 0.9
HALF_WIDTH: Final = 1.645
"""z of the bounds of a range: low and high are 5 % and 95 % bounds."""
KNOWN_SHARES: Final = {"_division": 0.95, "_tier": 0.8, "_workers": 0.7, "_migrant_share": 0.3, "_factors": 0.4}
"""How often each field is stated in the mix of sites: as in lists that buyers have, not a number of the method."""
Z: Final = standard_normal(0.95)
FAR: Final = 1e6
"""A bound so far that it does not bind."""


@dataclass(frozen=True)
class Coverage:
    """What was counted.

    ``groups``: per hazard and group of sites, ``sites, coverage`` and the shares of draws ``below`` P05 and ``above``
    P95. ``reasons``: per hazard, the coverage of other intervals on the same draws (``REASONS``) with the mean variance
    of ln m that each claims; ``drawn`` is the variance that there is.
    """

    groups: pl.DataFrame
    reasons: pl.DataFrame
    sites: int
    draws: int


REASONS: Final = ("closed_form", "without_bounds", "lighter_unknowns", "drawn_variance", "drawn_variance_and_mean")
"""The engine's interval; the same where the truth has no tanh and no ceiling; blanks counted once (``lighter``); the
variance that was drawn; and its mean too. The last two show whether the normal shape is at fault (they cover 90 % when
it is not)."""


def mix(model: Model, count: int = SITES, seed: int = SEED) -> pl.DataFrame:
    """A realistic mix of typed sites: supplier countries and divisions that make goods, fields blank as they come."""
    rng = np.random.default_rng(seed)
    members = model.countries["ilo_member"].to_numpy().astype(bool)
    divisions = [code for code in model.grid.divisions.tolist() if code != DIVISION_UNKNOWN]
    division = rng.choice(divisions, count)
    place = model.activities.index(division.astype("U2"))
    low, usual, high = model.activities.size[place].T
    workers = np.exp(np.log(usual) + rng.standard_normal(count) * np.log(high / low) / (2 * HALF_WIDTH))
    shares = np.clip(model.activities.migrants[place, 1] * np.exp(rng.standard_normal(count)), 0.0, 1.0)
    stated = {name: rng.random(count) < share for name, share in KNOWN_SHARES.items()}
    answers = np.where(rng.random((count, len(FACTORS))) < 0.3, PRESENT, ABSENT)
    answers = np.where(rng.random(answers.shape) < 0.6, answers, UNKNOWN)
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
    """Every number from its range: lognormal, and normal for the exponent of the size."""
    ln = numbers.ln + numbers.sd * rng.standard_normal(len(numbers.ln))
    return replace(numbers, ln=ln, exponent=numbers.exponent + numbers.exponent_sd * rng.standard_normal())


def drawn_truth(of: Design, unknown_activity_sd: float, rng: np.random.Generator) -> View:
    """What may be true of the sites, given what they state."""
    stated, count = of.stated, len(of.fixed)
    proven = rng.random(stated.state.shape) < stated.proof
    known = (stated.state == PRESENT) | ((stated.state == ABSENT) & proven)
    by_chance = np.where(rng.random(stated.state.shape) < of.prevalence, PRESENT, ABSENT)
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


def coverage(
    model: Model, sites: pl.DataFrame | None = None, draws: int = DRAWS, seed: int = SEED, count: int = SITES
) -> Coverage:
    """Coverage of [P05, P95] of the inherent presence, over given typed sites or the mix.

    Groups: all sites; those of which most is stated, and the others; those of unknown activity; by risk.
    """
    typed = mix(model, count, seed) if sites is None else sites
    scored = pl.concat(list(engines.polars(typed.lazy(), model, None)))
    made = [_hazard(model, typed, scored, hazard, draws, seed) for hazard in HAZARDS]
    groups, reasons = (pl.DataFrame([row for each in made for row in each[place]]) for place in (0, 1))
    return Coverage(groups, reasons, typed.height, draws)


def _hazard(
    model: Model, typed: pl.DataFrame, scored: pl.DataFrame, hazard: Hazard, draws: int, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    of, numbers = design(model, typed, hazard), parameters(model.judgements, hazard)
    drawn = _drawn(of, numbers, model, draws, seed)
    p = presence(drawn)
    low, high = (scored[f"{hazard}_{name}"].to_numpy() for name in ("p05", "p95"))
    below, above = (p < low).mean(axis=0), (p > high).mean(axis=0)
    groups = [
        {"hazard": str(hazard), "group": name, "sites": int(mine.sum()), **_counted(below[mine], above[mine])}
        for name, mine in _groups(of, scored[f"{hazard}_inherent_p50"].to_numpy()).items()
    ]
    return groups, _reasons(model, of, numbers, drawn, low, seed)


def _drawn(of: Design, numbers: Parameters, model: Model, draws: int, seed: int) -> Floats:
    """ln m of every draw and site (B×n); the same seed draws the same worlds whatever the bounds of the design."""
    sd = model.judgements.sd_ln(f"method.base_unknown_activity.{of.hazard}")
    rng = np.random.default_rng([seed, HAZARDS.index(of.hazard)])
    worlds = (link(of, drawn_parameters(numbers, rng), drawn_truth(of, sd, rng)).ln_m for _draw in range(draws))
    return np.stack(list(worlds))


def _groups(of: Design, p50: Floats) -> dict[str, NDArray[np.bool_]]:
    stated = of.size_known & of.activity_known & (of.stated.tier != TIER_UNKNOWN) & np.isfinite(of.stated.migrants)
    stated &= (of.stated.state[:, : len(FACTORS)] != UNKNOWN).mean(axis=1) >= 0.5
    likely = p50 > np.median(p50)
    return {
        "all": np.ones(len(p50), dtype=bool),
        "mostly_stated": stated,
        "with_blanks": ~stated,
        "activity_unknown": ~of.activity_known,
        "lower_half": ~likely,
        "upper_half": likely,
    }


def _counted(below: Floats, above: Floats) -> dict[str, float | None]:
    if not len(below):
        return {"coverage": None, "below": None, "above": None}
    sides = {"below": float(below.mean()), "above": float(above.mean())}
    covered = {"coverage": 1.0 - sides["below"] - sides["above"], **sides}
    return {name: round(value, 6) for name, value in covered.items()}


def _reasons(
    model: Model, of: Design, numbers: Parameters, drawn: Floats, p05: Floats, seed: int
) -> list[dict[str, Any]]:
    """Coverage on the same draws by intervals of other widths."""
    centre = link(of, numbers, of.stated).ln_m
    claimed = ((centre - np.log(-np.log1p(-p05))) / Z) ** 2
    free = replace(of, bound=FAR, ceiling=FAR)
    unbound = _drawn(free, numbers, model, len(drawn), seed)
    straight = link(free, numbers, of.stated).ln_m
    variance = drawn.var(axis=0)
    cases = {
        "closed_form": (drawn, centre, claimed),
        "without_bounds": (unbound, straight, claimed),
        "lighter_unknowns": (drawn, centre, np.maximum(claimed - lighter.saved(model, of, numbers), 0.0)),
        "drawn_variance": (drawn, centre, variance),
        "drawn_variance_and_mean": (drawn, drawn.mean(axis=0), variance),
    }
    return [
        {
            "hazard": str(of.hazard),
            "interval": name,
            **_mean_and_error(np.abs(worlds - middle) <= Z * np.sqrt(width)),
            "variance": round(float(width.mean()), 6),
            "drawn": round(float(worlds.var(axis=0).mean()), 6),
        }
        for name, (worlds, middle, width) in cases.items()
    ]


def _mean_and_error(inside: NDArray[np.bool_]) -> dict[str, float]:
    """The mean of a B×n table and its standard error: sites of a draw share its parameters, so draws are the sample."""
    by_draw = inside.mean(axis=1)
    error = by_draw.std() / np.sqrt(len(by_draw))
    return {"coverage": round(float(by_draw.mean()), 6), "standard_error": round(float(error), 6)}
