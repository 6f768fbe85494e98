"""A value with the date it holds from, and the history of such values.

Dates are resolved before scoring: ``History.at(on)`` is the one place that turns a dated judgement into a
value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Dated(Generic[T_co]):
    """A value and the first day on which it holds."""

    since: date
    value: T_co


class History(Generic[T_co]):
    """Values of one thing over time, kept in order of their dates.

    Two values with the same date are refused (``ValueError``): nothing could say which one holds.
    """

    __slots__ = ("_dates", "_entries")

    def __init__(self, entries: Iterable[Dated[T_co]]) -> None:
        self._entries = tuple(sorted(entries, key=lambda entry: entry.since))
        self._dates = tuple(entry.since for entry in self._entries)
        if len(set(self._dates)) != len(self._dates):
            raise ValueError("two values hold from the same date")

    def at(self, on: date) -> Dated[T_co] | None:
        """The newest value that holds on a date (its first day included), or None when none holds yet."""
        position = bisect_right(self._dates, on)
        return self._entries[position - 1] if position else None

    @property
    def first(self) -> date | None:
        """The date of the oldest value; None without values."""
        return self._dates[0] if self._dates else None

    def __iter__(self) -> Iterator[Dated[T_co]]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
