"""The second computation of the model gives the engine's numbers, and its derivatives are right."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from vigilance import engines
from vigilance.calibrate.recomputed import design, link, parameters, presence
from vigilance.calibrate.worlds import mix
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, Hazard


@pytest.mark.parametrize("hazard", HAZARDS)
def test_it_agrees_with_the_engine(model: Model, hazard: Hazard) -> None:
    sites = mix(model, 600, seed=5)
    zoned = sites.with_columns(
        _iso3=pl.when(pl.col("_row") % 9 == 0).then(pl.lit("CHN")).otherwise("_iso3"),
        _zone=pl.when(pl.col("_row") % 18 == 0).then(pl.lit(next(iter(model.programmes.zones)))).otherwise("_zone"),
    )
    scored = pl.concat(list(engines.polars(zoned.lazy(), model, None)))
    of, numbers = design(model, zoned, hazard), parameters(model.judgements, hazard)
    p = presence(link(of, numbers, of.stated).ln_m)
    assert np.abs(p - scored[f"{hazard}_inherent_p50"].to_numpy()).max() < 1e-9


@pytest.mark.parametrize("hazard", HAZARDS)
def test_derivatives(model: Model, hazard: Hazard) -> None:
    of, numbers = design(model, mix(model, 200, seed=6), hazard), parameters(model.judgements, hazard)
    slopes = link(of, numbers, of.stated, gradient=True).gradient
    for place in range(len(numbers.ln)):
        step = np.zeros(len(numbers.ln))
        step[place] = 1e-5
        above, below = (link(of, numbers.with_ln(numbers.ln + s), of.stated).ln_m for s in (step, -step))
        assert slopes[:, place] == pytest.approx((above - below) / 2e-5, abs=1e-7), numbers.paths[place]


def test_every_ratio_of_a_hazard_is_a_parameter(model: Model) -> None:
    for hazard in HAZARDS:
        wanted = {p for p in model.judgements.under("factors") if p.endswith(f".{hazard}") and "_proof" not in p}
        assert wanted <= set(parameters(model.judgements, hazard).paths)
