"""The laws of a screening: one issuer, split positions, order, weights, levels, tiers, measures and suppliers."""

from __future__ import annotations

import itertools
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.portfolio import company, issuers, screen, view
from vigilance.portfolio.inputs import MEASURES
from vigilance.terms import HAZARDS

from .world import Facts, judgements, positions, score, screened, small_world

APPAREL = {
    "name": "Mode SA",
    "isin": "FR0000121014",
    "country": "France",
    "activity": "Consumer Discretionary",
    "weight": "40",
}
TECH = {
    "name": "Chip Inc",
    "isin": "US0378331005",
    "country": "United States",
    "activity": "Information Technology",
    "weight": "35",
}
BANK = {"name": "Banque", "country": "France", "activity": "Financials", "weight": "20"}
BARE = {"name": "Somebody", "country": "Japan", "weight": "3"}
BLANK = {"name": "Nobody", "weight": "2"}
ALL = [APPAREL, TECH, BANK, BARE, BLANK]


def one(found: screen.Screening, name: str) -> dict[str, object]:
    return found.issuers.filter(pl.col("name") == name).row(0, named=True)


def test_levels_from_sector_down_to_nothing() -> None:
    found = screened(ALL)
    levels = dict(found.issuers.select("name", "exposure_source").iter_rows())
    assert levels == {
        "Mode SA": "sector",
        "Chip Inc": "sector",
        "Banque": "sector",
        "Somebody": "domicile",
        "Nobody": "nothing",
    }
    nobody = one(found, "Nobody")
    assert nobody["forced_labour_inherent_p50"] is None
    assert nobody["forced_labour_inherent_band"] == "not_assessed"
    assert nobody["child_labour_operations_band"] == "not_assessed"


def test_a_sector_is_spread_by_its_footprint_and_home_share() -> None:
    table = one(screened([APPAREL]), "Mode SA")
    home = judgements().value("portfolio.home_share.1")
    # Own operations of apparel: at home, abroad in Bangladesh 5/9 and China 4/9; a cell's risk grows by 1/4 a tier.
    survive = (
        (1 - 0.01 * 1.25) ** home
        * (1 - 0.25 * 1.25) ** ((1 - home) * 5 / 9)
        * (1 - 0.15 * 1.25) ** ((1 - home) * 4 / 9)
    )
    assert table["forced_labour_operations_p50"] == pytest.approx(1 - survive, abs=1e-9)


def test_a_domicile_alone_is_one_cell_of_unknown_tier() -> None:
    assert one(screened([BARE]), "Somebody")["forced_labour_inherent_p50"] == pytest.approx(0.02, abs=1e-9)


def test_an_activity_without_footprint_stays_at_home() -> None:
    table = one(screened([BANK]), "Banque")
    assert table["forced_labour_operations_p50"] == pytest.approx(0.01 * 1.25, abs=1e-9)
    assert table["forced_labour_upstream_p50"] == pytest.approx(0.01 * 1.5, abs=1e-9)


@pytest.mark.parametrize("row", [APPAREL, TECH, BANK, BARE])
def test_a_portfolio_of_one_issuer_equals_that_issuer(row: dict[str, object]) -> None:
    alone = screened([{**row, "weight": "100"}])
    among = screened(ALL)
    own = one(alone, str(row["name"]))
    other = one(among, str(row["name"]))
    for hazard in HAZARDS:
        p = f"{hazard}_inherent_p50"
        assert own[p] == other[p]
        total = alone.contributions.filter((pl.col("hazard") == hazard) & (pl.col("dimension") == "country"))
        assert total["contribution"].sum() == pytest.approx(own[p], abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 0.95), st.integers(0, 3))
def test_splitting_a_position_changes_nothing(part: float, which: int) -> None:
    row = ALL[which]
    whole = float(str(row["weight"]))
    first = round(whole * part, 6)
    split = [
        *ALL[:which],
        {**row, "weight": f"{first:.6f}"},
        {**row, "weight": f"{whole - first:.6f}"},
        *ALL[which + 1 :],
    ]
    before, after = screened(ALL), screened(split)
    kept = [c for c in before.issuers.columns if c != "lines"]
    assert before.issuers.select(kept).equals(after.issuers.select(kept))
    assert before.contributions.equals(after.contributions)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31))
