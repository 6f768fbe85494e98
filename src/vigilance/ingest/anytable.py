"""A table that is none of ours: read for its structure alone, every column as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from vigilance import issues as issues_
from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.columns import LINE, ROW
from vigilance.ingest.intake import REJECTED, Intake, Source
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers.limits import DEFAULT, Limits
from vigilance.ingest.readers.table import RawTable
from vigilance.tabular import FORMULA, NUMBER

_ = messages("ingest")

NAME = "table"
"""What the kind is called where a kind of table is asked for."""


def read(
    paths: str | Path | Iterable[str | Path],
    *,
    limits: Limits = DEFAULT,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Intake:
    """Read files of any columns, which must be the same in all, as one table of text.

    Raises ``InputRefused`` for a file that cannot be read as a whole, or with other columns than the first.
    """
    from vigilance.ingest.readers import expand, read_raw  # noqa: PLC0415 - reading is slow to import

    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    raws = [
        raw
        for path in expand(listed)
        for raw in read_raw(path, required=None, limits=limits, encoding=encoding, delimiter=delimiter, sheet=sheet)
    ]
    _refuse_other_columns(raws)
    frames, before = [], 0
    for raw in raws:
        frames.append(raw.frame.with_columns(pl.col(ROW) + before))
        before += raw.counts.loaded
    rows = pl.concat(frames)
    return Intake(
        table=NAME,
        rows=rows,
        issues=issues_.ordered(part for raw in raws for part in (raw.issues, _guarded(raw))),
        sources=tuple(_source(raw) for raw in raws),
        rejected=pl.concat(_rejected(raw) for raw in raws),
        columns={},
        corrected=rows.select(raws[0].names),
        unknown=[],
    )


def _refuse_other_columns(raws: Sequence[RawTable]) -> None:
    for raw in raws[1:]:
        if raw.names != raws[0].names:
            raise InputRefused(
                _("{file}: its columns are not those of {first}").format(file=raw.file.name, first=raws[0].file.name),
                hint=_("check tables of different columns one by one"),
            )


def _guarded(raw: RawTable) -> pl.DataFrame:
    """One warning per column with cells that a spreadsheet may take for formulas: the copy changes them."""
    begins = raw.frame.select(pl.col(name).str.contains(FORMULA).any() for name in raw.names).collect(
        engine="streaming"
    )
    suspects = [name for name in raw.names if begins[name][0]]
    found = raw.frame.select(
        pl.struct(
            pl.col(LINE).filter(risky).min().alias("row"),
            pl.col(name).filter(risky).first().alias("value"),
            risky.sum().alias("cells"),
        ).alias(name)
        for name in suspects
        for risky in [pl.col(name).str.contains(FORMULA) & ~pl.col(name).str.contains(NUMBER)]
    ).collect(engine="streaming")
    return issues_.frame(
        issues_.issue(
            "formula_guarded",
            several(
                cell["cells"],
                _("{count} cell begins like a formula; corrected files hold an apostrophe before it"),
                _("{count} cells begin like a formula; corrected files hold an apostrophe before them"),
            ),
            severity="warning",
            file=raw.file.name,
            sheet=raw.sheet,
            row=cell["row"],
            column=name,
            value=cell["value"],
        )
        for name in suspects
        if (cell := found[name][0])["cells"]
    )


def _source(raw: RawTable) -> Source:
    counts = raw.counts
    return Source(
        file=raw.file.name,
        path=raw.file,
        sheet=raw.sheet,
        sha256=raw.digest,
        bytes=raw.size,
        dialect={key: str(value) for key, value in asdict(raw.dialect).items()},
        rows_in=counts.rows_in,
        loaded=counts.loaded,
        set_aside=counts.set_aside,
        blank=counts.blank,
    )


def _rejected(raw: RawTable) -> pl.DataFrame:
    return raw.rejected.select(
        pl.lit(raw.file.name).alias("file"),
        pl.lit(raw.sheet).alias("sheet"),
        pl.col("line"),
        pl.col("reason").alias("code"),
        pl.col("bytes").alias("original"),
    ).cast(REJECTED)
