"""What a plan promises and how sure that is.

The curve against budget, other sensitivities, the share of learning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vigilance.planning import solve, value
from vigilance.planning.assemble import RANDOM, Fixed, Ground
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

POINTS = 24
SOLVED_AGAIN = 20_000
FAR_ENOUGH = 5
WHAT_IF = 1e-3
"""How near to the best a what-if is solved, as a share of its value."""


@dataclass(frozen=True)
class Case:
    """The plan under another sensitivity.

    What it is worth, what the best plan would be worth, and its actions.
    """

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
    """Drawn sites (N,) that are worth their price on a trip already made.

    Value would have chosen them too.
    """
    price = solution.price
    net = (problem.value - price * problem.days).max(axis=0)
    drawn = (fixed.chosen_by == RANDOM) & (fixed.choice != NONE)
    return np.asarray(drawn & (net > 0), dtype=np.bool_)


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
    rows = _likely(left, np.asarray(choice != NONE))
    part = _of(left, rows)
    mine, duties = choice[rows], fixed.choice[rows]
    workers = base.table.numbers("_workers")[rows]
    risks = {h: _risk_of(base.table.risk(h), rows) for h in HAZARDS}
    reference = protocol.sensitivity[Hazard.FORCED_LABOUR]
    found = []
    for case in protocol.cases:
        shift = math.log(case / (1 - case)) - math.log(reference / (1 - reference))
        worth = value.worth(protocol, risks, workers, shift).total
        units = np.where(np.isfinite(part.value), np.floor(worth * UNITS_PER_PERSON + 0.5), -np.inf)
        best = np.where(duties != NONE, duties, _best_choice(replace(part, value=units)))
        own, other = _people(worth, mine), _people(worth, best)
        if other < own:
            best, other = mine, own
        found.append(
            Case(
                sensitivity=case,
                value=own,
                best_value=other,
                same_sites=float(((mine != NONE) & (best != NONE)).sum() / max((mine != NONE).sum(), 1)),
                actions={
                    str(action): int((best == index).sum())
                    for index, action in enumerate(ACTIONS)
                    if (best == index).any()
                },
            )
        )
    return found


def _likely(problem: Problem, planned: Bools) -> Ints:
    """The sites that some sensitivity may bring into the plan; all of them unless there are very many.

    A sensitivity moves all values together and their order little: sites far below those planned stay out.
    """
    if problem.sites <= SOLVED_AGAIN:
        return np.arange(problem.sites)
    rate = (problem.value / problem.days).max(axis=0)
    size = min(problem.sites - 1, max(SOLVED_AGAIN, FAR_ENOUGH * int(planned.sum())))
    line = np.partition(rate, problem.sites - size)[problem.sites - size]
    return np.flatnonzero((rate >= line) | planned)


def _of(problem: Problem, rows: Ints) -> Problem:
    """The problem of some sites; trips and limits stay."""
    return replace(
        problem,
        value=problem.value[:, rows],
        days=problem.days[:, rows],
        trip=problem.trip[rows],
        limits=tuple(replace(limit, sites=limit.sites[rows]) for limit in problem.limits),
    )


def _risk_of(risk: value.HazardRisk, rows: Ints) -> value.HazardRisk:
    return value.HazardRisk(risk.p50[rows], risk.p05[rows], risk.p95[rows], risk.affected[rows])


def _best_choice(problem: Problem) -> Ints:
    """The best choice; on a large problem up to one trip, as the price of a day alone selects it."""
    if problem.sites <= SOLVED_AGAIN:
        found = solve.best(problem, WHAT_IF)
        if found is not None:
            return found.choice
    answer, path = lowest(Oracle(problem))
    return path[-1].choice if not problem.limits else answer.choice


def _people(worth: Floats, choice: Ints) -> float:
    picked = worth[np.maximum(choice, 0), np.arange(choice.size)]
    return float(np.floor(np.where(choice == NONE, 0.0, picked) * UNITS_PER_PERSON + 0.5).sum()) / UNITS_PER_PERSON
