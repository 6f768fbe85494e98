"""Where each site stands in its list: rank on the larger P80 of the two hazards, so that ignorance raises priority.

``rank_low`` and ``rank_high`` are where the site would stand if its own presence were at its 95 % or its 5 % bound while
the others stayed: the best and the worst case of its place. Ties share the better rank, so that a rank does not depend
on the order of the file.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from vigilance.terms import HAZARDS

RANKS: Final = ("rank", "rank_low", "rank_high")


def worst(quantile: str) -> pl.Expr:
    """The larger of the two hazards at a quantile; they are compared, never merged."""
    return pl.max_horizontal(f"{hazard}_{quantile}" for hazard in HAZARDS)


def with_ranks(frame: pl.DataFrame, *, whole: bool) -> pl.DataFrame:
    """Add ``RANKS`` (1 is the highest risk); null where the frame is only a part of its list."""
    if not whole:
        return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in RANKS)
    p80, p05, p95 = (frame.select(worst(q)).to_series().to_numpy() for q in ("p80", "p05", "p95"))
    ascending = np.sort(p80)

    def place(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pl.Series:
        above = len(ascending) - np.searchsorted(ascending, values, side="right")
        return pl.Series(above + 1, dtype=pl.Int64)

    return frame.with_columns(
        place(p80).alias("rank"), place(p95).alias("rank_low"), place(p05).alias("rank_high")
    )
