"""Quantising: half up, and a limit is reached by the number that is printed like it."""

from __future__ import annotations

import math

import narwhals.stable.v2 as nw
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from vigilance.scoring.assess import DIGITS, MEASURE_DIGITS, PROBABILITY_DIGITS, SCORES
from vigilance.scoring.interval import on_grid, quantised


def put(values: list[float], digits: int) -> list[float]:
    frame = nw.from_native(pl.DataFrame({"x": values}), eager_only=True)
    return frame.with_columns(quantised(nw.col("x"), digits))["x"].to_list()


@given(st.integers(0, 10**6), st.sampled_from([8, 10, 12, 13]))
def test_a_value_at_a_limit_reaches_it(millionths: int, digits: int) -> None:
    limit = millionths / 10**6
    around = [math.nextafter(limit, 2.0), limit, math.nextafter(limit, -1.0)]
    assert put(around, digits) == [on_grid(limit, digits)] * 3


@given(st.floats(0, 1), st.sampled_from([8, 10, 13]))
def test_a_value_moves_by_half_a_step_at_most(value: float, digits: int) -> None:
    assert abs(put([value], digits)[0] - value) <= 0.5000001 * 10.0**-digits + 2.0**-52


@given(st.floats(0, 1), st.integers(-4, 4))
def test_the_last_bits_of_a_probability_move_it_by_one_step_at_most(value: float, bits: int) -> None:
    other = min(max(value + bits * 2.0**-52, 0.0), 1.0)
    one, two = put([value, other], PROBABILITY_DIGITS)
    assert abs(one - two) < 1e-12


def test_every_number_of_the_scores_has_its_digits() -> None:
    words = ("band", "grade", "driver_1", "driver_2", "driver_3", "override")
    assert set(DIGITS) == {name for name in SCORES if not name.endswith(words)}
    assert set(DIGITS.values()) == {MEASURE_DIGITS, PROBABILITY_DIGITS}
