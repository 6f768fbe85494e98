"""Facts that anybody can look up: a table that loses one of them is wrong, whatever its sha256."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from vigilance import reference, rules
from vigilance.errors import UsageError
from vigilance.scoring.base import bases
from vigilance.scoring.model import build

REFERENCE = reference.load()
NOW = date(2026, 11, 1)
FACTS = REFERENCE.in_force(NOW)


def status(iso3: str, convention: str, on: date = NOW) -> str:
    frame = REFERENCE.in_force(on).ratification_status()
    return str(frame.filter(iso3=iso3, convention=convention)["status"].item())


def ratified(convention: str, on: date = NOW) -> int:
    frame = REFERENCE.in_force(on).ratification_status()
    return frame.filter(pl.col("convention") == convention, pl.col("status").is_in(["ratified", "in_force"])).height


def test_the_ilo_has_187_members() -> None:
    assert FACTS.table("countries").filter("ilo_member").height == 187


def test_c182_is_universal_since_tonga() -> None:
    assert ratified("C182") == 187
    assert ratified("C182", date(2020, 8, 3)) == 186
    assert status("TON", "C182", date(2020, 8, 4)) == "ratified"
    assert status("TON", "C182", date(2021, 8, 4)) == "in_force"


def test_the_united_states_have_only_c105_and_c182() -> None:
    frame = FACTS.ratification_status().filter(iso3="USA")
    assert set(frame.filter(status="in_force")["convention"]) == {"C105", "C182"}
    assert set(frame.filter(status="not_ratified")["convention"]) == {"C029", "C138", "P029"}


@pytest.mark.parametrize(("iso3", "year"), [("MYS", 1990), ("SGP", 1979)])
def test_malaysia_and_singapore_denounced_c105(iso3: str, year: int) -> None:
    assert status(iso3, "C105") == "denounced"
    assert status(iso3, "C105", date(year - 1, 1, 1)) == "in_force"
    assert FACTS.ratification_status().filter(convention="C105", status="denounced").height == 2


@pytest.mark.parametrize("convention", ["C029", "C105"])
def test_china_deposited_on_12_august_2022(convention: str) -> None:
    assert status("CHN", convention, date(2022, 8, 11)) == "not_ratified"
    assert status("CHN", convention, date(2022, 8, 12)) == "ratified"
    assert status("CHN", convention, date(2023, 8, 11)) == "ratified"
    assert status("CHN", convention, date(2023, 8, 12)) == "in_force"


def test_published_totals_of_parties() -> None:
    assert [ratified(code) for code in ("C029", "C105", "C138", "P029")] == [180, 176, 176, 60]


def test_korea_ratified_c029_in_2021_and_not_c105() -> None:
    assert status("KOR", "C029", date(2021, 4, 20)) == "ratified"
    assert status("KOR", "C029", date(2022, 4, 20)) == "in_force"
    assert status("KOR", "C105") == "not_ratified"


def test_japan_ratified_c105_in_july_2022() -> None:
    assert status("JPN", "C105", date(2022, 7, 18)) == "not_ratified"
    assert status("JPN", "C105", date(2023, 7, 19)) == "in_force"


def test_viet_nam_ratified_c105_in_july_2020() -> None:
    assert status("VNM", "C105", date(2020, 7, 13)) == "not_ratified"
    assert status("VNM", "C105", date(2020, 7, 14)) == "ratified"


def test_france_ratified_c029_in_1937() -> None:
    row = REFERENCE.table("ratifications").filter(iso3="FRA", convention="C029")
    assert row["deposited_on"].item() == date(1937, 6, 24)


def test_bangladesh_and_australia_came_late_to_c138() -> None:
    assert status("BGD", "C138", date(2022, 3, 21)) == "not_ratified"
    assert status("BGD", "C138", date(2023, 3, 22)) == "in_force"
    assert status("AUS", "C138", date(2023, 6, 13)) == "ratified"


def test_india_ratified_both_child_labour_conventions_on_one_day() -> None:
    rows = REFERENCE.table("ratifications").filter(iso3="IND").filter(pl.col("convention").is_in(["C138", "C182"]))
    assert set(rows["deposited_on"]) == {date(2017, 6, 13)}


def test_the_protocol_waited_for_2016() -> None:
    assert FACTS.table("conventions").filter(code="P029")["in_force_on"].item() == date(2016, 11, 9)
    assert ratified("P029", date(2014, 6, 1)) == 0


def test_global_estimates() -> None:
    estimates = FACTS.table("global_estimates")
    regions = estimates.filter(hazard="forced_labour", dimension="region", unit="per 1000 population")
    region = regions.filter(year=2021)
    assert dict(regions.filter(year=2016).select("key", "value").iter_rows()) == {
        "world": 3.4, "asia_pacific": 4.0, "europe_central_asia": 3.6, "africa": 2.8, "americas": 1.3,
        "arab_states": 2.2,
    }  # fmt: skip
    assert dict(region.select("key", "value").iter_rows()) == {
        "world": 3.5, "asia_pacific": 3.5, "europe_central_asia": 4.4, "africa": 2.9, "americas": 3.5,
        "arab_states": 5.3,
    }  # fmt: skip
    assert estimates.filter(hazard="child_labour", key="world", year=2024)["value"].to_list() == [138.0]
    assert estimates.filter(hazard="child_labour", key="world", year=2016)["value"].to_list() == [151.6]
    sectors = estimates.filter(hazard="child_labour", dimension="activity", year=2016)
    assert dict(sectors.select("key", "value").iter_rows()) == {"agriculture": 70.9, "industry": 11.9, "services": 17.2}


def test_the_rates_of_2016_follow_from_the_shares_published_then() -> None:
    estimates = FACTS.table("global_estimates").filter(hazard="forced_labour", year=2016)
    share = dict(
        estimates.filter(pl.col("unit").str.starts_with("percent of forced labour")).select("key", "value").iter_rows()
    )
    rate = dict(estimates.filter(dimension="activity_rate").select("key", "value").iter_rows())
    private = estimates.filter(dimension="form", key="private")["value"].item()
    judgements = rules.load().in_force(NOW)
    employed = {
        name: judgements.value("method.employed_world_million") * judgements.value(f"method.employment_share.{name}")
        for name in ("agriculture", "industry", "services")
    }
    employed |= {"domestic_work": 67.0}
    employed["services"] -= employed["domestic_work"]
    share["industry"] = share.pop("construction") + share.pop("manufacturing")
    share["services"] = 100.0 - sum(share.values())
    for name, found in rate.items():
        assert found == pytest.approx(
            private * share[name] / 100.0 / employed[name] * 1000.0, abs=0.35 if found > 9 else 0.06
        )


@pytest.mark.parametrize(
    "on", [date(2017, 9, 19), date(2019, 1, 1), date(2021, 6, 10), date(2023, 1, 1), date(2025, 1, 1)]
)
def test_base_rates_are_known_since_the_estimates_of_2017(on: date) -> None:
    model = build(REFERENCE.in_force(on), rules.load().in_force(on))
    found = bases(model.facts, model.judgements, model.grid.divisions, model.countries)
    for base in found.values():
        assert 0.001 < base.world < 0.1
        assert np.isfinite(base.region).all()
        assert (base.region > base.region.min()).any()


def test_before_the_estimates_of_2017_there_is_no_base_rate() -> None:
    on = date(2017, 9, 18)
    with pytest.raises(UsageError, match="no estimate of forced_labour"):
        build(REFERENCE.in_force(on), rules.load().in_force(on))


def test_uzbek_cotton_and_uzbek_state_labour_until_2021() -> None:
    def rows(on: date) -> pl.DataFrame:
        return REFERENCE.in_force(on).table("state_imposed").filter(iso3="UZB", isic_division="01")

    assert rows(date(2020, 1, 1))["until"].item() is None
    assert rows(NOW)["until"].item() == date(2021, 12, 31)


def test_xinjiang_all_goods_since_the_us_presumption() -> None:
    def rows(on: date) -> pl.DataFrame:
        return REFERENCE.in_force(on).table("state_imposed").filter(zone="CN-XJ")

    assert rows(date(2020, 12, 31)).height == 0
    assert "all" not in set(rows(date(2022, 6, 20))["isic_division"])
    assert "all" in set(rows(date(2022, 6, 21))["isic_division"])


@pytest.mark.parametrize(
    ("iso3", "good", "child", "forced"),
    [
        ("CIV", "Cocoa", True, True),
        ("COD", "Cobalt ore (heterogenite)", True, False),
        ("CHN", "Thread/Yarn", False, True),
        ("IND", "Bricks", True, True),
        ("MYS", "Rubber Gloves", False, True),
        ("UZB", "Cotton", False, False),
    ],
)
def test_goods_of_the_edition_of_2022(iso3: str, good: str, child: bool, forced: bool) -> None:
    rows = FACTS.table("goods").filter(edition=2022, iso3=iso3, good=good)
    assert [(r["child_labour"], r["forced_labour"]) for r in rows.to_dicts()] in ([(child, forced)], [])
    assert rows.height == (1 if child or forced else 0)


def test_tiers_of_the_trafficking_report() -> None:
    tiers = dict(FACTS.table("trafficking_tiers").filter(year=2024).select("iso3", "tier").iter_rows())
    assert tiers["CHN"] == tiers["RUS"] == tiers["PRK"] == "tier_3"
    assert tiers["FRA"] == tiers["SWE"] == "tier_1"


def test_every_listed_good_has_an_activity_whose_weights_add_to_one() -> None:
    goods, mapped = REFERENCE.table("goods"), REFERENCE.table("goods_activity")
    assert goods.join(mapped, on="good", how="anti").height == 0
    sums = mapped.group_by("good").agg(pl.col("weight").sum())
    assert sums.filter((pl.col("weight") - 1).abs() > 1e-9).height == 0


def test_alias_weights_add_to_one() -> None:
    sums = REFERENCE.table("activity_aliases").group_by("scheme", "code", "lang").agg(pl.col("weight").sum())
    assert sums.filter((pl.col("weight") - 1).abs() > 0.011).rows() == []


def test_the_french_plan_has_45_measures() -> None:
    plan = FACTS.table("state_plan")
    counts = plan.group_by("status").len()
    assert dict(counts.iter_rows()) == {"done": 3, "partly": 28, "not_done": 14}


def test_ics_audits_of_2022_23() -> None:
    audits = FACTS.table("ics_audits").filter(period="2022-04/2023-05")
    assert audits.filter(dimension="total", key="audits")["value"].item() == 4713
    assert audits.filter(dimension="chapter", key="forced_labour")["value"].item() == 99
    assert audits.filter(dimension="chapter", key="working_time")["value"].item() == 51


def test_88_divisions_in_21_sections() -> None:
    activities = FACTS.table("activities")
    assert dict(activities.group_by("level").len().iter_rows()) == {"section": 21, "division": 88}


def test_nothing_that_may_not_be_redistributed() -> None:
    publishers = set(REFERENCE.table("indicators")["publisher"])
    assert not any("Walk Free" in name for name in publishers)
    labels = REFERENCE.table("activity_aliases").filter(pl.col("scheme").is_in(["gics", "icb", "unspsc_segment"]))
    assert labels.filter(~pl.col("source").str.contains("label ours")).height == 0


def test_an_indicator_of_later_years_is_absent() -> None:
    early = REFERENCE.in_force(date(2020, 12, 30)).table("country_indicators")
    assert early["year_max"].max() == 2016
    assert REFERENCE.in_force(date(2020, 12, 31)).table("country_indicators")["year_max"].max() == 2020


def test_the_input_of_a_downstream_good_is_a_listed_good() -> None:
    goods = REFERENCE.table("goods")
    inputs = goods.filter("downstream").select("edition", iso3="input_iso3", good="input_good")
    assert inputs.height == 10
    assert inputs.join(goods, on=["edition", "iso3", "good"], how="anti").rows() == []


def test_liberia_ratified_c138_on_13_june_2022() -> None:
    assert status("LBR", "C138", date(2022, 6, 12)) == "not_ratified"
    assert status("LBR", "C138", date(2022, 6, 13)) == "ratified"
    assert status("LBR", "C138", date(2023, 6, 13)) == "in_force"


def test_malaysia_did_not_know_in_1989_that_it_would_denounce() -> None:
    row = REFERENCE.in_force(date(1989, 6, 1)).table("ratifications").filter(iso3="MYS", convention="C105")
    assert row.select("stated_status", "denounced_on", "denounced_year").row(0) == (None, None, None)
