"""Make a plan: fix what must be, choose the rest for the most harm put right, give it teams and dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.planning import assemble, conflict, outlook, schedule, solve
from vigilance.planning.assemble import Fixed, Ground, Request
from vigilance.planning.inputs import SiteTable
from vigilance.planning.outlook import Outlook
from vigilance.planning.problem import (
    NONE,
    UNITS_PER_DAY,
    Bools,
    Floats,
    Ints,
    Limit,
    Problem,
    Solution,
    days_on_site,
    open_trips,
)
from vigilance.planning.protocol import AuditProtocol

_ = messages("planning")

ROUNDS = 12
"""How often teams' capacities are tightened before what has no room is left out."""


PLACINGS = 4
"""How often the choice is made again when teams' months cannot hold it trip by trip."""

DRAWS = (1.0, 0.5, 0.25, 0.0)
"""Parts of the random share to try when the teams have no room for every drawn site."""


@dataclass(frozen=True)
class Plan:
    """A whole plan. ``choice`` (N,) is over the sites of ``ground``.

    ``start`` (N,) and ``slot`` (N,) where planned.

    ``solution`` is the proof for what was chosen by value; ``no_room`` (N,) marks sites that no team had time
    for; ``also_by_value`` (N,) the drawn sites that would have been chosen anyway.
    """

    request: Request
    protocol: AuditProtocol
    ground: Ground
    fixed: Fixed
    solution: Solution
    choice: Ints
    slot: Ints
    start: np.ndarray[tuple[int], np.dtype[np.datetime64]]
    no_room: Bools
    also_by_value: Bools
    outlook: Outlook

    @property
    def planned(self) -> Bools:
        """The sites in the plan (N,)."""
        return np.asarray(self.choice != NONE)

    @property
    def on_site_days(self) -> Floats:
        """Person-days on site (N,)."""
        return days_on_site(self.ground.problem, self.choice) / UNITS_PER_DAY

    @property
    def travel_days(self) -> Floats:
        """Each site's equal part (N,) of the travel of its trip, in person-days."""
        problem = self.ground.problem
        going = self.planned & problem.on_trip[np.maximum(self.choice, 0)]
        shared = np.bincount(problem.trip[going], minlength=problem.travel.size)
        part = problem.travel / np.maximum(shared, 1) / UNITS_PER_DAY
        return np.where(going, part[problem.trip], 0.0)


def make(
    table: SiteTable,
    audits: pl.DataFrame | None,
    findings: pl.DataFrame | None,
    request: Request,
    protocol: AuditProtocol,
) -> Plan:
    """Plan the audits of a window.

    Raises ``UsageError`` naming the smallest set of limits that conflict and by how many days, when no plan
    keeps them all.
    """
    base = assemble.ground(table, audits, findings, request, protocol)
    for part in DRAWS:
        try:
            return _attempt(base, request, protocol, part)
        except _DrawnWithoutRoom:
            if part == DRAWS[-1]:
                raise
    raise AssertionError  # the last attempt returns or raises


class _DrawnWithoutRoom(UsageError):  # noqa: N818 - a verdict, as its parents are
    """Teams have room for every duty, but not for every drawn site: draw fewer."""


def _attempt(base: Ground, request: Request, protocol: AuditProtocol, part: float) -> Plan:
    """A plan with ``part`` of the random share."""
    fixed = assemble.fix(base, request, protocol, part)
    left = assemble.remaining(base.problem, fixed.choice)
    solution, left = _choose(base, fixed, left)
    bound = solution.bound
    for attempt in range(PLACINGS):
        choice = np.where(fixed.choice != NONE, fixed.choice, solution.choice)
        slot, start = _place(base, fixed, request, protocol, choice)
        lost = (choice != NONE) & (slot == schedule.NOWHERE)
        _refuse_lost_duties(base, fixed, lost)
        if not lost.any() or attempt == PLACINGS - 1:
            break
        left = replace(left, limits=(*left.limits, *_tighter(base, fixed, choice, lost)))
        solution = _solve(left)
    choice = np.where(lost, NONE, choice)
    solution = _without(solution, left, lost)
    return Plan(
        request=request,
        protocol=protocol,
        ground=base,
        fixed=fixed,
        # The first bound holds for every plan, also for those that fill the teams' months better than this one.
        solution=replace(solution, bound=max(bound, solution.value), exact=bound < solution.value + 1),
        choice=choice,
        slot=slot,
        start=start,
        no_room=lost,
        also_by_value=outlook.wanted(base.problem, fixed, solution),
        outlook=outlook.look(base, fixed, left, solution, choice, protocol),
    )


