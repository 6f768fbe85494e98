"""Funds of funds: a fund that another file of the same screening opens is replaced by its own lines."""

from __future__ import annotations

from typing import Final

import polars as pl

from vigilance import issues
from vigilance.i18n import messages
from vigilance.portfolio.vocabulary import folded

_ = messages("portfolio")

DEPTH: Final = 4
"""Funds in funds in funds: beyond this, what is left is set apart unopened (and a circle ends)."""


def look_through(lines: pl.DataFrame, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """Open the funds held, where their holdings were given too; weights multiply on the way.

    A fund that is held by another one of the files is not counted a second time on its own.
    """
    held = lines.filter(pl.col("kind") == "fund")
    if held.is_empty():
        return lines
    lines = lines.with_columns(_key=pl.coalesce("isin", folded("name")))
    inner = _inside(lines)
    problems.append(_report(held))
    if inner.is_empty():
        return lines.drop("_key")
    held_funds = inner["fund"].unique()
    top = lines.filter(~pl.col("fund").is_in(held_funds.to_list()))
    if top.is_empty():
        return lines.drop("_key")
    scale = pl.col("weight") / top["weight"].sum() * lines["weight"].sum()
    done: list[pl.DataFrame] = []
    front = top.with_columns(weight=scale)
    for _depth in range(DEPTH):
        opened = front.filter(pl.col("kind") == "fund").join(
            inner.select(_key="_id", _inner="fund").unique("_key"), on="_key", how="left"
        )
        done.extend((front.filter(pl.col("kind") != "fund"), opened.filter(pl.col("_inner").is_null()).drop("_inner")))
        inside = opened.filter(pl.col("_inner").is_not_null())
        if inside.is_empty():
            front = inside.drop("_inner")
            break
        whole = inner.with_columns(_w=pl.col("weight") / pl.col("weight").sum().over("fund"))
        front = (
            inside.select(_inner="_inner", _outer="weight", _top="fund")
            .join(whole.rename({"fund": "_inner"}), on="_inner")
            .with_columns(weight=pl.col("_w") * pl.col("_outer"), fund=pl.col("_top"))
            .select(front.columns)
        )
    done.append(front)
    return pl.concat(done).drop("_key")


def _inside(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines of the funds that are themselves held, with ``_id``: how a holder would name that fund."""
    keys = lines.filter(pl.col("kind") == "fund").select("_key").unique()
    by_name = lines.with_columns(_id=folded("fund"))
    by_isin = lines.with_columns(_id=pl.col("fund_isin"))
    both = pl.concat([by_isin, by_name]).join(keys.rename({"_key": "_id"}), on="_id", how="semi")
    return both.filter(pl.col("_id").is_not_null()).unique(["_id", "_line"], keep="first", maintain_order=True)


def _report(held: pl.DataFrame) -> pl.DataFrame:
    return held.select(
        code=pl.lit("fund_of_funds"),
        severity=pl.lit("warning"),
        file="_file",
        sheet="_sheet",
        row="_row",
        column=pl.lit("name"),
        value=pl.col("name").fill_null("").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(_("A fund inside the fund: opened if its holdings were given too, else set apart unopened.")),
        hint=pl.lit(_("Add the holdings file of this fund to the command.")),
    )
