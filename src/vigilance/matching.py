"""Entity lists and import bans against the sites: possible matches of names, for a person to decide.

    pairs = possible(lists, sites, judgements)          # every pair that looks alike, with its confidence
    pairs = with_decisions(pairs, read_decisions(path), on)

Names are compared without accents, punctuation and legal forms; the country is a second signal. A match is never more
than possible until a person confirms it, and decisions are kept in a file that is replayed on every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from vigilance import atomic
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages

if TYPE_CHECKING:
    from vigilance.rules import Judgements

_ = messages("evidence")

Decision = Literal["confirmed", "rejected"]
DECISIONS: Final = ("confirmed", "rejected")

DECISION_SCHEMA: Final = pl.Schema(
    {
        "list": pl.String,
        "name": pl.String,
        "supplier_id": pl.String,
        "decision": pl.String,
        "by": pl.String,
        "on": pl.Date,
    }
)
"""The file of decisions: CSV, UTF-8, this header; ``on`` as 2026-11-01."""

PAIR_SCHEMA: Final = pl.Schema(
    {
        "_list": pl.String,
        "_name": pl.String,
        "_alias": pl.String,
        "_supplier_id": pl.String,
        "_site_name": pl.String,
        "_country": pl.String,
        "_site_country": pl.String,
        "_similarity": pl.Float64,
        "_confidence": pl.Float64,
        "_since": pl.Date,
        "_until": pl.Date,
        "_decision": pl.String,
        "_by": pl.String,
        "_decided_on": pl.Date,
    }
)
"""A possible match: the pair as written (``_alias`` is the spelling that matched), similarity and confidence 0 to 1."""

LEGAL_FORMS: Final = (
    "ag",
    "aktiengesellschaft",
    "as",
    "asa",
    "bhd",
    "bv",
    "co",
    "coltd",
    "compagnie",
    "company",
    "corp",
    "corporation",
    "cv",
    "doo",
    "eirl",
    "eurl",
    "firma",
    "fzc",
    "fzco",
    "fze",
    "gmbh",
    "group",
    "groupe",
    "holding",
    "holdings",
    "inc",
    "incorporated",
    "international",
    "intl",
    "jsc",
    "kft",
    "kg",
    "kk",
    "limitada",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "ltee",
    "nv",
    "ooo",
    "ou",
    "oy",
    "oyj",
    "plc",
    "private",
    "pt",
    "pte",
    "pty",
    "pvt",
    "sa",
    "saa",
    "sac",
    "sarl",
    "sas",
    "sasu",
    "sca",
    "scrl",
    "sdn",
    "se",
    "sirketi",
    "sl",
    "slu",
    "snc",
    "sociedad",
    "sociedade",
    "societe",
    "sp",
    "spa",
    "spolka",
    "srl",
    "sro",
    "ste",
    "sti",
    "tbk",
    "tic",
    "uab",
    "unlimited",
    "ve",
    "viet",
    "zoo",
)
"""Words that say what kind of company it is, not which; folded. A vocabulary, not a judgement."""

_PREFIX: Final = 6
"""Letters of a word that two names must share to be compared: spares 10 million x 200 comparisons, forgives endings."""
_SAMPLE: Final = 200_000
"""Sites on which the commonness of a word is judged."""
_RULES: Final = "evidence.lists.matching"
_KEY: Final = ["list", "name", "supplier_id"]


def normalised(name: pl.Expr) -> pl.Expr:
    """A name as it is compared: small letters without accents or punctuation, legal forms left out.

    A name of nothing but legal forms keeps them.
    """
    plain = (
        name.str.normalize("NFKD")
        .str.replace_all(r"\p{M}+", "")
        .str.to_lowercase()
        .str.replace_all(r"[.'’]", "")
        .str.replace_all(r"[^\p{L}\p{N}]+", " ")
        .str.strip_chars()
    )
    forms = rf"\b(?:{'|'.join(LEGAL_FORMS)})\b"
    bare = plain.str.replace_all(forms, " ").str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(bare == "").then(plain).otherwise(bare)


def possible(lists: pl.DataFrame, sites: pl.LazyFrame, judgements: Judgements) -> pl.DataFrame:
    """Every pair of a listed name and a site that look alike: ``PAIR_SCHEMA``, surest first, undecided.

    ``lists`` has ``_list, _name`` and, where present, ``_aliases`` (separated by ; or |), ``_iso3``, ``_since``,
    ``_until``; ``sites`` has ``_supplier_id, _name`` and, where present, ``_iso3``. Only sites that share the beginning
    of a word with a listed name are compared, and words that too many sites carry do not count for that.
    """
    listed = _spellings(lists)
    tokens = _tokens(listed, "_entry")
    if tokens.is_empty():
        return PAIR_SCHEMA.to_frame()
    columns = sites.collect_schema().names()
    country = pl.col("_iso3") if "_iso3" in columns else pl.lit(None, dtype=pl.String)
    folded = sites.select(
        "_supplier_id",
        pl.col("_name").alias("_site_name"),
        country.alias("_site_country"),
        _folded=normalised(pl.col("_name")),
    )
    used = tokens.filter(~pl.col("_start").is_in(_common(folded, tokens, judgements)))
    # A name whose words are all common ("Global Textile") is compared as a whole: only the same words match it.
    whole = listed.join(used, on="_entry", how="anti")
    starts = [f" {start}" for start in used["_start"].unique().sort()]
    shares = (pl.lit(" ") + pl.col("_folded")).str.contains_any(starts) if starts else pl.lit(value=False)
    near = folded.filter(shares | pl.col("_folded").is_in(whole["_folded"].to_list())).collect(engine="streaming")
    candidates = pl.concat(
        [
            used.join(_tokens(near, "_supplier_id"), on="_start").select("_entry", "_supplier_id"),
            whole.select("_entry", "_folded").join(near, on="_folded").select("_entry", "_supplier_id"),
        ]
    ).unique()
    pairs = candidates.join(listed, on="_entry").join(near, on="_supplier_id", suffix="_site")
    return _compared(pairs, judgements)


def _spellings(lists: pl.DataFrame) -> pl.DataFrame:
    """One row per spelling of a listed name: ``_entry``, the list's own columns, ``_alias`` and ``_folded``."""
    optional = {"_aliases": pl.String, "_iso3": pl.String, "_since": pl.Date, "_until": pl.Date}
    full = lists.with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in optional.items() if name not in lists.columns
    )
    others = pl.col("_aliases").fill_null("").str.replace_all("|", ";", literal=True).str.split(";")
    return (
        full.with_columns(_alias=pl.concat_list(pl.concat_list(pl.col("_name")), others))
        .explode("_alias")
        .with_columns(pl.col("_alias").str.strip_chars())
        .filter(pl.col("_alias") != "")
        .with_columns(_folded=normalised(pl.col("_alias")))
        .filter(pl.col("_folded") != "")
        .unique(["_list", "_name", "_folded"], maintain_order=True)
        .with_row_index("_entry")
        .select("_entry", "_list", "_name", "_alias", "_folded", _country="_iso3", _since="_since", _until="_until")
    )


