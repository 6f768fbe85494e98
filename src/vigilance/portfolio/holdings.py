"""Holdings as asset managers export them: positions in scope, and everything else named and set apart.

What is done with each kind of line is in docs/portfolio.md; no line disappears without a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.portfolio import funds, grid, kinds, numbers, weights
from vigilance.portfolio.vocabulary import flat, fold, words

_ = messages("portfolio")

TEXTS: Final = (
    "name",
    "isin",
    "lei",
    "ticker",
    "exchange",
    "country",
    "activity",
    "industry",
    "asset_class",
    "currency",
)
"""Text columns that every position has, null where the file has none."""
KEYED: Final = ("name", "isin", "lei", "ticker")

APART: Final = pl.Schema(
    {
        "file": pl.String,
        "row": pl.Int64,
        "fund": pl.String,
        "name": pl.String,
        "isin": pl.String,
        "kind": pl.String,
        "weight": pl.Float64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class Holdings:
    """What a set of fund files holds.

    ``lines``: positions in scope, one row each: the text columns of ``TEXTS``, ``kind``, ``weight`` (fraction of all
    that was read, positive), ``value``, ``fund``, ``date``, ``_file, _sheet, _row``.
    ``apart``: lines set apart, schema ``APART``. ``rejected``: how many of them could not be read at all.
    ``funds``: one row per fund and date with its totals (the reconciliation). ``issues``: as everywhere.
    """

    lines: pl.DataFrame
    apart: pl.DataFrame
    funds: pl.DataFrame
    issues: pl.DataFrame
    rows: int
    rejected: int


def header(cells: Sequence[str]) -> dict[str, int] | None:
    """Column numbers by meaning when the cells are the header of a table of holdings."""
    known = words("columns")
    _refuse_twice(cells)
    found: dict[str, tuple[int, int]] = {}
    ranks = {word: rank for rank, word in enumerate(known)}
    for n, cell in enumerate(cells):
        word = fold(cell)
        meaning = known.get(word)
        if meaning is not None and (meaning not in found or ranks[word] < found[meaning][0]):
            found[meaning] = (ranks[word], n)
    columns = {meaning: n for meaning, (_rank, n) in found.items()}
    named = any(key in columns for key in KEYED)
    return columns if named and ("weight" in columns or "value" in columns) else None


def _refuse_twice(cells: Sequence[str]) -> None:
    """A weight or a value under the very same header twice: nobody can say which one is meant."""
    known = words("columns")
    spelt = [cell.strip() for cell in cells if known.get(fold(cell)) in {"weight", "value"}]
    twice = sorted({cell for cell in spelt if spelt.count(cell) > 1})
    if twice and len(cells) < 200:
        raise InputRefused(_("two columns are called {name}").format(name=twice[0]), hint=_("Rename or remove one."))


def read(paths: Sequence[Path], on: date) -> Holdings:
    """Read the holdings files of one portfolio as known on a date.

    Raises ``InputRefused`` for a file that cannot be used as a whole; single lines that cannot are set apart.
    """
    found: list[pl.DataFrame] = []
    problems: list[pl.DataFrame] = []
    wanted = _("a name, ISIN, LEI or ticker and a weight or a market value")
    for path in paths:
        found.extend(_typed(table, problems) for table in grid.read(path, header, wanted))
    lines = pl.concat(found, how="vertical").with_row_index("_line")
    if lines.is_empty():
        raise InputRefused(_("The files hold a header and no positions."))
    return _sorted_out(lines, on, problems)


def from_frame(positions: pl.DataFrame, on: date) -> Holdings:
    """Holdings from a frame of text columns named as in ``headers.toml`` (``name, isin, weight, ...``)."""
    table = grid.Table("frame", "", _placed(positions), {c: c for c in positions.columns}, [], [])
    problems: list[pl.DataFrame] = []
    return _sorted_out(_typed(table, problems).with_row_index("_line"), on, problems)


def _placed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit("frame").alias("_file"),
        pl.lit("").alias("_sheet"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"),
        pl.lit(value=False).alias("_malformed"),
    )


def _typed(table: grid.Table, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """One table with every column typed: numbers under the decimal sign that its columns decide."""
    frame = table.frame
    numeric = [name for name in ("weight", "value", "fx") if name in frame.columns]
    signs = {name: numbers.decimal_sign(frame[name]) for name in numeric}
    agreed = next((sign for sign in signs.values() if sign), None)
    fund, fund_isin, day = _about(table)
    columns = {f"_{name}": numbers.parsed(frame[name], signs[name] or agreed) for name in numeric if frame.height}
    percent = "weight" in frame.columns and frame["weight"].str.contains("%", literal=True).any()
    texts = [pl.col(name) if name in frame.columns else _empty(name) for name in TEXTS]
    typed = frame.with_columns(**columns).select(
        *texts,
        *(
            pl.col(f"_{n}").alias(n) if f"_{n}" in columns else pl.lit(None, dtype=pl.Float64).alias(n)
            for n in ("weight", "value", "fx")
        ),
        weight_text=pl.col("weight") if "weight" in frame.columns else _empty("weight_text"),
        value_text=pl.col("value") if "value" in frame.columns else _empty("value_text"),
        fund=_or(frame, "fund", fund),
        fund_isin=_or(frame, "fund_isin", fund_isin),
        date=_days(frame, day),
        value_currency=pl.col("value_currency") if "value_currency" in frame.columns else _empty("x"),
        _percent=pl.lit(bool(percent)),
        _percent_header=pl.lit("%" in table.headers.get("weight", "")),
        _table=pl.lit("\0".join((table.file, table.sheet, str(frame["_row"].to_list()[:1])))),
        _file=pl.col("_file"),
        _sheet=pl.col("_sheet"),
        _row=pl.col("_row"),
        _malformed=pl.col("_malformed"),
    )
    problems.append(_undated(typed, frame))
    problems.append(_around(table))
    return typed


def _empty(name: str) -> pl.Expr:
    return pl.lit(None, dtype=pl.String).alias(name)


def _or(frame: pl.DataFrame, name: str, default: str | None) -> pl.Expr:
    stated = pl.lit(default, dtype=pl.String)
    return pl.coalesce(pl.col(name), stated) if name in frame.columns else stated


def _days(frame: pl.DataFrame, default: date | None) -> pl.Expr:
    stated = pl.lit(default, dtype=pl.Date)
    if "date" not in frame.columns:
        return stated
    spelt = frame["date"].drop_nulls().unique().to_list()
    known = {text: numbers.day(text) for text in spelt}
    return pl.coalesce(
        pl.col("date").replace_strict(known, default=None, return_dtype=pl.Date),
        pl.when(pl.col("date").is_null()).then(stated),
    )


def _about(table: grid.Table) -> tuple[str, str | None, date | None]:
    """Fund, its ISIN and the date, from the lines above a table; the file's name stands in for the fund."""
    labels = words("fund_lines")
    fund: str | None = None
    day: date | None = None
    isin: str | None = None
    for cells in table.above[-40:]:
        filled = [cell.strip("\ufeff\xa0 \t") for cell in cells if cell.strip("\ufeff\xa0 \t")]
        label, _colon, rest = filled[0].partition(":")
        value = rest.strip() or (filled[1] if len(filled) > 1 else "")
        meaning = labels.get(fold(label))
        if meaning == "name" and value:
            fund = value
        elif meaning == "date" and value:
            day = numbers.day(value) or day
        elif fold(label) in words("columns") and words("columns")[fold(label)] in {"isin", "fund_isin"}:
            isin = value or isin
        elif len(filled) == 1:
            day = day or numbers.day(filled[0])
            fund = fund or (filled[0] if len(filled[0]) <= 120 else None)
    stem = Path(table.file).stem
    return fund or (f"{stem} / {table.sheet}" if table.sheet else stem), isin, day


