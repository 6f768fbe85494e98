"""What of a grievance goes on: codes and words of a vocabulary, never a text that somebody wrote.

A name, an e-mail address or a telephone number can stand in any cell. A cell is therefore kept where it is of a known
form, and nothing of it is shown where it is not: not in the issues, not among the rows set aside, not in an alert.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import polars as pl

from vigilance.ingest.intake import Intake
from vigilance.rules import Judgements
from vigilance.scoring.evidence_columns import spellings

NUMBER: Final = r"^(?:[A-Z]{1,5}[-_/.#]?(?:20\d\d[-_/.])?|20\d\d[-_/.])?\d{1,6}$"
"""A ticket number such as ``G-2026-014`` or ``1234``; a telephone number has more digits."""
DIGEST: Final = r"^#[0-9a-f]{16}$"
LANGUAGE: Final = r"^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$"
"""An ISO 639 code, with or without a country or a script."""
NOT_LETTERS: Final = r"[^\p{L}\p{N}]+"
OTHER: Final = "other"


def guarded(intake: Intake) -> Intake:
    """An intake whose issues and rows set aside say where something is wrong, and nothing of what stands there."""
    return replace(
        intake,
        issues=intake.issues.with_columns(value=pl.lit("")),
        rejected=intake.rejected.with_columns(original=pl.lit(b"", dtype=pl.Binary)),
    )


def kept(rows: pl.DataFrame, judgements: Judgements, zones: Collection[str]) -> pl.DataFrame:
    """Typed grievances with what may be kept of their texts.

    An id that is no ticket number becomes a digest of itself, the same for the same id; a channel that is in no list is
    ``other``; an indicator that is in none, a language that is no code, a zone that neither a list nor a site knows
    (``zones``) are left out.
    """
    made: dict[str, pl.Expr] = {}
    if "_channel" in rows.columns:
        folded = _folded("_channel")
        known = folded.is_in(list(_words(judgements, "channels")))
        made["_channel"] = pl.when(known).then(folded).when(folded.is_not_null()).then(pl.lit(OTHER))
    if "_indicator" in rows.columns:
        made["_indicator"] = pl.when(_folded("_indicator").is_in(list(_words(judgements, "topics")))).then("_indicator")
    if "_language" in rows.columns:
        code = pl.col("_language").str.to_lowercase()
        made["_language"] = pl.when(code.str.contains(LANGUAGE)).then(code)
    if "_zone" in rows.columns:
        made["_zone"] = pl.when(pl.col("_zone").is_in(list(zones))).then("_zone")
    return rows.with_columns(numbered(rows["_incident_id"]), **made)


def _folded(column: str) -> pl.Expr:
    """A word as the vocabulary looks it up (``evidence_columns.folded``)."""
    return pl.col(column).str.to_lowercase().str.replace_all(NOT_LETTERS, " ").str.strip_chars()


def _words(judgements: Judgements, block: str) -> dict[str, str]:
    return spellings(judgements.words(f"evidence.vocabulary.coding.{block}"))


def numbered(ids: pl.Series) -> pl.Series:
    """Ids of incidents: ticket numbers as they are, any other text as a digest of it."""
    plain = ids.is_null() | ids.str.contains(NUMBER) | ids.str.contains(DIGEST)
    return ids if plain.all() else ids.scatter((~plain).arg_true(), _digests(ids.filter(~plain)))


def _digests(texts: pl.Series) -> pl.Series:
    """``#`` and the first 16 digits of the sha256 of each text; DuckDB has it as a function on columns."""
    import duckdb  # noqa: PLC0415 - only for tickets whose ids are texts

    with duckdb.connect(":memory:") as connection:
        given = connection.from_arrow(texts.alias("id").to_frame().to_arrow())
        made: pl.DataFrame = given.project("'#' || substr(sha256(id), 1, 16) AS id").pl()
    return made["id"]


def masked(sources: pl.Expr) -> pl.Expr:
    """Sources of events without e-mail addresses, and without telephone numbers where they are no address of a page."""
    plain = sources.str.replace_all(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "…")
    spoken = plain.str.replace_all(r"\+?\(?\d(?:[\s().-]?\d){8,}", "…")
    return pl.when(plain.str.contains("://", literal=True)).then(plain).otherwise(spoken)
