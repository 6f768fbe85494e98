"""The explanation of one site of a run: its lines recomputed from what the run used, checked against what it wrote."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import narwhals.stable.v2 as nw
import polars as pl

from vigilance import engines, evidence, models, reference, rules
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.run import Run
from vigilance.scoring import explain
from vigilance.scoring.interval import logistic, logit_of_presence
from vigilance.terms import HAZARDS

_ = messages("run")

MEASURES: Final = (
    "score",
    "band",
    "grade",
    "inherent_p50",
    "p05",
    "p50",
    "p80",
    "p95",
    "expected_affected",
    "priority",
)
TOLERANCE: Final = 1e-8


def site(run: Run, supplier_id: str, rules_path: Path | None = None, data_path: Path | None = None) -> dict[str, Any]:
    """Everything behind the scores of one site, as ``vigilance explain --json`` gives it (docs/outputs.md).

    Raises ``UsageError`` for an unknown id or when rules or facts are not those of the run, ``InputRefused`` when the
    run's files were changed.
    """
    typed = run.sites.filter(pl.col("_supplier_id") == supplier_id).collect()
    if not typed.height:
        raise UsageError(
            _("there is no site {id} in {path}").format(id=supplier_id, path=run.path), hint=_near(run, supplier_id)
        )
    place = run.sites.select(pl.arg_where(pl.col("_row") == typed["_row"][0])).collect().item()
    facts, judgements = basis(run, rules_path, data_path)
    frames = {name: kept.collect() for name in evidence.KEPT if (kept := run.evidence(name)) is not None}
    rows = engines.ratios(typed, evidence.informed(models.in_force(facts, judgements), frames))
    told = evidence.lines(typed, frames, judgements, run.on)
    rows = pl.concat([rows, told.select(rows.columns)], how="vertical_relaxed") if told.height else rows
    row = run.scores.slice(place, 1).collect().row(0, named=True)
    return {
        "supplier_id": supplier_id,
        "name": typed["_name"][0],
        "on": run.on.isoformat(),
        "country_iso3": row["country_iso3"],
        "isic_division": row["isic_division"],
        "tier_used": row["tier_used"],
        "hazards": {str(h): _hazard(rows.filter(pl.col("hazard") == h), row, str(h)) for h in HAZARDS},
    }


def _hazard(lines: pl.DataFrame, row: dict[str, Any], hazard: str) -> dict[str, Any]:
    steps = lines.drop("supplier_id", "hazard").to_dicts()
    rate = explain.product(steps, explain.RATE)
    presence = explain.product(steps, explain.PRESENCE)
    p0, p50 = _presence(rate * presence, steps)
    written = row[f"{hazard}_p50"]
    if row[f"{hazard}_override"] != "confirmed_case" and abs(p50 - written) > TOLERANCE:
        raise InputRefused(
            _("the lines of {hazard} give {p50:.9f}, the run wrote {written:.9f}").format(
                hazard=hazard, p50=p50, written=written
            ),
            hint=_("the run was made by another version of vigilance: score the list again"),
        )
    if row[f"{hazard}_override"] == "confirmed_case":
        # A confirmed case without verified remediation sets presence to one, whatever the lines say.
        p50 = written
    said = {name: row[f"{hazard}_{name}"] for name in MEASURES}
    return {
        "steps": steps,
        "rate": rate,
        "m": rate * presence,
        "p0": p0,
        **said,
        "p50": p50,
        "override": row[f"{hazard}_override"],
    }


def _presence(m: float, steps: list[dict[str, Any]]) -> tuple[float, float]:
    """P0 and P50 from m and the evidence, by the expressions that score rows."""
    shift = math.fsum(math.log(step["ratio"]) for step in steps if step["step"] == explain.EVIDENCE)
    frame = nw.from_dict({"ln_m": [math.log(m)], "shift": [shift]}, backend="polars")
    logit = logit_of_presence(nw.col("ln_m"))
    p0, p50 = frame.select(p0=logistic(logit), p50=logistic(logit + nw.col("shift"))).row(0)
    return float(p0), float(p50)


def basis(
    run: Run, rules_path: Path | None = None, data_path: Path | None = None
) -> tuple[reference.Facts, rules.Judgements]:
    """The facts and judgements of a run. Raises ``UsageError`` unless those at hand are the ones that it used."""
    judgements = rules.load(rules_path).in_force(run.on)
    changed = run.meta["rules"]["set"]
    if changed:
        judgements = judgements.with_values(changed)
    facts = reference.load(data_path).in_force(run.on)
    differ = [
        name
        for name, now, then in (
            (_("rules"), judgements.digest, run.meta["rules"]["sha256"]),
            (_("facts"), facts.digest, run.meta["facts"]["sha256"]),
        )
        if now != then
    ]
    if differ:
        raise UsageError(
            _("the {names} are not those that the run used").format(names=", ".join(differ)),
            hint=_("score the list again, or give the old ones with --rules and --data"),
        )
    return facts, judgements


def _near(run: Run, supplier_id: str) -> str:
    from rapidfuzz import process  # noqa: PLC0415 - only for a hint

    ids = run.sites.select("_supplier_id").collect().to_series().to_list()
    close = [name for name, _score, _place in process.extract(supplier_id, ids, limit=3, score_cutoff=60)]
    return _("did you mean {names}?").format(names=", ".join(close)) if close else ""
