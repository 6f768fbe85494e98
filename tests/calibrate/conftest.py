from __future__ import annotations

from datetime import date

import pytest

from vigilance import reference, rules
from vigilance.calibrate.backtest import Backtest, backtest

ON = date(2026, 11, 1)


@pytest.fixture(scope="session")
def everything() -> reference.Reference:
    return reference.load()


@pytest.fixture(scope="session")
def found(everything: reference.Reference, judgements: rules.Judgements) -> Backtest:
    """The back-test on the shipped facts, few draws."""
    return backtest(everything, judgements, ON, draws=60)
