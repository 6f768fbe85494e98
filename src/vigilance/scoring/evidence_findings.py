"""Findings of audits: what was found at a site, how strong, whether it was remedied.

Method section 3, Evidence. A finding of forced or child labour is one positive result of its audit,

    ln LR = ln(((1 - c)·Se + c·(1 - Sp)) / (1 - Sp)) ,

times the strength of its topic, its severity, its status and, once closed, its decay. Several findings of one
hazard in one audit are one result, the strongest. Excess hours, withheld wages and discipline are markers:
each adds its own log-odds once, at its strongest. A confirmed case without verified remediation sets P = 1.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_audits import NOTICES, SEMI_ANNOUNCED, Test, visits
from vigilance.scoring.evidence_columns import (
    SHORT,
    Frame,
    Tables,
    age_days,
    by_then,
    canonical,
    completed,
    halved,
    numbers,
    quanta,
    sd_logit,
    sds,
)
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

OPTIONAL: Final = {
    "_audited_on": nw.Date,
    "_severity": nw.String,
    "_status": nw.String,
    "_found_on": nw.Date,
    "_closed_on": nw.Date,
}
ITEM: Final = ("_supplier_id", "_hazard", "_family", "_factor", "_source", "_since", "_q", "_s", "_n")
"""One piece of evidence at a site: ``_q`` ln ratio and ``_s`` its sd, in quanta; ``_n`` records behind it."""

_RULES: Final = "evidence.findings"


def read_findings(findings: Frame, judgements: Judgements, on: date, tables: Tables) -> Frame:
    """Findings known on a date, in one vocabulary: one row per finding that says something about a hazard.

    Reads ``_supplier_id, _topic`` and the columns of ``OPTIONAL``. Gives ``_day`` (of the audit), ``_since``
    (found), ``_weight`` (severity x status x decay), per hazard ``_fl_strength, _fl_strength_sd, _fl_marker,
    _fl_marker_sd`` and ``_fl_case`` (1 for a confirmed case that is not verified as remedied).
    """
    rows = completed(findings, OPTIONAL).with_columns(
        _day=nw.coalesce("_audited_on", "_found_on"),
        _since=nw.coalesce("_found_on", "_audited_on"),
    )
    rows = rows.filter(by_then("_day", on), by_then("_since", on), ~nw.col("_supplier_id").is_null())
    for column, block in (("_topic", "topics"), ("_severity", "severity"), ("_status", "status")):
        rows = canonical(rows, column, block, judgements, tables)
    rows = rows.join(topics(judgements, tables), on="_topic", how="inner")
    rows = rows.with_columns(_state=_state(on))
    return _weighed(rows, judgements, on, tables).with_columns(**_cases(judgements))


def topics(judgements: Judgements, tables: Tables) -> Frame:
    """The topics that say something of a hazard: strengths, markers, their sds, ``_establishes``."""
    columns: dict[str, dict[str, float]] = {}
    for hazard in HAZARDS:
        name = SHORT[hazard]
        for part in ("strength", "marker"):
            path = f"{_RULES}.{part}.{hazard}"
            columns[f"_{name}_{part}"] = numbers(path, judgements)
            columns[f"_{name}_{part}_sd"] = sds(path, judgements)
    names = list(dict.fromkeys(topic for values in columns.values() for topic in values))
    establishing = set(judgements.words("evidence.vocabulary.coding.establishes.topics"))
    return tables(
        {
            "_topic": names,
            "_establishes": [int(topic in establishing) for topic in names],
            **{column: [values.get(topic, 0.0) for topic in names] for column, values in columns.items()},
        }
    )


def _state(on: date) -> nw.Expr:
    """The status on the date: a closing counts from its own date, and an undated one does not count."""
    status = nw.col("_status").fill_null("open")
    closed = by_then("_closed_on", on)
    known = nw.col("_closed_on").is_null() | closed
    stated = nw.when(nw.col("_status").is_null() & closed).then(nw.lit("closed")).otherwise(status)
    ended = (stated == "closed") | (stated == "verified")
    early = (ended & ~closed) | ((stated == "rejected") & ~known)
    return nw.when(early).then(nw.lit("open")).otherwise(stated)


def _weighed(rows: Frame, judgements: Judgements, on: date, tables: Tables) -> Frame:
    severity, status = numbers(f"{_RULES}.severity", judgements), numbers(f"{_RULES}.status", judgements)
    rows = rows.join(
        tables({"_severity": list(severity), "_by_severity": list(severity.values())}),
        on="_severity",
        how="left",
    ).join(tables({"_state": list(status), "_by_status": list(status.values())}), on="_state", how="left")
    ended = (nw.col("_state") == "closed") | (nw.col("_state") == "verified")
    fresh = halved(age_days("_closed_on", on), judgements.value(f"{_RULES}.half_life_days"))
    weight = nw.col("_by_severity").fill_null(1.0) * nw.col("_by_status").fill_null(1.0)
    return rows.with_columns(_weight=weight * nw.when(ended).then(fresh).otherwise(1.0))


def _cases(judgements: Judgements) -> dict[str, nw.Expr]:
    said = judgements.words("evidence.vocabulary.coding.establishes")
    proven = nw.col("_severity").is_in(said["severity"]) | nw.col("_state").is_in(said["status"])
    over = nw.col("_state").is_in(["verified", "rejected"])
    case = (nw.col("_establishes") == 1) & proven.fill_null(False) & ~over
    return {
        f"_{name}_case": nw.when(case & (nw.col(f"_{name}_strength") > 0)).then(1).otherwise(0)
        for name in SHORT.values()
    }


def found_days(rows: Frame) -> Frame:
    """The days whose audit was not clean: ``_supplier_id, _audited_on, _fl_found, _cl_found`` (0 or 1)."""
    counts = nw.col("_state") != "rejected"
    return (
        rows.group_by("_supplier_id", "_day")
        .agg(
            *(
                nw.when(counts & (nw.col(f"_{name}_strength") > 0)).then(1).otherwise(0).max().alias(f"_{name}_found")
                for name in SHORT.values()
            )
        )
        .rename({"_day": "_audited_on"})
    )


def confirmed_cases(rows: Frame) -> Frame:
    """The sites with a confirmed case: ``_supplier_id, _ev_fl_case, _ev_cl_case`` (0 or 1)."""
    return rows.group_by("_supplier_id").agg(
        *(nw.col(f"_{name}_case").max().alias(f"_ev_{name}_case") for name in SHORT.values())
    )


def finding_items(rows: Frame, audits: Frame | None, sites: Frame, judgements: Judgements, on: date) -> list[Frame]:
    """Findings and markers as pieces of evidence (``ITEM``): one per site, hazard and audit; one per marker.

    ``rows`` from ``read_findings``. A finding whose audit is not in the table takes the sensitivity of a
    semi-announced audit in its usual conditions.
    """
    rows = _with_conditions(rows, audits, sites, judgements, on)
    items = []
    for hazard in HAZARDS:
        items.append(_positive_results(rows, hazard, judgements))
        if judgements.under(f"{_RULES}.marker.{hazard}"):
            items.append(_markers(rows, hazard))
    return items


def _with_conditions(rows: Frame, audits: Frame | None, sites: Frame, judgements: Judgements, on: date) -> Frame:
    if audits is None:
        return rows.with_columns(_shift=nw.lit(0.0), _rank=nw.lit(SEMI_ANNOUNCED))
    days = rows.select("_supplier_id", _audited_on=nw.col("_day")).unique()
    theirs = visits(audits.join(days, on=["_supplier_id", "_audited_on"], how="semi"), sites, judgements, on)
    conditions = theirs.select("_supplier_id", _day=nw.col("_audited_on"), _shift="_shift", _rank="_rank")
    return rows.join(conditions, on=["_supplier_id", "_day"], how="left").with_columns(
        nw.col("_shift").fill_null(0.0), nw.col("_rank").fill_null(SEMI_ANNOUNCED)
    )


def _positive_results(rows: Frame, hazard: Hazard, judgements: Judgements) -> Frame:
    name = SHORT[hazard]
    strength, strength_sd = nw.col(f"_{name}_strength"), nw.col(f"_{name}_strength_sd")
    ln_ratio, sd = _likelihood(hazard, judgements)
    rows = rows.filter(strength * nw.col("_weight") > 0).with_columns(_ln=ln_ratio, _sd=sd)
    from_strength = nw.col("_ln") * strength_sd
    from_test = nw.col("_sd") * strength
    spread = (from_strength * from_strength + from_test * from_test).sqrt()
    return _strongest(
        rows.select(
            "_supplier_id",
            "_day",
            "_since",
            _factor=nw.concat_str([nw.lit("finding:"), nw.col("_topic")]),
            _q=quanta(nw.col("_weight") * strength * nw.col("_ln")),
            _s=quanta(nw.col("_weight") * spread),
        ),
        ["_supplier_id", "_day"],
        hazard,
        "finding",
    )


def _likelihood(hazard: Hazard, judgements: Judgements) -> tuple[nw.Expr, nw.Expr]:
    """ln LR of a positive result of its audit, and its sd from those of Se, Sp and c (delta method)."""
    test = Test.of(hazard, judgements)
    error = 1.0 - test.specificity
    se = test.sensitivity(nw.col("_shift"))
    concealed, spread = nw.lit(0.0), nw.lit(0.0)
    for rank, notice in enumerate(NOTICES):
        share = judgements.get(f"evidence.audits.concealment.{notice}")
        concealed = nw.when(nw.col("_rank") == rank).then(share.value).otherwise(concealed)
        spread = nw.when(nw.col("_rank") == rank).then(sd_logit(share.low, share.high)).otherwise(spread)
    positive = (1.0 - concealed) * se + concealed * error
    by_se = (1.0 - concealed) * se * (1.0 - se) / positive * test.sd_base
    by_error = (concealed * error / positive - 1.0) * test.sd_ln_error
    by_concealment = (error - se) * concealed * (1.0 - concealed) / positive * spread
    variance = by_se * by_se + by_error * by_error + by_concealment * by_concealment
    ln_ratio = (positive / error).log()
    return nw.when(ln_ratio > 0).then(ln_ratio).otherwise(nw.lit(0.0)), variance.sqrt()


def _markers(rows: Frame, hazard: Hazard) -> Frame:
    name = SHORT[hazard]
    marker, spread = nw.col(f"_{name}_marker"), nw.col(f"_{name}_marker_sd")
    return _strongest(
        rows.filter(marker * nw.col("_weight") > 0).select(
            "_supplier_id",
            "_since",
            _factor=nw.concat_str([nw.lit("marker:"), nw.col("_topic")]),
            _kind="_topic",
            _q=quanta(nw.col("_weight") * marker),
            _s=quanta(nw.col("_weight") * spread),
        ),
        ["_supplier_id", "_kind"],
        hazard,
        "marker",
    )


def _strongest(rows: Frame, keys: list[str], hazard: Hazard, family: str) -> Frame:
    """Of the rows with one key the strongest, as ``ITEM``; ties fall to the first name and newest date."""
    top = rows.group_by(*keys).agg(nw.col("_q").max().alias("_top"), nw.len().alias("_n"))
    best = rows.join(top, on=keys, how="inner").filter(nw.col("_q") == nw.col("_top"))
    one = best.group_by(*keys).agg(
        nw.col("_factor").min(),
        nw.col("_since").max(),
        nw.col("_q").max(),
        nw.col("_s").max(),
        nw.col("_n").max(),
    )
    return itemised(one.with_columns(_source=nw.lit("findings")), hazard, family)


def itemised(rows: Frame, hazard: Hazard, family: str) -> Frame:
    """Rows with the columns of ``ITEM``, in their order and types."""
    named: dict[str, Any] = {"_hazard": nw.lit(str(hazard)), "_family": nw.lit(family)}
    return rows.with_columns(nw.col("_n").cast(nw.Int64), **named).select(*ITEM)
