"""Where the width of an interval comes from: the variance that each line claims, beside the one that is there.

What a line claims is what its explanation shows (``scoring.explain``); what is there is drawn, line by line, from the
same worlds as the coverage. Both before the bound on the factors and the ceiling of the rate.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance import engines
from vigilance.calibrate.recomputed import Design, Parameters, line_values
from vigilance.calibrate.worlds import drawn_parameters, drawn_truth
from vigilance.scoring import explain, lines
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS

Floats = NDArray[np.float64]

DRAWS: Final = 200


def claimed(model: Model, typed: pl.DataFrame) -> pl.DataFrame:
    """What the engine claims: ``supplier_id, hazard, factor, known`` (stated), ``variance`` of its ln ratio."""
    frame = nw.from_native(typed, eager_only=True)
    told: pl.DataFrame = explain.ratios(frame, model, engines.look_up(typed, model)).to_native()
    spread = (pl.col("high") / pl.col("low")).log() / (2.0 * explain.FIVE_PERCENT)
    return told.select("supplier_id", "hazard", "factor", "known", variance=spread**2)


def decomposed(
    typed: pl.DataFrame, told: pl.DataFrame, of: Design, numbers: Parameters, unknown_activity: float, seed: int
) -> list[dict[str, Any]]:
    """Rows of one hazard: ``hazard, line``; of the sites that state it and of those that do not, number and variances.

    ``stated_sites, stated_claimed, stated_drawn`` and the same for ``blank``: means over sites; null without sites.
    """
    rng = np.random.default_rng([seed, HAZARDS.index(of.hazard)])
    there = _drawn(of, numbers, unknown_activity, rng)
    mine = told.filter(pl.col("hazard") == str(of.hazard))
    rows: list[dict[str, Any]] = []
    for line in [name for name in lines.LINES if name in there]:
        one = typed.select(supplier_id="_supplier_id").join(
            mine.filter(pl.col("factor") == line), on="supplier_id", how="left", maintain_order="left"
        )
        known, variance = one["known"].to_numpy().astype(bool), one["variance"].to_numpy()
        row: dict[str, Any] = {"hazard": str(of.hazard), "line": line}
        for name, flags in (("stated", known), ("blank", ~known)):
            row[f"{name}_sites"] = int(flags.sum())
            for what, values in (("claimed", variance), ("drawn", there[line])):
                row[f"{name}_{what}"] = round(float(values[flags].mean()), 6) if flags.any() else None
        rows.append(row)
    return rows


def _drawn(of: Design, numbers: Parameters, unknown_activity: float, rng: np.random.Generator) -> dict[str, Floats]:
    """Variance of each line at each site, over draws of everything at once (two moments are kept, not the draws)."""
    first: dict[str, Floats] = {}
    second: dict[str, Floats] = {}
    centre = line_values(of, numbers, of.stated)
    for _draw in range(DRAWS):
        values = line_values(of, drawn_parameters(numbers, rng), drawn_truth(of, unknown_activity, rng))
        for name, value in values.items():
            off = value - centre[name]
            first[name] = first.get(name, 0.0) + off
            second[name] = second.get(name, 0.0) + off**2
    return {name: second[name] / DRAWS - (first[name] / DRAWS) ** 2 for name in first}
