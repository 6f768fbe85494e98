"""Patterns: what the eight three-state factors of a site say together, computed once per activity and pattern.

A pattern code holds one base-3 digit per factor (``terms.FACTORS``); there are 6,561 of them, so that a row of any file
needs one join instead of eight choices.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.scoring import lines
from vigilance.scoring.cells import DRIVERS, Line
from vigilance.scoring.model import Model
from vigilance.terms import FACTORS, HAZARDS, UNKNOWN, Hazard

KEY: Final = ("_division", "_factors")


def digits(codes: NDArray[np.int64]) -> NDArray[np.intp]:
    """The states of the factors (n×8) that pattern codes stand for."""
    powers = 3 ** np.arange(len(FACTORS))
    return (codes[:, None] // powers % 3).astype(np.intp)


def pattern_lines(
    model: Model, hazard: Hazard, division: NDArray[np.intp], states: NDArray[np.intp]
) -> dict[str, Line]:
    """The lines of one hazard that follow from the factors of n sites, given the places of their divisions."""
    effect = model.activities.factors[hazard]
    found = {}
    for place, name in enumerate(FACTORS):
        if not model.judgements.has(f"factors.{name}.ratio.{hazard}"):
            continue
        state = states[:, place]
        found[name] = Line(
            ln=effect.ln[division, place, state],
            var=effect.var[division, place, state],
            weight=effect.weight[division, place],
            known=effect.known[division, place, state],
            stated=state != UNKNOWN,
        )
    return found


def table(model: Model, keys: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """One row per activity and pattern: what the factors of a site say together.

    ``KEY``, and per hazard ``<h>_ln_pattern, <h>_pattern_var, <h>_pattern_known, <h>_pattern_driver_1..3``.
    """
    division = model.activities.index(keys["_division"].to_numpy().astype("U2"))
    states = digits(keys["_factors"].to_numpy().astype(np.int64))
    columns: dict[str, Any] = {}
    for hazard in HAZARDS:
        found = pattern_lines(model, hazard, division, states)
        codes = np.stack([lines.driver_codes(name, line.ln) for name, line in found.items()])
        strongest = -np.sort(-codes, axis=0)[:DRIVERS]
        columns |= {
            f"{hazard}_ln_pattern": sum(line.ln for line in found.values()),
            f"{hazard}_pattern_var": sum(line.var for line in found.values()),
            f"{hazard}_pattern_known": sum(line.known for line in found.values()),
            **{f"{hazard}_pattern_driver_{place + 1}": strongest[place] for place in range(DRIVERS)},
        }
    given = nw.from_dict(columns, backend=keys.implementation)
    return nw.concat([keys.select(*KEY), given], how="horizontal")
