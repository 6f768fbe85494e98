"""Where an incident is that tickets and events tell of differently: worked values, and laws of what moves."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.scoring import evidence_rows
from tests.scoring.evidence_cases import Rows, Scenario, ages, many, shifts, wide_of
from tests.scoring.evidence_rows import (
    ON,
    SITES,
    collected,
    event,
    evidence,
    frame,
    judgements,
    on_duckdb,
    on_polars,
    shift,
    site,
    ticket,
)
from tests.scoring.test_evidence_properties import multiply

from vigilance import evidence as files
from vigilance.scoring.evidence import Evidence, table

LEI = "529900T8BM49AURSDO55"
FEW = settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])
LN5, LN10, LN50 = math.log(5), math.log(10), math.log(50)
AROUND = {
    "zone": ("Z1", 0.5 * math.log(2), True),
    "region": ("R1", 0.35 * math.log(2), True),
    "country": ("BGD", 0.2 * math.log(2), True),
    "entity": (" ACME ltd", 0.25 * LN10, False),
    "entity by LEI": (LEI, 0.25 * LN10, False),
}
"""Kind of place → the place of site A, what a proven field report there says of a hazard, whether B is there too."""
SAME = pytest.approx


@pytest.fixture(autouse=True)
def _sites(monkeypatch: pytest.MonkeyPatch) -> None:
    more = SITES.with_columns(_region=pl.Series(["R1", "R1", None]), _lei=pl.Series([LEI, None, None]))
    monkeypatch.setattr(evidence_rows, "SITES", more)


def report(place_kind: str, place: str, **more: Any) -> dict[str, Any]:
    return {**event(0, "x", place_kind, place, _kind="ngo report"), **more}


def of_zone(days_ago: int = 0, **more: Any) -> dict[str, Any]:
    return ticket(days_ago, "x", _supplier_id=None, _zone="Z1", **more)


def told(rows: Rows, events: Rows) -> list[float]:
    """Forced labour at A and at its neighbour B, then child labour at both."""
    return [
        shift(hazard, who, grievances=rows, events=events)
        for hazard in ("forced_labour", "child_labour")
        for who in ("A", "B")
    ]


class TestWorkedValues:
    """By hand: a ticket 5, a field report that names no hazard 10 at half its weight, ψ·ln(1 + Λ) around."""

    @pytest.mark.parametrize("where", AROUND)
    def test_an_event_moves_to_the_site_of_its_ticket(self, where: str) -> None:
        place, around, shared = AROUND[where]
        event_ = report(where.partition(" ")[0], place)
        # The ticket is about forced labour: the event stays around for child labour.
        expected = [max(LN5, 0.5 * LN10), 0.0, around, around if shared else 0.0]
        assert told([ticket(0, "x")], [event_]) == SAME(expected, abs=1e-9)
        other = [ticket(0, "another")]
        apart = [LN5 + around, around if shared else 0.0, *expected[2:]]
        assert told(other, [event_]) == SAME(apart, abs=1e-9)

    @pytest.mark.parametrize("where", AROUND)
    def test_it_weighs_there_as_an_event_at_a_site(self, where: str) -> None:
        place = AROUND[where][0]
        old = ticket(10 * 365, "x")
        assert told([old], [report(where.partition(" ")[0], place)])[:2] == SAME([0.5 * LN10, 0.0], abs=1e-9)

    def test_a_ticket_of_both_hazards_takes_both(self) -> None:
        rows = [ticket(0, "x"), ticket(0, "x", _indicator="child labour")]
        assert told(rows, [report("zone", "Z1")]) == SAME([LN5, 0, LN5, 0], abs=1e-9)

    def test_an_event_of_the_other_hazard_stays(self) -> None:
        closure = report("zone", "Z1", _kind="school closure")
        around = 0.5 * math.log(2)
        assert told([ticket(0, "x")], [closure]) == SAME([LN5, 0, around, around], abs=1e-9)

    def test_a_ticket_of_a_zone_moves_to_the_site_of_its_event(self) -> None:
        assert told([of_zone()], [report("site", "A")]) == SAME([LN5, 0, 0.5 * LN10, 0], abs=1e-9)

    def test_a_ticket_of_a_zone_moves_to_the_site_of_the_same_ticket(self) -> None:
        rows = [of_zone(), ticket(365, "x")]
        assert [shift(which=who, grievances=rows) for who in "AB"] == SAME([LN5, 0], abs=1e-9)

    @pytest.mark.parametrize("where", ["region", "country"])
    def test_an_event_of_a_country_moves_to_the_zone_of_its_ticket(self, where: str) -> None:
        place, around, _shared = AROUND[where]
        zone = 0.5 * math.log(1 + 1)
        assert told([of_zone()], [report(where, place)]) == SAME([zone, zone, around, around], abs=1e-9)

    def test_a_ticket_of_a_zone_moves_to_the_company_of_its_event(self) -> None:
        for name in (" ACME ltd", LEI):
            expected = [0.5 * LN5, 0, 0.25 * LN10, 0]
            assert told([of_zone()], [report("entity", name)]) == SAME(expected, abs=1e-9)

    def test_both_of_one_zone_count_once_there(self) -> None:
        around = 0.5 * math.log(2)
        assert told([of_zone()], [report("zone", "Z1")]) == SAME([around] * 4, abs=1e-9)

    def test_an_incident_of_several_sites_counts_at_each(self) -> None:
        rows = [ticket(0, "x"), ticket(0, "x", _supplier_id="B")]
        ban = report("country", "BGD", _kind="import ban")
        assert told(rows, [ban]) == SAME([LN50, LN50, 0, 0], abs=1e-9)

    def test_reports_of_two_sites_stay_at_their_own(self) -> None:
        assert told([ticket(0, "x")], [report("site", "B")]) == SAME([LN5, 0.5 * LN10, 0, 0.5 * LN10], abs=1e-9)

    @pytest.mark.parametrize(
        "silent",
        [
            ticket(-1, "x"),
            ticket(0, "x", _substantiated=False),
            ticket(0, "x", _indicator="canteen food"),
            ticket(0, "x", _received_on=None),
            ticket(0, "x", _supplier_id=None),
        ],
        ids=["not yet known", "baseless", "of no hazard", "undated", "of no place"],
    )
    def test_a_ticket_that_does_not_count_takes_nothing_with_it(self, silent: dict[str, Any]) -> None:
        around = 0.5 * math.log(2)
        assert told([silent], [report("zone", "Z1")]) == SAME([around] * 4, abs=1e-9)

    def test_an_event_not_yet_known_takes_no_ticket_with_it(self) -> None:
        around = 0.5 * math.log(1 + 0.5 * 0.5)
        late = report("site", "A", _known_on=ON.replace(year=2027))
        assert told([of_zone()], [late]) == SAME([around, around, 0, 0], abs=1e-9)

    def test_an_event_never_weighs_less_than_around(self) -> None:
        conflict = report("zone", "Z1", _kind="conflict", _proven=False)
        around = 0.5 * math.log(1.5)
        assert around > 0.5 * 0.5 * math.log(2)
        assert told([ticket(10 * 365, "x")], [conflict]) == SAME([around, 0, around, around], abs=1e-9)

    def test_who_reported_on_a_zone_did_not_look_at_the_site(self) -> None:
        rows = evidence(grievances=[ticket(0, "x")], events=[report("zone", "Z1")])
        assert site(rows)["forced_labour_checked"] == 0


def test_sites_may_be_numbers() -> None:
    numbers = {"A": 0, "B": 1, "C": 2}
    sites = evidence_rows.SITES.with_columns(pl.col("_supplier_id").replace_strict(numbers))
    for rows, events in (
        ([ticket(0, "x")], [report("zone", "Z1")]),
        ([of_zone()], [report("site", "A")]),
        ([of_zone(), ticket(9, "x")], [report("entity", "acme ltd")]),
    ):
        grievances = frame(evidence_rows.GRIEVANCES, rows).with_columns(
            pl.col("_supplier_id").replace_strict(numbers, return_dtype=pl.Int64)
        )
        placed = frame(evidence_rows.EVENTS, events).with_columns(
            _site=pl.col("_place").replace_strict(numbers, default=None, return_dtype=pl.Int64)
        )
        known = Evidence(grievances=on_polars(grievances), events=on_polars(placed))
        found = collected(table(on_polars(sites), known, judgements(), ON)).sort("_supplier_id")
        shown = dict(found.select("_supplier_id", "forced_labour_shift").iter_rows())
        expected = told(rows, events)
        assert [shown.get(0, 0.0), shown.get(1, 0.0)] == SAME(expected[:2], abs=1e-12)


def test_the_explanation_of_a_neighbour_knows_the_ticket_of_another_site() -> None:
    frames = {
        "grievances": frame(evidence_rows.GRIEVANCES, [ticket(0, "G-1")]),
        "events": frame(evidence_rows.EVENTS, [report("zone", "Z1", _event_id="G-1")]),
    }
    found = {}
    for who in "AB":
        alone = evidence_rows.SITES.filter(pl.col("_supplier_id") == who)
        made = files.lines(alone, frames, judgements(), ON)
        found[who] = made.select("hazard", "factor").sort("hazard").rows()
    assert found["A"] == [("child_labour", "event:zone"), ("forced_labour", "incident")]
    assert found["B"] == [("child_labour", "event:zone")]


tickets = st.builds(
    lambda age, topic, held, zone: ticket(
        age, "x", _indicator=topic, _substantiated=held, **({"_supplier_id": None, "_zone": "Z1"} if zone else {})
    ),
    ages,
    st.sampled_from(["forced_labour", "isolation", "working hours", "child labour", "young workers"]),
    st.sampled_from([True, False, None]),
    st.booleans(),
)
kinds = st.sampled_from(
    ["government finding", "import ban", "ngo report", "press", "conflict", "flood", "school closure", "meteor"]
)


def reports(number: str = "x") -> st.SearchStrategy[dict[str, Any]]:
    places = st.sampled_from([("site", "A"), ("zone", "Z1"), ("country", "BGD"), ("entity", "acme ltd")])
    return st.builds(
        lambda age, place, kind, proven: event(age, number, *place, _kind=kind, _proven=proven),
        ages,
        places,
        kinds,
        st.booleans(),
    )


histories = st.fixed_dictionaries(
    {
        "grievances": st.lists(tickets, max_size=3),
        "events": st.tuples(st.lists(reports(), max_size=1), st.lists(reports("y"), max_size=1)).map(
            lambda both: [*both[0], *both[1]]
        ),
    }
)


@FEW
@given(many(st.tuples(histories, tickets)))
def test_a_ticket_never_lowers_the_site_it_names(cases: list[tuple[Scenario, dict[str, Any]]]) -> None:
    named = [(case, {**row, "_supplier_id": "A", "_zone": None}) for case, row in cases]
    was = shifts([case for case, _ in named])
    now = shifts([{**case, "grievances": [*case["grievances"], row]} for case, row in named])
    for old, new in zip(was, now, strict=True):
        assert new[0] >= old[0] - 1e-12
        assert new[1] >= old[1] - 1e-12


@FEW
@given(many(st.tuples(st.lists(tickets, max_size=3), reports())))
def test_an_event_never_lowers_the_site_it_names(cases: list[tuple[Rows, dict[str, Any]]]) -> None:
    was = shifts([{"grievances": rows, "events": []} for rows, _ in cases])
    at_site = [{**row, "_place_kind": "site", "_place": "A"} for _, row in cases]
    now = shifts([{"grievances": rows, "events": [row]} for (rows, _), row in zip(cases, at_site, strict=True)])
    for old, new in zip(was, now, strict=True):
        assert new[0] >= old[0] - 1e-12
        assert new[1] >= old[1] - 1e-12


@FEW
@given(many(histories))
def test_lines_multiply_to_the_shift(cases: list[Scenario]) -> None:
    multiply(cases)


@FEW
@given(many(histories))
def test_what_nothing_else_tells_of_stays(cases: list[Scenario]) -> None:
    """An id of one table only: its reports count as they do alone."""
    apart = [
        {**case, "grievances": [{**row, "_incident_id": "of the tickets"} for row in case["grievances"]]}
        for case in cases
    ]
    both = shifts(apart)
    tickets_alone = shifts([{"grievances": case["grievances"]} for case in apart])
    events_alone = shifts([{"events": case["events"]} for case in apart])
    for case, all_, ticket_, event_ in zip(cases, both, tickets_alone, events_alone, strict=True):
        if not any(row.get("_zone") for row in case["grievances"]):
            # Around a site the events of a zone and its tickets are summed before their logarithm.
            assert all_ == SAME((ticket_[0] + event_[0], ticket_[1] + event_[1]), abs=1e-9)


@pytest.mark.slow  # DuckDB binds the whole query anew
def test_engines_agree() -> None:
    cases: list[Scenario] = [
        {"grievances": [ticket(0, "x"), of_zone(9)], "events": [report("zone", "Z1"), report("country", "BGD")]},
        {"grievances": [of_zone()], "events": [report("site", "A")]},
        {"grievances": [of_zone()], "events": [report("entity", "acme ltd")]},
        {"grievances": [of_zone()], "events": [report("country", "BGD")]},
    ]
    wide = [wide_of(cases, engine) for engine in (on_polars, on_duckdb)]
    assert_frame_equal(*wide, abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False)
