"""Who an issuer is: check digits, names without their legal clothing, and lines joined into issuers.

Keys in the order of trust: LEI, ISIN, ticker with exchange, name. Two lines are one issuer when they share a key and
nothing of more trust says otherwise; a name that is merely near is put to a person, never taken.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from vigilance import issues
from vigilance.i18n import messages
from vigilance.portfolio.vocabulary import flat, folded

_ = messages("portfolio")

Digits = npt.NDArray[np.int64]
Truth = npt.NDArray[np.bool_]

_SINGLE: Final = r" (?:class|cl|series|ser) [a-z0-9]$"


@cache
def _endings() -> tuple[str, str]:
    """Patterns of a share class and of a legal form at the end of a folded name."""
    classes, forms = ("|".join(sorted(flat(kind), key=len, reverse=True)) for kind in ("share_classes", "legal_forms"))
    return rf" (?:{classes})(?: [a-z0-9]| shares| s)?$", rf" (?:{forms})$"


MATCHES: Final = pl.Schema(
    {
        "name": pl.String,
        "candidate": pl.String,
        "candidate_id": pl.String,
        "similarity": pl.Float64,
        "decision": pl.String,
    }
)
"""The file that a person decides: fill ``decision`` with ``same`` or ``different`` and give it back."""


def valid_isin(codes: pl.Series) -> pl.Series:
    """Whether each text is an ISIN with the right check digit (ISO 6166); null stays null."""
    return _checked(codes, r"^[A-Z]{2}[A-Z0-9]{9}[0-9]$", 12, _luhn)


def valid_lei(codes: pl.Series) -> pl.Series:
    """Whether each text is an LEI with the right check digits (ISO 17442, modulo 97); null stays null."""
    return _checked(codes, r"^[A-Z0-9]{18}[0-9]{2}$", 20, _modulo_97)


def _checked(codes: pl.Series, shape: str, length: int, test: object) -> pl.Series:
    right = codes.str.contains(shape).fill_null(value=False)
    result = right.to_numpy().copy()
    if result.any():
        raw = codes.filter(right).to_numpy().astype(f"S{length}")
        chars = np.frombuffer(raw.tobytes(), dtype=np.uint8).reshape(-1, length).astype(np.int64)
        values = np.where(chars >= 65, chars - 55, chars - 48)
        result[result] = test(values)  # type: ignore[operator]
    answer = pl.DataFrame({"ok": result, "code": codes})
    return answer.select(pl.when(pl.col("code").is_not_null()).then("ok").alias("ok")).to_series()


def _luhn(values: Digits) -> Truth:
    """Letters count as two digits; every second digit from the right is doubled."""
    total = np.zeros(len(values), dtype=np.int64)
    double = np.zeros(len(values), dtype=bool)
    for column in range(values.shape[1] - 1, -1, -1):
        value = values[:, column]
        wide = value >= 10
        for digit, present in ((value % 10, np.ones(len(values), dtype=bool)), (value // 10, wide)):
            doubled = np.where(double, digit * 2, digit)
            total += np.where(present, doubled // 10 + doubled % 10, 0)
            double = np.where(present, ~double, double)
    return np.asarray(total % 10 == 0)


def _modulo_97(values: Digits) -> Truth:
    rest = np.zeros(len(values), dtype=np.int64)
    for column in range(values.shape[1]):
        value = values[:, column]
        rest = np.where(value >= 10, rest * 100 + value, rest * 10 + value) % 97
    return np.asarray(rest == 1)


def plain_name(column: str | pl.Expr) -> pl.Expr:
    """A company's name without share class and legal form: ``ALPHABET INC CLASS A`` and ``Alphabet Inc.`` are one."""
    classes, forms = _endings()
    expr = folded(column).str.replace(_SINGLE, "").str.replace(classes, "").str.replace(classes, "")
    for _round in range(3):
        expr = expr.str.replace(forms, "")
    return expr.str.replace(r"^the ", "")


