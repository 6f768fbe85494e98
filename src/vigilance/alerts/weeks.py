"""ISO weeks: ``2026-W53`` holds the 1st of January 2027. Written so, they sort as text."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from vigilance.errors import UsageError
from vigilance.i18n import messages

_ = messages("alerts")

_FORM: Final = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)


def week_of(day: date) -> str:
    """The ISO week of a day, with the ISO year, which is not always the year of the day."""
    year, number, _weekday = day.isocalendar()
    return f"{year:04d}-W{number:02d}"


def parse(text: str) -> str:
    """A week as a person types it, in its one form. Raises ``UsageError`` for one that does not exist."""
    found = _FORM.fullmatch(text.strip())
    if found:
        try:
            return week_of(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        except ValueError:
            pass
    raise UsageError(_("{text} is not an ISO week such as 2026-W47").format(text=repr(text[:40])))


def monday(week: str) -> date:
    """The first day of a week."""
    return date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)


def earlier(week: str, weeks: int) -> str:
    """The week so many weeks before."""
    return week_of(monday(week) - timedelta(weeks=weeks))
