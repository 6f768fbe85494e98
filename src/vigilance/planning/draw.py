"""The random share: sites drawn with a known, equal probability, whatever their risk.

Targeted audits say nothing about the sites that were not targeted; a probability sample does. The sites are
put in order of cost, shuffled within equal cost, and every (N/n)-th is taken from a random start (systematic
sampling): each has the probability n/N exactly, and the cost of the sample is bounded before it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigilance.planning.problem import Bools, Floats, Ints


@dataclass(frozen=True)
class Draw:
    """The sites drawn (n,), their probability, and the share of the eligible sites in the frame."""

    sites: Ints
    probability: float
    frame: Bools
    frame_share: float


def draw(cost: Floats, eligible: Bools, target: float, most: float, seed: int) -> Draw:
    """Draw sites worth about ``target`` in cost (N,), never more than ``most``.

    Sites that alone cost more than ``most`` cannot be drawn; ``frame_share`` says how many can.
    """
    size = int(eligible.sum())
    frame = eligible & (cost <= most)
    inside = np.flatnonzero(frame)
    nothing = Draw(np.empty(0, dtype=np.int64), 0.0, frame, inside.size / size if size else 0.0)
    if not inside.size or target <= 0:
        return nothing
    rng = np.random.default_rng([seed, 1])
    shuffled = inside[rng.permutation(inside.size)]
    ordered = shuffled[np.argsort(cost[shuffled], kind="stable")]
    number = _how_many(cost[ordered], target, most)
    if number == 0:
        return nothing
    step = ordered.size / number
    start = rng.random() * step
    picked = np.minimum(np.floor(start + step * np.arange(number)).astype(np.int64), ordered.size - 1)
    return Draw(np.sort(ordered[picked]), number / ordered.size, frame, inside.size / size)


def _how_many(cost: Floats, target: float, most: float) -> int:
    """The number of sites nearest to the target whose dearest possible sample stays within ``most``."""
    mean = float(cost.mean())
    number = int(min(max(1, np.floor(target / mean + 0.5)), cost.size)) if mean > 0 else 1
    while number > 0 and _dearest(cost, number) > most:
        number -= max(1, number // 50)
    return max(number, 0)


def _dearest(cost: Floats, number: int) -> float:
    """The highest cost that a systematic sample of ``number`` can have; ``cost`` ascends."""
    ends = np.ceil(np.arange(1, number + 1) * (cost.size / number)).astype(np.int64) - 1
    return float(cost[np.minimum(ends, cost.size - 1)].sum())