def _solve(problem: Problem) -> Solution:
    found = solve.best(problem)
    if found is not None:
        return found
    clash = conflict.smallest(problem)
    if clash is None:
        raise UsageError(_("no plan was found that keeps every limit; loosen one of them"))
    names = [
        _("the budget ({days:g} person-days left after mandatory and random actions)").format(
            days=problem.budget / UNITS_PER_DAY
        )
        if member == conflict.BUDGET
        else problem.limits[member].name
        for member in clash.members
    ]
    raise UsageError(
        _("these limits cannot hold together; {days:g} person-days are missing:").format(
            days=clash.short_by / UNITS_PER_DAY
        )
        + "".join(f"\n    - {name}" for name in names),
        hint=_("Without any one of them the others can be kept; loosen one by that much."),
    )


def _choose(base: Ground, fixed: Fixed, left: Problem) -> tuple[Solution, Problem]:
    """The best choice for which the teams have enough days.

    A cut is added for each set of classes that is too full.
    """
    solution = _solve(left)
    if not base.calendar.limited:
        return solution, left
    for _round in range(ROUNDS):
        choice = np.where(fixed.choice != NONE, fixed.choice, solution.choice)
        full = schedule.overloaded(_class_loads(base, choice), base.calendar)
        if full is None:
            break
        left = replace(left, limits=(*left.limits, _capacity_limit(base, fixed, *full)))
        solution = _solve(left)
    return solution, left


def _class_loads(base: Ground, choice: Ints) -> Floats:
    """Quarter-days on site and on the road (C,) by class."""
    classes = base.calendar.allowed.shape[0]
    travel = np.where(open_trips(base.problem, choice), base.problem.travel, 0.0)
    on_site = np.bincount(base.calendar.site_class, days_on_site(base.problem, choice), minlength=classes)
    return np.asarray(on_site + np.bincount(base.trips.trip_class, travel, minlength=classes), np.float64)


def _capacity_limit(base: Ground, fixed: Fixed, classes: Bools, room: float) -> Limit:
    reached = np.asarray(base.calendar.allowed[classes].any(axis=0))
    teams = sorted({base.calendar.slots[slot].team for slot in np.flatnonzero(reached)})
    name = _("the {days:g} days of {teams} in the months allowed").format(
        days=room / UNITS_PER_DAY, teams=", ".join(teams)
    )
    already = float(_class_loads(base, fixed.choice)[classes].sum())
    return Limit(
        name,
        classes[base.calendar.site_class],
        room - already,
        trips=classes[base.trips.trip_class],
    )


def _tighter(base: Ground, fixed: Fixed, choice: Ints, lost: Bools) -> list[Limit]:
    """Limits that hold each class to the days that could be placed, so that the budget goes elsewhere."""
    placed = _class_loads(base, np.where(lost, NONE, choice))
    own = _class_loads(base, fixed.choice)
    limits = []
    for kind in np.unique(base.calendar.site_class[lost]):
        mask = np.zeros(placed.size, dtype=np.bool_)
        mask[kind] = True
        bound = max(float(placed[kind] - own[kind]), 0.0)
        limits.append(
            Limit(
                _("what the teams of {n} sites can fit in").format(n=int((base.calendar.site_class == kind).sum())),
                mask[base.calendar.site_class],
                bound,
                trips=mask[base.trips.trip_class],
            )
        )
    return limits


