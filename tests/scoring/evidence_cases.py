"""Histories of sites drawn at random, and many of them in one query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st
from tests.scoring.evidence_rows import (
    ON,
    SITES,
    Wrap,
    audit,
    collected,
    event,
    evidence,
    finding,
    judgements,
    on_polars,
    ticket,
)

from vigilance.scoring.evidence import Evidence, lines, table

FEW = settings(max_examples=2, deadline=None)

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


everything = st.fixed_dictionaries(
    {
        "audits": few(audit_rows),
        "findings": few(finding_rows),
        "grievances": few(ticket_rows),
        "events": few(event_rows),
    }
)


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


def explained(cases: list[Scenario], wrap: Wrap) -> pl.DataFrame:
    sites, known = gathered(cases, wrap)
    return collected(lines(sites, known, judgements(), ON)).sort("supplier_id", "hazard", "factor", "since", "ratio")
