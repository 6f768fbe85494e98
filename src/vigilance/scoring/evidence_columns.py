"""The columns that all kinds of evidence share: ages, decay, exact sums and words of one vocabulary.

Sums over the rows of a site are made on whole multiples of 2^-44 (``quanta``), so that they do not depend on
the order of the rows, on the engine or on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw

from vigilance.terms import Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

Frame = nw.LazyFrame[Any]
Tables = Callable[[Mapping[str, Sequence[Any]]], Frame]
"""Makes a lazy frame of the caller's engine from a few columns of Python values."""

SHORT: Final[dict[Hazard, str]] = {Hazard.FORCED_LABOUR: "fl", Hazard.CHILD_LABOUR: "cl"}
"""The prefix of a hazard in the columns that the evidence adds to the sites."""

QUANTUM: Final = 2.0**-44
"""6e-14: far below any ratio that matters, and 100,000 rows of one site still fit an Int64."""

_RANGE_WIDTH: Final = 3.29
_MINUTES_OF_DAY: Final = 1440.0


def small_tables(like: Frame) -> Tables:
    """Small look-up tables on the engine of a frame.

    With DuckDB they land on its default connection; a caller with a connection of its own hands in its own
    ``Tables``.
    """
    engine: Any = like.implementation
    eager: Any = "polars" if engine is nw.Implementation.POLARS else "pyarrow"
    return lambda columns: nw.from_dict(dict(columns), backend=eager).lazy(backend=engine)


def quanta(value: nw.Expr) -> nw.Expr:
    """A number as a whole count of quanta (Int64), halves upward."""
    return (value * (1.0 / QUANTUM) + 0.5).floor().cast(nw.Int64)


def of_quanta(count: nw.Expr) -> nw.Expr:
    """A count of quanta as a number."""
    return count.cast(nw.Float64) * QUANTUM


def age_days(column: str, on: date) -> nw.Expr:
    """Days from a date column to ``on``; never negative where later dates were filtered out before."""
    later = nw.lit(on).cast(nw.Datetime("us"))
    span = (later - nw.col(column).cast(nw.Datetime("us"))).dt.total_minutes()
    return span.cast(nw.Float64) / _MINUTES_OF_DAY


def halved(age: nw.Expr, half_life_days: float) -> nw.Expr:
    """The decay d = 2^(-age / half-life)."""
    return (age * (-math.log(2.0) / half_life_days)).exp()


def by_then(column: str, on: date) -> nw.Expr:
    """Whether a date is known and not after ``on``."""
    return ~nw.col(column).is_null() & (nw.col(column) <= nw.lit(on))


def completed(frame: Frame, columns: Mapping[str, Any]) -> Frame:
    """The frame with the optional columns that it lacks, all null, by name and narwhals type."""
    present = set(frame.collect_schema().names())
    lacking = {name: kind for name, kind in columns.items() if name not in present}
    if not lacking:
        return frame
    return frame.with_columns(**{name: nw.lit(None, dtype=kind) for name, kind in lacking.items()})


def folded(column: str) -> nw.Expr:
    """A word as the vocabulary looks it up: small letters; anything but letters and digits is one space."""
    return nw.col(column).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def fold(word: str) -> str:
    """``folded`` for one Python string."""
    return " ".join("".join(c if c.isalnum() else " " for c in word.lower()).split())


def spellings(coding: Mapping[str, Any]) -> dict[str, str]:
    """Folded spelling → canonical word, of a block of ``rules/evidence/vocabulary.yaml``.

    ``coding`` maps a canonical word to its other spellings, as a list or by scheme. ``ValueError`` when a
    spelling would mean two words.
    """
    found: dict[str, str] = {}
    for word, said in coding.items():
        lists = said.values() if isinstance(said, Mapping) else [said]
        for spelling in (word, *(text for texts in lists for text in texts)):
            key = fold(str(spelling))
            if found.setdefault(key, word) != word:
                raise ValueError(f"{spelling!r} means both {found[key]} and {word}")
    return found


def canonical(frame: Frame, column: str, block: str, judgements: Judgements, tables: Tables) -> Frame:
    """The frame with a column of words in canonical spelling; null where a word is not known."""
    known = spellings(judgements.words(f"evidence.vocabulary.coding.{block}"))
    table = tables({"_spelling": list(known), "_canonical": list(known.values())})
    return (
        frame.with_columns(_spelling=folded(column))
        .join(table, on="_spelling", how="left")
        .with_columns(nw.col("_canonical").alias(column))
        .drop("_spelling", "_canonical")
    )


def numbers(prefix: str, judgements: Judgements) -> dict[str, float]:
    """The values directly below a path, by their last key."""
    return {path.rsplit(".", 1)[1]: found.value for path, found in judgements.under(prefix).items()}


def sds(prefix: str, judgements: Judgements) -> dict[str, float]:
    """The standard deviations directly below a path, by their last key."""
    return {path.rsplit(".", 1)[1]: found.sd for path, found in judgements.under(prefix).items()}


def logit(p: float) -> float:
    """ln(p / (1 - p))."""
    return math.log(p / (1.0 - p))


def sd_logit(low: float, high: float) -> float:
    """Standard deviation on the logit scale of a probability with a 5-95 % range."""
    return (logit(high) - logit(low)) / _RANGE_WIDTH


def week_of(column: str) -> nw.Expr:
    """The Monday of a date's week: the finest date of a grievance that leaves the run."""
    day = nw.col(column)
    weekday = day.dt.weekday()
    monday = nw.lit(None, dtype=nw.Date)
    for back in range(7):
        monday = nw.when(weekday == back + 1).then(day.dt.offset_by(f"-{back}d").cast(nw.Date)).otherwise(monday)
    return monday