def _refuse_lost_duties(base: Ground, fixed: Fixed, lost: Bools) -> None:
    fixed_lost = lost & (fixed.choice != NONE)
    if not fixed_lost.any():
        return
    ids = base.table.frame["_supplier_id"].filter(pl.Series(fixed_lost)).head(10).to_list()
    drawn = np.zeros(lost.size, dtype=np.bool_)
    if fixed.drawn is not None:
        drawn[fixed.drawn.sites] = True
    problem = UsageError if (fixed_lost & ~drawn).any() else _DrawnWithoutRoom
    raise problem(
        _("no team has room for {n} mandatory or drawn sites: {ids}").format(
            n=int(fixed_lost.sum()), ids=", ".join(ids)
        ),
        hint=_("Give teams more days, or a longer window."),
    )


def _without(solution: Solution, problem: Problem, lost: Bools) -> Solution:
    """The solution without the sites that had no room.

    Its bound still holds, so the gap says what was lost.
    """
    if not lost.any():
        return solution
    choice = np.where(lost, NONE, solution.choice)
    picked = problem.value[np.maximum(choice, 0), np.arange(problem.sites)]
    value = float(np.where(choice == NONE, 0.0, picked).sum())
    return replace(solution, choice=choice, value=value, exact=False)


def _place(
    base: Ground, fixed: Fixed, request: Request, protocol: AuditProtocol, choice: Ints
) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.datetime64]]]:
    """Slot and first day of every planned site; kept actions keep theirs."""
    size = len(base.table)
    slot = np.full(size, schedule.NOWHERE, dtype=np.int64)
    start = np.full(size, np.datetime64("NaT", "D"))
    used = np.zeros(len(base.calendar.slots))
    if request.keep is not None and fixed.kept.any():
        _keep_places(base, fixed, request, choice, slot, start, used)
    rows = np.flatnonzero((choice != NONE) & ~fixed.kept)
    problem = base.problem
    going = problem.on_trip[choice[rows]]
    # Actions without travel are journeys of their own; numbers below the trips' are not in use.
    journeys = np.where(going, problem.trip[rows], -1 - np.arange(rows.size))
    deadline = request.start + timedelta(days=protocol.mandatory_within_days)
    soon = np.array([s.first <= deadline for s in base.calendar.slots])
    opened_by_kept = open_trips(problem, np.where(fixed.kept, choice, NONE))
    travel = np.where(opened_by_kept, 0.0, problem.travel) / UNITS_PER_DAY
    placed = schedule.place(
        schedule.Journey(
            trip=journeys,
            site_class=base.calendar.site_class[rows],
            days=days_on_site(problem, choice)[rows] / UNITS_PER_DAY,
            travel=np.where(going, travel[problem.trip[rows]], 0.0),
            first=fixed.choice[rows] != NONE,
            early=np.asarray(fixed.chosen_by[rows] == assemble.MANDATORY),
            months_before=base.history.months[rows],
        ),
        base.calendar,
        soon,
        used,
        protocol.team_size,
        request.seed,
    )
    slot[rows], start[rows] = placed.slot, placed.start
    return slot, start


def _keep_places(
    base: Ground,
    fixed: Fixed,
    request: Request,
    choice: Ints,
    slot: Ints,
    start: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    used: Floats,
) -> None:
    """Write the slots and dates of kept actions, and the days they take, into the arrays given."""
    if request.keep is None:
        return
    rows = base.table.positions(request.keep["supplier_id"])
    known = rows >= 0
    rows = rows[known]
    kept = request.keep.filter(pl.Series(known))
    number = {(s.team, s.month): i for i, s in enumerate(base.calendar.slots)}
    keys = zip(kept["team"].fill_null("").to_list(), kept["start_on"].dt.strftime("%Y-%m").to_list(), strict=True)
    slot[rows] = [number.get(key, 0) for key in keys]  # one step per kept action
    start[rows] = kept["start_on"].to_numpy().astype("datetime64[D]")
    days = days_on_site(base.problem, np.where(fixed.kept, choice, NONE))[rows] / UNITS_PER_DAY
    np.add.at(used, slot[rows], days)
