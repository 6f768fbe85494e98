"""Rows of evidence about what the list of sites does not have: a site, a company, or a place.

A row that names a site the list does not have is set aside (docs/bad-input.md): an id is either right or wrong.
Companies and places are different: a file of events may well tell of the whole world. Such rows stay, and it is said
once how many of them reach no site of the list; for measures, which are the user's own, as a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.i18n import messages
from vigilance.ingest.columns import Text
from vigilance.register import ID
from vigilance.scoring.evidence_pieces import ENTITY_KEYS
from vigilance.scoring.evidence_places import LEVELS

_ = messages("run")

AT_SITES: Final = ("audits", "findings", "grievances", "measures")
"""Tables whose rows may name a site in a column of its own."""
AROUND: Final = ("events", "grievances", "measures")
"""Tables whose rows may be about a company or a place instead."""


def named_sites(name: str, frame: pl.DataFrame) -> tuple[str, pl.Series] | None:
    """The column in which the rows of a typed evidence table name a site, and the id in each; None where none does."""
    if name == "events":
        return "place", pl.select(pl.when(frame["_place_kind"] == "site").then(frame["_place"])).to_series()
    if name in AT_SITES and ID in frame.columns:
        return "supplier_id", frame[ID]
    return None


def of_unknown_sites(frame: pl.DataFrame, named: pl.Series, places: pl.Series) -> pl.DataFrame:
    """The rows that name a site which is not in the list: ``line, value, code, severity, message, hint`` of each.

    ``named`` are the ids that the rows name, ``places`` where they stand in the list (``Register.places``).
    """
    text = Text("orphan", "error", _("no site of the list has this id"), _("correct the id, or add the site"))
    found = frame.select("_line", value=named).filter(places.is_null() & named.is_not_null())
    return found.select(
        line="_line",
        value="value",
        code=pl.lit(text.code),
        severity=pl.lit(text.severity),
        message=pl.lit(text.message),
        hint=pl.lit(text.hint),
    )


def told_of_elsewhere(name: str, frame: pl.DataFrame, sites: pl.LazyFrame, file: str) -> pl.DataFrame:
    """What is said of a table's rows about companies and places that no site of the list has (``issues.SCHEMA``)."""
    if name not in AROUND:
        return issues.frame([])
    there = set(sites.collect_schema().names())
    lost = sum(_lost(named, [key for key in keys if key in there], sites) for named, keys in _named(name, frame))
    if not lost:
        return issues.frame([])
    said = issues.issue(
        "elsewhere",
        _("{rows} rows are about a company or a place that no site of the list has: they move no site").format(
            rows=lost
        ),
        severity="warning" if name == "measures" else "info",
        file=file,
    )
    return issues.frame([said])


def _named(name: str, frame: pl.DataFrame) -> Iterator[tuple[pl.Series, tuple[str, ...]]]:
    """What the rows without a site name, and the columns of the sites that may hold it."""
    companies = tuple(ENTITY_KEYS.values())
    if name == "events":
        for kind, keys in {**LEVELS, "entity": companies}.items():
            yield frame.filter(pl.col("_place_kind") == kind)["_place"], keys
        return
    column, keys = ("_zone", LEVELS["zone"]) if name == "grievances" else ("_parent_company", companies[:1])
    if column in frame.columns:
        others = frame if ID not in frame.columns else frame.filter(pl.col(ID).is_null())
        yield others[column].drop_nulls(), keys


def _lost(named: pl.Series, keys: list[str], sites: pl.LazyFrame) -> int:
    """How many of some names no site has under any of the keys; companies as the core compares them."""
    if named.is_empty() or not keys:
        return named.len()
    company = set(keys) <= set(ENTITY_KEYS.values())
    # A region is looked up in the first of its columns that is there, a company in both of its own.
    read = keys if company else keys[:1]
    name = pl.col("name").str.strip_chars().str.to_lowercase() if company else pl.col("name")
    wanted = named.to_frame("name").select(name)
    known = pl.concat([sites.select(name=key).select(name) for key in read])
    met = known.join(wanted.lazy().unique(), on="name", how="semi").unique().collect(engine="streaming")
    return wanted.join(met, on="name", how="anti").height
