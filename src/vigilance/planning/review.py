"""What past plans found, what simpler plans would have found, and what is likely where nobody audited.

Targeted audits cannot say how common harm is where nobody looked; the drawn ones can. Each drawn site stands
for 1/probability sites (Horvitz and Thompson 1952, as the ratio of Hájek 1971); intervals are Wilson's on the
effective number of sites (Kish 1965).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from vigilance.planning.findings import column
from vigilance.planning.findings import read as read_findings
from vigilance.planning.past import PastPlan
from vigilance.planning.problem import Floats
from vigilance.planning.protocol import INDEX, Action, AuditProtocol, sensitivities
from vigilance.terms import Hazard

Z = 1.6448536269514722
"""The 95 % point of the normal law: intervals hold 90 %."""


@dataclass(frozen=True)
class Rate:
    """A weighted share with its 90 % interval, the sites it rests on and their effective number."""

    share: float | None
    low: float | None
    high: float | None
    sites: int
    effective: float

    def said(self) -> dict[str, float | int | None]:
        """As it goes into JSON, quantised."""
        parts = (self.share, self.low, self.high)
        share, low, high = (None if p is None else math.floor(p * 1e6 + 0.5) / 1e6 for p in parts)
        return {"share": share, "low": low, "high": high, "sites": self.sites}


def rate(found: Floats, weight: Floats) -> Rate:
    """The weighted share of ``found`` (0 or 1), with Wilson's interval on Kish's effective number."""
    total = float(weight.sum())
    if not found.size or total <= 0:
        return Rate(None, None, None, int(found.size), 0.0)
    share = float((found * weight).sum() / total)
    effective = total**2 / float((weight**2).sum())
    centre = (share + Z**2 / (2 * effective)) / (1 + Z**2 / effective)
    half = Z / (1 + Z**2 / effective) * math.sqrt(share * (1 - share) / effective + Z**2 / (4 * effective**2))
    return Rate(share, max(0.0, centre - half), min(1.0, centre + half), int(found.size), effective)


def outcomes(
    plan: PastPlan, audits: pl.DataFrame, findings: pl.DataFrame | None, protocol: AuditProtocol
) -> pl.DataFrame:
    """The planned actions with what came of them: ``audited`` and ``hit`` (null while not audited).

    An audit counts for an action when it took place in the window of the plan. A hit is a grave finding of
    forced or child labour, or of an indicator of it; ``found`` in the audits (true or false) is used when
    there are no findings.
    """
    first, last = (date.fromisoformat(plan.figures[end]) for end in ("from", "to"))
    seen = audits.select(
        column(audits, "supplier_id", pl.String).alias("id"),
        column(audits, "audited_on", pl.Date),
        _found(audits),
    ).filter(pl.col("audited_on").is_between(pl.lit(first), pl.lit(last)))
    if findings is None:
        seen = seen.filter(pl.col("found").is_not_null())
    if findings is not None:
        named = read_findings(findings, protocol).filter(pl.col("grave") & pl.col("topic").is_in(protocol.hit_topics))
        marks = named.select("id", "audited_on", pl.lit(True).alias("named")).unique()
        seen = seen.join(marks, on=["id", "audited_on"], how="left").with_columns(
            (pl.col("named").fill_null(value=False) | pl.col("found").fill_null(value=False)).alias("found")
        )
    result = seen.group_by("id").agg(pl.col("found").any().alias("hit"))
    return plan.planned.join(
        result.with_columns(pl.lit(True).alias("audited")),
        left_on="supplier_id",
        right_on="id",
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("audited").fill_null(value=False))


def _found(audits: pl.DataFrame) -> pl.Expr:
    if "found" not in audits.columns:
        return pl.lit(None, pl.Boolean).alias("found")
    if audits.schema["found"] == pl.Boolean:
        return pl.col("found")
    said = pl.col("found").cast(pl.String).str.to_lowercase().str.strip_chars()
    return said.is_in(["true", "yes", "1", "oui", "vrai"]).alias("found")


def review(
    plans: Sequence[PastPlan],
    audits: pl.DataFrame,
    findings: pl.DataFrame | None,
    protocol: AuditProtocol,
) -> dict[str, Any]:
    """Each plan, and all of them together, against the baselines; see ``docs/plan.md`` for how to read it."""
    each = [(plan, outcomes(plan, audits, findings, protocol)) for plan in plans]
    return {
        "plans": [
            {"plan": str(plan.path.name), "seed": plan.figures["seed"], **_one(plan, seen, protocol)}
            for plan, seen in each
        ],
        "hit_rate": {
            by: _rate_of(pl.concat([seen for _plan, seen in each]).filter(pl.col("chosen_by") == by)).said()
            for by in ("mandatory", "value", "random")
        },
    }


def _one(plan: PastPlan, seen: pl.DataFrame, protocol: AuditProtocol) -> dict[str, Any]:
    audited = seen.filter("audited")
    everyone = _population(plan, seen)
    targeted = audited.filter(pl.col("chosen_by") == "value")
    return {
        "planned": seen.height,
        "audited": audited.height,
        "hits": int(audited["hit"].sum()),
        "hit_rate": _rate_of(targeted).said(),
        "baselines": {
            name: _baseline(everyone, targeted.height, by).said()
            for name, by in (("country_only", "country_risk"), ("spend_rank", "spend_eur"), ("random", None))
        },
        "not_audited": _unaudited(seen, plan, protocol),
    }


def _rate_of(audited: pl.DataFrame) -> Rate:
    known = audited.filter(pl.col("audited")) if "audited" in audited.columns else audited
    hits = known["hit"].cast(pl.Float64).fill_null(0.0).to_numpy()
    return rate(hits, np.ones(hits.size))


def _population(plan: PastPlan, seen: pl.DataFrame) -> pl.DataFrame:
    """Every site of the plan with its risk, its spend, its weight when audited, and what was found there."""
    columns = ["supplier_id", "country", "forced_labour_p50", "child_labour_p50", "spend_eur"]
    inside = seen.select(*columns, "audited", "hit", "probability", "chosen_by")
    outside = plan.left_out.select(
        *columns,
        pl.lit(False).alias("audited"),
        pl.lit(None, pl.Boolean).alias("hit"),
        pl.col("probability"),
        pl.lit("").alias("chosen_by"),
    )
    risk = pl.max_horizontal("forced_labour_p50", "child_labour_p50")
    whole = pl.concat([inside, outside]).sort("supplier_id")
    return whole.with_columns(risk.mean().over("country").alias("country_risk"))


def _baseline(everyone: pl.DataFrame, size: int, by: str | None) -> Rate:
    """The hit-rate that a plan of as many sites would have had if it had ranked them by a column.

    Estimated on the sites of that plan that were audited, each weighed by one over its chance of being
    audited; None ranks by nothing, so that the drawn sites alone speak.
    """
    if by is None:
        pool = everyone.filter(pl.col("audited") & (pl.col("chosen_by") == "random"))
    elif everyone[by].null_count() == everyone.height:
        return Rate(None, None, None, 0, 0.0)
    else:
        ranked = everyone.sort(by, "supplier_id", descending=[True, False], nulls_last=True).head(size)
        pool = ranked.filter("audited")
    weight = (1.0 / pool["probability"]).to_numpy().astype(np.float64)
    return rate(pool["hit"].cast(pl.Float64).fill_null(0.0).to_numpy(), weight)


def _unaudited(seen: pl.DataFrame, plan: PastPlan, protocol: AuditProtocol) -> dict[str, Any]:
    """Prevalence in what was not audited, as audits see it and corrected for what they miss."""
    drawn = seen.filter(
        pl.col("audited") & (pl.col("chosen_by") == "random") & ~pl.col("also_by_value").fill_null(value=False)
    )
    weight = (1.0 / drawn["probability"]).to_numpy().astype(np.float64)
    apparent = rate(drawn["hit"].cast(pl.Float64).fill_null(0.0).to_numpy(), weight)
    return {
        "sites": plan.left_out.height,
        "drawn": drawn.height,
        "as_audits_see_it": apparent.said(),
        "corrected": [{"sensitivity": case, **_corrected(apparent, case, protocol).said()} for case in protocol.cases],
    }


def _corrected(apparent: Rate, case: float, protocol: AuditProtocol) -> Rate:
    """Rogan and Gladen's estimator (1978).

    True share = (seen + Sp - 1) / (detection + Sp - 1), within [0, 1].

    The detection is that of the visits a draw uses (unannounced), concealment included, with the reference
    sensitivity at ``case``.
    """
    reference = protocol.sensitivity[Hazard.FORCED_LABOUR]
    shift = math.log(case / (1 - case)) - math.log(reference / (1 - reference))
    workers = np.array([protocol.size_limits[0]])
    row = INDEX[Action.UNANNOUNCED]
    found = float(sensitivities(protocol, Hazard.FORCED_LABOUR, workers, shift)[row, 0])
    detection = (1 - protocol.concealment[Action.UNANNOUNCED]) * found

    def true(share: float | None) -> float | None:
        if share is None:
            return None
        return min(1.0, max(0.0, (share + protocol.specificity - 1) / (detection + protocol.specificity - 1)))

    return Rate(true(apparent.share), true(apparent.low), true(apparent.high), apparent.sites, apparent.effective)
