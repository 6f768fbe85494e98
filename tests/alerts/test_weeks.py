from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.alerts import weeks
from vigilance.errors import UsageError


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 12, 31), "2026-W53"),
        (date(2027, 1, 1), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2026, 1, 1), "2026-W01"),
        (date(2025, 12, 29), "2026-W01"),
        (date(2026, 3, 29), "2026-W13"),  # summer time begins in Europe
        (date(2026, 10, 25), "2026-W43"),  # and ends
    ],
)
def test_iso_year_goes_with_iso_week(day: date, week: str) -> None:
    assert weeks.week_of(day) == week


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 200))
def test_weeks_sort_as_text_and_go_back(day: date, count: int) -> None:
    week = weeks.week_of(day)
    assert weeks.monday(week) <= day < weeks.monday(week) + timedelta(days=7)
    assert weeks.parse(week) == week
    before = weeks.earlier(week, count)
    assert (before < week) == (count > 0)
    assert weeks.monday(week) - weeks.monday(before) == timedelta(weeks=count)


@pytest.mark.parametrize("text", ["2027-W53", "2026-W00", "2026-47", "", "W47", "2026-W471"])
def test_a_week_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ISO week"):
        weeks.parse(text)


def test_a_week_is_read_as_people_write_it() -> None:
    assert weeks.parse(" 2026w53 ") == "2026-W53"
