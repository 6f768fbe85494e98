"""Dates by the column: ISO, day or month first as the values decide, with the month in letters in English or French.

``01/02/2026`` is two days. Any value of the column that leaves no choice decides for all; where none does, the whole
column is refused with the two readings. Only the distinct texts are looked at, and they by expressions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import BLANK_WORDS, Cell, Check, Column, Distinct, Note, Plan, Reader, Text, lookup

_ = messages("ingest")

_ISO: Final = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?$"
_COMPACT: Final = r"^((?:19|20)\d{2})(\d{2})(\d{2})$"
_NUMERIC: Final = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ]\d{1,2}:\d{2}.*)?$"
_WORDED: Final = (
    r"^(?:\p{L}+\.?,?\s+)?(\d{1,2})(?:er|st|nd|rd|th)?[\s\-/.]+(?:de\s+|of\s+)?(\p{L}+)\.?,?[\s\-/.]+(\d{4})$"
)
_MONTH_FIRST: Final = r"^(\p{L}+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$"
_MONTHS: Final = {
    name: str(i)
    for i, names in enumerate(
        (
            "january jan janvier janv",
            "february feb février fevrier févr fevr fév fev",
            "march mar mars",
            "april apr avril avr",
            "may mai",
            "june jun juin",
            "july jul juillet juil",
            "august aug août aout",
            "september sep sept septembre",
            "october oct octobre",
            "november nov novembre",
            "december dec décembre decembre déc dec",
        ),
        1,
    )
    for name in names.split()
}


_YEARS: Final = (1900, 2100)
"""Years that the dates of a supplier list fall in; others are slips."""
_OPEN_END: Final = date(9999, 12, 31)
"""What databases write for a date that has no end."""


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """A date from its parts; null where there is no such day."""
    text = pl.concat_str(year, month.str.zfill(2), day.str.zfill(2), separator="-")
    return text.str.to_date("%Y-%m-%d", strict=False)


def _read(texts: pl.Series) -> pl.DataFrame:
    """For each distinct text: ``value``, ``sure`` (a date), ``day_first``, ``month_first`` (dates of the open form)."""
    value = pl.col("value")
    iso = _date(*(value.str.extract(_ISO, i) for i in (1, 2, 3)))
    compact = _date(*(value.str.extract(_COMPACT, i) for i in (1, 2, 3)))
    low = value.str.to_lowercase()
    worded = _date(
        low.str.extract(_WORDED, 3),
        lookup(low.str.extract(_WORDED, 2), _MONTHS, pl.String()),
        low.str.extract(_WORDED, 1),
    )
    month_named = _date(
        low.str.extract(_MONTH_FIRST, 3),
        lookup(low.str.extract(_MONTH_FIRST, 1), _MONTHS, pl.String()),
        low.str.extract(_MONTH_FIRST, 2),
    )
    first, second, year = (value.str.extract(_NUMERIC, i) for i in (1, 2, 3))
    return texts.to_frame("value").select(
        "value",
        sure=pl.coalesce(iso, compact, worded, month_named),
        day_first=_date(year, second, first),
        month_first=_date(year, first, second),
    )


def column(cell: Cell, column: Column) -> Reader:
    """A date; typed Date. ``options['past']`` refuses a date after ``on``."""
    found: pl.DataFrame = yield Distinct(cell.text)
    known = found.drop_nulls("value").filter(~pl.col("value").str.to_lowercase().is_in(list(BLANK_WORDS)))
    read = _read(known["value"]).join(known, on="value", how="left", maintain_order="left")
    open_ = read.filter(pl.col("day_first").is_not_null() & pl.col("month_first").is_not_null())
    open_ = open_.filter(pl.col("day_first") != pl.col("month_first"))
    only_day = read.filter(pl.col("day_first").is_not_null() & pl.col("month_first").is_null()).height
    only_month = read.filter(pl.col("month_first").is_not_null() & pl.col("day_first").is_null()).height
    order = _order(only_day, only_month)
    if order is None and open_.height == 0:
        order = "day_first"
    numeric = pl.coalesce("day_first", "month_first") if only_day == only_month == 0 else pl.col(order or "day_first")
    if order is None:
        numeric = pl.when(pl.col("day_first") == pl.col("month_first")).then("day_first")
    read = read.with_columns(date=pl.coalesce("sure", numeric))
    plan = _plan(cell, column, read, order, open_)
    # A word for unknown ("-") is as good as nothing, and a required date cannot be nothing.
    if not (cell.required and found.height > known.height):
        return plan
    unsaid = cell.text.is_null() | cell.text.str.to_lowercase().is_in(pl.Series(sorted(BLANK_WORDS)).implode())
    blank = replace(cell.blank(), key=pl.when(unsaid).then(pl.lit("blank")))
    return replace(plan, checks=[*plan.checks, blank], failing=True)


def _order(only_day: int, only_month: int) -> str | None:
    """Which part comes first, as the values that leave no choice say; None where they say nothing or both."""
    if only_day and not only_month:
        return "day_first"
    if only_month and not only_day:
        return "month_first"
    return None


def _plan(cell: Cell, column: Column, read: pl.DataFrame, order: str | None, open_: pl.DataFrame) -> Plan:
    late = pl.col("date") > cell.on if column.options.get("past") else pl.lit(False)
    judged = read.with_columns(
        key=pl.when(pl.col("date").is_null() & pl.col("day_first").is_not_null() & pl.col("month_first").is_not_null())
        .then(pl.lit("two"))
        .when(pl.col("date").is_null() & (pl.col("day_first").is_not_null() | pl.col("month_first").is_not_null()))
        .then(pl.lit("orders"))
        .when(pl.col("date").is_null())
        .then(pl.lit("none"))
        .when(~pl.col("date").dt.year().is_between(*_YEARS) & (pl.col("date") != _OPEN_END))
        .then(pl.lit("far"))
        .when(late)
        .then(pl.lit("late"))
    )
    bad = judged.drop_nulls("key")
    good = judged.filter(pl.col("key").is_null())
    example = open_.row(0, named=True) if open_.height else None
    readings = (
        _("it may be {first} or {second}, and no value of the column decides").format(
            first=example["day_first"], second=example["month_first"]
        )
        if example
        else ""
    )
    texts = {
        "two": Text("date_ambiguous", "error", readings, _("write dates as 2026-02-01")),
        "orders": Text(
            "date_ambiguous",
            "error",
            _("some cells of this column have the day first and some the month"),
            _("write dates as 2026-02-01"),
        ),
        "far": Text(
            "date_out_of_range",
            "error",
            _("outside the years {first} to {last}").format(first=_YEARS[0], last=_YEARS[1]),
            _("correct the date or leave the cell blank"),
        ),
        "none": Text("date_unreadable", "error", _("not a date"), _("write dates as 2026-02-01")),
        "late": Text(
            "date_in_future",
            "error",
            _("after the date of the run, {on}").format(on=cell.on),
            _("correct the date, or --on"),
        ),
    }
    notes = []
    if example is not None and order is not None:
        said = (
            _("day before month, as other values of this column show")
            if order == "day_first"
            else _("month before day, as other values of this column show")
        )
        hint = _("write dates as 2026-02-01")
        notes = [Note(Text("date_order", "info", said, hint), cell.header, example["value"], example["line"])]
    iso = good.with_columns(pl.col("date").cast(pl.String).alias("iso"))
    changed = iso.filter(pl.col("iso") != pl.col("value"))
    repaired = dict(changed.select("value", "iso").iter_rows())
    return Plan(
        typed={column.typed: lookup(cell.text, dict(good.select("value", "date").iter_rows()), pl.Date())},
        checks=[
            Check(
                cell.header,
                cell.text,
                lookup(cell.text, dict(bad.select("value", "key").iter_rows()), pl.String()),
                texts,
            )
        ]
        if bad.height
        else [],
        notes=notes,
        repaired=pl.coalesce(lookup(cell.text, repaired, pl.String()), pl.col(cell.name)) if repaired else None,
        failing=bad.height > 0,
    )
