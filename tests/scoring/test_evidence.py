"""Evidence: worked values, the laws as properties, and equality of the engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from vigilance import rules
from vigilance.rules import Judgements
from vigilance.scoring.evidence import COLUMNS, Evidence, lines, table
from vigilance.scoring.evidence_columns import spellings

ON = date(2026, 11, 1)
FEW = settings(max_examples=25, deadline=None)

AUDITS = {
    "_supplier_id": pl.String,
    "_audited_on": pl.Date,
    "_kind": pl.String,
    "_notice": pl.String,
    "_person_days": pl.Float64,
    "_offsite_interviews": pl.Int64,
    "_auditor": pl.String,
    "_paid_by": pl.String,
    "_grade": pl.String,
    "_in_season": pl.Boolean,
}
FINDINGS = {
    "_supplier_id": pl.String,
    "_audited_on": pl.Date,
    "_topic": pl.String,
    "_severity": pl.String,
    "_status": pl.String,
    "_found_on": pl.Date,
    "_closed_on": pl.Date,
}
GRIEVANCES = {
    "_incident_id": pl.String,
    "_supplier_id": pl.String,
    "_zone": pl.String,
    "_received_on": pl.Date,
    "_channel": pl.String,
    "_indicator": pl.String,
    "_substantiated": pl.Boolean,
}
EVENTS = {
    "_event_id": pl.String,
    "_place_kind": pl.String,
    "_place": pl.String,
    "_occurred_on": pl.Date,
    "_known_on": pl.Date,
    "_kind": pl.String,
    "_source": pl.String,
    "_proven": pl.Boolean,
}
MATCHES = {
    "_list": pl.String,
    "_supplier_id": pl.String,
    "_confidence": pl.Float64,
    "_decision": pl.String,
    "_since": pl.Date,
    "_until": pl.Date,
}
SITES = pl.DataFrame(
    {
        "_supplier_id": ["A", "B", "C"],
        "_workers": [100.0, None, 2000.0],
        "_tier": [1, 2, 0],
        "_zone": ["Z1", "Z1", None],
        "_iso3": ["BGD", "BGD", "FRA"],
        "_parent_company": ["Acme Ltd", None, None],
    },
    schema_overrides={"_tier": pl.Int8},
)

Wrap = Callable[[pl.DataFrame], Any]


def on_polars(frame: pl.DataFrame) -> Any:
    return nw.from_native(frame.lazy())


def on_duckdb(frame: pl.DataFrame) -> Any:
    return nw.from_native(duckdb.from_arrow(frame.to_arrow()))


@cache
def judgements() -> Judgements:
    return rules.load().in_force(ON)


def frame(schema: dict[str, Any], rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def evidence(wrap: Wrap = on_polars, **rows: list[dict[str, Any]]) -> Evidence:
    schemas = {
        "audits": AUDITS,
        "findings": FINDINGS,
        "grievances": GRIEVANCES,
        "events": EVENTS,
        "matches": MATCHES,
    }
    return Evidence(**{name: wrap(frame(schemas[name], given)) for name, given in rows.items()})


def collected(lazy: Any) -> pl.DataFrame:
    return pl.from_arrow(lazy.collect().to_arrow())  # type: ignore[return-value]


def assessed(known: Evidence, wrap: Wrap = on_polars, on: date = ON) -> pl.DataFrame:
    return collected(table(wrap(SITES), known, judgements(), on)).sort("_supplier_id")


def site(known: Evidence, which: str = "A", on: date = ON) -> dict[str, Any]:
    found = assessed(known, on=on).filter(pl.col("_supplier_id") == which)
    if found.is_empty():
        blank = {column: 0.0 for column in COLUMNS}
        return {
            **blank,
            **{f"{h}_{w}": False for h in ("forced_labour", "child_labour") for w in ("confirmed", "listed")},
        }
    return found.row(0, named=True)


def shift(hazard: str = "forced_labour", which: str = "A", on: date = ON, **rows: list[dict[str, Any]]) -> float:
    return float(site(evidence(**rows), which, on)[f"{hazard}_shift"])


def audit(days_ago: int = 0, notice: str | None = "semi_announced", who: str = "A", **more: Any) -> dict[str, Any]:
    return {"_supplier_id": who, "_audited_on": ON - timedelta(days=days_ago), "_notice": notice, **more}


def finding(days_ago: int = 0, topic: str = "forced_labour", who: str = "A", **more: Any) -> dict[str, Any]:
    day = ON - timedelta(days=days_ago)
    return {
        "_supplier_id": who,
        "_audited_on": day,
        "_topic": topic,
        **{"_severity": "major", "_status": "open"},
        **more,
    }


def ticket(days_ago: int = 0, number: str = "g1", **more: Any) -> dict[str, Any]:
    said = {"_supplier_id": "A", "_indicator": "debt bondage", "_received_on": ON - timedelta(days=days_ago)}
    return {"_incident_id": number, **said, **more}


def event(
    days_ago: int = 0, number: str = "e1", place_kind: str = "site", place: str = "A", **more: Any
) -> dict[str, Any]:
    day = ON - timedelta(days=days_ago)
    said = {"_place_kind": place_kind, "_place": place, "_occurred_on": day, "_known_on": day}
    return {"_event_id": number, **said, "_kind": "press", "_proven": True, "_source": "a newspaper", **more}


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


# -- laws -------------------------------------------------------------------------------------------------------------

ages = st.integers(0, 3000)
notices = st.sampled_from(["announced", "semi_announced", "unannounced", None])
audit_rows = st.builds(
    lambda age, notice, auditor, days, offsite, paid, season: audit(
        age, notice, _auditor=auditor, _person_days=days, _offsite_interviews=offsite, _paid_by=paid, _in_season=season
    ),
    ages,
    notices,
    st.sampled_from(["X", "Y", None]),
    st.sampled_from([0.0, 0.5, 1.0, 4.0, None]),
    st.sampled_from([0, 5, None]),
    st.sampled_from(["supplier", "buyer", None]),
    st.sampled_from([True, False, None]),
)
topic_words = st.sampled_from(
    ["forced_labour", "PA 8", "Working hours", "retention of identity documents", "Fire", "4"]
)
finding_rows = st.builds(
    lambda age, topic, severity, status, closed: finding(
        age, topic, _severity=severity, _status=status, _closed_on=None if closed is None else ON - timedelta(closed)
    ),
    ages,
    topic_words,
    st.sampled_from(["observation", "minor", "major", "critical", "??", None]),
    st.sampled_from(["open", "closed", "verified", "rejected", None]),
    st.one_of(st.none(), st.integers(-100, 1000)),
)
ticket_rows = st.builds(
    lambda age, number, topic, held: ticket(age, number, _indicator=topic, _substantiated=held),
    ages,
    st.sampled_from(["g1", "g2", "g3"]),
    topic_words,
    st.sampled_from([True, False, None]),
)
event_rows = st.builds(
    lambda age, number, place, kind, proven: event(age, number, *place, _kind=kind, _proven=proven),
    ages,
    st.sampled_from(["e1", "e2", "g1"]),
    st.sampled_from([("site", "A"), ("zone", "Z1"), ("country", "BGD"), ("entity", "acme ltd")]),
    st.sampled_from(["press", "import ban", "school closure", "meteor", None]),
    st.sampled_from([True, False, None]),
)
HAZARDS = ("forced_labour", "child_labour")


def shifts(**rows: list[dict[str, Any]]) -> tuple[float, float]:
    found = site(evidence(**rows))
    return found["forced_labour_shift"], found["child_labour_shift"]


@FEW
@given(st.lists(audit_rows, max_size=4), audit_rows)
def test_a_clean_audit_never_raises(before: list[dict[str, Any]], more: dict[str, Any]) -> None:
    for was, now in zip(shifts(audits=before), shifts(audits=[*before, more]), strict=True):
        assert now <= was


@FEW
@given(st.lists(audit_rows, max_size=6))
def test_a_run_of_clean_audits_stays_above_the_share_that_conceals(run: list[dict[str, Any]]) -> None:
    share = {"unannounced": 0.15, "semi_announced": 0.4}
    floor = math.log(min((share.get(row["_notice"], 0.5) for row in run), default=1.0))
    for value in shifts(audits=run):
        assert floor - 1e-12 <= value <= 0


@FEW
@given(ages, st.sampled_from(["semi_announced", "unannounced"]))
def test_an_announced_clean_audit_moves_less(age: int, notice: str) -> None:
    told = shifts(audits=[audit(age, "announced")])
    for less, more in zip(told, shifts(audits=[audit(age, notice)]), strict=True):
        assert abs(less) <= abs(more)
    assert shifts(audits=[audit(age, None)]) == told


@FEW
@given(st.lists(audit_rows, max_size=3), st.lists(finding_rows, max_size=3), finding_rows, st.booleans())
def test_a_finding_never_lowers(
    audits: list[dict[str, Any]], before: list[dict[str, Any]], more: dict[str, Any], same_day: bool
) -> None:
    if same_day and audits:
        more = {**more, "_audited_on": audits[0]["_audited_on"]}
    was, now = shifts(audits=audits, findings=before), shifts(audits=audits, findings=[*before, more])
    assert now[0] >= was[0]
    assert now[1] >= was[1]


@FEW
@given(st.lists(ticket_rows, max_size=3), ticket_rows)
def test_a_ticket_never_lowers(before: list[dict[str, Any]], more: dict[str, Any]) -> None:
    was, now = shifts(grievances=before), shifts(grievances=[*before, more])
    assert now[0] >= was[0]
    assert now[1] >= was[1]


@FEW
@given(
    st.lists(audit_rows, max_size=3),
    st.lists(finding_rows, max_size=3),
    st.lists(ticket_rows, max_size=3),
    st.lists(event_rows, max_size=3),
)
def test_duplicates_count_once_and_order_changes_nothing(
    audits: list[dict[str, Any]],
    findings: list[dict[str, Any]],
    tickets: list[dict[str, Any]],
    events: list[dict[str, Any]],
) -> None:
    once = evidence(audits=audits, findings=findings, grievances=tickets, events=events)
    twice = evidence(
        audits=[*audits[::-1], *audits],
        findings=[*findings[::-1], *findings],
        grievances=[*tickets, *tickets[::-1]],
        events=[*events, *events[::-1]],
    )
    columns = [column for column in COLUMNS if column != "evidence_incidents"]
    assert_frame_equal(assessed(once).select(columns), assessed(twice).select(columns), check_exact=True)


@FEW
@given(st.integers(1, 500), st.integers(0, 400))
def test_nothing_dated_after_counts(ahead: int, before: int) -> None:
    late = -ahead
    rows = {
        "audits": [audit(late)],
        "findings": [finding(late), finding(before, _found_on=ON + timedelta(ahead))],
        "grievances": [ticket(late)],
        "events": [event(late), event(before, "e2", _known_on=ON + timedelta(ahead))],
        "matches": [{"_list": "uflpa", "_supplier_id": "A", "_confidence": 1.0, "_since": ON + timedelta(ahead)}],
    }
    assert assessed(evidence(**rows)).is_empty()
    assert not assessed(evidence(**rows), on=ON + timedelta(days=ahead)).is_empty()


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


@FEW
@given(
    st.lists(audit_rows, max_size=4),
    st.lists(finding_rows, max_size=4),
    st.lists(ticket_rows, max_size=3),
    st.lists(event_rows, max_size=4),
)
def test_engines_agree_and_lines_multiply_to_the_shift(
    audits: list[dict[str, Any]],
    findings: list[dict[str, Any]],
    tickets: list[dict[str, Any]],
    events: list[dict[str, Any]],
) -> None:
    rows = {
        "audits": [*audits, audit(9, who="C")],
        "findings": findings,
        "grievances": [*tickets, ticket(5, "z", _supplier_id=None, _zone="Z1")],
        "events": events,
        "matches": [{"_list": "uflpa", "_supplier_id": "C", "_confidence": 0.3}],
    }
    wide, long = {}, {}
    for engine in (on_polars, on_duckdb):
        known = evidence(engine, **rows)
        wide[engine] = assessed(known, engine)
        told = collected(lines(engine(SITES), known, judgements(), ON))
        long[engine] = told.sort("supplier_id", "hazard", "factor", "since", "ratio")
    assert_frame_equal(wide[on_polars], wide[on_duckdb], abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False)
    assert_frame_equal(long[on_polars], long[on_duckdb], abs_tol=1e-12, rel_tol=1e-12)
    products = long[on_polars].group_by("supplier_id", "hazard").agg(pl.col("ratio").product())
    for who, hazard, product in products.iter_rows():
        shifted = wide[on_polars].filter(pl.col("_supplier_id") == who)[f"{hazard}_shift"]
        assert product == pytest.approx(math.exp(shifted.item() if len(shifted) else 0.0), rel=1e-9)
    assert (long[on_polars]["low"] <= long[on_polars]["ratio"]).all()
    assert (long[on_polars]["ratio"] <= long[on_polars]["high"]).all()


def test_dates_of_lines_are_mondays_and_no_text_of_a_ticket_is_read() -> None:
    known = evidence(grievances=[ticket(2)], audits=[audit(3)])
    told = collected(lines(on_polars(SITES), known, judgements(), ON))
    assert {date.fromisoformat(day).isoweekday() for day in told["since"]} == {1}
    assert set(told["source"]) == {"grievances", "audits"}


def test_every_spelling_of_the_vocabulary_means_one_word() -> None:
    coding = judgements().words("evidence.vocabulary.coding")
    for block in ("topics", "severity", "status", "kinds"):
        assert spellings(coding[block])
    with pytest.raises(ValueError, match="means both"):
        spellings({"a": ["x"], "b": ["X."]})


def test_rules_name_only_topics_of_the_vocabulary() -> None:
    known = set(judgements().words("evidence.vocabulary.coding.topics"))
    used = {
        path.rsplit(".", 1)[1]
        for part in ("strength", "marker")
        for path in judgements().under(f"evidence.findings.{part}")
    }
    assert used <= known
