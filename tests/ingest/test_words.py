"""Yes and no, tiers, words of a list, dates."""

# ruff: noqa: E501 - lists of names read better unbroken

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from tests.ingest.conftest import codes

from vigilance import terms


def digits(code: int) -> list[int]:
    return [code // 3**k % 3 for k in range(len(terms.FACTORS))]


@pytest.mark.parametrize(
    ("texts", "digit"),
    [
        ("true|TRUE|yes|Yes|oui|OUI|x|X|vrai|1|1.0|Y|✓|o", terms.PRESENT),
        ("false|no|non|Non|faux|0|N|0.0", terms.ABSENT),
        ("|unknown|nd|n.a.|inconnu|?|-|N/A", terms.UNKNOWN),
    ],
)
def test_booleans_in_both_languages(sites: Callable[..., Any], texts: str, digit: int) -> None:
    rows = sites({"seasonal": texts.split("|")}).rows.collect()
    place = terms.FACTORS.index("seasonal")
    assert {digits(code)[place] for code in rows["_factors"]} == {digit}


def test_factors_are_one_code_in_the_order_of_terms(sites: Callable[..., Any]) -> None:
    row = {name: [["no", "yes", ""][k % 3]] for k, name in enumerate(terms.FACTORS)}
    code = sites(row).rows.collect()["_factors"][0]
    assert digits(code) == [k % 3 for k in range(len(terms.FACTORS))]
    assert sites({"name": ["A"]}).rows.collect()["_factors"][0] == terms.ALL_UNKNOWN


def test_what_is_neither_yes_nor_no_is_set_aside(sites: Callable[..., Any]) -> None:
    intake = sites({"seasonal": ["yes", "perhaps"]})
    assert codes(intake) == ["boolean_unreadable"]
    assert intake.counts["loaded"] == 1


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("1", 1), ("T1", 1), ("t2", 2), ("Tier 3", 3), ("tier3", 3), ("rang 2", 2), ("Rang 4", 4), ("2.0", 2), ("2,0", 2),
        ("Tier 3+", 3), ("R1", 1), ("niveau 2", 2), ("", 0), ("unknown", 0), ("1.5", "aside"), ("99", "aside"),
        ("0", "aside"), ("5", "aside"), ("-1", "aside"), ("T1/T2", "aside"), ("two", "aside"), ("T12", "aside"),
    ],
)  # fmt: skip
def test_tiers(column: Callable[..., list[Any]], text: str, tier: Any) -> None:
    assert column("tier", [text]) == [tier]


def audits(sites: Callable[..., Any], **columns: list[str]) -> Any:
    rows = len(next(iter(columns.values())))
    given = {"supplier_id": [f"S{i}" for i in range(rows)], "audited_on": ["2026-01-05"] * rows, **columns}
    return sites(given, "audits")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("2026-02-01|2026-12-31T10:00:00|20260201", [date(2026, 2, 1), date(2026, 12, 31), date(2026, 2, 1)]),
        ("13/02/2026|01/02/2026", [date(2026, 2, 13), date(2026, 2, 1)]),
        ("02/13/2026|01/02/2026", [date(2026, 2, 13), date(2026, 1, 2)]),
        ("01/02/2026|03/04/2026", ["aside", "aside"]),
        ("03/03/2026", [date(2026, 3, 3)]),
        ("1er février 2026|3 août 2025|14 déc. 2025", [date(2026, 2, 1), date(2025, 8, 3), date(2025, 12, 14)]),
        ("3 March 2026|March 3, 2026|3-Mar-2026", [date(2026, 3, 3)] * 3),
        ("février 2026|2026|31/02/2026|2026-02-30|soon", ["aside"] * 5),
        ("13.02.2026|13-02-2026", [date(2026, 2, 13)] * 2),
    ],
)
def test_dates_by_the_column(sites: Callable[..., Any], texts: str, expected: list[Any]) -> None:
    intake = audits(sites, audited_on=texts.split("|"))
    rows = intake.rows.collect()
    found = dict(zip(rows["_row"], rows["_audited_on"], strict=True))
    assert [found.get(i, "aside") for i in range(len(expected))] == expected


def test_an_undecided_column_names_both_readings(sites: Callable[..., Any]) -> None:
    intake = audits(sites, audited_on=["01/02/2026"])
    message = intake.issues["message"][0]
    assert "2026-02-01" in message
    assert "2026-01-02" in message


def test_words_of_a_list(sites: Callable[..., Any]) -> None:
    intake = audits(sites, notice=["Unannounced", "semi-annoncé", "announced", "", "by night"])
    assert intake.rows.collect()["_notice"].to_list() == ["unannounced", "semi_announced", "announced", None]
    assert intake.issues.row(0, named=True)["code"] == "word_unknown"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("Tier II|2nd tier|deuxième rang|2e rang|II|rang 2|T-2|Tier_2", 2),
        ("first tier|direct|1er rang|premier rang|T1|1.0|N1", 1),
        ("3+|Rang 3 et plus|tier 3 or more|Tier III", 3),
        ("Tier 1/2|1-2|Tier N|5|0|rang 1 (direct)|I ou II|third party|-1", None),
    ],
)
def test_tiers_in_figures_ordinals_and_roman_numbers(
    sites: Callable[..., Any], texts: str, expected: int | None
) -> None:
    for text in texts.split("|"):
        intake = sites({"tier": [text]})
        assert intake.counts["set_aside"] == (expected is None), text
        assert intake.rows.collect()["_tier"].to_list() == ([] if expected is None else [expected]), text
        assert ("tier_open" in codes(intake)) == (text[-1] == "+" or "plus" in text or "more" in text)


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ("0202-01-01", "date_out_of_range"),
        ("20990101|2226-01-01", "date_out_of_range"),
        ("13/02/2026|02/13/2026", "date_ambiguous"),
        ("44927|45000", "date_unreadable"),
        ("01/02/26|13/02/26", "date_unreadable"),
        ("février 2026|2026|Q1 2026|2026-W05|today", "date_unreadable"),
        ("2026-02-30|31/02/2026|1900-01-00", "date_unreadable"),
    ],
)
def test_what_is_no_certain_day_is_refused(sites: Callable[..., Any], texts: str, code: str) -> None:
    days = texts.split("|")
    row = {
        "event_id": [str(i) for i in range(len(days))],
        "place_kind": ["site"] * len(days),
        "place": ["S1"] * len(days),
    }
    intake = sites({**row, "occurred_on": days}, table="events")
    assert set(codes(intake)) == {code}
    readable = {"20990101", "13/02/2026"}
    assert intake.counts["set_aside"] == len(set(days) - readable)


def test_a_date_without_end_is_a_date(sites: Callable[..., Any]) -> None:
    intake = sites({"list": ["A"], "name": ["B"], "until": ["9999-12-31"]}, table="lists")
    assert not codes(intake)


@pytest.mark.parametrize("text", ["-", "n/a", " ? ", ""])
def test_a_required_cell_that_says_unknown_is_missing(sites: Callable[..., Any], text: str) -> None:
    event = {"event_id": ["1"], "place_kind": ["site"], "place": ["S1"], "occurred_on": [text]}
    measure = {"supplier_id": ["S1"], "pillar": [text], "proof": ["declared"]}
    for table, row in (("events", event), ("measures", measure)):
        intake = sites(row, table=table)
        assert intake.counts["set_aside"] == 1, table
        assert codes(intake) == ["value_missing"], table
