"""The few ways in which a statement about a run is computed, each traceable to rows of ``scores.parquet``.

What a law asks and how the answer is worded is in ``rules/regimes/<law>.yaml``; this module knows only how to count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from vigilance import evidence as evidence_module
from vigilance.i18n import language, messages
from vigilance.privacy import SMALLEST_COUNT
from vigilance.report import summary, wording
from vigilance.report.document import Column, Table
from vigilance.report.material import Material
from vigilance.report.pictures import pictures_of
from vigilance.terms import HAZARDS

_ = messages("report")

LISTED: Final = 10
PLACES: Final = 5
UPSTREAM_TIERS: Final = (3, 4)


@dataclass(frozen=True)
class Found:
    """An answer: what fills the sentence, the filter that finds its rows again, the sites, and perhaps a table."""

    values: Mapping[str, str]
    basis: str
    ids: Sequence[str] = field(default_factory=tuple)
    table: Table | None = None


Way = Callable[[Material, Mapping[str, Any]], Found | None]
"""Material and the statement's own entry (``hazard``, ``tables``) to an answer; nothing where it was not assessed."""


def scope(material: Material, _about: Mapping[str, Any]) -> Found:
    """How many sites were assessed, where, and what was set aside."""
    sites, counts = material.sites, material.run.meta["counts"]
    return Found(
        {
            "sites": wording.number(sites.height),
            "countries": wording.number(sites["_iso3"].n_unique()),
            "activities": wording.number(sites["_division"].n_unique()),
            "aside": wording.number(counts["set_aside"]),
        },
        "*",
        sites["_supplier_id"].to_list(),
    )


def bands(material: Material, about: Mapping[str, Any]) -> Found:
    """Sites in the severe and the high band of a hazard."""
    hazard = about["hazard"]
    chosen = material.sites.filter(pl.col(f"{hazard}_band").is_in(["severe", "high"]))
    counted = material.bands(hazard)
    total = material.sites.height
    return Found(
        {
            "severe": wording.number(counted["severe"]),
            "high": wording.number(counted["high"]),
            "sites": wording.number(total),
            "share": wording.share_of(counted["severe"], total),
        },
        f"{hazard}_band in ('severe', 'high')",
        chosen["_supplier_id"].to_list(),
    )


def places(material: Material, about: Mapping[str, Any]) -> Found:
    """The countries and activities with the most sites in the severe band."""
    hazard = about["hazard"]
    severe = material.sites.filter(pl.col(f"{hazard}_band") == "severe")
    cells = (
        severe.group_by("_iso3", "_division")
        .agg(pl.len().alias("severe"), pl.col(f"{hazard}_p80").max().alias("p80"))
        .sort(["severe", "p80", "_iso3", "_division"], descending=[True, True, False, False])
    )
    rows = [
        [wording.named(material.countries, c), wording.named(material.activities, d), n, p]
        for c, d, n, p in cells.head(LISTED).iter_rows()
    ]
    columns = [Column(_("country")), Column(_("activity")), Column(_("severe sites"), "int"), Column("P80", "percent")]
    named = "; ".join(f"{row[0]}, {row[1]} ({wording.number(row[2])})" for row in rows[:PLACES])
    table = Table(_("Places with the most sites in the severe band"), columns, rows) if rows else None
    return Found(
        {"places": named, "cells": wording.number(cells.height)},
        f"{hazard}_band = 'severe'",
        severe["_supplier_id"].to_list(),
        table,
    )


def chain(material: Material, _about: Mapping[str, Any]) -> Found:
    """How far up the chain the list reaches."""
    tiers = material.sites["_tier"]
    deep = material.sites.filter(pl.col("_tier").is_in(UPSTREAM_TIERS))
    total = material.sites.height
    unknown = int((tiers == 0).sum())
    return Found(
        {
            "deep": wording.number(deep.height),
            "share": wording.share_of(deep.height, total),
            "unknown": wording.number(unknown),
            "unknown_share": wording.share_of(unknown, total),
        },
        "tier_used in (3, 4)",
        deep["_supplier_id"].to_list(),
    )


