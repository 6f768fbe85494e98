"""What is held against later additions to the list: cell risks and baselines. All are C×D, higher is worse.

Everything here is made from the facts in force at the cut-off, with three exceptions. The base rates in ``cell`` are
constants published later (``windows.with_base_rates``); ``*_today`` look ahead on purpose; and the judgements are those
of the day of the run, for they say how the world works and were written once, in 2026, by people who knew the list.
Most country series are kept with their latest year only, so the governance and income of a cut-off are unknown:
today's values, which change slowly, stand in for them as baselines, and are favoured by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vigilance.calibrate.trial import on_trial
from vigilance.calibrate.windows import GOODS, Axes, with_base_rates
from vigilance.reference import Facts, Reference
from vigilance.rules import Judgements
from vigilance.scoring import cells, lines
from vigilance.scoring.listings import listed_goods
from vigilance.scoring.model import Model, build
from vigilance.terms import HAZARDS, PRESENT, TIER_UNKNOWN, Hazard

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CELL: Final = "cell"
CELL_WITHOUT_BASE: Final = "cell_without_base"
NEIGHBOURS: Final = "neighbours"
COUNTRY_INDEX: Final = "country_index"
TRAFFICKING_TIER: Final = "trafficking_tier"
CELL_TODAY: Final = "cell_today"
GOVERNANCE_TODAY: Final = "governance_today"
INCOME_TODAY: Final = "income_today"
LAST_LIST: Final = "last_list"
LAST_LIST_ACTIVITY: Final = "last_list_activity"
LAST_LIST_COUNTRY: Final = "last_list_country"
RANDOM: Final = "random"
ON_TRIAL: Final = "cell_listed_nearby"
ON_TRIAL_TODAY: Final = "cell_today_listed_nearby"
OURS: Final = (CELL, CELL_WITHOUT_BASE, NEIGHBOURS, COUNTRY_INDEX, ON_TRIAL)
LOOKS_AHEAD: Final = (CELL_TODAY, ON_TRIAL_TODAY, GOVERNANCE_TODAY, INCOME_TODAY)
PREDICTORS: Final = (
    *OURS,
    LAST_LIST,
    LAST_LIST_ACTIVITY,
    LAST_LIST_COUNTRY,
    TRAFFICKING_TIER,
    RANDOM,
    *LOOKS_AHEAD,
)
BASE_LINES: Final = (lines.BASE, lines.ACTIVITY, lines.REGION, lines.BALANCE)
"""What holds an estimate published later; the balance of averages is weighed by them."""
HALF: Final = 0.5
"""Added to counts before their logarithm, so that none is not infinitely far from one."""
PENALTY: Final = 0.1
"""Inverse strength of the ridge penalty on standardised features; fixed beforehand, not tuned on additions."""
SEED: Final = 20161


@dataclass(frozen=True)
class Known:
    """What was known at a cut-off: the model then, the list then, and the model of the day of the run."""

    at: Axes
    facts: Facts
    then: Model
    today: Model
    listed: dict[Hazard, Flags]


def known(reference: Reference, judgements: Judgements, at: Axes, cut_off: date, today: Model) -> Known:
    """Build the model in force at a cut-off, base rates apart (``with_base_rates``)."""
    facts = with_base_rates(reference).in_force(cut_off)
    model = build(facts, judgements)
    listed = {hazard: listed_goods(facts, at.grid, hazard)[0] for hazard in HAZARDS}
    return Known(at, facts, model, today, listed)


def cell_terms(model: Model, hazard: Hazard) -> dict[str, Floats]:
    """ln of every ratio of every cell (C×D each) of a site of which only country and activity are known."""
    shape = model.grid.empty().shape
    country, division = (axis.ravel() for axis in np.indices(shape))
    count = country.size
    at = cells.Places(
        country=country,
        division=division,
        tier=np.full(count, TIER_UNKNOWN, dtype=np.intp),
        zone=np.full(count, cells.NO_ZONE, dtype="U32"),
    )
    return {name: line.ln.reshape(shape) for name, line in cells.cell_lines(model, hazard, at).items()}


def predictions(known_then: Known, hazard: Hazard) -> dict[str, Floats]:
    """Every predictor of one hazard (C×D), by name."""
    then = cell_terms(known_then.then, hazard)
    # Today's list holds the additions themselves: what it says of cells stays that of the cut-off.
    listed = {name: ln for name, ln in then.items() if name in (*lines.LISTS, *lines.EVENED, *lines.CELL_FACTORS)}
    today = {**cell_terms(known_then.today, hazard), **listed}
    features = neighbourhood(known_then, hazard)
    shape = then[lines.BASE].shape
    codes = known_then.at.grid.countries
    return {
        CELL: _sum(then),
        CELL_WITHOUT_BASE: _sum({name: ln for name, ln in then.items() if name not in BASE_LINES}),
        NEIGHBOURS: neighbours(known_then, hazard, features),
        COUNTRY_INDEX: then[lines.COUNTRY],
        LAST_LIST: features["activity_elsewhere"] + features["country_otherwise"],
        LAST_LIST_ACTIVITY: features["activity_elsewhere"],
        LAST_LIST_COUNTRY: features["country_otherwise"],
        TRAFFICKING_TIER: np.broadcast_to(_tiers(known_then)[:, None], shape),
        RANDOM: np.random.default_rng(SEED).random(shape),
        CELL_TODAY: _sum(today),
        ON_TRIAL: _sum(then) + on_trial(features["activity_in_region"]),
        ON_TRIAL_TODAY: _sum(today) + on_trial(features["activity_in_region"]),
        GOVERNANCE_TODAY: np.broadcast_to(-_indicator(known_then, "rule_of_law_wgi", codes)[:, None], shape),
        INCOME_TODAY: np.broadcast_to(-_indicator(known_then, "gdp_per_worker", codes)[:, None], shape),
    }


def _sum(terms: dict[str, Floats]) -> Floats:
    total: Floats = np.sum(list(terms.values()), axis=0)
    return total


def _indicator(then: Known, name: str, codes: NDArray[np.str_]) -> Floats:
    """An indicator's latest value, whatever its year; the median where there is none."""
    table = then.facts.reference.table("country_indicators").filter(pl.col("indicator") == name)
    by_country = dict(table.select("iso3", "value").iter_rows())
    values = np.array([by_country.get(code, np.nan) for code in codes.tolist()])
    middle = np.nanmedian(values) if np.isfinite(values).any() else 0.0
    return np.where(np.isnan(values), middle, values)


