"""From sites to a problem.

What must be done, what is drawn, and what is left to choose under which limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.planning import draw, eligibility, history, trips, value
from vigilance.planning.constraints import Constraints, ShareOfDays
from vigilance.planning.eligibility import Calendar
from vigilance.planning.history import History
from vigilance.planning.inputs import SiteTable
from vigilance.planning.problem import (
    NONE,
    UNITS_PER_DAY,
    UNITS_PER_PERSON,
    Bools,
    Floats,
    Ints,
    Limit,
    Problem,
    cost,
    open_trips,
    use,
)
from vigilance.planning.protocol import ACTIONS, INDEX, ON_TRIP, Action, AuditProtocol, person_days
from vigilance.planning.trips import Trips
from vigilance.planning.value import Worth
from vigilance.terms import HAZARDS

_ = messages("planning")

CHOSEN_BY = ("mandatory", "value", "random")
MANDATORY, VALUE, RANDOM = range(3)

VISITS = (Action.UNANNOUNCED, Action.FIELD_AUDIT, Action.SEMI_ANNOUNCED)
"""What a duty or a draw uses, the most telling first."""


@dataclass(frozen=True)
class Request:
    """What is asked: person-days, window, seed, constraints, and the rows of an earlier plan that stay."""

    days: float
    start: date
    end: date
    seed: int
    constraints: Constraints
    keep: pl.DataFrame | None = None


@dataclass(frozen=True)
class Ground:
    """Everything about the sites that does not depend on the budget."""

    table: SiteTable
    history: History
    calendar: Calendar
    may: Bools
    worth: Worth
    trips: Trips
    problem: Problem


@dataclass(frozen=True)
class Fixed:
    """What is decided before anything is weighed: ``choice`` (N,), ``chosen_by`` (N,), ``probability`` (N,).

    ``kept`` (N,) marks actions of an earlier plan; ``why`` names the duty of each mandatory site.
    """

    choice: Ints
    chosen_by: Ints
    probability: Floats
    kept: Bools
    why: pl.Series
    drawn: draw.Draw | None


def ground(
    table: SiteTable,
    audits: pl.DataFrame | None,
    findings: pl.DataFrame | None,
    request: Request,
    protocol: AuditProtocol,
) -> Ground:
    """Weigh every action at every site and form the trips; the limits are the shares that the user set."""
    past = history.read(table, audits, findings, request.start, protocol)
    calendar = eligibility.calendar(table, past, request.constraints, request.start, request.end)
    may = eligibility.actions(table, past, request.constraints, calendar)
    workers = table.numbers("_workers")
    worth = value.worth(protocol, {h: table.risk(h) for h in HAZARDS}, workers)
    days = np.ceil(person_days(protocol, workers) * UNITS_PER_DAY)
    units = in_units(worth.total, may)
    rate = np.where(np.isfinite(units), units / days, 0.0).max(axis=0)
    areas = trips.form(
        table,
        calendar.site_class,
        rate,
        sites_per_trip=protocol.trip_sites,
        cell_degrees=protocol.cell_degrees,
        days_per_trip=protocol.trip_days,
        days_by_country=request.constraints.travel,
    )
    travel = np.ceil(areas.travel_days * UNITS_PER_DAY)
    # An action that no team can fit into a month is not an option.
    most = eligibility.most_days(calendar) * UNITS_PER_DAY
    fits = days + travel[areas.trip] * ON_TRIP[:, None] <= most[calendar.site_class] + 1e-6
    problem = Problem(
        value=np.where(fits, units, -np.inf),
        days=days,
        on_trip=ON_TRIP,
        trip=areas.trip,
        travel=travel,
        budget=float(np.floor(request.days * UNITS_PER_DAY + 1e-9)),
        limits=tuple(_share_limits(table, request)),
    )
    return Ground(table, past, calendar, may & fits, worth, areas, problem)


def in_units(worth: Floats, may: Bools) -> Floats:
    """Values in whole millionths; what may not be done, or is worth nothing, is ``-inf``."""
    units = np.floor(worth * UNITS_PER_PERSON + 0.5)
    result: Floats = np.where(may & (units > 0), units, -np.inf)
    return result


def share_columns(constraints: Constraints) -> list[str]:
    """The columns of the user's own file that the shares refer to."""
    return [share.by for share in constraints.shares if share.by not in ("tier", "country", "activity")]


