"""What was known when, for the back-test: cut-offs, the cells at risk at each, and the additions that followed.

A cut-off is the day on which an edition of the US list of goods came out; its window ends with the next edition. A cell
(country × ISIC division) is at risk when no edition up to the cut-off lists it; it is an addition when it is listed at
the end of the window. The list speaks of goods, so only divisions that make goods are compared; the country that makes
the list is left out, for the list never speaks of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.reference import KNOWN_ON, Reference
from vigilance.scoring.listings import LIST_MAKER, Grid, listed_goods
from vigilance.terms import DIVISION_UNKNOWN, HAZARDS, Hazard

_ = messages("calibrate")

Flags = NDArray[np.bool_]

GOODS_SECTIONS: Final = ("A", "B", "C")
"""ISIC sections that make goods: agriculture, mining, manufacturing."""
GOODS: Final = "goods"
EVERY: Final = "all"
SCOPES: Final = (GOODS, EVERY)
"""Divisions that make goods, or all of them; with services in, any list of goods looks easy to predict."""


class Changed(Reference):
    """A reference some of whose tables are replaced, in memory only."""

    def __init__(self, base: Reference, tables: Mapping[str, pl.DataFrame]) -> None:
        super().__init__(base.root, base.entries)
        self.base = base
        self.replaced = dict(tables)

    def table(self, name: str) -> pl.DataFrame:
        """The replaced table, or that of the reference underneath; errors as there."""
        return self.replaced[name] if name in self.replaced else self.base.table(name)


def with_base_rates(reference: Reference) -> Changed:
    """The same facts with the regional base rates known at all times.

    They were first published in 2017 to 2025. Held fixed they are constants of region × broad activity: the one
    thing that a back-tested rate knows before its day. What it is worth is seen by leaving them out.
    """
    never = pl.lit(None, dtype=pl.Date)
    estimates = reference.table("global_estimates").with_columns(never.alias(KNOWN_ON))
    shares = reference.table("child_labour_share")
    regional = pl.when(pl.col("level") == "region").then(never).otherwise(pl.col(KNOWN_ON)).alias(KNOWN_ON)
    return Changed(reference, {"global_estimates": estimates, "child_labour_share": shares.with_columns(regional)})


@dataclass(frozen=True)
class Window:
    """From one edition of the list to a later one."""

    cut_off: date
    until: date

    @property
    def name(self) -> str:
        """The two years, as text."""
        return f"{self.cut_off.year}-{self.until.year}"


@dataclass(frozen=True)
class Axes:
    """Countries × divisions of the back-test (C×D), and which of them count."""

    grid: Grid
    regions: NDArray[np.str_]
    members: Flags
    goods: Flags

    def cells(self, scope: str) -> Flags:
        """The cells that a list could name (C×D): ILO members but for the list's maker, divisions of the scope."""
        divisions = self.goods if scope == GOODS else self.grid.divisions != DIVISION_UNKNOWN
        found: Flags = self.members[:, None] & divisions[None, :]
        return found


def axes(reference: Reference, divisions: NDArray[np.str_]) -> Axes:
    """The axes for the given divisions, from the countries and activities of ``data/``."""
    countries = reference.table("countries").sort("iso3")
    codes = countries["iso3"].to_numpy().astype("U3")
    sections = dict(reference.table("activities").select("code", "section").iter_rows())
    goods = np.array([sections.get(code) in GOODS_SECTIONS for code in divisions.tolist()])
    return Axes(
        grid=Grid(countries=codes, divisions=divisions),
        regions=countries["ilo_region"].fill_null("").to_numpy().astype("U24"),
        members=countries["ilo_member"].to_numpy().astype(bool) & (codes != LIST_MAKER),
        goods=goods & (divisions != DIVISION_UNKNOWN),
    )


def editions(reference: Reference, on: date) -> list[date]:
    """The days on which editions of the list came out, up to a date. Raises ``UsageError`` with fewer than two."""
    goods = reference.table("goods").filter(pl.col(KNOWN_ON) <= on)
    days: list[date] = goods.group_by("edition").agg(pl.col(KNOWN_ON).min()).sort("edition")[KNOWN_ON].to_list()
    if len(days) < 2:
        raise UsageError(
            _("only {count} editions of the list of goods had come out on {on}").format(count=len(days), on=on),
            hint=_("a back-test needs two; give a later --on"),
        )
    return days


def windows(reference: Reference, on: date) -> list[Window]:
    """One window from each edition to the next."""
    days = editions(reference, on)
    return [Window(start, end) for start, end in itertools.pairwise(days)]


@dataclass(frozen=True)
class Labels:
    """One hazard and window (C×D): listed at the cut-off, listed then or before, added by the end of the window."""

    listed: Flags
    ever: Flags
    added: Flags


def labels(reference: Reference, at: Axes, window: Window) -> dict[Hazard, Labels]:
    """What the list said at the cut-off, and what it added by the end of the window."""
    past = [day for day in editions(reference, window.until) if day <= window.cut_off]
    found = {}
    for hazard in HAZARDS:
        known = [listed_goods(reference.in_force(day), at.grid, hazard)[0] for day in past]
        ever: Flags = np.any(known, axis=0)
        after = listed_goods(reference.in_force(window.until), at.grid, hazard)[0]
        found[hazard] = Labels(listed=known[-1], ever=ever, added=after & ~ever)
    return found


def new_countries(reference: Reference, at: Axes, after: date, on: date) -> Flags:
    """Countries (C) of which only their name is known to have been added between two dates (the edition of 2024)."""
    known = reference.table("ilab_2024").filter(
        pl.col("list") == "goods",
        pl.col("change") == "new_country",
        pl.col(KNOWN_ON) > after,
        pl.col(KNOWN_ON) <= on,
        pl.col("iso3").is_not_null(),
    )
    flags: Flags = np.isin(at.grid.countries, known["iso3"].to_numpy().astype("U3")) & at.members
    return flags
