"""Small files beside the holdings: what issuers declare, what they answer, who supplies whom, what a person decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.portfolio import grid, numbers
from vigilance.portfolio.vocabulary import fold, words

_ = messages("portfolio")

REQUIRED: Final = {
    "issuers": (("name", "lei", "isin"), ("country", "activity", "supplier_file")),
    "questionnaire": (("name", "lei", "isin"), ("question",), ("answer",)),
    "links": (("buyer_id",), ("supplier_id",)),
    "decisions": (("name",), ("candidate",), ("decision",)),
}
"""Per table: groups of columns, one of each group is needed."""

COLUMNS: Final = {
    "issuers": ("name", "lei", "isin", "country", "activity", "share", "supplier_file"),
    "questionnaire": ("name", "lei", "isin", "question", "answer", "proof"),
    "links": ("buyer_id", "supplier_id", "share"),
    "decisions": ("name", "candidate", "decision"),
}


def read(path: Path, table: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One of the small tables as text columns (``share`` as a number) with ``_file, _sheet, _row``; and issues."""
    if table == "links":
        return _links(path)
    wanted = " + ".join(" / ".join(names) for names in REQUIRED[table])
    found = grid.read(path, _header(table), wanted)
    problems: list[pl.DataFrame] = [_too_wide(one.frame) for one in found]
    together = pl.concat(_complete(one.frame.filter(~pl.col("_malformed")), table) for one in found)
    if "share" in together.columns:
        together = _shares(together, problems)
    return together, issues.ordered(problems)


def _too_wide(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with more cells than the header: left out and named."""
    return frame.filter("_malformed").select(
        code=pl.lit("too_many_cells"),
        severity=pl.lit("error"),
        file="_file",
        sheet="_sheet",
        row="_row",
        column=pl.lit(""),
        value=pl.lit(""),
        message=pl.lit(_("The row has more cells than the header; which belongs where cannot be known.")),
        hint=pl.lit(_("Quote texts that hold the delimiter.")),
    )


def _header(table: str) -> Callable[[Sequence[str]], dict[str, int] | None]:
    known = words(table)

    def header(cells: Sequence[str]) -> dict[str, int] | None:
        columns: dict[str, int] = {}
        for n, cell in enumerate(cells):
            meaning = known.get(fold(cell))
            if meaning is not None:
                columns.setdefault(meaning, n)
        enough = all(any(name in columns for name in group) for group in REQUIRED[table])
        return columns if enough else None

    return header


def _complete(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    missing = [pl.lit(None, dtype=pl.String).alias(c) for c in COLUMNS[table] if c not in frame.columns]
    return frame.with_columns(missing).select(*COLUMNS[table], "_file", "_sheet", "_row")


def _shares(frame: pl.DataFrame, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """Shares as fractions: percent when any cell says so or exceeds 1; unreadable ones are named and left open."""
    text = frame["share"]
    value = numbers.parsed(text, numbers.decimal_sign(text))
    percent = bool(text.str.contains("%", literal=True).any()) or bool((value > 1.0 + 1e-9).any())
    value = value * (0.01 if percent else 1.0)
    wrong = (text.is_not_null() & value.is_null()) | (value < 0) | (value > 1.0 + 1e-9)
    odd = frame.filter(wrong.fill_null(value=False))
    problems.append(
        odd.select(
            code=pl.lit("share_unreadable"),
            severity=pl.lit("warning"),
            file="_file",
            sheet="_sheet",
            row="_row",
            column=pl.lit("share"),
            value=pl.col("share").str.slice(0, issues.VALUE_LIMIT),
            message=pl.lit(_("Not a share between 0 and 1 (or 0 and 100 %); it counts as unknown.")),
            hint=pl.lit(""),
        )
    )
    kept = pl.DataFrame({"v": value, "bad": wrong.fill_null(value=False)})
    return frame.with_columns(share=kept.select(pl.when(~pl.col("bad")).then("v").alias("share")).to_series())


def _links(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links may be millions: Polars reads them, on declared columns, and refuses what does not fit."""
    try:
        with path.open("rb") as file:
            first = file.readline(65536).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(_("{file}: cannot be read: {why}").format(file=path.name, why=error)) from error
    fits = {d: columns for d in grid.DELIMITERS if (columns := _header("links")(first.strip("\r\n").split(d)))}
    if len(fits) != 1:
        raise InputRefused(
            _("{file}: the first line is no header of links").format(file=path.name),
            hint=_("It needs the columns buyer_id and supplier_id, and may have share."),
        )
    delimiter, columns = next(iter(fits.items()))
    try:
        raw = pl.read_csv(path, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InputRefused(
            _("{file}: not a well-formed table: {why}").format(file=path.name, why=str(error).splitlines()[0])
        ) from error
    names = raw.columns
    frame = raw.select(pl.col(names[n]).str.strip_chars().alias(meaning) for meaning, n in columns.items())
    frame = frame.with_row_index("_row", 2).with_columns(
        pl.col("_row").cast(pl.Int64), _file=pl.lit(path.name), _sheet=pl.lit("")
    )
    complete = _complete(frame, "links")
    problems: list[pl.DataFrame] = []
    return _shares(complete, problems), issues.ordered(problems)
