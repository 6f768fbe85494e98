"""Places and activities as fund files and companies spell them."""

from __future__ import annotations

import polars as pl
import pytest

from vigilance import reference
from vigilance.portfolio import inputs

from .world import ALIASES, COUNTRIES, ON, small_world


@pytest.mark.parametrize(
    ("text", "iso3"),
    [
        ("United States", "USA"),
        ("Korea (South)", "KOR"),
        ("Russian Federation", "RUS"),
        ("Hong Kong", "HKG"),
        ("Taiwan", "TWN"),
        ("Czech Republic", "CZE"),
        ("Türkiye", "TUR"),
        ("Vereinigte Staaten", "USA"),
        ("Royaume-Uni", "GBR"),
        ("FR", "FRA"),
        ("jpn", "JPN"),
    ],
)
def test_places_of_fund_files(text: str, iso3: str) -> None:
    countries = reference.load().in_force(ON).table("countries")
    assert inputs.places(pl.Series([text, None]), countries).rows() == [(text, iso3)]


def test_what_is_no_place_is_left_out() -> None:
    assert inputs.places(pl.Series(["Atlantis", "-", "European Union"]), COUNTRIES).height == 0


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Information Technology",
            "Consumer Discretionary",
            "Financials",
            "Health Care",
            "Communication",
            "Utilities",
        ),
        *("Communication Services", "Consumer Staples", "Real Estate", "Energy", "Materials", "Industrials"),
        *(
            "Technology",
            "Basic Materials",
            "Consumer Cyclical",
            "Consumer Defensive",
            "Healthcare",
            "Financial Services",
        ),
        *("Technologie de l'information", "Santé", "Finance", "Gesundheitsversorgung", "Semiconductors"),
    ],
)
def test_sector_words_become_mixes_of_divisions(text: str) -> None:
    aliases = reference.load().in_force(ON).table("activity_aliases")
    mix = inputs.activities(pl.Series([text]), aliases, codes="gics")
    assert mix.height >= 1
    assert mix["weight"].sum() == pytest.approx(1.0)
    assert mix["division"].str.contains(r"^\d\d$").all()


def test_bare_digits_are_gics_in_a_fund_file_and_isic_in_a_declaration() -> None:
    text = pl.Series(["45"])
    assert inputs.activities(text, ALIASES, codes="gics")["division"].to_list() == ["26", "62"]
    assert inputs.activities(text, ALIASES, codes="isic")["division"].to_list() == ["45"]


def test_codes_of_statistics_are_read_in_their_forms() -> None:
    spelt = pl.Series(["14", "C14", "14.13", "1413", "Wearing apparel", "Manufacture of textiles"])
    mix = inputs.activities(spelt, ALIASES, codes="isic")
    assert dict(mix.select("text", "division").iter_rows()) == {
        "14": "14",
        "C14": "14",
        "14.13": "14",
        "1413": "14",
        "Manufacture of textiles": "13",
    }


def test_workers_origins_are_no_footprint_and_shares_are_whole() -> None:
    world = small_world()
    assert "64" not in world.footprint["division"].to_list()
    assert world.footprint.group_by("division").agg(pl.col("share").sum())["share"].to_list() == pytest.approx(
        [1.0] * 4
    )
    sums = world.upstream.group_by("division", "tier").agg(pl.col("share").sum())["share"]
    assert sums.to_list() == pytest.approx([1.0] * sums.len())
    assert world.footprint.filter(pl.col("division") == "01")["share"].to_list() == pytest.approx([0.5, 0.5])


def test_the_prefix_of_an_isin_is_the_weakest_domicile() -> None:
    assert inputs.from_isin(pl.Series(["FR0000121014", "XS1234567890", None]), COUNTRIES).to_list() == [
        "FRA",
        None,
        None,
    ]
