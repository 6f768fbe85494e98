"""Everything known about a site beyond its description: from its evidence to a shift of the odds of presence.

    table(sites, Evidence(audits=..., findings=...), judgements, on)     # wide, one row per site: what assess joins
    lines(sites, evidence, judgements, on)                               # long, one row per ratio

``logit P = logit P0 + Σ_j d_j · ln LR_j`` (method section 3, Evidence). The columns are sums of whole quanta
of the same pieces that the lines show, so that the product of a site's lines is ``exp(<h>_shift)`` to the
last bits. Nothing dated after ``on`` counts; undated evidence does not count either.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring import measures
from vigilance.scoring.evidence_columns import SHORT, Frame, Tables, of_quanta, small_tables, week_of
from vigilance.scoring.evidence_pieces import ENTITY_KEYS, Evidence, gather
from vigilance.scoring.evidence_places import LEVELS
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

FAMILIES: Final = ("finding", "marker", "incident", "list")
"""Kinds of evidence whose errors go together: within one their sds add up, between two their variances do."""

_Z90: Final = 1.645
"""Half-width of a 5-95 % range in standard deviations: a line's low and high."""


COLUMNS: Final = (
    *(
        f"{hazard}_{part}"
        for hazard in HAZARDS
        for part in ("shift", "shift_var", "confirmed", "listed", "checked", "ln_measures", "measures_var")
    ),
    "evidence_audits",
    "evidence_incidents",
)
"""The columns that ``attach`` adds to the sites."""

_PLACE_COLUMNS: Final = frozenset({*(c for known_by in LEVELS.values() for c in known_by), *ENTITY_KEYS.values()})
READ: Final = frozenset({"_supplier_id", "_workers", "_tier", *_PLACE_COLUMNS})
"""The columns that are read of the sites, where they are there."""


def attach(
    sites: Frame, evidence: Evidence, judgements: Judgements, on: date, *, tables: Tables | None = None
) -> Frame:
    """The sites with what their evidence says, one row per site, in one join per table.

    Reads ``_supplier_id`` (unique) and, where present, ``_workers, _tier, _zone, _region, _iso3, _parent_company,
    _lei``. Adds per hazard:

    - ``<h>_shift`` Float64, the sum of log-odds; ``<h>_shift_var`` its variance on that scale;
    - ``<h>_confirmed`` Boolean: a confirmed case without verified remediation (P = 1);
    - ``<h>_listed`` Boolean: on an entity list or under an import ban, as a person confirmed (raises the band);
    - ``<h>_checked`` 0 or 1: someone independent looked at the site within the window;
    - ``<h>_ln_measures, <h>_measures_var``: see ``scoring.measures``;

    and ``evidence_audits``, ``evidence_incidents`` Int64, the audits and incidents that count. All are 0 or false
    without evidence. ``tables`` makes small tables on the engine of the sites (``small_tables`` by default).
    """
    made = tables or small_tables(sites)
    pieces = gather(sites, evidence, judgements, on, made)
    joined = sites
    if pieces.clean is not None:
        joined = joined.join(pieces.clean, on="_supplier_id", how="left")
    items = pieces.items
    if items is not None:
        joined = joined.join(_wide(items), on="_supplier_id", how="left")
    for flags in pieces.flags:
        joined = joined.join(flags, on="_supplier_id", how="left")
    for level, (places, column) in pieces.places.items():
        joined = _located(joined, places, level, column)
    present = set(joined.collect_schema().names())
    added: dict[str, nw.Expr] = {}
    for hazard in HAZARDS:
        added |= _columns(hazard, present)
    counts = {"evidence_audits": "_ev_audits", "evidence_incidents": "_ev_incidents"}
    added |= {column: _or_zero(source, present).cast(nw.Int64) for column, source in counts.items()}
    shifted = joined.with_columns(**added).drop([column for column in present if column.startswith("_ev_")])
    return measures.attach(shifted, evidence.measures, judgements, on, tables=made)


