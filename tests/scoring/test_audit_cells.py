"""Audit cells: the published cell of ICS, and how the posterior must behave."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import rules
from vigilance.rules import Judgements
from vigilance.scoring.audit_cells import counts, effective_counts, presence
from vigilance.terms import Hazard

FL, CL = Hazard.FORCED_LABOUR, Hazard.CHILD_LABOUR


@cache
def judgements() -> Judgements:
    return rules.load().in_force(date(2026, 11, 1))


def test_ics_forced_labour_is_some_four_percent_not_one() -> None:
    # ICS 2022-23: 99 % of 4,713 audits conform. Specification: 4.4 % (90 %: 1.9-11.8).
    found = presence(47, 4713, FL, judgements())
    assert 100 * found.p50.item() == pytest.approx(4.4, abs=0.1)
    assert 100 * found.p05.item() == pytest.approx(1.9, abs=0.1)
    assert 100 * found.p95.item() == pytest.approx(11.8, abs=0.1)


def test_ics_child_labour() -> None:
    # 3 % of 4,713 not conform. Specification: 9.1 % (5.6-16.6).
    found = presence(141, 4713, CL, judgements())
    assert 100 * found.p50.item() == pytest.approx(9.1, abs=0.1)
    assert 100 * found.p05.item() == pytest.approx(5.6, abs=0.1)
    assert 100 * found.p95.item() == pytest.approx(16.6, abs=0.15)


def test_without_audits_the_posterior_is_the_prior() -> None:
    found = presence([0, 0], [0, 0], FL, judgements(), mean=[0.05, 0.2])
    assert found.mean == pytest.approx([0.05, 0.2], abs=1e-4)


def test_a_certain_test_gives_the_plain_beta_posterior() -> None:
    sure = judgements().with_values(
        {
            "evidence.audit_cells.sensitivity.child_labour.alpha": 1e7,
            "evidence.audit_cells.sensitivity.child_labour.beta": 1e-3,
            "evidence.audit_cells.specificity": 1 - 1e-12,
        }
    )
    found = presence(30, 100, CL, sure)
    # Beta(1 + 30, 19 + 70) has mean 31 / 120.
    assert found.mean.item() == pytest.approx(31 / 120, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from([FL, CL]))
def test_more_positives_mean_more_presence(positives: int, clean: int, hazard: Hazard) -> None:
    found = presence([positives, positives + 1], positives + clean + 1, hazard, judgements())
    assert found.p50[1] > found.p50[0]
    assert np.all((found.p05 > 0) & (found.p05 < found.p50) & (found.p50 < found.p95) & (found.p95 < 1))


def test_clean_audits_never_prove_absence() -> None:
    # A hundred thousand clean audits are still a ceiling of the instrument, not a zero.
    found = presence(0, 100_000, FL, judgements())
    assert found.p95.item() > 0


def test_cells_are_computed_each_for_itself() -> None:
    many = presence(np.arange(600) % 7, 50, CL, judgements())
    assert many.p50[3] == presence(3, 50, CL, judgements()).p50.item()
    assert len(presence([], [], CL, judgements()).p50) == 0


@pytest.mark.parametrize(("x", "n", "mean"), [(2, 1, None), (-1, 5, None), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_counts_are_refused(x: int, n: int, mean: float | None) -> None:
    with pytest.raises(ValueError, match="must lie"):
        presence(x, n, FL, judgements(), mean=mean)


def test_drawing_probabilities_undo_the_targeting() -> None:
    rng = np.random.default_rng(5)
    bad = rng.random(200_000) < 0.04
    drawn_with = np.where(bad, 0.4, 0.02)
    drawn = rng.random(bad.size) < drawn_with
    raw = bad[drawn].mean()
    x, n = effective_counts(bad[drawn], drawn_with[drawn], np.zeros(drawn.sum(), int), 2)
    assert raw > 0.3
    assert x[0] / n[0] == pytest.approx(0.04, abs=0.004)
    assert n[0] < drawn.sum()
    assert (x[1], n[1]) == (0, 0)
    with pytest.raises(ValueError, match="probability"):
        effective_counts([1], [0.0], [0], 1)


def test_equal_probabilities_change_nothing() -> None:
    x, n = effective_counts([1, 0, 0, 1], [0.1] * 4, [0, 0, 1, 1], 2)
    assert x == pytest.approx([1, 1])
    assert n == pytest.approx([2, 2])


def test_a_users_own_audits_as_cells() -> None:
    def wrap(frame: pl.DataFrame) -> Any:
        return nw.from_native(frame.lazy())

    day, late = date(2026, 5, 1), date(2026, 12, 1)
    sites = pl.DataFrame(
        {"_supplier_id": ["A", "B", "C"], "_iso3": ["BGD", "BGD", "IND"], "_division": ["14", "14", "13"]}
    )
    audits = pl.DataFrame({"_supplier_id": ["A", "A", "B", "C", "C"], "_audited_on": [day, day, day, day, late]})
    findings = pl.DataFrame(
        {
            "_supplier_id": ["A", "A", "B", "C"],
            "_audited_on": [day, day, day, late],
            "_topic": ["debt bondage", "forced labour", "fire", "child labour"],
            "_status": ["open", "closed", "open", "open"],
        }
    )
    on = date(2026, 11, 1)
    cells_of = counts(wrap(sites), wrap(audits), wrap(findings), judgements(), on)
    found = cells_of.select("_iso3", "_division", "audits", f"{FL}_positive", f"{CL}_positive").collect().to_native()
    assert found.sort("_iso3").rows() == [("BGD", "14", 2, 1, 0), ("IND", "13", 1, 0, 0)]
    bare = counts(wrap(sites), wrap(audits), None, judgements(), on).collect().to_native()
    assert bare["forced_labour_positive"].sum() == 0
    cells = presence(found["forced_labour_positive"], found["audits"], FL, judgements())
    assert len(cells.p50) == 2


def test_audits_of_a_list_drawn_with_known_probabilities() -> None:
    """As ``effective_counts`` on the rows; a blank probability stands for itself."""
    sites = pl.DataFrame({"_supplier_id": ["a", "b", "c", "d"], "_iso3": "BGD", "_division": ["14"] * 3 + ["13"]})
    audits = pl.DataFrame(
        {
            "_supplier_id": ["a", "b", "c", "d"],
            "_audited_on": [date(2026, 1, day) for day in range(1, 5)],
            "_drawn_with": [0.1, None, 0.5, 0.25],
        }
    )
    findings = pl.DataFrame(
        {"_supplier_id": ["b", "c"], "_audited_on": [date(2026, 1, 2), date(2026, 1, 3)], "_topic": "forced labour"}
    )
    wrapped = [nw.from_native(frame.lazy()) for frame in (sites, audits, findings)]
    found = counts(*wrapped, judgements(), on=date(2026, 11, 1)).collect().to_native().sort("_division")
    hits, weights = effective_counts([0, 0, 1, 1], [0.25, 0.1, 1.0, 0.5], [0, 1, 1, 1], 2)
    assert found["effective_audits"].to_list() == pytest.approx(weights.tolist(), rel=1e-4)
    assert found["forced_labour_effective"].to_list() == pytest.approx(hits.tolist(), rel=1e-4)
    assert found["child_labour_effective"].to_list() == [0.0, 0.0]
    assert found["audits"].to_list() == [1, 3]
    plain = counts(
        wrapped[0], nw.from_native(audits.drop("_drawn_with").lazy()), wrapped[2], judgements(), on=date(2026, 11, 1)
    )
    bare = plain.collect().to_native()
    assert bare["effective_audits"].to_list() == [float(n) for n in bare["audits"]]
    assert bare["forced_labour_effective"].to_list() == [float(n) for n in bare["forced_labour_positive"]]
