"""Weights: percent or fraction, from values where they are missing, and whether they add up to what the file says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.errors import InputRefused
from vigilance.i18n import messages

_ = messages("portfolio")

SetApart = Callable[[pl.DataFrame, pl.Expr, str], pl.DataFrame]
FUND: Final = ["fund", "date"]
TOLERANCE: Final = 0.001
"""How far the sum of a file may lie from what the file says of itself before it is named."""


def duplicates(lines: pl.DataFrame, set_apart: SetApart, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """Name lines that stand twice in a fund, and drop the copies only where the weights betray them.

    A position split in two equal lots is no mistake: copies are dropped when the fund's weights add up to more than
    a whole with them, and come nearer to it without them.
    """
    same = ["fund", "date", "name", "isin", "lei", "ticker", "weight_text", "value_text", "currency", "kind"]
    copy = pl.int_range(pl.len()).over(same) > 0
    found = lines.filter(copy)
    if found.is_empty():
        return lines
    share = lines.with_columns(_share=_fraction(lines)).with_columns(_copy=copy)
    sums = share.group_by(FUND, maintain_order=True).agg(
        whole=pl.col("_share").sum(), once=pl.col("_share").filter(~pl.col("_copy")).sum()
    )
    betrayed = sums.filter(
        (pl.col("whole") > 1 + TOLERANCE) & ((pl.col("once") - 1).abs() < (pl.col("whole") - 1).abs())
    )
    share = share.join(betrayed.select(*FUND, _drop=pl.lit(value=True)), on=FUND, how="left", nulls_equal=True)
    drop = (pl.col("_copy") & pl.col("_drop").fill_null(value=False)).alias("_drop")
    marked = lines.with_columns(_drop=share.sort("_line").select(drop).to_series())
    problems.append(
        _named(
            found,
            "duplicate_line",
            "warning",
            _("This line stands twice. It counts twice unless the weights of the fund add up only without it."),
        )
    )
    return set_apart(marked, pl.col("_drop"), "duplicate").drop("_drop")


def _fraction(lines: pl.DataFrame) -> pl.Series:
    """Weights as fractions: percent or not is decided by the sum of the table, the header, or a percent sign."""
    table = lines.group_by("_table").agg(
        total=pl.col("weight").sum().abs(),
        percent=pl.col("_percent").any(),
        header=pl.col("_percent_header").any(),
        funds=pl.struct(FUND).n_unique(),
    )
    each = pl.col("total") / pl.col("funds")
    one = each.is_between(0.95, 1.05)
    scaled = table.select(
        "_table",
        _scale=pl.when(pl.col("percent"))
        .then(0.01)
        .when(one)
        .then(1.0)
        .when(pl.col("header") | (each > 1.5))
        .then(0.01)
        .otherwise(1.0),
    )
    joined = lines.select("_table", "weight").join(scaled, on="_table", how="left", maintain_order="left")
    return joined.select(pl.col("weight") * pl.col("_scale")).to_series()


def weigh(lines: pl.DataFrame, totals: pl.DataFrame, problems: list[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fractions of the whole for every line, and the table of funds with their reconciliation.

    A weight is what the file prints; a fund without weights takes them from its values. Several funds count by their
    value when all state one in the same currency, else equally.
    """
    lines = lines.with_columns(_stated=_fraction(lines), _worth=_worth(lines, problems))
    lines = lines.with_columns(
        _valued=(pl.col("_worth").is_not_null().all() & (pl.col("_worth").sum() > 0)).over(FUND),
        _without=pl.col("_stated").is_null().all().over(FUND),
    )
    _unweighed(lines)
    alone = pl.col("_worth") / pl.col("_worth").sum().over(FUND)
    lines = lines.with_columns(_weight=pl.when("_without").then(alone).otherwise(pl.col("_stated").fill_null(0.0)))
    table = _fund_table(lines, totals)
    problems.append(_reconciled(table))
    lines = lines.join(table.select(*FUND, "fund_share"), on=FUND, how="left", nulls_equal=True, maintain_order="left")
    final = lines.with_columns(weight=pl.col("_weight") * pl.col("fund_share")).drop(
        "_stated", "_worth", "_valued", "_without", "_weight", "fund_share"
    )
    return final, table


