"""Averages over cells, and the offsets that bring them to one.

A base rate is an average over the cells of a region and of a broad sector, so what tells those cells apart is held
against its own average there. Countries weigh the same, as for every listing: a listing speaks of one good, and in a
large country, which makes many, it touches a smaller part of the workforce. Divisions weigh their employment.
Shapes: C countries × D divisions; groups are whole numbers, -1 for a cell that takes no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.rules import Judgements
from vigilance.scoring.base import WORLD, sectors
from vigilance.terms import DIVISION_UNKNOWN

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Groups = NDArray[np.intp]

NONE: Final = -1
CLOSE: Final = 1e-14
"""Change of an offset below which balancing has come to rest."""
MOST_ROUNDS: Final = 1000


@dataclass(frozen=True)
class Axes:
    """The region of each country (C) and the broad sector of each division (D), as groups, and the weights (C×D)."""

    region: Groups
    sector: Groups
    weight: Floats

    def by_region(self) -> Groups:
        """The group of every cell: its region."""
        return np.broadcast_to(self.region[:, None], self.weight.shape)

    def by_sector(self) -> Groups:
        """The group of every cell of a known activity: its broad sector."""
        return np.broadcast_to(self.sector[None, :], self.weight.shape)

    def by_both(self) -> Groups:
        """The group of every cell of a known activity: its region and broad sector."""
        known = (self.sector[None, :] != NONE) & (self.region[:, None] != NONE)
        return np.where(known, self.region[:, None] * (self.sector.max() + 1) + self.sector[None, :], NONE)


def axes(judgements: Judgements, countries: nw.DataFrame[Any], divisions: NDArray[np.str_]) -> Axes:
    """The axes of sorted countries (``ilo_region, ilo_member``) and divisions; the unknown activity has no sector."""
    regions = countries["ilo_region"].to_numpy().astype("U24")
    names = np.array(sectors(judgements, divisions))
    sector = np.where(divisions == DIVISION_UNKNOWN, NONE, np.unique(names, return_inverse=True)[1])
    table = nw.from_native(judgements.table("employment"), eager_only=True)
    employed = dict(zip(table["division"].to_list(), table["million"].to_list(), strict=True))
    weight = np.array([float(employed.get(code, 0.0)) for code in divisions.tolist()])
    members = countries["ilo_member"].to_numpy().astype(bool)
    return Axes(
        region=np.where(regions == WORLD, NONE, np.unique(regions, return_inverse=True)[1]),
        sector=sector,
        weight=members[:, None] * np.where(sector == NONE, 0.0, weight)[None, :],
    )


def share(values: Floats, weight: Floats, group: Groups) -> Floats:
    """The weighted mean of a table over each cell's group (C×D); 0 for a cell, or a group, that takes no part."""
    inside = group != NONE
    count = int(group.max()) + 1
    total = np.bincount(group[inside], weight[inside], count)
    summed = np.bincount(group[inside], (weight * values)[inside], count)
    mean = np.divide(summed, total, out=np.zeros(count), where=total > 0)
    return np.where(inside, mean[np.where(inside, group, 0)], 0.0)


def ln_average(ln: Floats, weight: Floats, group: Groups) -> Floats:
    """ln of the weighted mean of exp(ln) over each cell's group (C×D); 0 for a cell, or a group, that takes no part."""
    mean = share(np.exp(ln), weight, group)
    return np.log(np.where(mean > 0, mean, 1.0))


def balance(ln: Floats, weight: Floats, at: Axes) -> Floats:
    """What has to be added to ln (C×D) for exp(ln) to average to one over every region and over every broad sector.

    One number a region plus one a sector, by proportional fitting of the two margins in turn; 0 for unknown activities.
    """
    takes_part = (at.region[:, None] != NONE) & (at.sector[None, :] != NONE)
    regions, sectors_ = int(at.region.max()) + 1, int(at.sector.max()) + 1
    cell = np.where(takes_part, at.region[:, None] * sectors_ + at.sector[None, :], 0)
    wanted, there = (
        np.bincount(cell[takes_part], values[takes_part], regions * sectors_).reshape(regions, sectors_).astype(float)
        for values in (weight, weight * np.exp(ln))
    )
    by_region, by_sector = np.zeros(regions), np.zeros(sectors_)
    for _ in range(MOST_ROUNDS):
        before = by_sector
        by_region = _fitted(wanted.sum(axis=1), there @ np.exp(by_sector))
        by_sector = _fitted(wanted.sum(axis=0), np.exp(by_region) @ there)
        if np.abs(by_sector - before).max() < CLOSE:
            break
    rows = np.where(at.region == NONE, 0.0, by_region[at.region])
    columns = np.where(at.sector == NONE, 0.0, by_sector[at.sector])
    return np.where(at.sector[None, :] == NONE, 0.0, rows[:, None] + columns[None, :])


def _fitted(wanted: Floats, there: Floats) -> Floats:
    """ln(wanted / there), 0 for a margin without weight."""
    ratio = np.divide(wanted, there, out=np.ones_like(there), where=(there > 0) & (wanted > 0))
    return np.log(ratio)
