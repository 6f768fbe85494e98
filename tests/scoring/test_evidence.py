"""Evidence: worked values, overrides and what is no evidence."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from tests.scoring.evidence_rows import ON, assessed, audit, event, evidence, finding, shift, site, ticket


class TestWorkedValues:
    """By hand, from the formulas of the method and the shipped rules."""

    def test_one_clean_semi_announced_audit_today(self) -> None:
        assert shift(audits=[audit()]) == pytest.approx(math.log(0.4 + 0.6 * 0.85 / 0.997), abs=1e-9)

    def test_a_run_decays_and_multiplies(self) -> None:
        run = (0.85 / 0.997) ** 1 * (0.85 / 0.997) ** 0.5
        assert shift(audits=[audit(), audit(730)]) == pytest.approx(math.log(0.4 + 0.6 * run), abs=1e-9)

    def test_notices_shift_the_sensitivity_and_nest_concealment(self) -> None:
        seen = 1 / (1 + math.exp(-(math.log(0.15 / 0.85) + 0.7)))
        told = 1 / (1 + math.exp(-(math.log(0.15 / 0.85) - 0.7)))
        open_, known = (1 - seen) / 0.997, (1 - told) / 0.997
        expected = math.log(0.15 + (0.5 - 0.15) * open_ + 0.5 * open_ * known)
        assert shift(audits=[audit(0, "unannounced"), audit(0, "announced", _audited_on=ON)]) != 0
        mixed = [audit(0, "unannounced"), {**audit(0, "announced"), "_audited_on": ON - timedelta(days=1)}]
        decayed = known ** (2 ** (-1 / 730))
        expected = math.log(0.15 + 0.35 * open_ + 0.5 * open_ * decayed)
        assert shift(audits=mixed) == pytest.approx(expected, abs=1e-9)

    def test_a_finding(self) -> None:
        expected = math.log((0.6 * 0.15 + 0.4 * 0.003) / 0.003)
        assert shift(audits=[audit()], findings=[finding()]) == pytest.approx(expected, abs=1e-9)

    def test_person_days_against_the_table_of_ics(self) -> None:
        # 100 workers need one person-day; two shift logit Se by .5 ln 2.
        seen = 1 / (1 + math.exp(-(math.log(0.15 / 0.85) + 0.5 * math.log(2))))
        expected = math.log(0.4 + 0.6 * (1 - seen) / 0.997)
        assert shift(audits=[audit(_person_days=2.0)]) == pytest.approx(expected, abs=1e-9)

    def test_a_ticket_halves_its_weight_in_a_year(self) -> None:
        assert shift(grievances=[ticket()]) == pytest.approx(math.log(5), abs=1e-9)
        assert shift(grievances=[ticket(365)]) == pytest.approx(math.log(5) / 2, abs=1e-9)

    def test_markers_add_three_tenths_each_and_once(self) -> None:
        rows = [finding(0, "Working hours"), finding(0, "chapter 7"), finding(400, "working hours")]
        assert shift(findings=rows) == pytest.approx(0.6, abs=1e-9)

    def test_intensity_of_a_zone(self) -> None:
        rows = [event(0, "e1", "zone", "Z1"), event(182, "e2", "zone", "Z1")]
        expected = 0.5 * math.log(1 + 0.5 + 0.25)
        assert shift(events=rows) == pytest.approx(expected, abs=1e-9)
        assert shift(which="B", events=rows) == pytest.approx(expected, abs=1e-9)
        assert shift(which="C", events=rows) == 0

    def test_a_region_is_a_zone_too_and_reaches_less(self) -> None:
        rows = [event(0, "e1", "region", "Z1")]
        assert shift(events=rows) == pytest.approx(0.35 * math.log(1 + 0.5), abs=1e-9)

    def test_a_possible_match_with_a_list(self) -> None:
        row = {"_list": "uflpa", "_supplier_id": "A", "_confidence": 0.5}
        assert shift(matches=[row]) == pytest.approx(math.log(1 + 0.5 * 49), abs=1e-9)
        assert shift("child_labour", matches=[row]) == 0

    def test_events_about_a_company_reach_its_sites(self) -> None:
        rows = [event(0, "e1", "entity", " ACME ltd", _kind="ngo report")]
        assert shift(events=rows) == pytest.approx(0.25 * math.log(10), abs=1e-9)
        assert shift(which="B", events=rows) == 0

    def test_an_import_ban_is_about_forced_labour(self) -> None:
        rows = [event(0, _kind="import ban")]
        assert shift(events=rows) == pytest.approx(math.log(50), abs=1e-9)
        assert shift("child_labour", events=rows) == 0


def test_the_table_of_the_docs_is_true() -> None:
    text = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
    told = {
        "one clean audit today, announced": {"audits": [audit(0, "announced")]},
        "one clean audit today, semi-announced": {"audits": [audit()]},
        "one clean audit today, unannounced": {"audits": [audit(0, "unannounced")]},
        "the same with off-site interviews": {"audits": [audit(0, "unannounced", _offsite_interviews=5)]},
        "a specific anonymous ticket": {"grievances": [ticket(), ticket(0, "g2", _indicator="child labour")]},
        "press, not proven, no hazard named": {"events": [event(0, _proven=False)]},
        "three proven field reports in the zone this week": {
            "events": [event(0, f"e{i}", "zone", "Z1", _kind="ngo report") for i in range(3)]
        },
    }
    for name, rows in told.items():
        cells = next(line for line in text.splitlines() if line.startswith(f"| {name} |")).split("|")
        for hazard, cell in zip(("forced_labour", "child_labour"), cells[2:4], strict=True):
            digits = len(cell.strip().partition(".")[2])
            assert math.exp(shift(hazard, **rows)) == pytest.approx(float(cell), abs=0.51 * 10**-digits), (name, hazard)


class TestOverrides:
    @pytest.mark.parametrize(
        ("more", "confirmed"),
        [
            ({"_severity": "critical"}, True),
            ({"_severity": "zero tolerance", "_status": "closed", "_closed_on": date(2026, 1, 1)}, True),
            ({"_severity": "critical", "_status": "verified", "_closed_on": date(2026, 1, 1)}, False),
            ({"_severity": "critical", "_status": "verified", "_closed_on": date(2027, 1, 1)}, True),
            ({"_severity": "critical", "_status": "verified"}, True),
            ({"_severity": "critical", "_status": "rejected"}, False),
            ({"_severity": "major"}, False),
            ({"_severity": "minor", "_status": "confirmed"}, True),
            ({"_severity": "critical", "_topic": "health and safety"}, False),
            ({"_severity": "critical", "_topic": "working hours"}, False),
        ],
    )
    def test_a_confirmed_case_stands_until_remediation_is_verified(self, more: dict[str, Any], confirmed: bool) -> None:
        assert site(evidence(findings=[finding(400, **more)]))["forced_labour_confirmed"] is confirmed

    def test_only_a_person_makes_a_match_an_override(self) -> None:
        row = {"_list": "uflpa", "_supplier_id": "A", "_confidence": 1.0}
        assert site(evidence(matches=[row]))["forced_labour_listed"] is False
        assert site(evidence(matches=[{**row, "_decision": "confirmed"}]))["forced_labour_listed"] is True
        left = {**row, "_decision": "confirmed", "_until": date(2026, 1, 1)}
        assert site(evidence(matches=[left]))["forced_labour_listed"] is False
        assert shift(matches=[{**row, "_decision": "rejected"}]) == 0

    def test_a_letter_for_fire_safety_is_not_forced_labour(self) -> None:
        graded = audit(_grade="E")
        assert shift(audits=[graded]) == shift(audits=[audit()])
        assert shift(audits=[audit()], findings=[finding(0, "health and safety", _severity="critical")]) == shift(
            audits=[audit()]
        )

    def test_checked_within_the_window_and_in_season(self) -> None:
        assert site(evidence(audits=[audit(700)]))["forced_labour_checked"] == 1
        assert site(evidence(audits=[audit(800)]))["forced_labour_checked"] == 0
        assert site(evidence(audits=[audit(700, _in_season=False)]))["forced_labour_checked"] == 0
        assert site(evidence(events=[event(9, _kind="ngo report")]))["child_labour_checked"] == 1
        assert site(evidence(events=[event(9)]))["child_labour_checked"] == 0


@pytest.mark.parametrize("ahead", [1, 400])
def test_nothing_dated_after_counts(ahead: int) -> None:
    late, before = -ahead, 30
    rows = {
        "audits": [audit(late)],
        "findings": [finding(late), finding(before, _found_on=ON + timedelta(ahead))],
        "grievances": [ticket(late)],
        "events": [event(late), event(before, "e2", _known_on=ON + timedelta(ahead))],
        "matches": [{"_list": "uflpa", "_supplier_id": "A", "_confidence": 1.0, "_since": ON + timedelta(ahead)}],
    }
    assert assessed(evidence(**rows)).is_empty()
    for name, given_rows in rows.items():
        assert not assessed(evidence(**{name: given_rows}), on=ON + timedelta(days=ahead)).is_empty()


def test_a_history_cut_at_a_date_equals_the_history_known_then() -> None:
    rows = {
        "audits": [audit(d) for d in (900, 400, 20)],
        "findings": [finding(400), finding(10)],
        "events": [event(60)],
    }
    then = ON - timedelta(days=100)
    known = {
        name: [r for r in given if min(v for v in r.values() if isinstance(v, date)) <= then]
        for name, given in rows.items()
    }
    assert_frame_equal(assessed(evidence(**rows), on=then), assessed(evidence(**known), on=then), check_exact=True)


def test_silence_says_nothing() -> None:
    assert assessed(evidence()).is_empty()
    assert assessed(evidence(audits=[], findings=[], grievances=[], events=[], matches=[])).is_empty()
    assert shift(grievances=[ticket(_substantiated=False)]) == 0
    assert shift(grievances=[ticket(_indicator="canteen food")]) == 0
    assert shift(grievances=[ticket(_indicator=None)]) == 0


def test_an_incident_told_in_two_tables_counts_once_at_its_strongest() -> None:
    told = shift(grievances=[ticket(0, "x")], events=[event(0, "x", _kind="government finding", _hazard=None)])
    assert told == pytest.approx(max(math.log(5), 0.5 * math.log(50)), abs=1e-9)


def test_an_incident_is_located_at_its_most_precise_place() -> None:
    rows = [event(0, "x", "country", "BGD"), event(0, "x")]
    assert shift(events=rows) == shift(events=[rows[1]])
    assert shift(which="B", events=rows) == 0


def test_out_of_season_an_audit_sees_nothing() -> None:
    assert shift(audits=[audit(0, "unannounced", _in_season=False)]) == 0


def test_an_unknown_site_moves_nobody() -> None:
    assert assessed(evidence(audits=[audit(who="nobody")], findings=[finding(who="nobody")])).is_empty()
