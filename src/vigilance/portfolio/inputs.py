"""What the screening takes from the rest of the project, behind one function each.

Places, activities, footprints, judgements and the scores of cells come in here and nowhere else in this part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from vigilance.portfolio.vocabulary import fold, folded, words
from vigilance.terms import HAZARDS, QUANTILES

MEASURES: Final = tuple(f"{hazard}_{name}" for hazard in HAZARDS for name, _q in QUANTILES)
"""The eight measures of a cell: presence at four quantiles, per hazard."""

SCHEMES: Final = (
    "gics",
    "icb",
    "isic4",
    "nace2",
    "naf2",
    "isic4_section",
    "keyword_en",
    "keyword_fr",
    "osh_sector",
    "naics3",
    "naics4",
    "naics2",
)
"""Where an activity in words is looked up, first hit first: vendors' sectors, then statistics, then plain words."""

_DOTTED: Final = re.compile(r"^(?:[A-U])?(\d{2})[.\s]\d{1,2}[A-Z]?$")
_DIVISION: Final = re.compile(r"^(?:[A-U])?(\d{2})$")


class Facts(Protocol):
    """The facts as of a date: ``Reference.in_force(on)``."""

    def table(self, name: str) -> pl.DataFrame:
        """One table of ``data/``."""
        ...


class Judgements(Protocol):
    """The judgements in force: ``Rulebook.in_force(on)``."""

    def value(self, path: str) -> float:
        """One number."""
        ...

    def table(self, name: str) -> pl.DataFrame:
        """One table of judgements."""
        ...


CellScorer = Callable[[pl.DataFrame], pl.DataFrame]
"""Cells ``iso3, division, tier`` to the same rows with the eight ``MEASURES``; null where a cell cannot be scored."""


@dataclass(frozen=True)
class World:
    """Where activities are done and what they buy, typed and normalised.

    ``footprint``: ``division, iso3, share`` (adds up to 1 per division). ``upstream``: ``division, tier, upstream,
    share`` (adds up to 1 per division and tier: the share that the table leaves open stands at its average).
    """

    footprint: pl.DataFrame
    upstream: pl.DataFrame


def world(facts: Facts, judgements: Judgements) -> World:
    """The sector footprint (``data/footprint``) and the upstream judgements (``rules/tables/upstream``).

    Flows that tell where workers come from (seafarers, agency and domestic workers) say nothing of where they work
    and are left out; those activities stay in the country of domicile.
    """
    footprint = (
        facts.table("footprint")
        .filter((pl.col("commodity").fill_null("all") == "all") & ~pl.col("flow").str.contains("origin|nationality"))
        .group_by(division="isic_division", iso3="iso3")
        .agg(pl.col("share").sum())
        .sort("division", "iso3")  # before the sum: the order of a sum of floats decides its last digit
        .with_columns(share=pl.col("share") / pl.col("share").sum().over("division"))
    )
    upstream = (
        judgements.table("upstream")
        .group_by(division="division", tier=pl.col("upstream_tier").cast(pl.Int8), upstream="upstream_division")
        .agg(share=pl.col("value").sum())
        .sort("division", "tier", "upstream")
        .with_columns(share=pl.col("share") / pl.col("share").sum().over("division", "tier"))
    )
    return World(footprint, upstream)


def places(texts: pl.Series, countries: pl.DataFrame) -> pl.DataFrame:
    """Countries in any usual spelling: ``text, iso3`` for each distinct text that is one (exact after folding).

    The words of fund files first, then whatever ``ingest`` reads in supplier lists (all languages of the CLDR).
    """
    names = [
        countries.select(key=folded(column), iso3="iso3")
        for column in ("name_en", "name_fr", "name_iso")
        if column in countries.columns
    ]
    codes = [countries.select(key=pl.col(c).str.to_lowercase(), iso3="iso3") for c in ("iso3", "iso2")]
    spelt = words("places")
    extra = pl.DataFrame(
        {"key": list(spelt), "iso3": list(spelt.values())}, schema={"key": pl.String, "iso3": pl.String}
    )
    known = pl.concat([extra, *names, *codes]).drop_nulls().unique("key", keep="first", maintain_order=True)
    found = texts.drop_nulls().unique().sort().to_frame("text").with_columns(key=folded("text"))
    matched = found.join(known, on="key").select("text", "iso3")
    left = found.join(matched, on="text", how="anti")["text"].to_list()
    if not left:
        return matched
    from vigilance.ingest.countries import country  # noqa: PLC0415 - only an unusual spelling pays for it

    more = [(text, code) for text in left if isinstance(code := country(text), str)]
    return pl.concat([matched, pl.DataFrame(more, schema=matched.schema, orient="row")])