def _members(table: SiteTable, share: ShareOfDays) -> Bools:
    frame = table.frame
    if share.by == "tier":
        found = frame["_tier"].cast(pl.String) == str(share.equals)
    elif share.by == "country":
        found = frame["_iso3"] == str(share.equals)
    elif share.by == "activity":
        found = frame["_division"] == str(share.equals).zfill(2)
    else:
        found = frame[f"user:{share.by}"] == str(share.equals)
    marked = np.asarray(found.fill_null(value=False).to_numpy(), dtype=np.bool_)
    if not marked.any():
        raise UsageError(
            _("the constraints name a share that no site has: {by} is {value}").format(by=share.by, value=share.equals),
            hint=_("Countries are written as three letters (BGD), activities as ISIC divisions (14)."),
        )
    return marked


def _share_limits(table: SiteTable, request: Request) -> list[Limit]:
    limits = []
    for share in request.constraints.shares:
        sites = _members(table, share)
        for least, bound in ((True, share.min), (False, share.max)):
            if bound is None:
                continue
            units = bound * request.days * UNITS_PER_DAY
            days = np.ceil(units - 1e-9) if least else np.floor(units + 1e-9)
            text = (
                _("at least {share:.1%} of the days ({days:g}) where {by} is {value}")
                if least
                else _("at most {share:.1%} of the days ({days:g}) where {by} is {value}")
            )
            name = text.format(share=bound, days=days / UNITS_PER_DAY, by=share.by, value=share.equals)
            limits.append(Limit(name, sites, float(days), at_least=least))
    return limits


def fix(base: Ground, request: Request, protocol: AuditProtocol, part: float = 1.0) -> Fixed:
    """Duties and kept actions first, then the draw of ``part`` of the random share."""
    size = len(base.table)
    choice = np.full(size, NONE, dtype=np.int64)
    by = np.full(size, VALUE, dtype=np.int64)
    probability = np.ones(size)
    kept = np.zeros(size, dtype=np.bool_)
    why = _duties(base, request, choice)
    by[choice != NONE] = MANDATORY
    if request.keep is not None and request.keep.height:
        rows = base.table.positions(request.keep["supplier_id"])
        known = rows >= 0
        rows = rows[known]
        kept_rows = request.keep.filter(pl.Series(known))
        choice[rows] = (
            kept_rows["action"]
            .replace_strict([str(a) for a in ACTIONS], range(len(ACTIONS)), return_dtype=pl.Int64)
            .to_numpy()
        )
        by[rows] = kept_rows["chosen_by"].replace_strict(CHOSEN_BY, range(3), return_dtype=pl.Int64).to_numpy()
        probability[rows] = kept_rows["probability"].to_numpy()
        kept[rows] = True
    needed = cost(base.problem, choice)
    if needed > base.problem.budget:
        raise UsageError(
            _("mandatory and kept actions need {needed:g} person-days, {over:g} more than the {days:g} given").format(
                needed=needed / UNITS_PER_DAY,
                over=(needed - base.problem.budget) / UNITS_PER_DAY,
                days=base.problem.budget / UNITS_PER_DAY,
            )
        )
    drawn = _draw(base, request, protocol, part, choice, by)
    if drawn is not None and drawn.sites.size:
        choice[drawn.sites] = _visit(base.may)[drawn.sites]
        by[drawn.sites] = RANDOM
        probability[drawn.sites] = drawn.probability
    return Fixed(choice, by, probability, kept, why, drawn)


