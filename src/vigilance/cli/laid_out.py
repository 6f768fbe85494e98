"""Blocks of a report as lines of a terminal, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import click

from vigilance.i18n import messages

if TYPE_CHECKING:
    import polars as pl

    from vigilance.report.document import Table

_ = messages("calibrate")

WIDTH: Final = 79
GAP: Final = 2
NARROWEST: Final = 10
"""A column of words is not made narrower than this."""
TOLD: Final = 12
"""Remarks on a file that are printed; all of them are in ``--json``."""


def wrapped(text: str, first: str, after: str | None = None) -> str:
    """A paragraph under its indent."""
    return click.wrap_text(text, WIDTH, initial_indent=first, subsequent_indent=first if after is None else after)


def table(block: Table) -> list[str]:
    """A table under its caption: words to the left, numbers to the right, titles and words wrapped to fit."""
    cells = [[str(value) for value in row] for row in block.rows]
    longest = [max(map(len, column.title.split()), default=0) for column in block.columns]
    widths = [max(longest[i], *(len(row[i]) for row in cells), 0) for i in range(len(longest))]
    words = [i for i in range(len(widths)) if any(row[i][:1].isalpha() for row in cells)]
    # What is too wide is taken from the columns of words, the widest first.
    while words and 2 + sum(widths) + GAP * (len(widths) - 1) > WIDTH:
        widest = max(words, key=lambda i: widths[i])
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    lines = ["", wrapped(block.caption, "  ")]
    for row in ([column.title for column in block.columns], *cells):
        lines += _row(row, widths, words)
    return [*lines, *([wrapped(block.note, "  ")] if block.note else [])]


def _row(cells: Sequence[str], widths: Sequence[int], words: Sequence[int]) -> list[str]:
    parts = [textwrap.wrap(cell, width, break_on_hyphens=False) for cell, width in zip(cells, widths, strict=True)]
    return [
        "  "
        + (" " * GAP)
        .join(
            text.ljust(width) if i in words else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        .rstrip()
        for line in zip_longest(*parts, fillvalue="")
    ]


def issues(found: pl.DataFrame) -> list[str]:
    """The remarks on a file, the gravest first: where, what, and how to mend it."""
    said = {"error": _("error"), "warning": _("warning"), "info": _("note")}
    order = {name: place for place, name in enumerate(said)}
    rows = sorted(found.iter_rows(named=True), key=lambda row: order[row["severity"]])
    lines = []
    for row in rows[:TOLD]:
        place = _("{file}, row {row}").format(file=row["file"], row=row["row"]) if row["row"] else row["file"]
        place += f", {row['column']}" if row["column"] else ""
        place += " " + _("“{text}”").format(text=row["value"]) if row["value"] else ""
        hint = f" → {row['hint']}" if row["hint"] else ""
        told = _("{severity}: {place}: {message}").format(
            severity=said[row["severity"]], place=place, message=row["message"]
        )
        lines.append(wrapped(told + hint, "", "  "))
    if len(rows) > TOLD:
        lines.append(_("... and {count} more; --json has them all").format(count=len(rows) - TOLD))
    return lines