def _tokens(named: pl.DataFrame, key: str) -> pl.DataFrame:
    """The beginnings of the words of each name, words of two letters and less left out unless there is nothing else."""
    words = named.select(key, _word=pl.col("_folded").str.split(" ")).explode("_word")
    long = words.with_columns(_length=pl.col("_word").str.len_chars())
    kept = long.filter((pl.col("_length") > 2) | (pl.col("_length").max().over(key) <= 2))
    return kept.select(key, _start=pl.col("_word").str.slice(0, _PREFIX)).unique(maintain_order=True)


def _common(folded: pl.LazyFrame, tokens: pl.DataFrame, judgements: Judgements) -> list[str]:
    """The beginnings that too many sites carry, judged on the first sites of the list."""
    first = folded.select("_supplier_id", "_folded").head(_SAMPLE).collect()
    carried = _tokens(first, "_supplier_id").join(tokens.select("_start").unique(), on="_start", how="semi")
    least = max(
        judgements.value(f"{_RULES}.token_sites"), judgements.value(f"{_RULES}.token_share") * max(first.height, 1)
    )
    counted = carried.group_by("_start").len("_sites")
    return counted.filter(pl.col("_sites") > least)["_start"].to_list()


def _compared(pairs: pl.DataFrame, judgements: Judgements) -> pl.DataFrame:
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only where lists are given

    scores = process.cpdist(
        pairs["_folded"].to_list(), pairs["_folded_site"].to_list(), scorer=fuzz.token_sort_ratio, workers=-1
    )
    threshold = judgements.value(f"{_RULES}.threshold")
    alike = pairs.with_columns(_similarity=pl.Series(scores, dtype=pl.Float64) / 100.0).filter(
        pl.col("_similarity") >= threshold
    )
    same = pl.col("_country") == pl.col("_site_country")
    by_country = (
        pl.when(same.is_null())
        .then(judgements.value(f"{_RULES}.unknown_country"))
        .when(same)
        .then(judgements.value(f"{_RULES}.same_country"))
        .otherwise(judgements.value(f"{_RULES}.other_country"))
    )
    floor = judgements.value(f"{_RULES}.floor")
    certainty = floor + (1.0 - floor) * (pl.col("_similarity") - threshold) / (1.0 - threshold)
    scored = alike.with_columns(_confidence=certainty * by_country)
    best = scored.sort(
        ["_confidence", "_similarity", "_list", "_name", "_supplier_id", "_alias"],
        descending=[True, True, False, False, False, False],
    ).unique(["_list", "_name", "_supplier_id"], keep="first", maintain_order=True)
    undecided = {"_decision": pl.String, "_by": pl.String, "_decided_on": pl.Date}
    return best.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in undecided.items()).select(
        PAIR_SCHEMA.names()
    )


