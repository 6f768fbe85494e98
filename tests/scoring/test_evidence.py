"""Evidence: worked values, the laws as properties, and equality of the engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from vigilance import rules
from vigilance.i18n import use
from vigilance.rules import Judgements
from vigilance.scoring.evidence import COLUMNS, Evidence, lines, table
from vigilance.scoring.evidence_columns import numbers, spellings
from vigilance.scoring.evidence_words import label

ON = date(2026, 11, 1)
FEW = settings(max_examples=2, deadline=None)

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
        blank = dict.fromkeys(COLUMNS, 0.0)
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
        "_severity": "major",
        "_status": "open",
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


Rows = list[dict[str, Any]]
Scenario = dict[str, Rows]
"""Tables of rows about site A, its zone Z1, its country BGD and its company."""


def _moved(value: Any, number: int) -> Any:
    own = {"A": f"S{number}", "Z1": f"Z{number}", "BGD": f"C{number}", "acme ltd": f"acme {number}"}
    return own.get(value, value) if isinstance(value, str) else value


def gathered(scenarios: list[Scenario], wrap: Wrap = on_polars) -> tuple[Any, Evidence]:
    """Many scenarios as one list of sites and one set of tables, each with a site, zone and country of its own."""
    rows: Scenario = {name: [] for name in ("audits", "findings", "grievances", "events", "matches")}
    for number, scenario in enumerate(scenarios):
        for name, given_rows in scenario.items():
            for row in given_rows:
                moved = {key: _moved(value, number) for key, value in row.items()}
                for key in ("_incident_id", "_event_id"):
                    if key in moved:
                        moved[key] = f"{number}-{moved[key]}"
                rows[name].append(moved)
    sites = pl.concat(
        SITES.head(1).with_columns(
            _supplier_id=pl.lit(f"S{n}"),
            _zone=pl.lit(f"Z{n}"),
            _iso3=pl.lit(f"C{n}"),
            _parent_company=pl.lit(f"Acme {n}"),
        )
        for n in range(len(scenarios))
    )
    return wrap(sites), evidence(wrap, **rows)


def wide_of(scenarios: list[Scenario], wrap: Wrap = on_polars) -> pl.DataFrame:
    """One row per scenario, in their order; zeros where a site has no evidence."""
    sites, known = gathered(scenarios, wrap)
    order = pl.DataFrame({"_supplier_id": [f"S{n}" for n in range(len(scenarios))]})
    found = collected(table(sites, known, judgements(), ON))
    return order.join(found, on="_supplier_id", how="left", maintain_order="left").with_columns(
        pl.col(pl.Float64, pl.Int64).fill_null(0)
    )


def shifts(scenarios: list[Scenario]) -> list[tuple[float, float]]:
    return wide_of(scenarios).select(f"{hazard}_shift" for hazard in HAZARDS).rows()


def many(scenario: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A dozen cases at once: the fixed cost of a query is paid once for all."""
    return st.lists(scenario, min_size=6, max_size=14)


def few(of: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Rows]:
    return st.lists(of, max_size=4)


@FEW
@given(many(st.tuples(few(audit_rows), audit_rows)))
def test_a_clean_audit_never_raises(cases: list[tuple[Rows, dict[str, Any]]]) -> None:
    was = shifts([{"audits": before} for before, _ in cases])
    now = shifts([{"audits": [*before, more]} for before, more in cases])
    for old, new in zip(was, now, strict=True):
        assert new[0] <= old[0]
        assert new[1] <= old[1]


@FEW
@given(many(st.lists(audit_rows, max_size=6)))
def test_a_run_of_clean_audits_stays_above_the_share_that_conceals(runs: list[Rows]) -> None:
    share = {"unannounced": 0.15, "semi_announced": 0.4}
    for run, values in zip(runs, shifts([{"audits": run} for run in runs]), strict=True):
        floor = math.log(min((share.get(row["_notice"], 0.5) for row in run), default=1.0))
        for value in values:
            assert floor - 1e-12 <= value <= 0


def test_an_announced_clean_audit_moves_less() -> None:
    for age in (0, 100, 2000):
        told, blank, semi, surprise = shifts(
            [{"audits": [audit(age, notice)]} for notice in ("announced", None, "semi_announced", "unannounced")]
        )
        assert told == blank
        for hazard in (0, 1):
            assert 0 > told[hazard] > semi[hazard] > surprise[hazard]


@FEW
@given(many(st.tuples(few(audit_rows), few(finding_rows), finding_rows, st.booleans())))
def test_a_finding_never_lowers(cases: list[tuple[Rows, Rows, dict[str, Any], bool]]) -> None:
    was, now = [], []
    for audits, before, more, same_day in cases:
        day = {"_audited_on": audits[0]["_audited_on"]} if same_day and audits else {}
        was.append({"audits": audits, "findings": before})
        now.append({"audits": audits, "findings": [*before, {**more, **day}]})
    for old, new in zip(shifts(was), shifts(now), strict=True):
        assert new[0] >= old[0]
        assert new[1] >= old[1]


