"""The engines make the same of evidence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal
from tests.scoring.evidence_cases import HISTORY, Scenario, everything, explained, many, wide_of
from tests.scoring.evidence_rows import on_duckdb, on_polars


def test_engines_agree_on_audits() -> None:
    cases: list[Scenario] = [{"audits": HISTORY["audits"]}, {}]
    wide = [wide_of(cases, engine) for engine in (on_polars, on_duckdb)]
    assert wide[0]["forced_labour_shift"][0] < 0
    assert_frame_equal(*wide, abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False)


@pytest.mark.slow  # DuckDB binds the whole query again at each step: seconds for the longer ones
@pytest.mark.parametrize(
    "names", [("audits", "findings"), ("grievances", "matches"), ("events",), tuple(HISTORY)], ids=",".join
)
def test_engines_agree(names: tuple[str, ...]) -> None:
    agree([{name: HISTORY[name] for name in names}, {}])


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(many(everything))
def test_engines_agree_on_anything(cases: list[Scenario]) -> None:
    cases[0]["matches"] = [{"_list": "uflpa", "_supplier_id": "A", "_confidence": 0.3}]
    agree([HISTORY, *cases])


def agree(cases: list[Scenario]) -> None:
    wide = [wide_of(cases, engine) for engine in (on_polars, on_duckdb)]
    assert_frame_equal(*wide, abs_tol=1e-12, rel_tol=1e-12, check_dtypes=False)
    long = [explained(cases, engine) for engine in (on_polars, on_duckdb)]
    assert_frame_equal(*long, abs_tol=1e-12, rel_tol=1e-12)
    assert not long[0].is_empty()
