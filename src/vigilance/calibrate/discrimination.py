"""How well a score tells additions from the rest: AUC, average precision, lift, with intervals by country.

Cells of one country are not independent, so intervals resample whole countries. The draws are weights: one matrix for
all predictors of a window, so that two predictors are compared on the same worlds. B draws, n cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHARES: Final = (0.01, 0.05, 0.1)
"""The shares of the cells at risk at which lift is read."""
LOW, HIGH = 5.0, 95.0


@dataclass(frozen=True)
class Draws:
    """Statistics of one predictor: the first row is the sample as it is, the others are resampled (B+1)."""

    auc: Floats
    average_precision: Floats
    lift: dict[float, Floats]


def resampled(clusters: int, draws: int, seed: int) -> Floats:
    """Weights of the clusters (B+1 × clusters): ones, then multinomial counts of a bootstrap."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=draws)
    return np.vstack([np.ones(clusters), counts.astype(float)])


def statistics(scores: Floats, added: Flags, weights: Floats) -> Draws:
    """AUC, average precision and lift of scores (n) for flags (n) under weights (B+1 × n); NaN without additions."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    weighed = weights[:, order]
    positive = np.add.reduceat(np.where(added[order], weighed, 0.0), starts, axis=1)
    every = np.add.reduceat(weighed, starts, axis=1)
    negative = every - positive
    all_positive, all_negative = positive.sum(axis=1), negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = all_negative[:, None] - np.cumsum(negative, axis=1) + 0.5 * negative
        auc = (positive * below).sum(axis=1) / (all_positive * all_negative)
        found, seen = np.cumsum(positive, axis=1), np.cumsum(every, axis=1)
        precision = np.where(seen > 0, found / seen, 0.0)
        average = (positive * precision).sum(axis=1) / all_positive
        recall, share = found / all_positive[:, None], seen / seen[:, -1:]
        lift = {k: np.array([_at(k, s, r) for s, r in zip(share, recall, strict=True)]) / k for k in SHARES}
    return Draws(auc, average, lift)


def _at(k: float, share: Floats, recall: Floats) -> float:
    """Share of the additions among the first k of the cells; within a tie, in proportion."""
    return float(np.interp(k, np.r_[0.0, share], np.r_[0.0, recall]))


def interval(values: Floats) -> tuple[float, float]:
    """5th and 95th percentile of the resampled values; NaN when none could be computed."""
    known = values[1:][np.isfinite(values[1:])]
    return (float(np.percentile(known, LOW)), float(np.percentile(known, HIGH))) if known.size else (np.nan, np.nan)


def pooled(draws: Sequence[Floats], additions: Sequence[int]) -> Floats:
    """The mean of a statistic over windows, weighed by their additions, draw by draw; NaN values are left out."""
    stacked = np.stack(draws)
    weight = np.asarray(additions, dtype=float)[:, None] * np.isfinite(stacked)
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = (np.nan_to_num(stacked) * weight).sum(axis=0) / total
    return mean
