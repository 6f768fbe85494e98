"""The risk matrix: countries × activities, both hazards, now and some years before.

A cell is what is expected of a site of that country and activity of which nothing else is known (its median size, its
usual tiers and workforce). *Then* is like for like: the country index as it stood, the lists as they were published,
the base rates of now; so a direction means that the world, or what is known of it, moved. With a run, a cell also says
how many of its sites and audits it rests on, and what the audits say of true presence given that they miss most cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from vigilance import engines
from vigilance.privacy import suppress
from vigilance.reference import Reference
from vigilance.rules import Judgements
from vigilance.run import Run
from vigilance.scoring import audit_cells
from vigilance.scoring.audit_statistics import TABLE as STATISTICS
from vigilance.scoring.audit_statistics import with_statistics
from vigilance.scoring.country import years_before
from vigilance.scoring.model import Model, build
from vigilance.terms import ALL_UNKNOWN, DIVISION_UNKNOWN, HAZARDS, TIER_UNKNOWN

CONVENTIONS: Final = ("c029", "c105", "c138", "c182")
WINDOW: Final = "country_index.structure.window_years"
SAME: Final = math.log(1.05)
"""A rate that moved by less than 5 % counts as the same: the facts are not finer than that."""
SMALLEST: Final = 1e-6
"""Keeps the prior mean of a cell strictly between 0 and 1."""
DIRECTIONS: Final = ("up", "same", "down")


@dataclass(frozen=True)
class Matrix:
    """The cells (one row per country and activity, both hazards) and what was asked for."""

    cells: pl.DataFrame
    on: date
    before: date
    years: int


def matrix(
    facts: Reference,
    judgements: Judgements,
    on: date,
    years: int = 5,
    countries: Sequence[str] = (),
    divisions: Sequence[str] = (),
    run: Run | None = None,
    statistics: pl.DataFrame | None = None,
) -> Matrix:
    """The matrix on a date; all countries and activities unless some are named (ISO 3166 alpha-3, ISIC divisions).

    Columns: ``iso3, country, ilo_region, division, activity``; per hazard ``<h>_p50, <h>_p80, <h>_band, <h>_grade,
    <h>_p50_before, <h>_change`` (ln of the rate over the one before), ``<h>_direction``; per
    convention its status now and then; with a run ``sites, audits`` and ``<h>_positive, <h>_presence_p05, _p50, _p95``
    (null where fewer than five sites would be told of). ``statistics`` are typed audit statistics, those of the run by
    default; with them, ``<h>_audit_statistics`` is the ratio that they make of the rate of a cell, and both dates know
    those of their years.
    """
    asked = judgements.with_value(WINDOW, float(years)) if years != judgements.value(WINDOW) else judgements
    before = years_before(on, years)
    now_facts, then_facts = facts.in_force(on), facts.in_force(before)
    now = build(now_facts, asked)
    then = build(now_facts, asked, earlier=then_facts)
    if statistics is None and run is not None:
        counted = run.evidence(STATISTICS)
        statistics = None if counted is None else counted.collect()
    if statistics is not None:
        known = nw.from_native(statistics, eager_only=True)
        now, then = with_statistics(now, known, on), with_statistics(then, known, before)
    keys = _keys(now, countries, divisions)
    made = keys.select("iso3", "division").hstack(_scored(keys, now, then))
    made = made if statistics is None else made.hstack(_ratios(keys, now))
    made = _named(made, now).join(_conventions(now_facts, then_facts), on="iso3", how="left")
    if run is not None:
        made = made.join(_audited(run, now), on=["iso3", "division"], how="left")
        made = _private(_with_presence(made, now) if "audits" in made.columns else made)
    return Matrix(made.sort("iso3", "division"), on, before, years)


def _keys(model: Model, countries: Sequence[str], divisions: Sequence[str]) -> pl.DataFrame:
    """Typed sites of which only country and activity are known, one per cell."""
    known = pl.DataFrame({"iso3": model.grid.countries.tolist()})
    members = pl.Series(model.countries.filter(nw.col("ilo_member"))["iso3"].to_list(), dtype=pl.String)
    rows = known.filter(pl.col("iso3").is_in((pl.Series(countries) if countries else members).implode()))
    codes = [code for code in model.grid.divisions.tolist() if code != DIVISION_UNKNOWN]
    columns = pl.DataFrame({"division": [code for code in codes if not divisions or code in divisions]})
    return (
        rows.join(columns, how="cross")
        .with_row_index("_row")
        .with_columns(
            pl.col("_row").cast(pl.Int64),
            _supplier_id=pl.concat_str("iso3", "division"),
            _iso3="iso3",
            _division="division",
            _tier=pl.lit(TIER_UNKNOWN, dtype=pl.Int8),
            _workers=pl.lit(None, dtype=pl.Float64),
            _migrant_share=pl.lit(None, dtype=pl.Float64),
            _factors=pl.lit(ALL_UNKNOWN, dtype=pl.Int32),
            _zone=pl.lit(None, dtype=pl.String),
        )
    )


def _scored(keys: pl.DataFrame, now: Model, then: Model) -> pl.DataFrame:
    here, there = (pl.concat(list(engines.polars(keys.lazy(), model, None))) for model in (now, then))
    columns = []
    for hazard in map(str, HAZARDS):
        rate, past = (_rate(frame, hazard) for frame in (here, there))
        change = (rate / past).log()
        direction = pl.select(
            pl.when(change > SAME)
            .then(pl.lit("up"))
            .when(change < -SAME)
            .then(pl.lit("down"))
            .otherwise(pl.lit("same"))
        ).to_series()
        columns += [
            *(here[f"{hazard}_{name}"] for name in ("p50", "p80", "band", "grade")),
            there[f"{hazard}_p50"].alias(f"{hazard}_p50_before"),
            change.round(6).alias(f"{hazard}_change"),
            direction.alias(f"{hazard}_direction"),
        ]
    return pl.DataFrame(columns)


def _ratios(keys: pl.DataFrame, model: Model) -> pl.DataFrame:
    """What the audit statistics make of the rate of each cell; 1 where they say nothing."""
    country = model.country_places(keys["iso3"].to_numpy().astype("U3"))
    division = model.activities.index(keys["division"].to_numpy().astype("U2"))
    columns = {}
    for hazard, mine in model.hazards.items():
        ln = np.zeros(keys.height) if mine.audited is None else mine.audited.ln[country, division]
        columns[f"{hazard}_{STATISTICS}"] = np.exp(ln).round(6)
    return pl.DataFrame(columns)


def _rate(frame: pl.DataFrame, hazard: str) -> pl.Series:
    """-ln(1 - P0) = π·N^γ: the rate, but for a constant of the activity that cancels between the two dates."""
    return -((1.0 - frame[f"{hazard}_inherent_p50"]).log())


def _named(cells: pl.DataFrame, model: Model) -> pl.DataFrame:
    countries, activities = model.facts.names("countries"), model.facts.names("activities", key="code")
    regions = dict(zip(model.countries["iso3"].to_list(), model.countries["ilo_region"].to_list(), strict=True))
    return cells.with_columns(
        pl.col("iso3").replace_strict(countries, default=None).alias("country"),
        pl.col("iso3").replace_strict(regions, default=None).alias("ilo_region"),
        pl.col("division").replace_strict(activities, default=None).alias("activity"),
    ).select(
        "iso3",
        "country",
        "ilo_region",
        "division",
        "activity",
        pl.exclude("iso3", "country", "ilo_region", "division", "activity"),
    )


def _conventions(now: Any, then: Any) -> pl.DataFrame:
    """The status of the four conventions now and then, one row per member."""

    def wide(facts: Any, suffix: str) -> pl.DataFrame:
        status: pl.DataFrame = facts.ratification_status().with_columns(pl.col("convention").str.to_lowercase())
        held = status.filter(pl.col("convention").is_in(list(CONVENTIONS)))
        found = held.pivot("convention", index="iso3", values="status").sort("iso3")
        return found.rename({name: f"{name}{suffix}" for name in CONVENTIONS})

    joined: pl.DataFrame = wide(now, "").join(wide(then, "_before"), on="iso3", how="left")
    return joined


def _audited(run: Run, model: Model) -> pl.DataFrame:
    """Sites, audits and the presence that the audits speak of, by cell of a run."""
    sites = run.sites.rename({"_iso3": "iso3", "_division": "division"})
    counted = sites.group_by("iso3", "division").agg(pl.len().alias("sites")).collect()
    audits, findings = run.evidence("audits"), run.evidence("findings")
    if audits is None:
        return counted
    seen = audit_cells.counts(
        nw.from_native(run.sites),
        nw.from_native(audits),
        None if findings is None else nw.from_native(findings),
        model.judgements,
        run.on,
    )
    frame: pl.DataFrame = seen.to_native().collect().rename({"_iso3": "iso3", "_division": "division"})
    return counted.join(frame, on=["iso3", "division"], how="left")


def _with_presence(cells: pl.DataFrame, model: Model) -> pl.DataFrame:
    """What the audits of each cell say of true presence, around the model's own expectation of the cell."""
    told = cells.filter(pl.col("audits") > 0)
    made = told.select("iso3", "division")
    for hazard in HAZARDS:
        found = audit_cells.presence(
            # Undone targeting rests on fewer audits than were made; rounding must not put positives above them.
            np.minimum(told[f"{hazard}_effective"].to_numpy(), told["effective_audits"].to_numpy()),
            told["effective_audits"].to_numpy(),
            hazard,
            model.judgements,
            mean=told[f"{hazard}_p50"].clip(SMALLEST, 1 - SMALLEST).to_numpy(),
        )
        made = made.with_columns(
            pl.Series(f"{hazard}_presence_{name}", getattr(found, name)).round(6) for name in ("p05", "p50", "p95")
        )
    counted = cells.drop("effective_audits", *(f"{hazard}_effective" for hazard in HAZARDS))
    joined: pl.DataFrame = counted.join(made, on=["iso3", "division"], how="left")
    return joined


def _private(cells: pl.DataFrame) -> pl.DataFrame:
    """The same without the counts, and what follows from them, of cells with fewer than five sites."""
    follow = [name for name in cells.columns if name == "audits" or name.endswith("_positive") or "_presence_" in name]
    made: pl.DataFrame = suppress(nw.from_native(cells, eager_only=True), ["sites"], follow).to_native()
    return made
