"""A proposal for the intervals, weighed and not applied: a blank counts for what it adds, and not twice.

The engine gives an unknown answer the variance between the answers *plus the larger* of their own uncertainties, and an
unknown size that of γ at the largest size. This keeps an answer from ever widening an interval, and costs coverage
beyond the nominal. The law is kept as well by the *largest of* (the variance there is, what either answer would have):

    var(unknown) = max( q(1-q)(ln r)² + q·own(present) + (1-q)·own(absent),  var(present),  var(absent) )

``saved`` says how much less variance of ln m each site would then claim; where a factor is the rule rather than the
exception it can be a little more, because the truth varies more there than the engine says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vigilance.calibrate.recomputed import Design, Parameters
from vigilance.rules import RANGE_WIDTH
from vigilance.scoring import lines
from vigilance.scoring.activities import ln_spread
from vigilance.scoring.model import Model
from vigilance.terms import FACTORS, UNKNOWN

Floats = NDArray[np.float64]


def saved(model: Model, of: Design, numbers: Parameters) -> Floats:
    """Variance of ln m that the proposal takes away at each site (n); none where the activity is unknown."""
    less = _factors(model, of, numbers) + _size(of, numbers) + _migrants(of, numbers)
    return np.where(of.activity_known, less, 0.0)


def _factors(model: Model, of: Design, numbers: Parameters) -> Floats:
    declared = model.judgements.value("method.absence_proof.declared")
    total = np.zeros(len(of.fixed))
    for column, name in enumerate(FACTORS):
        place = numbers.at(f"factors.{name}.ratio.{numbers.hazard}")
        if place < 0:
            continue
        ratio, sd, q = np.exp(numbers.ln[place]), numbers.sd[place], of.prevalence[:, column]
        average = 1.0 + q * (ratio - 1.0)
        between = q * (1.0 - q) * numbers.ln[place] ** 2
        present = ((1.0 - q) / average * sd) ** 2
        truly_absent = (q * ratio / average * sd) ** 2
        absent = declared**2 * truly_absent
        now = between + np.maximum(present, absent)
        then = np.maximum(between + q * present + (1.0 - q) * truly_absent, present)
        then = np.maximum(then, absent + (1.0 - declared) * between)
        total += np.where(of.stated.state[:, column] == UNKNOWN, now - then, 0.0)
    return total


def _size(of: Design, numbers: Parameters) -> Floats:
    low, usual, high = of.size.T
    between = (numbers.exponent * ln_spread(low, high)) ** 2
    largest = (numbers.exponent_sd * np.log(high)) ** 2
    there = between + (numbers.exponent_sd * np.log(usual)) ** 2
    return np.where(of.size_known, 0.0, between + largest - np.maximum(there, largest))


def _migrants(of: Design, numbers: Parameters) -> Floats:
    place = numbers.at(f"factors.{lines.MIGRANTS}.coefficient.{numbers.hazard}")
    if place < 0:
        return np.zeros(len(of.fixed))
    a, sd = np.exp(numbers.ln[place]), numbers.sd[place]
    low, usual, high = of.usual_migrants.T
    between = ((np.log1p(a * high) - np.log1p(a * low)) / RANGE_WIDTH) ** 2
    slope, full = a * usual / (1.0 + a * usual), a / (1.0 + a)
    farthest = np.maximum(slope, full - slope) ** 2 * sd**2
    near = (a * high / (1.0 + a * high) - slope) ** 2 * sd**2
    return np.where(np.isfinite(of.stated.migrants), 0.0, between + farthest - np.maximum(between + near, farthest))
