"""Lagrangian bound: put a price on a person-day and on each limit, and every trip decides for itself.

For given prices the best choice is found trip by trip, in one vectorised pass, and its worth plus the price
of the limits bounds every plan from above (Everett 1963; Held and Karp 1971; Sinha and Zoltners 1979 for the
multiple-choice knapsack). The lowest such bound is found by bisection when the budget is the only limit and
by cutting planes in a shrinking box otherwise, with HiGHS for the small master problems.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from vigilance.planning.problem import NONE, Bools, Floats, Ints, Problem

BISECTIONS = 60
CUTS = 220
CLOSE = 1e-7


@dataclass(frozen=True)
class Answer:
    """The best choice under given prices.

    ``bound`` is the Lagrangian value, ``slack`` (1+R,) what is left of the budget and each limit (a
    subgradient).
    """

    prices: Floats
    bound: float
    slack: Floats
    choice: Ints


class Oracle:
    """Answers prices with the choice that is best under them; built once per problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        limits = problem.limits
        self.signs = np.array([limit.sign for limit in limits])
        self.rhs = np.array([problem.budget, *(limit.sign * limit.bound for limit in limits)])
        self.site_groups, self.site_group = _groups([limit.sites for limit in limits], problem.sites)
        none = np.zeros(problem.travel.size, dtype=np.bool_)
        self.trip_groups, self.trip_group = _groups(
            [none if limit.trips is None else limit.trips for limit in limits], problem.travel.size
        )

    def day_prices(self, prices: Floats) -> tuple[Floats, Floats]:
        """The price of a day at each site (N,) and of a day of travel on each trip (K,)."""
        signed = self.signs * prices[1:]
        return (
            prices[0] + (self.site_groups @ signed)[self.site_group],
            prices[0] + (self.trip_groups @ signed)[self.trip_group],
        )

    def options(self, prices: Floats) -> tuple[Floats, Ints, Floats, Ints, Floats]:
        """Best worth and action off and on trip for each site, and each trip's net worth (K,)."""
        problem = self.problem
        site_price, trip_price = self.day_prices(prices)
        off = np.zeros(problem.sites)
        off_action = np.full(problem.sites, NONE, dtype=np.int64)
        on = np.full(problem.sites, -np.inf)
        on_action = off_action.copy()
        for action in range(problem.actions):
            net = problem.value[action] - problem.days[action] * site_price
            best, which = (on, on_action) if problem.on_trip[action] else (off, off_action)
            better = net > best
            best[better] = net[better]
            which[better] = action
        gain = np.maximum(on - off, 0.0)
        trips = np.bincount(problem.trip, gain, minlength=problem.travel.size) - problem.travel * trip_price
        return off, off_action, on, on_action, trips

    def ask(self, prices: Floats) -> Answer:
        """The best choice under prices (1+R,), the first for the budget."""
        problem = self.problem
        off, off_action, on, on_action, trips = self.options(prices)
        goes = (trips > 0)[problem.trip] & (on > off)
        choice = np.where(goes, on_action, off_action)
        bound = float(off.sum() + np.maximum(trips, 0.0).sum() + prices @ self.rhs)
        return Answer(prices, bound, self.slack(choice), choice)

    def slack(self, choice: Ints) -> Floats:
        """What a choice leaves of the budget and of each limit, in quarter-days.

        Negative where it overruns.
        """
        problem = self.problem
        taken = choice != NONE
        days = np.where(taken, problem.days[np.maximum(choice, 0), np.arange(problem.sites)], 0.0)
        going = taken & problem.on_trip[np.maximum(choice, 0)]
        opened = np.bincount(problem.trip[going], minlength=problem.travel.size) > 0
        travel = np.where(opened, problem.travel, 0.0)
        by_site = np.bincount(self.site_group, days, minlength=len(self.site_groups))
        by_trip = np.bincount(self.trip_group, travel, minlength=len(self.trip_groups))
        used = self.signs * (by_site @ self.site_groups + by_trip @ self.trip_groups)
        result: Floats = self.rhs - np.array([days.sum() + travel.sum(), *used])
        return result


