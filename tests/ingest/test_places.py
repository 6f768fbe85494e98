"""Zones, and the country against its address and coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.ingest.conftest import codes

from vigilance.ingest.coordinates import outlines
from vigilance.reference import Facts

CAPITALS = {
    "FRA": (48.85, 2.35), "BGD": (23.8, 90.4), "CHN": (39.9, 116.4), "USA": (38.9, -77.0), "AUS": (-35.3, 149.1),
    "BRA": (-15.8, -47.9), "NOR": (59.9, 10.75), "QAT": (25.3, 51.5), "MYS": (3.1, 101.7), "IND": (28.6, 77.2),
    "NZL": (-41.3, 174.8), "FJI": (-18.1, 178.4), "RUS": (55.75, 37.6), "ZAF": (-33.9, 18.4), "JPN": (35.7, 139.7),
    "GBR": (51.5, -0.1), "IDN": (-6.2, 106.8), "VNM": (10.8, 106.7), "CHL": (-33.4, -70.7), "TUR": (41.0, 29.0),
}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("12 Beijing Road, Urumqi, Xinjiang, China", "CN-XJ"),
        ("新疆维吾尔自治区喀什市", "CN-XJ"),
        ("No. 5, Aksu, 843000, China", "CN-XJ"),
        ("Industrial park, 830011 China", "CN-XJ"),
        ("Sinkiang Uyghur Autonomous Region", "CN-XJ"),
        ("Urumqi Road 5, Shanghai, China", "CN-SH"),
        ("上海市乌鲁木齐路5号", "CN-SH"),
        ("Tel 8300112233, Hefei", None),
    ],
)
def test_a_zone_is_found_in_the_address(sites: Callable[..., Any], address: str, zone: str | None) -> None:
    rows = sites({"country": ["China"], "address": [address]}).rows.collect()
    found = rows["_zone"][0]
    assert found == zone if zone is not None else found != "CN-XJ"


def test_the_zone_column_goes_before_the_address(sites: Callable[..., Any]) -> None:
    intake = sites({"country": ["Chine", "China", "France"], "zone": ["Xinjiang", "CN-XJ", "Xinjiang"],
                    "address": ["Shanghai", "Kashgar", ""]})  # fmt: skip
    # No zone of France has this name: it stays as written, in small letters.
    assert intake.rows.collect()["_zone"].to_list() == ["CN-XJ", "CN-XJ", "xinjiang"]
    assert codes(intake) == ["zone_contradicts_address"]


def test_every_capital_lies_in_its_country(facts: Facts) -> None:
    found = outlines(facts)
    assert found is not None
    for iso3, (lat, lng) in CAPITALS.items():
        cell = np.array([int((lat + 90) // 0.5) * 720 + int((lng + 180) // 0.5)])
        assert found.holds(iso3, cell), iso3
        assert not [other for other in ("FRA", "BRA", "AUS") if other != iso3 and found.holds(other, cell)], iso3
    assert found.at(np.array([277 * 720 + 364])) == ["FRA"]


def test_a_cell_fits_whatever_is_asked_beside_it(facts: Facts) -> None:
    found = outlines(facts)
    assert found is not None
    every = np.arange(360 * 720)
    whole = {iso3: found.holds(iso3, every) for iso3 in ("RUS", "FJI", "ZAF", "LUX")}
    for iso3, held in whole.items():
        some = every[found.countries.index(iso3) :: 997]
        assert (found.holds(iso3, some) == held[some]).all(), iso3
        assert 0 < held.sum() < 30_000
    places = pl.Series([found.countries.index(iso3) * 360 * 720 + cell for iso3 in whole for cell in every[::997]])
    assert found.fitting(places).tolist() == [bool(held[cell]) for held in whole.values() for cell in every[::997]]


def test_a_contradiction_is_a_warning_with_the_country_of_the_point(sites: Callable[..., Any]) -> None:
    intake = sites({"country": ["France", "France", "Norway", "Singapore"], "lat": ["48.85", "4.8", "23.8", "1.3"],
                    "lng": ["2.35", "45.7", "90.4", "103.8"]})  # fmt: skip
    assert codes(intake) == ["coordinates_swapped", "coordinates_contradict"]
    assert "Bangladesh" in intake.issues["message"][1]
    assert intake.counts["loaded"] == 4


def test_an_address_in_another_country_is_said(sites: Callable[..., Any]) -> None:
    intake = sites({"country": ["France", "France", "United States", "China", "France"],
                    "address": ["Rue X, Dhaka, Bangladesh", "Lyon, France", "Atlanta, Georgia", "Kowloon, Hong Kong",
                                "Paris"]})  # fmt: skip
    assert codes(intake) == ["address_contradicts"]
    assert intake.issues["row"][0] == 1