def table(sites: Frame, evidence: Evidence, judgements: Judgements, on: date, *, tables: Tables | None = None) -> Frame:
    """``_supplier_id`` and the columns of ``attach`` for the sites that have any evidence: what ``assess`` joins."""
    read = [name for name in sites.collect_schema().names() if name in READ]
    wide = attach(sites.select(read), evidence, judgements, on, tables=tables)
    anything = nw.lit(False)
    for hazard in HAZARDS:
        anything = anything | (nw.col(f"{hazard}_shift") != 0) | (nw.col(f"{hazard}_ln_measures") != 0)
        anything = anything | (nw.col(f"{hazard}_checked") > 0) | nw.col(f"{hazard}_confirmed")
        anything = anything | nw.col(f"{hazard}_listed")
    return wide.filter(anything).select("_supplier_id", *COLUMNS)


def _located(sites: Frame, places: Frame, level: str, column: str) -> Frame:
    key = f"_ev_{level}_key"
    theirs = places.rename({"_place": key})
    value = nw.col(column).str.strip_chars().str.to_lowercase() if level.startswith("entity") else nw.col(column)
    return sites.with_columns(value.alias(key)).join(theirs, on=key, how="left")


def _or_zero(column: str, present: set[str]) -> nw.Expr:
    return nw.col(column).fill_null(0) if column in present else nw.lit(0)


def _columns(hazard: Hazard, present: set[str]) -> dict[str, nw.Expr]:
    name = SHORT[hazard]
    levels = [f"_ev_{name}_{level}" for level in (*LEVELS, *ENTITY_KEYS) if f"_ev_{name}_{level}" in present]
    terms = [f"_ev_{name}_clean", f"_ev_{name}_items", *levels]
    total = nw.lit(0, dtype=nw.Int64)
    for term in terms:
        if term in present:
            total = total + nw.col(term).fill_null(0)
    variance = nw.lit(0.0)
    if f"_ev_{name}_clean_sd" in present:
        sd = nw.col(f"_ev_{name}_clean_sd").fill_null(0.0)
        variance = variance + sd * sd
    for spread in (*(f"_ev_{name}_{family}_s" for family in FAMILIES), *(f"{level}_s" for level in levels)):
        if spread in present:
            sd = of_quanta(nw.col(spread).fill_null(0))
            variance = variance + sd * sd
    case, listed = (_or_zero(f"_ev_{name}_{flag}", present) for flag in ("case", "listed"))
    looked = _or_zero("_ev_checked", present) + _or_zero("_ev_seen", present)
    return {
        f"{hazard}_shift": of_quanta(total),
        f"{hazard}_shift_var": variance,
        f"{hazard}_confirmed": case > 0,
        f"{hazard}_listed": listed > 0,
        f"{hazard}_checked": nw.when(looked > 0).then(1.0).otherwise(0.0),
    }


def _wide(items: Frame) -> Frame:
    """Items as one row per site: sums by hazard, and sds by hazard and family."""

    def of(hazard: Hazard, family: str | None, column: str) -> nw.Expr:
        mine = nw.col("_hazard") == str(hazard)
        mine = mine if family is None else mine & (nw.col("_family") == family)
        return nw.when(mine).then(nw.col(column)).otherwise(0).sum().cast(nw.Int64)

    return items.group_by("_supplier_id").agg(
        *(of(hazard, None, "_q").alias(f"_ev_{SHORT[hazard]}_items") for hazard in HAZARDS),
        *(of(h, family, "_s").alias(f"_ev_{SHORT[h]}_{family}_s") for h in HAZARDS for family in FAMILIES),
        nw.max_horizontal(*(of(hazard, "incident", "_n") for hazard in HAZARDS)).alias("_ev_incidents"),
    )