def clean(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Identifiers in capitals without spaces; wrong ones blanked and named. Returns the lines and the issues."""
    tidy = lines.with_columns(
        pl.col(c).str.to_uppercase().str.replace_all(r"[^0-9A-Z]", "") for c in ("isin", "lei")
    ).with_columns(pl.when(pl.col(c).str.len_chars() > 0).then(pl.col(c)).alias(c) for c in ("isin", "lei"))
    isin, lei = valid_isin(tidy["isin"]), valid_lei(tidy["lei"])
    problems = [
        _wrong(
            lines.filter(~isin.fill_null(value=True)),
            "isin",
            "isin_check",
            _("Not an ISIN: the check digit or the form is wrong."),
        ),
        _wrong(
            lines.filter(~lei.fill_null(value=True)),
            "lei",
            "lei_check",
            _("Not an LEI: the check digits or the form are wrong."),
        ),
    ]
    tidy = tidy.with_columns(isin=pl.when(pl.lit(isin)).then("isin"), lei=pl.when(pl.lit(lei)).then("lei"))
    return tidy, issues.ordered(problems)


def _wrong(lines: pl.DataFrame, column: str, code: str, message: str) -> pl.DataFrame:
    return lines.select(
        code=pl.lit(code),
        severity=pl.lit("warning"),
        file="_file",
        sheet="_sheet",
        row="_row",
        column=pl.lit(column),
        value=pl.col(column).str.replace_all(r"[\x00-\x1f\x7f]", " ").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(message),
        hint=pl.lit(_("The line is kept; its issuer is known by the other identifiers or by name.")),
    )


def group(lines: pl.DataFrame, decided: pl.DataFrame | None = None) -> pl.DataFrame:
    """Give each line an ``issuer`` number: lines joined by LEI, ISIN, ticker and exchange, or name.

    A name joins only where it stands for one LEI and one country at most, so that two companies of one name stay
    two. ``decided`` adds pairs of plain names (``name, candidate``) that a person called the same.
    """
    keyed = lines.with_columns(_plain=plain_name(pl.col("name").fill_null("")))
    keyed = keyed.with_columns(_plain=pl.when(pl.col("_plain").str.len_chars() > 0).then("_plain"))
    if decided is not None and decided.height:
        same = dict(zip(decided["name"].to_list(), decided["candidate"].to_list(), strict=True))
        keyed = keyed.with_columns(_plain=pl.col("_plain").replace(same))
    safe = (
        keyed.filter(pl.col("_plain").is_not_null())
        .group_by("_plain")
        .agg(leis=pl.col("lei").drop_nulls().n_unique(), lands=pl.col("iso3").drop_nulls().n_unique())
    )
    safe_names = safe.filter((pl.col("leis") <= 1) & (pl.col("lands") <= 1))["_plain"]
    keyed = keyed.with_columns(
        _name_key=pl.when(pl.col("_plain").is_in(safe_names.implode()))
        .then("_plain")
        .otherwise(
            pl.concat_str(
                "_plain", pl.coalesce("lei", "iso3", "isin", "ticker", pl.lit("?")), separator="\0", ignore_nulls=False
            )
        ),
        _ticker_key=pl.when(pl.col("exchange").is_not_null()).then(
            pl.concat_str(pl.lit("t"), "ticker", "exchange", separator="\0")
        ),
    )
    keyed = keyed.with_row_index("_n")
    one_lei = keyed.group_by("isin").agg(n=pl.col("lei").drop_nulls().n_unique()).filter(pl.col("n") <= 1)["isin"]
    edges = pl.concat(
        [
            keyed.select("_n", key=pl.concat_str(pl.lit("l"), "lei", separator="\0")),
            keyed.filter(pl.col("isin").is_in(one_lei.implode())).select(
                "_n", key=pl.concat_str(pl.lit("i"), "isin", separator="\0")
            ),
            keyed.select("_n", key="_ticker_key"),
            keyed.select("_n", key=pl.concat_str(pl.lit("n"), "_name_key", separator="\0")),
        ]
    ).drop_nulls()
    return lines.with_columns(issuer=pl.Series(_linked(edges, lines.height)))


def _linked(edges: pl.DataFrame, n: int) -> npt.NDArray[np.int64]:
    """Connected lines as numbers in the order of their first line."""
    # The smallest line number spreads along shared keys until nothing changes: a few rounds, and no need of scipy.
    lines = edges["_n"].to_numpy().astype(np.int64)
    keys = edges.select(k=pl.col("key").rank("dense").cast(pl.Int64) - 1)["k"].to_numpy()
    component = np.arange(n, dtype=np.int64)
    while True:
        least = np.full(int(keys.max()) + 1 if len(keys) else 0, n, dtype=np.int64)
        np.minimum.at(least, keys, component[lines])
        spread = component.copy()
        np.minimum.at(spread, lines, least[keys])
        if np.array_equal(spread, component):
            break
        component = spread
    _unique, inverse = np.unique(component, return_inverse=True)
    return np.asarray(inverse, dtype=np.int64)


def near(names: pl.Series, candidates: pl.DataFrame, asked: float) -> pl.DataFrame:
    """Pairs of names near enough that a person should decide; ``MATCHES`` with an empty decision.

    ``names`` and ``candidates`` (``id, name``) are plain names; the best candidate of each name is shown.
    """
    if names.is_empty() or candidates.is_empty():
        return pl.DataFrame(schema=MATCHES)
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only when there is something to ask

    known = candidates.unique("name", keep="first", maintain_order=True)
    scores = process.cdist(names.to_list(), known["name"].to_list(), scorer=fuzz.token_sort_ratio, score_cutoff=asked)
    best = scores.argmax(axis=1)
    top = scores[np.arange(len(best)), best]
    return (
        pl.DataFrame({"name": names, "_at": best.astype(np.int64), "similarity": top.astype(np.float64)})
        .filter(pl.col("similarity") >= asked)
        .with_columns(
            candidate=pl.col("_at").replace_strict(dict(enumerate(known["name"].to_list())), return_dtype=pl.String),
            candidate_id=pl.col("_at").replace_strict(dict(enumerate(known["id"].to_list())), return_dtype=pl.String),
            decision=pl.lit(""),
        )
        .select(MATCHES.names())
        .sort("similarity", "name", descending=[True, False])
    )
