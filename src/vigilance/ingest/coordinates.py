"""The stated country against the coordinates: a point far outside its country is said, never silently corrected.

The outlines are coarse (1:110 million), so the test is one of plausibility: cells of half a degree that lie in a
country, or within ``TOLERANCE`` of its outline. Small States without an outline are not tested.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import Cell, Check, Distinct, Plan, Reader, Tables, Text, lookup
from vigilance.ingest.countries import vocabulary

_ = messages("ingest")

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]

STEP: Final = 0.5
"""Side of a cell, degrees."""

TOLERANCE: Final = 0.75
"""Degrees outside an outline that still count as inside: the outlines leave out bays, islets and border detail."""

_ACROSS: Final = round(360 / STEP)
_CELLS: Final = _ACROSS * round(180 / STEP)
_REACH: Final = TOLERANCE + STEP * 0.75
"""Degrees from the middle of a cell to an outline, up to which some of the cell is near enough."""
_MOST_NAMED: Final = 5_000
_AT_ONCE: Final = 200_000
"""Pairs of a cell and a side of a ring that are looked at together: bounds the memory."""


@dataclass(frozen=True)
class Outlines:
    """Rings of each country, as arrays of longitude and latitude."""

    rings: Mapping[str, Sequence[Floats]]

    @classmethod
    def read(cls, path: Path) -> Outlines:
        """Read a GeoJSON collection whose features have the property ``iso3``."""
        rings: dict[str, list[Floats]] = {}
        for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
            shape = feature["geometry"]
            polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
            rings.setdefault(feature["properties"]["iso3"], []).extend(
                np.asarray(ring, dtype=np.float64) for polygon in polygons for ring in polygon
            )
        return cls(rings)

    @cached_property
    def countries(self) -> list[str]:
        """The codes of the countries that have an outline, sorted."""
        return sorted(self.rings)

    def holds(self, iso3: str, cells: Cells) -> npt.NDArray[np.bool_]:
        """In which of some cells a country may have a site."""
        found = np.zeros(len(cells), dtype=bool)
        for ring in self.rings[iso3]:
            open_ = np.flatnonzero(~found & _around(ring, cells))
            for start in range(0, len(open_), step := max(1, _AT_ONCE // len(ring))):
                part = open_[start : start + step]
                lng, lat = _middles(cells[part])
                found[part] = _inside(ring, lng, lat) | _near(ring, lng, lat, _REACH)
        return found

    def fitting(self, places: pl.Series) -> npt.NDArray[np.bool_]:
        """Which of some places fit; a place is a cell plus ``_CELLS`` times the position of its country."""
        country, cells = np.divmod(places.to_numpy(), _CELLS)
        found = np.zeros(len(places), dtype=bool)
        for position in np.unique(country).tolist():
            mine = country == position
            found[mine] = self.holds(self.countries[position], cells[mine])
        return found

    def at(self, cells: Cells) -> list[str]:
        """The country whose outline holds the middle of each cell; empty at sea."""
        lng, lat = _middles(cells)
        found = np.full(len(cells), "", dtype="U3")
        for iso3 in sorted(self.rings):
            inside = np.zeros(len(cells), dtype=bool)
            for ring in self.rings[iso3]:
                inside ^= _inside(ring, lng, lat)
            found[inside & (found == "")] = iso3
        return [str(code) for code in found]


def outlines(facts: Tables) -> Outlines | None:
    """The outlines that come with the facts; None where there are none."""
    root = getattr(getattr(facts, "reference", None), "root", None)
    path = Path(root) / "outlines" / "outlines.geojson" if root is not None else None
    return Outlines.read(path) if path is not None and path.is_file() else None


def _middles(cells: Cells) -> tuple[Floats, Floats]:
    lng: Floats = np.asarray((cells % _ACROSS + 0.5) * STEP - 180, dtype=np.float64)
    lat: Floats = np.asarray((cells // _ACROSS + 0.5) * STEP - 90, dtype=np.float64)
    return lng, lat


def _inside(ring: Floats, lng: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    """Whether points lie inside a ring, by the even-odd rule."""
    x1, y1, x2, y2 = ring[:-1, 0], ring[:-1, 1], ring[1:, 0], ring[1:, 1]
    crosses = (y1 > lat[:, None]) != (y2 > lat[:, None])
    height = np.where(y2 == y1, 1.0, y2 - y1)
    left = lng[:, None] < (x2 - x1) * (lat[:, None] - y1) / height + x1
    return np.asarray((crosses & left).sum(axis=1) % 2 == 1, dtype=np.bool_)


def _near(ring: Floats, lng: Floats, lat: Floats, reach: float) -> npt.NDArray[np.bool_]:
    """Whether points lie within ``reach`` degrees of latitude of a ring's line; longitude shrinks with latitude."""
    shrink = np.maximum(np.cos(np.radians(lat)), 0.05)[:, None]
    x1, y1, x2, y2 = ring[:-1, 0], ring[:-1, 1], ring[1:, 0], ring[1:, 1]
    dx, dy = (x2 - x1) * shrink, y2 - y1
    px, py = (lng[:, None] - x1) * shrink, lat[:, None] - y1
    length = np.maximum(dx * dx + dy * dy, 1e-12)
    along = np.clip((px * dx + py * dy) / length, 0, 1)
    distance = np.hypot(px - along * dx, py - along * dy)
    return np.asarray((distance <= reach).any(axis=1), dtype=np.bool_)