def _groups(masks: list[Bools], size: int) -> tuple[Floats, Ints]:
    """The distinct patterns of membership (G, R) and the pattern of each element (size,)."""
    if not masks:
        return np.zeros((1, 0)), np.zeros(size, dtype=np.int64)
    group = np.zeros(size, dtype=np.int64)
    for mask in masks:
        group = np.unique(group * 2 + mask, return_inverse=True)[1].astype(np.int64)
    first = np.unique(group, return_index=True)[1]
    patterns = np.stack([mask[first] for mask in masks], axis=1).astype(np.float64)
    return patterns, group


def lowest(oracle: Oracle) -> tuple[Answer, list[Answer]]:
    """The lowest bound, and answers on the way to it; without limits the last keeps the budget."""
    base, path = _bisect(oracle)
    if not oracle.problem.limits:
        return base, path
    return _cutting_planes(oracle, base)


def _highest_price(problem: Problem) -> float:
    """A price per quarter-day at which nothing is worth doing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(problem.days > 0, problem.value / problem.days, 0.0)
    finite = rate[np.isfinite(rate)]
    return float(max(finite.max(initial=0.0), 0.0)) + 1.0


def _bisect(oracle: Oracle) -> tuple[Answer, list[Answer]]:
    """The lowest bound when the budget alone has a price (prices of limits stay zero)."""
    prices = np.zeros(1 + len(oracle.problem.limits))

    def at(price: float) -> Answer:
        prices[0] = price
        return oracle.ask(prices.copy())

    free = at(0.0)
    if free.slack[0] >= 0:
        return free, [free]
    low, high = 0.0, _highest_price(oracle.problem)
    best, within = free, at(high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        answer = at(middle)
        best = min(best, answer, key=lambda a: a.bound)
        if answer.slack[0] >= 0:
            high, within = middle, answer
        else:
            low = middle
        if answer.slack[0] == 0 or high - low <= 1e-9 * high:
            break
    best = min(best, within, key=lambda a: a.bound)
    return best, [within]


def _cutting_planes(oracle: Oracle, start: Answer) -> tuple[Answer, list[Answer]]:
    """Kelley's cutting planes inside a box around the best prices.

    The box shrinks when a step does not help.
    """
    scale = max(start.prices[0], _highest_price(oracle.problem) * 1e-3)
    radius = scale
    best, answers = start, [start]
    for _ in range(CUTS):
        prices, predicted = _master(answers, best.prices, radius)
        if best.bound - predicted <= CLOSE * abs(best.bound):
            break  # the cuts are convex and the best prices lie inside the box: no prices are better
        answer = oracle.ask(prices)
        answers.append(answer)
        if answer.bound < best.bound - 0.1 * (best.bound - predicted):
            best, radius = answer, min(radius * 1.5, scale * 64)
        else:
            if answer.bound < best.bound:
                best = answer
            radius *= 0.6
        if radius < scale * 1e-7:
            break
    return best, answers


def _master(answers: list[Answer], centre: Floats, radius: float) -> tuple[Floats, float]:
    """The prices at which the cuts found so far are lowest, within a box; and that lowest value."""
    recent = answers[-80:]
    slopes = np.stack([a.slack for a in recent])
    scale = max(abs(centre).max(), radius, 1e-12)
    level = max(abs(a.bound) for a in recent) or 1.0
    heights = np.array([a.bound - a.slack @ a.prices for a in recent])
    rows = np.hstack([slopes * scale / level, -np.ones((len(recent), 1))])
    bounds = [(max(0.0, (c - radius) / scale), (c + radius) / scale) for c in centre]
    result = linprog(
        np.array([0.0] * centre.size + [1.0]),
        A_ub=rows,
        b_ub=-heights / level,
        bounds=[*bounds, (None, None)],
        method="highs",
    )
    if result.x is None:
        return centre, min(a.bound for a in recent)
    prices: Floats = np.maximum(result.x[:-1], 0.0) * scale
    return prices, float(result.fun) * level