@FEW
@given(many(st.tuples(few(ticket_rows), ticket_rows)))
def test_a_ticket_never_lowers(cases: list[tuple[Rows, dict[str, Any]]]) -> None:
    was = shifts([{"grievances": before} for before, _ in cases])
    now = shifts([{"grievances": [*before, more]} for before, more in cases])
    for old, new in zip(was, now, strict=True):
        assert new[0] >= old[0]
        assert new[1] >= old[1]


everything = st.fixed_dictionaries(
    {
        "audits": few(audit_rows),
        "findings": few(finding_rows),
        "grievances": few(ticket_rows),
        "events": few(event_rows),
    }
)


@FEW
@given(many(everything))
def test_duplicates_count_once_and_order_changes_nothing(cases: list[Scenario]) -> None:
    twice = [{name: [*rows[::-1], *rows] for name, rows in case.items()} for case in cases]
    columns = [column for column in COLUMNS if column != "evidence_incidents"]
    assert_frame_equal(wide_of(cases).select(columns), wide_of(twice).select(columns), check_exact=True)


@FEW
@given(many(everything))
def test_a_site_alone_equals_the_same_site_among_others(cases: list[Scenario]) -> None:
    together = shifts(cases)
    assert shifts(cases[:1]) == together[:1]


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


HISTORY: Scenario = {
    "audits": [audit(9, "unannounced", _auditor="X"), audit(500, None, _auditor="X", _person_days=0.0)],
    "findings": [finding(500), finding(9, "working hours", _severity=None)],
    "grievances": [ticket(), ticket(3), ticket(5, "z", _supplier_id=None, _zone="Z1")],
    "events": [
        event(60),
        event(9, "e2", "zone", "Z1"),
        event(9, "e3", "country", "BGD"),
        event(9, "e4", "entity", "acme ltd"),
    ],
    "matches": [{"_list": "uflpa", "_supplier_id": "A", "_confidence": 0.3}],
}


def test_engines_agree_on_audits() -> None:
    cases: list[Scenario] = [{"audits": HISTORY["audits"]}, {}]
    wide = [wide_of(cases, engine) for engine in (on_polars, on_duckdb)]
    assert wide[0]["forced_labour_shift"][0] < 0
    assert_frame_equal(*wide, abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False)


@pytest.mark.slow  # DuckDB binds the whole query again at each step: seconds for the longer ones
@pytest.mark.parametrize(
    "names", [("audits", "findings"), ("grievances", "matches"), ("events",), tuple(HISTORY)], ids=",".join
)
def test_engines_agree(names: tuple[str, ...]) -> None:
    agree([{name: HISTORY[name] for name in names}, {}])


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(many(everything))
def test_engines_agree_on_anything(cases: list[Scenario]) -> None:
    cases[0]["matches"] = [{"_list": "uflpa", "_supplier_id": "A", "_confidence": 0.3}]
    agree([HISTORY, *cases])


@FEW
@given(many(everything))
def test_lines_multiply_to_the_shift(cases: list[Scenario]) -> None:
    multiply([HISTORY, *cases])


def explained(cases: list[Scenario], wrap: Wrap) -> pl.DataFrame:
    sites, known = gathered(cases, wrap)
    return collected(lines(sites, known, judgements(), ON)).sort("supplier_id", "hazard", "factor", "since", "ratio")


def agree(cases: list[Scenario]) -> None:
    wide = [wide_of(cases, engine) for engine in (on_polars, on_duckdb)]
    assert_frame_equal(*wide, abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False)
    long = [explained(cases, engine) for engine in (on_polars, on_duckdb)]
    assert_frame_equal(*long, abs_tol=1e-12, rel_tol=1e-12)
    assert not long[0].is_empty()


def multiply(cases: list[Scenario]) -> None:
    wide, found = wide_of(cases), explained(cases, on_polars)
    products = {
        (who, hazard): product
        for who, hazard, product in found.group_by("supplier_id", "hazard").agg(pl.col("ratio").product()).iter_rows()
    }
    for row in wide.iter_rows(named=True):
        for hazard in HAZARDS:
            expected = math.exp(row[f"{hazard}_shift"])
            assert products.get((row["_supplier_id"], hazard), 1.0) == pytest.approx(expected, rel=1e-9)
    assert found.filter((pl.col("low") > pl.col("ratio")) | (pl.col("ratio") > pl.col("high"))).is_empty()


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


def test_every_factor_has_words_in_both_languages() -> None:
    factors = set(explained([HISTORY], on_polars)["factor"])
    factors |= {
        f"finding:{topic}" for h in HAZARDS for topic in numbers(f"evidence.findings.strength.{h}", judgements())
    }
    factors |= {f"marker:{topic}" for topic in numbers("evidence.findings.marker.forced_labour", judgements())}
    for factor in factors:
        english = label(factor)
        with use("fr"):
            french = label(factor)
        assert "_" not in english + french
        assert english != factor or factor == "grievance"
        assert english != french
    assert label("something new") == "something new"
