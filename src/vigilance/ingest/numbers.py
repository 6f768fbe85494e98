"""Numbers as people write them, read by the column: one decimal mark for all of it, said once when it is not the dot.

``1 234,56``, ``1,234.56``, ``1.234,56``, ``1'234.5``, ``40 %``. Which mark is the decimal one is decided by the values
that leave no choice; the values of a column that speak against the majority are set aside, and so is whatever is not
a number or is out of range. Nothing is null-filled.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import BLANK_WORDS, Cell, Check, Column, Counts, Note, Plan, Reader, Text
from vigilance.ingest.folding import INVISIBLE
from vigilance.ingest.phrasing import rounded, several

_ = messages("ingest")

_GAPS: Final = (
    r"[\s\x{a0}\x{202f}\x{2009}'’" + "".join(f"\\x{{{ord(c):x}}}" if c != "-" else "-" for c in INVISIBLE) + "]"
)
_DECORATION: Final = r"(?i)^(?:eur|usd|€|\$|£|us\$)|(?:eur|usd|€|\$|£|%)$"
_SPACED: Final = r"^[+-]?\d{1,3}(?:[\s\x{a0}\x{202f}\x{2009}'’]\d{3})+(?:[.,]\d+)?\s*[%€$£]?$"

_PLAIN: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_DOT_DECIDES: Final = (
    r"^[+-]?(?:\d*\.(?:\d{1,2}|\d{4,})|0+\.\d+|\d{4,}\.\d+|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\.\d+)$"
)
_COMMA_DECIDES: Final = (
    r"^[+-]?(?:\d*,(?:\d{1,2}|\d{4,})|0+,\d+|\d{4,},\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|,\d+)$"
)
_DOT_OPEN: Final = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
_COMMA_OPEN: Final = r"^[+-]?[1-9]\d{0,2},\d{3}$"
_DOT_STYLE: Final = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?$|^[+-]?\.\d+$"
_COMMA_STYLE: Final = r"^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?$|^[+-]?,\d+$"
_RANGE: Final = r"^(?:between\s+|entre\s+|from\s+|de\s+)?(\d+)\s*(?:-|–|—|to|and|et|à|a|\.\.+)\s*(\d+)$"
_BOUND: Final = (
    r"^(?:>=?|<=?|≥|≤|~|≈|±|more than|over|at least|plus de|au moins|less than|under|up to|at most|moins de|jusqu'à|"
    r"about|around|approx\.?|approximately|environ|env\.?|circa|ca?\.)?"
    r"\s*(\d+)\s*(?:\+|et plus|or more|and more|and above)?$"
)
_PEOPLE: Final = (
    r"\s*(?:employees?|workers?|people|persons?|pers\.?|staff|headcount|fte|salariée?s?|employée?s?|ouvriers?|"
    r"personnes?|travailleurs?|collaborateurs?|etp)$"
)
"""What is counted, behind the count."""
_POINTED: Final = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
_UNKNOWN: Final = pl.Series(sorted(BLANK_WORDS))


@dataclass(frozen=True, slots=True)
class Style:
    """How the numbers of a column are written. ``decimal`` is the mark; ``clash`` rows of the other style are bad.

    ``open`` says that nothing decides what a dot before three digits is: those cells are bad.
    """

    decimal: str = "."
    plain: bool = True
    clash: bool = False
    open: bool = False


def bare(cell: Cell) -> pl.Expr:
    """The text without gaps between digits, currency signs and per-cent sign; words for unknown become null."""
    text = cell.text
    known = pl.when(~text.str.to_lowercase().is_in(_UNKNOWN.implode())).then(text)
    return known.str.replace_all("−", "-", literal=True).str.replace_all(_GAPS, "").str.replace_all(_DECORATION, "")


def parsed(text: pl.Expr, style: Style) -> pl.Expr:
    """Float64 of a bare text under a style; null where the text is not such a number."""
    other = "," if style.decimal == "." else r"\."
    pattern = _DOT_STYLE if style.decimal == "." else _COMMA_STYLE
    plain = text.str.replace_all(other, "").str.replace(",", ".", literal=True)
    fits = text.str.contains(pattern)
    if style.decimal == ".":
        fits = fits | text.str.contains(_PLAIN)
    if style.clash:
        fits = fits & ~text.str.contains(_COMMA_OPEN if style.decimal == "." else _DOT_OPEN)
    if style.open:
        fits = fits & ~text.str.contains(_DOT_OPEN)
    return pl.when(fits).then(plain.cast(pl.Float64, strict=False))


@dataclass(frozen=True, slots=True)
class Settled:
    """A column whose style is known: the value of a cell, and whether the first pass saw a bad one."""

    style: Style
    value: pl.Expr
    notes: list[Note]
    seen: Mapping[str, Any]
    failing: bool


def settle(
    cell: Cell,
    low: float,
    high: float,
    *,
    whole: bool = False,
    money: bool = False,
    extra: Mapping[str, pl.Expr] | None = None,
) -> Generator[Counts, Mapping[str, Any], Settled]:
    """Decide the style of a column; ``whole`` says that its numbers count things, so ``1.234`` is a thousand.

    Of ``money``, which has no thousandths, ``1.234`` is refused where no value of the column says what its dot is.
    ``extra`` are further counts to take in the same pass.
    """
    quick = cell.number
    seen = yield Counts(
        {
            "unread": cell.rows(cell.text.is_not_null() & quick.is_null()),
            "fraction": cell.rows(quick != quick.floor()) if whole else pl.lit(0),
            "pointed": cell.rows(cell.text.str.contains(".", literal=True)) if whole or money else pl.lit(0),
            "low": quick.min(),
            "high": quick.max(),
            **(extra or {}),
        }
    )
    thousands = 0
    if seen["pointed"]:
        looked = yield Counts({"thousands": cell.rows(cell.text.str.contains(_POINTED))})
        thousands = looked["thousands"]
    if not seen["unread"] and not seen["fraction"] and not thousands:
        failing = seen["low"] is not None and (seen["low"] < low or seen["high"] > high)
        return Settled(Style(), quick, [], seen, failing)
    text = bare(cell)
    classes = yield Counts(
        {
            "dot": cell.rows(text.str.contains(_DOT_DECIDES)),
            "comma": cell.rows(text.str.contains(_COMMA_DECIDES)),
            "dot_open": cell.rows(text.str.contains(_DOT_OPEN)),
            "comma_open": cell.rows(text.str.contains(_COMMA_OPEN)),
            "spaced": cell.rows(cell.text.str.contains(_SPACED)),
            "unknown": cell.rows(cell.text.str.to_lowercase().is_in(_UNKNOWN.implode())),
        }
    )
    style = _style(classes, whole=whole, money=money)
    return Settled(style, parsed(text, style), _style_notes(cell, classes, style), seen, failing=True)


def _style(seen: Mapping[str, int], *, whole: bool, money: bool) -> Style:
    dot, comma = seen["dot"], seen["comma"]
    if dot and comma:
        return Style("." if dot >= comma else ",", plain=False, clash=True)
    if comma:
        return Style(",", plain=False)
    if dot:
        return Style(".", plain=False)
    both = bool(seen["dot_open"] and seen["comma_open"])
    thousands = seen["dot_open"] and whole and not both
    undecided = seen["dot_open"] and money and not both
    return Style("," if thousands else ".", plain=False, clash=both, open=bool(undecided))


def _style_notes(cell: Cell, seen: Mapping[str, int], style: Style) -> list[Note]:
    said: list[tuple[str, str, str]] = []
    if style.decimal == "," and seen["comma"]:
        said.append(("number_comma", "info", _("the comma is read as the decimal mark in this column")))
    elif style.decimal == ",":
        said.append(("number_thousands", "warning", _("the dot is read as a mark of thousands in this column")))
    elif seen["comma_open"]:
        severity = "info" if seen["dot"] else "warning"
        said.append(("number_thousands", severity, _("the comma is read as a mark of thousands in this column")))
    if seen["spaced"]:
        said.append(("number_spaced", "info", _("blanks between digits are read as marks of thousands")))
    if seen["unknown"]:
        unknown = several(
            seen["unknown"],
            _("{count} cell says that the number is not known"),
            _("{count} cells say that the number is not known"),
        )
        said.append(("number_unknown", "info", unknown))
    hint = _("write plain numbers, for instance 1234.56")
    return [Note(Text(code, "warning" if s == "warning" else "info", m, hint), cell.header) for code, s, m in said]


def faults(cell: Cell, value: pl.Expr, style: Style, low: float, high: float) -> Check:
    """The check of a numeric column: unreadable, or outside ``low`` to ``high``."""
    unreadable = (
        _("not a number in the style of this column, which has both decimal dots and decimal commas")
        if style.clash
        else _("a number, or its dot is a mark of thousands: no value of the column decides")
        if style.open
        else _("not a number")
    )
    known = cell.text.is_not_null() if style.plain else bare(cell).is_not_null()
    return Check(
        cell.header,
        cell.text,
        pl.when(known & value.is_null())
        .then(pl.lit("unreadable"))
        .when(~value.is_between(low, high))
        .then(pl.lit("range")),
        {
            "unreadable": Text(
                "number_unreadable", "error", unreadable, _("write a plain number, for instance 1234.56")
            ),
            "range": Text(
                "number_out_of_range",
                "error",
                _("outside {low} to {high}").format(low=rounded(low), high=rounded(high)),
                _("correct the number or leave the cell blank"),
            ),
        },
    )


def number(cell: Cell, column: Column) -> Reader:
    """A number between ``options['low']`` and ``options['high']``; typed Float64."""
    low, high = column.options["low"], column.options["high"]
    settled = yield from settle(cell, low, high, money=bool(column.options.get("money")))
    return _plan(cell, column, settled)


def _plan(cell: Cell, column: Column, settled: Settled) -> Plan:
    check = faults(cell, settled.value, settled.style, column.options["low"], column.options["high"])
    return Plan(
        typed={column.typed: settled.value},
        checks=[check],
        notes=settled.notes,
        repaired=None if settled.style.plain else repaired(settled.value),
        failing=settled.failing,
    )


def repaired(value: pl.Expr) -> pl.Expr:
    """The number as plain text: whole numbers without a decimal mark; blank where unknown."""
    whole = value.cast(pl.Int64, strict=False)
    return pl.when(value == whole.cast(pl.Float64)).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))


def count(cell: Cell, column: Column) -> Reader:
    """A count of people, a range (``100-500``: geometric middle) or a bound (``> 1000``); typed Float64."""
    settled = yield from settle(cell, column.options["low"], column.options["high"], whole=True)
    if settled.style.plain:
        return _plan(cell, column, settled)
    exact = settled.value
    plain = cell.text.str.to_lowercase().str.replace(_PEOPLE, "").str.strip_chars()
    text = plain.str.replace_all(r"(\d)[\s\x{a0}\x{202f},.'’](\d{3})\b", "${1}${2}")
    low = text.str.extract(_RANGE, 1).cast(pl.Float64, strict=False)
    high = text.str.extract(_RANGE, 2).cast(pl.Float64, strict=False)
    middle = pl.when((low <= high) & (low > 0)).then((low * high).sqrt().floor())
    bound = text.str.extract(_BOUND, 1).cast(pl.Float64, strict=False)
    seen = yield Counts(
        {
            "ranges": cell.rows(exact.is_null() & middle.is_not_null()),
            "bounds": cell.rows(exact.is_null() & middle.is_null() & bound.is_not_null()),
        }
    )
    notes = [*settled.notes, *_range_notes(cell, seen)]
    return _plan(cell, column, replace(settled, value=pl.coalesce(exact, middle, bound), notes=notes))


def _range_notes(cell: Cell, seen: Mapping[str, int]) -> list[Note]:
    hint = _("write one number where you know it")
    notes = []
    if seen["ranges"]:
        text = several(
            seen["ranges"],
            _("{count} cell holds a range: its geometric middle is read"),
            _("{count} cells hold a range: its geometric middle is read"),
        )
        notes.append(Note(Text("number_range", "info", text, hint), cell.header))
    if seen["bounds"]:
        text = several(
            seen["bounds"],
            _("{count} cell holds a bound or an estimate: the number itself is read"),
            _("{count} cells hold a bound or an estimate: the number itself is read"),
        )
        notes.append(Note(Text("number_bound", "info", text, hint), cell.header))
    return notes


def share(cell: Cell, column: Column) -> Reader:
    """A share, written 0.4, 40 or ``40 %`` by the whole column; typed Float64 from 0 to 1."""
    quick = cell.number
    settled = yield from settle(cell, 0, 1, extra=_scales(cell, quick))
    raw, seen = settled.value, settled.seen
    signed = pl.lit(False)
    if not settled.style.plain:
        signed = cell.text.str.ends_with("%")
        scales = _scales(cell, pl.when(~signed).then(raw))
        seen = yield Counts({**scales, "signed": cell.rows(signed & raw.is_not_null())})
    percent = seen["percents"] > seen["fractions"]
    whole = not percent and not seen["fractions"] and not seen.get("signed", 0) and seen["ones"]
    value = pl.when(signed | pl.lit(percent)).then(raw / 100).otherwise(raw)
    # A fraction in a column of per cent, and the reverse, is one of two numbers a hundred times apart.
    stray = (~signed & (raw > 0) & (raw < 1)) if percent else pl.lit(False)
    check = faults(cell, value, settled.style, 0, 1)
    text = Text(
        "share_ambiguous",
        "error",
        _("a fraction in a column of percentages"),
        _("write all shares the same way: 0.4, or 40 %"),
    )
    check = replace(
        check,
        key=pl.when(stray).then(pl.lit("stray")).otherwise(check.key),
        texts={**check.texts, "stray": text},
    )
    notes = settled.notes
    if percent:
        said = _("read as per cent: 40 is 0.4")
        notes = [*notes, Note(Text("share_percent", "info", said, _("or write shares from 0 to 1")), cell.header)]
    if whole:
        said = _("1 is read as all, 100 %: no value of the column says whether it is one per cent")
        notes = [*notes, Note(Text("share_whole", "warning", said, _("write 100 % or 1 %")), cell.header)]
    return Plan(
        typed={column.typed: value},
        checks=[check],
        notes=notes,
        repaired=None if settled.style.plain and not percent and not whole else _rewritten(value),
        failing=settled.failing,
    )


def _rewritten(value: pl.Expr) -> pl.Expr:
    """Shares as plain text; all of it with its sign, because a 1 alone might be one per cent."""
    return pl.when(value == 1).then(pl.lit("100%")).otherwise(repaired(value))


def _scales(cell: Cell, value: pl.Expr) -> dict[str, pl.Expr]:
    return {
        "fractions": cell.rows((value > 0) & (value < 1)),
        "percents": cell.rows((value > 1) & (value <= 100)),
        "ones": cell.rows(value == 1),
    }


NUMERIC: Final = (number, count, share)
"""The parsers that look at ``Cell.number``."""
