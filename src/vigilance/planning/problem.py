"""The choice as numbers: sites, actions, trips and limits, in whole units so that every sum is exact.

Values are whole millionths of a severity-weighted person and costs whole quarter-days, both kept as float64:
sums of whole numbers below 2**53 are exact in any order, so the same problem gives the same plan on any
machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

UNITS_PER_DAY: Final = 4
"""Costs are counted in quarters of a person-day."""

UNITS_PER_PERSON: Final = 1_000_000
"""Values are counted in millionths of a severity-weighted person."""

NONE: Final = -1
"""The choice of a site that is left out."""


@dataclass(frozen=True)
class Limit:
    """A bound on the days spent at some sites, next to the budget.

    ``sites`` marks them (N,). ``at_most`` is in quarter-days; with ``at_least`` true it is a minimum instead.
    ``trips`` (K,) marks the trips whose travel counts too, or is None when only days on site count.
    ``name`` is shown to the user when limits conflict.
    """

    name: str
    sites: Bools
    bound: float
    at_least: bool = False
    trips: Bools | None = None

    @property
    def sign(self) -> float:
        """+1 for a maximum, -1 for a minimum: ``sign * use <= sign * bound`` either way."""
        return -1.0 if self.at_least else 1.0


@dataclass(frozen=True)
class Problem:
    """Choose at most one action per site, paying each trip's travel once, within the budget and the limits.

    ``value`` and ``days`` are (A, N); an action that a site cannot have is worth ``-inf``. ``on_trip`` (A,)
    says which actions need someone to go there; ``trip`` (N,) is the site's trip and ``travel`` (K,) its
    cost.
    """

    value: Floats
    days: Floats
    on_trip: Bools
    trip: Ints
    travel: Floats
    budget: float
    limits: tuple[Limit, ...] = field(default=())

    @property
    def sites(self) -> int:
        """The number of sites, N."""
        return int(self.value.shape[1])

    @property
    def actions(self) -> int:
        """The number of kinds of action, A."""
        return int(self.value.shape[0])


@dataclass(frozen=True)
class Solution:
    """What is chosen: ``choice`` (N,) is an action or ``NONE``.

    ``bound`` is proven, no plan is worth more.
    """

    choice: Ints
    value: float
    used: float
    bound: float
    price: float
    exact: bool

    @property
    def gap(self) -> float:
        """How far from the best possible value this plan may be, as a share of that value."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.value) / self.bound)


def open_trips(problem: Problem, choice: Ints) -> Bools:
    """Which trips (K,) somebody makes under a choice."""
    going = (choice != NONE) & problem.on_trip[np.maximum(choice, 0)]
    opened = np.zeros(problem.travel.size, dtype=np.bool_)
    opened[problem.trip[going]] = True
    return opened


def days_on_site(problem: Problem, choice: Ints) -> Floats:
    """Quarter-days on site (N,) under a choice, 0 where a site is left out."""
    picked = problem.days[np.maximum(choice, 0), np.arange(problem.sites)]
    return np.where(choice == NONE, 0.0, picked)


def worth(problem: Problem, choice: Ints) -> float:
    """The value of a choice, in millionths."""
    picked = problem.value[np.maximum(choice, 0), np.arange(problem.sites)]
    return float(np.where(choice == NONE, 0.0, picked).sum())


def cost(problem: Problem, choice: Ints) -> float:
    """The quarter-days of a choice, travel included."""
    return float(days_on_site(problem, choice).sum() + problem.travel[open_trips(problem, choice)].sum())


def use(problem: Problem, limit: Limit, choice: Ints) -> float:
    """The quarter-days that a choice counts towards a limit."""
    used = float(days_on_site(problem, choice)[limit.sites].sum())
    if limit.trips is not None:
        used += float(problem.travel[open_trips(problem, choice) & limit.trips].sum())
    return used


def keeps(problem: Problem, choice: Ints) -> bool:
    """Whether a choice stays within the budget and every limit."""
    return cost(problem, choice) <= problem.budget and all(
        limit.sign * use(problem, limit, choice) <= limit.sign * limit.bound for limit in problem.limits
    )
