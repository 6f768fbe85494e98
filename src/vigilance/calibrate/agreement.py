"""How far two orders of countries agree: Spearman's correlation, whole and inside regions, on resampled countries.

Draws are weights (B+1 × n), the first row ones (``discrimination.resampled``): a country drawn twice counts as two that
are tied, so every row is exactly the correlation of that resample. Only orders enter, never the values themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = NDArray[np.intp]


def midranks(values: Floats, weights: Floats) -> Floats:
    """The place of each value (n) from the lowest, ties sharing the mean of theirs, under weights (B+1 × n)."""
    if not len(values):
        return np.zeros_like(weights)
    _levels, level = np.unique(values, return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(level[order]) > 0])
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    places: Floats = (np.cumsum(counts, axis=1) - counts + (counts + 1.0) / 2.0)[:, level]
    return places


def correlation(one: Floats, other: Floats, weights: Floats) -> Floats:
    """Pearson's correlation of two tables (B+1 × n) under weights, row by row; NaN where one of them is constant."""
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = (table - (weights * table).sum(axis=1, keepdims=True) / total for table in (one, other))
        spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
        found: Floats = np.where(spread > 0, (weights * a * b).sum(axis=1) / spread, np.nan)
    return found


def spearman(one: Floats, other: Floats, weights: Floats) -> Floats:
    """Spearman's correlation of two lists of values (n) under weights (B+1 × n)."""
    return correlation(midranks(one, weights), midranks(other, weights), weights)


def inside(one: Floats, other: Floats, group: Groups, weights: Floats) -> Floats:
    """The same with places counted inside each group, as shares of it: what differs between groups plays no part."""
    shares = np.zeros((2, *weights.shape))
    for name in np.unique(group):
        mine = group == name
        total = np.maximum(weights[:, mine].sum(axis=1, keepdims=True), 1.0)
        for i, values in enumerate((one, other)):
            shares[i][:, mine] = (midranks(values[mine], weights[:, mine]) - 0.5) / total
    return correlation(shares[0], shares[1], weights)
