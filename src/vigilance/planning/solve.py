"""The best plan, with a proof of how good it is.

1. Prices (``dual``): a bound that no plan can beat, and a plan near it.
2. Everything that the bound and the best plan already decide is fixed; the rest (``core``) goes to HiGHS.
3. When the whole core fits, the plan is optimal; otherwise the gap to the bound is said.
"""

from __future__ import annotations

import numpy as np

from vigilance.planning import core as cores
from vigilance.planning.dual import Answer, Oracle, lowest
from vigilance.planning.problem import Ints, Problem, Solution, cost, keeps, worth

SMALL = 400
"""Up to so many options the whole problem goes to the solver at once."""

CORE = 200
"""How many yes-or-no questions the solver is asked to settle in a first attempt."""

TO_THE_LAST = 5_000
"""Up to so many sites the very best plan is sought; above, one within ``CLOSE_ENOUGH`` of it."""

CLOSE_ENOUGH = 2e-5

LARGEST_CORE = 8_000
"""Above so many questions optimality is not pursued to the end; the gap says what is left."""


def best(problem: Problem, close_enough: float = 0.0) -> Solution | None:
    """The best plan, or None when no plan keeps the limits (see ``conflict`` for why).

    ``close_enough`` lets a large problem stop within that share of the best value.
    """
    oracle = Oracle(problem)
    answer, answers = lowest(oracle)
    if int(np.isfinite(problem.value).sum()) <= SMALL:
        choice, bound, _done = cores.solve(problem, cores.everything(problem))
        return None if choice is None else _solution(problem, choice, min(bound, answer.bound), answer)
    return _large(problem, oracle, answer, answers, close_enough)


def _large(
    problem: Problem, oracle: Oracle, answer: Answer, answers: list[Answer], close_enough: float = 0.0
) -> Solution | None:
    margins = cores.Margins(oracle, answer)
    found = _best_of([a.choice for a in answers[-5:]], problem)
    slack = answer.bound * max(close_enough, 0.0 if problem.sites <= TO_THE_LAST else CLOSE_ENOUGH)
    size = CORE
    while True:
        core, tolerance = margins.core_of(size)
        choice, bound, done = cores.solve(problem, core, slack)
        found = _better(problem, found, choice)
        whole = tolerance == np.inf
        if found is not None or whole or size >= LARGEST_CORE:
            break
        size *= 4
    if found is None:
        return None
    value = worth(problem, found)
    if done and tolerance >= answer.bound - value:
        return _solution(problem, found, min(max(bound, value), answer.bound), answer)
    return _prove(problem, margins, found, answer, slack)


def _prove(problem: Problem, margins: cores.Margins, found: Ints, answer: Answer, slack: float) -> Solution:
    """Settle everything that could still beat ``found`` by more than ``slack``."""
    missing = answer.bound - worth(problem, found)
    core = margins.core(missing)
    if missing <= max(slack, 1.0) or core.size > LARGEST_CORE:
        return _solution(problem, found, answer.bound, answer)
    choice, bound, _done = cores.solve(problem, core, slack)
    better = _better(problem, found, choice)
    better = found if better is None else better
    if choice is None:
        return _solution(problem, better, answer.bound, answer)
    # Whatever the core leaves out is worth less than what was found before.
    return _solution(problem, better, min(answer.bound, max(bound, worth(problem, found))), answer)


def _best_of(choices: list[Ints], problem: Problem) -> Ints | None:
    found: Ints | None = None
    for choice in choices:
        found = _better(problem, found, choice)
    return found


def _better(problem: Problem, found: Ints | None, choice: Ints | None) -> Ints | None:
    """The worthier of two choices, of those that keep the limits."""
    if choice is None or not keeps(problem, choice):
        return found
    if found is None or worth(problem, choice) > worth(problem, found):
        return choice
    return found


def _solution(problem: Problem, choice: Ints, bound: float, answer: Answer) -> Solution:
    """The solution; values are whole numbers, so a bound less than one above the value proves it best."""
    value = worth(problem, choice)
    exact = bound < value + 1
    return Solution(
        choice=choice,
        value=value,
        used=cost(problem, choice),
        bound=value if exact else bound,
        price=float(answer.prices[0]),
        exact=exact,
    )
