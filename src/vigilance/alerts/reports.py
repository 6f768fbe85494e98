"""What calls for an alert in the evidence: findings, overdue actions, grievances, events, list matches, conventions.

New is what the run before did not hold, whatever its own date: late news is news. On a first run, what became known in
the last week. Evidence tables are those of a run folder (typed columns with ``_``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import narwhals.stable.v2 as nw
import polars as pl

from vigilance.alerts.conditions import conditions, nothing
from vigilance.alerts.thresholds import Thresholds
from vigilance.rules import Judgements
from vigilance.scoring.evidence_columns import canonical, small_tables
from vigilance.terms import HAZARDS

Tables = Mapping[str, pl.DataFrame]

HAZARD_OF_CONVENTION: Final = {
    "C029": "forced_labour",
    "P029": "forced_labour",
    "C105": "forced_labour",
    "C138": "child_labour",
    "C182": "child_labour",
}
_DAYS_OF_A_WEEK: Final = 7
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "findings": ("_supplier_id", "_audited_on", "_topic"),
    "grievances": ("_incident_id",),
    "events": ("_event_id",),
}


def of_evidence(
    tables: Tables, before: Tables | None, sites: pl.DataFrame, on: date, limits: Thresholds, judgements: Judgements
) -> pl.DataFrame:
    """The conditions in the evidence.

    ``before`` are the tables of the run before, None on a first run; ``sites`` has ``supplier_id, name, zone, country,
    parent, priority`` (thousandths of the larger of the two hazards).
    """
    found = []
    if "findings" in tables:
        rows = _with_topics(tables["findings"], judgements)
        found += [
            _findings(_new("findings", rows, before, on), sites, judgements),
            _overdue(rows, sites, on, limits, judgements),
        ]
    if "grievances" in tables:
        found.append(_grievances(_new("grievances", tables["grievances"], before, on), sites))
    if "events" in tables:
        found.append(_events(_new("events", tables["events"], before, on), sites))
    if "matches" in tables:
        found.append(_matches(tables["matches"], sites, on))
    return pl.concat(found) if found else nothing()


def _known_on(name: str, frame: pl.DataFrame) -> pl.Expr:
    columns = {
        "findings": ("_found_on", "_audited_on"),
        "grievances": ("_received_on",),
        "events": ("_known_on", "_occurred_on"),
    }[name]
    return pl.coalesce(pl.col(column) for column in columns if column in frame.columns)


def _new(name: str, frame: pl.DataFrame, before: Tables | None, on: date) -> pl.DataFrame:
    """The rows known by the date that the run before did not hold."""
    known = _known_on(name, frame)
    rows = frame.filter(known <= on)
    if before is None:
        return rows.filter(known > on - timedelta(days=_DAYS_OF_A_WEEK))
    if name not in before:
        return rows
    old = before[name].filter(_known_on(name, before[name]) <= on)
    keys = [key for key in _KEYS[name] if key in frame.columns and key in old.columns]
    return rows.join(old.select(keys).unique(), on=keys, how="anti", nulls_equal=True, maintain_order="left")


def _with_topics(findings: pl.DataFrame, judgements: Judgements) -> pl.DataFrame:
    """Findings with ``topic``, the word of the vocabulary, or their own where it knows none."""
    numbered = findings.with_columns(topic="_topic").with_row_index("_place_in_list")
    frame = nw.from_native(numbered.lazy())
    named: pl.LazyFrame = canonical(frame, "topic", "topics", judgements, small_tables(frame)).to_native()
    words = named.with_columns(pl.coalesce("topic", "_topic").alias("topic"))
    return words.sort("_place_in_list").drop("_place_in_list").collect()


def _hazards_of_topics(judgements: Judgements) -> pl.DataFrame:
    rows = [
        (path.rsplit(".", 1)[1], str(hazard))
        for hazard in HAZARDS
        for path in judgements.under(f"evidence.findings.strength.{hazard}")
    ]
    return pl.DataFrame(rows, schema={"topic": pl.String, "hazard": pl.String}, orient="row").unique(
        "topic", keep="first", maintain_order=True
    )


def _text(frame: pl.DataFrame, column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String) if column in frame.columns else pl.lit(None, dtype=pl.String)


def _folded(frame: pl.DataFrame, column: str) -> pl.Expr:
    return _text(frame, column).str.to_lowercase().str.strip_chars()


def _at_sites(frame: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    return frame.join(sites, left_on="_supplier_id", right_on="supplier_id", how="inner", maintain_order="left")


def _findings(rows: pl.DataFrame, sites: pl.DataFrame, judgements: Judgements) -> pl.DataFrame:
    severe = list(judgements.words("alerts.finding.choices.severities"))
    rows = rows.join(_hazards_of_topics(judgements), on="topic", how="left", maintain_order="left")
    weighty = _folded(rows, "_severity").is_in(severe) | pl.col("hazard").is_not_null()
    rows = _at_sites(rows.filter(weighty.fill_null(pl.col("hazard").is_not_null())), sites)
    rows = rows.unique(["_supplier_id", "_audited_on", "topic"], keep="first", maintain_order=True)
    return conditions(
        rows,
        "new_finding",
        {
            "name": pl.col("name"),
            "topic": pl.col("topic"),
            "severity": _text(rows, "_severity"),
            "on": pl.col("_audited_on").cast(pl.String),
        },
        hazard=pl.col("hazard").fill_null(""),
        place=pl.col("_supplier_id"),
        object=pl.concat_str(pl.col("_audited_on").cast(pl.String), "topic", separator=" ", ignore_nulls=True),
        proven=True,
        priority=pl.col("priority"),
    )


def _overdue(
    rows: pl.DataFrame, sites: pl.DataFrame, on: date, limits: Thresholds, judgements: Judgements
) -> pl.DataFrame:
    if "_due_on" not in rows.columns:
        return nothing()
    settled = list(judgements.words("alerts.finding.choices.settled"))
    closed = pl.col("_closed_on") <= on if "_closed_on" in rows.columns else pl.lit(value=False)
    late = rows.filter(
        (pl.col("_due_on") < on - timedelta(days=limits.overdue_days))
        & ~closed.fill_null(value=False)
        & ~_folded(rows, "_status").is_in(settled).fill_null(value=False)
    )
    grouped = late.group_by("_supplier_id", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("_due_on").min().cast(pl.String).alias("due")
    )
    return conditions(
        _at_sites(grouped, sites),
        "overdue_action",
        {"name": pl.col("name"), "count": pl.col("count"), "due": pl.col("due")},
        place=pl.col("_supplier_id"),
        measure=pl.col("count").cast(pl.Int64),
        proven=True,
        priority=pl.col("priority"),
    )


def _grievances(rows: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    """Only the incident's id, channel and week: nothing that could point at the person who spoke."""
    proven = (
        pl.col("_substantiated").fill_null(value=False) if "_substantiated" in rows.columns else pl.lit(value=False)
    )
    at_site = _text(rows, "_supplier_id")
    rows = rows.with_columns(_supplier_id=at_site, _zone=_text(rows, "_zone"))
    rows = rows.join(
        sites.select("supplier_id", "name", "priority", "country", zone_of="zone"),
        left_on="_supplier_id",
        right_on="supplier_id",
        how="left",
        maintain_order="left",
    ).filter(pl.col("_supplier_id").is_not_null() | pl.col("_zone").is_not_null())
    return conditions(
        rows,
        "grievance",
        {"name": pl.col("name"), "channel": _text(rows, "_channel")},
        level=pl.when(pl.col("_supplier_id").is_not_null()).then(pl.lit("site")).otherwise(pl.lit("zone")),
        place=pl.coalesce("_supplier_id", "_zone"),
        object=pl.col("_incident_id"),
        proven=proven,
        priority=pl.col("priority").fill_null(0),
    )


