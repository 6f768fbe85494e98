"""The lines of an explanation: one per ratio, in the order in which they multiply, and their codes.

A line's code is its position in ``LINES``. A *driver* is a line at a site, packed into one integer so that the
strongest lines of millions of rows are found with comparisons of integers alone:

    driver = raises·2^20 + strength·2^6 + line,   strength = floor(|ln ratio| / STEP + 1/2)

so that what raises the risk comes before what lowers it, the stronger before the weaker, and a driver of strength 0
(a ratio of 1) is none. ``STEP`` is a matter of display (2 % of ratio), not of method.
"""

from __future__ import annotations

from typing import Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.terms import FACTORS

BASE: Final = "base"
ACTIVITY: Final = "activity"
WORKFORCE: Final = "usual_workforce"
REGION: Final = "region"
COUNTRY: Final = "country"
TIER: Final = "tier"
MIGRANTS: Final = "migrant_share"
SPONSORSHIP: Final = "sponsorship"
LISTED_GOOD: Final = "listed_good"
LISTED_OTHER: Final = "listed_other_hazard"
LISTED_ELSEWHERE: Final = "listed_elsewhere"
LISTED_IN_COUNTRY: Final = "listed_in_country"
LISTED_UPSTREAM: Final = "listed_upstream"
LIST_BOUND: Final = "list_ratio_bound"
BALANCE: Final = "balance"
AUDIT_CELLS: Final = "audit_cells"
STATE_IMPOSED: Final = "state_imposed_zone"
BOUND: Final = "combined_ratio_bound"
CEILING: Final = "rate_ceiling"
MEASURES: Final = "measures"
SIZE: Final = "size"
EVIDENCE: Final = "evidence"
"""All the evidence about a site together, as a driver; an explanation lists its pieces."""

LISTS: Final = (LISTED_GOOD, LISTED_OTHER, LISTED_ELSEWHERE, LISTED_IN_COUNTRY, LISTED_UPSTREAM)
"""What the list of goods says of a cell; together held by ``LIST_BOUND``."""

EVENED: Final = (LIST_BOUND, BALANCE)
"""Lines that keep the others in bounds and averages at the published estimates; they tell nothing of a cell itself."""

OUTSIDE: Final = (BASE, ACTIVITY, WORKFORCE, REGION, COUNTRY, TIER, *LISTS, *EVENED, AUDIT_CELLS)
"""Lines that multiply outside the bound on the factors together; the last only where statistics of audits are given."""

CELL_FACTORS: Final = (STATE_IMPOSED,)
"""Factors that follow from where a site is and what it does."""

SITE_FACTORS: Final = (MIGRANTS, SPONSORSHIP)
"""Factors that follow from a number of the site's own row."""

LINES: Final = (*OUTSIDE, *CELL_FACTORS, *SITE_FACTORS, *FACTORS, BOUND, CEILING, MEASURES, SIZE, EVIDENCE)
CODE: Final = {line: code for code, line in enumerate(LINES)}

STEP: Final = 0.02
_STEPS: Final = 50.0
LINE_PLACES: Final = 2**6
RAISES: Final = 2**20
STRONGEST: Final = RAISES // LINE_PLACES - 1


def driver(line: str, ln_ratio: nw.Expr) -> nw.Expr:
    """The driver code of a line whose ratio has the given logarithm; 0 where the ratio is 1 to within half a step."""
    strength = (ln_ratio.abs() * _STEPS + 0.5).floor()
    held = nw.when(strength > STRONGEST).then(nw.lit(float(STRONGEST))).otherwise(strength)
    raises = nw.when(ln_ratio > 0).then(nw.lit(float(RAISES))).otherwise(nw.lit(0.0))
    code = held * float(LINE_PLACES) + raises + float(CODE[line])
    return nw.when(strength > 0).then(code).otherwise(nw.lit(0.0)).cast(nw.Int32)


def driver_codes(line: str, ln_ratio: NDArray[np.float64]) -> NDArray[np.int32]:
    """``driver`` for the small tables, which are made before any row is read."""
    held = np.minimum(np.floor(np.abs(ln_ratio) * _STEPS + 0.5), STRONGEST).astype(np.int32)
    code = held * LINE_PLACES + CODE[line] + np.where(ln_ratio > 0, RAISES, 0)
    return np.where(held > 0, code, 0).astype(np.int32)


Three = tuple[nw.Expr, nw.Expr, nw.Expr]


def in_order(a: nw.Expr, b: nw.Expr, c: nw.Expr) -> Three:
    """Three integer columns, row by row from the largest to the smallest."""
    largest, smallest = nw.max_horizontal(a, b, c), nw.min_horizontal(a, b, c)
    return largest, a + b + c - largest - smallest, smallest


def largest_of(a: Three, b: Three) -> Three:
    """The three largest of two triples that are each in order, row by row."""
    second = nw.max_horizontal(nw.min_horizontal(a[0], b[0]), a[1], b[1])
    third = nw.max_horizontal(nw.min_horizontal(a[1], b[0]), nw.min_horizontal(a[0], b[1]), a[2], b[2])
    return nw.max_horizontal(a[0], b[0]), second, third


def decoded(code: int) -> tuple[str, float] | None:
    """The line and the logarithm of the ratio (to within half a step) that a driver code stands for."""
    if code == 0:
        return None
    size = (code % RAISES) // LINE_PLACES * STEP
    return LINES[code % LINE_PLACES], size if code >= RAISES else -size
