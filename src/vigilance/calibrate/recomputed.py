"""The model computed a second time, plainly, so that it can be drawn, fitted and checked against the engine.

``scoring`` sums tables that were centred and squared beforehand. Here the same formula (docs/method.md) is evaluated
for n sites from the parameters themselves, whatever their values: to draw them all at once (``coverage``), to move them
towards outcomes (``fit``). At the judgements in force and what a site states, it must give the engine's own numbers; a
test holds it to that.

A *view* says what is so at each site: what was stated (some of it unknown) or, in a draw, what is true (nothing is).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.rules import Judgements
from vigilance.scoring import lines
from vigilance.scoring.cells import Places, zone_states
from vigilance.scoring.listings import regional_share
from vigilance.scoring.model import Model
from vigilance.scoring.patterns import digits
from vigilance.terms import ABSENT, FACTORS, PRESENT, TIER_UNKNOWN, TIERS, UNKNOWN, Hazard

Floats = NDArray[np.float64]
States = NDArray[np.int8]
Places_ = NDArray[np.intp]

BASE: Final = "method.base_range"
SLOPE: Final = "method.country_slope"
TIER: Final = "method.tier"
SIZE: Final = "method.size_exponent"
OUTSIDE, LISTS, INSIDE = "outside", "lists", "inside"
WORKFORCE: Final = "method.workforce_weight"
LISTINGS: Final = (lines.LISTED_GOOD, lines.LISTED_OTHER, lines.LISTED_UPSTREAM, lines.STATE_IMPOSED)
NEIGHBOURS: Final = (lines.LISTED_ELSEWHERE, lines.LISTED_IN_COUNTRY)
CENTRED: Final = (*NEIGHBOURS, lines.WORKFORCE)


@dataclass(frozen=True)
class Parameters:
    """The numbers of one hazard that may move: paths of judgements, their logarithms, and the sd of those (P)."""

    hazard: Hazard
    paths: tuple[str, ...]
    ln: Floats
    sd: Floats
    exponent: float
    exponent_sd: float
    slope_sd: float
    """sd of the slope of the country index itself: its range is even on both sides, unlike that of a ratio."""

    def at(self, path: str) -> int:
        """Position of a path; -1 when the hazard does not have it."""
        return self.paths.index(path) if path in self.paths else -1

    def with_ln(self, ln: Floats) -> Parameters:
        """The same with other logarithms."""
        return replace(self, ln=ln)


def parameters(judgements: Judgements, hazard: Hazard) -> Parameters:
    """The parameters in force. Numbers without a range have sd 0."""
    tiers = [f"{TIER}.{hazard}.{tier}" for tier in TIERS]
    factors = [f"factors.{name}.ratio.{hazard}" for name in (*FACTORS, *LISTINGS, *NEIGHBOURS)]
    shares = [f"factors.{name}.coefficient.{hazard}" for name in lines.SITE_FACTORS]
    wanted = (f"{BASE}.{hazard}", f"{SLOPE}.{hazard}", f"{WORKFORCE}.{hazard}", *tiers, *factors, *shares)
    paths = tuple(path for path in wanted if judgements.has(path))
    found = [judgements.get(path) for path in paths]
    exponent = judgements.get(SIZE)
    return Parameters(
        hazard=hazard,
        paths=paths,
        ln=np.log([estimate.value for estimate in found]),
        sd=np.array([estimate.sd_ln for estimate in found]),
        exponent=exponent.value,
        exponent_sd=exponent.sd,
        slope_sd=judgements.get(f"{SLOPE}.{hazard}").sd,
    )


@dataclass(frozen=True)
class View:
    """What is so at n sites: tier (0 unknown), states and their proof, migrants (NaN unknown), ln workers, country."""

    tier: Places_
    state: States
    """n×F: the eight workforce factors, then the listings."""
    proof: Floats
    """n×F: how far an absence counts, 0 to 1."""
    migrants: Floats
    ln_workers: Floats
    country: Floats
    """Centred country index."""
    shift: Floats
    """Further ln ratio of the base (0 but in a draw)."""


@dataclass(frozen=True)
class Design:
    """n sites and one hazard: what does not move when parameters do."""

    hazard: Hazard
    ids: NDArray[np.str_]
    fixed: Floats
    """ln of the world's base × activity × region, of what evens out the averages, and of statistics of audits."""
    centred: Floats
    """n×3 (``CENTRED``): strength of what is listed around the site, and of its usual workforce, less its average."""
    tiers: Floats
    """n×4: share of the activity's sites at each tier."""
    prevalence: Floats
    """n×F: the average that a factor is centred on."""
    chance: Floats
    """n×F: how likely a factor that was left open is there; the prevalence, but for zones."""
    usual_migrants: Floats
    """n×3: low, central, high."""
    strength: Floats
    regional_strength: Floats
    size: Floats
    """n×3: low, usual and high number of workers of the activity."""
    size_known: NDArray[np.bool_]
    activity_known: NDArray[np.bool_]
    country_sd: Floats
    bound: float
    list_bound: float
    ceiling: float
    stated: View