def test_the_order_of_lines_changes_no_digit(seed: int) -> None:
    rows = ALL[:]
    random.Random(seed).shuffle(rows)
    before, after = screened(ALL), screened(rows)
    assert before.issuers.equals(after.issuers)
    assert before.contributions.equals(after.contributions)


def test_contributions_add_up_to_the_same_total_in_every_dimension() -> None:
    found = screened(ALL)
    totals = found.contributions.group_by("hazard", "dimension").agg(pl.col("contribution").sum())
    for hazard in HAZARDS:
        table = found.issuers.drop_nulls(f"{hazard}_inherent_p50")
        whole = (table["weight"] * table[f"{hazard}_inherent_p50"]).sum()
        sums = totals.filter(pl.col("hazard") == hazard)["contribution"].to_list()
        assert len(sums) == 4
        assert sums == pytest.approx([whole] * 4, abs=1e-9)


def test_the_hazards_are_never_merged() -> None:
    seen = str(view.portfolio(positions(ALL), issuers.build(positions(ALL).lines, Facts()), screened(ALL)).keys())
    assert "hazards" in seen
    assert not [c for c in screened(ALL).issuers.columns if c in {"score", "risk", "band", "rating"}]
    assert set(screened(ALL).contributions["hazard"]) == {str(h) for h in HAZARDS}


def declared(*rows: tuple[object, ...]) -> pl.DataFrame:
    schema = dict.fromkeys(("name", "lei", "isin", "country", "activity"), pl.String) | {
        "share": pl.Float64,
        "supplier_file": pl.String,
    }
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    return frame.with_columns(
        _file=pl.lit("issuers.csv"),
        _sheet=pl.lit(""),
        _row=pl.int_range(2, frame.height + 2, eager=True).cast(pl.Int64),
    )


def with_declared(*rows: tuple[object, ...]) -> screen.Screening:
    held = positions(ALL)
    known = issuers.build(held.lines, Facts(), declared=declared(*rows))
    return screen.screen(known, small_world(), judgements(), score)


def test_a_declared_footprint_replaces_the_sector_and_counts_as_known() -> None:
    found = with_declared(
        ("Mode", None, "FR0000121014", "Bangladesh", "14", 0.75, None),
        ("Mode", None, "FR0000121014", "France", "14", None, None),
    )
    table = one(found, "Mode SA")
    assert table["exposure_source"] == "declared"
    assert table["coverage"] == 0.25
    survive = (1 - 0.25 * 1.25) ** 0.75 * (1 - 0.01 * 1.25) ** 0.25
    assert table["forced_labour_operations_p50"] == pytest.approx(1 - survive, abs=1e-9)


def test_a_declared_country_without_activity_takes_the_sector_mix() -> None:
    found = with_declared(("Chip", None, "US0378331005", "China", None, None, None))
    table = one(found, "Chip Inc")
    assert table["exposure_source"] == "declared"
    assert table["forced_labour_operations_p50"] == pytest.approx(0.15 * 1.25, abs=1e-9)


def answers(*rows: tuple[str, str, str | None, str | None]) -> pl.DataFrame:
    texts = dict.fromkeys(("isin", "question", "answer", "proof"), pl.String)
    frame = pl.DataFrame(list(rows), schema=texts, orient="row")
    return frame.with_columns(
        name=pl.lit(None, dtype=pl.String), lei=pl.lit(None, dtype=pl.String), _file=pl.lit("q.csv"), _sheet=pl.lit(""),
        _row=pl.int_range(2, frame.height + 2, eager=True).cast(pl.Int64),
    )  # fmt: skip


def with_answers(*rows: tuple[str, str, str | None, str | None]) -> dict[str, object]:
    held = positions(ALL)
    known = issuers.build(held.lines, Facts(), answers=answers(*rows))
    return one(screen.screen(known, small_world(), judgements(), score), "Mode SA")


