"""A sheet of a workbook as a table: what is header, data, text around it, and which rows are set aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.table import LINE, ROW, Counts, Dialect, Match, RawTable
from vigilance.ingest.readers.trailer import is_note
from vigilance.issues import SCHEMA, issue
from vigilance.issues import frame as issue_frame

_ = messages("readers")

_LAST: Final = 60
_AT: Final = "_at"


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a sheet as text (columns ``0``, ``1``, ...), its first rows, and what the child process noted."""

    file: str
    info: dict[str, Any]
    head: list[list[str]]
    values: pl.DataFrame

    @property
    def name(self) -> str:
        """The name of the sheet."""
        return str(self.info["name"])

    def merged_into(self, row: int) -> bool:
        """Whether a merged range reaches down into a row."""
        return any(top < row <= bottom for top, _left, bottom, _right in self.info["merges"])


def sheet_table(
    path: Path, grid: Grid, header_row: int, match: Match | None, notes: list[dict[str, Any]], limits: Limits
) -> RawTable:
    """The table below ``header_row`` (0-based) of a sheet."""
    header = list(grid.head[header_row])
    if len(header) > limits.columns:
        raise InputRefused(
            _("{file}: {count} columns, over the limit of {limit}").format(
                file=grid.file, count=len(header), limit=limits.columns
            )
        )
    body = grid.values.with_row_index(_AT).with_columns(pl.col(_AT).cast(pl.Int64)).slice(header_row + 1)
    header, body = _drop_empty_columns(header, body, {column for _row, column, _text in grid.info["errors"]})
    names, naming = unique_names(header, match, grid.file, header_row + 1, sheet=grid.name)
    columns = [str(index) for index in range(len(header))]
    body, trailer = _cut_trailer(body, columns)
    blank = reduce(and_, (pl.col(column).fill_null("").str.strip_chars() == "" for column in columns))
    bad = _bad_cells(grid, header_row, columns)
    bad_rows = bad.filter(pl.col(_AT) > header_row)[_AT].unique()
    data = body.filter(~blank | pl.col(_AT).is_in(bad_rows.implode()))
    repeated = reduce(and_, (pl.col(c).fill_null("") == header[int(c)] for c in columns))
    again = data.filter(repeated)
    data = data.filter(~repeated)
    is_bad = pl.col(_AT).is_in(bad_rows.implode())
    good, aside = data.filter(~is_bad), data.filter(is_bad)
    if good.height + aside.height + (body.height - again.height - data.height) > limits.rows:
        raise InputRefused(_("{file}: more than {limit} rows").format(file=grid.file, limit=limits.rows))
    counts = Counts(
        body.height - again.height,
        good.height,
        aside.height,
        body.height - again.height - data.height,
        header_row + again.height + len(trailer),
    )
    frame = good.select(
        *(pl.col(column).alias(names[int(column)]) for column in columns),
        pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW),
        (pl.col(_AT) + 1).alias(LINE),
    )
    said = _say(grid, header_row, again, trailer)
    return RawTable(
        file=path,
        sheet=grid.name,
        header=header,
        names=names,
        frame=frame.lazy(),
        issues=pl.concat([issue_frame(notes + naming + said), _bad_issues(bad, grid, names)]),
        rejected=_rejected(aside, bad, columns),
        counts=counts,
        sha256="",
        size=0,
        dialect=Dialect("workbook"),
        preamble=[" ".join(filter(None, row)) for row in grid.head[:header_row] if any(row)],
        trailer=trailer,
    )


def _drop_empty_columns(header: list[str], body: pl.DataFrame, used: set[int]) -> tuple[list[str], pl.DataFrame]:
    """Without the columns at the right that have neither a header nor a value."""
    width = len(header)
    while width > 1 and not header[width - 1].strip() and width - 1 not in used:
        if body[str(width - 1)].null_count() < body.height:
            break
        width -= 1
    return header[:width], body.select([_AT, *(str(index) for index in range(width))])


def _cut_trailer(body: pl.DataFrame, columns: list[str]) -> tuple[pl.DataFrame, list[str]]:
    """Split off the rows of totals and text at the end, going up from the last row."""
    rows = body.tail(_LAST).select(columns).rows()
    blank = [not any((cell or "").strip() for cell in row) for row in rows]
    text_below, apart_from = False, -1
    for index in range(len(rows) - 1, -1, -1):
        if blank[index] and text_below:
            apart_from = index
            break
        text_below = text_below or not blank[index]
    end, kept = len(rows), []
    for index in range(len(rows) - 1, -1, -1):
        filled = [cell.strip() for cell in rows[index] if cell and cell.strip()]
        if filled and not is_note(filled, len(columns), len(columns), apart=index > apart_from >= 0):
            break
        if filled:
            kept.append(" ".join(filled))
            end = index
    if not kept or end == 0:
        return body, []
    return body.head(body.height - (len(rows) - end)), list(reversed(kept))


