"""What the values of a column look like, for tables of which no column is known: rows that fit no column stand out.

Two faults in one record can leave its number of cells right and every value in the wrong column; a line of units or a
second header has the right number of cells too. Nothing but the values can tell. Each value is reduced to its form
(``12/05/2024`` → ``9/9/9``, any plain number → ``N``); a column whose values have few forms, all with digits, is
*patterned*, and a row that breaks most of its patterned columns is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.phrasing import several
from vigilance.ingest.readers.dialect import two_tables
from vigilance.ingest.readers.layouts import header_missing
from vigilance.ingest.readers.table import LINE, ROW, Counts, RawTable
from vigilance.issues import frame as issue_frame
from vigilance.issues import issue

_ = messages("readers")

_SAMPLE: Final = 20_000
_LEAST: Final = 8
"""Values from which a column can have a pattern."""
_FORMS: Final = 6
_FEW: Final = 4
_NAME: Final = 40
"""Signs of the longest cell of a line that may name columns."""
_BLOCK: Final = 3
"""Rows at the end, all unlike the table, from which they are taken for another one."""
_COVERED: Final = 0.97
"""Share of the values that the frequent forms of a patterned column cover; a form is frequent from ``_FREQUENT`` on."""
_FREQUENT: Final = 0.02
_NUMBER: Final = r"(?:[-+(]?[€$£]?\s?\d[\d\s.,']*\)?\s?[%€$£]?|[-+]?\d+(?:\.\d+)?[eE][-+]?\d+)"
_YEAR: Final = r"^(19|20)\d\d$"
_UNKNOWN: Final = r"(?i:[-–—?.*]+|n/?\.?a\.?|#n/a|null|none|nan|unknown|tbd|inconnue?|nc|nd)"


@dataclass(frozen=True, slots=True)
class Pattern:
    """The frequent forms of a column, and whether nearly all its values are years."""

    forms: tuple[str, ...]
    years: bool

    @property
    def expression(self) -> str:
        """What every value of the column matches: blank, unknown or of one of the forms."""
        forms = "|".join(_NUMBER if form == "N" else "".join(map(_sign, form)) for form in self.forms)
        return rf"^\s*(?:|{_UNKNOWN}|{forms})\s*$"


def _sign(sign: str) -> str:
    """The expression of one sign of a form."""
    return {"9": r"\d+", "a": r"\p{L}+"}.get(sign) or re.escape(sign)


def _value(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when((text != "") & ~text.str.contains(f"^{_UNKNOWN}$")).then(text)


def _form(value: pl.Expr) -> pl.Expr:
    reduced = value.str.slice(0, 200).str.replace_all(r"\d+", "9").str.replace_all(r"\p{L}+", "a")
    return pl.when(value.str.contains(f"^{_NUMBER}$")).then(pl.lit("N")).otherwise(reduced)


def of_columns(table: RawTable) -> Mapping[str, Pattern]:
    """The patterned columns of a table, from its first half: a second table below must not set the pattern."""
    rows = min(_SAMPLE, max(_LEAST, table.counts.loaded // 2))
    sample = table.frame.select(_value(name).alias(name) for name in table.names).head(rows).collect()
    found: dict[str, Pattern] = {}
    for name in table.names:
        values = sample.select(pl.col(name).drop_nulls().alias("value"))
        if values.height < _LEAST:
            continue
        counts = values.select(_form(pl.col("value")).alias("value").value_counts(sort=True)).unnest("value")
        frequent = counts.filter(pl.col("count") >= max(2, _FREQUENT * values.height))
        forms = tuple(frequent.to_series(0).to_list())
        covered = int(frequent["count"].sum()) >= _COVERED * (values.height - 1)
        if covered and 0 < len(forms) <= _FORMS and all("9" in form or form == "N" for form in forms):
            years = values.select(pl.col("value").str.contains(_YEAR).mean()).item() > _COVERED
            found[name] = Pattern(forms, bool(years))
    return found


def set_unlike_aside(table: RawTable, suspects: Collection[int] = ()) -> RawTable:
    """The table without the rows that fit no pattern; ``suspects`` are lines on which one misfit is enough.

    Raises ``InputRefused`` when the header itself has the form of the values below it.
    """
    patterns = of_columns(table)
    if not patterns:
        return table
    _refuse_values_as_header(table, patterns)
    odd = _odd_rows(table, patterns)
    if not odd.height:
        return table
    few = (pl.col("breaks") * 2 < pl.col("of")) | ((pl.col("breaks") < 2) & ((pl.col("of") > 1) | (pl.col(ROW) > 0)))
    another = _another_table(table, odd)
    kept = odd.filter(few & ~pl.col(LINE).is_in(list(suspects)) & ~pl.col(ROW).is_in(another[ROW].implode()))
    aside = odd.join(kept, on=ROW, how="anti")
    if not another.height and odd.height > max(_FEW, table.counts.loaded // 10):
        _refuse_second_table(table, odd)
        # The rows have changed, not gone wrong: say so of each, and keep them.
        kept, aside = odd, odd.clear()
    notes = [
        issue(
            "unlike_the_column",
            several(
                row["breaks"] - 1,
                _("the value does not look like the others of its column, nor does {count} more in the row"),
                _("the value does not look like the others of its column, nor do {count} more in the row"),
            )
            if row["breaks"] > 1
            else _("the value does not look like the others of its column"),
            severity="error" if row["aside"] else "warning",
            file=table.file.name,
            sheet=table.sheet,
            row=row[LINE],
            column=row["column"],
            value=row["value"],
            hint=_("a cell may be missing, or the row may be another header; mend the line"),
        )
        for part, is_aside in ((kept, False), (aside, True))
        for row in part.with_columns(pl.lit(is_aside).alias("aside")).iter_rows(named=True)
    ]
    return replace(without(table, aside, "unlike_the_column"), issues=pl.concat([table.issues, issue_frame(notes)]))


def _another_table(table: RawTable, odd: pl.DataFrame) -> pl.DataFrame:
    """The rows at the end of a table, fewer than half, that all break its patterns and begin with a line of names."""
    to_the_end = odd.filter(pl.col(ROW) + pl.len() - pl.int_range(pl.len()) == table.counts.loaded)
    wordy = (pl.col("breaks") == pl.col("of")) & (pl.col("words") == pl.col("of"))
    firsts = to_the_end.filter(wordy & (pl.col(ROW) * 2 > table.counts.loaded))[ROW]
    if not firsts.len() or to_the_end.filter(pl.col(ROW) >= firsts[0]).height < _BLOCK:
        return odd.clear()
    first = int(firsts[0])
    cells = table.frame.filter(pl.col(ROW) == first).select(table.names).collect().row(0)
    names = all(cell and len(cell) <= _NAME and any(char.isalpha() for char in cell) for cell in cells)
    if not names or (to_the_end["of"].max() == 1 and to_the_end.height <= _FEW):
        return odd.clear()
    above = table.frame.filter(pl.col(ROW) < first)
    known = above.select((pl.col(name) == cell).any() for name, cell in zip(table.names, cells, strict=True)).collect()
    return odd.clear() if any(known.row(0)) else to_the_end.filter(pl.col(ROW) >= first)


def _refuse_second_table(table: RawTable, odd: pl.DataFrame) -> None:
    """Refuse a table in which a line of words stands above rows that have nothing in common with those before."""
    first = odd.row(0, named=True)
    wholly = first["breaks"] == first["of"] == first["words"]
    if first[ROW] and wholly and (first["of"] > 1 or first["apart"]):
        raise two_tables(table.file.name, 1 + table.counts.skipped, first[LINE])


def _odd_rows(table: RawTable, patterns: Mapping[str, Pattern]) -> pl.DataFrame:
    """Rows with a value of an unusual form: ``breaks`` of the patterned columns ``of`` it that are filled."""
    broken = {name: ~pl.col(name).str.contains(pattern.expression) for name, pattern in patterns.items()}
    broken = {name: flag.fill_null(value=False) for name, flag in broken.items()}
    wordy = [_value(name).str.contains(r"\p{L}").fill_null(value=False) for name in patterns]
    first = pl.coalesce(*(pl.when(flag).then(pl.lit(name)) for name, flag in broken.items()), pl.lit(None))
    value = pl.coalesce(*(pl.when(flag).then(pl.col(name)) for name, flag in broken.items()), pl.lit(None))
    apart = (pl.col(LINE) - pl.col(LINE).shift(1, fill_value=0) > 1).alias("apart")
    # Rows that break nothing, nearly all of them, are left out before anything dearer is asked.
    return (
        table.frame.with_columns(apart)
        .filter(pl.any_horizontal(broken.values()))
        .select(
            ROW,
            LINE,
            pl.sum_horizontal(flag.cast(pl.Int32) for flag in broken.values()).alias("breaks"),
            pl.sum_horizontal(_value(name).is_not_null().cast(pl.Int32) for name in patterns).alias("of"),
            pl.sum_horizontal(flag.cast(pl.Int32) for flag in wordy).alias("words"),
            "apart",
            first.cast(pl.String).alias("column"),
            value.cast(pl.String).alias("value"),
        )
        .collect(engine="streaming")
        .sort(ROW)
    )


def _refuse_values_as_header(table: RawTable, patterns: Mapping[str, Pattern]) -> None:
    cells = pl.DataFrame({"cell": [cell.strip() for cell in table.header], "name": table.names}).filter(
        (pl.col("cell") != "") & pl.col("name").is_in(list(patterns))
    )
    forms = cells.with_columns(_form(pl.col("cell")).alias("form"), pl.col("cell").str.contains(_YEAR).alias("year"))
    alike = [
        row["cell"]
        for row in forms.iter_rows(named=True)
        if row["form"] in patterns[row["name"]].forms and (not row["year"] or patterns[row["name"]].years)
    ]
    if alike and len(alike) * 2 >= cells.height:
        raise header_missing(table.file.name, None, alike)


def without(table: RawTable, aside: pl.DataFrame, reason: str) -> RawTable:
    """The table without some rows (``_row``, ``_line``), which join those set aside as records of its delimiter."""
    if not aside.height:
        return table
    mark = table.dialect.delimiter or "\t"
    cells = [
        pl.when(pl.col(name).str.contains_any([mark, '"', "\n", "\r"]))
        .then(pl.lit('"') + pl.col(name).str.replace_all('"', '""', literal=True) + pl.lit('"'))
        .otherwise(pl.col(name))
        .fill_null("")
        for name in table.names
    ]
    gone = pl.col(ROW).is_in(aside[ROW].implode())
    rejected = (
        table.frame.filter(gone)
        .select(
            pl.col(LINE).alias("line"),
            pl.concat_str(cells, separator=mark).cast(pl.Binary).alias("bytes"),
            pl.lit(reason).alias("reason"),
        )
        .collect(engine="streaming")
    )
    counts = table.counts
    return replace(
        table,
        frame=table.frame.filter(~gone).with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW)),
        parse=None,
        rejected=pl.concat([table.rejected, rejected]).sort("line", maintain_order=True),
        counts=Counts(
            counts.rows_in,
            counts.loaded - rejected.height,
            counts.set_aside + rejected.height,
            counts.blank,
            counts.skipped,
        ),
    )
