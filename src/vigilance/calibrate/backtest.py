"""The back-test in time: what was known on a date, held against what the list added afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.calibrate import predictors
from vigilance.calibrate.discrimination import SHARES, Draws, interval, pooled, resampled, statistics
from vigilance.calibrate.groups import income_thirds
from vigilance.calibrate.windows import (
    EVERY,
    GOODS,
    SCOPES,
    Axes,
    Labels,
    Window,
    axes,
    editions,
    labels,
    new_countries,
    windows,
)
from vigilance.reference import Reference
from vigilance.rules import Judgements
from vigilance.scoring.activities import activities
from vigilance.terms import HAZARDS, Hazard

Floats = NDArray[np.float64]

DRAWS: Final = 400
SEED: Final = 9
POOLED: Final = "pooled"
BOTH: Final = "both"
BAR: Final = 0.85
"""The AUC that issue 9 asks for on additions after the cut-off."""
FEWEST: Final = 3
"""Additions below which a group's AUC is not shown: it would be noise."""


@dataclass(frozen=True)
class Backtest:
    """The tables of a back-test.

    ``results``: per hazard (or ``both``), window (or ``pooled``), scope and predictor: ``at_risk, additions, auc,
    average_precision, lift_1, lift_5, lift_10`` with ``_low, _high`` (90 % by resampling countries), and
    ``looks_ahead``. ``against``: AUC of our predictors less that of each baseline, with interval. ``groups``: AUC by
    region and by third of income. ``lines``: pooled AUC of each line of the cell's rate alone, and of the rate without
    it. ``added``: every addition with its place among the cells at risk. ``newest``: the countries of which only their
    name is known to have been added since.
    """

    results: pl.DataFrame
    against: pl.DataFrame
    groups: pl.DataFrame
    lines: pl.DataFrame
    added: pl.DataFrame
    newest: dict[str, Any]
    on: date


@dataclass(frozen=True)
class _Case:
    """One hazard and window: predictions and labels (C×D)."""

    hazard: Hazard
    window: Window
    scores: dict[str, Floats]
    labels: Labels
    terms: dict[str, Floats]


def backtest(reference: Reference, judgements: Judgements, on: date, draws: int = DRAWS, seed: int = SEED) -> Backtest:
    """Back-test on the facts known on a date.

    Raises ``UsageError`` when fewer than two editions of the list were out by then, or no base rate was.
    """
    at, cases = _cases(reference, judgements, on)
    weights = resampled(int(at.members.sum()), draws, seed)
    found = {scope: {_key(case): _statistics(case, at, scope, weights) for case in cases} for scope in SCOPES}
    counts = {scope: {_key(case): _counts(case, at, scope) for case in cases} for scope in SCOPES}
    rows = [row for scope in SCOPES for row in _rows(found[scope], counts[scope], scope)]
    return Backtest(
        results=pl.DataFrame(rows),
        against=_against(found[GOODS], counts[GOODS]),
        groups=_groups(cases, at, reference),
        lines=_lines(cases, at),
        added=_added(cases, at),
        newest=_newest(reference, judgements, at, on),
        on=on,
    )


def _cases(reference: Reference, judgements: Judgements, on: date) -> tuple[Axes, list[_Case]]:
    at = axes(reference, activities(judgements).codes)
    today = predictors.model_today(reference, judgements, on)
    cases = []
    for window in windows(reference, on):
        then = predictors.known(reference, judgements, at, window.cut_off, today)
        told = labels(reference, at, window)
        for hazard in HAZARDS:
            scores, terms = predictors.predictions(then, hazard), predictors.cell_terms(then.then, hazard)
            cases.append(_Case(hazard, window, scores, told[hazard], terms))
    return at, cases


def _key(case: _Case) -> tuple[str, str]:
    return str(case.hazard), case.window.name


def _counts(case: _Case, at: Axes, scope: str) -> tuple[int, int]:
    """Cells at risk, and additions among them."""
    risk = at.cells(scope) & ~case.labels.ever
    return int(risk.sum()), int(case.labels.added[risk].sum())


def _statistics(case: _Case, at: Axes, scope: str, weights: Floats) -> dict[str, Draws]:
    risk = at.cells(scope) & ~case.labels.ever
    cluster = np.cumsum(at.members) - 1
    weighed = weights[:, cluster[np.nonzero(risk)[0]]]
    added = case.labels.added[risk]
    # The intervals are for the comparison that counts; with services in, the sample alone is shown.
    kept = weighed if scope == GOODS else weighed[:1]
    return {name: statistics(scores[risk], added, kept) for name, scores in case.scores.items()}


