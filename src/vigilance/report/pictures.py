"""What the charts show, taken from the material: counts, cells, places on the map."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.report import charts, wording
from vigilance.report.document import Chart
from vigilance.report.material import Material
from vigilance.report.matrix import by_country, matrix
from vigilance.terms import BANDS, HAZARDS

_ = messages("report")

ROWS, COLUMNS = 30, 18
"""Countries and activities that the heat map shows: those with the highest risk and the most sites."""
GRID: Final = 2.0
"""Places on the map are counted by squares of so many degrees, so that 100,000 sites stay readable and quick."""
SHORT: Final = 34


class Pictures:
    """The charts of one report; each made when first asked for."""

    def __init__(self, material: Material) -> None:
        self.material = material

    @cached_property
    def matrix(self) -> pl.DataFrame:
        """``report.matrix.matrix``."""
        return matrix(self.material)

    @cached_property
    def countries(self) -> pl.DataFrame:
        """``report.matrix.by_country``."""
        return by_country(self.material)

    @cached_property
    def shown(self) -> tuple[list[str], list[str]]:
        """The countries and the activities of the heat map, the riskiest first."""
        cells = self.matrix.with_columns(
            worst=pl.max_horizontal(f"{h}_p80" for h in HAZARDS),
            severe=pl.sum_horizontal(f"{h}_severe" for h in HAZARDS),
        )
        chosen = []
        for key, limit in (("iso3", ROWS), ("division", COLUMNS)):
            ranked = cells.group_by(key).agg(pl.col("severe").sum(), pl.col("sites").sum(), pl.col("worst").max())
            ordered = ranked.sort(["severe", "sites", "worst", key], descending=[True, True, True, False])
            chosen.append(ordered[key].head(limit).to_list())
        return chosen[0], chosen[1]

    @cached_property
    def heat_map(self) -> Chart:
        """Countries × activities with the five-year direction."""
        countries, activities = self.shown
        names = self.material.countries
        kept = self.matrix.filter(pl.col("iso3").is_in(countries), pl.col("division").is_in(activities))
        written: list[pl.Series] = []
        for hazard in HAZARDS:
            written += [
                pl.Series(f"{hazard}_band", [wording.band_of(b) for b in kept[f"{hazard}_band"]]),
                pl.Series(f"{hazard}_p50", [wording.percent(p) for p in kept[f"{hazard}_p50"]]),
                pl.Series(f"{hazard}_before", [wording.percent(p) for p in kept[f"{hazard}_p50_before"]]),
                pl.Series(f"{hazard}_arrow", [charts.ARROWS[d] for d in kept[f"{hazard}_direction"]]),
                pl.Series(f"{hazard}_grade", kept[f"{hazard}_grade"]),
            ]
        cells = pl.DataFrame(
            [
                pl.Series("country", [wording.named(names, c) for c in kept["iso3"]]),
                pl.Series("activity", [self.short(d) for d in kept["division"]]),
                kept["sites"],
                *written,
            ]
        )
        made = charts.heat_map(cells, [wording.named(names, c) for c in countries], [self.short(d) for d in activities])
        return Chart("heat-map", self.heat_caption(), self.heat_words(), made)

    def short(self, division: str) -> str:
        """A division as a heading: its code and the start of its name."""
        return f"{division} {wording.plain(wording.named(self.material.activities, division), SHORT)}"

    def heat_caption(self) -> str:
        """What the heat map shows and leaves out."""
        all_rows, all_columns = self.matrix["iso3"].n_unique(), self.matrix["division"].n_unique()
        text = _(
            "Risk of a typical site by country and activity, where the list has sites. Colour: band. Number: sites. "
            "▲ worse, ▼ better, • unchanged over five years."
        )
        if all_rows <= ROWS and all_columns <= COLUMNS:
            return text
        more = _("Shown: {rows} of {all_rows} countries and {columns} of {all_columns} activities, the riskiest first.")
        return f"{text} " + more.format(
            rows=min(ROWS, all_rows), all_rows=all_rows, columns=min(COLUMNS, all_columns), all_columns=all_columns
        )

    def heat_words(self) -> str:
        """The heat map in a sentence, for those who cannot see it."""
        parts = []
        for hazard, name in wording.hazards().items():
            worse = int((self.matrix[f"{hazard}_direction"] == 1).sum())
            better = int((self.matrix[f"{hazard}_direction"] == -1).sum())
            parts.append(
                _("{hazard}: {worse} of {cells} cells became worse over five years, {better} better.").format(
                    hazard=name, worse=worse, better=better, cells=self.matrix.height
                )
            )
        return " ".join(parts)

    @cached_property
    def distribution(self) -> Chart:
        """Sites by tier and band, both hazards."""
        long = []
        for hazard in HAZARDS:
            counted = (
                self.material.sites.group_by(pl.col("_tier").alias("tier"), pl.col(f"{hazard}_band").alias("band"))
                .len("sites")
                .sort("tier", "band")
            )
            long += [
                {
                    "hazard": str(hazard),
                    "tier": wording.tier_of(row["tier"]),
                    "band": wording.band_of(row["band"]),
                    "place": list(map(str, BANDS)).index(row["band"]),
                    "sites": row["sites"],
                }
                for row in counted.iter_rows(named=True)
            ]
        made = charts.distribution(pl.DataFrame(long))
        return Chart("distribution", _("Sites by tier and band."), self.band_words(), made)

    def band_words(self) -> str:
        """The bands of both hazards in words."""
        parts = []
        for hazard, name in wording.hazards().items():
            counted = self.material.bands(hazard)
            said = ", ".join(f"{wording.number(n)} {wording.band_of(b)}" for b, n in reversed(counted.items()))
            parts.append(f"{name}: {said}.")
        return " ".join(parts)

    @cached_property
    def world(self) -> Chart:
        """The map of countries and sites."""
        outlines = _outlines(self.material)
        names = self.material.countries
        index = self.material.model.countries.to_native().select(
            "iso3",
            pl.col("iso3").replace(names).alias("country"),
            *(pl.col(f"{h}_index").fill_nan(None).round(3) for h in HAZARDS),
        )
        points, left_out = self.places(outlines)
        made = charts.world(outlines, index, points)
        caption = _("Countries by index (darker is worse) and sites by place (size: number of sites).")
        if left_out:
            many = ", ".join(f"{wording.named(names, iso3)} ({wording.number(n)})" for iso3, n in left_out)
            caption += " " + _("Not drawn, for lack of coordinates and outline: {places}.").format(places=many)
        return Chart("map", caption, self.band_words(), made)

    def places(self, outlines: dict[str, Any]) -> tuple[pl.DataFrame, list[tuple[str, int]]]:
        """Sites counted by square of ``GRID`` degrees (or at the middle of their country), and those with no place."""
        middles = _middles(outlines)
        rank = {str(band): place for place, band in enumerate(BANDS)}
        placed = self.material.sites.join(middles, left_on="_iso3", right_on="iso3", how="left").with_columns(
            lng=pl.coalesce((pl.col("_lng") / GRID).floor() * GRID + GRID / 2, pl.col("middle_lng")),
            lat=pl.coalesce((pl.col("_lat") / GRID).floor() * GRID + GRID / 2, pl.col("middle_lat")),
        )
        counted = (
            placed.filter(pl.col("lng").is_not_null(), pl.col("lat").is_not_null())
            .group_by("lng", "lat")
            .agg(
                pl.len().alias("sites"),
                pl.col("_iso3").mode().sort().first().alias("where"),
                *(
                    pl.col(f"{h}_band").replace_strict(rank, return_dtype=pl.Int8).max().alias(f"{h}_band")
                    for h in HAZARDS
                ),
            )
            .sort(["sites", "lng", "lat"], descending=[True, False, False])
        )
        words = [wording.band_of(str(band)) for band in BANDS]
        names = self.material.countries
        points = counted.with_columns(
            pl.col("where").replace(names),
            pl.col("lat").clip(-85, 85),
            *(pl.Series(f"{h}_band", [words[b] for b in counted[f"{h}_band"]], dtype=pl.String) for h in HAZARDS),
        )
        lost = placed.filter(pl.col("lng").is_null() | pl.col("lat").is_null())["_iso3"].value_counts()
        return points, sorted(lost.iter_rows(), key=lambda pair: (-pair[1], pair[0]))


@lru_cache(maxsize=2)
def pictures_of(material: Material, _lang: str) -> Pictures:
    """The charts of a material in the language in use, made once for all who show them."""
    return Pictures(material)


def _outlines(material: Material) -> dict[str, Any]:
    """The outlines of the countries (Natural Earth), verified against their card."""
    root = material.facts.reference.root
    path = root / "outlines" / "outlines.geojson"
    content = path.read_bytes()
    card = (root / "outlines" / "card.yaml").read_text(encoding="utf-8")
    if hashlib.sha256(content).hexdigest() not in card:
        raise InputRefused(_("{path} is not the file that its card describes").format(path=path))
    found: dict[str, Any] = json.loads(content)
    return found


def _middles(outlines: dict[str, Any]) -> pl.DataFrame:
    """A point inside the largest polygon of each country: ``iso3, middle_lng, middle_lat``."""
    rows = []
    for feature in outlines["features"]:
        geometry = feature["geometry"]
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        area, lng, lat = max(_centroid(polygon[0]) for polygon in polygons)
        del area
        rows.append((feature["properties"]["iso3"], round(lng, 2), round(lat, 2)))
    return pl.DataFrame(rows, schema=["iso3", "middle_lng", "middle_lat"], orient="row")


def _centroid(ring: list[list[float]]) -> tuple[float, float, float]:
    """Area (absolute), longitude and latitude of the centroid of a ring (the shoelace formula)."""
    area = lng = lat = 0.0
    for (x0, y0), (x1, y1) in pairwise(ring):
        cross = x0 * y1 - x1 * y0
        area, lng, lat = area + cross, lng + (x0 + x1) * cross, lat + (y0 + y1) * cross
    if area == 0.0:
        return 0.0, ring[0][0], ring[0][1]
    return abs(area) / 2.0, lng / (3.0 * area), lat / (3.0 * area)
