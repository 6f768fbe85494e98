"""The country index: a case worked by hand, its laws as properties, and its sense on the shipped facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import reference, rules
from vigilance.scoring.country import READS, CountryFacts, country_index, gather, index_of, years_before
from vigilance.scoring.country_rules import CountryRules, read_rules
from vigilance.terms import HAZARDS

ON = date(2026, 11, 1)
STATUSES = ("not_ratified", "ratified", "in_force", "denounced")
CONVENTIONS = ("C029", "C105", "C138", "C182", "P029")
GULF = ("ARE", "BHR", "KWT", "OMN", "QAT", "SAU")
WORST = ("AFG", "CAF", "COD", "ERI", "LBY", "MMR", "PRK", "SOM", "SSD", "SYR", "TKM", "YEM", "MRT")
NORDIC = ("DNK", "FIN", "ISL", "NOR", "SWE")
EU = (
    *("AUT", "BEL", "BGR", "HRV", "CYP", "CZE", "DNK", "EST", "FIN", "FRA", "DEU", "GRC", "HUN", "IRL"),
    *("ITA", "LVA", "LTU", "LUX", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "ESP", "SWE"),
)


@cache
def book() -> rules.Rulebook:
    return rules.load()


@cache
def facts_book() -> reference.Reference:
    return reference.load()


@cache
def the_rules() -> CountryRules:
    return read_rules(book().in_force(ON))


@cache
def given_facts() -> CountryFacts:
    return gather(facts_book().in_force(ON), the_rules())


@cache
def shipped(on: date = ON) -> pl.DataFrame:
    return country_index(facts_book().in_force(on), book().in_force(on)).to_native()


def indexed(facts: CountryFacts) -> pl.DataFrame:
    return index_of(facts, the_rules()).to_native()


def native(facts: CountryFacts, table: str) -> pl.DataFrame:
    return facts.tables[table].collect().to_native()


def with_table(facts: CountryFacts, table: str, frame: pl.DataFrame) -> CountryFacts:
    return replace(facts, tables={**facts.tables, table: nw.from_native(frame).lazy()})


def with_statuses(facts: CountryFacts, *frames: pl.DataFrame) -> CountryFacts:
    return replace(facts, statuses=tuple(nw.from_native(frame).lazy() for frame in frames))


def empty() -> CountryFacts:
    """Two countries of one region of which nothing is known yet."""
    facts = given_facts()
    for table in READS:
        if table == "countries":
            kept = native(facts, table).filter(pl.col("iso3").is_in(["IND", "NPL"]))
            facts = with_table(facts, table, kept)
        elif table != "conventions":
            facts = with_table(facts, table, native(facts, table).clear())
    frames = [
        frame.collect().to_native().filter(pl.col("iso3").is_in(["IND", "NPL"])).with_columns(status=pl.lit("in_force"))
        for frame in facts.statuses
    ]
    return with_statuses(facts, *frames)


def indicators(**values: dict[str, float]) -> pl.DataFrame:
    rows = [(iso3, name, value) for iso3, each in values.items() for name, value in each.items()]
    return pl.DataFrame(rows, schema={"iso3": pl.String, "indicator": pl.String, "value": pl.Float64}, orient="row")


def tiers(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(iso3, year, tier, True, date(year, 6, 30)) for iso3, year, tier in rows],
        schema={
            "iso3": pl.String,
            "year": pl.Int64,
            "tier": pl.String,
            "complete_year": pl.Boolean,
            "known_on": pl.Date,
        },
        orient="row",
    )


def of(frame: pl.DataFrame, iso3: str) -> dict[str, Any]:
    return frame.row(by_predicate=pl.col("iso3") == iso3, named=True)


# -- worked by hand ---------------------------------------------------------------------------------------------------


def test_the_index_worked_by_hand() -> None:
    values = {"rule_of_law_wgi": -0.1, "rule_of_law_vdem": 0.5, "freedom_from_forced_labour": 0.5}
    row = of(indexed(with_table(empty(), "country_indicators", indicators(IND=values))), "IND")
    # Process: WGI (2 + .1) / 4.2 = .5, V-Dem (1 - .5) / 1 = .5; their mean .5. Known weight .22 + .12 = .34 of 1.
    # It leans to the prior .4 with .2 x (1 - .34) = .132: (.34 x .5 + .132 x .4) / (.34 + .132) = .472034.
    process = (0.34 * 0.5 + 0.132 * 0.4) / 0.472
    # Outcome: (.95 - .5) / .9 = .5 with weight .34 known, so the same lean.
    outcome = (0.34 * 0.5 + 0.132 * 0.4) / 0.472
    # Structure: no case, no coded law, no change: the gap is what application leaves, 1 - (1 - process).
    structure = process
    index = (0.2 * structure**2 + 0.35 * process**2 + 0.45 * outcome**2) ** 0.5
    assert row["forced_labour_process"] == pytest.approx(process, abs=1e-6)
    assert row["forced_labour_outcome"] == pytest.approx(outcome, abs=1e-6)
    assert row["forced_labour_structure"] == pytest.approx(structure, abs=1e-6)
    assert row["forced_labour_index"] == pytest.approx(index, abs=1e-6)
    # Coverage: .34 of process, on which .55 of the weight stands, and .34 of outcome.
    assert row["forced_labour_coverage"] == pytest.approx(0.34, abs=1e-6)
    # The only known member of its region is its region's mean.
    assert row["forced_labour_index_centred"] == pytest.approx(0.0, abs=1e-6)


def test_nothing_known_is_null_and_as_uncertain_as_can_be() -> None:
    row = of(indexed(empty()), "IND")
    for hazard in HAZARDS:
        assert row[f"{hazard}_index"] is None
        assert row[f"{hazard}_coverage"] == 0.0
        assert row[f"{hazard}_index_centred"] == 0.0
        assert row[f"{hazard}_sd"] == pytest.approx((0.04**2 + 0.2**2) ** 0.5, abs=1e-6)


def test_a_worsening_weighs_more_than_an_improvement_and_needs_a_bound_state() -> None:
    better = with_table(empty(), "trafficking_tiers", tiers(("IND", 2018, "tier_3"), ("IND", 2025, "tier_1")))
    worse = with_table(empty(), "trafficking_tiers", tiers(("IND", 2018, "tier_1"), ("IND", 2025, "tier_3")))
    unbound = with_statuses(
        better, *(f.collect().to_native().with_columns(status=pl.lit("not_ratified")) for f in better.statuses)
    )
    rows = {name: of(indexed(f), "IND") for name, f in {"better": better, "worse": worse, "unbound": unbound}.items()}
    gap = {name: row["forced_labour_process"] for name, row in rows.items()}
    change = gap["worse"] - gap["better"]
    assert change > 0.2
    assert rows["better"]["forced_labour_structure"] == pytest.approx(gap["better"] - 0.15 * change, abs=1e-6)
    assert rows["worse"]["forced_labour_structure"] == pytest.approx(min(1, gap["worse"] + 0.5 * change), abs=1e-6)
    assert rows["unbound"]["forced_labour_structure"] == pytest.approx(gap["better"], abs=1e-6)
    assert rows["better"]["forced_labour_index_5_years_before"] > rows["better"]["forced_labour_index"]


def test_the_tier_is_the_mean_of_three_reports_and_never_of_the_future() -> None:
    rows = [("IND", 2023, "tier_1"), ("IND", 2024, "tier_2"), ("IND", 2025, "tier_3"), ("NPL", 2025, "tier_2")]
    now = with_table(empty(), "trafficking_tiers", tiers(*rows))
    later = with_table(empty(), "trafficking_tiers", tiers(*rows, ("IND", 2027, "tier_3"), ("NPL", 2027, "tier_3")))
    assert indexed(now).equals(indexed(later))
    known, lean = 0.14, 0.2 * 0.86
    mean = (0.1 + 0.4 + 0.95) / 3
    assert of(indexed(now), "IND")["forced_labour_process"] == pytest.approx(
        (known * mean + lean * 0.4) / (known + lean), abs=1e-6
    )


def test_a_series_published_once_invents_no_change() -> None:
    frame = indexed(with_table(empty(), "country_indicators", native(given_facts(), "country_indicators")))
    for hazard in HAZARDS:
        assert frame[f"{hazard}_index"].to_list() == frame[f"{hazard}_index_5_years_before"].to_list()


def test_channels_raise_and_a_programme_that_ended_fades() -> None:
    base = with_table(empty(), "country_indicators", indicators(IND={"rule_of_law_wgi": 1.0, "poverty_685": 20.0}))
    regime = pl.DataFrame({"iso3": ["IND"], "strength": [1.0]})
    columns = {"iso3": ["IND"], "place_kind": ["country"], "isic_division": ["all"], "link": ["direct"]}

    def programme(until: date | None) -> pl.DataFrame:
        return pl.DataFrame({**columns, "until": [until]}, schema_overrides={"until": pl.Date})

    values = [
        of(indexed(facts), "IND")["forced_labour_index"]
        for facts in (
            base,
            with_table(base, "state_imposed", programme(date(2016, 11, 1))),
            with_table(base, "state_imposed", programme(date(2024, 11, 1))),
            with_table(base, "state_imposed", programme(None)),
        )
    ]
    assert values == sorted(set(values))
    assert of(indexed(with_table(base, "sponsorship", regime)), "IND")["forced_labour_index"] > values[0]
    # Where no outcome is known, a faded programme still never lowers the index.
    bare = with_table(empty(), "country_indicators", indicators(IND={"rule_of_law_wgi": -2.0}))
    faint = of(indexed(with_table(bare, "state_imposed", programme(date(2016, 11, 1)))), "IND")
    assert faint["forced_labour_index"] > of(indexed(bare), "IND")["forced_labour_index"]


def test_no_convention_that_everybody_ratified_discriminates() -> None:
    facts = given_facts()
    frames = [f.collect().to_native() for f in facts.statuses]
    without = [
        f.with_columns(status=pl.when(pl.col("convention") == "C182").then(pl.lit("not_ratified")).otherwise("status"))
        for f in frames
    ]
    columns = [f"child_labour_{name}" for name in ("process", "outcome", "coverage")]
    assert indexed(with_statuses(facts, *without)).select(columns).equals(indexed(facts).select(columns))


def test_29_february_has_a_day_five_years_before() -> None:
    assert years_before(date(2024, 2, 29), 5) == date(2019, 2, 28)
    assert years_before(ON, 5) == date(2021, 11, 1)


# -- laws -------------------------------------------------------------------------------------------------------------


@cache
def still() -> CountryFacts:
    """The shipped facts with application held still: one observation per history, no case, no ended programme."""
    facts = given_facts()
    for table in ("trafficking_tiers", "ilab_findings"):
        frame = native(facts, table)
        facts = with_table(facts, table, frame.filter(pl.col("year") == pl.col("year").max().over("iso3")))
    facts = with_table(facts, "state_imposed", native(facts, "state_imposed").filter(pl.col("until").is_null()))
    return with_table(facts, "supervision", native(facts, "supervision").clear())


@given(
    convention=st.sampled_from(CONVENTIONS),
    status=st.sampled_from(("ratified", "in_force")),
    moments=st.integers(1, 3),
)
@settings(max_examples=6, deadline=None)
def test_ratifying_alone_never_lowers_risk(convention: str, status: str, moments: int) -> None:
    """Every State at once: application untouched, a ratification at any time changes no index and no structure."""
    frames = [frame.collect().to_native() for frame in still().statuses]

    def flipped(to: str) -> pl.DataFrame:
        here = pl.when(pl.col("convention") == convention)
        after = [frame.with_columns(status=here.then(pl.lit(to)).otherwise("status")) for frame in frames[:moments]]
        never = here.then(pl.lit("not_ratified")).otherwise("status")
        return indexed(with_statuses(still(), *after, *(f.with_columns(status=never) for f in frames[moments:])))

    without, with_it = flipped("not_ratified"), flipped(status)
    for hazard in HAZARDS:
        for name in ("structure", "index", "index_5_years_before"):
            change = with_it[f"{hazard}_{name}"] - without[f"{hazard}_{name}"]
            assert change.min() >= 0


@given(
    name=st.sampled_from([n for group in ("process", "outcome") for n in the_rules().weights("forced_labour", group)]),
    share=st.floats(0.1, 1.0),
)
@settings(max_examples=6, deadline=None)
def test_a_worse_indicator_never_lowers_the_index(name: str, share: float) -> None:
    scale = the_rules().scales.get(name)
    facts = given_facts()
    if scale is None:
        return
    table = native(facts, "country_indicators")
    moved = pl.col("value") + share * (scale.worst - pl.col("value"))
    worse = table.with_columns(
        value=pl.when((pl.col("indicator") == name) & (moved - pl.col("value") != 0)).then(moved).otherwise("value")
    )
    # Values beyond the worst anchor stay where they are: moving them to it would be an improvement.
    beyond = (pl.col("value") - scale.worst) * (scale.worst - scale.best) > 0
    worse = worse.with_columns(value=pl.when(table.select(beyond).to_series()).then(table["value"]).otherwise("value"))
    before, after = indexed(facts), indexed(with_table(facts, "country_indicators", worse))
    for column in ("forced_labour_process", "forced_labour_outcome", "forced_labour_structure", "forced_labour_index"):
        assert (after[column] - before[column]).min() >= -1e-6


@given(dropped=st.sets(st.sampled_from(sorted(the_rules().indicators)), min_size=1, max_size=8))
@settings(max_examples=6, deadline=None)
def test_knowing_less_never_narrows(dropped: set[str]) -> None:
    facts = given_facts()
    table = native(facts, "country_indicators").filter(~pl.col("indicator").is_in(list(dropped)))
    before, after = indexed(facts), indexed(with_table(facts, "country_indicators", table))
    for hazard in HAZARDS:
        assert (after[f"{hazard}_coverage"] - before[f"{hazard}_coverage"]).max() <= 1e-9
        assert (after[f"{hazard}_sd"] - before[f"{hazard}_sd"]).min() >= -1e-9


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=4, deadline=None)
def test_a_country_depends_on_no_other_and_on_no_order(seed: int) -> None:
    facts = given_facts()
    kept = native(facts, "countries").sample(fraction=0.3, seed=seed, shuffle=True)
    alone = with_table(facts, "countries", kept)
    for table in ("country_indicators", "trafficking_tiers", "ilab_findings", "supervision"):
        alone = with_table(alone, table, native(facts, table).sample(fraction=1.0, seed=seed, shuffle=True))
    columns = [c for c in shipped().columns if not c.endswith("_centred")]
    some = indexed(alone).select(columns)
    assert some.equals(indexed(facts).select(columns).filter(pl.col("iso3").is_in(kept["iso3"].to_list())))


# -- sense on the world -----------------------------------------------------------------------------------------------


def test_one_row_per_country_and_numbers_in_range() -> None:
    frame = shipped()
    assert frame["iso3"].is_unique().all()
    assert frame["iso3"].is_sorted()
    members = native(given_facts(), "countries").filter("ilo_member")["iso3"].to_list()
    assert len(members) == 187
    assert set(members) <= set(frame["iso3"])
    for hazard in HAZARDS:
        for name in ("structure", "process", "outcome", "index", "index_5_years_before", "coverage"):
            values = frame[f"{hazard}_{name}"].drop_nulls()
            assert values.is_between(0, 1).all()
        region = frame.join(native(given_facts(), "countries").select("iso3", "ilo_member"), on="iso3")
        known = region.filter(pl.col("ilo_member") & pl.col(f"{hazard}_index").is_not_null())
        means = known.group_by("ilo_region").agg(pl.col(f"{hazard}_index_centred").mean())
        assert means[f"{hazard}_index_centred"].abs().max() < 1e-5
    assert set(frame.select(c.lower() for c in CONVENTIONS).unpivot()["value"].drop_nulls()) <= set(STATUSES)


def test_the_hardest_places_are_above_every_member_of_the_european_union() -> None:
    index = dict(shipped().select("iso3", "forced_labour_index").iter_rows())
    assert min(index[c] for c in WORST) > max(index[c] for c in EU)
    assert max(index[c] for c in NORDIC) < 0.2
    assert min(index[c] for c in ("RUS", "TUR", "KAZ", "UZB", "TJK", "KGZ", "TKM")) > max(index[c] for c in EU)
    for middle in ("IND", "IDN", "BRA", "ZAF", "MEX", "PHL"):
        assert max(index[c] for c in NORDIC) < index[middle] < min(index[c] for c in WORST)


def test_sponsorship_states_stand_above_their_rule_of_law() -> None:
    governance = native(given_facts(), "country_indicators").filter(pl.col("indicator") == "rule_of_law_wgi")
    both = shipped().join(governance, on="iso3").drop_nulls("forced_labour_index")
    ranks = both.select(
        "iso3",
        by_law=pl.col("value").rank(descending=False),
        by_index=pl.col("forced_labour_index").rank(descending=True),
    )
    for iso3 in GULF:
        row = of(ranks, iso3)
        assert row["by_index"] < row["by_law"] - 40, iso3


def test_few_data_do_not_make_a_closed_state_look_average() -> None:
    frame = shipped()
    middle = frame["forced_labour_index"].median()
    for iso3 in ("PRK", "ERI", "TKM", "LBY", "SYR", "YEM", "AFG"):
        assert of(frame, iso3)["forced_labour_index"] > middle + 0.25, iso3
    assert of(frame, "PRK")["forced_labour_sd"] > of(frame, "IND")["forced_labour_sd"]


def test_childrens_work_is_highest_where_surveys_find_it() -> None:
    index = dict(shipped().select("iso3", "child_labour_index").iter_rows())
    assert min(index[c] for c in ("TCD", "ETH", "NER", "SSD", "COD")) > max(index[c] for c in ("IND", "BRA", "QAT"))
    assert max(index[c] for c in EU) < min(index[c] for c in ("IND", "BGD", "PAK", "NGA"))


def test_china_ratified_in_2022_and_was_not_made_safer_by_it() -> None:
    now, then = of(shipped(), "CHN"), of(shipped(date(2020, 1, 1)), "CHN")
    assert (then["c029"], then["c105"]) == ("not_ratified", "not_ratified")
    assert of(shipped(date(2022, 10, 1)), "CHN")["c029"] == "ratified"
    assert (now["c029"], now["c105"]) == ("in_force", "in_force")
    assert now["forced_labour_structure"] >= then["forced_labour_structure"] - 1e-9
    assert now["forced_labour_index"] >= then["forced_labour_index"] - 1e-9


@pytest.mark.parametrize(
    ("iso3", "convention", "status"),
    [
        ("USA", "c029", "not_ratified"),
        ("USA", "c182", "in_force"),
        ("MYS", "c105", "denounced"),
        ("PRK", "c029", None),
    ],
)
def test_statuses_on_the_date(iso3: str, convention: str, status: str | None) -> None:
    assert of(shipped(), iso3)[convention] == status


# -- documentation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hazard", HAZARDS)
@pytest.mark.parametrize("part", ["process", "outcome"])
def test_the_page_states_every_weight_as_it_is(hazard: str, part: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "country-index.md").read_text(encoding="utf-8")
    section = page.split(f"### {hazard.replace('_', ' ').capitalize()}, {part}\n")[1].split("\n###")[0]
    stated = {
        cells[1].strip().strip("`"): float(cells[2])
        for cells in (line.split("|") for line in section.splitlines() if line.startswith("| `"))
    }
    assert stated == pytest.approx(dict(the_rules().weights(hazard, part)))
    assert sum(stated.values()) == pytest.approx(1.0)


# -- sensitivity ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(p for p in book().paths if p.startswith("country_index.")))
def test_every_number_may_take_any_value_of_its_range(path: str) -> None:
    judgements = book().in_force(ON)
    estimate = judgements.get(path)
    base = shipped()
    for value in {estimate.low, estimate.high}:
        moved = index_of(given_facts(), read_rules(judgements.with_value(path, value))).to_native()
        for hazard in HAZARDS:
            column = f"{hazard}_index"
            assert moved[column].drop_nulls().is_between(0, 1).all()
            assert moved[column].is_null().equals(base[column].is_null())
            both = pl.DataFrame({"a": base[column], "b": moved[column]}).drop_nulls()
            assert both.select(pl.corr("a", "b", method="spearman")).item() > 0.97