def design(model: Model, sites: pl.DataFrame, hazard: Hazard) -> Design:
    """The design of typed sites (``engines.CORE`` columns). Raises ``KeyError`` for a country that does not exist."""
    country = model.country_places(sites["_iso3"].to_numpy().astype("U3"))
    division = model.activities.index(sites["_division"].to_numpy().astype("U2"))
    zone = sites["_zone"].fill_null("").to_numpy().astype("U32")
    tier = sites["_tier"].to_numpy().astype(np.intp)
    at = Places(country, division, tier, zone)
    judgements, mine = model.judgements, model.hazards[hazard]
    regions = model.countries["ilo_region"].to_numpy().astype("U24")
    index, sd = _country(model, hazard)
    state, proof = _states(model, hazard, sites, at)
    prevalence = _prevalence(model, hazard, at)
    usual = model.activities.size[division]
    workers = sites["_workers"].to_numpy().astype(float)
    known = np.isfinite(workers)
    return Design(
        hazard=hazard,
        ids=sites["_supplier_id"].to_numpy().astype(str),
        fixed=np.log(mine.base.world)
        + mine.base.activity[division]
        + mine.base.region[country]
        + mine.balance[country, division]
        + (0.0 if mine.audited is None else mine.audited.ln[country, division]),
        centred=np.column_stack(
            [
                *(mine.neighbours[name].centred[country, division] for name in NEIGHBOURS),
                mine.workforce.centred[division],
            ]
        ),
        tiers=model.activities.tiers[division],
        prevalence=prevalence,
        chance=_chance(model, at, prevalence),
        usual_migrants=model.activities.migrants[division],
        strength=model.strength[country],
        regional_strength=regional_share(model.strength[:, None], regions)[country, 0],
        size=usual,
        size_known=known,
        activity_known=division > 0,
        country_sd=sd[country],
        bound=math.log(judgements.value("method.combined_ratio_bound")),
        list_bound=math.log(judgements.value(f"method.{lines.LIST_BOUND}")),
        ceiling=judgements.value("method.rate_ceiling"),
        stated=View(
            tier=tier,
            state=state,
            proof=proof,
            migrants=sites["_migrant_share"].to_numpy().astype(float),
            ln_workers=np.log(np.where(known, workers, usual[:, 1])),
            country=index[country],
            shift=np.zeros(len(country)),
        ),
    )


def _country(model: Model, hazard: Hazard) -> tuple[Floats, Floats]:
    """Index less its region's centre, and its sd, as the model has them."""
    term = model.hazards[hazard].country
    return term.centred, term.sd


def _states(model: Model, hazard: Hazard, sites: pl.DataFrame, at: Places) -> tuple[States, Floats]:
    judgements = model.judgements
    answers = digits(sites["_factors"].to_numpy().astype(np.int64)).astype(np.int8)
    proofs = [np.full(answers.shape, judgements.value("method.absence_proof.declared"))]
    states = [answers]
    for name in LISTINGS:
        listing = model.hazards[hazard].listings.get(name)
        if listing is None:
            states.append(np.full((len(answers), 1), UNKNOWN, dtype=np.int8))
        elif name == lines.STATE_IMPOSED:
            states.append(zone_states(model, at)[:, None])
        else:
            states.append(listing.state[at.country, at.division][:, None])
        path = "method.absence_proof.documented" if name == lines.STATE_IMPOSED else "factors.listed_good.absence_proof"
        proofs.append(np.full((len(answers), 1), judgements.value(path)))
    return np.hstack(states).astype(np.int8), np.hstack(proofs)


