"""The undecided part of a plan as a mixed-integer programme, solved by HiGHS.

Prices settle most sites and trips: whatever would cost more than the gap if decided otherwise is fixed
(reduced-cost fixing), and only the rest, the core, goes to the solver. Limits are on nodes, never on seconds:
a plan must not depend on how busy the machine was.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from vigilance.planning.dual import Answer, Oracle
from vigilance.planning.problem import NONE, Bools, Floats, Ints, Problem

NODES = 4_000
EPS = 1e-9


@dataclass(frozen=True)
class Core:
    """What is left to decide: options (site, action), trips, and what everything else already uses.

    ``site``, ``action`` and ``worth`` (M,) are the options; ``trips`` (T,) the undecided trips; ``fixed``
    (N,) the choice of every other site; ``opened`` (K,) the trips already made.
    """

    site: Ints
    action: Ints
    trips: Ints
    fixed: Ints
    opened: Bools

    @property
    def size(self) -> int:
        """The number of yes-or-no questions left."""
        return int(self.site.size + self.trips.size)


def everything(problem: Problem) -> Core:
    """The whole problem, nothing fixed."""
    action, site = np.nonzero(np.isfinite(problem.value))
    return Core(
        site.astype(np.int64),
        action.astype(np.int64),
        np.unique(problem.trip),
        np.full(problem.sites, NONE, dtype=np.int64),
        np.zeros(problem.travel.size, dtype=np.bool_),
    )


class Margins:
    """How much the bound would fall if each option or trip were decided otherwise."""

    def __init__(self, oracle: Oracle, answer: Answer) -> None:
        problem = oracle.problem
        self.problem, self.answer = problem, answer
        off, _, on, _, nets = oracle.options(answer.prices)
        self.trip = np.abs(nets)
        self.opened = (nets > 0) | (problem.travel == 0)
        best = np.where(self.opened[problem.trip], np.maximum(on, off), off)
        price = oracle.day_prices(answer.prices)[0]
        self.option = np.empty_like(problem.value)
        closed = ~self.opened[problem.trip]
        for action in range(problem.actions):
            loss = best - (problem.value[action] - problem.days[action] * price)
            if problem.on_trip[action]:
                loss = np.where(closed, np.inf, loss)
            self.option[action] = loss
        self.idle = best

    def core(self, tolerance: float) -> Core:
        """The core in which nothing that would lose more than ``tolerance`` is questioned."""
        problem = self.problem
        undecided = (self.trip <= tolerance) & (problem.travel > 0)  # a free trip asks no question
        inside = undecided[problem.trip]
        keep = np.isfinite(problem.value) & ((self.option <= tolerance) | inside)
        alternatives = keep.sum(axis=0) + ((self.idle <= tolerance) | inside)
        questioned = alternatives > 1
        action, site = np.nonzero(keep & questioned)
        fixed = np.where(questioned, NONE, self.answer.choice)
        opened = self.opened & ~undecided
        return Core(site.astype(np.int64), action.astype(np.int64), np.flatnonzero(undecided), fixed, opened)

    def core_of(self, size: int) -> tuple[Core, float]:
        """The largest core of about ``size`` questions, and its tolerance."""
        low, high = 0.0, float(np.max(self.trip, initial=1.0)) + float(np.max(self.idle, initial=1.0)) + 1.0
        core = self.core(np.inf)
        if core.size <= size:
            return core, np.inf
        for _ in range(40):
            middle = (low + high) / 2
            if self.core(middle).size > size:
                high = middle
            else:
                low = middle
            if high - low <= 1e-3 * high:
                break
        return self.core(low), low


def solve(problem: Problem, core: Core, slack: float = 0.0) -> tuple[Ints | None, float, bool]:
    """The best choice within a core: (choice or None when none keeps the limits, upper bound, finished).

    The solver stops when it is within ``slack`` (in value) of the best.
    """
    model = _Model(problem, core)
    return model.solve(slack)


class _Model:
    """Columns: the options, then the trips.

    Rows: one per site, one per site of an undecided trip, the limits.
    """

    def __init__(self, problem: Problem, core: Core) -> None:
        self.problem, self.core = problem, core
        self.worth = problem.value[core.action, core.site]
        self.days = problem.days[core.action, core.site]
        taken = core.fixed != NONE
        rows = np.flatnonzero(taken)
        self.base = float(problem.value[core.fixed[rows], rows].sum())
        self.fixed_days = np.zeros(problem.sites)
        self.fixed_days[rows] = problem.days[core.fixed[rows], rows]
        # A trip counts as made when a fixed choice needs it, not merely because its price said so.
        self.opened = np.zeros(problem.travel.size, dtype=np.bool_)
        self.opened[problem.trip[rows[problem.on_trip[core.fixed[rows]]]]] = True
        self.opened |= core.opened

    def _rows(self) -> tuple[sparse.csr_matrix, Floats]:
        problem, core = self.problem, self.core
        options, trips = core.site.size, core.trips.size
        columns = options + trips
        _, site_row = np.unique(core.site, return_inverse=True)
        ones = np.ones(options)
        one_each = sparse.csr_matrix((ones, (site_row, np.arange(options))), shape=(_rows_of(site_row), columns))
        trip_column = np.full(problem.travel.size, NONE, dtype=np.int64)
        trip_column[core.trips] = options + np.arange(trips)
        linked = np.flatnonzero(problem.on_trip[core.action] & (trip_column[problem.trip[core.site]] != NONE))
        _, link_row, first = _numbered(core.site[linked])
        link = sparse.csr_matrix((ones[linked], (link_row, linked)), shape=(first.size, columns))
        owner = trip_column[problem.trip[core.site[linked][first]]]
        link = link - sparse.csr_matrix(
            (np.ones(first.size), (np.arange(first.size), owner)), shape=(first.size, columns)
        )
        budget = np.concatenate([self.days, problem.travel[core.trips]])
        fixed_travel = np.where(self.opened, problem.travel, 0.0)
        lines, rhs = [budget], [problem.budget - self.fixed_days.sum() - fixed_travel.sum()]
        for limit in problem.limits:
            on_site = np.where(limit.sites[core.site], self.days, 0.0)
            counted = np.zeros(problem.travel.size) if limit.trips is None else limit.trips * problem.travel
            lines.append(limit.sign * np.concatenate([on_site, counted[core.trips]]))
            used = self.fixed_days[limit.sites].sum() + counted[self.opened].sum()
            rhs.append(limit.sign * (limit.bound - used))
        matrix = sparse.vstack([one_each, link, sparse.csr_matrix(np.array(lines))]).tocsr()
        upper = np.concatenate([np.ones(one_each.shape[0]), np.zeros(first.size), rhs])
        return matrix, upper

    def solve(self, slack: float) -> tuple[Ints | None, float, bool]:
        matrix, upper = self._rows()
        scale = float(np.max(np.abs(self.worth), initial=0.0)) / 1e3 or 1.0
        worth = np.concatenate([self.worth, np.zeros(self.core.trips.size)]) / scale
        highs = _highs(max(slack / scale, EPS))
        highs.passModel(_programme(worth, matrix, upper))
        highs.run()
        status = highs.getModelStatus()
        info = highs.getInfo()
        values = np.array(highs.getSolution().col_value)
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if status == highspy.HighsModelStatus.kInfeasible or not feasible or values.size != worth.size:
            return None, np.inf, status == highspy.HighsModelStatus.kInfeasible
        choice = self.core.fixed.copy()
        chosen = np.flatnonzero(values[: self.core.site.size] > 0.5)
        choice[self.core.site[chosen]] = self.core.action[chosen]
        done = status == highspy.HighsModelStatus.kOptimal
        return choice, self.base + float(info.mip_dual_bound) * scale, done


def _rows_of(row: Ints) -> int:
    return int(row.max()) + 1 if row.size else 0


def _numbered(ids: Ints) -> tuple[Ints, Ints, Ints]:
    """Distinct ids, the rank of each id among them, and where each was first seen."""
    distinct, first, rank = np.unique(ids, return_index=True, return_inverse=True)
    return distinct, rank, first


def _highs(slack: float) -> highspy.Highs:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 0)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", slack)
    highs.setOptionValue("mip_max_nodes", NODES)
    return highs


def _programme(worth: Floats, matrix: sparse.csr_matrix, upper: Floats) -> highspy.HighsLp:
    """Maximise ``worth`` over yes-or-no columns with every row at most ``upper``."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = worth.size, upper.size
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = worth
    model.col_lower_, model.col_upper_ = np.zeros(worth.size), np.ones(worth.size)
    model.row_lower_, model.row_upper_ = np.full(upper.size, -highspy.kHighsInf), upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    model.integrality_ = [highspy.HighsVarType.kInteger] * worth.size
    return model