def priority(material: Material, about: Mapping[str, Any]) -> Found:
    """Sites in order of severity and likelihood."""
    hazard = about["hazard"]
    chosen = material.sites.sort([f"{hazard}_priority", "_supplier_id"], descending=[True, False]).head(LISTED)
    rows = [
        [
            row["_supplier_id"],
            row["_name"],
            wording.named(material.countries, row["_iso3"]),
            row[f"{hazard}_priority"],
            row[f"{hazard}_score"],
            row[f"{hazard}_band"],
        ]
        for row in chosen.iter_rows(named=True)
    ]
    columns = [
        Column(_("site")),
        Column(_("name"), "name"),
        Column(_("country")),
        Column(_("priority (severity and likelihood)"), "decimal"),
        Column(_("score (likelihood)"), "decimal"),
        Column(_("band"), "band"),
    ]
    return Found(
        {"count": wording.number(chosen.height)},
        f"order by {hazard}_priority desc limit {LISTED}",
        chosen["_supplier_id"].to_list(),
        Table(_("First in line: {hazard}").format(hazard=wording.hazards()[hazard]), columns, rows),
    )


def people(material: Material, about: Mapping[str, Any]) -> Found:
    """How many people are expected to be affected at all sites together (a sum on integers)."""
    hazard = about["hazard"]
    column = material.sites[f"{hazard}_expected_affected"]
    thousandths = int((column * 1000.0 + 0.5).floor().cast(pl.Int64).sum())
    total = thousandths / 1000.0
    said = _("fewer than {count}").format(count=SMALLEST_COUNT) if total < SMALLEST_COUNT else wording.number(total)
    return Found({"people": said}, f"sum({hazard}_expected_affected)", material.sites["_supplier_id"].to_list())


def state_imposed(material: Material, _about: Mapping[str, Any]) -> Found:
    """Sites where the State imposes labour."""
    chosen = material.sites.filter(pl.col("forced_labour_override") == "state_imposed_labour")
    table = summary.sites_table(material, LISTED, chosen.sort("_supplier_id")) if chosen.height else None
    return Found(
        {"count": wording.number(chosen.height)},
        "forced_labour_override = 'state_imposed_labour'",
        chosen["_supplier_id"].to_list(),
        None if table is None else Table(_("Sites under labour imposed by the State"), table.columns, table.rows),
    )


def thin(material: Material, about: Mapping[str, Any]) -> Found:
    """Sites of which little is known."""
    hazard = about["hazard"]
    chosen = material.sites.filter(pl.col(f"{hazard}_grade").is_in(["D", "E"]))
    return Found(
        {"count": wording.number(chosen.height), "share": wording.share_of(chosen.height, material.sites.height)},
        f"{hazard}_grade in ('D', 'E')",
        chosen["_supplier_id"].to_list(),
    )


def evidence(material: Material, about: Mapping[str, Any]) -> Found | None:
    """How many sites an evidence table of the run speaks of; nothing where no such table was given."""
    ids: set[str] = set()
    there = [name for name in about["tables"] if name in material.evidence_tables]
    if not there:
        return None
    rows = 0
    for name in there:
        rows += material.evidence_frames[name].height
        # Entries of lists name nobody by id: their possible matches with sites do.
        named = material.evidence_frames[evidence_module.MATCHES if name == "lists" else name]
        if "_supplier_id" in named.columns:
            ids |= set(named["_supplier_id"].drop_nulls().to_list())
    known = [name for name in material.sites["_supplier_id"].to_list() if name in ids]
    return Found(
        {
            "rows": wording.number(rows),
            "covered": wording.number(len(known)),
            "share": wording.share_of(len(known), material.sites.height),
            "sites": wording.number(material.sites.height),
        },
        "supplier_id in (" + ", ".join(f"{name}.parquet" for name in there) + ")",
        known,
    )


