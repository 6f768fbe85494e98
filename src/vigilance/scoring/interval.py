"""Presence and its interval, in closed form for every row.

Presence follows a complementary log-log model, P0 = 1 - exp(-m): ``ln m`` is its link, normal with variance ``var``.
Evidence multiplies the odds: logit P = logit P0 + shift, the shift normal with its own variance. A quantile moves
both along their most likely path (first-order reliability): in the share ``g²·var`` and ``shift_var`` have of the
variance on the logit scale, with g = m/P0 the slope of the logit in ln m. Without evidence this is the exact quantile
of P0; without uncertainty in the rate, the exact quantile of the shift; in between it keeps both tails where a
straight line on the logit scale would shorten one of them. The median is logit⁻¹(logit P0 + shift).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist

import narwhals.stable.v2 as nw


def logit_of_presence(ln_m: nw.Expr) -> nw.Expr:
    """logit(1 - exp(-m)) = ln(exp(m) - 1), written so that neither a small nor a large m loses digits."""
    m = ln_m.exp()
    # 1 - exp(-m) loses relative precision below 1e-8 or so; there it equals m(1 - m/2) to the last bit.
    small = ln_m + (1.0 + m * 0.5).log()
    return nw.when(m < SMALL).then(small).otherwise(m + (1.0 - (-m).exp()).log())


SMALL = 1e-5
"""Below this m, ln(exp(m) - 1) = ln m + ln(1 + m/2 + ...) is taken from its series; the next term is below 2e-11."""


def logistic(x: nw.Expr) -> nw.Expr:
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + (-x).exp())


def standard_normal(probability: float) -> float:
    """The z of a probability."""
    return 0.0 if probability == 0.5 else NormalDist().inv_cdf(probability)


def presence(m: nw.Expr) -> nw.Expr:
    """P0 = 1 - exp(-m); below ``SMALL`` from its series, where the subtraction would lose digits."""
    return nw.when(m < SMALL).then(m * (1.0 - m * 0.5)).otherwise(1.0 - (-m).exp())


def shifted(m: nw.Expr, p0: nw.Expr, shift: nw.Expr) -> nw.Expr:
    """logit⁻¹(logit P0 + shift) = P0 / (P0 + exp(-m)·exp(-shift)), without a logarithm and for any m."""
    return p0 / (p0 + (-m - shift).exp())


def units(digits: Iterable[int], like: nw.Expr) -> dict[str, nw.Expr]:
    """The columns that ``quantised`` divides by, for some numbers of digits; ``like`` is any number that is never null.

    A division by a constant is a true division on some engines and for some lengths, and a product with the reciprocal,
    a last bit off, on others. By a column it is one division everywhere.
    """
    return {_unit(d): like.cast(nw.Float64) * 0.0 + 10.0**d for d in digits}


def _unit(digits: int) -> str:
    return f"ten_to_{digits}"


def quantised(x: nw.Expr, digits: int) -> nw.Expr:
    """Rounded half up to the number next to a decimal, the same on every engine (their own ``round`` differ on ties).

    Needs the column of ``units``.
    """
    return (x * 10.0**digits + 0.5).floor() / nw.col(_unit(digits))


def on_grid(limit: float, digits: int) -> float:
    """A limit as ``quantised`` would give it, so that a number that is printed like it reaches it."""
    return math.floor(limit * 10.0**digits + 0.5) / 10.0**digits
