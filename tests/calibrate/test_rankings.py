"""A ranking that somebody else keeps, held against the country part: by hand, by law, and with bad files."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from vigilance import reference, rules
from vigilance.calibrate import agreement, rankings
from vigilance.calibrate.rankings import Compared, Given, compared
from vigilance.cli.validate import command
from vigilance.errors import InputRefused, UsageError, VigilanceError
from vigilance.terms import Hazard

ON = date(2026, 11, 1)
WIDTH = 80


def alone(count: int) -> np.ndarray:
    return np.ones((1, count))


def test_spearman_by_hand() -> None:
    # Differences of places 1, 1, 1, 1, 0: 1 - 6·4 / (5·24).
    found = agreement.spearman(np.arange(5.0), np.array([2.0, 1.0, 4.0, 3.0, 5.0]), alone(5))
    assert found == pytest.approx([0.8])
    # Places 1, 2.5, 2.5, 4 against 1 to 4: 4.5 / √(4.5 · 5).
    assert agreement.spearman(np.array([1.0, 2, 2, 3]), np.arange(4.0), alone(4)) == pytest.approx([0.948683], abs=1e-6)
    assert np.isnan(agreement.spearman(np.ones(4), np.arange(4.0), alone(4))).all()


def test_inside_regions_by_hand() -> None:
    # Each region in the same order, but the regions the other way round: 1 - 6·54 / (6·35) over all.
    one, other = np.array([1.0, 2, 3, 11, 12, 13]), np.array([11.0, 12, 13, 1, 2, 3])
    assert agreement.spearman(one, other, alone(6)) == pytest.approx([1 - 54 / 35])
    assert agreement.inside(one, other, np.array([0, 0, 0, 1, 1, 1]), alone(6)) == pytest.approx([1.0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=12))
def test_a_country_drawn_twice_counts_twice(rows: list[tuple[int, int, int]]) -> None:
    one, other, times = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    again = np.repeat(np.arange(len(rows)), times.astype(int))
    if not len(again):
        return
    weighed = agreement.spearman(one, other, times[None, :])
    repeated = agreement.spearman(one[again], other[again], alone(len(again)))
    assert weighed == pytest.approx(repeated, nan_ok=True, abs=1e-9)


def test_it_is_the_spearman_of_others() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.integers(0, 20, 60).astype(float), rng.normal(size=60)
    theirs = pl.DataFrame({"a": one, "b": other}).select(pl.corr("a", "b", method="spearman")).item()
    assert agreement.spearman(one, other, alone(60)) == pytest.approx([theirs])


def written(path: Path, values: dict[str, Any], header: str = "country,value") -> Path:
    path.write_text("\n".join([header, *(f"{name},{value}" for name, value in values.items())]) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def held(facts: reference.Facts, judgements: rules.Judgements) -> Any:
    def hold(path: Path, **given_: Any) -> Compared:
        return compared(Given(path, **given_), facts, judgements)

    return hold


def value(found: Compared, predictor: str, name: str = "all") -> float:
    return float(found.results.row(by_predicate=pl.col("predictor") == predictor, named=True)[name])


def test_four_countries_by_hand(tmp_path: Path, held: Any) -> None:
    # The index has Denmark .05, France .13, Qatar .58, Sudan .86; the file puts France above Qatar: 1 - 6·2 / (4·15).
    path = written(tmp_path / "four.csv", {"Danemark": 1, "FRA": 30, "Qatar": 2, "Soudan": 400})
    found = held(path)
    assert value(found, "forced_labour_index") == pytest.approx(0.8)
    assert found.results["all_low"].null_count() == found.results.height
    worse = found.differences.filter(predictor="forced_labour_index", way="worse").row(0, named=True)
    assert (worse["iso3"], worse["ours"], worse["theirs"]) == ("QAT", 2, 3)
    milder = found.differences.filter(predictor="forced_labour_index", way="milder").row(0, named=True)
    assert (milder["iso3"], milder["ours"], milder["theirs"]) == ("FRA", 3, 2)
    assert len(found.absent) == 187 - 4
    assert value(held(path, lower_is_worse=True), "forced_labour_index") == pytest.approx(-0.8)


@pytest.fixture(scope="module")
def some(facts: reference.Facts) -> dict[str, float]:
    """Numbers for the members of the ILO that no order of ours made; some are tied."""
    members = facts.table("countries").filter("ilo_member")["iso3"].to_list()
    drawn = np.random.default_rng(7).integers(1, 60, len(members))
    return dict(zip(members, (drawn / 10).tolist(), strict=True))


def same(found: Compared) -> dict[str, Any]:
    told = rankings.summary(found)
    return {key: told[key] for key in ("ranked", "absent", "unknown", "results", "against", "regions", "differences")}


@pytest.mark.parametrize("change", [lambda x: 3 * x - 40, lambda x: x**3, lambda x: float(np.exp(x / 2)), np.arctan])
def test_a_strictly_increasing_change_of_the_ranking_changes_nothing(
    tmp_path: Path, held: Any, some: dict[str, float], change: Any
) -> None:
    before = held(written(tmp_path / "a.csv", some))
    after = held(written(tmp_path / "b.csv", {code: change(number) for code, number in some.items()}))
    assert same(before) == same(after)
    turned = held(written(tmp_path / "c.csv", {code: -number for code, number in some.items()}), lower_is_worse=True)
    assert same(before) == same(turned)


def test_the_order_of_rows_changes_nothing(tmp_path: Path, held: Any, some: dict[str, float]) -> None:
    rows = list(some.items())
    there, back = (written(tmp_path / f"{i}.csv", dict(part)) for i, part in enumerate((rows, rows[::-1])))
    assert same(held(there)) == same(held(back))


def test_our_own_order_agrees_whole(tmp_path: Path, held: Any, facts: reference.Facts) -> None:
    judgements = rules.load().in_force(ON)
    known = rankings.predictors(facts, judgements)
    for predictor in ("forced_labour_rate", "child_labour_index", rankings.GOVERNANCE):
        own = dict(known.drop_nulls(predictor).select("iso3", predictor).iter_rows())
        found = held(written(tmp_path / f"{predictor}.csv", own))
        assert [value(found, predictor, name) for name in ("all", "all_low", "all_high")] == pytest.approx([1.0] * 3)
        if predictor in rankings.OURS:
            assert value(found, predictor, "inside") == pytest.approx(1.0)
            assert not found.differences.filter(predictor=predictor).height


def test_governance_is_on_the_anchors_of_the_index(facts: reference.Facts, judgements: rules.Judgements) -> None:
    raw = dict(facts.table("country_indicators").filter(iso3="KEN").select("indicator", "value").iter_rows())
    risks = [(2 - raw["rule_of_law_wgi"]) / 4.2, 1 - raw["rule_of_law_vdem"], raw["clientelism"]]
    row = rankings.predictors(facts, judgements).row(by_predicate=pl.col("iso3") == "KEN", named=True)
    assert row[rankings.RULE_OF_LAW] == pytest.approx(risks[0])
    assert row[rankings.GOVERNANCE] == pytest.approx(sum(risks) / 3)


def test_intervals_hold_the_value_and_repeat(tmp_path: Path, held: Any, some: dict[str, float]) -> None:
    path = written(tmp_path / "some.csv", some)
    first, second = held(path), held(path)
    assert first.results.equals(second.results)
    row = first.results.row(0, named=True)
    assert row["all_low"] < row["all"] < row["all_high"]
    assert row["inside_low"] < row["inside"] < row["inside_high"]


def test_what_is_blank_unknown_or_nowhere(tmp_path: Path, held: Any) -> None:
    values = {"France": 1, "India": 2, "Brazil": 3, "Japan": "", "Kenya": "n/a", "Atlantis": 4, "AQ": 5, "IND-": "x"}
    found = held(written(tmp_path / "gaps.csv", values))
    assert found.ranked == 4
    assert found.unknown == ["ATA"]
    assert found.counts["set_aside"] == 2
    assert {"JPN", "KEN"} <= set(found.absent)
    told = found.issues.filter(pl.col("severity") == "error").select("row", "column", "value", "hint").rows()
    assert {row[:3] for row in told} == {(7, "country", "Atlantis"), (9, "country", "IND-"), (9, "value", "x")}
    assert all(hint for *_place, hint in told)


def test_a_workbook_by_sheet_and_header(tmp_path: Path, held: Any) -> None:
    path = tmp_path / "two.xlsx"
    book = xlsxwriter.Workbook(str(path))
    for name, turned in (("Prevalence", 1), ("Rank", -1)):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["Country", "Per thousand"])
        for i, row in enumerate([("Denmark", 0.6), ("France", 2.1), ("Sudan", 4.0)], start=1):
            sheet.write_row(i, 0, [row[0], row[1] * turned])
    book.close()
    mapping = {"value": "Per thousand"}
    assert value(held(path, mapping=mapping, sheet="Prevalence"), "forced_labour_index") == pytest.approx(1.0)
    assert value(held(path, mapping=mapping, sheet="Rank"), "forced_labour_index") == pytest.approx(-1.0)


BAD = {
    "no_number.csv": ("country,year\nFRA,2023\nIND,2023\n", "value"),
    "no_country.csv": ("value,year\n1,2023\n2,2023\n", "country"),
    "empty.csv": ("", "empty"),
    "two.csv": ("country,value\nFRA,1\nIND,2\n", "ranks 2 countries of which anything is known; it takes 3"),
    "alike.csv": ("country,value\nFRA,1\nIND,1\nBRA,1\nKEN,1\n", "has one value for all countries"),
    "words.csv": ("country,value\nFRA,low\nIND,high\nBRA,low\nKEN,high\n", "ranks 0 countries"),
    "twice.csv": ("country,value,value\nFRA,1,2\nIND,2,3\nBRA,3,4\n", "value"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_ranks_nothing_is_refused_and_says_why(tmp_path: Path, held: Any, name: str) -> None:
    text, said = BAD[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=said) as refused:
        held(path)
    assert name in str(refused.value)
    assert refused.value.exit_code == 3


def test_a_panel_says_to_keep_one_row_a_country(tmp_path: Path, held: Any) -> None:
    text = "country,year,value\nFRA,2022,1\nFRA,2023,2\nIND,2023,3\nBRA,2023,4\nKEN,2023,9\nKEN,2023,9\n"
    path = tmp_path / "panel.csv"
    path.write_text(text, encoding="utf-8")
    found = held(path)
    assert found.ranked == 3
    twice = found.issues.filter(code="duplicate_key")
    assert twice["row"].to_list() == [2, 3]
    assert set(twice["value"]) == {"FRA"}
    assert "keep one row of each country" in twice["hint"][0]
    assert found.issues.filter(code="duplicate_identical")["severity"].to_list() == ["warning"]


def validate(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(command, [*map(str, arguments), "--on", ON.isoformat()])
    if result.exception and not isinstance(result.exception, (SystemExit, VigilanceError)):
        raise result.exception
    return result


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_terminal_has_it_at_80_columns(tmp_path: Path, some: dict[str, float], lang: str) -> None:
    path = written(tmp_path / "some.csv", some)
    done = validate("rankings", "--against", path, "--kind", "vulnerability", "--lang", lang)
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
    said = {"en": ("Against a ranking kept by others", "short by"), "fr": ("tenu par d'autres", "il manque")}[lang]
    assert all(text in " ".join(done.stdout.split()) for text in said)
    assert validate("rankings", "--against", path, "--quiet").output == ""


def test_rows_set_aside_are_told_and_exit_with_4(tmp_path: Path) -> None:
    path = written(tmp_path / "gaps.csv", {"France": 1, "India": 2, "Brazil": 3, "Atlantis": 4})
    done = validate("rankings", "--against", path, "--hazard", "child_labour")
    assert done.exit_code == 4
    told = " ".join(done.stderr.split())
    assert "gaps.csv, row 5, country “Atlantis”: not the name of a country → did you mean" in told
    assert "Rows of the file set aside: 1 of 4." in done.stdout
    assert "Child labour, index, worse here" in done.stdout


def test_json_and_report_hold_the_same(tmp_path: Path, some: dict[str, float]) -> None:
    path, out = written(tmp_path / "some.csv", some), tmp_path / "report"
    told = json.loads(validate("rankings", "--against", path, "--kind", "prevalence", "--json").stdout)["rankings"]
    assert (told["file"], told["column"], told["bar"], told["ranked"]) == ("some.csv", "value", 0.62, 187)
    assert len(told["sha256"]) == 64
    assert validate("rankings", "--against", path, "--kind", "prevalence", "--out", out).exit_code == 0
    assert json.loads((out / "validation.json").read_text("utf-8"))["rankings"] == told
    assert "Against a ranking kept by others" in (out / "validation.md").read_text("utf-8")
    assert "Against a ranking kept by others" in (out / "validation.html").read_text("utf-8")
    drawn = (out / "figures" / "rankings.svg").read_text("utf-8")
    assert all(0 < int(size) < 900 for size in re.findall(r'(?:width|height)="(\d+)"', drawn[:300]))
    worst = [row["iso3"] for row in told["differences"] if row["predictor"] == "forced_labour_index"]
    assert len(worst) == 20
    assert all(f">{iso3}</text>" in drawn for iso3 in worst)
    names = {file.name for file in (out / "tables").iterdir()}
    assert names == {f"rankings-{name}.csv" for name in ("results", "against", "regions", "differences", "issues")}


def test_what_belongs_together_is_asked_for_together(tmp_path: Path) -> None:
    path = written(tmp_path / "some.csv", {"FRA": 1, "IND": 2, "BRA": 3})
    for arguments, said in (
        (("rankings",), "needs the ranking"),
        (("coverage", "--against", path), "not among the parts"),
        (("rankings", "--against", path, "--map", "price=x"), "no column 'price'"),
    ):
        done = validate(*arguments)
        assert isinstance(done.exception, UsageError)
        assert said in str(done.exception)
    for missing in ((tmp_path / "nowhere.csv",), (path, "--map", "value=Nowhere")):
        assert isinstance(validate("rankings", "--against", *missing).exception, InputRefused)


def test_a_rate_that_was_not_published_yet_is_left_out(tmp_path: Path, judgements: rules.Judgements) -> None:
    path = written(tmp_path / "three.csv", {"FRA": 1, "IND": 2, "SDN": 3})
    then = compared(Given(path, hazard=Hazard.CHILD_LABOUR), reference.load().in_force(date(2012, 1, 1)), judgements)
    by = dict(then.results.select("predictor", "countries").iter_rows())
    assert (by["forced_labour_index"], by["forced_labour_rate"], by[rankings.RULE_OF_LAW]) == (3, 0, 0)
