"""Who may go where and when: teams by country, language, skill and rotation.

Months by season; actions by site.

Sites that the same teams may visit in the same months form a class. There are few classes whatever the number
of sites, so teams and seasons are matched to classes, never to sites one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from babel.core import get_global
from babel.languages import get_official_languages

from vigilance.planning.constraints import Constraints, Season, Team
from vigilance.planning.history import History
from vigilance.planning.inputs import SiteTable
from vigilance.planning.problem import Bools, Floats, Ints
from vigilance.planning.protocol import ACTIONS, FIELD_TIER, INDEX, Action

FIELD_SKILL = "field"
"""The skill a team needs for sites of the field tier."""


@dataclass(frozen=True)
class Slot:
    """One team in one month.

    The capacity in person-days (infinite without teams) and the working days it spans.
    """

    team: str
    month: str
    capacity: float
    first: date
    workdays: int


@dataclass(frozen=True)
class Calendar:
    """The slots of a plan and, per class (C, S), which of them its sites may use; ``site_class`` is (N,)."""

    slots: tuple[Slot, ...]
    allowed: Bools
    site_class: Ints

    @property
    def limited(self) -> bool:
        """Whether any team has a capacity."""
        return any(np.isfinite(slot.capacity) for slot in self.slots)


def months_between(start: date, end: date) -> list[tuple[date, date]]:
    """The months of a window, each with its first and last day inside the window."""
    found, first = [], start
    while first <= end:
        next_month = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        found.append((first, min(end, next_month - timedelta(days=1))))
        first = next_month
    return found


def calendar(table: SiteTable, history: History, constraints: Constraints, start: date, end: date) -> Calendar:
    """The slots and classes of a plan."""
    months = months_between(start, end)
    teams: list[Team | None] = [*constraints.teams] or [None]
    slots = tuple(_slot(team, first, last) for team in teams for first, last in months)
    groups = table.frame.select("_iso3", "_division", (pl.col("_tier") >= FIELD_TIER).alias("field")).with_columns(
        history.last_auditor.alias("auditor")
        if any(team.auditors for team in constraints.teams)
        else pl.lit(None, pl.String).alias("auditor")
    )
    distinct = groups.unique(maintain_order=True).sort("_iso3", "_division", "field", "auditor", nulls_last=False)
    spoken = _languages(distinct["_iso3"].unique().to_list(), constraints)
    patterns = [
        _pattern(row, teams, months, constraints, spoken) for row in distinct.iter_rows(named=True)
    ]  # one row per kind of site, not per site
    kinds = sorted(set(patterns), reverse=True)
    number = {kind: index for index, kind in enumerate(kinds)}
    coded = distinct.with_columns(pl.Series("class", [number[p] for p in patterns], dtype=pl.Int64))
    joined = groups.join(
        coded,
        on=["_iso3", "_division", "field", "auditor"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return Calendar(slots, np.array(kinds, dtype=np.bool_), joined["class"].to_numpy().astype(np.int64))


def _slot(team: Team | None, first: date, last: date) -> Slot:
    days = int(np.busday_count(first, last + timedelta(days=1)))
    month = f"{first:%Y-%m}"
    if team is None:
        return Slot("", month, np.inf if days else 0.0, first, days)
    whole_first = first.replace(day=1)
    whole_last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    whole = int(np.busday_count(whole_first, whole_last))
    capacity = team.months.get(month)
    if capacity is None:
        capacity = np.inf if team.days_per_month is None else team.days_per_month * days / whole
    return Slot(team.id, month, float(capacity) if days else 0.0, first, days)


def _languages(countries: list[str | None], constraints: Constraints) -> dict[str, set[str]]:
    """Languages by country: those the user gives, else the official ones (Unicode CLDR, through Babel)."""
    aliases = get_global("territory_aliases")
    spoken: dict[str, set[str]] = {}
    for country in countries:
        if country is None:
            continue
        two = (aliases.get(country) or [country])[0]
        given = constraints.languages.get(country)
        official = get_official_languages(two, regional=True, de_facto=True)
        spoken[country] = set(given if given is not None else (code.split("_")[0] for code in official))
    return spoken


def _pattern(
    row: dict[str, object],
    teams: list[Team | None],
    months: list[tuple[date, date]],
    constraints: Constraints,
    spoken: dict[str, set[str]],
) -> tuple[bool, ...]:
    country, division = str(row["_iso3"] or ""), str(row["_division"] or "")
    season = _season(constraints.seasons, country, division)
    open_months = [season is None or first.month in season for first, _last in months]
    return tuple(
        _may(team, country, spoken.get(country, set()), bool(row["field"]), row["auditor"]) and is_open
        for team in teams
        for is_open in open_months
    )


def _season(seasons: list[Season], country: str, division: str) -> set[int] | None:
    """The months of all seasons that apply, None when none does (every month is then good)."""
    found: set[int] = set()
    for season in seasons:
        activity = not season.activities or any(division.startswith(code) for code in season.activities)
        if activity and (not season.countries or country in season.countries):
            found.update(season.months)
    return found or None


def _may(team: Team | None, country: str, spoken: set[str], field: bool, auditor: object) -> bool:
    if team is None:
        return True
    if team.countries and country not in team.countries:
        return False
    if team.languages and spoken and not spoken & set(team.languages):
        return False
    if field and team.skills and FIELD_SKILL not in team.skills:
        return False
    return auditor is None or (auditor != team.id and auditor not in team.auditors)


def actions(table: SiteTable, history: History, constraints: Constraints, where: Calendar) -> Bools:
    """Which actions (A, N) each site may have, before anything is weighed."""
    size = len(table)
    field = table.tier >= FIELD_TIER
    reachable = np.asarray(where.allowed.any(axis=1))[where.site_class]
    barred = table.frame["_iso3"].is_in(constraints.no_unannounced).fill_null(value=False).to_numpy()
    worn = history.worn_notice
    may = np.ones((len(ACTIONS), size), dtype=np.bool_)
    may[INDEX[Action.FIELD_AUDIT]] = field
    may[INDEX[Action.SEMI_ANNOUNCED]] = ~field & ~_is(worn, Action.SEMI_ANNOUNCED)
    may[INDEX[Action.UNANNOUNCED]] = ~field & ~barred & ~_is(worn, Action.UNANNOUNCED)
    may[INDEX[Action.FOLLOW_UP]] = history.open_finding
    return may & reachable & ~excluded(table, constraints)


def excluded(table: SiteTable, constraints: Constraints) -> Bools:
    """Sites (N,) that the user left out of planning."""
    named = table.frame["_supplier_id"].is_in(constraints.exclude).fill_null(value=False)
    return np.asarray(named.to_numpy(), dtype=np.bool_)


def _is(column: pl.Series, word: str) -> Bools:
    return np.asarray((column == word).fill_null(value=False).to_numpy(), dtype=np.bool_)


def capacities(where: Calendar) -> Floats:
    """The capacity (S,) of every slot in person-days."""
    return np.array([slot.capacity for slot in where.slots])


def most_days(where: Calendar) -> Floats:
    """The most person-days (C,) that one month of one team offers to each class."""
    offered = np.where(where.allowed, capacities(where), 0.0)
    return np.asarray(offered.max(axis=1), dtype=np.float64)
