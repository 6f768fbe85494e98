"""Audit tables in one vocabulary.

Typed columns where a run kept them, canonical words for topics and severities.
"""

from __future__ import annotations

import polars as pl

from vigilance.planning.protocol import AuditProtocol


def column(frame: pl.DataFrame, name: str, kind: type[pl.DataType]) -> pl.Expr:
    """A column under its typed (``_name``) or plain name, null when the table does not have it."""
    for candidate in (f"_{name}", name):
        if candidate in frame.columns:
            own = pl.col(candidate)
            if kind is pl.Date and frame.schema[candidate] == pl.String:
                return own.str.to_date("%Y-%m-%d", strict=False).alias(name)
            return own.cast(kind, strict=False).alias(name)
    return pl.lit(None, kind).alias(name)


def coded(word: pl.Expr, block: str, protocol: AuditProtocol) -> pl.Expr:
    """A user's word as the vocabulary's canonical one; null when it is not in the vocabulary."""
    known = protocol.words[block]
    folded = word.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return folded.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)


def read(findings: pl.DataFrame, protocol: AuditProtocol) -> pl.DataFrame:
    """Findings as ``id, audited_on, topic, due_on, critical, grave, settled``."""
    severity = coded(column(findings, "severity", pl.String), "severity", protocol)
    status = coded(column(findings, "status", pl.String), "status", protocol)
    return findings.select(
        column(findings, "supplier_id", pl.String).alias("id"),
        column(findings, "audited_on", pl.Date),
        coded(column(findings, "topic", pl.String), "topics", protocol).alias("topic"),
        column(findings, "due_on", pl.Date),
        (severity == "critical").fill_null(value=False).alias("critical"),
        severity.is_in(protocol.hit_severities).fill_null(value=False).alias("grave"),
        (
            column(findings, "closed_on", pl.Date).is_not_null()
            | status.is_in(protocol.settled_statuses).fill_null(value=False)
        ).alias("settled"),
    )
