"""Do the closed-form intervals cover? All parameters drawn at once, presence recomputed exactly, counted.

The share of drawn worlds (``worlds``) in which the true presence lies between P05 and P95 is the coverage; 90 % is
nominal. Beside the count stands why: other intervals on the same draws, and the variance of each line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance import engines
from vigilance.calibrate import groups as by
from vigilance.calibrate.decomposition import claimed, decomposed
from vigilance.calibrate.recomputed import Design, Parameters, design, link, parameters, presence
from vigilance.calibrate.worlds import BLANK, SEED, SITES, STATED, drawn_parameters, drawn_truth, mix
from vigilance.scoring.interval import standard_normal
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, Hazard

Floats = NDArray[np.float64]

DRAWS: Final = 1000
BAR: Final = (0.88, 0.92)
NOMINAL: Final = 0.9
Z: Final = standard_normal(0.95)
FAR: Final = 1e6
"""A bound so far that it does not bind."""
OTHER_MIXES: Final = {"everything_stated": STATED, "everything_blank": BLANK}
"""Whole lists beside the default one: every field of every site stated, or only its country and activity."""
OTHER_SITES: Final = 4
"""The other mixes have one in so many of the sites."""


@dataclass(frozen=True)
class Coverage:
    """What was counted.

    ``groups``: per hazard and group of sites (``kind, group``), ``sites, coverage`` and the shares of draws ``below``
    P05 and ``above`` P95. ``reasons``: per hazard, the coverage of other intervals on the same draws (``REASONS``) with
    the mean variance of ln m that each claims; ``drawn`` is the variance that there is. ``lines``: the same variances
    line by line (``decomposition``).
    """

    groups: pl.DataFrame
    reasons: pl.DataFrame
    lines: pl.DataFrame
    sites: int
    draws: int


REASONS: Final = ("closed_form", "without_bounds", "drawn_variance", "drawn_variance_and_mean")
"""The engine's interval; the same where the truth has no tanh and no ceiling; the variance that was drawn; and its mean
too. The last two show whether the normal shape is at fault (they cover 90 % when it is not)."""


def coverage(
    model: Model, sites: pl.DataFrame | None = None, draws: int = DRAWS, seed: int = SEED, count: int = SITES
) -> Coverage:
    """Coverage of [P05, P95] of the inherent presence, over given typed sites or the mix.

    Groups: all sites; by what they state; by risk; by region and by third of output per worker; and, beside the default
    mix, lists of sites that state everything or nothing.
    """
    typed = mix(model, count, seed) if sites is None else sites
    told = claimed(model, typed)
    groups: list[dict[str, Any]] = []
    reasons: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for hazard in HAZARDS:
        of, numbers = design(model, typed, hazard), parameters(model.judgements, hazard)
        low, middle, high = _bounds(model, typed, hazard)
        drawn = _drawn(of, numbers, model, draws, seed)
        groups += _by_group(by.groups(model, typed, of, middle), hazard, presence(drawn), low, high)
        if sites is None:
            groups += _other_mixes(model, hazard, draws, seed, max(count // OTHER_SITES, 1))
        reasons += _reasons(model, of, numbers, drawn, low, seed)
        lines += decomposed(typed, told, of, numbers, _unknown_activity(model, hazard), seed)
    return Coverage(pl.DataFrame(groups), pl.DataFrame(reasons), pl.DataFrame(lines), typed.height, draws)


def _bounds(model: Model, typed: pl.DataFrame, hazard: Hazard) -> tuple[Floats, Floats, Floats]:
    """P05, the inherent median and P95 of each site, by the engine."""
    scored = pl.concat(list(engines.polars(typed.lazy(), model, None)))
    low, middle, high = (scored[f"{hazard}_{name}"].to_numpy() for name in ("p05", "inherent_p50", "p95"))
    return low, middle, high


def _by_group(
    flags: dict[tuple[str, str], NDArray[np.bool_]], hazard: Hazard, p: Floats, low: Floats, high: Floats
) -> list[dict[str, Any]]:
    below, above = (p < low).mean(axis=0), (p > high).mean(axis=0)
    return [
        {
            "hazard": str(hazard),
            "kind": kind,
            "group": name,
            "sites": int(mine.sum()),
            **_counted(below[mine], above[mine]),
        }
        for (kind, name), mine in flags.items()
    ]


def _other_mixes(model: Model, hazard: Hazard, draws: int, seed: int, count: int) -> list[dict[str, Any]]:
    rows = []
    for name, known in OTHER_MIXES.items():
        typed = mix(model, count, seed, known)
        of, numbers = design(model, typed, hazard), parameters(model.judgements, hazard)
        low, _middle, high = _bounds(model, typed, hazard)
        p = presence(_drawn(of, numbers, model, draws, seed))
        rows += _by_group({(by.MIX, name): np.ones(count, dtype=bool)}, hazard, p, low, high)
    return rows


def _unknown_activity(model: Model, hazard: Hazard) -> float:
    return model.judgements.sd_ln(f"method.base_unknown_activity.{hazard}")


def _drawn(of: Design, numbers: Parameters, model: Model, draws: int, seed: int) -> Floats:
    """ln m of every draw and site (B×n); the same seed draws the same worlds whatever the bounds of the design."""
    sd = _unknown_activity(model, of.hazard)
    rng = np.random.default_rng([seed, HAZARDS.index(of.hazard)])
    worlds = (link(of, drawn_parameters(numbers, rng), drawn_truth(of, sd, rng)).ln_m for _draw in range(draws))
    return np.stack(list(worlds))


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
    width = ((centre - np.log(-np.log1p(-p05))) / Z) ** 2
    free = replace(of, bound=FAR, list_bound=FAR, ceiling=FAR)
    unbound = _drawn(free, numbers, model, len(drawn), seed)
    straight = link(free, numbers, of.stated).ln_m
    variance = drawn.var(axis=0)
    cases = {
        "closed_form": (drawn, centre, width),
        "without_bounds": (unbound, straight, width),
        "drawn_variance": (drawn, centre, variance),
        "drawn_variance_and_mean": (drawn, drawn.mean(axis=0), variance),
    }
    return [
        {
            "hazard": str(of.hazard),
            "interval": name,
            **_mean_and_error(np.abs(worlds - middle) <= Z * np.sqrt(used)),
            "variance": round(float(used.mean()), 6),
            "drawn": round(float(worlds.var(axis=0).mean()), 6),
        }
        for name, (worlds, middle, used) in cases.items()
    ]


def _mean_and_error(inside: NDArray[np.bool_]) -> dict[str, float]:
    """The mean of a B×n table and its standard error: sites of a draw share its parameters, so draws are the sample."""
    by_draw = inside.mean(axis=1)
    error = by_draw.std() / np.sqrt(len(by_draw))
    return {"coverage": round(float(by_draw.mean()), 6), "standard_error": round(float(error), 6)}
