"""Validation from end to end: what was asked, what was found, and the proposal that may follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from vigilance import engines, evidence, whatif
from vigilance.calibrate import attribution as shares
from vigilance.calibrate import backtest as back
from vigilance.calibrate import coverage as cover
from vigilance.calibrate import fit as fitting
from vigilance.calibrate import published_audits as published
from vigilance.calibrate import rankings as ranked
from vigilance.calibrate import robustness as robust
from vigilance.calibrate import worlds
from vigilance.calibrate.outcomes import Outcomes, outcomes
from vigilance.calibrate.proposal import Change, Proposal, propose
from vigilance.calibrate.recomputed import Design, design, parameters
from vigilance.calibrate.stress import Stress
from vigilance.errors import UsageError
from vigilance.explanation import basis
from vigilance.i18n import messages
from vigilance.reference import Facts, Reference
from vigilance.rules import Judgements, Rulebook
from vigilance.run import Run
from vigilance.scoring.model import Model, build
from vigilance.terms import HAZARDS, Hazard

_ = messages("calibrate")

BACKTEST: Final = "backtest"
CALIBRATE: Final = "calibrate"
ROBUSTNESS: Final = "robustness"
COVERAGE: Final = "coverage"
AUDITS: Final = "audits"
RANKINGS: Final = "rankings"
PARTS: Final = (BACKTEST, COVERAGE, AUDITS, RANKINGS, ROBUSTNESS, CALIBRATE)
WITHOUT_MODEL: Final = {BACKTEST, RANKINGS}
"""The parts that build what they need themselves."""
MORRIS: Final = "morris"
SOBOL: Final = "sobol"
METHODS: Final = (MORRIS, SOBOL)
ROBUSTNESS_SITES: Final = 1000
"""Sites of the mix that the screening ranks; enough for the mean move of a rank."""
SENSITIVITY: Final = "evidence.audits.sensitivity"
LEAST: Final = 1.0
"""A risk factor's ratio is never proposed below this: adding a risk factor never lowers a score."""


@dataclass(frozen=True)
class Asked:
    """What to validate and on what. ``draws``, ``trajectories`` and ``samples`` trade time for precision.

    ``method``: Morris screens every judgement; Sobol screens, then shares out the variance over the leading ones.
    ``told`` is called after each set of judgements that the robustness ranks.
    """

    parts: Sequence[str]
    on: date
    run: Run | None = None
    audits: Path | None = None
    findings: Path | None = None
    against: ranked.Given | None = None
    draws: int = cover.DRAWS
    trajectories: int = robust.TRAJECTORIES
    samples: int = shares.SAMPLES
    method: str = MORRIS
    jobs: int = 1
    told: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Calibration:
    """One hazard: the parameters before and after, the held-out scores."""

    hazard: Hazard
    table: pl.DataFrame
    scores: fitting.Scores


@dataclass(frozen=True)
class Found:
    """Everything that was found; a part that was not asked for is None."""

    asked: Asked
    digests: Mapping[str, str]
    backtest: back.Backtest | None = None
    coverage: cover.Coverage | None = None
    audits: published.PublishedAudits | None = None
    rankings: ranked.Compared | None = None
    robustness: robust.Screening | None = None
    attribution: shares.Attribution | None = None
    calibration: Sequence[Calibration] = ()
    proposal: Proposal | None = None
    moves: Mapping[str, Any] = field(default_factory=dict)


def validate(asked: Asked, reference: Reference, rulebook: Rulebook) -> Found:
    """Do what was asked.

    Raises ``UsageError`` when calibration is asked for without a run and its findings, rankings without a file, or
    when rules or facts are not those of the run; and what the parts raise.
    """
    facts, judgements = reference.in_force(asked.on), rulebook.in_force(asked.on)
    if asked.run is not None:
        facts, judgements = basis(asked.run)
    found: dict[str, Any] = {"digests": {"rules": judgements.digest, "facts": facts.digest}}
    if BACKTEST in asked.parts:
        found["backtest"] = back.backtest(reference, judgements, asked.on)
    if RANKINGS in asked.parts:
        found["rankings"] = _ranked(asked, facts, judgements)
    if set(asked.parts) <= WITHOUT_MODEL:
        return Found(asked, **found)
    plain = build(facts, judgements)
    # Audit statistics of a run are part of the model that scored it.
    model = plain if asked.run is None else evidence.informed(plain, whatif.frames(asked.run))
    sites = None if asked.run is None else engines.core_columns(asked.run.sites).collect()
    if COVERAGE in asked.parts:
        drawn = None if sites is None else sampled(sites, worlds.SITES)
        found["coverage"] = cover.coverage(model, drawn, asked.draws)
    if AUDITS in asked.parts:
        found["audits"] = published.compared(plain)
    if ROBUSTNESS in asked.parts:
        found |= _robustness(asked, model, judgements, sites)
    if CALIBRATE in asked.parts:
        found |= _calibrated(asked, model, judgements, sites)
    return Found(asked, **found)


