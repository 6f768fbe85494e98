"""What a plan promises and how sure that is: the curve against budget, other sensitivities, the share of learning."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vigilance.planning import solve, value
from vigilance.planning.dual import Answer, Oracle, lowest
from vigilance.planning.problem import (
    NONE,
    UNITS_PER_DAY,
    UNITS_PER_PERSON,
    Bools,
    Floats,
    Ints,
    Problem,
    Solution,
)
from vigilance.planning.protocol import ACTIONS, AuditProtocol
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.planning.assemble import Fixed, Ground

POINTS = 24
SOLVED_AGAIN = 20_000


@dataclass(frozen=True)
class Case:
    """The plan under another sensitivity: what it is worth, what the best plan would be worth, and its actions."""

    sensitivity: float
    value: float
    best_value: float
    same_sites: float
    actions: dict[str, int]


@dataclass(frozen=True)
class Outlook:
    """Curve points (person-days, severity-weighted people) and what-ifs; see ``plan.json``."""

    curve: list[tuple[float, float]]
    cases: list[Case]


def wanted(problem: Problem, fixed: Fixed, solution: Solution) -> Bools:
    """Drawn sites (N,) that are worth their price on a trip already made: value would have chosen them too."""
    price = solution.price
    net = (problem.value - price * problem.days).max(axis=0)
    drawn = np.zeros(problem.sites, dtype=np.bool_)
    if fixed.drawn is not None:
        drawn[fixed.drawn.sites] = True
    result: Bools = drawn & (net > 0)
    return result


def look(
    base: Ground, fixed: Fixed, left: Problem, solution: Solution, choice: Ints, protocol: AuditProtocol
) -> Outlook:
    """Draw the curve and weigh the plan under each sensitivity case."""
    return Outlook(curve(left, solution, fixed, base), cases(base, fixed, left, choice, protocol))


def curve(left: Problem, solution: Solution, fixed: Fixed, base: Ground) -> list[tuple[float, float]]:
    """Value against budget, along the prices of a day: every point is a best plan for the days it uses.

    The days and value of mandatory and drawn actions are in every point.
    """
    oracle = Oracle(left)
    start = solution.price if solution.price > 0 else _typical_price(left)
    days = base.problem.budget - left.budget
    taken = fixed.choice != NONE
    own = base.problem.value[np.maximum(fixed.choice, 0), np.arange(left.sites)]
    worth = float(np.where(taken & np.isfinite(own), own, 0.0).sum())
    points = {(days, worth)}
    prices = np.zeros(1 + len(left.limits))
    for step in np.linspace(math.log(12.0), math.log(1 / 6), POINTS):
        prices[0] = start * math.exp(float(step))
        answer = oracle.ask(prices)
        points.add((days + left.budget - answer.slack[0], worth + _worth(left, answer)))
    points.add((days + solution.used, worth + solution.value))
    return [(float(d) / UNITS_PER_DAY, float(v) / UNITS_PER_PERSON) for d, v in sorted(points)]


def _typical_price(problem: Problem) -> float:
    with np.errstate(invalid="ignore"):
        rate = (problem.value / problem.days).max(axis=0)
    good = rate[np.isfinite(rate)]
    return float(np.median(good)) if good.size else 1.0


def _worth(problem: Problem, answer: Answer) -> float:
    choice = answer.choice
    picked = problem.value[np.maximum(choice, 0), np.arange(problem.sites)]
    return float(np.where(choice == NONE, 0.0, picked).sum())


def cases(base: Ground, fixed: Fixed, left: Problem, choice: Ints, protocol: AuditProtocol) -> list[Case]:
    """What changes if audits detect less or more; both hazards move by the same step on the logit."""
    found = []
    reference = protocol.sensitivity[Hazard.FORCED_LABOUR]
    workers = base.table.numbers("_workers")
    risks = {h: base.table.risk(h) for h in HAZARDS}
    rows = np.arange(left.sites)
    planned = choice != NONE
    for case in protocol.cases:
        shift = math.log(case / (1 - case)) - math.log(reference / (1 - reference))
        worth = value.worth(protocol, risks, workers, shift).total
        units = np.where(np.isfinite(left.value), np.floor(worth * UNITS_PER_PERSON + 0.5), -np.inf)
        best = _best_choice(replace(left, value=units))
        best = np.where(fixed.choice != NONE, fixed.choice, best)
        own = _people(worth, choice, rows)
        found.append(
            Case(
                sensitivity=case,
                value=own,
                best_value=max(own, _people(worth, best, rows)),
                same_sites=float((planned & (best != NONE)).sum() / max(planned.sum(), 1)),
                actions={
                    str(action): int((best == index).sum())
                    for index, action in enumerate(ACTIONS)
                    if (best == index).any()
                },
            )
        )
    return found


def _best_choice(problem: Problem) -> Ints:
    """The best choice; on a large problem up to one trip, as the price of a day alone selects it."""
    if problem.sites <= SOLVED_AGAIN:
        found = solve.best(problem)
        if found is not None:
            return found.choice
    answer, path = lowest(Oracle(problem))
    return path[-1].choice if not problem.limits else answer.choice


def _people(worth: Floats, choice: Ints, rows: Ints) -> float:
    picked = worth[np.maximum(choice, 0), rows]
    return float(np.floor(np.where(choice == NONE, 0.0, picked) * UNITS_PER_PERSON + 0.5).sum()) / UNITS_PER_PERSON
