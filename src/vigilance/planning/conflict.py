"""Why no plan keeps the limits: the smallest set of limits that cannot hold together, and by how many days.

Sites alike in every limit are one column, so the question stays small for any number of sites. A problem
small enough to be solved whole is asked exactly, site by site; a large one by the days there are to spend,
which is exact up to the size of one action.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from vigilance.planning.core import everything
from vigilance.planning.problem import NONE, Floats, Ints, Problem

EXACT = 600
"""Up to so many options the question is asked site by site."""

BY_SIZE = 3
"""Sets up to this size are tried in order of size; larger ones are reduced until nothing can be left out."""

BUDGET = -1
"""Stands for the budget in a set of limits."""


@dataclass(frozen=True)
class Conflict:
    """Limits (indices into ``Problem.limits``, or ``BUDGET``) and the least overrun in quarter-days."""

    members: tuple[int, ...]
    short_by: float


@dataclass(frozen=True)
class _System:
    """Columns in [0, upper], whole or not.

    ``links`` <= ``link_bound`` always hold, ``rows`` <= ``rhs`` are the limits.

    The first row is the budget.
    """

    upper: Floats
    whole: Ints
    links: sparse.csr_matrix
    link_bound: Floats
    rows: Floats
    rhs: Floats


def smallest(problem: Problem) -> Conflict | None:
    """The smallest set of limits that no plan can keep together, or None when all can be kept."""
    options = int(np.isfinite(problem.value).sum())
    system = _exact(problem) if options <= EXACT else _by_days(problem)
    rows = range(system.rhs.size)
    if _short_by(system, tuple(rows)) <= 1e-6:
        return None
    for size in range(1, BY_SIZE + 1):
        for members in combinations(rows, size):
            short = _short_by(system, members)
            if short > 1e-6:
                return _named(members, short)
    members = tuple(rows)
    for row in rows:
        rest = tuple(m for m in members if m != row)
        if _short_by(system, rest) > 1e-6:
            members = rest
    return _named(members, _short_by(system, members))


def _named(members: tuple[int, ...], short: float) -> Conflict:
    return Conflict(tuple(BUDGET if m == 0 else m - 1 for m in members), short)


def _short_by(system: _System, members: tuple[int, ...]) -> float:
    """The least total overrun of some limits when the others are dropped; 0 when they can hold together."""
    if not members:
        return 0.0
    columns, kept = system.upper.size, len(members)
    rows = sparse.hstack([sparse.csr_matrix(system.rows[list(members)]), -sparse.identity(kept)])
    links = sparse.hstack([system.links, sparse.csr_matrix((system.links.shape[0], kept))])
    result = milp(
        np.concatenate([np.zeros(columns), np.ones(kept)]),
        integrality=np.concatenate([system.whole, np.zeros(kept)]),
        bounds=Bounds(0, np.concatenate([system.upper, np.full(kept, np.inf)])),
        constraints=[
            LinearConstraint(rows, -np.inf, system.rhs[list(members)]),
            LinearConstraint(links, -np.inf, system.link_bound),
        ],
        options={"mip_rel_gap": 0.0, "node_limit": 5000},
    )
    return float(result.fun) if result.fun is not None else np.inf


def _exact(problem: Problem) -> _System:
    core = everything(problem)
    options, trips = core.site.size, core.trips.size
    days = problem.days[core.action, core.site]
    column = np.full(problem.travel.size, NONE, dtype=np.int64)
    column[core.trips] = options + np.arange(trips)
    going = np.flatnonzero(problem.on_trip[core.action])
    sites, row = np.unique(core.site, return_inverse=True)
    each = sparse.csr_matrix((np.ones(options), (row, np.arange(options))), shape=(sites.size, options + trips))
    link = sparse.csr_matrix(
        (
            np.concatenate([np.ones(going.size), -np.ones(going.size)]),
            (
                np.tile(np.arange(going.size), 2),
                np.concatenate([going, column[problem.trip[core.site[going]]]]),
            ),
        ),
        shape=(going.size, options + trips),
    )
    rows = [np.concatenate([days, problem.travel[core.trips]])]
    for limit in problem.limits:
        travel = np.zeros(trips) if limit.trips is None else (limit.trips * problem.travel)[core.trips]
        rows.append(limit.sign * np.concatenate([np.where(limit.sites[core.site], days, 0.0), travel]))
    return _System(
        upper=np.ones(options + trips),
        whole=np.ones(options + trips, dtype=np.int64),
        links=sparse.vstack([each, link]).tocsr(),
        link_bound=np.concatenate([np.ones(sites.size), np.zeros(going.size)]),
        rows=np.array(rows),
        rhs=_rhs(problem),
    )


def _by_days(problem: Problem) -> _System:
    """One column per pattern of membership: the days that can be spent at its sites, travel left aside."""
    most = np.where(np.isfinite(problem.value), problem.days, 0.0).max(axis=0)
    group = np.zeros(problem.sites, dtype=np.int64)
    for limit in problem.limits:
        group = np.unique(group * 2 + limit.sites, return_inverse=True)[1].astype(np.int64)
    first = np.unique(group, return_index=True)[1]
    rows = [np.ones(first.size)] + [limit.sign * limit.sites[first].astype(float) for limit in problem.limits]
    return _System(
        upper=np.bincount(group, most).astype(np.float64),
        whole=np.zeros(first.size, dtype=np.int64),
        links=sparse.csr_matrix((0, first.size)),
        link_bound=np.zeros(0),
        rows=np.array(rows),
        rhs=_rhs(problem),
    )


def _rhs(problem: Problem) -> Floats:
    return np.array([problem.budget, *(limit.sign * limit.bound for limit in problem.limits)])