def _events(rows: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    proven = pl.col("_proven").fill_null(value=False) if "_proven" in rows.columns else pl.lit(value=False)
    entity = pl.col("_place_kind") == "entity"
    return conditions(
        rows,
        "event",
        {
            "kind": _text(rows, "_kind"),
            "source": _text(rows, "_source"),
            "on": pl.col("_occurred_on").cast(pl.String),
            "entity": entity,
        },
        # A company is reached through its sites.
        level=pl.when(entity).then(pl.lit("site")).otherwise(pl.col("_place_kind")),
        place=pl.col("_place"),
        object=pl.col("_event_id"),
        proven=proven,
        priority=_worst(rows, sites),
    )


def _worst(rows: pl.DataFrame, sites: pl.DataFrame) -> pl.Series:
    """The priority of the worst site at each event's place; 0 where there is none."""
    reach = [
        sites.select(place=pl.col(column), kind=pl.lit(kind), worst="priority")
        for kind, column in (
            ("site", "supplier_id"),
            ("zone", "zone"),
            ("region", "zone"),
            ("country", "country"),
            ("entity", "parent"),
        )
    ]
    best = pl.concat(reach).group_by("kind", "place").agg(pl.col("worst").max())
    joined = rows.select("_place_kind", "_place").join(
        best, left_on=["_place_kind", "_place"], right_on=["kind", "place"], how="left", maintain_order="left"
    )
    return joined["worst"].fill_null(0)


def _matches(pairs: pl.DataFrame, sites: pl.DataFrame, on: date) -> pl.DataFrame:
    """Sites that look like a name on a list (``vigilance.matching``).

    Proven when a person confirmed it, no longer told when a person rejected it.
    """
    rows = pairs.filter((pl.col("_decision") != "rejected").fill_null(value=True))
    for column, held in (("_since", pl.col("_since") <= on), ("_until", pl.col("_until") >= on)):
        rows = rows.filter(held.fill_null(value=True)) if column in rows.columns else rows
    confirmed = (pl.col("_decision") == "confirmed").fill_null(value=False)
    hits = _at_sites(rows.with_columns(confirmed=confirmed), sites).sort(
        ["_supplier_id", "_list", "confirmed", "_confidence", "_name"], descending=[False, False, True, True, False]
    )
    hits = hits.unique(["_supplier_id", "_list"], keep="first", maintain_order=True)
    return conditions(
        hits,
        "list_match",
        {"name": pl.col("name"), "list": pl.col("_list"), "listed": pl.col("_name")},
        place=pl.col("_supplier_id"),
        object=pl.col("_list"),
        proven=pl.col("confirmed"),
        priority=pl.col("priority"),
    )


def of_conventions(now: pl.DataFrame, then: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    """Conventions whose status changed in a country with sites (``Facts.ratification_status`` now and then)."""
    here = sites.group_by("country").agg(pl.col("priority").max(), pl.len().alias("sites"))
    moved = (
        now.join(then.select("iso3", "convention", was="status"), on=["iso3", "convention"], how="inner")
        .filter((pl.col("status") != pl.col("was")) & pl.col("convention").is_in(list(HAZARD_OF_CONVENTION)))
        .join(here, left_on="iso3", right_on="country", how="inner")
        .sort("iso3", "convention")
    )
    return conditions(
        moved,
        "ratification",
        {"convention": pl.col("convention"), "from": pl.col("was"), "to": pl.col("status")},
        hazard=pl.col("convention").replace_strict(HAZARD_OF_CONVENTION, return_dtype=pl.String),
        level="country",
        place=pl.col("iso3"),
        object=pl.concat_str("convention", "status", separator=" "),
        proven=True,
        priority=pl.col("priority"),
        sites=pl.col("sites").cast(pl.Int64),
    )
