"""Disclosure lines come from rows and say which; unknown is never a zero. Engagement asks what would tell most."""

from __future__ import annotations

import polars as pl
import pytest

from vigilance.i18n import use
from vigilance.portfolio import disclosures, engagement, issuers, screen

from .test_screen import ALL, ISIN, answers, one
from .world import Facts, judgements, positions, score, screened, small_world


def lines(found: screen.Screening, said: pl.DataFrame | None = None) -> dict[tuple[str, str], dict[str, object]]:
    made = disclosures.disclosures(found, said if said is not None else pl.DataFrame(), judgements())
    return {(r["id"], line["title"]): line for r in made["regimes"] for line in r["lines"]}


def regime(found: screen.Screening, name: str, number: str, hazard: str | None = None) -> dict[str, object]:
    hits = [v for (r, _t), v in lines(found).items() if r == name and v["id"] == number and v["hazard"] == hazard]
    assert len(hits) == 1
    return hits[0]


def test_pai_13_is_the_share_of_assessed_value_in_exposed_issuers() -> None:
    found = screened(ALL)
    line = regime(found, "sfdr", "Table 3, 13", "forced_labour")
    threshold = judgements().value("regimes.sfdr.exposed_share")
    hit = found.issuers.filter(pl.col("forced_labour_at_risk_tier_share") >= threshold)
    assert line["value"] == pytest.approx(hit["weight"].sum() / 0.98)
    assert line["rows"] == {"file": "issuers.csv", "issuers": hit["issuer"].to_list()}
    assert line["not_assessed"] == pytest.approx(0.02)
    assert 0 < float(str(line["value"])) < 1


def test_what_nobody_was_asked_is_not_known() -> None:
    line = regime(screened(ALL), "sfdr", "Table 3, 4")
    assert line["value"] is None
    assert line["state"] == "not_known"


def test_a_code_of_conduct_counts_only_with_proof() -> None:
    said = answers((ISIN, "c2", "yes", None), ("US0378331005", "c2", "yes", "documented"))
    known = issuers.build(positions(ALL).lines, Facts(), answers=said)
    found = screen.screen(known, small_world(), judgements(), score)
    made = disclosures.disclosures(found, known.answers, judgements())
    line = made["regimes"][0]["lines"][0]
    assert line["id"] == "Table 3, 4"
    assert line["value"] == pytest.approx(0.40 / 0.75)
    assert line["rows"]["issuers"] == ["isin:FR0000121014"]


def test_every_line_names_its_rows_in_both_languages() -> None:
    with use("fr"):
        french = lines(screened(ALL))
    english = lines(screened(ALL))
    assert len(french) == len(english) >= 20
    assert set(french).isdisjoint(english)
    assert all({"value", "unit", "state", "rows", "method"} <= set(line) for line in english.values())
    assert {r for r, _t in english} == set(disclosures.REGIMES)


def test_rows_of_a_places_line_are_in_the_contributions() -> None:
    found = screened(ALL)
    line = regime(found, "gri", "409-1", "forced_labour")
    keys = set(found.contributions.filter(pl.col("hazard") == "forced_labour")["key"])
    assert set(line["rows"]["keys"]) <= keys  # type: ignore[index]


def test_engagement_ranks_by_contribution_and_asks_three_questions() -> None:
    found = screened(ALL)
    asked = engagement.engagement(
        found, judgements(), {"CHN": "China", "BGD": "Bangladesh", "IND": "India"}, {"14": "apparel"}
    )
    first = asked.filter((pl.col("hazard") == "forced_labour") & (pl.col("rank") == 1))
    top = found.contributions.filter((pl.col("hazard") == "forced_labour") & (pl.col("dimension") == "issuer"))["key"][
        0
    ]
    assert first["issuer"].unique().to_list() == [top]
    assert first["question_rank"].to_list() == [1, 2, 3]
    assert first["reduces"].is_sorted(descending=True)
    assert asked["text"].null_count() == 0
    assert "Nobody" not in asked["name"].to_list(), "an issuer without any exposure has no presence to reduce"


def test_a_question_on_a_place_is_worth_the_spread_of_where_it_may_be() -> None:
    found = screened(ALL)
    asked = engagement.engagement(found, judgements(), {}, {})
    row = asked.filter((pl.col("question") == "tier_2") & (pl.col("hazard") == "forced_labour")).row(0, named=True)
    tier = found.tiers.filter((pl.col("issuer") == row["issuer"]) & (pl.col("tier") == 2)).row(0, named=True)
    p = one(found, str(row["name"]))["forced_labour_inherent_p50"]
    assert row["reduces"] == pytest.approx((1 - float(str(p))) * tier["forced_labour_spread"], abs=1e-9)