ISIN = "FR0000121014"
QUESTIONS = ("k1", "k2", "k3", "c1", "c2", "c3", "t1", "t2", "t3", "m1", "m2", "m3")


def test_not_assessed_is_a_state_of_its_own() -> None:
    table = one(screened(ALL), "Mode SA")
    assert table["residual_state"] == "not_assessed"
    assert table["axis_knowledge_state"] == "not_assessed"
    assert table["forced_labour_residual_p50"] == table["forced_labour_inherent_p50"]
    asked = with_answers((ISIN, "k1", "not_assessed", None))
    assert asked["axis_knowledge_state"] == "not_assessed"


def test_no_credit_for_a_policy_without_proof() -> None:
    only_words = with_answers(*((ISIN, q, "yes", "declared") for q in ("c1", "c2", "c3")))
    assert only_words["axis_commitment"] == 0.0
    assert only_words["forced_labour_gap"] == 0.0
    unproven = with_answers(*((ISIN, q, "yes", None) for q in QUESTIONS))
    assert unproven["effort"] == 0.0
    assert unproven["residual_state"] == "nothing_proven"
    policy = with_answers(*((ISIN, q, "yes", "confirmed") for q in ("c1", "c2", "c3")))
    assert policy["axis_commitment"] == 1.0
    assert policy["forced_labour_gap"] == 0.0, "a proven policy without any measure takes nothing off"


def test_proven_measures_take_off_what_the_rules_say() -> None:
    full = with_answers(*((ISIN, q, "yes", "confirmed") for q in QUESTIONS))
    assert full["effort"] == pytest.approx(1.0)
    j = judgements()
    table = screened(ALL).tiers.filter(pl.col("issuer") == "isin:FR0000121014")
    left = sum(
        row["forced_labour_p50"] * (1 - j.value(f"measures.effect.{row['tier']}"))
        for row in table.iter_rows(named=True)
    )
    assert full["forced_labour_residual_p50"] == pytest.approx(1 - 2.718281828459045**-left, abs=1e-9)


def test_more_proof_never_raises_the_residual() -> None:
    residuals = [
        with_answers(*((ISIN, q, "yes", proof) for q in QUESTIONS))["forced_labour_residual_p50"]
        for proof in (None, "declared", "documented", "confirmed")
    ]
    assert residuals == sorted(residuals, reverse=True)
    assert residuals[0] > residuals[-1]


def test_an_answer_twice_counts_at_its_lower_value() -> None:
    twice = with_answers((ISIN, "m1", "yes", "confirmed"), (ISIN, "m1", "no", "documented"))
    assert twice["axis_measures"] == 0.0


def test_an_unknown_question_and_answer_are_named() -> None:
    rows = answers((ISIN, "z9", "yes", "confirmed"), (ISIN, "m1", "perhaps", "confirmed")).with_columns(
        issuer=pl.lit("x")
    )
    _axes, problems = company.assess(rows, judgements())
    assert sorted(problems["code"].to_list()) == ["answer_unclear", "question_unknown"]


