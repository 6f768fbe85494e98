"""What a plan would find if the model were right, and if it were wrong in given ways, against simpler plans.

Presence is drawn at every site, then what each action finds. All plans have the same person-days, the same
trips and the same chances of finding; they differ in the sites and the actions they choose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from vigilance.planning.assemble import Ground
from vigilance.planning.inputs import SiteTable
from vigilance.planning.problem import NONE, Floats, Ints
from vigilance.planning.protocol import ACTIONS, INDEX, Action, AuditProtocol, sensitivities, size_class
from vigilance.planning.value import severity
from vigilance.terms import HAZARDS, Hazard

USUAL = (Action.SEMI_ANNOUNCED, Action.UNANNOUNCED, Action.FIELD_AUDIT)
"""What schemes do by default: semi-announced audits, field audits at the field tier."""

TELLING = (Action.UNANNOUNCED, Action.FIELD_AUDIT, Action.SEMI_ANNOUNCED)
"""The same plan with the visits that find most: what is left is the choice of sites."""


@dataclass(frozen=True)
class World:
    """How things truly are.

    Presence (N,) and people affected given presence (N,) by hazard, and what actions see.

    ``sensitivity`` and ``concealment`` multiply the protocol's.
    """

    presence: Mapping[Hazard, Floats]
    people: Mapping[Hazard, Floats]
    sensitivity: float = 1.0
    concealment: float = 1.0


def as_modelled(table: SiteTable, sensitivity: float = 1.0, concealment: float = 1.0) -> World:
    """The world of the scores, with audits that may see less or be deceived more than the protocol says."""
    risks = {h: table.risk(h) for h in HAZARDS}
    return World(
        presence={h: risk.p50 for h, risk in risks.items()},
        people={h: risk.affected / np.maximum(risk.p50, 1e-12) for h, risk in risks.items()},
        sensitivity=sensitivity,
        concealment=concealment,
    )


def shuffled(table: SiteTable, protocol: AuditProtocol, seed: int) -> World:
    """A world in which what sets sites of a country, activity and size apart lies at other sites."""
    rng = np.random.default_rng([seed, 3])
    frame = table.frame.select("_iso3", "_division").with_columns(
        pl.Series("size", size_class(protocol, table.numbers("_workers")))
    )
    group = frame.with_columns(pl.struct("_iso3", "_division", "size").rank("dense").alias("g"))["g"].to_numpy() - 1
    order = rng.permutation(len(table))
    world = as_modelled(table)
    presence = {}
    for hazard in HAZARDS:
        held = np.clip(world.presence[hazard], 1e-9, 1 - 1e-9)
        logit = np.log(held / (1 - held))
        mean = (np.bincount(group, logit) / np.bincount(group))[group]
        presence[hazard] = 1 / (1 + np.exp(-(mean + (logit - mean)[order])))
    return World(presence, world.people)


def harm_found(ground: Ground, protocol: AuditProtocol, world: World, choice: Ints, rng: np.random.Generator) -> float:
    """Severity-weighted people found in one draw of a world, for a choice (N,) of actions."""
    rows = np.flatnonzero(choice != NONE)
    taken = choice[rows]
    workers = ground.table.numbers("_workers")[rows]
    hidden = np.array([protocol.concealment[action] for action in ACTIONS])
    total = 0.0
    for hazard in HAZARDS:
        sensitivity = sensitivities(protocol, hazard, workers)[taken, np.arange(rows.size)] * world.sensitivity
        seen = (1 - np.minimum(hidden[taken] * world.concealment, 1.0)) * sensitivity
        here = rng.random(len(ground.table))[rows] < world.presence[hazard][rows]
        found = rng.random(len(ground.table))[rows] < seen
        grave = severity(protocol, hazard, ground.table.risk(hazard))[rows]
        total += float((grave * world.people[hazard][rows] * (here & found)).sum())
    return total


def highest_score_first(ground: Ground, order: tuple[Action, ...] = USUAL) -> Ints:
    """The usual advice: audit the sites with the highest score, as many as the days allow.

    ``order`` are the visits to use, the first possible at each site.
    """
    frame = ground.table.frame.select(pl.max_horizontal(*(f"{h}_p50" for h in HAZARDS)).alias("risk"))
    return _visits_in_order(ground, np.argsort(-frame["risk"].to_numpy(), kind="stable"), order)


def country_only(ground: Ground, seed: int, order: tuple[Action, ...] = USUAL) -> Ints:
    """Audit the sites of the countries with the highest mean risk, in random order within a country."""
    rng = np.random.default_rng([seed, 4])
    frame = ground.table.frame.select(
        pl.max_horizontal(*(f"{h}_p50" for h in HAZARDS)).mean().over("_iso3").alias("risk")
    )
    return _visits_in_order(ground, np.lexsort((rng.random(len(ground.table)), -frame["risk"].to_numpy())), order)


def _visits_in_order(ground: Ground, sites: Ints, order: tuple[Action, ...]) -> Ints:
    """The first possible visit at each site in turn, until the next one would exceed the budget."""
    problem = ground.problem
    visit = np.full(problem.sites, NONE, dtype=np.int64)
    for action in reversed(order):
        visit[ground.may[INDEX[action]]] = INDEX[action]
    possible = sites[visit[sites] != NONE]
    days = problem.days[visit[possible], possible]
    trips = problem.trip[possible]
    first = np.zeros(possible.size, dtype=np.bool_)
    first[np.unique(trips, return_index=True)[1]] = True
    spent = np.cumsum(days + np.where(first, problem.travel[trips], 0.0))
    choice = np.full(problem.sites, NONE, dtype=np.int64)
    within = possible[spent <= problem.budget]
    choice[within] = visit[within]
    return choice
