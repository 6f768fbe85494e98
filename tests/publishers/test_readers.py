"""Each reader on a small file in its publisher's layout, and on files that are not what they seem."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import reference
from vigilance.errors import InputRefused, UsageError
from vigilance.publishers import registry

from . import samples


def row(frame: pl.DataFrame, **key: object) -> dict[str, object]:
    return frame.filter(**key).row(0, named=True)


def test_normlex_by_instrument_takes_the_instrument_from_the_file_name(tmp_path: Path) -> None:
    reading = registry.read("ratifications", samples.write(tmp_path, "C105.csv", samples.NORMLEX_BY_INSTRUMENT))
    assert set(reading.rows["convention"]) == {"C105"}
    bolivia = row(reading.rows, iso3="BOL")
    assert bolivia["deposited_on"] == date(2005, 1, 11)
    assert bolivia["in_force_on"] == date(2006, 1, 11)
    malaysia = row(reading.rows, iso3="MYS")
    assert (malaysia["stated_status"], malaysia["denounced_on"]) == ("denounced", date(1990, 1, 10))
    assert row(reading.rows, iso3="ALB")["in_force_on"] == date(1959, 1, 17)
    assert reading.issues["value"].to_list() == ["Atlantis"]


def test_normlex_by_country_as_a_saved_page(tmp_path: Path) -> None:
    reading = registry.read("ratifications", samples.write(tmp_path, "page.html", samples.NORMLEX_BY_COUNTRY))
    assert set(reading.rows["iso3"]) == {"CHN"}
    assert set(reading.rows["convention"]) == {"C029", "C138"}
    assert row(reading.rows, convention="C029")["in_force_on"] == date(2023, 8, 12)
    assert row(reading.rows, convention="C138")["declared_min_age"] == 16


def test_a_complete_normlex_list_says_who_has_not_ratified(tmp_path: Path) -> None:
    members = reference.load().table("countries").filter("ilo_member")["name_iso"].to_list()
    lines = [f'"{name}",24 Jun 1957,In Force,' for name in members if name != "Afghanistan"]
    text = "Country,Date,Status,Note\n" + "\n".join(lines) + "\n"
    reading = registry.read("ratifications", samples.write(tmp_path, "C029.csv", text))
    assert reading.issues.height == 0
    assert reading.rows.height == 187
    assert reading.rows.filter(stated_status="not_ratified")["iso3"].to_list() == ["AFG"]


def test_normlex_without_an_instrument_or_a_country_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="of which instrument"):
        registry.read("ratifications", samples.write(tmp_path, "list.csv", samples.NORMLEX_BY_INSTRUMENT))
    text = samples.NORMLEX_BY_COUNTRY.replace("China", "Atlantis")
    with pytest.raises(InputRefused, match="of which country"):
        registry.read("ratifications", samples.write(tmp_path, "page.html", text))


def test_the_list_of_goods_as_a_workbook(tmp_path: Path) -> None:
    path = samples.workbook(tmp_path, "goods.xlsx", samples.GOODS)
    reading = registry.read("goods", path, date(2031, 9, 5))
    assert reading.scope == ("edition",)
    assert set(reading.rows["edition"]) == {2031}
    jade = row(reading.rows, iso3="MMR")
    assert (jade["child_labour"], jade["forced_labour"], jade["forced_child_labour"]) == (True, True, True)
    squid = row(reading.rows, good="Squid")
    assert (squid["child_labour"], squid["forced_labour"], squid["forced_child_labour"]) == (False, True, False)
    assert row(reading.rows, iso3="COD")["sector"] == "mining"
    assert reading.issues.filter(code="good_unmapped")["value"].to_list() == ["Squid"]


def test_the_edition_must_be_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--as-of"):
        registry.read("goods", samples.workbook(tmp_path, "goods.xlsx", samples.GOODS))


def test_goods_with_a_column_per_hazard(tmp_path: Path) -> None:
    text = "Country;Good;Sector;Child Labor;Forced Labor;Forced Child Labor\nPeru;Gold;Mining;X;;\nPeru;Timber;;;x;\n"
    rows = registry.read("goods", samples.write(tmp_path, "goods.csv", text), date(2031, 9, 5)).rows
    assert rows.select("good", "child_labour", "forced_labour").rows() == [
        ("Gold", True, False),
        ("Timber", False, True),
    ]


def test_a_list_that_does_not_say_the_hazard_is_refused(tmp_path: Path) -> None:
    path = samples.write(tmp_path, "goods.csv", "Country,Good\nPeru,Gold\n")
    with pytest.raises(InputRefused, match="for which hazard"):
        registry.read("goods", path, date(2031, 9, 5))


def test_sweat_and_toil_nested(tmp_path: Path) -> None:
    reading = registry.read("ilab_findings", samples.write(tmp_path, "countries.json", samples.SWEAT_AND_TOIL))
    albania, angola = row(reading.rows, iso3="ALB"), row(reading.rows, iso3="AGO")
    assert (albania["year"], albania["advancement"], albania["labour_inspectors"]) == (2023, "moderate", 1050)
    assert (albania["c138_ratified"], albania["unannounced_permitted"]) == ("yes", "unknown")
    assert (angola["advancement"], angola["c138_ratified"], angola["c182_ratified"]) == (None, "not_applicable", "no")
    assert angola["labour_inspectors"] is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gini.json", samples.WORLD_BANK_API, [("BRA", "gini", 50.5, 2031)]),
        (
            "wide.csv",
            samples.WORLD_BANK_WIDE,
            [("BRA", "rule_of_law_wgi", -0.3, 2030), ("FRA", "gini", 32.5, 2031)],
        ),
        (
            "vdem.csv",
            samples.V_DEM,
            [("MEX", "freedom_from_forced_labour", 0.7, 2029), ("MEX", "rule_of_law_vdem", 0.322, 2030)],
        ),
        ("SDG_0831.csv", samples.ILOSTAT, [("FRA", "informal_employment", 9.5, 2030)]),
        ("SDG_0831.csv.gz", samples.ILOSTAT, [("FRA", "informal_employment", 9.5, 2030)]),
    ],
)
def test_indicators_newest_value_raw(
    tmp_path: Path, name: str, text: str, expected: list[tuple[str, str, float, int]]
) -> None:
    reading = registry.read("country_indicators", samples.write(tmp_path, name, text))
    rows = reading.rows.select("iso3", "indicator", "value", "year_max").sort("iso3", "indicator").rows()
    assert rows == expected
    assert set(reading.issues["severity"]) == {"info"}
    assert (reading.rows["known_on"] == reading.rows.select(pl.date("year_max", 12, 31)).to_series()).all()


def test_indicators_of_later_years_are_left_out_on_an_earlier_date(tmp_path: Path) -> None:
    path = samples.write(tmp_path, "gini.json", samples.WORLD_BANK_API)
    reading = registry.read("country_indicators", path, date(2030, 6, 1))
    assert reading.rows.select("value", "year_max").rows() == [(51.5, 2030)]


def test_a_file_without_a_known_series_names_what_it_has(tmp_path: Path) -> None:
    text = samples.WORLD_BANK_API.replace("SI.POV.GINI", "XX.YY")
    with pytest.raises(InputRefused, match=r"XX\.YY"):
        registry.read("country_indicators", samples.write(tmp_path, "x.json", text))


@pytest.mark.parametrize("name", ["long", "wide", "placements"])
def test_tiers_in_three_layouts(tmp_path: Path, name: str) -> None:
    text = {"long": samples.TIP_LONG, "wide": samples.TIP_WIDE, "placements": samples.TIP_PLACEMENTS}[name]
    suffix = "html" if name == "placements" else "csv"
    reading = registry.read("trafficking_tiers", samples.write(tmp_path, f"tiers.{suffix}", text), date(2031, 6, 15))
    tiers = dict(reading.rows.filter(year=2031).select("iso3", "tier").iter_rows())
    assert tiers["FRA"] == "tier_1"
    assert tiers["MMR"] == "tier_3"
    assert set(reading.rows.filter(year=2031)["known_on"]) == {date(2031, 6, 15)}
    more = {"long": {"CUB": "tier_2_watch_list", "HTI": "special_case"}, "wide": {}}
    assert more.get(name, {"ALB": "tier_2", "TUR": "tier_2", "DZA": "tier_2_watch_list"}).items() <= tiers.items()
    assert not reading.rows["complete_year"].any()


def test_orders_of_customs(tmp_path: Path) -> None:
    reading = registry.read("enforcement", samples.write(tmp_path, "wro-findings.csv", samples.CBP))
    assert reading.rows.select("kind", "iso3", "since", "status").rows() == [
        ("cbp_wro", "MYS", date(2030, 11, 4), "active"),
        ("cbp_finding", "TWN", date(2031, 1, 28), "modified"),
    ]


def test_entities_of_the_uflpa_list(tmp_path: Path) -> None:
    reading = registry.read("enforcement", samples.write(tmp_path, "uflpa-entity-list.csv", samples.UFLPA))
    assert reading.rows["since"].to_list() == [date(2030, 6, 21), date(2030, 8, 2)]
    assert set(reading.rows["zone"]) == {"CN-XJ"}
    assert reading.rows["id"].n_unique() == 2


@pytest.mark.parametrize("table", sorted(registry.READERS))
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "empty"),
        ("other.csv", b"colour,size\nred,1\n", "colour"),
        ("latin.csv", "Country,Date,Good,Tier\nCôte,1,2,3\n".encode("latin-1"), "UTF-8"),
        ("broken.json", b"{", "JSON"),
        ("broken.xlsx", b"PK\x03\x04nothing", "workbook"),
    ],
)
def test_a_file_that_is_not_the_publishers_is_refused(
    tmp_path: Path, table: str, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputRefused) as raised:
        registry.read(table, path, date(2031, 1, 1))
    told = str(raised.value)
    assert name in told
    if table != "country_indicators":
        assert words in told


def test_a_table_without_a_reader_names_those_that_have_one() -> None:
    with pytest.raises(UsageError, match="ratifications"):
        registry.read("countries", Path("x.csv"))
