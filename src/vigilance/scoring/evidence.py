"""Everything known about a site beyond its description: from its evidence to a shift of the odds of presence.

    sites = attach(sites, Evidence(audits=..., findings=...), judgements, on)     # wide, one row per site
    lines(sites, evidence, judgements, on)                                        # long, one row per ratio

``logit P = logit P0 + Σ_j d_j · ln LR_j`` (method section 3, Evidence). The columns are sums of whole quanta
of the same pieces that the lines show, so that the product of a site's lines is ``exp(<h>_evidence)`` to the
last bits. Nothing dated after ``on`` counts; undated evidence does not count either.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_columns import SHORT, Frame, Tables, of_quanta, small_tables, week_of
from vigilance.scoring.evidence_pieces import ENTITY_KEYS, Evidence, gather
from vigilance.scoring.evidence_places import LEVELS
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

CONFIRMED_CASE: Final = "confirmed_case"
"""Override: a confirmed case without verified remediation. The core sets P = 1."""
LISTED: Final = "listed"
"""Override: on an entity list or under an import ban, as a person confirmed. The core raises the band."""

FAMILIES: Final = ("finding", "marker", "incident", "list")
"""Kinds of evidence whose errors go together: within one their sds add up, between two their variances do."""

_Z90: Final = 1.645
"""Half-width of a 5-95 % range in standard deviations: a line's low and high."""


def evidence_columns() -> tuple[str, ...]:
    """The columns that ``attach`` adds."""
    parts = ("evidence", "evidence_var", "override", "checked")
    return (
        *(f"_{name}_{part}" for name in SHORT.values() for part in parts),
        "_evidence_audits",
        "_evidence_incidents",
    )


def attach(
    sites: Frame, evidence: Evidence, judgements: Judgements, on: date, *, tables: Tables | None = None
) -> Frame:
    """The sites with what their evidence says, one row per site, in one join per table.

    Reads ``_supplier_id`` (unique) and, where present, ``_workers, _zone, _region, _iso3, _parent_company,
    _lei``. Adds per hazard (``_fl_``, ``_cl_``):

    - ``_evidence`` Float64, the sum of log-odds; ``_evidence_var`` its variance on that scale;
    - ``_override`` String: ``confirmed_case``, ``listed`` or null;
    - ``_checked`` Boolean: someone independent looked at the site within the window;

    and ``_evidence_audits``, ``_evidence_incidents`` Int64, the audits and the incidents that count. All are
    0, null or false without evidence. ``tables`` makes small tables on the engine of the sites
    (``small_tables`` by default).
    """
    pieces = gather(sites, evidence, judgements, on, tables or small_tables(sites))
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
    for name in SHORT.values():
        added |= _columns(name, present)
    counts = {"_evidence_audits": "_ev_audits", "_evidence_incidents": "_ev_incidents"}
    added |= {column: _or_zero(source, present).cast(nw.Int64) for column, source in counts.items()}
    return joined.with_columns(**added).drop([column for column in present if column.startswith("_ev_")])


def _located(sites: Frame, places: Frame, level: str, column: str) -> Frame:
    key = f"_ev_{level}_key"
    theirs = places.rename({"_place": key})
    value = nw.col(column).str.strip_chars().str.to_lowercase() if level.startswith("entity") else nw.col(column)
    return sites.with_columns(value.alias(key)).join(theirs, on=key, how="left")


def _or_zero(column: str, present: set[str]) -> nw.Expr:
    return nw.col(column).fill_null(0) if column in present else nw.lit(0)


def _columns(name: str, present: set[str]) -> dict[str, nw.Expr]:
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
    named = nw.when(listed > 0).then(nw.lit(LISTED)).otherwise(nw.lit(None, dtype=nw.String))
    looked = _or_zero("_ev_checked", present) + _or_zero("_ev_seen", present)
    return {
        f"_{name}_evidence": of_quanta(total),
        f"_{name}_evidence_var": variance,
        f"_{name}_override": nw.when(case > 0).then(nw.lit(CONFIRMED_CASE)).otherwise(named),
        f"_{name}_checked": looked > 0,
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
    (the Monday of the week of the piece; of the newest where a line stands for several), ``n`` (records
    behind it), ``known`` (true). Give it the sites of interest: it costs what they cost.
    """
    wanted = sites.select(
        [c for c in sites.collect_schema().names() if c in {"_supplier_id", "_workers", *_PLACE_COLUMNS}]
    )
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


_PLACE_COLUMNS: Final = frozenset({*LEVELS.values(), *ENTITY_KEYS.values()})


def _line(rows: Frame, **columns: nw.Expr) -> Frame:
    """Lines from ``hazard, factor, source, day, n, ln, sd``; ``n`` is null where tickets may be counted."""
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
        since=week_of("_day"),
        n=columns["n"].cast(nw.Int64),
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
        n=nw.col(f"_ev_{name}_clean_n"),
        ln=of_quanta(nw.col(f"_ev_{name}_clean")),
        sd=nw.col(f"_ev_{name}_clean_sd"),
    )


def _item_lines(rows: Frame) -> Frame:
    open_count = nw.when(nw.col("_family") != "incident").then(nw.col("_n"))
    return _line(
        rows,
        hazard=nw.col("_hazard"),
        factor=nw.col("_factor"),
        source=nw.col("_source"),
        day=nw.col("_since"),
        n=open_count,
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
        n=nw.lit(None, dtype=nw.Int64),
        ln=of_quanta(nw.col(name)),
        sd=of_quanta(nw.col(f"{name}_s")),
    )


def _none(ids: Frame) -> Frame:
    nothing = ids.filter(nw.col("_supplier_id").is_null())
    text, day, zero = nw.lit(""), nw.lit(None, dtype=nw.Date), nw.lit(0.0)
    return _line(nothing, hazard=text, factor=text, source=text, day=day, n=nw.lit(0), ln=zero, sd=zero)
