"""An input-output table in place of the shipped footprint."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from vigilance.errors import InputRefused
from vigilance.portfolio import io_tables, issuers, screen

from .world import Facts, judgements, positions, score

LABELS = pl.DataFrame(
    {
        "at": [0, 1, 2, 3],
        "iso3": ["FRA", "FRA", "CHN", "CHN"],
        "division": ["14", "13", "14", "13"],
        "weight": [1.0, 1.0, 1.0, 1.0],
    }
)
# Columns are buyers: French apparel buys .1 from French and .3 from Chinese textiles, which supply all textiles too.
A = np.array([[0.0, 0.0, 0.0, 0.0], [0.1, 0.0, 0.0, 0.0], [0.0, 0.0, 0.1, 0.0], [0.3, 0.2, 0.3, 0.2]])
X = np.array([100.0, 50.0, 300.0, 150.0])


def test_footprint_and_tiers_follow_from_the_table() -> None:
    world = io_tables.world(A, X, LABELS)
    share = {(d, c): s for d, c, s in world.footprint.iter_rows()}
    assert share[("14", "CHN")] == pytest.approx(0.75)
    assert share[("13", "FRA")] == pytest.approx(0.25)
    bought = {(d, t, u): s for d, t, u, s in world.upstream.iter_rows()}
    # One unit of apparel is .25 French and .75 Chinese: it buys .25·.4 + .75·.3 of textiles and .75·.1 of apparel.
    assert bought[("14", 2, "13")] == pytest.approx(0.325 / 0.4)
    assert bought[("14", 2, "14")] == pytest.approx(0.075 / 0.4)
    assert bought[("13", 3, "13")] == pytest.approx(1.0)


def test_a_screening_runs_on_it() -> None:
    held = positions([{"name": "Mode", "country": "France", "activity": "Consumer Discretionary", "weight": "100"}])
    known = issuers.build(held.lines, Facts())
    found = screen.screen(known, io_tables.world(A, X, LABELS), judgements(), score)
    assert found.issuers["exposure_source"].to_list() == ["sector"]
    home = judgements().value("portfolio.home_share.1")
    survive = (1 - 0.01 * 1.25) ** (home + (1 - home) * 0.25) * (1 - 0.15 * 1.25) ** ((1 - home) * 0.75)
    assert found.issuers["forced_labour_operations_p50"].item() == pytest.approx(1 - survive, abs=1e-9)


def test_labels_of_a_table_are_read_and_an_unknown_one_refused() -> None:
    labels = io_tables.label(["FR", "CN"], ["Manufacture of textiles", "C14"], Facts())
    assert labels.rows() == [(0, "FRA", "13", 1.0), (1, "CHN", "14", 1.0)]
    with pytest.raises(InputRefused, match="only 0"):
        io_tables.label(["Nowhere"], ["Nothing"], Facts())
    with pytest.raises(InputRefused, match="square"):
        io_tables.world(A[:, :2], X, LABELS)
