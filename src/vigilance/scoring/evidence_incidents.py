"""Grievances, events at a site and matches with lists: one likelihood ratio per incident.

Method section 3, Evidence. The same incident reported twice, through two channels or in both tables counts
once, at its strongest. A ticket that an inquiry found baseless, a channel without tickets, and the absence
from a list say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_columns import (
    SHORT,
    Frame,
    Tables,
    age_days,
    by_then,
    canonical,
    completed,
    halved,
    quanta,
)
from vigilance.scoring.evidence_findings import itemised, topics
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

GRIEVANCE_OPTIONAL: Final = {
    "_incident_id": nw.String,
    "_supplier_id": nw.String,
    "_zone": nw.String,
    "_channel": nw.String,
    "_indicator": nw.String,
    "_substantiated": nw.Boolean,
}
EVENT_OPTIONAL: Final = {
    "_event_id": nw.String,
    "_occurred_on": nw.Date,
    "_known_on": nw.Date,
    "_kind": nw.String,
    "_source": nw.String,
    "_proven": nw.Boolean,
    "_hazard": nw.String,
}
MATCH_OPTIONAL: Final = {"_decision": nw.String, "_since": nw.Date, "_until": nw.Date}

PLACE_KINDS: Final = ("site", "entity", "zone", "region", "country")
"""Most precise first: an incident told of several places is located at the most precise one."""

_RULES: Final = "evidence.incidents"


def read_grievances(grievances: Frame, judgements: Judgements, on: date, tables: Tables) -> Frame:
    """Tickets received by a date, in one vocabulary; ``_id`` falls back on what identifies a ticket without number.

    Reads ``_received_on`` and the columns of ``GRIEVANCE_OPTIONAL``; never a text. Tickets found baseless are
    left out.
    """
    rows = completed(grievances, GRIEVANCE_OPTIONAL).filter(by_then("_received_on", on))
    rows = rows.filter(nw.col("_substantiated").fill_null(True))
    rows = canonical(rows, "_indicator", "topics", judgements, tables)
    rows = rows.join(topics(judgements, tables), left_on="_indicator", right_on="_topic", how="inner")
    return rows.with_columns(
        _id=_identity("_incident_id", ("_supplier_id", "_zone", "_received_on", "_channel", "_indicator"))
    )


def read_events(events: Frame, judgements: Judgements, on: date, tables: Tables) -> Frame:
    """Events that happened and were known by a date, each at its most precise place.

    Reads ``_place_kind, _place`` and the columns of ``EVENT_OPTIONAL``. Gives ``_id``, ``_on`` (when it
    happened), ``_kind`` in one vocabulary (``other`` when unknown) and ``_proven`` without nulls.
    """
    rows = completed(events, EVENT_OPTIONAL).with_columns(
        _on=nw.coalesce("_occurred_on", "_known_on"),
        _seen=nw.coalesce("_known_on", "_occurred_on"),
    )
    rows = rows.filter(by_then("_on", on), by_then("_seen", on), ~nw.col("_place").is_null())
    own = judgements.words("evidence.vocabulary.coding.kind_hazard")
    rows = canonical(rows, "_kind", "kinds", judgements, tables).with_columns(nw.col("_kind").fill_null("other"))
    rows = rows.join(tables({"_kind": list(own), "_own_hazard": list(own.values())}), on="_kind", how="left")
    rows = rows.with_columns(
        nw.coalesce("_hazard", "_own_hazard").alias("_hazard"),
        nw.col("_proven").fill_null(False),
        _precision=_precision(),
        _id=_identity("_event_id", ("_place_kind", "_place", "_on", "_kind", "_hazard")),
    )
    rows = rows.filter(~nw.col("_precision").is_null())
    finest = rows.group_by("_id").agg(nw.col("_precision").min().alias("_finest"))
    return rows.join(finest, on="_id", how="inner").filter(nw.col("_precision") == nw.col("_finest"))


def _precision() -> nw.Expr:
    rank = nw.lit(None, dtype=nw.Int64)
    for position, kind in enumerate(PLACE_KINDS):
        rank = nw.when(nw.col("_place_kind") == kind).then(nw.lit(position)).otherwise(rank)
    return rank


def _identity(given: str, parts: tuple[str, ...]) -> nw.Expr:
    texts = [nw.col(part).cast(nw.String).fill_null("") for part in parts]
    return nw.coalesce(given, nw.concat_str([nw.lit("?"), *texts], separator="|"))


def about(hazard: Hazard) -> nw.Expr:
    """Whether an event is about a hazard: the one it names, or both when it names none."""
    return nw.col("_hazard").is_null() | (nw.col("_hazard") == str(hazard))


def grievance_items(rows: Frame, judgements: Judgements, on: date) -> list[Frame]:
    """Tickets about a site as incidents; ``rows`` from ``read_grievances``."""
    received, held = (judgements.get(f"{_RULES}.grievance.{state}") for state in ("received", "substantiated"))
    proven = nw.col("_substantiated").fill_null(False)
    ln_ratio = nw.when(proven).then(math.log(held.value)).otherwise(math.log(received.value))
    spread = nw.when(proven).then(held.sd_ln).otherwise(received.sd_ln)
    fresh = halved(age_days("_received_on", on), judgements.value(f"{_RULES}.grievance_half_life_days"))
    items = []
    for hazard in HAZARDS:
        name = SHORT[hazard]
        strength, marker = nw.col(f"_{name}_strength"), nw.col(f"_{name}_marker")
        sd = strength * spread + nw.col(f"_{name}_marker_sd")
        items.append(
            rows.filter(~nw.col("_supplier_id").is_null(), strength + marker > 0).select(
                "_supplier_id",
                "_id",
                _hazard=nw.lit(str(hazard)),
                _factor=nw.lit("grievance"),
                _source=nw.lit("grievances"),
                _since=nw.col("_received_on"),
                _q=quanta(fresh * (strength * ln_ratio + marker)),
                _s=quanta(fresh * sd),
            )
        )
    return items


def event_items(rows: Frame, judgements: Judgements, on: date, tables: Tables, place_kind: str) -> list[Frame]:
    """Events at sites (or about companies: ``place_kind`` entity) as incidents; ``rows`` from ``read_events``.

    ``_supplier_id`` of the result is the place: a site, or the company as the event names it.
    """
    place = _site(rows) if place_kind == "site" else "_place"
    ratios = judgements.under(f"{_RULES}.event")
    table = tables(
        {
            "_kind": [path.rsplit(".", 1)[1] for path in ratios],
            "_ln": [math.log(found.value) for found in ratios.values()],
            "_sd": [found.sd_ln for found in ratios.values()],
        }
    )
    other = ratios[f"{_RULES}.event.other"]
    rows = rows.filter(nw.col("_place_kind") == place_kind).join(table, on="_kind", how="left")
    share = judgements.value(f"{_RULES}.entity_share") if place_kind == "entity" else 1.0
    exponent = (
        halved(age_days("_on", on), judgements.value(f"{_RULES}.event_half_life_days"))
        * nw.when(nw.col("_proven")).then(1.0).otherwise(judgements.value(f"{_RULES}.possible"))
        * nw.when(nw.col("_hazard").is_null()).then(judgements.value(f"{_RULES}.unstated_hazard")).otherwise(1.0)
        * share
    )
    return [
        rows.filter(about(hazard)).select(
            _supplier_id=nw.col(place),
            _id=nw.col("_id"),
            _hazard=nw.lit(str(hazard)),
            _factor=nw.lit(f"event:{place_kind}"),
            _source=nw.col("_source").fill_null("events"),
            _since=nw.col("_on"),
            _q=quanta(exponent * nw.col("_ln").fill_null(math.log(other.value))),
            _s=quanta(exponent * nw.col("_sd").fill_null(other.sd_ln)),
        )
        for hazard in HAZARDS
    ]


def incidents(parts: list[Frame]) -> list[Frame]:
    """One piece of evidence per site, hazard and incident over all tables: its strongest report."""
    grouped = (
        nw.concat(parts)
        .group_by("_supplier_id", "_hazard", "_id")
        .agg(
            nw.col("_factor").min().alias("_first"),
            nw.col("_factor").max().alias("_other"),
            nw.col("_source").min(),
            nw.col("_since").min(),
            nw.col("_q").max(),
            nw.col("_s").max(),
            nw.len().alias("_n"),
        )
    )
    told = nw.when(nw.col("_first") == nw.col("_other")).then(nw.col("_first")).otherwise(nw.lit("incident"))
    rows = grouped.with_columns(_factor=told)
    return [itemised(rows.filter(nw.col("_hazard") == str(hazard)), hazard, "incident") for hazard in HAZARDS]


def looks(rows: Frame, judgements: Judgements, on: date) -> Frame:
    """The sites that someone independent looked at within the window: ``_supplier_id, _ev_seen`` (1)."""
    kinds = judgements.words("evidence.vocabulary.coding.looks")
    recent = age_days("_on", on) <= judgements.value("evidence.audits.checked_days")
    seen = rows.filter((nw.col("_place_kind") == "site") & nw.col("_kind").is_in(kinds) & recent)
    return seen.select(_supplier_id=nw.col(_site(rows))).unique().with_columns(_ev_seen=nw.lit(1))


def _site(events: Frame) -> str:
    """The column that holds the site of an event at a site."""
    return "_site" if "_site" in events.collect_schema().names() else "_place"


def match_items(matches: Frame, judgements: Judgements, on: date, tables: Tables) -> tuple[list[Frame], Frame]:
    """Matches between a list and the sites as evidence, and the sites that a person confirmed as listed.

    Reads ``_list, _supplier_id, _confidence`` (0 to 1) and the columns of ``MATCH_OPTIONAL``. The odds ratio
    of a match is 1 + confidence·(LR - 1); a confirmed one has confidence 1, a rejected one says nothing.
    After a name has left its list the evidence decays. The second result is ``_supplier_id, _ev_fl_listed,
    _ev_cl_listed`` (0 or 1): confirmed and still on the list.
    """
    rows = completed(matches, MATCH_OPTIONAL).filter(
        nw.col("_since").is_null() | (nw.col("_since") <= nw.lit(on)),
        (nw.col("_decision") != "rejected").fill_null(True),
    )
    left = by_then("_until", on)
    confirmed = (nw.col("_decision") == "confirmed").fill_null(False)
    fresh = halved(age_days("_until", on), judgements.value("evidence.lists.half_life_days"))
    rows = rows.with_columns(
        _sure=nw.when(confirmed).then(1.0).otherwise(nw.col("_confidence").fill_null(0.0)),
        _fresh=nw.when(left).then(fresh).otherwise(1.0),
        _stands=nw.when(confirmed & ~left).then(1).otherwise(0),
    )
    items, listed = [], []
    for hazard in HAZARDS:
        known = _list_ratios(judgements, hazard)
        theirs = _with_ratio(rows, known, tables)
        gain = nw.col("_sure") * (nw.col("_ratio") - 1.0) + 1.0
        part = theirs.select(
            "_supplier_id",
            "_list",
            "_since",
            "_stands",
            _q=quanta(nw.col("_fresh") * gain.log()),
            _s=quanta(nw.col("_fresh") * nw.col("_sure") * nw.col("_ratio") / gain * nw.col("_sd")),
        )
        once = part.group_by("_supplier_id", "_list").agg(
            nw.col("_since").min(), nw.col("_q").max(), nw.col("_s").max(), nw.len().alias("_n")
        )
        named = once.with_columns(_factor=nw.concat_str([nw.lit("list:"), nw.col("_list")]), _source=nw.col("_list"))
        items.append(itemised(named.filter(nw.col("_q") > 0), hazard, "list"))
        listed.append(part.select("_supplier_id", **_flags(hazard)))
    return items, nw.concat(listed).group_by("_supplier_id").agg(
        *(nw.col(f"_ev_{name}_listed").max() for name in SHORT.values())
    )


def _flags(hazard: Hazard) -> dict[str, nw.Expr]:
    return {
        f"_ev_{name}_listed": nw.col("_stands").cast(nw.Int64) if each == hazard else nw.lit(0, dtype=nw.Int64)
        for each, name in SHORT.items()
    }


def _list_ratios(judgements: Judgements, hazard: Hazard) -> Mapping[str, Any]:
    found = judgements.under(f"evidence.lists.ratio.{hazard}")
    return {path.rsplit(".", 1)[1]: estimate for path, estimate in found.items()}


def _with_ratio(rows: Frame, known: Mapping[str, Any], tables: Tables) -> Frame:
    """The rows of lists about the hazard, with ``_ratio`` and ``_sd``; unknown lists count as ``other``."""
    table = tables(
        {
            "_list": list(known),
            "_ratio": [found.value for found in known.values()],
            "_sd": [found.sd_ln for found in known.values()],
        }
    )
    joined = rows.join(table, on="_list", how="left")
    if "other" in known:
        other = known["other"]
        joined = joined.with_columns(nw.col("_ratio").fill_null(other.value), nw.col("_sd").fill_null(other.sd_ln))
    return joined.filter(nw.col("_ratio") > 1.0)