def _duties(base: Ground, request: Request, choice: Ints) -> pl.Series:
    """Write the mandatory actions into ``choice``; the words say which duty each one is."""
    visit = np.where(base.history.open_finding, INDEX[Action.FOLLOW_UP], _visit(base.may, strict=False))
    why = np.full(len(base.table), None, dtype=object)
    left_out = eligibility.excluded(base.table, request.constraints)
    for mark, action, word in (
        (base.history.confirmed, visit, "confirmed_case"),
        (base.history.overdue_critical, np.full(choice.size, INDEX[Action.FOLLOW_UP]), "overdue_action"),
    ):
        due = mark & ~left_out
        choice[due] = action[due]
        why[due] = word
    musts = request.constraints.mandatory
    if musts:
        rows = base.table.positions(pl.Series([must.supplier_id for must in musts]))
        lost = [must.supplier_id for must, row in zip(musts, rows, strict=True) if row < 0]
        if lost:
            raise UsageError(_("mandatory sites are not in the run: {ids}").format(ids=", ".join(lost[:10])))
        choice[rows] = [INDEX[Action(must.action)] for must in musts]
        why[rows] = "asked"
    reachable = np.asarray(base.calendar.allowed.any(axis=1))
    stranded = (choice != NONE) & ~reachable[base.calendar.site_class]
    if stranded.any():
        ids = base.table.frame["_supplier_id"].filter(pl.Series(stranded)).head(10).to_list()
        raise UsageError(
            _("{n} mandatory sites have no team or season in the window: {ids}").format(
                n=int(stranded.sum()), ids=", ".join(ids)
            )
        )
    return pl.Series("why", why.tolist(), dtype=pl.String)


def _visit(may: Bools, *, strict: bool = True) -> Ints:
    """The most telling visit that each site may have (N,); a worker survey when no visit is possible."""
    visit = np.full(may.shape[1], INDEX[Action.WORKER_SURVEY], dtype=np.int64)
    for action in reversed(VISITS):
        visit[may[INDEX[action]]] = INDEX[action]
    return np.where(may.any(axis=0), visit, NONE) if strict else visit


def _draw(
    base: Ground, request: Request, protocol: AuditProtocol, part: float, choice: Ints, by: Ints
) -> draw.Draw | None:
    _low, middle, high = protocol.random_share
    already = (by == RANDOM) & (choice != NONE)
    problem = base.problem
    left = problem.budget - cost(problem, choice)
    # Teams may have fewer days than the budget: the share is of what can be spent.
    days = min(problem.budget, float(eligibility.capacities(base.calendar).sum()) * UNITS_PER_DAY)
    taken = problem.days[np.maximum(choice, 0), np.arange(problem.sites)][already].sum()
    visit = _visit(base.may)
    eligible = (choice == NONE) & (visit != NONE)
    barred = np.zeros(problem.sites, dtype=np.bool_)
    for limit in problem.limits:
        if not limit.at_least and limit.bound <= 0:
            barred |= limit.sites
    own = problem.days[np.maximum(visit, 0), np.arange(problem.sites)]
    opened = open_trips(problem, choice)
    travel = np.where(opened, 0.0, problem.travel)[problem.trip] * problem.on_trip[np.maximum(visit, 0)]
    return draw.draw(
        own + travel,
        eligible & ~barred,
        target=part * middle * days - taken,
        most=min(part * high * days - taken, left),
        seed=request.seed,
    )


def remaining(problem: Problem, choice: Ints) -> Problem:
    """The problem that is left when some sites are decided.

    Their options go, their days and trips are paid.
    """
    decided = choice != NONE
    limits = tuple(replace(limit, bound=limit.bound - use(problem, limit, choice)) for limit in problem.limits)
    return replace(
        problem,
        value=np.where(decided, -np.inf, problem.value),
        travel=np.where(open_trips(problem, choice), 0.0, problem.travel),
        budget=problem.budget - cost(problem, choice),
        limits=limits,
    )
