"""Names for the columns of a table: unique, never empty, the user's own wherever possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.layouts import quoted
from vigilance.ingest.readers.table import LINE, ROW, Match
from vigilance.issues import issue, shown

_ = messages("readers")


def stands_for_others(name: str) -> bool:
    """Whether Polars takes a name for a pattern of names (``*``, or ``^`` to ``$``): no column can be called so."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def unique_names(
    header: Sequence[str], match: Match | None, name: str, line: int, *, sheet: str = ""
) -> tuple[list[str], list[dict[str, Any]]]:
    """Unique, non-empty names for the columns, and what had to be changed, as issues.

    Raises ``InputRefused`` when a column that is needed is there twice.
    """
    plain = [cell.strip() for cell in header]
    times = Counter(cell.casefold() for cell in plain if cell)
    needed = {plain[place].casefold() for place in match.mapping.values()} if match else set()
    twice = [cell for cell in dict.fromkeys(plain) if times[cell.casefold()] > 1]
    if any(cell.casefold() in needed for cell in twice):
        raise InputRefused(
            _("{file}, line {line}: the header has a needed column twice: {twice}; it holds: {found}").format(
                file=name, line=line, twice=quoted(twice), found=quoted(plain, 40)
            ),
            hint=_("rename or remove one of the two"),
        )
    names: list[str] = []
    taken = {cell for cell in header if cell.strip()} | {ROW, LINE}
    seen: set[str] = set()
    issues = []
    for place, cell in enumerate(header, start=1):
        wish = cell if cell.strip() and not stands_for_others(cell) else f"column {place}"
        new, count = wish, 2
        while new in seen or new in (ROW, LINE) or (new != cell and new in taken):
            new, count = f"{wish} ({count})", count + 1
        seen.add(new)
        names.append(new)
        if new != cell:
            code = "duplicate_header" if wish == cell else "unnamed_column"
            text = (
                _("column {place} is called '{new}' here, its header '{old}' not being a name of its own")
                if cell.strip()
                else _("column {place} has no header; it is called '{new}' here")
            )
            issues.append(
                issue(
                    code,
                    text.format(place=place, new=new, old=shown(cell)),
                    severity="warning",
                    file=name,
                    sheet=sheet,
                    row=line,
                    column=new,
                    value=cell,
                    hint=_("give every column its own name"),
                )
            )
    return names, issues
