"""What may leave a run: no small counts, no days of a grievance, no texts.

Counts of people under five are suppressed and dates of grievances are given to the week (method section 6, law 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import narwhals.stable.v2 as nw

SMALLEST_COUNT: Final = 5
"""Counts of people below this are not shown (0 is: nobody can be recognised in it)."""

FrameT = TypeVar("FrameT", nw.LazyFrame[Any], nw.DataFrame[Any])


def suppress(frame: FrameT, counts: Sequence[str], values: Sequence[str] = ()) -> FrameT:
    """The frame without the small cells.

    A count of 1 to 4 in any of the columns ``counts`` becomes null, and with it every other count of the row and every
    figure that would give it away (``values``: shares, sums, medians over the same people).
    """
    small = nw.lit(value=False)
    for column in counts:
        small = small | ((nw.col(column) > 0) & (nw.col(column) < SMALLEST_COUNT)).fill_null(value=False)
    return frame.with_columns(nw.when(~small).then(nw.col(column)).alias(column) for column in (*counts, *values))
