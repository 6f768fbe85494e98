"""How much is left open: the variance of each answer on the scale of ln π, and of each blank.

Two laws meet here. An interval should cover as often as it says, so a blank is worth the variance there is and no more:
that between the answers, and the mean of the answers' own. And blanking a field must never narrow an interval, though a
rare answer whose ratio is known badly leaves more open than the blank does. The law is kept where it costs least: what
most lists leave blank, by holding the answer at the blank (``held``), so that the intervals of a few are a little
narrow; what most lists state, by widening the blank as well (``at_least``), so that those of a few are a little wide.

Variances are of natural logarithms. D divisions, the first being the unknown activity; C countries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def of_chance(chance: Floats, ln_ratio: Floats | float, present: Floats, absent: Floats) -> Floats:
    """Variance of a factor that is present with some chance: between the answers, and the mean of their own.

    A stated presence has chance 1, a proven absence 0, a blank the prevalence q; an absence proven to a share p is true
    with that share and else as if nothing had been said, so that its chance is (1 - p)·q.
    """
    return chance * (1.0 - chance) * ln_ratio**2 + chance * present + (1.0 - chance) * absent


def held(answer: Floats, blank: Floats) -> Floats:
    """The variance of an answer, at most that of its blank: for questions that most lists leave open."""
    return np.minimum(answer, blank)


def at_least(blank: Floats, answer: Floats | float) -> Floats:
    """The variance of a blank, at least that of a usual answer: for what most lists state (tier, size)."""
    return np.maximum(blank, answer)


def of_unknown_size(between: Floats, exponent_sd: float, usual: Floats, largest: Floats, spread: Floats) -> Floats:
    """Variance of γ·ln N for an unknown size (D): that of the size, and of the exponent at the sizes there are.

    ``between`` is that of γ·ln N at the central γ; ``usual`` and ``spread`` are the centre and the sd of ln N. It is
    never below that of the exponent at the ``largest`` usual ln N, so that a known size is held only beyond it.
    """
    there: Floats = between + exponent_sd**2 * (usual**2 + spread**2)
    return at_least(there, (exponent_sd * largest) ** 2)


def over_unknown_activity(by_state: Sequence[Floats], by_cell: Sequence[Floats]) -> Floats:
    """The most by which the terms of a known activity can exceed those of the unknown one, together (C).

    ``by_state`` are variances by activity and answer (D×S), where the worst answer counts; ``by_cell`` variances by
    country and activity (C×D). An unknown activity that adds at least this never narrows an interval.
    """
    surplus = np.zeros((1, 1))
    for term in by_state:
        surplus = surplus + np.maximum((term - term[:1]).max(axis=1), 0.0)
    for cell in by_cell:
        surplus = surplus + np.maximum(cell - cell[:, :1], 0.0)
    worst: Floats = surplus.max(axis=1)
    return worst
