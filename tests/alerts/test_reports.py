from datetime import date

import polars as pl
from tests.alerts.frames import limits

from vigilance.alerts import reports
from vigilance.rules import Judgements

ON = date(2026, 11, 2)
SITES = pl.DataFrame(
    {
        "supplier_id": ["A", "B"],
        "name": ["Site A", "Site B"],
        "zone": ["BD-C", None],
        "country": ["BGD", "FRA"],
        "parent": [None, "Group"],
        "priority": [50_000, 10_000],
    }
)


def found(
    judgements: Judgements, tables: dict[str, pl.DataFrame], before: dict[str, pl.DataFrame] | None
) -> pl.DataFrame:
    return reports.of_evidence(tables, before, SITES, ON, limits(), judgements)


def finding(topic: str, day: date, severity: str = "minor", **more: object) -> dict[str, object]:
    due: object = more.get("due")
    return {
        "_supplier_id": "A",
        "_audited_on": day,
        "_topic": topic,
        "_severity": severity,
        "_status": more.get("status"),
        "_found_on": day,
        "_due_on": due,
        "_closed_on": more.get("closed"),
    }


KINDS = {
    **dict.fromkeys(("_supplier_id", "_topic", "_severity", "_status"), pl.String),
    **dict.fromkeys(("_audited_on", "_found_on", "_due_on", "_closed_on"), pl.Date),
}


def findings(*rows: dict[str, object]) -> dict[str, pl.DataFrame]:
    return {"findings": pl.DataFrame(rows, schema=KINDS)}


def test_a_finding_is_new_when_the_run_before_did_not_hold_it_however_old(judgements: Judgements) -> None:
    old, late = finding("forced labour", date(2026, 9, 1)), finding("Chapter 1", date(2025, 1, 1))
    conditions = found(judgements, findings(old, late), findings(old))
    assert conditions.select("rule", "hazard", "place", "proven").rows() == [("new_finding", "child_labour", "A", True)]


def test_on_a_first_run_only_this_weeks_findings_are_news(judgements: Judgements) -> None:
    rows = (finding("forced labour", date(2026, 10, 30)), finding("forced labour", date(2026, 10, 1)))
    assert found(judgements, findings(*rows), None).height == 1


def test_a_minor_finding_about_something_else_is_no_alert(judgements: Judgements) -> None:
    tables = findings(finding("health and safety", date(2026, 10, 31)))
    assert found(judgements, tables, findings()).is_empty()
    tables = findings(finding("health and safety", date(2026, 10, 31), "Critical"))
    assert found(judgements, tables, findings())["rule"].to_list() == ["new_finding"]


def test_what_is_dated_after_the_day_is_not_known_yet(judgements: Judgements) -> None:
    assert found(judgements, findings(finding("forced labour", date(2026, 11, 3))), findings()).is_empty()


def test_an_action_is_overdue_after_its_grace_unless_it_is_settled(judgements: Judgements) -> None:
    day = date(2025, 1, 1)
    late = finding("wages", day, due=date(2026, 10, 1))
    for row, expected in (
        (late, 1),
        (finding("wages", day, due=date(2026, 10, 30)), 0),
        ({**late, "_status": "Closed"}, 0),
        ({**late, "_closed_on": date(2026, 10, 20)}, 0),
        ({**late, "_closed_on": date(2026, 12, 20)}, 1),
    ):
        tables = findings(row)
        overdue = found(judgements, tables, tables)
        assert overdue.filter(pl.col("rule") == "overdue_action").height == expected, row


def test_a_grievance_shows_nothing_of_the_person(judgements: Judgements) -> None:
    rows = pl.DataFrame(
        {
            "_incident_id": ["G1", "G2", "G3"],
            "_supplier_id": ["A", None, None],
            "_zone": [None, "BD-C", None],
            "_received_on": [date(2026, 11, 1)] * 3,
            "_channel": ["hotline"] * 3,
            "_language": ["bn"] * 3,
            "_substantiated": [True, None, None],
        }
    )
    conditions = found(judgements, {"grievances": rows}, {"grievances": rows.clear()})
    assert conditions.select("level", "place", "object", "proven").rows() == [
        ("site", "A", "G1", True),
        ("zone", "BD-C", "G2", False),
    ]
    assert not conditions["detail"].str.contains("bn").any()


def test_events_at_places_and_about_companies(judgements: Judgements) -> None:
    rows = pl.DataFrame(
        {
            "_event_id": ["E1", "E2", "E3"],
            "_place_kind": ["zone", "entity", "country"],
            "_place": ["BD-C", "Group", "BGD"],
            "_occurred_on": [date(2026, 1, 1)] * 3,
            "_known_on": [date(2026, 11, 1), None, date(2026, 12, 1)],
            "_kind": ["strike"] * 3,
            "_source": ["press"] * 3,
            "_proven": [True, False, True],
        }
    )
    conditions = found(judgements, {"events": rows}, {})
    assert conditions.select("level", "place", "proven", "priority").rows() == [
        ("zone", "BD-C", True, 50_000),
        ("site", "Group", False, 10_000),
    ]


def test_a_match_is_possible_until_a_person_decides(judgements: Judgements) -> None:
    rows = pl.DataFrame(
        {
            "_list": ["ban", "ban", "ban"],
            "_name": ["Site A Ltd", "Site B", "Site B SA"],
            "_supplier_id": ["A", "B", "B"],
            "_confidence": [0.9, 0.9, 0.95],
            "_since": [None, date(2026, 1, 1), None],
            "_until": [None, None, date(2026, 1, 1)],
            "_decision": [None, "confirmed", None],
        },
        schema_overrides={"_since": pl.Date, "_until": pl.Date},
    )
    conditions = found(judgements, {"matches": rows}, {})
    assert conditions.select("place", "proven").rows() == [("A", False), ("B", True)]
    rejected = rows.with_columns(_decision=pl.lit("rejected"))
    assert found(judgements, {"matches": rejected}, {}).is_empty()


def test_a_convention_is_told_where_there_are_sites() -> None:
    then = pl.DataFrame(
        {"iso3": ["BGD", "BGD", "NOR"], "convention": ["C138", "C187", "C138"], "status": ["not_ratified"] * 3}
    )
    now = then.with_columns(status=pl.lit("ratified"))
    conditions = reports.of_conventions(now, then, SITES)
    assert conditions.select("hazard", "level", "place", "object", "sites").rows() == [
        ("child_labour", "country", "BGD", "C138 ratified", 1)
    ]
    assert reports.of_conventions(then, then, SITES).is_empty()
