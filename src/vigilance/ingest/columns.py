"""What a column of an input table is, and what a parser makes of it: typed expressions and checks.

A parser never sees a user's rows. It is a generator: it yields what it wants to know of the column (a few counts, or
its distinct values), is sent the answers, decides once how the whole column is to be read, and returns expressions;
the engine runs them over the rows. The questions of all columns are put in one pass (``survey.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol, TypeAlias

import polars as pl

from vigilance.i18n import messages
from vigilance.issues import Severity

_ = messages("ingest")

ROW: Final = "_row"
LINE: Final = "_line"
PREPARED: Final = ("\x1e", "\x1f")
"""First characters of the names of prepared columns; no header can hold them."""

WEIGHT: Final = "\x1drows"
"""The column that says how many rows have a text, in a frame of distinct texts."""

_BLANK_WORDS: Final = (
    "-|--|---|—|–|?|??|.|/|n/a|#n/a|na|n.a.|n.a|n/d|nd|n.d.|n.c.|nc|n.k.|unknown|not known|not available|null|none|tbd|"
    "tbc|inconnu|inconnue|non connu|non disponible|non renseigné|non renseigne|non communiqué|ne sait pas|aucun"
)
BLANK_WORDS: Final = frozenset(_BLANK_WORDS.split("|"))
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
    """The column under a parser: canonical name, name in the frame, the user's header.

    ``text`` and ``number`` stand in columns of their own (see ``prepared``), so that trimming and casting are done
    once for all that is asked.
    """

    column: str
    name: str
    header: str
    on: date
    facts: Tables | None
    required: bool = False
    coded: bool = False
    """Whether what is asked is asked of the distinct texts, each with its ``WEIGHT``, rather than of the rows."""

    def rows(self, condition: pl.Expr) -> pl.Expr:
        """In how many rows a condition holds."""
        return (condition.cast(pl.Int64) * pl.col(WEIGHT)).sum() if self.coded else condition.sum()

    @property
    def text(self) -> pl.Expr:
        """The cell without surrounding blanks; a blank cell is null."""
        return pl.col(f"\x1e{self.column}")

    @property
    def number(self) -> pl.Expr:
        """Float64 of a plainly written number; null where it is anything else."""
        return pl.col(f"\x1f{self.column}")

    def blank(self) -> Check:
        """The check that a required cell is not blank."""
        said = Text("value_missing", "error", _("a required cell is blank"), _("fill in the cell"))
        return Check(self.header, pl.lit(""), pl.when(self.text.is_null()).then(pl.lit("blank")), {"blank": said})


def prepared(
    frame: pl.LazyFrame, cells: Mapping[str, Cell], numbers: Collection[str], trim: Collection[str] | None = None
) -> pl.LazyFrame:
    """The frame with the columns behind ``Cell.text``, and behind ``Cell.number`` for the columns named.

    ``trim`` are the cells that need it, by default all: the text of the others is theirs already.
    """
    wanted = cells if trim is None else trim
    trimmed = {f"\x1e{n}": pl.col(c.name).str.strip_chars() for n, c in cells.items() if n in wanted}
    blanked = {name: pl.when(pl.col(name) != "").then(pl.col(name)) for name in trimmed}
    trimmed |= {f"\x1e{n}": pl.col(c.name) for n, c in cells.items() if n not in wanted}
    cast = {f"\x1f{n}": cells[n].text.cast(pl.Float64, strict=False) for n in numbers}
    finite = {name: pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name in cast}
    # One step after the other: within one step the engine would trim again for every use.
    return frame.with_columns(**trimmed).with_columns(**blanked).with_columns(**cast).with_columns(**finite)


Parser: TypeAlias = "Callable[[Cell, Column], Reader]"
"""Starts reading one column, by the options of its specification."""


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
