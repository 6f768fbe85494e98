"""Where each site stands in its list: rank on the larger P80 of the two hazards, so that ignorance raises priority.

``rank_low`` and ``rank_high`` are where the site would stand if its own presence were at its 95 % or its 5 % bound
while the others stayed: the best and the worst case of its place. Sites that differ by less than a millionth share
the better rank, so that a rank does not depend on the order of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from vigilance.terms import HAZARDS

Levels = np.ndarray[tuple[int], np.dtype[np.int64]]

LEVELS: Final = 1_000_000
SORTED_ROWS: Final = LEVELS // 8
"""Up to here a list is ranked by sorting it; beyond, by counting how many sites stand at each level."""
DRAWN: Final = ("_rank_low", "_rank_high")
"""The interval of the rank where joint draws gave one; it then goes before the closed form."""
RANKS: Final = ("rank", "rank_low", "rank_high")


def worst(quantile: str) -> pl.Expr:
    """The larger of the two hazards at a quantile; they are compared, never merged."""
    return pl.max_horizontal(f"{hazard}_{quantile}" for hazard in HAZARDS)


def with_ranks(frame: pl.DataFrame, *, whole: bool) -> pl.DataFrame:
    """Add ``RANKS`` (1 is the highest risk); null where the frame is only a part of its list."""
    if not whole:
        return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in RANKS)
    levels = {q: _level(frame, q) for q in ("p80", "p05", "p95")}
    above = _above(levels["p80"])

    def place(quantile: str) -> pl.Series:
        # A site does not stand above itself.
        own = levels["p80"] > levels[quantile]
        return pl.Series(above(levels[quantile]) - own + 1, dtype=pl.Int64)

    low, high = place("p95"), place("p05")
    if DRAWN[0] in frame.columns:
        low, high = (frame[name] for name in DRAWN)
        frame = frame.drop(DRAWN)
    rank = place("p80")
    return frame.with_columns(
        rank.alias("rank"),
        pl.min_horizontal(low, rank).alias("rank_low"),
        pl.max_horizontal(high, rank).alias("rank_high"),
    )


def _above(levels: Levels) -> Callable[[Levels], Levels]:
    """How many of some levels lie above given ones."""
    if len(levels) <= SORTED_ROWS:
        ordered = np.sort(levels)
        return lambda given: len(ordered) - np.searchsorted(ordered, given, side="right")
    # Of a long list, counting levels costs a fraction of sorting them.
    counted = len(levels) - np.cumsum(np.bincount(levels, minlength=LEVELS + 1))
    return lambda given: counted[given]


def _level(frame: pl.DataFrame, quantile: str) -> Levels:
    """Probabilities as whole millionths, so that a difference nobody could defend makes no rank."""
    level: Levels = frame.select((worst(quantile) * LEVELS).floor().cast(pl.Int64)).to_series().to_numpy()
    return level