def _prevalence(model: Model, hazard: Hazard, at: Places) -> Floats:
    table = model.judgements.table("activity_profile").filter(pl.col("parameter").is_in(list(FACTORS)))
    wide = table.pivot("parameter", index="division", values="value").sort("division")
    columns = [wide[name].to_numpy()[at.division] for name in FACTORS]
    for name in LISTINGS:
        listing = model.hazards[hazard].listings.get(name)
        there = np.zeros(len(at.country)) if listing is None else listing.prevalence[at.country, at.division]
        columns.append(there)
    return np.stack(columns, axis=1)


def _chance(model: Model, at: Places, prevalence: Floats) -> Floats:
    """The prevalence; where the country has zones of labour imposed by the State, the share of sites in them."""
    if not model.programmes.zones:
        return prevalence
    open_to_it = np.any(list(model.programmes.zones.values()), axis=0)[at.country, at.division]
    open_to_it &= ~model.programmes.country[at.country, at.division]
    chance = prevalence.copy()
    column = len(FACTORS) + LISTINGS.index(lines.STATE_IMPOSED)
    chance[:, column] = np.where(open_to_it, model.zone_prevalence, prevalence[:, column])
    return chance


@dataclass(frozen=True)
class Link:
    """ln m of n sites, and how it moves with each parameter (n×P; empty unless asked for)."""

    ln_m: Floats
    gradient: Floats


def link(of: Design, numbers: Parameters, view: View, *, gradient: bool = False) -> Link:
    """ln m = ln π + γ·ln N under some parameters, for what a view says is so."""
    size = len(of.fixed)
    total = {OUTSIDE: of.fixed + view.shift, LISTS: np.zeros(size), INSIDE: np.zeros(size)}
    none = (size, len(numbers.ln)) if gradient else (0, 0)
    slopes_of = {part: np.zeros(none) for part in total}
    for place, path in enumerate(numbers.paths):
        value, slope = _term(of, numbers, view, path, place)
        part = _part(path)
        total[part] = total[part] + value
        if gradient:
            slopes_of[part][:, place] = slope
    tiers, tier_slopes = _tier(of, numbers, view)
    said, inside = total[LISTS], total[INSIDE]
    outside = total[OUTSIDE] + tiers + of.list_bound * np.tanh(said / of.list_bound)
    bounded = of.bound * np.tanh(inside / of.bound)
    raw = np.exp(outside + bounded) / of.ceiling
    ln_rate = np.log(of.ceiling) + np.log(-np.expm1(-raw))
    ln_m = ln_rate + numbers.exponent * view.ln_workers
    if not gradient:
        return Link(ln_m, slopes_of[OUTSIDE])
    for place, slopes in tier_slopes.items():
        slopes_of[OUTSIDE][:, place] = slopes
    held = 1.0 - np.tanh(inside / of.bound) ** 2
    listed = 1.0 - np.tanh(said / of.list_bound) ** 2
    whole = slopes_of[OUTSIDE] + listed[:, None] * slopes_of[LISTS] + held[:, None] * slopes_of[INSIDE]
    below = raw * np.exp(-raw) / -np.expm1(-raw)
    return Link(ln_m, below[:, None] * whole)


def _part(path: str) -> str:
    """Where a parameter enters: outside every bound, under that on the list of goods, under that on the factors."""
    if path.startswith("method."):
        return OUTSIDE
    return LISTS if path.split(".")[1] in lines.LISTS else INSIDE


