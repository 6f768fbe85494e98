"""What past audits and their findings mean for the next visit: duties, rotation and patterns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from vigilance.planning.findings import column
from vigilance.planning.findings import read as read_findings
from vigilance.planning.inputs import SiteTable
from vigilance.planning.problem import Bools, Ints
from vigilance.planning.protocol import AuditProtocol
from vigilance.terms import HAZARDS

CONFIRMED = "confirmed"
"""An override whose name holds this word is a confirmed case."""


@dataclass(frozen=True)
class History:
    """Per site (N,): open and overdue findings, the last auditor, the worn notice, months of past visits.

    ``months`` holds a bit per calendar month (bit 0 is January) of the visits that would make a pattern.
    """

    open_finding: Bools
    overdue_critical: Bools
    confirmed: Bools
    last_auditor: pl.Series
    worn_notice: pl.Series
    months: Ints


def read(
    table: SiteTable,
    audits: pl.DataFrame | None,
    findings: pl.DataFrame | None,
    start: date,
    protocol: AuditProtocol,
) -> History:
    """Gather the history of every site before ``start``; tables may be missing."""
    base = table.frame.select(pl.col("_supplier_id").alias("id"))
    frame = base
    for part in (_visits(audits, start, protocol.pattern_length), _findings(findings, start, protocol)):
        frame = frame.join(part, on="id", how="left", maintain_order="left")
    flags = frame.select(pl.col("open", "overdue").fill_null(value=False), pl.col("months").fill_null(0))
    return History(
        open_finding=flags["open"].to_numpy(),
        overdue_critical=flags["overdue"].to_numpy(),
        confirmed=_confirmed(table.frame),
        last_auditor=frame["auditor"],
        worn_notice=frame["worn"],
        months=flags["months"].cast(pl.Int64).to_numpy(),
    )


def _visits(audits: pl.DataFrame | None, start: date, length: int) -> pl.DataFrame:
    schema = {"id": pl.String, "auditor": pl.String, "worn": pl.String, "months": pl.Int64}
    if audits is None or not audits.height:
        return pl.DataFrame(schema=schema)
    past = (
        audits.select(
            column(audits, "supplier_id", pl.String).alias("id"),
            column(audits, "audited_on", pl.Date),
            column(audits, "notice", pl.String),
            column(audits, "auditor", pl.String),
        )
        .filter(pl.col("audited_on") < start)
        .sort("id", "audited_on", "notice", "auditor", nulls_last=True)
    )
    latest = pl.col("notice").tail(length)
    repeated = (latest.len() == length) & (latest.n_unique() == 1)
    month_bits = pl.col("audited_on").dt.month().tail(length).unique().cast(pl.Int64)
    return past.group_by("id", maintain_order=True).agg(
        pl.col("auditor").last(),
        pl.when(repeated).then(latest.last()).alias("worn"),
        (pl.lit(2, pl.Int64).pow(month_bits - 1)).sum().cast(pl.Int64).alias("months"),
    )


def _findings(findings: pl.DataFrame | None, start: date, protocol: AuditProtocol) -> pl.DataFrame:
    if findings is None or not findings.height:
        return pl.DataFrame(schema={"id": pl.String, "open": pl.Boolean, "overdue": pl.Boolean})
    known = read_findings(findings, protocol)
    late = ~pl.col("settled") & pl.col("critical") & (pl.col("due_on") < start).fill_null(value=False)
    return known.group_by("id", maintain_order=True).agg(
        (~pl.col("settled") & pl.col("grave")).any().alias("open"), late.any().alias("overdue")
    )


def _confirmed(frame: pl.DataFrame) -> Bools:
    """Sites with a confirmed, unremediated case of either hazard."""
    named = [
        pl.col(f"{h}_override").cast(pl.String).fill_null("").str.to_lowercase().str.contains(CONFIRMED)
        for h in HAZARDS
    ]
    return frame.select(pl.any_horizontal(named).alias("confirmed"))["confirmed"].to_numpy()
