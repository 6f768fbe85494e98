"""What is said of a table whose first line does not name its columns as it should."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.readers.encoding import Text
from vigilance.ingest.readers.layouts import Layout
from vigilance.ingest.readers.table import REJECTED_SCHEMA, RawTable
from vigilance.issues import frame as issue_frame
from vigilance.issues import issue

_ = messages("readers")


def told(table: RawTable, layout: Layout, text: Text) -> RawTable:
    """The table with what was done about its header: names of our own, a line set aside, another delimiter."""
    said = []
    if layout.headless:
        said.append(
            issue(
                "no_header",
                _("no line names the columns; they are called '{first}' to '{last}' here").format(
                    first=table.names[0], last=table.names[-1]
                ),
                severity="warning",
                file=table.file.name,
                row=layout.header_line,
                hint=_("write the names of the columns into the first line"),
            )
        )
    if layout.mended:
        said.append(
            issue(
                "header_delimiter",
                _("the cells of the header are parted by another delimiter than those below; it was read so"),
                severity="warning",
                file=table.file.name,
                row=layout.header_line,
                value=layout.header_bytes.decode("utf-8", "replace"),
            )
        )
    if layout.lost is None:
        return replace(table, issues=pl.concat([issue_frame(said), table.issues])) if said else table
    lost = layout.lost
    said.append(
        issue(
            "header_set_aside",
            _("the line that should name the columns cannot be read as {width} cells ({cells} seen)").format(
                width=layout.width, cells=lost.cells
            ),
            file=table.file.name,
            row=lost.line,
            value=lost.content.decode("utf-8", "replace"),
            hint=_("mend the line of column names"),
        )
    )
    rejected = pl.DataFrame(
        [(lost.line, text.original(lost.content), "header_set_aside")], schema=REJECTED_SCHEMA, orient="row"
    )
    counts = replace(table.counts, rows_in=table.counts.rows_in + 1, set_aside=table.counts.set_aside + 1)
    return replace(
        table,
        issues=pl.concat([issue_frame(said), table.issues]),
        rejected=pl.concat([rejected, table.rejected]),
        counts=counts,
    )
