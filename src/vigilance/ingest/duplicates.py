"""Near duplicates within a list of sites, proposed as pairs with their values side by side and the reason.

Candidates come from blocks (same country and a rare word of the name, same LEI, same DUNS, same address); each pair is
then compared by name and address. Nothing is merged: a person decides, and decisions are kept in a CSV that is
replayed on the next list.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages

_ = messages("ingest")

SAME: Final = "same"
DIFFERENT: Final = "different"
LIKENESS: Final = 0.88
"""From this likeness (0 to 1) on a pair is proposed; below, a person would reject nearly all."""

_COMMONEST: Final = 50
"""Sites that share a word before it no longer tells sites apart."""

_LEGAL: Final = (
    r"\b(?:ltd|limited|inc|incorporated|llc|llp|plc|corp|corporation|co|company|pvt|private|public|gmbh|ag|kg|sa|sas|"
    r"sarl|eurl|spa|srl|bv|nv|ab|as|oy|aps|sdn|bhd|pt|tbk|jsc|ooo|pte|pty|ste|societe|group|groupe|the|factory|usine)\b"
)
_DECISION_COLUMNS: Final = ("supplier_id_1", "supplier_id_2", "decision")


def load(path: Path) -> pl.DataFrame:
    """Decisions saved before: ``supplier_id_1, supplier_id_2, decision`` (``same`` or ``different``).

    Raises ``InputRefused`` when a column is missing or a decision is another word.
    """
    try:
        decisions = pl.read_csv(path, infer_schema_length=0, encoding="utf8")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputRefused(_("{path} cannot be read: {reason}").format(path=path, reason=error)) from error
    lacking = [name for name in _DECISION_COLUMNS if name not in decisions.columns]
    if lacking:
        raise InputRefused(
            _("{path}: no column {columns}").format(path=path, columns=", ".join(lacking)),
            hint=_("its columns: {columns}").format(columns=", ".join(_DECISION_COLUMNS)),
        )
    decisions = decisions.select(_DECISION_COLUMNS).filter(pl.col("decision").str.len_bytes() > 0)
    odd = decisions.filter(~pl.col("decision").is_in([SAME, DIFFERENT]))
    if odd.height:
        raise InputRefused(
            _("{path}: '{word}' is no decision").format(path=path, word=odd["decision"][0]),
            hint=_("write same or different"),
        )
    return decisions


def save(decisions: pl.DataFrame, path: Path) -> None:
    """Write decisions so that ``load`` reads them, in a fixed order. Raises ``UsageError`` for a contradiction."""
    ordered = _ordered(decisions.select(_DECISION_COLUMNS)).unique().sort(_DECISION_COLUMNS)
    twice = ordered.group_by(_DECISION_COLUMNS[:2]).len().filter(pl.col("len") > 1)
    if twice.height:
        raise UsageError(_("the pair {pair} is decided both ways").format(pair=" / ".join(twice.row(0)[:2])))
    ordered.write_csv(path)


def _ordered(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs with the smaller id first."""
    low, high = pl.min_horizontal("supplier_id_1", "supplier_id_2"), pl.max_horizontal("supplier_id_1", "supplier_id_2")
    return pairs.with_columns(supplier_id_1=low, supplier_id_2=high)


def propose(rows: pl.LazyFrame, decisions: pl.DataFrame | None = None) -> pl.DataFrame:
    """Pairs of sites that may be one, the likeliest first.

    Columns: ``supplier_id_1, supplier_id_2, name_1, name_2, address_1, address_2, iso3, likeness`` (0 to 1)``, reason,
    decision`` (from ``decisions``, blank where none was taken). ``rows`` are those of an ``Intake`` of suppliers.
    """
    sites = _sites(rows)
    pairs = _ordered_candidates(sites)
    if not pairs.height:
        return _empty()
    compared = _compared(pairs, sites).filter(pl.col("likeness") >= LIKENESS)
    found = compared.select(_empty().columns[:-1])
    decided = _empty().select(_DECISION_COLUMNS) if decisions is None else _ordered(decisions)
    return (
        found.join(decided, on=["supplier_id_1", "supplier_id_2"], how="left")
        .with_columns(pl.col("decision").fill_null(""))
        .sort("likeness", "supplier_id_1", "supplier_id_2", descending=[True, False, False])
    )


def _empty() -> pl.DataFrame:
    text = ("supplier_id_1", "supplier_id_2", "name_1", "name_2", "address_1", "address_2", "iso3")
    schema = dict.fromkeys(text, pl.String) | {"likeness": pl.Float64, "reason": pl.String, "decision": pl.String}
    return pl.DataFrame(schema=schema)


