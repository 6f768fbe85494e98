"""Joint draws in place of the closed form (``vigilance score --draws N``).

Every number with a range is drawn at once and is common to all sites of a draw; what a site leaves open is drawn for
the site. P05, P80 and P95, and the interval of the rank, then come from the draws: where parameters move many sites
together, their order moves less than their levels. P50 stays the product of the ratios, so that the explanation still
leads to it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.calibrate.recomputed import design, link, parameters
from vigilance.calibrate.worlds import drawn_parameters, drawn_truth
from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.scoring.assess import CONFIRMED_CASE
from vigilance.scoring.model import Model
from vigilance.terms import BANDS, HAZARDS, Hazard

_ = messages("calibrate")

Floats = NDArray[np.float64]
CELLS: Final = 60_000_000
"""Sites times draws that are held in memory at once (8 bytes each, two hazards)."""
BOUNDS: Final = {"p05": 0.05, "p80": 0.80, "p95": 0.95}


def refined(
    frame: pl.DataFrame, model: Model, evidence: pl.DataFrame | None, count: int, seed: int = 0
) -> pl.DataFrame:
    """Scored rows (typed columns beside their scores) with their intervals, bands and ranks from ``count`` draws.

    Raises ``UsageError`` when the list is too long to draw at once.
    """
    if frame.height * count > CELLS:
        raise UsageError(
            _("{sites} sites times {draws} draws are too many to hold at once").format(sites=frame.height, draws=count),
            hint=_("at most {most} draws for this list").format(most=CELLS // max(frame.height, 1)),
        )
    typed = frame.with_columns(pl.col("_zone").fill_null(""))
    told = _told(typed, evidence)
    columns: list[pl.Series] = []
    worst = np.zeros((count, frame.height))
    for hazard in HAZARDS:
        p = _presences(typed, told, model, hazard, count, seed)
        confirmed = (frame[f"{hazard}_override"] == CONFIRMED_CASE).fill_null(value=False).to_numpy()
        p[:, confirmed] = 1.0
        worst = np.maximum(worst, p)
        columns += _quantiles(frame, p, hazard)
        columns.append(_bands(frame, columns, model, hazard))
    rank = 1 + (-worst).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return frame.with_columns(
        *columns,
        pl.Series("_rank_low", np.quantile(rank, 0.05, axis=0, method="lower")).cast(pl.Int64),
        pl.Series("_rank_high", np.quantile(rank, 0.95, axis=0, method="higher")).cast(pl.Int64),
    )


def _told(typed: pl.DataFrame, evidence: pl.DataFrame | None) -> pl.DataFrame:
    """What the evidence says of each site: shift, measures and their variances; zeros where there is none."""
    parts = ("ln_measures", "measures_var", "shift", "shift_var")
    names = [f"{hazard}_{part}" for hazard in HAZARDS for part in parts]
    ids = typed.select("_supplier_id")
    if evidence is None:
        return ids.with_columns(pl.lit(0.0).alias(name) for name in names)
    wanted = evidence.select("_supplier_id", *names)
    joined = ids.join(wanted, on="_supplier_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(0.0) for name in names)


def _presences(typed: pl.DataFrame, told: pl.DataFrame, model: Model, hazard: Hazard, count: int, seed: int) -> Floats:
    """P of every draw and site (B×n)."""
    of, numbers = design(model, typed, hazard), parameters(model.judgements, hazard)
    unknown_activity = model.judgements.sd_ln(f"method.base_unknown_activity.{hazard}")
    rng = np.random.default_rng([seed, list(HAZARDS).index(hazard)])
    side: dict[str, Floats] = {
        part: told[f"{hazard}_{part}"].to_numpy() for part in ("ln_measures", "measures_var", "shift", "shift_var")
    }
    found = np.empty((count, typed.height))
    for place in range(count):
        ln_m = link(of, drawn_parameters(numbers, rng), drawn_truth(of, unknown_activity, rng)).ln_m
        ln_m = ln_m + side["ln_measures"] + np.sqrt(side["measures_var"]) * rng.standard_normal(typed.height)
        shift = side["shift"] + np.sqrt(side["shift_var"]) * rng.standard_normal(typed.height)
        m = np.exp(ln_m)
        # logit P0 = ln(exp(m) - 1), and the evidence moves it.
        logit = np.where(m < 1e-5, ln_m + m / 2, m + np.log(-np.expm1(-np.maximum(m, 1e-5)))) + shift
        found[place] = 1.0 / (1.0 + np.exp(-logit))
    return found


def _quantiles(frame: pl.DataFrame, p: Floats, hazard: Hazard) -> list[pl.Series]:
    """P05, P80 and P95, on their side of the P50 that the ratios give."""
    middle = frame[f"{hazard}_p50"].to_numpy()
    made = []
    for name, probability in BOUNDS.items():
        values = np.quantile(p, probability, axis=0)
        held = np.minimum(values, middle) if probability < 0.5 else np.maximum(values, middle)
        made.append(pl.Series(f"{hazard}_{name}", np.round(held, 10)))
    return made


def _bands(frame: pl.DataFrame, columns: list[pl.Series], model: Model, hazard: Hazard) -> pl.Series:
    """The band of the new P80; an override keeps the band that it raised."""
    p80 = next(series for series in columns if series.name == f"{hazard}_p80").to_numpy()
    limits = [model.judgements.value(f"method.band.{word}") for word in BANDS[1:]]
    position = np.searchsorted(np.array(limits), p80, side="right")
    words: list[Any] = list(map(str, BANDS))
    raised = frame[f"{hazard}_override"].is_not_null().to_numpy()
    given = frame[f"{hazard}_band"]
    old = np.array([words.index(word) for word in given.cast(pl.String).to_list()])
    position = np.where(raised, np.maximum(position, old), position)
    return pl.Series(f"{hazard}_band", [words[place] for place in position], dtype=given.dtype)
