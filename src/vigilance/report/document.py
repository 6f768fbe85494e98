"""A document: sections of blocks that every format can show. Nothing here knows a format.

Texts are plain text in the language of the report; writers escape them. Numbers in tables stay numbers, so that a
spreadsheet gets numbers and a page gets them written as the language does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from vigilance.report import wording

Kind = Literal["text", "name", "int", "decimal", "percent", "ratio", "band"]
"""How a column reads; ``name`` is a user's own text, ``band`` a code that gets its colour."""
LONGEST_CELL: Final = 400
NUMERIC: Final = frozenset({"int", "decimal", "percent", "ratio"})


@dataclass(frozen=True)
class Text:
    """A paragraph. Tones: ``lead`` opens a document, ``note`` is small, ``gap`` names what was not assessed."""

    text: str
    tone: Literal["", "lead", "note", "gap"] = ""


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Column:
    """A heading and how its cells read."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table; ``rows`` hold raw values."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart and what it says in words."""

    name: str
    caption: str
    words: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Statement:
    """A sentence generated from the run, and the rows it rests on.

    ``basis`` is the filter that finds the rows again in ``scores.parquet``; ``ids`` are the sites it finds.
    """

    id: str
    text: str
    basis: str
    ids: Sequence[str] = field(default_factory=tuple)
    gap: bool = False


Block = Text | Bullets | Table | Chart | Statement


@dataclass(frozen=True)
class Section:
    """A heading and its blocks."""

    title: str
    blocks: Sequence[Block]
    asks: str = ""


@dataclass(frozen=True)
class Document:
    """A report for one reader; ``facts`` are the label-value pairs under its title (date, version, digests)."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]

    @property
    def statements(self) -> list[Statement]:
        """Every statement, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Statement)]

    @property
    def tables(self) -> list[Table]:
        """Every table, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]


READ: Final[Mapping[str, Callable[[Any], str]]] = {
    "int": lambda value: wording.number(float(value)),
    "decimal": lambda value: wording.number(float(value), 1),
    "percent": lambda value: wording.percent(float(value)),
    "ratio": lambda value: wording.ratio(float(value)),
    "band": lambda value: wording.band_of(str(value)),
}


def cell(value: Any, kind: Kind) -> str:
    """One cell as a person reads it."""
    if value is None:
        return wording.MISSING
    return READ[kind](value) if kind in READ else wording.plain(value, LONGEST_CELL)