def _sites(rows: pl.LazyFrame) -> pl.DataFrame:
    """The columns that pairs are compared by, folded beside as written."""
    have = rows.collect_schema().names()
    optional = [
        pl.col(c) if c in have else pl.lit(None, dtype=pl.String).alias(c) for c in ("_address", "_lei", "_duns")
    ]
    sites = rows.select("_supplier_id", "_name", "_iso3", *optional).collect(engine="streaming")

    def folded(column: str) -> pl.Expr:
        plain = pl.col(column).str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}", "")
        return plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()

    words = folded("_name").str.replace_all(_LEGAL, " ").str.replace_all(r"\s+", " ").str.strip_chars()
    return sites.with_columns(
        name=pl.when(words.str.len_chars() > 0).then(words).otherwise(folded("_name")), address=folded("_address")
    ).with_row_index("site")


def _ordered_candidates(sites: pl.DataFrame) -> pl.DataFrame:
    """Pairs of positions that share a block: ``a < b``, each once."""
    blocks = [
        sites.select("site", block=pl.format("n {} {}", "_iso3", pl.col("name").str.replace_all(" ", ""))),
        sites.select("site", pl.format("a {} {}", "_iso3", "address").alias("block")),
        sites.select("site", pl.format("l {}", "_lei").alias("block")),
        sites.select("site", pl.format("d {}", "_duns").alias("block")),
        sites.select("site", "_iso3", word=pl.col("name").str.split(" "))
        .explode("word")
        .filter(pl.col("word").str.len_chars() > 2)
        .select("site", pl.format("w {} {}", "_iso3", "word").alias("block")),
        sites.select("site", "_iso3", head=pl.col("name").str.replace_all(" ", "").str.head(6))
        .filter(pl.col("head").str.len_chars() == 6)
        .select("site", pl.format("h {} {}", "_iso3", "head").alias("block")),
    ]
    keyed = pl.concat(blocks).drop_nulls().unique()
    shared = keyed.filter(pl.len().over("block").is_between(2, _COMMONEST))
    return (
        shared.join(shared, on="block", suffix="_b")
        .filter(pl.col("site") < pl.col("site_b"))
        .select(a="site", b="site_b")
        .unique()
        .sort("a", "b")
    )


def _compared(pairs: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only when duplicates are asked for

    left = pairs.join(sites, left_on="a", right_on="site", how="left", maintain_order="left")
    right = pairs.join(sites, left_on="b", right_on="site", how="left", maintain_order="left")

    def likeness(column: str) -> pl.Series:
        one, two = left[column].fill_null("").to_list(), right[column].fill_null("").to_list()
        return pl.Series(process.cpdist(one, two, scorer=fuzz.token_sort_ratio, dtype=np.float64) / 100)

    frame = pl.DataFrame(
        {
            "id_1": left["_supplier_id"],
            "id_2": right["_supplier_id"],
            "name_1": left["_name"],
            "name_2": right["_name"],
            "address_1": left["_address"],
            "address_2": right["_address"],
            "iso3": left["_iso3"],
            "names": likeness("name"),
            "addresses": likeness("address"),
            "addressed": (left["address"].is_not_null() & right["address"].is_not_null()),
            "lei": (left["_lei"] == right["_lei"]).fill_null(value=False),
            "duns": (left["_duns"] == right["_duns"]).fill_null(value=False),
        }
    )
    both = pl.when("addressed").then(0.6 * pl.col("names") + 0.4 * pl.col("addresses")).otherwise(pl.col("names"))
    score = pl.when(pl.col("lei") | pl.col("duns")).then(pl.max_horizontal(both, pl.lit(LIKENESS))).otherwise(both)
    reason = (
        pl.when("duns")
        .then(pl.lit(_("same DUNS")))
        .when("lei")
        .then(pl.lit(_("same LEI")))
        .when((pl.col("names") == 1) & pl.col("addressed") & (pl.col("addresses") == 1))
        .then(pl.lit(_("same name and address")))
        .when(pl.col("names") == 1)
        .then(pl.lit(_("same name")))
        .when(pl.col("addressed") & (pl.col("addresses") == 1))
        .then(pl.lit(_("same address, similar name")))
        .otherwise(pl.lit(_("similar name")))
    )
    swap = pl.col("id_1") > pl.col("id_2")

    def side(name: str, other: str) -> pl.Expr:
        return pl.when(swap).then(other).otherwise(name)

    return frame.with_columns(likeness=(score * 1e4 + 0.5).floor() / 1e4, reason=reason).select(
        supplier_id_1=side("id_1", "id_2"),
        supplier_id_2=side("id_2", "id_1"),
        name_1=side("name_1", "name_2"),
        name_2=side("name_2", "name_1"),
        address_1=side("address_1", "address_2"),
        address_2=side("address_2", "address_1"),
        iso3=pl.col("iso3"),
        likeness=pl.col("likeness"),
        reason=pl.col("reason"),
    )