def lines(sites: Frame, evidence: Evidence, judgements: Judgements, on: date, *, tables: Tables | None = None) -> Frame:
    """The explanation of the evidence, one row per ratio: the ratios of a site and hazard multiply to its odds ratio.

    Columns ``supplier_id, hazard, step`` ("evidence"), ``factor`` (``clean_audits``, ``finding:<topic>``,
    ``marker:<topic>``, ``grievance``, ``event:site``, ``event:entity``, ``event:zone``, ``event:region``,
    ``event:country``, ``incident`` when a ticket and an event tell of the same, ``list:<list>``), ``ratio,
    low, high`` (odds ratios, 5-95 %), ``source`` (the table, the event's own source or the list), ``since``
    (text: the Monday of the week of the piece; of the newest where a line stands for several), ``known``
    (true). Measures, which act on the rate, have lines of their own (``measures.lines``). Give it the sites of
    interest: it costs what they cost.
    """
    wanted = sites.select([c for c in sites.collect_schema().names() if c in READ])
    pieces = gather(wanted, evidence, judgements, on, tables or small_tables(sites))
    ids = wanted.select("_supplier_id")
    parts: list[Frame] = []
    if pieces.clean is not None:
        mine = pieces.clean.join(ids, on="_supplier_id", how="semi")
        parts += [_clean_line(mine, hazard) for hazard in HAZARDS]
    items = pieces.items
    if items is not None:
        parts.append(_item_lines(items.join(ids, on="_supplier_id", how="semi")))
    for level, (places, column) in pieces.places.items():
        joined = _located(wanted, places, level, column)
        parts += [_place_line(joined, hazard, level) for hazard in HAZARDS]
    if not parts:
        return _none(ids)
    return nw.concat(parts)


def _line(rows: Frame, **columns: nw.Expr) -> Frame:
    """Explanation lines from ``hazard, factor, source, day, ln, sd``."""
    ln, reach = columns["ln"], columns["sd"] * _Z90
    return rows.with_columns(_day=columns["day"].cast(nw.Date)).select(
        supplier_id=nw.col("_supplier_id"),
        hazard=columns["hazard"],
        step=nw.lit("evidence"),
        factor=columns["factor"],
        ratio=ln.exp(),
        low=(ln - reach).exp(),
        high=(ln + reach).exp(),
        source=columns["source"],
        since=week_of("_day").cast(nw.String).fill_null(""),
        known=nw.lit(True),
    )


def _clean_line(rows: Frame, hazard: Hazard) -> Frame:
    name = SHORT[hazard]
    return _line(
        rows.filter(nw.col(f"_ev_{name}_clean_n") > 0),
        hazard=nw.lit(str(hazard)),
        factor=nw.lit("clean_audits"),
        source=nw.lit("audits"),
        day=nw.col("_ev_last"),
        ln=of_quanta(nw.col(f"_ev_{name}_clean")),
        sd=nw.col(f"_ev_{name}_clean_sd"),
    )


def _item_lines(rows: Frame) -> Frame:
    return _line(
        rows,
        hazard=nw.col("_hazard"),
        factor=nw.col("_factor"),
        source=nw.col("_source"),
        day=nw.col("_since"),
        ln=of_quanta(nw.col("_q")),
        sd=of_quanta(nw.col("_s")),
    )


def _place_line(rows: Frame, hazard: Hazard, level: str) -> Frame:
    name = f"_ev_{SHORT[hazard]}_{level}"
    return _line(
        rows.filter(nw.col(f"{name}_n") > 0),
        hazard=nw.lit(str(hazard)),
        factor=nw.lit(f"event:{level.removesuffix('_lei')}"),
        source=nw.lit("events"),
        day=nw.col(f"{name}_since"),
        ln=of_quanta(nw.col(name)),
        sd=of_quanta(nw.col(f"{name}_s")),
    )


def _none(ids: Frame) -> Frame:
    nothing = ids.filter(nw.col("_supplier_id").is_null())
    text, day, zero = nw.lit(""), nw.lit(None, dtype=nw.Date), nw.lit(0.0)
    return _line(nothing, hazard=text, factor=text, source=text, day=day, ln=zero, sd=zero)