Found = dict[tuple[str, str], dict[str, Draws]]
Counts = dict[tuple[str, str], tuple[int, int]]


def _rows(found: Found, counts: Counts, scope: str) -> list[dict[str, Any]]:
    rows = []
    for key, by_name in found.items():
        for name, draws in by_name.items():
            rows.append(_row(*key, scope, name, counts[key], _measures(draws)))
    for hazard in (*map(str, HAZARDS), BOTH):
        keys = [key for key in found if hazard in (BOTH, key[0]) and counts[key][1]]
        total = sum(counts[key][0] for key in keys), sum(counts[key][1] for key in keys)
        for name in predictors.PREDICTORS if keys else ():
            each = [_measures(found[key][name]) for key in keys]
            added = [counts[key][1] for key in keys]
            mean = {measure: pooled([one[measure] for one in each], added) for measure in each[0]}
            rows.append(_row(hazard, POOLED, scope, name, total, mean))
    return rows


def _measures(draws: Draws) -> dict[str, Floats]:
    lifts = {f"lift_{share * 100:.0f}": draws.lift[share] for share in SHARES}
    return {"auc": draws.auc, "average_precision": draws.average_precision, **lifts}


def _row(
    hazard: str, window: str, scope: str, name: str, counts: tuple[int, int], measures: dict[str, Floats]
) -> dict[str, Any]:
    row: dict[str, Any] = {"hazard": hazard, "window": window, "scope": scope, "predictor": name}
    row |= {"at_risk": counts[0], "additions": counts[1], "looks_ahead": name in predictors.LOOKS_AHEAD}
    for measure, values in measures.items():
        low, high = interval(values)
        row |= {measure: _plain(values[0]), f"{measure}_low": _plain(low), f"{measure}_high": _plain(high)}
    return row


def _plain(value: float) -> float | None:
    """A number quantised for a table; nothing for NaN."""
    return None if not np.isfinite(value) else round(float(value), 6)


_PAIRS: Final = (
    (predictors.ON_TRIAL, predictors.CELL),
    (predictors.ON_TRIAL_TODAY, predictors.CELL_TODAY),
    *(
        (ours, other)
        for ours in (predictors.CELL, predictors.CELL_WITHOUT_BASE, predictors.NEIGHBOURS)
        for other in predictors.PREDICTORS
        if other not in predictors.OURS and other != predictors.ON_TRIAL_TODAY
    ),
)
"""The rule on trial against the rate without it; then our predictors against each baseline."""


def _against(found: Found, counts: Counts) -> pl.DataFrame:
    """AUC of our predictors less that of each baseline, pooled, on the same draws."""
    keys = [key for key in found if counts[key][1]]
    added = [counts[key][1] for key in keys]
    auc = (
        {name: pooled([found[key][name].auc for key in keys], added) for name in predictors.PREDICTORS} if keys else {}
    )
    rows = []
    for ours, other in _PAIRS if auc else ():
        difference = auc[ours] - auc[other]
        low, high = interval(difference)
        row = {"predictor": ours, "baseline": other, "difference": _plain(difference[0])}
        rows.append({**row, "low": _plain(low), "high": _plain(high)})
    schema = {"predictor": pl.String, "baseline": pl.String, "difference": pl.Float64, "low": pl.Float64}
    return pl.DataFrame(rows, schema={**schema, "high": pl.Float64})


def _added(cases: list[_Case], at: Axes) -> pl.DataFrame:
    """Every addition, and where each of our predictors had it among the cells at risk (1 is the first)."""
    rows: list[dict[str, Any]] = []
    for case in cases:
        risk = at.cells(GOODS) & ~case.labels.ever
        country, division = np.nonzero(risk & case.labels.added)
        places = {}
        for name in (predictors.CELL, predictors.NEIGHBOURS, predictors.LAST_LIST):
            scores = case.scores[name]
            places[name] = 1 + (scores[risk][None, :] > scores[country, division][:, None]).sum(axis=1)
        rows += [
            {
                "hazard": str(case.hazard),
                "window": case.window.name,
                "iso3": str(at.grid.countries[country[number]]),
                "division": str(at.grid.divisions[division[number]]),
                "at_risk": int(risk.sum()),
                **{f"place_{name}": int(found[number]) for name, found in places.items()},
            }
            for number in range(len(country))
        ]
    return pl.DataFrame(rows)


