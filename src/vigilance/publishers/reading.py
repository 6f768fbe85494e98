"""What a publisher's reader hands over: rows of one of our tables, and what was noticed on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from vigilance import issues


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows of the table ``table``, with those of its columns that the file tells of.

    ``scope`` names the columns whose values the file covers completely: rows of the old table with the same values
    there, but with a key that is not in ``rows``, are gone at the publisher. An empty scope means that the file only
    adds and changes. ``as_of`` is the date the file speaks of, null when it does not say.
    """

    table: str
    publisher: str
    rows: pl.DataFrame
    scope: tuple[str, ...] = ()
    as_of: date | None = None
    issues: pl.DataFrame = field(default_factory=issues.frame)
