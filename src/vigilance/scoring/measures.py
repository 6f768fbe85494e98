"""Measures in place: what a company does against the hazards, and how far it lowers the rate.

    π_residual = π · (1 - ε_tier · M · coverage) ,   M = Π_k max(floor, proof_k)^(w_k / Σw)

over the five pillars (method section 3, Measures). With a coverage per pillar, M·coverage becomes
Π_k max(floor·C, s_k)^(w_k / Σw), with s_k the best proof x coverage of a pillar and C the best coverage: the same where
all coverages are one, and one more measure never raises the rate. Certificates and "zero cases reported" are no pillar:
they earn nothing. Measures of a parent company reach its sites.
"""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_columns import (
    Frame,
    Tables,
    by_then,
    completed,
    numbers,
    small_tables,
)
from vigilance.terms import HAZARDS, TIERS

if TYPE_CHECKING:
    from vigilance.rules import Judgements

_OPTIONAL: Final = {
    "_supplier_id": nw.String,
    "_parent_company": nw.String,
    "_coverage": nw.Float64,
    "_since": nw.Date,
}
_Z90: Final = 1.645


def attach(
    sites: Frame, measures: Frame | None, judgements: Judgements, on: date, *, tables: Tables | None = None
) -> Frame:
    """The sites with ``<h>_ln_measures`` (ln of the factor on the rate, at most 0) and ``<h>_measures_var``.

    Reads of the sites ``_supplier_id`` and, where present, ``_tier, _parent_company``; of the measures ``_pillar,
    _proof`` and, where present, ``_supplier_id, _parent_company, _coverage`` (0 to 1), ``_since``. A measure without a
    coverage or a date earns nothing: an empty field never lowers risk. The factor is the same for both hazards.
    """
    if measures is None:
        return sites.with_columns(
            **{f"{hazard}_{part}": nw.lit(0.0) for hazard in HAZARDS for part in ("ln_measures", "measures_var")}
        )
    found = _factors(sites, measures, judgements, on, tables or small_tables(sites))
    made = {}
    for hazard in HAZARDS:
        made[f"{hazard}_ln_measures"] = nw.col("_ln_factor")
        made[f"{hazard}_measures_var"] = nw.col("_sd_factor") * nw.col("_sd_factor")
    return found.with_columns(**made).drop("_ln_factor", "_sd_factor", "_measured_since")


def lines(sites: Frame, measures: Frame, judgements: Judgements, on: date, *, tables: Tables | None = None) -> Frame:
    """The explanation of the measures: one line per site and hazard with measures, of step ``rate``.

    Columns as in ``scoring.explain.COLUMNS``: ``supplier_id, hazard, step, factor`` ("measures"), ``ratio, low, high,
    source, since`` (of the newest measure), ``known``. The ratio multiplies the rate.
    """
    found = _factors(sites, measures, judgements, on, tables or small_tables(sites))
    found = found.filter(nw.col("_ln_factor") < 0)
    ln, reach = nw.col("_ln_factor"), nw.col("_sd_factor") * _Z90
    return nw.concat(
        [
            found.select(
                supplier_id=nw.col("_supplier_id"),
                hazard=nw.lit(str(hazard)),
                step=nw.lit("rate"),
                factor=nw.lit("measures"),
                ratio=ln.exp(),
                low=(ln - reach).exp(),
                high=(ln + reach).exp(),
                source=nw.lit("measures"),
                since=nw.col("_measured_since").cast(nw.String).fill_null(""),
                known=nw.lit(True),
            )
            for hazard in HAZARDS
        ]
    )


