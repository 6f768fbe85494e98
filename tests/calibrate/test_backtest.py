"""The back-test: nothing later leaks in, additions are additions, the bar is read on the right numbers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from vigilance import reference, rules
from vigilance.calibrate import predictors as of
from vigilance.calibrate.backtest import BAR, BOTH, POOLED, Backtest, backtest, headline
from vigilance.calibrate.windows import (
    EVERY,
    GOODS,
    Axes,
    Changed,
    Window,
    axes,
    editions,
    labels,
    windows,
    with_base_rates,
)
from vigilance.errors import UsageError
from vigilance.reference import KNOWN_ON
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS

ON = date(2026, 11, 1)
CUT_OFF = date(2020, 9, 30)
WINDOW = Window(CUT_OFF, date(2022, 9, 28))


@pytest.fixture(scope="module")
def at(everything: reference.Reference, model: Model) -> Axes:
    return axes(everything, model.activities.codes)


def perturbed(frame: pl.DataFrame, name: str, entry: reference.TableEntry, keep_regional: bool) -> pl.DataFrame:
    """Every fact that was not known at the cut-off, changed: numbers moved, flags turned, words rotated."""
    later = pl.lit(False)
    if KNOWN_ON in frame.columns:
        later = (pl.col(KNOWN_ON) > CUT_OFF).fill_null(value=False)
    if keep_regional and name == "global_estimates":
        return frame
    if keep_regional and name == "child_labour_share":
        later = later & (pl.col("level") != "region")
    kinds = entry.columns
    fixed = {KNOWN_ON, "iso3", "year", "edition", "country", "indicator", *entry.key}
    changes = []
    for column, kind in kinds.items():
        if column in fixed:
            continue
        value = pl.col(column)
        other = {
            "number": value * 1.7 + 3,
            "integer": value + 2,
            "boolean": ~value.fill_null(value=False),
            "string": value.shift(1),
            "date": value + timedelta(days=400),
        }[kind]
        # A date of an event that had not come yet is later knowledge of itself, whenever its row was published.
        when = later | ((value > CUT_OFF).fill_null(value=False) if kind == "date" else False)
        changes.append(pl.when(when).then(other).otherwise(value).alias(column))
    return frame.with_columns(changes)


def without_later_rows(frame: pl.DataFrame) -> pl.DataFrame:
    if KNOWN_ON not in frame.columns:
        return frame
    return frame.filter(pl.col(KNOWN_ON).is_null() | (pl.col(KNOWN_ON) <= CUT_OFF))


def predicted(book: reference.Reference, judgements: rules.Judgements, at: Axes, today: Model) -> dict[str, np.ndarray]:
    then = of.known(book, judgements, at, CUT_OFF, today)
    found = {}
    for hazard in HAZARDS:
        for name, scores in of.predictions(then, hazard).items():
            if name not in of.LOOKS_AHEAD:
                found[f"{hazard} {name}"] = np.array(scores)
    return found


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_nothing_later_leaks_in(
    how: str, everything: reference.Reference, judgements: rules.Judgements, at: Axes, model: Model
) -> None:
    tables = {}
    touched = 0
    for name in everything.tables:
        frame = everything.table(name)
        if how == "changed":
            other = perturbed(frame, name, everything.entries[name], keep_regional=True)
        elif name in {"global_estimates", "child_labour_share"}:
            continue
        else:
            other = without_later_rows(frame)
        touched += not other.equals(frame)
        tables[name] = other
    assert touched > 8
    before = predicted(everything, judgements, at, model)
    after = predicted(Changed(everything, tables), judgements, at, model)
    for name in before:
        assert np.array_equal(before[name], after[name]), name


def test_only_the_rate_with_base_rates_knows_the_base_rates(
    everything: reference.Reference, judgements: rules.Judgements, at: Axes, model: Model
) -> None:
    tables = {
        name: perturbed(everything.table(name), name, everything.entries[name], keep_regional=False)
        for name in ("global_estimates", "child_labour_share")
    }
    before = predicted(everything, judgements, at, model)
    after = predicted(Changed(everything, tables), judgements, at, model)
    moved = {name.split()[1] for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {of.CELL, of.ON_TRIAL}


def test_facts_known_then_do_count(
    everything: reference.Reference, judgements: rules.Judgements, at: Axes, model: Model
) -> None:
    tiers = everything.table("trafficking_tiers").with_columns(tier=pl.lit("tier_1"))
    goods = everything.table("goods").filter(pl.col("iso3") != "IND")
    other = Changed(everything, {"trafficking_tiers": tiers, "goods": goods})
    before, after = (predicted(book, judgements, at, model) for book in (everything, other))
    for name in (of.CELL, of.CELL_WITHOUT_BASE, of.NEIGHBOURS, of.LAST_LIST, of.COUNTRY_INDEX, of.TRAFFICKING_TIER):
        assert not np.array_equal(before[f"forced_labour {name}"], after[f"forced_labour {name}"]), name


def test_base_rates_are_known_at_all_times_and_nothing_else_is(everything: reference.Reference) -> None:
    held = with_base_rates(everything).in_force(date(2015, 1, 1))
    plain = everything.in_force(date(2015, 1, 1))
    assert held.table("global_estimates").height == everything.table("global_estimates").height
    assert held.table("goods").equals(plain.table("goods"))
    countries = pl.col("level") == "country"
    assert (
        held.table("child_labour_share").filter(countries).equals(plain.table("child_labour_share").filter(countries))
    )


def test_windows_follow_the_editions(everything: reference.Reference) -> None:
    assert [window.name for window in windows(everything, ON)] == ["2016-2018", "2018-2020", "2020-2022"]
    assert windows(everything, date(2021, 1, 1))[-1].name == "2018-2020"
    with pytest.raises(UsageError, match="only 1 editions"):
        editions(everything, date(2017, 1, 1))


def test_additions_are_new_cells_and_known_cases_are_among_them(everything: reference.Reference, at: Axes) -> None:
    told = labels(everything, at, WINDOW)
    for hazard in HAZARDS:
        assert not (told[hazard].added & told[hazard].ever).any()
        assert (told[hazard].ever | ~told[hazard].listed).all()
    # Garments of Bangladesh were listed for forced labour in 2022, not before.
    country = at.grid.countries.tolist().index("BGD")
    division = at.grid.divisions.tolist().index("14")
    assert told[HAZARDS[0]].added[country, division]


def test_a_list_says_nothing_of_its_maker_and_goods_are_made_by_some_divisions(at: Axes) -> None:
    assert not at.members[at.grid.countries.tolist().index("USA")]
    codes = set(at.grid.divisions[at.goods].tolist())
    assert {"01", "07", "14", "33"} <= codes
    assert not codes & {"00", "35", "47", "96"}
    assert at.cells(GOODS).sum() < at.cells(EVERY).sum()


def test_a_cell_never_counts_for_itself(
    everything: reference.Reference, judgements: rules.Judgements, at: Axes, model: Model
) -> None:
    then = of.known(everything, judgements, at, CUT_OFF, model)
    hazard = HAZARDS[1]
    country, division = (int(axis[0]) for axis in np.nonzero(then.listed[hazard]))
    flipped = {h: flags.copy() for h, flags in then.listed.items()}
    flipped[hazard][country, division] = False
    other = of.Known(then.at, then.facts, then.then, then.today, flipped)
    one, two = (of.neighbourhood(known, hazard) for known in (then, other))
    for name in one:
        assert one[name][country, division] == two[name][country, division], name


def test_the_headline_reads_the_bar(found: Backtest) -> None:
    told = headline(found)
    assert told["bar"] == BAR == 0.85
    assert told["additions"] == found.added.height
    assert told["auc"][of.NEIGHBOURS] >= BAR
    for name, auc in told["auc"].items():
        assert told["short_by"][name] == pytest.approx(max(0.0, BAR - auc), abs=1e-6)


def test_every_predictor_is_scored_with_an_interval(found: Backtest) -> None:
    pooled = found.results.filter(pl.col("window") == POOLED, pl.col("scope") == GOODS, pl.col("hazard") == BOTH)
    assert set(pooled["predictor"]) == set(of.PREDICTORS)
    for row in pooled.iter_rows(named=True):
        assert row["auc_low"] < row["auc"] < row["auc_high"]
    assert set(pooled.filter("looks_ahead")["predictor"]) == set(of.LOOKS_AHEAD)


def test_places_agree_with_the_area_under_the_curve(found: Backtest) -> None:
    """AUC = mean share of cells at risk, other than additions, that stand below an addition (no ties here)."""
    mine = found.added.filter(pl.col("hazard") == "child_labour", pl.col("window") == "2016-2018")
    row = found.results.filter(
        pl.col("hazard") == "child_labour",
        pl.col("window") == "2016-2018",
        pl.col("scope") == GOODS,
        pl.col("predictor") == of.NEIGHBOURS,
    ).row(0, named=True)
    ahead = np.sort(mine[f"place_{of.NEIGHBOURS}"].to_numpy()) - 1 - np.arange(mine.height)
    others = row["at_risk"] - mine.height
    assert row["auc"] == pytest.approx(1 - ahead.mean() / others, abs=2e-4)


def test_groups_cover_all_additions(found: Backtest) -> None:
    for kind in ("region", "income"):
        mine = found.groups.filter(pl.col("kind") == kind)
        assert mine["additions"].sum() <= found.added.height
        assert mine["additions"].sum() >= found.added.height - 3
        few = mine.filter(pl.col("additions") < 3)
        assert few["auc_cell"].null_count() == few.height


@pytest.mark.slow
def test_the_same_facts_give_the_same_numbers(
    found: Backtest, everything: reference.Reference, judgements: rules.Judgements
) -> None:
    again = backtest(everything, judgements, ON, draws=60)
    assert again.results.equals(found.results)
    assert again.against.equals(found.against)


def test_an_earlier_date_knows_fewer_windows(everything: reference.Reference, judgements: rules.Judgements) -> None:
    then = backtest(everything, judgements, date(2019, 3, 1), draws=5)
    assert set(then.results["window"]) == {"2016-2018", POOLED}
    assert then.newest["countries"] == []