def _worth(lines: pl.DataFrame, problems: list[pl.DataFrame]) -> pl.Series:
    """Values in one currency per fund: as stated, or divided by the file's own exchange rate when it must be.

    A fund without weights whose values are in several currencies and without a rate cannot be added up.
    """
    stated = pl.coalesce("value_currency", "currency")
    mixed = stated.drop_nulls().n_unique().over(FUND) > 1
    unweighted = pl.col("weight").is_null().all().over(FUND)
    rated = (pl.col("fx").is_not_null() & (pl.col("fx") > 0)).all().over(FUND)
    marked = lines.with_columns(_mixed=mixed, _unweighted=unweighted, _rated=rated)
    lost = marked.filter(pl.col("_mixed") & pl.col("_unweighted") & ~pl.col("_rated"))
    if lost.height:
        raise InputRefused(
            _("{file}: values in several currencies ({found}) and no weights").format(
                file=lost["_file"][0],
                found=", ".join(lost.select(stated.unique().drop_nulls().sort()).to_series().head(5)),
            ),
            hint=_("Add a weight column, or an exchange rate per line (fx rate)."),
        )
    seen = marked.filter("_mixed").unique(FUND, keep="first", maintain_order=True)
    problems.append(
        _named(
            seen,
            "several_currencies",
            "info",
            _("The fund holds several currencies: its weights are used; without weights, values over their rate."),
        )
    )
    return marked.select(
        pl.when(pl.col("_mixed") & pl.col("_unweighted")).then(pl.col("value") / pl.col("fx")).otherwise("value")
    ).to_series()


def _unweighed(lines: pl.DataFrame) -> None:
    """Refuse a fund that has neither a weight nor a value on every line."""
    lost = lines.filter(pl.col("_without") & ~pl.col("_valued"))
    if lost.height:
        raise InputRefused(
            _("{file}: some lines of {fund} have no value and no line has a weight").format(
                file=lost["_file"][0], fund=lost["fund"][0]
            ),
            hint=_("Add a weight column, or fill the values."),
        )


def _fund_table(lines: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """One row per fund and date: sums stated and used, by sign, the file's own total, and the fund's share."""
    said = totals.group_by(FUND).agg(file_total_value=pl.col("value").max())
    table = (
        lines.group_by(FUND, maintain_order=True)
        .agg(
            file=pl.col("_file").first(),
            fund_isin=pl.col("fund_isin").drop_nulls().first(),
            lines=pl.len(),
            stated_sum=pl.col("_stated").sum(),
            weight_sum=pl.col("_weight").sum(),
            long_sum=pl.col("_weight").filter(pl.col("_weight") > 0).sum(),
            short_sum=pl.col("_weight").filter(pl.col("_weight") < 0).sum(),
            value_sum=pl.when(pl.col("_worth").is_not_null().all()).then(pl.col("_worth").sum()),
            value_currency=pl.coalesce("value_currency", "currency").drop_nulls().unique().sort().str.join("+"),
            weights_from=pl.when(pl.col("_without").all()).then(pl.lit("values")).otherwise(pl.lit("weights")),
        )
        .join(said, on=FUND, how="left", nulls_equal=True)
        .sort(FUND, nulls_last=True)
    )
    one_money = (
        (table["value_sum"].is_not_null() & (table["value_sum"] > 0)).all()
        and table["value_currency"].n_unique() == 1
        and "+" not in (table["value_currency"][0] or "")
    )
    share = pl.col("value_sum") / pl.col("value_sum").sum() if one_money else pl.lit(1.0 / table.height)
    return table.with_columns(fund_share=share if table.height > 1 else pl.lit(1.0))


def _reconciled(table: pl.DataFrame) -> pl.DataFrame:
    """Funds whose sums do not agree with what their file says of itself."""
    away = table.filter(
        ((pl.col("weight_sum") - 1).abs() > 10 * TOLERANCE)
        | ((pl.col("value_sum") / pl.col("file_total_value") - 1).abs() > TOLERANCE).fill_null(value=False)
    )
    text = pl.format("{} %", (pl.col("weight_sum") * 10_000 + 0.5).floor() / 100)
    return _named(
        away.with_columns(_value=text, _file="file", _sheet=pl.lit(""), _row=pl.lit(None, dtype=pl.Int64)),
        "weights_do_not_add_up",
        "warning",
        _("The weights of this fund do not add up to a whole, or its values not to the total of the file."),
    )


def _named(frame: pl.DataFrame, code: str, severity: str, message: str) -> pl.DataFrame:
    if frame.is_empty():
        return issues.frame()
    shown = pl.col("_value") if "_value" in frame.columns else pl.coalesce("name", "fund")
    return frame.select(
        code=pl.lit(code),
        severity=pl.lit(severity),
        file="_file",
        sheet="_sheet",
        row="_row",
        column=pl.lit("weight"),
        value=shown.fill_null("").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(message),
        hint=pl.lit(""),
    )