def sites(*rows: tuple[str, str | None, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [(site, issuer, "BGD", "14", 1, *([p] * 8)) for site, issuer, p in rows], schema=screen.SITES, orient="row"
    )


def with_suppliers(rows: pl.DataFrame, links: pl.DataFrame | None = None) -> screen.Screening:
    held = positions(ALL)
    return screen.screen(
        issuers.build(held.lines, Facts()), small_world(), judgements(), score, sites=rows, links=links
    )


def test_listed_suppliers_come_first_and_the_rest_stands_for_the_unknown() -> None:
    bare = one(screened(ALL), "Mode SA")
    found = with_suppliers(sites(("S1", "isin:FR0000121014", 0.9)))
    table = one(found, "Mode SA")
    assert table["exposure_source"] == "supplier_file"
    assert table["known_suppliers"] == pytest.approx(judgements().value("portfolio.listed_share"))
    assert table["forced_labour_inherent_p50"] > bare["forced_labour_inherent_p50"]
    assert table["forced_labour_operations_p50"] == bare["forced_labour_operations_p50"]
    assert table["coverage"] > bare["coverage"]
    others = found.issuers.filter(pl.col("name") != "Mode SA")
    assert others.equals(screened(ALL).issuers.filter(pl.col("name") != "Mode SA").select(others.columns))


def test_a_riskier_supplier_never_lowers_and_contributions_still_add_up() -> None:
    last = 0.0
    for p in (0.0, 0.2, 0.6, 0.95):
        found = with_suppliers(sites(("S1", "isin:FR0000121014", p), ("S2", "isin:FR0000121014", 0.1)))
        now = float(str(one(found, "Mode SA")["forced_labour_inherent_p50"]))
        assert now >= last
        last = now
        sums = (
            found.contributions.filter(pl.col("hazard") == "forced_labour")
            .group_by("dimension")
            .agg(pl.col("contribution").sum())
        )
        assert sums["contribution"].to_list() == pytest.approx([sums["contribution"][0]] * 4, abs=1e-9)


def test_links_name_buyers_by_isin_and_reach_deeper_sites() -> None:
    links = pl.DataFrame(
        [("FR0000121014", "S1", 0.5), ("S1", "S2", 1.0)], schema=["buyer_id", "supplier_id", "share"], orient="row"
    )
    rows = sites(("S1", None, 0.1), ("S2", None, 0.8))
    found = with_suppliers(rows, links)
    table = one(found, "Mode SA")
    assert table["known_suppliers"] == pytest.approx(0.5)
    assert found.chains is not None
    s1, s2 = (found.chains.nodes.filter(pl.col("id") == site) for site in ("S1", "S2"))
    assert s1["forced_labour_p50_upstream"].item() == pytest.approx(s2["forced_labour_p50_chain"].item(), abs=1e-9)
    assert s2["forced_labour_p50_chain"].item() > 0.8


def test_a_buyer_is_found_by_its_plain_name_and_an_unknown_one_is_named() -> None:
    rows = [("MODE S.A.", "S1", 0.5), ("Nobody At All", "S1", 0.5)]
    links = pl.DataFrame(rows, schema=["buyer_id", "supplier_id", "share"], orient="row")
    found = with_suppliers(sites(("S1", None, 0.1)), links)
    assert one(found, "Mode SA")["known_suppliers"] == pytest.approx(0.5)
    assert found.issues.select("code", "value").rows() == [("link_unknown_buyer", "Nobody At All")]


def test_a_change_is_split_exactly_into_holdings_and_risk() -> None:
    before = screened(ALL).issuers
    now = screened(
        [{**APPAREL, "weight": "10"}, {**TECH, "weight": "80"}, {**BANK, "country": "China", "weight": "10"}]
    ).issuers
    said = view.change(before, now)
    for hazard in HAZARDS:
        p = f"{hazard}_inherent_p50"
        difference = sum((t["weight"] * t[p]).fill_null(0).sum() * sign for t, sign in ((now, 1), (before, -1)))
        assert said[str(hazard)]["total"] == pytest.approx(difference, abs=1e-8)
        assert said[str(hazard)]["holdings"] + said[str(hazard)]["risk"] == pytest.approx(
            said[str(hazard)]["total"], abs=1e-9
        )
    assert said["left"] == ["name:nobody", "name:somebody"]


def test_against_itself_a_portfolio_stands_at_one() -> None:
    said = view.against(screened(ALL), screened(ALL))
    assert said["forced_labour"]["presence"]["inherent"]["ratio"] == 1.0
    assert all(row["difference"] == 0.0 for row in said["child_labour"]["countries"])


def test_every_quantile_is_a_probability_in_order() -> None:
    table = screened(ALL).issuers.drop_nulls("forced_labour_inherent_p50")
    for hazard in HAZARDS:
        q = [table[f"{hazard}_inherent_{name}"] for name in ("p05", "p50", "p80", "p95")]
        assert all((a <= b).all() for a, b in itertools.pairwise(q))
        assert all(x.is_between(0, 1).all() for x in q)
    assert len(MEASURES) == 8
