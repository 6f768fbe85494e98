"""Golden cases: the product of ratios worked by hand.

Each case takes the judgements as they are written in rules/ (ratios, prevalences, ranges) and does the arithmetic of
docs/method.md on paper, in the comments; the country term and the listings, which come from thousands of facts, are
read from the explanation and enter as given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import narwhals.stable.v2 as nw
import pytest
from tests.conftest import sites

from vigilance import engines
from vigilance.scoring import explain
from vigilance.scoring.lines import LISTS, OUTSIDE
from vigilance.scoring.model import Model

L = math.log(25)


@pytest.fixture
def lines(model: Model) -> Callable[..., dict[str, dict[str, Any]]]:
    def of(hazard: str, **row: Any) -> dict[str, dict[str, Any]]:
        frame = sites([row])
        made = explain.ratios(nw.from_native(frame, eager_only=True), model, engines.look_up(frame, model)).to_native()
        return {line["factor"]: line for line in made.iter_rows(named=True) if line["hazard"] == hazard}

    return of


def test_base_of_forced_labour_in_french_services(lines: Any) -> None:
    # World average: .24·2.8 + .50·3.9 + .26·9.0 = 0.672 + 1.95 + 2.34 = 4.962 per 1,000 employed.
    # Services over the world: 3.9 / 4.962 = 0.78597. Europe and Central Asia over the world: 4.4 / 3.5 = 1.25714.
    found = lines("forced_labour", iso3="FRA", division="82", tier=1)
    assert found["base"]["ratio"] == pytest.approx(0.004962, rel=1e-12)
    assert found["activity"]["ratio"] == pytest.approx(3.9 / 4.962, rel=1e-12)
    assert found["region"]["ratio"] == pytest.approx(4.4 / 3.5, rel=1e-12)
    # Together 3.9 per 1,000 × 1.25714 = 4.9029 per 1,000 before the country and the factors.
    together = found["base"]["ratio"] * found["activity"]["ratio"] * found["region"]["ratio"]
    assert together == pytest.approx(0.0039 * 4.4 / 3.5, rel=1e-12)


def test_base_of_child_labour_on_a_farm_in_cote_d_ivoire(lines: Any) -> None:
    # 138 million children × 61 % / (3,300 million employed × 24 %) = 84.18 / 792 = 0.10629 in agriculture;
    # services 138 × .27 / 1650 = 0.022582; industry 138 × .13 / 858 = 0.020909.
    # World = .24·.10629 + .50·.022582 + .26·.020909 = .0255091 + .0112909 + .0054364 = .0422364.
    # Sub-Saharan Africa 21.5 % over the world's 7.8 % = 2.75641.
    found = lines("child_labour", iso3="CIV", division="01", tier=4)
    assert found["base"]["ratio"] == pytest.approx(138 * 1.01 / 3300, rel=1e-12)
    assert found["activity"]["ratio"] == pytest.approx((84.18 / 792) / (138 * 1.01 / 3300), rel=1e-12)
    assert found["region"]["ratio"] == pytest.approx(21.5 / 7.8, rel=1e-12)
    assert found["tier"]["ratio"] == pytest.approx(1.0)


def test_fees_are_centred_on_the_activity(lines: Any, model: Model) -> None:
    # r = 2 and prevalence q in the activity: present 2/(1+q), absent (1/(1+q))^0.3 since a declared no proves .3,
    # unknown 1. With the q of rules/tables/activity_profile for rubber products.
    table = model.judgements.table("activity_profile")
    q = table.filter((table["division"] == "22") & (table["parameter"] == "recruitment_fees"))["value"][0]
    for answer, expected in ((True, 2 / (1 + q)), (False, (1 / (1 + q)) ** 0.3), (None, 1.0)):
        line = lines("forced_labour", iso3="MYS", division="22", recruitment_fees=answer)["recruitment_fees"]
        assert line["ratio"] == pytest.approx(expected, rel=1e-12)
        assert line["known"] is (answer is not None)


def test_seventy_percent_migrants_under_sponsorship(lines: Any, model: Model) -> None:
    # Migrants: (1 + 2·0.7) / (1 + 2·m̄) = 2.4 / (1 + 2·m̄). Sponsorship in Malaysia, strength .83:
    # 1 + .83·.7 = 1.581 over the average of Asia and the Pacific at the activity's m̄ (two of its countries have it).
    found = lines("forced_labour", iso3="MYS", division="22", migrant_share=0.7)
    place = model.activities.codes.tolist().index("22")
    usual = model.activities.migrants[place, 1]
    assert found["migrant_share"]["ratio"] == pytest.approx(2.4 / (1 + 2 * usual), rel=1e-12)
    region = model.countries["ilo_region"].to_numpy() == "asia_pacific"
    average = (1 + model.strength[region] * usual).mean()
    assert found["sponsorship"]["ratio"] == pytest.approx(1.581 / average, rel=1e-12)
    assert "migrant_share" not in lines("child_labour", iso3="MYS", division="22", migrant_share=0.7)


def test_tiers(lines: Any) -> None:
    for tier, forced, child in ((1, 1.0, 0.03), (2, 1.3, 0.1), (3, 1.7, 0.35), (4, 2.2, 1.0)):
        assert lines("forced_labour", tier=tier)["tier"]["ratio"] == pytest.approx(forced)
        assert lines("child_labour", tier=tier)["tier"]["ratio"] == pytest.approx(child)


def test_rate_presence_and_score_of_a_glove_factory(lines: Any, score: Any) -> None:
    row = {
        "iso3": "MYS",
        "division": "22",
        "tier": 1,
        "workers": 3000,
        "migrant_share": 0.7,
        "recruitment_fees": True,
    }
    found = lines("forced_labour", **row)
    outside_lines = [name for name in found if name in OUTSIDE]
    inside = [n for n in found if n not in {*OUTSIDE, "size", "combined_ratio_bound", "rate_ceiling"}]
    assert {"migrant_share", "sponsorship", "recruitment_fees"} <= set(inside)
    # What the list says is bounded apart: Λ·tanh(S/Λ) with Λ = ln 50 = 3.9120.
    said = sum(math.log(found[name]["ratio"]) for name in LISTS)
    assert found["list_ratio_bound"]["ratio"] == pytest.approx(
        math.exp(math.log(50) * math.tanh(said / math.log(50)) - said), rel=1e-9
    )
    total = sum(math.log(found[name]["ratio"]) for name in inside)
    # Bound on the factors together: L·tanh(S/L) with L = ln 25 = 3.2189.
    assert found["combined_ratio_bound"]["ratio"] == pytest.approx(math.exp(L * math.tanh(total / L) - total), rel=1e-9)
    outside = math.prod(found[name]["ratio"] for name in outside_lines)
    raw = outside * math.exp(L * math.tanh(total / L))
    # Ceiling: π = ½(1 − exp(−2π*)). Presence: m = π·3000^0.33, P0 = 1 − exp(−m); 3000^0.33 = 14.04.
    rate = 0.5 * (1 - math.exp(-2 * raw))
    m = rate * 3000**0.33
    p = 1 - math.exp(-m)
    scored = score([row])[0]
    assert scored["forced_labour_p50"] == pytest.approx(p, abs=1e-9)
    assert scored["forced_labour_inherent_p50"] == pytest.approx(p, abs=1e-9)
    assert scored["forced_labour_score"] == pytest.approx(100 * math.log(1 + p / 0.01) / math.log(101), abs=1e-6)
    # λ = π·N / P0 people given presence; times P50 gives π·N here, where nothing but the rate is known.
    assert scored["forced_labour_expected_affected"] == pytest.approx(rate * 3000, rel=1e-8)


@pytest.mark.parametrize(("p", "expected"), [(0.001, 2), (0.01, 15), (0.05, 39), (0.10, 52), (0.30, 74), (0.70, 92)])
def test_the_score_scale(p: float, expected: int) -> None:
    # The table of docs/method.md: 100·ln(1 + P/0.01)/ln 101.
    assert round(100 * math.log(1 + p / 0.01) / math.log(101)) == expected


def test_priority_of_a_known_site(score: Any) -> None:
    # S = M₂(scale .9, scope, irremediability .6), scope = log10(1+λ)/3, priority = 100·S^.6·(score/100)^.4.
    row = score([{"iso3": "BGD", "division": "14", "tier": 1, "workers": 1000}])[0]
    given_presence = row["forced_labour_expected_affected"] / row["forced_labour_p50"]
    scope = min(1.0, math.log10(1 + given_presence) / 3)
    severity = math.sqrt((0.9**2 + scope**2 + 0.6**2) / 3)
    expected = 100 * severity**0.6 * (row["forced_labour_score"] / 100) ** 0.4
    assert row["forced_labour_priority"] == pytest.approx(expected, rel=1e-6)


def test_state_imposed_cotton(score: Any, lines: Any) -> None:
    site, elsewhere = score(
        [
            {"iso3": "CHN", "division": "01", "tier": 4, "workers": 300, "zone": "CN-XJ"},
            {"iso3": "CHN", "division": "01", "tier": 4, "workers": 300, "zone": "CN-SD"},
        ]
    )
    assert site["forced_labour_override"] == "state_imposed_labour"
    assert site["forced_labour_band"] == "severe"
    assert elsewhere["forced_labour_override"] is None
    zone = lines("forced_labour", iso3="CHN", division="01", zone="CN-XJ")["state_imposed_zone"]["ratio"]
    # 10 / (1 + 9q) with the small q of the region's countries under such programmes.
    assert 8 < zone < 10
    unstated = lines("forced_labour", iso3="CHN", division="01")["state_imposed_zone"]
    assert unstated["ratio"] == 1.0
    assert unstated["known"] is False


def test_sensible_on_the_world(score: Any) -> None:
    """The sanity figures of docs/method.md."""
    services, vehicles, apparel, gloves, cotton = (
        row["forced_labour_p50"]
        for row in score(
            [
                {
                    "iso3": "FRA",
                    "division": "82",
                    "tier": 1,
                    "workers": 50,
                    "migrant_share": 0.05,
                    "recruitment_fees": False,
                },
                {"iso3": "DEU", "division": "29", "tier": 1, "workers": 2000},
                {"iso3": "BGD", "division": "14", "tier": 1, "workers": 1000},
                {
                    "iso3": "MYS",
                    "division": "22",
                    "tier": 1,
                    "workers": 3000,
                    "migrant_share": 0.7,
                    "recruitment_fees": True,
                },
                {"iso3": "TKM", "division": "01", "tier": 4, "workers": 300},
            ]
        )
    )
    assert services < 0.012
    assert 0.04 < vehicles < 0.09
    assert 0.12 < apparel < 0.28
    assert 0.5 < gloves < 0.8
    assert 0.65 < cotton < 0.95