def _ranked(asked: Asked, facts: Facts, judgements: Judgements) -> ranked.Compared:
    if asked.against is None:
        raise UsageError(
            _("rankings needs the ranking to be held against"), hint=_("vigilance validate rankings --against FILE")
        )
    return ranked.compared(asked.against, facts, judgements)


def _robustness(asked: Asked, model: Model, judgements: Judgements, sites: pl.DataFrame | None) -> dict[str, Any]:
    tables = {} if asked.run is None else whatif.frames(asked.run)
    ranked = worlds.mix(model, ROBUSTNESS_SITES)
    if asked.run is not None and sites is not None:
        ranked = sampled(asked.run.sites.collect(), ROBUSTNESS_SITES)
    stress = Stress(model.facts, judgements, ranked, tables, asked.jobs, asked.told)
    screened = robust.screening(stress, asked.trajectories)
    if asked.method != SOBOL:
        return {"robustness": screened}
    leading = screened.effects["path"].head(shares.LEADING).to_list()
    return {"robustness": screened, "attribution": shares.attribution(stress, leading, asked.samples)}


def sampled(sites: pl.DataFrame, most: int) -> pl.DataFrame:
    """At most so many rows, evenly spaced over the list: draws are held in memory, and a list may be long."""
    if sites.height <= most:
        return sites
    kept: pl.DataFrame = sites[np.linspace(0, sites.height - 1, most).astype(np.int64).tolist()]
    return kept


def _calibrated(asked: Asked, model: Model, judgements: Judgements, sites: pl.DataFrame | None) -> dict[str, Any]:
    if asked.run is None or sites is None:
        raise UsageError(
            _("calibration needs a run"), hint=_("vigilance validate calibrate --run DIR --audits F --findings F")
        )
    audits, findings = _records(asked, asked.run, model)
    made, changes = [], []
    for hazard in HAZARDS:
        of = design(model, sites, hazard)
        records = {
            name: outcomes(sites, audits, findings, used, asked.on, hazard)
            for name, used in _sensitivities(judgements, hazard).items()
        }
        one = _one(of, records, judgements, hazard)
        made.append(one)
        changes += _changes(one, records["value"])
    proposal = propose(
        judgements.book,
        changes,
        asked.on,
        f"own-audits-{asked.on.isoformat()}",
        f"Own audits up to {asked.on.isoformat()}, by vigilance validate calibrate",
    )
    return {"calibration": made, "proposal": proposal, "moves": _moves(asked.run, judgements, proposal)}