def _groups(cases: list[_Case], at: Axes, reference: Reference) -> pl.DataFrame:
    """AUC within each region and each third of income, over windows and hazards; null below ``FEWEST`` additions."""
    rows: list[dict[str, Any]] = []
    thirds = income_thirds(reference, at.grid.countries, at.members)
    for kind, group in (("region", at.regions), ("income", thirds)):
        for name in [word for word in np.unique(group).tolist() if word]:
            mine = (group == name)[:, None] & at.cells(GOODS)
            row: dict[str, Any] = {"kind": kind, "group": name, "countries": int((at.members & (group == name)).sum())}
            row["additions"] = sum(int((case.labels.added & mine).sum()) for case in cases)
            for predictor in (predictors.CELL, predictors.NEIGHBOURS, predictors.LAST_LIST):
                row[f"auc_{predictor}"] = _within(cases, mine, predictor) if row["additions"] >= FEWEST else None
            rows.append(row)
    return pl.DataFrame(rows)


def _lines(cases: list[_Case], at: Axes) -> pl.DataFrame:
    """What each line of the rate does: AUC of it alone, and of the rate without it (higher: the line misleads)."""
    rows: list[dict[str, Any]] = []
    cells = at.cells(GOODS)
    for hazard in HAZARDS:
        mine = [case for case in cases if case.hazard == hazard]
        for name in mine[0].terms:
            row: dict[str, Any] = {"hazard": str(hazard), "line": name}
            row["auc_alone"] = _over_cells(mine, [case.terms[name] for case in mine], cells)
            without = [case.scores[predictors.CELL] - case.terms[name] for case in mine]
            rows.append({**row, "auc_without": _over_cells(mine, without, cells)})
    return pl.DataFrame(rows)


def _over_cells(cases: Sequence[_Case], scores: Sequence[Floats], mine: NDArray[np.bool_]) -> float | None:
    """Pooled AUC of one array of scores a case, within some cells; nothing without additions."""
    values, added = [], []
    for case, scored in zip(cases, scores, strict=True):
        risk = mine & ~case.labels.ever
        flags = case.labels.added[risk]
        if flags.any():
            values.append(statistics(scored[risk], flags, np.ones((1, flags.size))).auc)
            added.append(int(flags.sum()))
    return _plain(pooled(values, added)[0]) if values else None


def _within(cases: list[_Case], mine: NDArray[np.bool_], predictor: str) -> float | None:
    return _over_cells(cases, [case.scores[predictor] for case in cases], mine)


def _newest(reference: Reference, judgements: Judgements, at: Axes, on: date) -> dict[str, Any]:
    """The edition of which only the new countries are known: how they stood among the countries never listed.

    A country's score is its largest cell.
    """
    cut_off = editions(reference, on)[-1]
    added = new_countries(reference, at, cut_off, on)
    if not added.any():
        return {"cut_off": cut_off.isoformat(), "countries": []}
    today = predictors.model_today(reference, judgements, on)
    then = predictors.known(reference, judgements, at, cut_off, today)
    unlisted = at.members & ~np.any([then.listed[h].any(axis=1) for h in HAZARDS], axis=0)
    auc: dict[str, float | None] = {}
    scored = [predictors.predictions(then, hazard) for hazard in HAZARDS]
    for name in predictors.PREDICTORS:
        largest = np.max([one[name][:, at.goods].max(axis=1) for one in scored], axis=0)
        flags = added[unlisted]
        auc[name] = _plain(statistics(largest[unlisted], flags, np.ones((1, flags.size))).auc[0])
    return {
        "cut_off": cut_off.isoformat(),
        "countries": [str(code) for code in at.grid.countries[added & unlisted]],
        "unlisted": int(unlisted.sum()),
        "auc": auc,
    }


def headline(found: Backtest) -> dict[str, Any]:
    """The numbers that the bar is read on: pooled AUC of our predictors and of the last list, and the shortfall."""
    both = found.results.filter(
        pl.col("hazard") == BOTH, pl.col("window") == POOLED, pl.col("scope") == GOODS
    ).to_dicts()
    by_name = {row["predictor"]: row for row in both}
    wanted = (predictors.CELL, predictors.CELL_WITHOUT_BASE, predictors.NEIGHBOURS, predictors.LAST_LIST)
    return {
        "bar": BAR,
        "additions": by_name[predictors.CELL]["additions"] if by_name else 0,
        "auc": {name: by_name[name]["auc"] for name in wanted if by_name},
        "short_by": {name: round(max(0.0, BAR - by_name[name]["auc"]), 6) for name in wanted if by_name},
    }


__all__ = ["BAR", "BOTH", "EVERY", "POOLED", "Backtest", "backtest", "headline"]
