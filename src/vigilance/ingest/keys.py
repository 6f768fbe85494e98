"""Rows with the same key: identical ones are taken once and said, different ones are all set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from vigilance import issues as issues_
from vigilance.i18n import messages
from vigilance.ingest.columns import LINE, ROW

_ = messages("ingest")

PART: Final = "\x1f"
"""What parts the columns of a key; a person is shown a dot instead."""

ASKED: Final = 10_000
"""Keys that must be in order before all of them are asked."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Rows to leave out because of their key (``_table, _row, _line, code``) and the issues about them."""

    rows: pl.DataFrame
    issues: pl.DataFrame


def repeated(
    frames: Sequence[pl.LazyFrame],
    parts: Sequence[pl.Expr],
    own: Sequence[Sequence[str]],
    names: Sequence[str],
    sheets: Sequence[str],
    column: str,
    hint: str | None = None,
) -> Repeated | None:
    """Look for repeated keys over all files of a table; None when every key is there once.

    ``frames`` have the typed columns, of which ``parts`` make the key; ``own`` are the user's columns of each, which
    decide whether two rows are identical. ``hint`` says what to do about different rows of one key; its ``{}`` is the
    place of the first. A hash is enough to see that no key is repeated; what is said rests on the keys themselves.
    """
    key = pl.concat_str([part.cast(pl.String) for part in parts], separator=PART)
    keyed = [
        frame.select(pl.lit(i, dtype=pl.Int32).alias("_table"), ROW, LINE, key.alias("_key"))
        for i, frame in enumerate(frames)
    ]
    if len(keyed) == 1 and _strictly_ordered(keyed[0]):
        return None
    # Of the columns as they are: to write millions of dates as text takes longer than all the rest. A sum may overflow.
    hashed = pl.sum_horizontal(part.hash(seed=at) for at, part in enumerate(parts))
    hashes = pl.concat([frame.select(hashed.alias("hash")) for frame in frames])
    counted = hashes.select(pl.len().alias("all"), pl.col("hash").n_unique().alias("distinct")).collect(
        engine="streaming"
    )
    if counted["all"].item() == counted["distinct"].item():
        return None
    everything = pl.concat(keyed)
    twice = everything.group_by("_key").agg(pl.len().alias("times")).filter(pl.col("times") > 1)
    wanted = twice.drop_nulls("_key").collect(engine="streaming")
    if not wanted.height:
        return None
    rows = (
        pl.concat(
            [
                frame.select(
                    pl.lit(i, dtype=pl.Int32).alias("_table"),
                    ROW,
                    LINE,
                    key.alias("_key"),
                    pl.concat_str(
                        [pl.col(name).cast(pl.String).str.strip_chars().fill_null("") for name in sorted(columns)],
                        separator="\x1f",
                    ).alias("_content"),
                ).filter(pl.col("_key").is_in(wanted["_key"].implode()))
                for i, (frame, columns) in enumerate(zip(frames, own, strict=True))
            ]
        )
        .collect(engine="streaming")
        .sort("_table", ROW)
    )
    rows = rows.with_columns(
        same=pl.col("_content").n_unique().over("_key") == 1,
        first=pl.int_range(pl.len()).over("_key") == 0,
        line_1=pl.col(LINE).first().over("_key"),
        table_1=pl.col("_table").first().over("_key"),
        times=pl.len().over("_key"),
    )
    out = rows.filter(~(pl.col("same") & pl.col("first")))
    out = out.with_columns(code=pl.when("same").then(pl.lit("duplicate_identical")).otherwise(pl.lit("duplicate_key")))
    return Repeated(out.select("_table", ROW, LINE, "code"), _issues(out, names, sheets, column, hint))


def _strictly_ordered(keyed: pl.LazyFrame) -> bool:
    """Whether each key is greater than the one before, as in most exports: then none is there twice."""
    head = keyed.select(_rises(pl.col("_key"))).head(ASKED)
    if not head.select(pl.all().all()).collect(engine="streaming").item():
        return False
    return bool(keyed.select(_rises(pl.col("_key")).all()).collect(engine="streaming").item())


def _rises(key: pl.Expr) -> pl.Expr:
    """A blank key is not compared: it neither rises nor falls, so it ends the order."""
    return ((key > key.shift(1)) | (pl.int_range(pl.len()) == 0)).fill_null(value=False) & key.is_not_null()


def _issues(
    rows: pl.DataFrame, names: Sequence[str], sheets: Sequence[str], column: str, hint: str | None
) -> pl.DataFrame:
    file = pl.col("_table").replace_strict(list(range(len(names))), list(names), return_dtype=pl.String)
    sheet = pl.col("_table").replace_strict(list(range(len(sheets))), list(sheets), return_dtype=pl.String)
    place = pl.format(_("row {}"), pl.col("line_1"))
    same = pl.format(_("the same row as {}: taken once"), place)
    other = pl.format(_("{} rows have this key and differ; none is taken"), pl.col("times"))
    return rows.select(
        pl.col("code"),
        pl.when("same").then(pl.lit("warning")).otherwise(pl.lit("error")).alias("severity"),
        file.alias("file"),
        sheet.alias("sheet"),
        pl.col(LINE).alias("row"),
        pl.lit(column).alias("column"),
        _legible(pl.col("_key")).str.head(issues_.VALUE_LIMIT).alias("value"),
        pl.when("same").then(same).otherwise(other).alias("message"),
        pl.when("same")
        .then(pl.lit(_("remove the repeated row")))
        .otherwise(pl.format(hint or _("give each site its own key; the first is in {}"), place))
        .alias("hint"),
    ).select(issues_.SCHEMA.names())


def _legible(key: pl.Expr) -> pl.Expr:
    """A key for a person: its parts, the blank ones left out, apart from each other."""
    return key.str.replace_all(f"{PART}+", PART).str.strip_chars(PART).str.replace_all(PART, " · ", literal=True)
