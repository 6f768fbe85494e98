"""History.at: the newest value on or before a date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.dated import Dated, History

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2040, 1, 1))


def test_the_first_day_counts() -> None:
    history = History([Dated(date(2022, 6, 1), "new"), Dated(date(2020, 1, 1), "old")])
    assert history.at(date(2019, 12, 31)) is None
    for on, expected in ((date(2020, 1, 1), "old"), (date(2022, 5, 31), "old"), (date(2022, 6, 1), "new")):
        found = history.at(on)
        assert found is not None
        assert found.value == expected
    assert history.first == date(2020, 1, 1)
    assert [entry.value for entry in history] == ["old", "new"]


def test_two_values_of_one_date_are_refused() -> None:
    with pytest.raises(ValueError, match="same date"):
        History([Dated(date(2020, 1, 1), 1), Dated(date(2020, 1, 1), 2)])


def test_an_empty_history_holds_nothing() -> None:
    empty: History[int] = History([])
    assert empty.at(date(2020, 1, 1)) is None
    assert empty.first is None
    assert len(empty) == 0


@given(st.sets(DAYS, min_size=1, max_size=8), DAYS)
def test_at_agrees_with_its_definition(days: set[date], on: date) -> None:
    history = History(Dated(day, day.toordinal()) for day in days)
    past = [day for day in days if day <= on]
    found = history.at(on)
    assert (found.since if found else None) == (max(past) if past else None)


@given(st.sets(DAYS, min_size=1, max_size=8), DAYS, st.integers(1, 400))
def test_a_later_entry_never_changes_the_past(days: set[date], on: date, ahead: int) -> None:
    before = History(Dated(day, "x") for day in days if day <= on)
    after = History([*before, Dated(on + timedelta(days=ahead), "later")])
    assert before.at(on) == after.at(on)