def line_values(of: Design, numbers: Parameters, view: View) -> dict[str, Floats]:
    """The terms of ln m by line (``lines.LINES``; n each), before the bounds; their sum is the unbounded ln m."""
    activity = of.fixed + view.shift
    found = {lines.ACTIVITY: activity, lines.SIZE: numbers.exponent * view.ln_workers}
    for place, path in enumerate(numbers.paths):
        if not path.startswith(TIER):
            found[_line(path)] = _term(of, numbers, view, path, place)[0]
    found[lines.TIER] = _tier(of, numbers, view)[0]
    return found


def _line(path: str) -> str:
    known = {BASE: lines.BASE, SLOPE: lines.COUNTRY, WORKFORCE: lines.WORKFORCE}
    return next((line for stem, line in known.items() if path.startswith(stem)), path.split(".")[1])


def _term(of: Design, numbers: Parameters, view: View, path: str, place: int) -> tuple[Floats, Floats]:
    """One parameter's ln ratio at each site, and its derivative in the parameter's logarithm."""
    ln, zero = numbers.ln[place], np.zeros(len(of.fixed))
    if path.startswith(BASE):
        return zero + ln, zero + 1.0
    if path.startswith((SLOPE, WORKFORCE)):
        value = np.exp(ln) * (view.country if path.startswith(SLOPE) else of.centred[:, CENTRED.index(lines.WORKFORCE)])
        return value, value
    name = path.split(".")[1]
    return (zero, zero) if path.startswith(TIER) else _of_factor(of, view, name, ln)


def _of_factor(of: Design, view: View, name: str, ln: float) -> tuple[Floats, Floats]:
    """``_term`` for a factor, from the logarithm of its ratio or coefficient."""
    if name in NEIGHBOURS:
        strength = of.centred[:, CENTRED.index(name)]
        return ln * strength, strength
    if name == lines.MIGRANTS:
        return _migrants(of, view, np.exp(ln))
    if name == lines.SPONSORSHIP:
        return _sponsorship(of, view, np.exp(ln))
    column = (*FACTORS, *LISTINGS).index(name)
    return _centred(ln, of.prevalence[:, column], view.state[:, column], view.proof[:, column])


def _centred(ln: float, prevalence: Floats, state: States, proof: Floats) -> tuple[Floats, Floats]:
    ratio = np.exp(ln)
    average = 1.0 + prevalence * (ratio - 1.0)
    weight = prevalence * ratio / average
    present, absent = state == PRESENT, state == ABSENT
    value = np.where(present, ln - np.log(average), np.where(absent, -proof * np.log(average), 0.0))
    slope = np.where(present, 1.0 - weight, np.where(absent, -proof * weight, 0.0))
    return value, slope


def _migrants(of: Design, view: View, a: float) -> tuple[Floats, Floats]:
    usual, known = of.usual_migrants[:, 1], np.isfinite(view.migrants)
    share = np.where(known, view.migrants, usual)
    value = np.log1p(a * share) - np.log1p(a * usual)
    slope = a * share / (1.0 + a * share) - a * usual / (1.0 + a * usual)
    return np.where(known, value, 0.0), np.where(known, slope, 0.0)


def _sponsorship(of: Design, view: View, k: float) -> tuple[Floats, Floats]:
    usual = of.usual_migrants[:, 1]
    share = np.where(np.isfinite(view.migrants), view.migrants, usual)
    own, average = k * of.strength * share, k * of.regional_strength * usual
    return np.log1p(own) - np.log1p(average), own / (1.0 + own) - average / (1.0 + average)


def _tier(of: Design, numbers: Parameters, view: View) -> tuple[Floats, dict[int, Floats]]:
    """ln r(tier), an unknown tier being the average over the activity's; derivatives by position of the parameter."""
    at = [numbers.at(f"{TIER}.{numbers.hazard}.{tier}") for tier in TIERS]
    ratio = np.exp(numbers.ln[at])
    share = np.where((view.tier == TIER_UNKNOWN)[:, None], of.tiers, view.tier[:, None] == np.array(TIERS))
    total = share @ ratio
    return np.log(total), {place: share[:, i] * ratio[i] / total for i, place in enumerate(at)}


def presence(ln_m: Floats) -> Floats:
    """P0 = 1 - exp(-m)."""
    found: Floats = -np.expm1(-np.exp(ln_m))
    return found
