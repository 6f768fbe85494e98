"""Which header of a file is which column: exact after folding, by the aliases of ``headers.yaml``.

A header that is only nearly right is never taken: it is named in the issue as a suggestion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.ingest.folding import fold
from vigilance.ingest.readers.table import Match

_ = messages("ingest")

_COMPILED: Final = Path(__file__).parent / "vocabulary" / "headers.json"
_NEAR: Final = 82
"""Similarity (0-100, normalised edit distance) from which a header is worth suggesting."""


def header_key(text: str) -> str:
    """A header as it is compared; a percent or euro sign tells columns apart, so they count as words."""
    return fold(text.replace("%", " percent ").replace("€", " eur "))


@cache
def aliases(table: str) -> Mapping[str, tuple[str, ...]]:
    """Canonical column → its folded names, the preferred first, the canonical name itself before all."""
    columns: dict[str, list[str]] = json.loads(_COMPILED.read_text(encoding="utf-8"))[table]
    return {
        column: tuple(dict.fromkeys([header_key(column), *(header_key(name) for name in names)]))
        for column, names in columns.items()
    }


@cache
def known_names(table: str) -> frozenset[str]:
    """All folded names of all columns of a table."""
    return frozenset(name for names in aliases(table).values() for name in names)


@dataclass(frozen=True, slots=True)
class Headers:
    """Matches the cells of a would-be header with the columns of one input table.

    ``required`` is a list of alternatives: of each, one column must be there. ``mapping`` is what the user says,
    canonical name → header; it goes before every alias.
    """

    table: str
    required: tuple[tuple[str, ...], ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = aliases(self.table)
        for column in self.mapping:
            if column not in known:
                raise UsageError(
                    _("--map: there is no column '{column}' in {table}").format(column=column, table=self.table),
                    hint=_("its columns: {columns}").format(columns=", ".join(known)),
                )

    def refuse_unheard(self, found: Sequence[Sequence[str]]) -> None:
        """Raise ``UsageError`` where ``mapping`` names a header that no file has: its column would go unread."""
        heard = {header_key(cell) for header in found for cell in header}
        absent = [f"{column}={header}" for column, header in self.mapping.items() if header_key(header) not in heard]
        if absent:
            listed = ", ".join(repr(cell) for header in found for cell in header if cell)
            raise UsageError(
                _("--map {pairs}: no such header").format(pairs=", ".join(absent)),
                hint=_("the headers: {headers}").format(headers=listed[:400]),
            )

    def match(self, cells: Sequence[str]) -> Match:
        """Positions of the known columns among ``cells``, and which required ones are missing."""
        found = self._mapped([cell or "" for cell in cells])
        missing = [names[0] for names in self.required if not any(name in found for name in names)]
        return Match(len(found), missing, found)

    def _mapped(self, cells: Sequence[str]) -> dict[str, int]:
        keys: dict[str, int] = {}
        for position, cell in enumerate(cells):
            keys.setdefault(header_key(cell), position)
        keys.pop("", None)
        found = {column: keys[key] for column, header in self.mapping.items() if (key := header_key(header)) in keys}
        if known_names(self.table).isdisjoint(keys):
            return found  # A row of values, as nearly all are that are tried.
        taken = set(found.values())
        for column, names in aliases(self.table).items():
            free = [keys[name] for name in names if name in keys and keys[name] not in taken]
            if free and column not in self.mapping:
                found[column] = free[0]
                taken.add(free[0])
        return found


def nearest(table: str, header: str, free: Sequence[str]) -> str | None:
    """The canonical column, among those still ``free``, that a header nearly names; None when none is near."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only a file with an unknown header pays for it

    key = header_key(header)
    names = {name: column for column in free for name in aliases(table)[column] if len(name) > 3}
    hit = process.extractOne(key, list(names), scorer=fuzz.ratio, score_cutoff=_NEAR) if len(key) > 3 else None
    return names[hit[0]] if hit else None
