"""Quantising: half up, and a limit is reached by the number that is printed like it."""

from __future__ import annotations

import math
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from vigilance.scoring.assess import MEASURE_DIGITS, PROBABILITIES, PROBABILITY_DIGITS
from vigilance.scoring.interval import on_grid, quantised, units
from vigilance.terms import HAZARDS


def put(values: list[float], digits: int) -> list[float]:
    frame = nw.from_native(pl.DataFrame({"x": values}), eager_only=True)
    frame = frame.with_columns(**units([digits], nw.col("x")))
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


@given(st.integers(0, 10**13), st.sampled_from([8, 10, 13]), st.integers(1, 70))
def test_a_number_is_the_one_next_to_its_decimal(steps: int, digits: int, rows: int) -> None:
    """Not a last bit off, as a product with the reciprocal is: printed, it has no more digits than it should."""
    steps = min(steps, 10**digits)
    given_ = float(f"{steps}e-{digits}")
    assert put([given_] * rows, digits) == [given_] * rows


def test_every_number_of_the_scores_has_its_digits(score: Any) -> None:
    sites = [{"iso3": "MYS", "division": "22", "workers": n * 7.0, "migrant_share": n / 60} for n in range(1, 60)]
    for row in score(sites):
        for hazard in HAZARDS:
            told = {f"{hazard}_{name}": PROBABILITY_DIGITS for name in PROBABILITIES}
            told |= {f"{hazard}_{name}": MEASURE_DIGITS for name in ("score", "expected_affected", "priority")}
            assert {name: row[name] for name in told} == {name: round(row[name], d) for name, d in told.items()}