def with_decisions(pairs: pl.DataFrame, decisions: pl.DataFrame, on: date) -> pl.DataFrame:
    """The pairs with what people decided by a date: the newest decision of each pair holds."""
    newest = (
        decisions.filter(pl.col("on") <= on)
        .sort("on", "decision", maintain_order=True)
        .unique(_KEY, keep="last", maintain_order=True)
        .select(
            _list="list",
            _name="name",
            _supplier_id="supplier_id",
            _said="decision",
            _who="by",
            _when="on",
        )
    )
    joined = pairs.join(newest, on=["_list", "_name", "_supplier_id"], how="left", maintain_order="left")
    return joined.with_columns(_decision="_said", _by="_who", _decided_on="_when").select(PAIR_SCHEMA.names())


def read_decisions(path: Path) -> pl.DataFrame:
    """The decisions of a file, ``DECISION_SCHEMA``; none when there is no file yet.

    Raises ``InputRefused`` when the header, a date or a decision cannot be read: a decision is never guessed.
    """
    if not path.exists():
        return DECISION_SCHEMA.to_frame()
    try:
        read = pl.read_csv(path, schema={**DECISION_SCHEMA, "on": pl.String}, truncate_ragged_lines=False)
        found = read.with_columns(pl.col("on").str.to_date("%Y-%m-%d"))
    except pl.exceptions.PolarsError as error:
        raise InputRefused(
            _("the decisions in {path} cannot be read: {why}").format(path=path, why=str(error).splitlines()[0]),
            hint=_("The header is {columns}; dates are written 2026-11-01.").format(columns=",".join(DECISION_SCHEMA)),
        ) from error
    header = path.read_text(encoding="utf-8-sig").split("\n", 1)[0].strip()
    wrong = found.filter(~pl.col("decision").is_in(DECISIONS) | pl.any_horizontal(pl.col("*").is_null()))
    if header != ",".join(DECISION_SCHEMA) or not wrong.is_empty():
        raise InputRefused(
            _("the decisions in {path} have an unknown header, an empty cell or an unknown decision").format(path=path),
            hint=_("The header is {columns}; decisions are {words}.").format(
                columns=",".join(DECISION_SCHEMA), words=", ".join(DECISIONS)
            ),
        )
    return found


def decide(
    decisions: pl.DataFrame, pairs: Sequence[tuple[str, str, str]], decision: str, by: str, on: date
) -> pl.DataFrame:
    """The decisions with some more: ``pairs`` are (list, name, supplier_id). ``UsageError`` for an unknown decision."""
    if decision not in DECISIONS:
        raise UsageError(
            _("a match is {words}, not {decision}").format(words=_(" or ").join(DECISIONS), decision=decision)
        )
    added = pl.DataFrame([(*pair, decision, by, on) for pair in pairs], schema=DECISION_SCHEMA, orient="row")
    return pl.concat([decisions, added])


def write_decisions(decisions: pl.DataFrame, path: Path) -> None:
    """Save decisions, whole or not at all, in the order in which they were made."""
    atomic.write_bytes(path, decisions.select(DECISION_SCHEMA.names()).write_csv().encode("utf-8"))
