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

CORE = 2_500
"""How many yes-or-no questions the solver is asked to settle in a first attempt."""

LARGEST_CORE = 12_000
"""Above so many questions optimality is not pursued to the end; the gap says what is left."""


def best(problem: Problem) -> Solution | None:
    """The best plan, or None when no plan keeps the limits (see ``conflict`` for why)."""
    oracle = Oracle(problem)
    answer, answers = lowest(oracle)
    if int(np.isfinite(problem.value).sum()) <= SMALL:
        choice, bound, done = cores.solve(problem, cores.everything(problem))
        if choice is None:
            return None
        return _solution(problem, choice, min(bound, answer.bound), answer, exact=done)
    return _large(problem, oracle, answer, answers)


def _large(problem: Problem, oracle: Oracle, answer: Answer, answers: list[Answer]) -> Solution | None:
    margins = cores.Margins(oracle, answer)
    found = _best_of([a.choice for a in answers[-5:]], problem)
    size = CORE
    while True:
        core, tolerance = margins.core_of(size)
        choice, bound, done = cores.solve(problem, core)
        found = _better(problem, found, choice)
        whole = tolerance == np.inf
        if found is not None or whole or size >= LARGEST_CORE:
            break
        size *= 2
    if found is None:
        return None
    if whole and done:
        return _solution(problem, found, min(bound, answer.bound), answer, exact=True)
    return _prove(problem, margins, found, answer, tolerance if done else -1.0)


def _prove(problem: Problem, margins: cores.Margins, found: Ints, answer: Answer, settled: float) -> Solution:
    """Settle everything that could still beat ``found``; ``settled`` is the tolerance already searched in full."""
    missing = answer.bound - worth(problem, found)
    if missing < 1 or settled >= missing:
        return _solution(
            problem, found, worth(problem, found) if missing >= 1 else answer.bound, answer, exact=True
        )
    core = margins.core(missing)
    if core.size > LARGEST_CORE:
        return _solution(problem, found, answer.bound, answer, exact=False)
    choice, bound, done = cores.solve(problem, core)
    better = _better(problem, found, choice)
    bound = min(answer.bound, max(bound, worth(problem, better))) if choice is not None else answer.bound
    return _solution(problem, better, bound, answer, exact=done)


def _best_of(choices: list[Ints], problem: Problem) -> Ints | None:
    found: Ints | None = None
    for choice in choices:
        found = _better(problem, found, choice)
    return found


def _better(problem: Problem, found: Ints | None, choice: Ints | None) -> Ints:
    """The worthier of two choices, of those that keep the limits."""
    if choice is None or not keeps(problem, choice):
        return found  # type: ignore[return-value]
    if found is None or worth(problem, choice) > worth(problem, found):
        return choice
    return found


def _solution(problem: Problem, choice: Ints, bound: float, answer: Answer, *, exact: bool) -> Solution:
    value = worth(problem, choice)
    return Solution(
        choice=choice,
        value=value,
        used=cost(problem, choice),
        bound=max(value, value if exact else bound),
        price=float(answer.prices[0]),
        exact=exact,
    )