def abstract(material: Material, about: Mapping[str, Any]) -> Found:
    """Sites whose risk is at least high from country, activity, tier, size and workforce alone."""
    hazard = about["hazard"]
    limit = material.judgements.value("method.band.high")
    chosen = material.sites.filter(pl.col(f"{hazard}_inherent_p50") >= limit)
    return Found(
        {
            "count": wording.number(chosen.height),
            "share": wording.share_of(chosen.height, material.sites.height),
            "limit": wording.percent(limit, 0),
        },
        f"{hazard}_inherent_p50 >= {limit:g}",
        chosen["_supplier_id"].to_list(),
    )


def concrete(material: Material, about: Mapping[str, Any]) -> Found | None:
    """Sites that their own evidence moved; nothing where the run had no evidence."""
    if not material.evidence_tables:
        return None
    hazard = about["hazard"]
    inherent, current = pl.col(f"{hazard}_inherent_p50"), pl.col(f"{hazard}_p50")
    up, down = material.sites.filter(current > inherent), material.sites.filter(current < inherent)
    return Found(
        {"up": wording.number(up.height), "down": wording.number(down.height)},
        f"{hazard}_p50 <> {hazard}_inherent_p50",
        material.sites.filter(current != inherent)["_supplier_id"].to_list(),
    )


def direction(material: Material, about: Mapping[str, Any]) -> Found:
    """Which cells of the matrix became worse or better over five years."""
    hazard = about["hazard"]
    cells = pictures_of(material, language()).matrix
    worse, better = (cells.filter(pl.col(f"{hazard}_direction") == way) for way in (1, -1))
    touched = material.sites.join(
        worse.select(pl.col("iso3").alias("_iso3"), pl.col("division").alias("_division")),
        on=["_iso3", "_division"],
        how="semi",
        maintain_order="left",
    )
    return Found(
        {
            "worse": wording.number(worse.height),
            "better": wording.number(better.height),
            "cells": wording.number(cells.height),
            "sites": wording.number(touched.height),
        },
        f"matrix: {hazard}, five-year direction = worse",
        touched["_supplier_id"].to_list(),
    )


def volumes(material: Material, _about: Mapping[str, Any]) -> Found | None:
    """Spend at sites in the severe band for forced labour (whole euros); nothing where the list states no spend."""
    stated = material.sites.filter(pl.col("_spend_eur").is_not_null())
    if not stated.height:
        return None
    euros = (pl.col("_spend_eur") + 0.5).floor().cast(pl.Int64)
    severe = stated.filter(pl.col("forced_labour_band") == "severe")
    part, whole = (int(frame.select(euros.sum()).item()) for frame in (severe, stated))
    return Found(
        {
            "spend": wording.number(part),
            "share": wording.share_of(part, whole),
            "stated": wording.number(stated.height),
            "sites": wording.number(material.sites.height),
        },
        "forced_labour_band = 'severe' and spend_eur is not null",
        severe["_supplier_id"].to_list(),
    )


def not_assessed(_material: Material, _about: Mapping[str, Any]) -> None:
    """What no run can answer; the statement's ``gap`` says what is needed."""
    return


def conduct(_material: Material, _about: Mapping[str, Any]) -> Found:
    """A sentence that holds whatever the run."""
    return Found({"conduct": wording.conduct()}, "-")


WAYS: Final[Mapping[str, Way]] = {
    "scope": scope,
    "bands": bands,
    "places": places,
    "chain": chain,
    "priority": priority,
    "people": people,
    "state_imposed": state_imposed,
    "thin": thin,
    "evidence": evidence,
    "abstract": abstract,
    "concrete": concrete,
    "direction": direction,
    "volumes": volumes,
    "not_assessed": not_assessed,
    "conduct": conduct,
}
OF_A_HAZARD: Final = frozenset({"bands", "places", "priority", "people", "thin", "abstract", "concrete", "direction"})
"""Ways that are asked once per hazard unless the statement names one."""
BOTH: Final = tuple(str(hazard) for hazard in HAZARDS)
