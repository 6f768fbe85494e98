"""When and by whom: trips to teams and months, and sites to dates, so that nobody can guess the day.

A trip is placed whole. Duties come first, then the trips with the fewest possible slots; within a month the
order is drawn with the plan's seed, which makes a date unpredictable to the site and the plan the same for
the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from vigilance.planning.eligibility import Calendar, capacities
from vigilance.planning.problem import UNITS_PER_DAY, Bools, Floats, Ints

NOWHERE = -1


@dataclass(frozen=True)
class Journey:
    """What is to be placed, one element per planned site (M,).

    ``trip`` groups sites that are visited together (any number that identifies the journey), ``days`` are on
    site, ``travel`` the travel of the whole journey (repeated on each of its sites), ``first`` what is placed
    before the rest, ``early`` duties, which have to start soon, and ``months_before`` the calendar months
    (bits) in which the site was visited before.
    """

    trip: Ints
    site_class: Ints
    days: Floats
    travel: Floats
    first: Bools
    early: Bools
    months_before: Ints


@dataclass(frozen=True)
class Placement:
    """Slot (M,) of each planned site, ``NOWHERE`` when no team had room, and its first day as a date (M,)."""

    slot: Ints
    start: np.ndarray[tuple[int], np.dtype[np.datetime64]]


@dataclass(frozen=True)
class _Party:
    """Journeys as they are placed, one element each (J,).

    All their days, and what their sites ask together.
    """

    load: Floats
    early: Bools
    first: Bools
    before: Ints
    allowed: Bools


def place(
    journey: Journey, calendar: Calendar, early_slots: Bools, used: Floats, team_size: float, seed: int
) -> Placement:
    """Place every journey.

    ``early_slots`` (S,) are those in time for duties, ``used`` (S,) days already taken.

    A journey that fits in no slot as a whole is spread over several, site by site; its travel stays with one
    site.
    """
    rng = np.random.default_rng([seed, 2])
    member = np.unique(journey.trip, return_inverse=True)[1].astype(np.int64)
    road = _road(journey, member)
    party = _party(journey, calendar, member, road)
    taken = used.copy()
    slots = _assign(party, np.arange(party.load.size), calendar, early_slots, taken, rng)
    alone = slots[member] == NOWHERE
    if alone.any():
        member[alone] = slots.size + np.arange(int(alone.sum()))
        party = _party(journey, calendar, member, road)
        fresh = np.arange(slots.size, party.load.size)
        slots = np.concatenate([slots, np.full(fresh.size, NOWHERE, dtype=np.int64)])
        slots[fresh] = _assign(party, fresh, calendar, early_slots, taken, rng)[fresh]
    dates = _dates(journey, member, slots, party.load, party.early, calendar, used, team_size, rng)
    return Placement(slots[member], dates)


def _road(journey: Journey, member: Ints) -> Floats:
    """The travel of each journey on one of its sites (a duty or a drawn one if any), 0 on the others."""
    order = np.lexsort((~journey.first, member))
    leads = order[np.unique(member[order], return_index=True)[1]]
    road = np.zeros(member.size)
    road[leads] = journey.travel[leads]
    return road


def _party(journey: Journey, calendar: Calendar, member: Ints, road: Floats) -> _Party:
    size = int(member.max(initial=-1)) + 1
    before = np.zeros(size, dtype=np.int64)
    np.bitwise_or.at(before, member, journey.months_before)
    kind = np.zeros(size, dtype=np.int64)
    kind[member] = journey.site_class
    return _Party(
        load=np.bincount(member, journey.days + road, minlength=size).astype(np.float64),
        early=np.asarray(np.bincount(member, journey.early, minlength=size) > 0),
        first=np.asarray(np.bincount(member, journey.first, minlength=size) > 0),
        before=before,
        allowed=calendar.allowed[kind],
    )


def _assign(
    party: _Party,
    which: Ints,
    calendar: Calendar,
    early_slots: Bools,
    used: Floats,
    rng: np.random.Generator,
) -> Ints:
    """The slot of each journey: the emptiest that is allowed, has room and is not a month of the pattern.

    One step per journey planned (never per row of the user's file), because each takes room from the next;
    ``used`` is brought up to date.
    """
    load, early, before, allowed = party.load, party.early, party.before, party.allowed
    noise = rng.random(load.size)
    keys = (noise, -load, allowed.sum(axis=1), ~party.first, ~early)
    order = which[np.lexsort(tuple(key[which] for key in keys))]
    capacity = capacities(calendar)
    weight = np.where(np.isfinite(capacity), capacity, [max(slot.workdays, 0.1) for slot in calendar.slots])
    month_bit = np.array([1 << (int(slot.month[5:7]) - 1) for slot in calendar.slots])
    jitter = 1.0 + 0.05 * rng.random(weight.size)
    slots = np.full(load.size, NOWHERE, dtype=np.int64)
    for trip in order:
        room = allowed[trip] & (used + load[trip] <= capacity + 1e-9)
        for wish in (early_slots if early[trip] else None, (month_bit & before[trip]) == 0):
            if wish is not None and (room & wish).any():
                room = room & wish
        if not room.any():
            continue
        fullness = np.where(room, (used + load[trip]) / np.maximum(weight, 1e-9) * jitter, np.inf)
        chosen = int(np.argmin(fullness))
        slots[trip] = chosen
        used[chosen] += load[trip]
    return slots


def _dates(
    journey: Journey,
    member: Ints,
    slots: Ints,
    load: Floats,
    early: Bools,
    calendar: Calendar,
    used: Floats,
    team_size: float,
    rng: np.random.Generator,
) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """The first day of each site.

    Journeys one after the other in their slot, sites one after the other in a journey.
    """
    capacity = capacities(calendar)
    workdays = np.array([s.workdays for s in calendar.slots], dtype=np.float64)
    placed = slots != NOWHERE
    total = used + np.bincount(slots[placed], load[placed], minlength=used.size)
    # Without a stated capacity a month holds what one team can do in it, or what is planned if that is more.
    full = np.maximum(np.where(np.isfinite(capacity), capacity, workdays * team_size), np.maximum(total, 1e-9))
    order = np.lexsort((rng.random(slots.size), ~early, slots))
    order = order[placed[order]]
    running = np.cumsum(load[order]) - load[order]
    slot = slots[order]
    first_of_slot = np.searchsorted(slot, np.arange(used.size))
    base = np.where(first_of_slot < running.size, running[np.minimum(first_of_slot, running.size - 1)], 0.0)
    # The idle days of a month are spread at random between its journeys, so that none starts on a known day.
    idle = rng.random(slot.size)
    idle = idle[np.lexsort((idle, slot))] * (full - total)[slot]
    begins = (running - base[slot] + used[slot] + idle) / full[slot] * workdays[slot]
    offset = np.zeros(slots.size)
    offset[order] = np.floor(begins + 1e-9)
    within = _within(member, journey.days, rng) / team_size
    first = np.array([np.datetime64(s.first, "D") for s in calendar.slots])
    anchor = np.busday_offset(first, 0, roll="forward")
    safe = np.maximum(slots[member], 0)
    steps = np.floor(offset[member] + within + 1e-9).astype(np.int64)
    last = np.maximum(workdays[safe].astype(np.int64) - 1, 0)
    dates: np.ndarray[tuple[int], np.dtype[np.datetime64]] = np.busday_offset(
        anchor[safe], np.minimum(steps, last), roll="forward"
    )
    return dates


def _within(member: Ints, days: Floats, rng: np.random.Generator) -> Floats:
    """Person-days spent in a journey before each of its sites, the sites in random order."""
    order = np.lexsort((rng.random(member.size), member))
    running = np.cumsum(days[order]) - days[order]
    group = member[order]
    base = running[np.searchsorted(group, np.arange(int(group.max(initial=-1)) + 1))] if group.size else running
    result = np.zeros(member.size)
    result[order] = running - base[group]
    return result


def overloaded(loads: Floats, calendar: Calendar) -> tuple[Bools, float] | None:
    """Classes (C,) whose days together exceed what their slots hold, with that capacity; None when all fit.

    ``loads`` (C,) are quarter-days. By Hall's condition such a set exists exactly when the days cannot be
    shared out over the slots; it is the source side of a minimum cut.
    """
    capacity = capacities(calendar)
    finite = np.isfinite(capacity)
    room = np.where(finite, np.floor(np.where(finite, capacity, 0.0) * UNITS_PER_DAY), loads.sum() + 1)
    classes, slots = calendar.allowed.shape
    source, sink = 0, classes + slots + 1
    big = int(loads.sum()) + 1
    row, column = np.nonzero(calendar.allowed)
    edges = [
        (np.zeros(classes, dtype=np.int64), 1 + np.arange(classes), loads),
        (1 + row, 1 + classes + column, np.full(row.size, big)),
        (1 + classes + np.arange(slots), np.full(slots, sink), room),
    ]
    starts, ends, sizes = (np.concatenate([edge[i] for edge in edges]) for i in range(3))
    graph = sparse.csr_matrix((sizes.astype(np.int32), (starts, ends)), shape=(sink + 1, sink + 1))
    result = maximum_flow(graph, source, sink)
    if result.flow_value >= int(loads.sum()):
        return None
    residual = graph - result.flow
    residual.data = np.where(residual.data > 0, 1, 0)
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, source, return_predecessors=False)
    inside = np.zeros(sink + 1, dtype=np.bool_)
    inside[reached] = True
    held = inside[1 : 1 + classes] & (loads >= 0)
    reach = calendar.allowed[held].any(axis=0)
    return held, float(room[reach].sum())
