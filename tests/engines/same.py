"""Scoring on any engine, and what it is for two engines to give the same."""

from __future__ import annotations

import os
from typing import Any

import hypothesis
import polars as pl

from vigilance import engines
from vigilance.scoring.assess import MEASURE_DIGITS, PLACE, PROBABILITIES, SCORES
from vigilance.scoring.model import Model

BASE = "polars"
CLOSE = 1e-12


def scored(engine: str, frame: pl.DataFrame, model: Model, evidence: pl.DataFrame | None = None) -> pl.DataFrame:
    """All batches of an engine as one frame."""
    return pl.concat(list(engines.engine(engine)(frame.lazy(), model, evidence)))


def assert_same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """Words to the letter, probabilities to 1e-12, other measures to one unit of the last digit that is printed."""
    assert one.height == other.height
    for column in (*SCORES, *PLACE):
        if one[column].dtype.is_float():
            apart = (one[column] - other[column]).abs()
            assert apart.null_count() == 0
            limit = CLOSE if column.endswith(PROBABILITIES) else 1.01 * 10.0**-MEASURE_DIGITS
            assert float(apart.max() or 0.0) <= limit, column
        else:
            assert one[column].cast(pl.String).equals(other[column].cast(pl.String), null_equal=True), column


class OneEngine:
    """Scores on one engine.

    A list that a test wrote is scored there and then. Of the hundreds that Hypothesis draws, an engine that takes a
    second for any list scores all at once when the tests of a module are through: until then a test gets the rows of
    the quickest engine, and in the end those of this one have to be the same.
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.put_off: list[tuple[str, Model, pl.DataFrame, pl.DataFrame]] = []

    def scored(self, frame: pl.DataFrame, model: Model) -> list[dict[str, Any]]:
        """One dict of scores per site, in the order of their rows."""
        drawn = hypothesis.currently_in_test_context() and self.engine != BASE
        found = scored(BASE if drawn else self.engine, frame, model).select("_row", *SCORES, *PLACE).sort("_row")
        if drawn:
            self.put_off.append((os.environ["PYTEST_CURRENT_TEST"], model, frame, found))
        return list(found.iter_rows(named=True))

    def settle(self) -> None:
        """Score what was put off, and hold it against what the tests were given."""
        for model in {id(used): used for _test, used, _frame, _found in self.put_off}.values():
            mine = [(test, frame, found) for test, used, frame, found in self.put_off if used is model]
            whole = pl.concat([frame for _test, frame, _found in mine])
            again = scored(self.engine, whole.with_columns(_row=pl.int_range(whole.height)), model)
            start = 0
            for test, frame, found in mine:
                try:
                    assert_same(found, again.slice(start, frame.height))
                except AssertionError as error:
                    raise AssertionError(f"{self.engine} gives something else to {test}: {error}") from error
                start += frame.height
