"""Explain: the product behind a score, one line per ratio, whose product is the score exactly.

The lines come from the same tables and expressions as the score itself, unsummed. Steps: ``rate`` (they multiply to the
rate π), ``presence`` (they multiply to m, P0 = 1 - exp(-m)) and ``evidence`` (they multiply the odds of P0 to the odds
of P50).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, cast

import narwhals.stable.v2 as nw
import numpy as np

from vigilance.scoring import cells, lines, patterns
from vigilance.scoring.assess import Tables, bounds, site_terms
from vigilance.scoring.cells import Line
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, Hazard

RATE: Final = "rate"
PRESENCE: Final = "presence"
EVIDENCE: Final = "evidence"
COLUMNS: Final = (
    "supplier_id",
    "hazard",
    "step",
    "factor",
    "ratio",
    "low",
    "high",
    "source",
    "since",
    "known",
)
FIVE_PERCENT: Final = 1.6448536269514722
"""z of the 95th percentile: low and high are 5 % and 95 % bounds, as everywhere."""


def ratios(sites: nw.DataFrame[Any], model: Model, look_up: Tables) -> nw.DataFrame[Any]:
    """The lines of some sites (eager, typed columns), long: ``COLUMNS``, one row per site, hazard and ratio.

    ``ratio`` is dimensionless but for the first line of a rate, which is a share of workers; ``known`` is false where
    the ratio stands for an average because nothing was stated. ``source`` holds source ids or a publisher's title.
    """
    frame: Any = sites.join(cast("Any", look_up.cells), on=list(cells.KEY), how="left")
    parts = [_hazard(frame, model, hazard) for hazard in HAZARDS]
    made = nw.concat(parts)
    return made.sort("_row", "_hazard", "_order").select(*COLUMNS)


def _hazard(frame: nw.DataFrame[Any], model: Model, hazard: Hazard) -> nw.DataFrame[Any]:
    found = cells.cell_lines(model, hazard, cells.places(model, frame))
    terms = site_terms(model, hazard)
    numbers = frame.select(
        **{f"{name}_ln": ln for name, (ln, _) in terms.items()},
        **{f"{name}_var": var for name, (_, var) in terms.items()},
    )
    stated = ~frame["_migrant_share"].is_null().to_numpy()
    for name in terms:
        found[name] = _plain(numbers[f"{name}_ln"].to_numpy(), numbers[f"{name}_var"].to_numpy(), stated)
    division = model.activities.index(frame["_division"].to_numpy().astype("U2"))
    states = patterns.digits(frame["_factors"].to_numpy().astype(np.int64))
    found |= patterns.pattern_lines(model, hazard, division, states)
    found = {name: found[name] for name in lines.LINES if name in found}
    outside = sum(found[name].ln for name in lines.OUTSIDE if name in found)
    factors = sum(line.ln for name, line in found.items() if name not in lines.OUTSIDE)
    certain = np.zeros(len(division)), np.ones(len(division), dtype=bool)
    together, top = bounds(model.judgements)
    bounded = _applied(together, factors, frame)
    raw = outside + bounded
    found[lines.BOUND] = _plain(bounded - factors, *certain)
    found[lines.CEILING] = _plain(_applied(lambda x: top(x.exp()).log(), raw, frame) - raw, *certain)
    found[lines.SIZE] = _size(frame, model)
    sources = line_sources(model, hazard)
    return nw.concat([_long(frame, hazard, name, line, sources[name]) for name, line in found.items()])


def _plain(ln: Any, var: Any, stated: Any) -> Line:
    return Line(ln=ln, var=var, weight=np.zeros(len(ln)), known=np.zeros(len(ln)), stated=stated)


def _applied(expression: Any, values: Any, like: nw.DataFrame[Any]) -> Any:
    """A narwhals expression of one column, applied to an array with the very code that scores rows."""
    frame = nw.from_dict({"x": values}, backend=like.implementation)
    return frame.select(expression(nw.col("x")).alias("x"))["x"].to_numpy()


def _size(frame: nw.DataFrame[Any], model: Model) -> Line:
    exponent = model.judgements.get("method.size_exponent")
    known = ~frame["_workers"].is_null().to_numpy()
    workers = frame["_workers"].to_numpy().astype(float)
    usual = frame["ln_usual_size"].to_numpy()
    ln_n = np.where(known, np.log(np.where(known, workers, 1.0)), usual)
    unknown_var = frame["size_unknown_var"].to_numpy()
    var = np.where(known, np.minimum((exponent.sd * ln_n) ** 2, unknown_var), unknown_var)
    return _plain(exponent.value * ln_n, var, known)


def _long(
    frame: nw.DataFrame[Any], hazard: Hazard, name: str, line: Line, source: tuple[str, str]
) -> nw.DataFrame[Any]:
    spread = FIVE_PERCENT * np.sqrt(line.var)
    count = len(line.ln)
    return nw.from_dict(
        {
            "_row": frame["_row"].to_list(),
            "_hazard": [list(HAZARDS).index(hazard)] * count,
            "_order": [lines.CODE[name]] * count,
            "supplier_id": frame["_supplier_id"].to_list(),
            "hazard": [str(hazard)] * count,
            "step": [PRESENCE if name == lines.SIZE else RATE] * count,
            "factor": [name] * count,
            "ratio": np.exp(line.ln),
            "low": np.exp(line.ln - spread),
            "high": np.exp(line.ln + spread),
            "source": [source[0]] * count,
            "since": [source[1]] * count,
            "known": np.asarray(line.stated, dtype=bool),
        },
        backend=frame.implementation,
    )


def line_sources(model: Model, hazard: Hazard) -> Mapping[str, tuple[str, str]]:
    """For each line: where its number comes from, and since when it holds."""
    judgements, mine = model.judgements, model.hazards[hazard]
    paths = {
        lines.COUNTRY: f"method.country_slope.{hazard}",
        lines.TIER: f"method.tier.{hazard}.4",
        lines.WORKFORCE: f"method.workforce_weight.{hazard}",
        lines.LIST_BOUND: f"method.{lines.LIST_BOUND}",
        lines.MIGRANTS: f"factors.{lines.MIGRANTS}.coefficient.{hazard}",
        lines.SPONSORSHIP: f"factors.{lines.SPONSORSHIP}.coefficient.{hazard}",
        lines.BOUND: "method.combined_ratio_bound",
        lines.CEILING: "method.rate_ceiling",
        lines.SIZE: "method.size_exponent",
    }
    found = {}
    for name in lines.LINES:
        path = paths.get(name, f"factors.{name}.ratio.{hazard}")
        if judgements.has(path):
            estimate = judgements.get(path)
            found[name] = (" ".join(estimate.sources), estimate.since.isoformat())
    for name, edition in mine.editions.items():
        if name in found and edition:
            found[name] = (found[name][0], edition)
    for name in (lines.BASE, lines.ACTIVITY, lines.REGION):
        found[name] = (mine.base.sources[name], mine.base.since[name])
    found[lines.BALANCE] = found[lines.ACTIVITY]
    if mine.audited is not None:
        found[lines.AUDIT_CELLS] = ("audit_statistics", mine.audited.since)
    return found


def product(rows: list[dict[str, Any]], step: str) -> float:
    """The product of the ratios of one step (an exact sum of logarithms)."""
    return math.exp(math.fsum(math.log(row["ratio"]) for row in rows if row["step"] == step))