def _factors(sites: Frame, measures: Frame, judgements: Judgements, on: date, tables: Tables) -> Frame:
    """The sites with ``_ln_factor``, ``_sd_factor`` and ``_measured_since``."""
    columns = set(sites.collect_schema().names())
    rows = _read(measures, judgements, on, tables)
    own = rows.filter(~nw.col("_supplier_id").is_null())
    joined = sites.join(_best(own, judgements, "_supplier_id", "_own"), on="_supplier_id", how="left")
    sources = ["_own"]
    if "_parent_company" in columns:
        key = nw.col("_parent_company").str.strip_chars().str.to_lowercase()
        group = rows.filter(nw.col("_supplier_id").is_null(), ~nw.col("_parent_company").is_null())
        theirs = _best(group.with_columns(_parent_key=key), judgements, "_parent_key", "_group")
        joined = joined.with_columns(_parent_key=key).join(theirs, on="_parent_key", how="left").drop("_parent_key")
        sources.append("_group")
    return _combined(joined, sources, judgements, "_tier" in columns)


def _read(measures: Frame, judgements: Judgements, on: date, tables: Tables) -> Frame:
    """Measures in place on the date, with ``_worth`` = proof x coverage."""
    proof = numbers("measures.proof", judgements)
    rows = completed(measures, _OPTIONAL).filter(by_then("_since", on), nw.col("_coverage") > 0)
    rows = rows.join(tables({"_proof": list(proof), "_weight": list(proof.values())}), on="_proof", how="inner")
    covered = nw.when(nw.col("_coverage") > 1).then(1.0).otherwise(nw.col("_coverage"))
    return rows.with_columns(_coverage=covered, _worth=nw.col("_weight") * covered)


def _best(rows: Frame, judgements: Judgements, key: str, prefix: str) -> Frame:
    """Per site or company: the best worth of each pillar, the best coverage, the newest date."""
    pillars = numbers("measures.pillar", judgements)
    return (
        rows.filter(nw.col("_pillar").is_in(list(pillars)))
        .group_by(key)
        .agg(
            *(
                nw.when(nw.col("_pillar") == pillar)
                .then(nw.col("_worth"))
                .otherwise(0.0)
                .max()
                .alias(f"{prefix}_{pillar}")
                for pillar in pillars
            ),
            nw.col("_coverage").max().alias(f"{prefix}_coverage"),
            nw.col("_since").max().alias(f"{prefix}_since"),
        )
    )


def _combined(sites: Frame, sources: list[str], judgements: Judgements, tiered: bool) -> Frame:
    pillars = numbers("measures.pillar", judgements)

    def best(column: str) -> nw.Expr:
        return nw.max_horizontal(*(nw.col(f"{source}_{column}").fill_null(0.0) for source in sources))

    coverage = best("coverage")
    floor = coverage * judgements.value("measures.floor")
    ln_quality = nw.lit(0.0)
    for pillar, weight in pillars.items():
        worth = nw.when(coverage > 0).then(nw.max_horizontal(best(pillar), floor)).otherwise(1.0)
        ln_quality = ln_quality + worth.log() * (weight / math.fsum(pillars.values()))
    effect, spread = _effect(judgements, tiered)
    quality = nw.when(coverage > 0).then(ln_quality.exp()).otherwise(0.0)
    factor = 1.0 - effect * quality
    since = nw.max_horizontal(*(nw.col(f"{source}_since") for source in sources))
    used = [f"{source}_{part}" for source in sources for part in (*pillars, "coverage", "since")]
    return sites.with_columns(
        _ln_factor=nw.when(coverage > 0).then(factor.log()).otherwise(0.0),
        _sd_factor=nw.when(coverage > 0).then(quality / factor * spread).otherwise(0.0),
        _measured_since=since,
    ).drop(used)


def _effect(judgements: Judgements, tiered: bool) -> tuple[nw.Expr, nw.Expr]:
    """The largest effect of measures at the tier of a site, and its sd."""
    unknown = judgements.get("measures.effect.unknown")
    effect, spread = nw.lit(unknown.value), nw.lit(unknown.sd)
    if tiered:
        for tier in TIERS:
            found = judgements.get(f"measures.effect.{tier}")
            effect = nw.when(nw.col("_tier") == tier).then(found.value).otherwise(effect)
            spread = nw.when(nw.col("_tier") == tier).then(found.sd).otherwise(spread)
    return effect, spread
