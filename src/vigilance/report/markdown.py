"""Markdown: plain text that a wiki or a repository shows well."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from vigilance.i18n import messages
from vigilance.report import wording
from vigilance.report.document import NUMERIC, Block, Bullets, Chart, Statement, Table, Text, cell
from vigilance.report.writers import Request, writer

_ = messages("report")

SPECIAL: Final = re.compile(r"([\\`*_{}\[\]#|!~])")
STARTS: Final = re.compile(r"^(?=[-+=])|^(\d+)(?=[.)](?:\s|$))")
"""Before what begins a block of its own at the start of a line: a bullet, an underline, or the sign after a number that
would count a list (a backslash before the number itself would show)."""
LISTED_IDS: Final = 12


@writer("md")
def write(request: Request) -> bytes:
    """The document as Markdown; charts as their words."""
    said = request.document
    lines = [f"# {safe(said.title)}", "", safe(said.subtitle), ""]
    for section in said.sections:
        lines += [f"## {safe(section.title)}", ""]
        if section.asks:
            lines += [f"*{safe(section.asks)}*", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    lines += [f"- {safe(label)}: {safe(value)}" for label, value in said.facts]
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8")


def safe(text: str) -> str:
    """A text in which nothing is markup, a link or a block of its own."""
    one_line = html.escape(" ".join(text.split()), quote=False)
    return STARTS.sub(r"\1\\", SPECIAL.sub(r"\\\1", one_line)).replace("://", ":\u200b//")


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Text):
        yield f"> {safe(block.text)}" if block.tone == "gap" else safe(block.text)
    elif isinstance(block, Bullets):
        yield from (f"- {safe(item)}" for item in block.items)
    elif isinstance(block, Statement):
        yield f"- **{safe(block.id)}** {safe(block.text)}"
        if not block.gap and block.basis != "-":
            named = ", ".join(safe(wording.plain(id_)) for id_ in block.ids) if len(block.ids) <= LISTED_IDS else ""
            found = _("{count} sites").format(count=wording.number(len(block.ids)))
            yield f"  ({_('Rows:')} `{block.basis}`; {found}{': ' + named if named else ''})"
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Chart):
        yield f"*{safe(block.caption)}* {safe(block.words)}"


def _table(table: Table) -> Iterator[str]:
    yield f"**{safe(table.caption)}**"
    yield ""
    yield "| " + " | ".join(safe(column.title) for column in table.columns) + " |"
    yield "|" + "|".join("---:" if column.kind in NUMERIC else "---" for column in table.columns) + "|"
    for row in table.rows:
        cells = (safe(cell(value, column.kind)) for value, column in zip(row, table.columns, strict=True))
        yield "| " + " | ".join(cells) + " |"
    if table.note:
        yield ""
        yield safe(table.note)
