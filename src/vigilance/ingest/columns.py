"""What a column of an input table is, and what a parser makes of it: typed expressions and checks.

A parser never sees a user's rows. It is a generator: it yields what it wants to know of the column (a few counts, or
its distinct values), is sent the answers, decides once how the whole column is to be read, and returns expressions;
the engine runs them over the rows. The questions of all columns are put in one pass (``survey.py``).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

import polars as pl

from vigilance.issues import Severity

ROW: Final = "_row"
LINE: Final = "_line"

BLANK_WORDS: Final = frozenset(
    "- -- --- — – ? ?? . / n/a na n.a. n.a n/d nd n.d. n.c. nc unknown inconnu inconnue not known not available"
    " non disponible non renseigné non renseigne non connu null none aucun tbd tbc n.k.".split()
) | {"not known", "not available", "non disponible", "non renseigné", "non renseigne", "non connu", "ne sait pas"}
"""What people write into a cell to say that they do not know (lower case)."""


@dataclass(frozen=True, slots=True)
class Text:
    """What an issue says: its code, severity, message and the fix."""

    code: str
    severity: Severity
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A test of every row. ``key`` is a String expression: null where all is well, else a key of ``texts``.

    Rows that fail with severity ``error`` are set aside. ``column`` is the user's header, ``value`` what to show.
    """

    column: str
    value: pl.Expr
    key: pl.Expr
    texts: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Note:
    """An issue about a whole column or about one distinct value in many rows; ``line`` is the first of them."""

    text: Text
    column: str
    value: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How one column is read: typed expressions by name, checks of rows, notes, and its repaired text.

    ``failing`` says whether the survey saw a row that fails a check; False saves the pass that looks for them.
    """

    typed: Mapping[str, pl.Expr] = field(default_factory=dict)
    checks: Sequence[Check] = ()
    notes: Sequence[Note] = ()
    repaired: pl.Expr | None = None
    failing: bool = False


class Tables(Protocol):
    """The facts, as ``Reference.in_force(on)`` gives them."""

    def table(self, name: str) -> pl.DataFrame:
        """One table of ``data/``."""
        ...


@dataclass(frozen=True, slots=True)
class Counts:
    """A question: each expression gives one value; answered by a mapping of alias → value."""

    expressions: Mapping[str, pl.Expr]


@dataclass(frozen=True, slots=True)
class Distinct:
    """A question: the distinct values of an expression; answered by a frame ``value, rows, line`` (first line)."""

    expression: pl.Expr


Question = Counts | Distinct
Reader = Generator[Question, Any, Plan]
"""A parser at work on one column."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The column under a parser: its name in the frame, the user's header, and the expression of its trimmed text."""

    name: str
    header: str
    on: date
    facts: Tables | None

    @property
    def text(self) -> pl.Expr:
        """The cell without surrounding blanks; a blank cell is null."""
        trimmed = pl.col(self.name).str.strip_chars()
        return pl.when(trimmed.str.len_bytes() > 0).then(trimmed)


class Parser(Protocol):
    """Makes a reader for one column; ``options`` are those of its specification."""

    def __call__(self, cell: Cell, column: Column) -> Reader:
        """Start reading."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an input table: canonical name, kind of value, and whether every row needs it."""

    name: str
    parser: Parser
    required: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def typed(self) -> str:
        """The name of its typed column."""
        return f"_{self.name}"


@dataclass(frozen=True, slots=True)
class Table:
    """One input table: its columns, the alternatives that a file must have, its key, and what happens to the rest."""

    name: str
    columns: tuple[Column, ...]
    needed: tuple[tuple[str, ...], ...]
    key: tuple[str, ...] = ()
    keep_unknown: bool = True


def lookup(value: pl.Expr, pairs: Mapping[str, Any], dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    """``value`` read through a small table, null where it is not in it."""
    if not pairs:
        return pl.lit(None, dtype=dtype)
    if len(pairs) <= 6:
        # A short chain of comparisons is several times quicker than a hash table per batch of rows.
        return pl.coalesce(
            *(pl.when(value == old).then(pl.lit(new, dtype=dtype)) for old, new in pairs.items()),
            pl.lit(None, dtype=dtype),
        )
    old = pl.Series(list(pairs), dtype=pl.String)
    return value.replace_strict(old, pl.Series(list(pairs.values()), dtype=dtype), default=None)


def missing(cell: Cell) -> Check:
    """The check that a required cell is not blank."""
    from vigilance.i18n import messages  # noqa: PLC0415

    _ = messages("ingest")
    return Check(
        cell.header,
        pl.lit(""),
        pl.when(cell.text.is_null()).then(pl.lit("blank")),
        {"blank": Text("value_missing", "error", _("a required cell is blank"), _("fill in the cell"))},
    )
