"""Whom to ask what first: the issuers that weigh most, and the questions whose answers would tell most.

What an answer is worth is how far apart the places lie between which it would decide (for where an issuer and its
suppliers are), or what proven measures would take off the risk (for the four axes).
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from vigilance.i18n import messages
from vigilance.portfolio import company
from vigilance.portfolio.exposure import UPSTREAM
from vigilance.portfolio.screen import DIGITS, Screening
from vigilance.rules import Judgements
from vigilance.terms import HAZARDS

_ = messages("portfolio")

NAMED: Final = 3
"""Countries named in a question about a tier."""


def engagement(
    found: Screening, judgements: Judgements, names: dict[str, str], activities: dict[str, str]
) -> pl.DataFrame:
    """One row per issuer, hazard and question, the most useful first.

    Columns ``issuer, name, hazard, rank, weight, contribution_share, exposure_source, question_rank, question,
    text, reduces``; ``reduces`` is in points of presence (0 to 1) at the median. ``names``: countries by code.
    ``activities``: titles by division. Ranks are per hazard and never merged.
    """
    length, per_issuer = (int(judgements.value(f"portfolio.engagement.{k}")) for k in ("issuers", "questions"))
    parts = [_one(found, judgements, str(h), length, per_issuer) for h in HAZARDS]
    chosen = pl.concat(parts)
    return _worded(chosen, found, judgements, names, activities)


def _one(found: Screening, judgements: Judgements, hazard: str, length: int, per_issuer: int) -> pl.DataFrame:
    shares = found.contributions.filter((pl.col("hazard") == hazard) & (pl.col("dimension") == "issuer"))
    ranked = shares.select(issuer="key", contribution_share="share").head(length).with_row_index("rank", 1)
    ranked = ranked.with_columns(pl.col("rank").cast(pl.Int64))
    asked = pl.concat([_where(found, hazard), _efforts(found, judgements, hazard)]).join(ranked, on="issuer")
    best = (
        asked.filter(pl.col("reduces") > 0)
        .sort(["rank", "reduces", "question"], descending=[False, True, False])
        .with_columns(question_rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("issuer"))
        .filter(pl.col("question_rank") <= per_issuer)
    )
    table = found.issuers.select("issuer", "name", "weight", "exposure_source")
    return best.join(table, on="issuer", how="left", maintain_order="left").select(
        "issuer",
        "name",
        pl.lit(hazard).alias("hazard"),
        "rank",
        "weight",
        "contribution_share",
        "exposure_source",
        "question_rank",
        "question",
        "reduces",
    )


def _where(found: Screening, hazard: str) -> pl.DataFrame:
    """Questions on places: one standard deviation of where a tier may lie, as a change of presence."""
    p = found.issuers.select("issuer", left=1.0 - pl.col(f"{hazard}_inherent_p50"), source="exposure_source")
    spread = found.tiers.filter(pl.col("tier").is_in([0, 1, *UPSTREAM])).join(p, on="issuer")
    return spread.select(
        "issuer",
        question=pl.format("tier_{}", pl.col("tier").replace(0, 1)),
        reduces=pl.col("left") * pl.col(f"{hazard}_spread"),
    )


def _efforts(found: Screening, judgements: Judgements, hazard: str) -> pl.DataFrame:
    """Questions on the axes not assessed: what proven answers could at most take off, shared by the axes' weights."""
    effect = max(judgements.value(f"measures.effect.{t}") for t in (1, *UPSTREAM))
    weights = {a: judgements.value(f"portfolio.company.axis.{a}") for a in company.AXES}
    first = {q.axis: q.id for q in reversed(company.catalogue(judgements))}
    p = pl.col(f"{hazard}_inherent_p50")
    most = p - (1.0 - (1.0 - p) ** (1.0 - effect))
    frames = [
        found.issuers.filter(pl.col(f"axis_{a}").is_null() & p.is_not_null()).select(
            "issuer", question=pl.lit(first[a]), reduces=most * (w / sum(weights.values()))
        )
        for a, w in weights.items()
    ]
    return pl.concat(frames)


def _worded(
    chosen: pl.DataFrame, found: Screening, judgements: Judgements, names: dict[str, str], activities: dict[str, str]
) -> pl.DataFrame:
    """The questions as sentences, with the places that are assumed where a tier is asked for."""
    catalogue = {q.id: q.text for q in company.catalogue(judgements)}
    assumed = _assumed(found, chosen, names, activities)
    joined = chosen.join(assumed, on=["issuer", "hazard", "question"], how="left", maintain_order="left")
    own = _("In which countries and sites do your own operations take place? Assumed so far: {places}.")
    behind = _("Who are your suppliers at tier {tier}, and where? Assumed so far: {places}.")
    sentence: pl.Expr = pl.col("question").replace_strict(catalogue, default=None, return_dtype=pl.String)
    for tier in (1, *UPSTREAM):
        before, after = (own if tier == 1 else behind.replace("{tier}", str(tier))).split("{places}")
        text = pl.concat_str(pl.lit(before), pl.col("places").fill_null(_("nothing")), pl.lit(after))
        sentence = pl.when(pl.col("question") == f"tier_{tier}").then(text).otherwise(sentence)
    return (
        joined.with_columns(text=sentence, reduces=pl.col("reduces").round(DIGITS))
        .drop("places")
        .sort(["hazard", "rank", "question_rank"], descending=[True, False, False])
    )


def _assumed(found: Screening, chosen: pl.DataFrame, names: dict[str, str], activities: dict[str, str]) -> pl.DataFrame:
    """The heaviest activity and countries of each tier asked about, in words: ``issuer, hazard, question, places``."""
    asked = chosen.filter(pl.col("question").str.starts_with("tier_")).select("issuer", "hazard", "question")
    cells = (
        asked.with_columns(tier=pl.col("question").str.strip_prefix("tier_").cast(pl.Int8))
        .join(found.exposed.parts, on="issuer")
        .join(found.exposed.cells, on=["component", "tier"])
    )
    value: Any = pl.lit(0.0)
    for h in HAZARDS:
        mine = pl.col("share") * pl.col("weight") * pl.col(f"{h}_p50")
        value = pl.when(pl.col("hazard") == str(h)).then(mine).otherwise(value)
    keys = ["issuer", "hazard", "question"]
    summed = cells.group_by(*keys, "division", "iso3").agg(value=value.sum())
    countries = (
        summed.group_by(*keys, "iso3")
        .agg(pl.col("value").sum())
        .sort(["value", "iso3"], descending=[True, False])
        .group_by(keys, maintain_order=True)
        .agg(pl.col("iso3").head(NAMED).replace(names).str.join(", ").alias("where"))
    )
    what = (
        summed.group_by(*keys, "division")
        .agg(pl.col("value").sum())
        .sort(["value", "division"], descending=[True, False])
        .unique(keys, keep="first", maintain_order=True)
        .with_columns(pl.col("division").replace(activities))
    )
    return countries.join(what, on=keys).select(*keys, places=pl.format("{} ({})", "division", "where"))
