"""Rows of the evidence tables about a few sites, and what they make of a site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import polars as pl

from vigilance import rules
from vigilance.rules import Judgements
from vigilance.scoring.evidence import COLUMNS, Evidence, table

ON = date(2026, 11, 1)

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