def _records(asked: Asked, run: Run, model: Model) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Typed audits and findings: of the files given, else those that the run read."""
    paths = {name: path for name in ("audits", "findings") if (path := getattr(asked, name)) is not None}
    given = evidence.read(paths, run.sites, model.facts, model.judgements).frames
    frames = []
    for name in ("audits", "findings"):
        own = run.evidence(name)
        frame = given[name] if name in given else None if own is None else own.collect()
        if frame is None:
            raise UsageError(
                _("calibration needs {name}, and the run has none").format(name=name),
                hint=_("give --{name} FILE; without findings every audit would count as clean").format(name=name),
            )
        frames.append(frame)
    return frames[0], frames[1]


def _sensitivities(judgements: Judgements, hazard: Hazard) -> dict[str, Judgements]:
    path = f"{SENSITIVITY}.{hazard}"
    told = judgements.get(path)
    return {
        "value": judgements,
        "low": judgements.with_value(path, told.low),
        "high": judgements.with_value(path, told.high),
    }


def _one(of: Design, records: Mapping[str, Outcomes], judgements: Judgements, hazard: Hazard) -> Calibration:
    numbers = parameters(judgements, hazard)
    scores = fitting.cross_validated(of, records["value"], numbers)
    fits = {name: fitting.fit(of, record, numbers) for name, record in records.items()}
    return Calibration(hazard, fitting.table(fits["value"], fits["low"], fits["high"], scores.gain), scores)


def _changes(one: Calibration, records: Outcomes) -> list[Change]:
    changes = []
    for row in one.table.filter(pl.col("proposed")).iter_rows(named=True):
        least = LEAST if row["path"].startswith("factors.") else 0.0
        value = max(row["after"], least)
        note = (
            f"Fitted to {int((records.audits > 0).sum())} audited sites, {int(records.positive.sum())} with a finding; "
            f"was {row['before']:.3g} ({row['before_low']:.3g}-{row['before_high']:.3g})."
        )
        low, high = max(row["after_low"], least), max(row["after_high"], value * 1.05)
        changes.append(Change(row["path"], value, min(low, value), high, note))
    return changes


def _moves(run: Run, judgements: Judgements, proposal: Proposal) -> Mapping[str, Any]:
    """What would move in the run if the proposal were accepted."""
    if not proposal.values:
        return {}
    return whatif.under(run, judgements.with_values(dict(proposal.values))).summary


def summary(found: Found) -> dict[str, Any]:
    """Everything that was found as plain data, for ``--json`` and ``validation.json``."""
    told: dict[str, Any] = {"on": found.asked.on.isoformat(), "parts": list(found.asked.parts), **found.digests}
    if found.backtest is not None:
        told[BACKTEST] = {
            "headline": back.headline(found.backtest),
            "results": found.backtest.results.to_dicts(),
            "against": found.backtest.against.to_dicts(),
            "groups": found.backtest.groups.to_dicts(),
            "lines": found.backtest.lines.to_dicts(),
            "added": found.backtest.added.to_dicts(),
            "newest": found.backtest.newest,
        }
    if found.coverage is not None:
        told[COVERAGE] = {
            "bar": list(cover.BAR),
            "sites": found.coverage.sites,
            "draws": found.coverage.draws,
            "groups": found.coverage.groups.to_dicts(),
            "reasons": found.coverage.reasons.to_dicts(),
            "lines": found.coverage.lines.to_dicts(),
        }
    if found.audits is not None:
        told[AUDITS] = {"period": found.audits.period, "rows": found.audits.rows.to_dicts()}
    if found.rankings is not None:
        told[RANKINGS] = ranked.summary(found.rankings)
    if found.robustness is not None:
        told[ROBUSTNESS] = {
            "sites": found.robustness.sites,
            "trajectories": found.robustness.trajectories,
            "effects": found.robustness.effects.to_dicts(),
            "rank_correlation": _spread(found.robustness.draws["rank_correlation"]),
            "first_tenth_kept": _spread(found.robustness.draws["first_tenth_kept"]),
        }
    if found.attribution is not None:
        told["attribution"] = {
            "sites": found.attribution.sites,
            "samples": found.attribution.samples,
            "judgements": found.attribution.judgements,
            "indices": found.attribution.indices.to_dicts(),
            "rank_correlation": _spread(found.attribution.draws["rank_correlation"]),
            "first_tenth_kept": _spread(found.attribution.draws["first_tenth_kept"]),
        }
    if found.proposal is not None:
        told[CALIBRATE] = {
            "hazards": {str(one.hazard): _calibration(one) for one in found.calibration},
            "proposed": dict(found.proposal.values),
            "moves": dict(found.moves),
        }
    return told


def _calibration(one: Calibration) -> dict[str, Any]:
    return {
        "audited": one.scores.audited,
        "positive": one.scores.positive,
        "before": one.scores.before,
        "after": one.scores.after,
        "gain": round(one.scores.gain, 8),
        "parameters": one.table.to_dicts(),
        "reliability": one.scores.reliability.to_dicts(),
    }


def _spread(values: pl.Series) -> dict[str, float]:
    numbers = values.to_numpy()
    quantiles = {"p05": 5, "p50": 50, "p95": 95}
    return {name: round(float(np.percentile(numbers, place)), 6) for name, place in quantiles.items()}
