"""What follows from the numbers of a site's own row: its size and its share of migrants, known or not.

Shapes: C countries × D divisions, the first being the unknown activity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigilance.rules import RANGE_WIDTH, Judgements
from vigilance.scoring import lines
from vigilance.scoring.activities import Activities, ln_spread
from vigilance.scoring.listings import regional_share
from vigilance.scoring.uncertainty import of_unknown_size
from vigilance.terms import Hazard

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """The migrant or the sponsorship term of one hazard: coefficient, its sd (ln), the average it centres on.

    ``unknown_var`` is the variance of an unknown share, which a known one never exceeds (``scoring.assess``);
    ``between`` the part of it that an answer takes away.
    """

    coefficient: float
    sd: float
    average: Floats
    unknown_var: Floats
    between: Floats


def migrants(hazard: Hazard, judgements: Judgements, profile: Activities) -> Shares | None:
    """ln((1 + a·m)/(1 + a·m̄)): migrants relative to what is usual in the activity (D)."""
    path = f"factors.{lines.MIGRANTS}.coefficient.{hazard}"
    if not judgements.has(path):
        return None
    a = judgements.get(path)
    low, mean, high = profile.migrants.T
    average = np.log(1.0 + a.value * mean)
    # The ratio's own uncertainty grows away from the usual share; the high one is the farthest usual.
    own = ((_slope(a.value * high) - _slope(a.value * mean)) * a.sd_ln) ** 2
    between = ((np.log(1.0 + a.value * high) - np.log(1.0 + a.value * low)) / RANGE_WIDTH) ** 2
    return Shares(a.value, a.sd_ln, average, between + own, between)


def sponsorship(
    hazard: Hazard, judgements: Judgements, profile: Activities, strength: Floats, regions: NDArray[np.str_]
) -> Shares | None:
    """ln(1 + k·s·m) relative to the region's average at the activity's share of migrants (C×D)."""
    path = f"factors.{lines.SPONSORSHIP}.coefficient.{hazard}"
    if not judgements.has(path):
        return None
    k = judgements.get(path)
    low, mean, high = profile.migrants.T
    reach = k.value * strength[:, None]
    average = np.log(regional_share(1.0 + reach * mean, regions))
    own = (_slope(reach * high) * k.sd_ln) ** 2
    between = ((np.log(1.0 + reach * high) - np.log(1.0 + reach * low)) / RANGE_WIDTH) ** 2
    return Shares(k.value, k.sd_ln, average, between + own, between)


def _slope(product: Floats) -> Floats:
    """How ln(1 + a·m) moves with ln a, given a·m."""
    return product / (1.0 + product)


def over_unknown_migrants(term: Shares) -> Floats:
    """The most by which the variance of a share, known or not, exceeds that under an unknown activity (D×1).

    The own variance of a known share is ((x - x̄)·sd)², x from 0 to a/(1 + a): the difference of two such is linear in
    x, so that its largest stands at an end; both are held at their blanks.
    """
    usual = 1.0 - np.exp(-term.average)
    ends = np.array([0.0, term.coefficient / (1.0 + term.coefficient)])
    own = ((ends - usual[:, None]) * term.sd) ** 2
    gain: Floats = np.column_stack([own - own[:1], term.unknown_var - term.unknown_var[0]]).max(axis=1, keepdims=True)
    return np.maximum(gain, 0.0)


@dataclass(frozen=True)
class Size:
    """Number of workers by division (D): what stands in for an unknown one, and what that costs.

    ``var`` is that of γ·ln N for an unknown size; a known size never has more, so that an answer never widens the
    interval. ``between`` is the part of it that an answer takes away.
    """

    ln_usual: Floats
    var: Floats
    between: Floats


def size(judgements: Judgements, profile: Activities) -> Size:
    """The size term: γ·ln N with γ = ``method.size_exponent``."""
    exponent = judgements.get("method.size_exponent")
    low, usual, high = profile.size.T
    spread = ln_spread(low, high)
    between = (exponent.value * spread) ** 2
    var = of_unknown_size(between, exponent.sd, np.log(usual), np.log(high), spread)
    return Size(ln_usual=np.log(usual), var=var, between=between)