def _around(ring: Floats, cells: Cells) -> npt.NDArray[np.bool_]:
    """Which of some cells lie in the box around a ring and its neighbourhood: of the others none is near."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    margin = _REACH / max(float(np.cos(np.radians(min(abs(low[1]), abs(high[1]), 85.0)))), 0.1)
    row, column = np.divmod(cells, _ACROSS)
    across = (column >= (low[0] - margin + 180) // STEP) & (column <= (high[0] + margin + 180) // STEP)
    along = (row >= (low[1] - _REACH + 90) // STEP) & (row <= (high[1] + _REACH + 90) // STEP)
    return np.asarray(across & along, dtype=np.bool_)


def _cell(lat: pl.Expr, lng: pl.Expr) -> pl.Expr:
    row = ((lat + 90) / STEP).floor().clip(0, _CELLS // _ACROSS - 1)
    column = ((lng + 180) / STEP).floor().clip(0, _ACROSS - 1)
    return (row * _ACROSS + column).cast(pl.Int64)


def coordinates_reader(lat: Cell, found: Outlines) -> Reader:
    """Rows whose point does not fit ``_iso3``, with the country in which it lies, or that the two are swapped."""
    y, x, iso3 = pl.col("_lat"), pl.col("_lng"), pl.col("_iso3")
    placed = y.is_not_null() & x.is_not_null()
    country = lookup(iso3, {code: i * _CELLS for i, code in enumerate(found.countries)}, pl.Int64())
    here, exchanged = country + _cell(y, x), country + _cell(x, y)
    # Only the cells in which somebody has a site are looked at: the whole of a large country would take a while.
    seen: pl.DataFrame = yield Distinct(pl.when(placed).then(here))
    places = seen["value"].drop_nulls()
    wrong = places.filter(~found.fitting(places))
    if wrong.is_empty():
        return Plan()
    astray = (placed & here.is_in(wrong.implode())).fill_null(value=False)
    turned: pl.DataFrame = yield Distinct(pl.when(astray & (x.abs() <= 90)).then(exchanged))
    others = turned["value"].drop_nulls()
    swapped = (x.abs() <= 90) & exchanged.is_in(others.filter(found.fitting(others)).implode())
    cells = (wrong % _CELLS).unique(maintain_order=True).head(_MOST_NAMED)
    lies_in = dict(zip(cells.to_list(), found.at(cells.to_numpy()), strict=True))
    named = _cell(y, x).replace_strict(list(lies_in), list(lies_in.values()), default="", return_dtype=pl.String)
    key = pl.when(astray & swapped).then(pl.lit("swapped")).when(astray).then(named)
    shown = pl.format("{}, {}", pl.col(lat.name), x)
    return Plan(checks=[Check(lat.header, shown, key, _texts(set(lies_in.values())))], failing=True)


def _texts(countries: set[str]) -> dict[str, Text]:
    hint = _("correct the country or the coordinates")
    texts = {
        "swapped": Text(
            "coordinates_swapped",
            "warning",
            _("the point is not in the stated country; latitude and longitude look swapped"),
            _("exchange the two columns"),
        ),
        "": Text("coordinates_contradict", "warning", _("the point is not in the stated country"), hint),
    }
    display = vocabulary()
    for iso3 in countries - {""}:
        said = _("the point lies in {country}, not in the stated country").format(country=display.title(iso3))
        texts[iso3] = Text("coordinates_contradict", "warning", said, hint)
    return texts
