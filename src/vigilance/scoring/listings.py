"""Listings by country and activity: goods on the US list, listed goods upstream, labour imposed by the State.

What the facts say of each cell, as flags; ``cell_factors`` turns them into ratios.
Shapes: C countries × D divisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.terms import DIVISION_UNKNOWN, Hazard

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

HAZARD_FLAGS = {
    Hazard.FORCED_LABOUR: ("forced_labour", "forced_child_labour"),
    Hazard.CHILD_LABOUR: ("child_labour", "forced_child_labour"),
}
INPUT_FLAGS = {Hazard.FORCED_LABOUR: "input_forced_labour", Hazard.CHILD_LABOUR: "input_child_labour"}
LIST_MAKER = "USA"
"""The list speaks of foreign goods only; of the country that makes it, it says nothing."""
EVERY_ACTIVITY = "all"
GOODS_SECTIONS = ("A", "B", "C")
"""ISIC sections that make goods (agriculture, mining, manufacturing): the list speaks of them."""


@dataclass(frozen=True)
class Grid:
    """The axes of a country × division table."""

    countries: NDArray[np.str_]
    divisions: NDArray[np.str_]

    def empty(self) -> Flags:
        """A table of nothing."""
        return np.zeros((len(self.countries), len(self.divisions)), dtype=bool)

    def mark(self, flags: Flags, iso3: list[str], division: list[str]) -> None:
        """Set some cells; codes outside the axes are passed over."""
        row = {code: place for place, code in enumerate(self.countries.tolist())}
        column = {code: place for place, code in enumerate(self.divisions.tolist())}
        for country, activity in zip(iso3, division, strict=True):
            if country in row:
                where = slice(None) if activity == EVERY_ACTIVITY else column.get(activity, -1)
                if where != -1:
                    flags[row[country], where] = True


@dataclass(frozen=True)
class Programmes:
    """Labour imposed by the State: whole countries, and zones by their id (C×D each)."""

    country: Flags
    zones: dict[str, Flags]
    inputs: Flags
    since: str


def listed_goods(facts: Facts, grid: Grid, hazard: Hazard) -> tuple[Flags, Flags, str]:
    """Cells with a listed good, cells whose goods have a listed input, and the edition they stand in."""
    goods = _in_list(facts)
    to_division = nw.from_native(facts.table("goods_activity"), eager_only=True)
    joined = goods.join(to_division.select("good", "isic_division"), on="good", how="inner")
    direct = joined.filter(nw.any_horizontal(*HAZARD_FLAGS[hazard], ignore_nulls=True))
    inputs = joined.filter(nw.col(INPUT_FLAGS[hazard]).fill_null(value=False))
    cells = []
    for found in (direct, inputs):
        flags = grid.empty()
        grid.mark(flags, found["iso3"].to_list(), found["isic_division"].to_list())
        cells.append(flags)
    edition = str(goods["edition"].max()) if len(goods) else ""
    return cells[0], cells[1], edition


def _in_list(facts: Facts) -> nw.DataFrame[Any]:
    """The goods of the newest edition known, less those delisted since, with what is known of the additions since."""
    goods = nw.from_native(facts.table("goods"), eager_only=True)
    newest = goods.filter(nw.col("edition") == nw.col("edition").max(), nw.col("delisted_on").is_null())
    columns = ["edition", "iso3", "good", *sorted({f for flags in HAZARD_FLAGS.values() for f in flags})]
    kept = newest.select(*columns, *INPUT_FLAGS.values())
    later = nw.from_native(facts.table("ilab_2024"), eager_only=True).filter(
        nw.col("change") == "added",
        nw.col("list") == "goods",
        nw.col("edition") > nw.col("edition").min() if not len(goods) else nw.col("edition") > goods["edition"].max(),
        ~nw.col("iso3").is_null(),
        ~nw.col("good").is_null(),
    )
    no = nw.lit(None, dtype=nw.Boolean)
    added = later.select(
        "edition",
        "iso3",
        "good",
        nw.col("child_labour"),
        no.alias("forced_child_labour"),
        nw.col("forced_labour"),
        *(no.alias(name) for name in INPUT_FLAGS.values()),
    )
    return nw.concat([kept, added.select(*kept.columns)])


def makes_goods(facts: Facts, grid: Grid) -> Flags:
    """The divisions that make goods (D): a list of goods says nothing of the others."""
    known = nw.from_native(facts.table("activities"), eager_only=True)
    sections = dict(zip(known["code"].to_list(), known["section"].to_list(), strict=True))
    return np.array([sections.get(code) in GOODS_SECTIONS for code in grid.divisions.tolist()])


def listed_upstream(judgements: Judgements, grid: Grid, listed: Flags, inputs: Flags) -> Flags:
    """Cells with a listed good upstream of the activity in the same country."""
    links = nw.from_native(judgements.table("upstream"), eager_only=True)
    links = links.filter(nw.col("value") >= judgements.value("method.upstream_share_threshold"))
    column = {code: place for place, code in enumerate(grid.divisions.tolist())}
    buys = np.zeros((len(grid.divisions),) * 2, dtype=np.int64)
    for buyer, upstream in zip(links["division"].to_list(), links["upstream_division"].to_list(), strict=True):
        if buyer in column and upstream in column and buyer != upstream:
            buys[column[upstream], column[buyer]] = 1
    return (listed.astype(np.int64) @ buys > 0) | inputs


def programmes(facts: Facts, grid: Grid) -> Programmes:
    """Labour imposed by the State that goes on at the date of the facts."""
    table = nw.from_native(facts.table("state_imposed"), eager_only=True)
    going_on = table.filter(nw.col("until").is_null())
    country, inputs = grid.empty(), grid.empty()
    zones: dict[str, Flags] = {}
    for row in going_on.rows(named=True):
        flags = inputs if row["link"] == "input" else country
        if row["place_kind"] == "zone" and row["link"] != "input":
            flags = zones.setdefault(row["zone"], grid.empty())
        grid.mark(flags, [row["iso3"]], [row["isic_division"]])
    known = [str(row["known_on"]) for row in going_on.rows(named=True) if row["known_on"]]
    return Programmes(country=country, zones=zones, inputs=inputs, since=max(known, default=""))


def regional_share(present: Floats, regions: NDArray[np.str_]) -> Floats:
    """The mean of a C×D table over the countries of each country's region, as a C×D table."""
    share = np.zeros_like(present)
    for region in np.unique(regions):
        mine = regions == region
        share[mine] = present[mine].mean(axis=0)
    return share


def unheard_of(grid: Grid) -> Flags:
    """Cells of which a list says nothing: its own maker, and the unknown activity."""
    silent = grid.empty()
    silent[grid.countries == LIST_MAKER] = True
    silent[:, grid.divisions == DIVISION_UNKNOWN] = True
    return silent
