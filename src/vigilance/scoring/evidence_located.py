"""Where an incident is: at the most precise places that its tickets and its events tell, hazard by hazard.

Method section 3, Evidence. The same id in both tables is one incident. A report that tells of it less precisely than
another one moves to where the other one is, and is weighed there; those as precise as any stay where they are.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_columns import SHORT, Frame, Tables
from vigilance.scoring.evidence_incidents import LOCATION
from vigilance.scoring.evidence_places import at_least

if TYPE_CHECKING:
    from vigilance.rules import Judgements

_WHERE: Final = ("_place_kind", "_place", "_site")
_NAMES: Final = tuple(SHORT.values())


def located(tickets: Frame, events: Frame, judgements: Judgements, on: date, tables: Tables) -> tuple[Frame, Frame]:
    """Tickets (``read_grievances``) and events (``read_events``), each at the most precise places of its incident.

    A row of the result is a report at one place: where several places are as precise, a report that moves has a row
    for each. ``_<h>_about`` says for which hazards it is there. An event that moves weighs at least what it would say
    around a site (``at_least``).
    """
    finest, places = _told([tickets, events])
    stay, moved = _parted(events, finest, places)
    return _together(*_parted(tickets, finest, places)), _together(stay, at_least(moved, judgements, on, tables))


def located_tickets(tickets: Frame) -> Frame:
    """Tickets alone: those that name a zone move to the sites that tickets of the same id name."""
    return _together(*_parted(tickets, *_told([tickets])))


def _told(tables: list[Frame]) -> tuple[Frame, Frame]:
    """How precisely each incident is located, and where.

    The first has one row per ``_id`` with ``_fl_finest, _cl_finest`` (positions in ``PLACE_KINDS``, null where nothing
    is told of the hazard). The second has one row per ``_id`` and place as precise as that, with ``_fl_here,
    _cl_here`` (0 or 1).
    """
    told = nw.concat([_placed(rows) for rows in tables])
    finest = told.group_by("_id").agg(*(nw.col(f"_{n}_rank").min().alias(f"_{n}_finest") for n in _NAMES))
    here = {n: (nw.col(f"_{n}_rank") == nw.col(f"_{n}_finest")).fill_null(False) for n in _NAMES}
    places = told.join(finest, on="_id", how="inner").filter(reduce(or_, here.values()))
    return finest, places.group_by("_id", *_WHERE).agg(
        *(nw.when(here[n]).then(1).otherwise(0).max().alias(f"_{n}_here") for n in _NAMES)
    )


def _placed(rows: Frame) -> Frame:
    """What a table tells of places: ``_id``, the place, and ``_fl_rank, _cl_rank``, null of another hazard."""
    return rows.select(
        "_id",
        _place_kind=nw.col("_place_kind"),
        _place=nw.when(nw.col("_place_kind") != "site").then(nw.col("_place")),
        _site=nw.col("_site"),
        **{f"_{n}_rank": nw.when(nw.col(f"_{n}_about")).then(nw.col("_precision")) for n in _NAMES},
    )


def _parted(rows: Frame, finest: Frame, places: Frame) -> tuple[Frame, Frame]:
    """The reports that stay where they are, and those that move, at their new places; both with the same columns."""
    columns = [name for name in rows.collect_schema().names() if name not in LOCATION]
    moves = {n: nw.col(f"_{n}_about") & (nw.col("_precision") > nw.col(f"_{n}_finest")) for n in _NAMES}
    known = rows.join(finest, on="_id", how="left").with_columns(
        **{f"_{n}_moves": moves[n].fill_null(False) for n in _NAMES}
    )
    stay = known.with_columns(**{f"_{n}_about": nw.col(f"_{n}_about") & ~nw.col(f"_{n}_moves") for n in _NAMES})
    moved = known.filter(reduce(or_, (nw.col(f"_{n}_moves") for n in _NAMES))).drop(*LOCATION)
    there = moved.join(places, on="_id", how="inner").with_columns(
        **{f"_{n}_about": nw.col(f"_{n}_moves") & (nw.col(f"_{n}_here") == 1) for n in _NAMES}
    )
    about = reduce(or_, (nw.col(f"_{n}_about") for n in _NAMES))
    return stay.filter(about).select(*columns, *_WHERE), there.filter(about).select(*columns, *_WHERE)


def _together(stay: Frame, moved: Frame) -> Frame:
    return nw.concat([stay, moved.select(stay.collect_schema().names())])