TIER_ORDER: Final = {"tier_1": 0.0, "tier_2": 1.0, "tier_2_watch_list": 2.0, "special_case": 2.0, "tier_3": 3.0}
"""The order of the placements; no size is meant."""


def _tiers(then: Known) -> Floats:
    """The newest placement known at the cut-off; the middle one where there is none."""
    newest = then.facts.table("trafficking_tiers").sort("year").group_by("iso3", maintain_order=True).last()
    placed = {iso3: TIER_ORDER.get(tier, 1.0) for iso3, tier in newest.select("iso3", "tier").iter_rows()}
    return np.array([placed.get(code, 1.0) for code in then.at.grid.countries.tolist()])


def neighbourhood(then: Known, hazard: Hazard) -> dict[str, Floats]:
    """What the list of the cut-off says of the neighbours of each cell (C×D each); a cell never counts for itself.

    The same activity elsewhere, in the world and in the region; other activities of the country, for the same hazard
    and for the other one; the same cell for the other hazard; a listed good upstream; and the country index.
    """
    members = then.at.members
    own = then.listed[hazard]
    other = then.listed[next(h for h in HAZARDS if h != hazard)]
    elsewhere = {"activity_elsewhere": own, "activity_elsewhere_other_hazard": other}
    found = {
        name: np.log(flags[members].sum(axis=0)[None, :] - flags * members[:, None] + HALF)
        for name, flags in elsewhere.items()
    }
    region = np.zeros(own.shape)
    for name in np.unique(then.at.regions):
        mine = then.at.regions == name
        region[mine] = own[mine & members].sum(axis=0)
    found["activity_in_region"] = np.log(region - own * members[:, None] + HALF)
    found["country_otherwise"] = np.log(own.sum(axis=1)[:, None] - own + HALF)
    found["country_otherwise_other_hazard"] = np.log(other.sum(axis=1)[:, None] - other + HALF)
    found["other_hazard"] = other.astype(float)
    upstream = then.then.hazards[hazard].listings[lines.LISTED_UPSTREAM].state == PRESENT
    found["listed_upstream"] = upstream.astype(float)
    found["country_index"] = np.broadcast_to(then.then.hazards[hazard].country.ln[:, None], own.shape)
    return found


def neighbours(then: Known, hazard: Hazard, features: dict[str, Floats]) -> Floats:
    """Log-odds that a cell be on the list of the cut-off, from its neighbours: a ridge regression on that list.

    It is fitted on the cells listed and not listed *at the cut-off*, so it needs no later edition; a cell that is not
    listed but whose neighbours are is where the list is likely to grow.
    """
    cells_of = then.at.cells(GOODS)
    stacked = np.stack(list(features.values()), axis=-1)
    wanted = then.listed[hazard][cells_of]
    if not wanted.any():
        return np.zeros(cells_of.shape)
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1000))
    model.fit(stacked[cells_of], wanted)
    odds: Floats = model.decision_function(stacked.reshape(-1, stacked.shape[-1])).reshape(cells_of.shape)
    return odds


def model_today(reference: Reference, judgements: Judgements, on: date) -> Model:
    """The model of the day of the run, base rates held fixed as at the cut-offs."""
    return build(with_base_rates(reference).in_force(on), judgements)