def _undated(typed: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Dates that could be read two ways, one issue per spelling."""
    if "date" not in frame.columns:
        return issues.frame()
    odd = frame.filter(pl.col("date").is_not_null() & typed["date"].is_null()).unique("date", keep="first")
    return _issues(
        odd.rename({"date": "_value"}),
        "date_unclear",
        "warning",
        "date",
        _("This date can be read two ways or not at all; the lines count as undated."),
        _("Write it as 2026-11-30."),
    )


def _around(table: grid.Table) -> pl.DataFrame:
    """Say which lines around the table were left out (one record, they are not rows of it)."""
    if not table.outside and not table.above:
        return issues.frame()
    n = len(table.outside) + len(table.above)
    first = table.outside[0] if table.outside else (None, " ".join(table.above[0]))
    record = issues.issue(
        "text_around_table",
        _("{n} lines around the table are text, not positions, and were skipped.").format(n=n),
        severity="info",
        file=table.file,
        sheet=table.sheet,
        row=first[0],
        value=first[1],
    )
    return issues.frame([record])


def _issues(frame: pl.DataFrame, code: str, severity: str, column: str, message: str, hint: str = "") -> pl.DataFrame:
    """A frame of issues for rows that carry ``_file, _sheet, _row`` and the shown ``_value``."""
    if frame.is_empty():
        return issues.frame()
    shown = pl.col("_value") if "_value" in frame.columns else pl.col("name")
    return frame.select(
        code=pl.lit(code),
        severity=pl.lit(severity),
        file=pl.col("_file"),
        sheet=pl.col("_sheet"),
        row=pl.col("_row").cast(pl.Int64),
        column=pl.lit(column),
        value=shown.fill_null("").str.replace_all(r"[\x00-\x1f\x7f]", " ").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(message),
        hint=pl.lit(hint),
    )


def _sorted_out(lines: pl.DataFrame, on: date, problems: list[pl.DataFrame]) -> Holdings:
    """Give each line a kind, then keep the positions and set the rest apart, each with its reason."""
    rows = lines.height
    lines = kinds.classify(lines)
    apart: list[pl.DataFrame] = []

    def set_apart(frame: pl.DataFrame, doomed: pl.Expr, reason: str) -> pl.DataFrame:
        out = frame.filter(doomed)
        if out.height:
            apart.append(_apart(out, reason))
        return frame.filter(~doomed) if out.height else frame

    totals = lines.filter(pl.col("kind") == "total")
    lines = set_apart(lines, pl.col("kind") == "total", "total")
    lines = _readable(lines, set_apart, problems)
    lines = _current(lines, on, set_apart, problems)
    lines = weights.duplicates(lines, set_apart, problems)
    lines, table = weights.weigh(lines, totals, problems)
    lines = funds.look_through(lines, problems)
    for kind in ("fund", "cash", "money_market", "future", "derivative", "currency", "commodity", "government"):
        lines = set_apart(lines, pl.col("kind") == kind, "fund_not_opened" if kind == "fund" else kind)
    shorts = lines.filter(pl.col("weight") < 0)
    problems.append(
        _issues(
            shorts,
            "short_position",
            "info",
            "weight",
            _("A short position: counted in the totals, not in the exposure, never set off against a long one."),
        )
    )
    lines = set_apart(lines, pl.col("weight") < 0, "short")
    lines = set_apart(lines, ~pl.col("kind").is_in(list(flat("in_scope"))), "out_of_scope")
    together = pl.concat(apart) if apart else pl.DataFrame(schema=APART)
    rejected = together.filter(pl.col("reason") == "unreadable").height
    return Holdings(
        lines.drop("_line"),
        together.sort("file", "row"),
        table,
        issues.ordered(problems),
        rows,
        rejected,
    )


SetApart = Callable[[pl.DataFrame, pl.Expr, str], pl.DataFrame]


def _readable(lines: pl.DataFrame, set_apart: SetApart, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """Lines without a number, or without anything to know the issuer by, are set apart as unreadable."""
    problems.append(
        _issues(
            lines.filter("_malformed"),
            "too_many_cells",
            "error",
            "",
            _("The row has more cells than the header; which belongs where cannot be known."),
            _("Quote texts that hold the delimiter."),
        )
    )
    lines = set_apart(lines, pl.col("_malformed"), "unreadable").drop("_malformed")
    mute = pl.col("weight").is_null() & pl.col("value").is_null()
    spoilt = (pl.col("weight").is_null() & pl.col("weight_text").is_not_null()) | mute
    shown = pl.coalesce("weight_text", "value_text", "name")
    problems.append(
        _issues(
            lines.filter(spoilt).with_columns(_value=shown),
            "weight_unreadable",
            "error",
            "weight",
            _("Neither a weight nor a value can be read here; the line is set apart."),
            _("Write numbers in one way through the whole column."),
        )
    )
    lines = set_apart(lines, spoilt, "unreadable")
    nameless = pl.all_horizontal(pl.col(name).is_null() for name in KEYED)
    problems.append(
        _issues(
            lines.filter(nameless),
            "position_without_name",
            "error",
            "name",
            _("Nothing says what this position is; the line is set apart."),
        )
    )
    return set_apart(lines, nameless, "unreadable")


def _current(lines: pl.DataFrame, on: date, set_apart: SetApart, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """The newest date of each fund that is not after ``on``; the other dates are set apart."""
    lines = set_apart(lines, (pl.col("date") > pl.lit(on)).fill_null(value=False), "after_the_date")
    newest = pl.col("date").max().over("fund")
    older = ((pl.col("date") < newest) | (pl.col("date").is_null() & newest.is_not_null())).fill_null(value=False)
    named = lines.filter(older).unique(["fund", "date"], keep="first", maintain_order=True)
    problems.append(
        _issues(
            named.with_columns(_value=pl.col("date").cast(pl.String)),
            "older_date",
            "info",
            "date",
            _("The fund has a newer date in the files; the lines of this date are set apart."),
        )
    )
    return set_apart(lines, older, "older_date")


def _apart(lines: pl.DataFrame, reason: str) -> pl.DataFrame:
    return lines.select(
        file="_file",
        row="_row",
        fund="fund",
        name="name",
        isin="isin",
        kind="kind",
        weight="weight",
        reason=pl.lit(reason),
    )
