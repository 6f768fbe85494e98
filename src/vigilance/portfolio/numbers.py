"""Numbers and dates as fund files write them, decided by the column and never by one cell."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import polars as pl

_SPACES: Final = r"[\s\u00a0\u202f'’]"
_BOTH_DOT_LAST: Final = r"^\d{1,3}(?:,\d{2,3})*\.\d*$"
_BOTH_COMMA_LAST: Final = r"^\d{1,3}(?:\.\d{3})*,\d*$"
_COMMA_THOUSANDS: Final = r"^\d{1,3}(?:,\d{3})+$"
_DOT_ONLY: Final = r"^\d{1,3}\.\d{3}$|^\d{1,3}(?:\.\d{3}){2,}$"

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier",
            "feb february fev fevr fevrier",
            "mar march mars",
            "apr april avr avril",
            "may mai",
            "jun june juin",
            "jul july juil juillet",
            "aug august aout",
            "sep sept september septembre",
            "oct october octobre",
            "nov november novembre",
            "dec december decembre",
        ),
        start=1,
    )
    for name in names.split()
}


def decimal_sign(texts: pl.Series) -> str | None:
    """``.`` or ``,`` when the column decides it, None when nothing in it does."""
    bare = _bare(texts.drop_nulls()).drop_nulls()
    comma = bare.str.contains(",", literal=True)
    dot = bare.str.contains(".", literal=True)
    both = bare.filter(comma & dot)
    only_comma, only_dot = bare.filter(comma & ~dot), bare.filter(dot & ~comma)
    last_comma = _count(both.str.contains(_BOTH_COMMA_LAST)) + _count(~only_comma.str.contains(_COMMA_THOUSANDS))
    last_dot = _count(both.str.contains(_BOTH_DOT_LAST)) + _count(~only_dot.str.contains(_DOT_ONLY))
    if last_comma and not last_dot:
        return ","
    if last_dot or (bare.filter(comma).len() and not last_comma):
        return "."
    return None


def _count(flags: pl.Series) -> int:
    return int(flags.sum() or 0)


def parsed(texts: pl.Series, sign: str | None) -> pl.Series:
    """Text to numbers under one decimal sign (``.`` when None); null where the text is no such number.

    Reads thousands separators, a trailing percent sign (the number before it), brackets and signs for negatives.
    """
    negative = texts.str.contains(r"^\s*\(.*\)\s*$|^\s*[-−–]|-\s*$")
    bare = _bare(texts)
    thousands, point = (",", ".") if sign != "," else (".", ",")
    shape = rf"^(?:\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{2,3}})+)?(?:{re.escape(point)}\d*)?(?:[eE][-+]?\d+)?$"
    sound = bare.str.contains(shape) & bare.str.contains(r"\d")
    plain = bare.str.replace_all(thousands, "", literal=True).str.replace(point, ".", literal=True)
    frame = pl.DataFrame({"t": plain, "ok": sound, "neg": negative})
    value = pl.when("ok").then("t").cast(pl.Float64, strict=False)
    return frame.select(pl.when("neg").then(-value).otherwise(value).alias(texts.name)).to_series()


def _bare(texts: pl.Series) -> pl.Series:
    """Digits, signs of separation and exponents only."""
    return (
        texts.str.replace_all(_SPACES, "")
        .str.replace_all(r"^[(\-−–+]+|[)\-]+$", "")
        .str.replace_all(r"[%$€£¥]|(?i)^(usd|eur|gbp)|(?i)(usd|eur|gbp)$", "")
        .str.replace_all(r"^[(\-−–+]+|[)\-]+$", "")
    )


def day(text: str) -> date | None:
    """A day in an unambiguous spelling, anywhere in the text; None otherwise (01/02/2026 is nobody's guess)."""
    plain = text.strip().lower().translate(str.maketrans("éèêûô", "eeeuo"))
    if m := re.search(r"\b(\d{4})-(\d{2})-(\d{2})\b", plain) or re.search(r"\b(20\d{2})(\d{2})(\d{2})\b", plain):
        return _date(int(m[1]), int(m[2]), int(m[3]))
    if m := re.search(r"\b(\d{1,2})(?:er)?[-/. ]([a-z]{3,9})\.?[-/. ,]+(\d{4})\b", plain):
        return _date(int(m[3]), _MONTHS.get(m[2], 0), int(m[1]))
    if m := re.search(r"\b([a-z]{3,9})\.?[-/. ](\d{1,2}),?[-/. ]+(\d{4})\b", plain):
        return _date(int(m[3]), _MONTHS.get(m[1], 0), int(m[2]))
    if m := re.search(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b", plain):
        one, two, year = int(m[1]), int(m[2]), int(m[3])
        if one == two or one > 12:
            return _date(year, two, one)
        if two > 12:
            return _date(year, one, two)
    return None


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None