def from_isin(isins: pl.Series, countries: pl.DataFrame) -> pl.Series:
    """The country in the first two letters of an ISIN: where the security is registered, the weakest of domiciles."""
    codes = countries.select(key="iso2", iso3="iso3").drop_nulls()
    prefixes = isins.str.slice(0, 2).to_frame("key")
    return prefixes.join(codes, on="key", how="left", maintain_order="left")["iso3"]


def activities(texts: pl.Series, aliases: pl.DataFrame, *, codes: str) -> pl.DataFrame:
    """Activities in words or codes as mixes of ISIC divisions: ``text, division, weight`` (adds up to 1 per text).

    ``codes`` says what bare digits are: ``gics`` in a fund file, ``isic`` in a company's own declaration.
    """
    spelt = texts.drop_nulls().unique().sort().to_list()
    book = _book(aliases)
    found = [(text, *key) for text in spelt if (key := _code(text, book, codes)) is not None]
    direct = [(text, d) for text in spelt if (d := _division(text, codes)) is not None]
    taken = {text for text, *_rest in found}
    keys = pl.DataFrame(found, schema={"text": pl.String, "scheme": pl.String, "code": pl.String}, orient="row")
    mixes = keys.join(
        aliases.group_by("scheme", "code", division="isic_division").agg(pl.col("weight").cast(pl.Float64).max()),
        on=["scheme", "code"],
    ).select("text", "division", "weight")
    plain = pl.DataFrame(
        [(text, division, 1.0) for text, division in direct if text not in taken],
        schema={"text": pl.String, "division": pl.String, "weight": pl.Float64},
        orient="row",
    )
    both = pl.concat([mixes, plain]).sort("text", "division")
    return both.with_columns(weight=pl.col("weight") / pl.col("weight").sum().over("text"))


@dataclass(frozen=True)
class _Book:
    labels: dict[str, tuple[str, str]]
    codes: set[tuple[str, str]]


def _book(aliases: pl.DataFrame) -> _Book:
    order = pl.DataFrame({"scheme": SCHEMES, "rank": range(len(SCHEMES))})
    known = (
        aliases.with_columns(scheme=pl.col("scheme").str.to_lowercase())
        .join(order, on="scheme")
        .with_columns(key=folded("label"), short=pl.col("code").str.len_chars())
        .sort("rank", "short", "code")
        .unique("key", keep="first", maintain_order=True)
    )
    labels = {key: (scheme, code) for key, scheme, code in known.select("key", "scheme", "code").iter_rows()}
    codes = set(aliases.select(pl.col("scheme").str.to_lowercase(), "code").unique().iter_rows())
    return _Book(labels, codes)


def _code(text: str, book: _Book, codes: str) -> tuple[str, str] | None:
    word = fold(text)
    bare = text.strip()
    if codes == "gics" and bare.isdigit() and ("gics", bare) in book.codes:
        return ("gics", bare)
    if bare.isdigit() and len(bare) in {6, 8}:
        return next((key for scheme in ("gics", "icb") if (key := (scheme, bare)) in book.codes), None)
    sector = words("sectors").get(word)
    if sector is not None and fold(sector) in book.labels:
        return book.labels[fold(sector)]
    return book.labels.get(word)


def _division(text: str, codes: str) -> str | None:
    bare = text.strip().upper()
    match = _DOTTED.match(bare) or (_DIVISION.match(bare) if codes == "isic" or not bare.isdigit() else None)
    if match is None and codes == "isic" and bare.isdigit() and len(bare) in {3, 4}:
        return bare[:2]
    return match[1] if match else None
