"""Published totals of audits, held against the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from tests.conftest import sites

from vigilance import engines, reference
from vigilance.calibrate.published_audits import compared
from vigilance.scoring.audit_statistics import manufacturing
from vigilance.scoring.model import Model


def test_the_newest_totals_are_corrected_and_compared(model: Model) -> None:
    found = compared(model)
    assert found is not None
    # ICS: 2.0 million workers at 4,713 sites; eight countries are named.
    assert (found.period, round(found.workers), found.countries) == ("2022-04/2023-05", 424, 8)
    forced = found.rows.row(by_predicate=pl.col("hazard") == "forced_labour", named=True)
    assert (forced["audits"], forced["positive"]) == (4713, 0.01)
    assert 100 * forced["presence"] == pytest.approx(4.4, abs=0.1)
    assert forced["presence_low"] < forced["presence"] < forced["presence_high"]
    for row in found.rows.iter_rows(named=True):
        assert row["inside"] is (row["presence_low"] <= row["expected"] <= row["presence_high"])


def test_what_is_expected_is_a_mean_over_countries_and_manufacturing(model: Model) -> None:
    # Audits by country as ICS has them (data/ics_audits); divisions weigh their employment.
    audits = {"BGD": 194, "BRA": 507, "CHN": 1616, "ESP": 113, "FRA": 102, "IND": 329, "ITA": 146, "VNM": 228}
    employed = dict(zip(model.grid.divisions.tolist(), manufacturing(model).tolist(), strict=True))
    made = {code: weight for code, weight in employed.items() if weight > 0}
    assert set(made) == {f"{number:02}" for number in range(10, 34)}
    assert sum(made.values()) == pytest.approx(1.0)
    workers = 2_000_000 / 4713
    rows = [{"iso3": iso3, "division": d, "workers": workers} for iso3 in audits for d in made]
    scored = pl.concat(list(engines.polars(sites(rows).lazy(), model, None)))
    total = sum(
        audits[str(row["iso3"])] * made[str(row["division"])] * p
        for row, p in zip(rows, scored["child_labour_p50"].to_list(), strict=True)
    )
    found = compared(model)
    assert found is not None
    expected = found.rows.row(by_predicate=pl.col("hazard") == "child_labour", named=True)["expected"]
    assert expected == pytest.approx(total / sum(audits.values()), rel=1e-9)


def test_nothing_is_compared_before_it_was_known(model: Model) -> None:
    # The totals of 2022-23 are known from the end of 2023 on; older periods have no number of audits.
    facts = reference.load()
    for on, known in ((date(2023, 12, 30), False), (date(2023, 12, 31), True)):
        assert (compared(replace(model, facts=facts.in_force(on))) is not None) is known
