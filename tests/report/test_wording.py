from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.i18n import use
from vigilance.report import wording


def test_numbers_and_dates_follow_the_language() -> None:
    assert wording.number(12345.6, 1) == "12,345.6"
    assert wording.day(date(2026, 11, 1)) == "1 November 2026"
    with use("fr"):
        assert wording.number(12345.6, 1) == "12\u202f345,6"
        assert wording.percent(0.256) == "26\u202f%"
        assert wording.day(date(2026, 11, 1)) == "1er novembre 2026"
        assert wording.day(date(2026, 11, 11)) == "11 novembre 2026"


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0004, "<0.1%"), (0.0123, "1.2%"), (0.25, "25%"), (0.995, "99.5%"), (0.9996, ">99.9%"), (None, "–")],
)
def test_a_probability_is_never_said_to_be_certain(share: float | None, said: str) -> None:
    assert wording.percent(share) == said


@given(st.floats(1e-9, 1 - 1e-9))
def test_no_probability_reads_as_nothing_or_as_all(share: float) -> None:
    assert wording.percent(share) not in {"0%", "0.0%", "100%", "100.0%"}


@given(st.text(max_size=400))
def test_a_name_holds_no_control_and_is_short(name: str) -> None:
    shown = wording.plain(name)
    assert len(shown) <= wording.LONGEST_NAME
    assert not set(shown) & {chr(code) for code in wording.CONTROL}