def _bad_cells(grid: Grid, header_row: int, columns: list[str]) -> pl.DataFrame:
    """The cells for which their row is set aside, and error cells above the table: ``_at``, column, code, value."""
    info = grid.info
    found = [(row, column, "error_cell", text) for row, column, text in info["errors"]]
    found += [(row, column, "formula_without_value", "") for row, column in info["uncached"]]
    found += [(row, column, "number_over_15_digits", "") for row, column in info["rounded"]]
    found += [(row, column, "nul_character", "") for row, column in info["odd"]]
    frame = pl.DataFrame(
        found,
        schema={_AT: pl.Int64, "place": pl.Int64, "code": pl.String, "value": pl.String},
        orient="row",
    )
    below = (pl.col(_AT) > header_row) | (pl.col("code") == "error_cell")
    return frame.filter(below & (pl.col("place") < len(columns))).with_columns(
        pl.when(pl.col(_AT) > header_row).then(pl.lit("error")).otherwise(pl.lit("warning")).alias("severity")
    )


def _bad_issues(bad: pl.DataFrame, grid: Grid, names: list[str]) -> pl.DataFrame:
    texts = {
        "error_cell": (
            _("the cell holds an error instead of a value"),
            _("mend the formula, or put the value itself"),
        ),
        "formula_without_value": (
            _("the formula has no computed value"),
            _("open the workbook in a spreadsheet, let it compute, and save it"),
        ),
        "number_over_15_digits": (
            _("a number of more than 15 digits, already rounded by the spreadsheet"),
            _("format the column as text and type the value again"),
        ),
        "nul_character": (_("a NUL character in the text"), _("remove the character")),
    }
    code = pl.col("code")
    return bad.select(
        code,
        "severity",
        pl.lit(grid.file).alias("file"),
        pl.lit(grid.name).alias("sheet"),
        (pl.col(_AT) + 1).alias("row"),
        pl.col("place").replace_strict(dict(enumerate(names)), return_dtype=pl.String).alias("column"),
        "value",
        code.replace_strict({key: text for key, (text, _hint) in texts.items()}, return_dtype=pl.String).alias(
            "message"
        ),
        code.replace_strict({key: hint for key, (_text, hint) in texts.items()}, return_dtype=pl.String).alias("hint"),
    ).select(SCHEMA.names())


def _rejected(aside: pl.DataFrame, bad: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The rows set aside, their cells joined by tabs: a workbook has no line of bytes to keep."""
    reasons = bad.group_by(_AT).agg(pl.col("code").unique().sort().str.join(", ").alias("reason"))
    return (
        aside.join(reasons, on=_AT, how="left", maintain_order="left")
        .select(
            (pl.col(_AT) + 1).alias("line"),
            pl.concat_str([pl.col(column).fill_null("") for column in columns], separator="\t")
            .cast(pl.Binary)
            .alias("bytes"),
            "reason",
        )
        .cast({"line": pl.Int64, "bytes": pl.Binary, "reason": pl.String})
    )


def _say(grid: Grid, header_row: int, again: pl.DataFrame, trailer: list[str]) -> list[dict[str, Any]]:
    """Warnings on what was skipped, filled or restored."""
    info = grid.info
    below = Counter({"hidden": sum(1 for row in info["hidden_rows"] if row > header_row)})
    merged_head = any(top <= header_row <= bottom for top, _left, bottom, _right in info["merges"])
    merged_body = [merge for merge in info["merges"] if merge[0] > header_row]
    said: list[tuple[str, str, int | None, str]] = []
    if header_row:
        text = several(
            header_row, _("{count} row above the header was skipped"), _("{count} rows above the header were skipped")
        )
        said.append(("title_lines", text, None, ""))
    if again.height:
        text = several(
            again.height,
            _("the header is repeated once below; that row was skipped"),
            _("the header is repeated {count} times below; these rows were skipped"),
        )
        said.append(("repeated_header", text, int(again[_AT][0]) + 1, ""))
    if trailer:
        text = several(
            len(trailer),
            _("{count} row of totals or text below the table was skipped"),
            _("{count} rows of totals or text below the table were skipped"),
        )
        said.append(("trailer", text, None, trailer[0]))
    if below["hidden"]:
        text = several(
            below["hidden"],
            _("{count} hidden row was read like the others"),
            _("{count} hidden rows were read like the others"),
        )
        said.append(("hidden_rows", text, min(row for row in info["hidden_rows"] if row > header_row) + 1, ""))
    if info["hidden_columns"]:
        text = _("hidden columns were read like the others: {columns}")
        letters = ", ".join(letter(column) for column in info["hidden_columns"][:20])
        said.append(("hidden_columns", text.format(columns=letters), None, ""))
    if merged_head:
        said.append(("merged_header", _("merged header cells were filled with their first cell"), header_row + 1, ""))
    if merged_body:
        text = several(
            len(merged_body),
            _("{count} merged range in the table; only its first cell has the value"),
            _("{count} merged ranges in the table; only the first cell of each has the value"),
        )
        said.append(("merged_cells", text, merged_body[0][0] + 1, ""))
    if info["zeros"]:
        text = several(
            len(info["zeros"]),
            _("{count} number is shown with leading zeros; the zeros were restored"),
            _("{count} numbers are shown with leading zeros; the zeros were restored"),
        )
        said.append(("zeros_restored", text, info["zeros"][0][0] + 1, ""))
    if info["percents"]:
        text = several(
            len(info["percents"]),
            _("{count} number is shown as a percentage and was read so"),
            _("{count} numbers are shown as a percentage and were read so"),
        )
        said.append(("percent_format", text, info["percents"][0][0] + 1, ""))
    return [
        issue(code, text, severity="warning", file=grid.file, sheet=grid.name, row=row, value=value)
        for code, text, row, value in said
    ]


def letter(column: int) -> str:
    """The letters of a column, counted from 0."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
