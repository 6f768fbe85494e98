"""The indicators that laws and standards ask for, each computed from the rows of the run and traceable to them.

What each line says, and under which name of which law, is written in ``rules/regimes/<id>.yaml``; this module knows
only the few ways to compute one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import polars as pl

from vigilance.i18n import language
from vigilance.portfolio.exposure import LEVELS, exact_sum
from vigilance.portfolio.screen import NOT_ASSESSED, Screening
from vigilance.rules import Judgements
from vigilance.terms import HAZARDS

REGIMES: Final = ("sfdr", "gri", "esrs_s2", "statements")
CODE_OF_CONDUCT: Final = "c2"
"""The question of the catalogue that asks for a supplier code of conduct."""

Answer = dict[str, Any]


def disclosures(found: Screening, answers: pl.DataFrame, judgements: Judgements) -> dict[str, Any]:
    """Every line of every regime: ``{"regimes": [{id, title, version, reference, lines: [...]}]}``.

    A line has ``id, title, value, unit, of, method, state, rows``; ``rows`` names the file of the run and the issuers
    (or keys) that the value was computed from. ``state`` is ``computed`` or ``not_known`` (never a zero for unknown).
    """
    exposed = judgements.value("regimes.sfdr.exposed_share")
    ways = _ways(found, answers, exposed)
    regimes = []
    for regime in REGIMES:
        said = judgements.words(f"regimes.{regime}.text")
        lines = [_line(name, about, ways) for name, about in said["lines"].items()]
        regimes.append(
            {
                "id": regime,
                "title": said["title"][language()],
                "reference": said["reference"],
                "version": said["version"],
                "lines": lines,
            }
        )
    return {"regimes": regimes}


def _line(name: str, about: dict[str, Any], ways: dict[str, Callable[[str], Answer]]) -> dict[str, Any]:
    hazard = about.get("hazard", "")
    answer = ways[about["way"]](hazard)
    return {
        "id": about.get("number", name),
        "title": about[language()],
        **answer,
        "hazard": hazard or None,
        "method": about["way"],
    }


def _ways(found: Screening, answers: pl.DataFrame, exposed: float) -> dict[str, Callable[[str], Answer]]:
    """The ways to compute a line, by the word that the regime files use."""
    table = found.issuers
    return {
        "share_at_significant_risk": lambda h: _at_risk(table, h, exposed),
        "share_without_code_of_conduct": lambda _h: _without_code(table, answers),
        "places_at_risk": lambda h: _places(found, h, ("country", "activity")),
        "countries_at_risk": lambda h: _places(found, h, ("country",)),
        "tiers_at_risk": lambda h: _places(found, h, ("tier",)),
        "measures_axis": lambda _h: _axis(table, "measures"),
        "commitment_axis": lambda _h: _axis(table, "commitment"),
        "knowledge_axis": lambda _h: _axis(table, "knowledge"),
        "targeting_axis": lambda _h: _axis(table, "targeting"),
        "supplier_evidence": lambda _h: _evidence(table),
        "gap": lambda h: _gap(table, h),
    }


def _whole(table: pl.DataFrame) -> float:
    return float(table.select(exact_sum(pl.col("weight"))).item())


def _computed(value: float, unit: str, of: float, issuers: pl.Series, file: str = "issuers.csv") -> Answer:
    return {
        "value": round(value, 10),
        "unit": unit,
        "of": round(of, 10),
        "state": "computed",
        "rows": {"file": file, "issuers": issuers.to_list()},
    }


def _unknown(unit: str, of: float = 0.0) -> Answer:
    return {
        "value": None,
        "unit": unit,
        "of": round(of, 10),
        "state": "not_known",
        "rows": {"file": "issuers.csv", "issuers": []},
    }


def _at_risk(table: pl.DataFrame, hazard: str, exposed: float) -> Answer:
    """Share of the assessed value in issuers one of whose tiers stands mostly in places at significant risk."""
    assessed = table.filter(pl.col(f"{hazard}_at_risk_share").is_not_null())
    if assessed.is_empty():
        return _unknown("share of value")
    hit = assessed.filter(pl.col(f"{hazard}_at_risk_tier_share") >= exposed)
    return _computed(_whole(hit) / _whole(assessed), "share of value", _whole(assessed), hit["issuer"]) | {
        "threshold": exposed,
        "not_assessed": round(_whole(table) - _whole(assessed), 10),
    }


def _without_code(table: pl.DataFrame, answers: pl.DataFrame) -> Answer:
    """Share of the value that answered on a code of conduct and has none proven; silence is not known, not none."""
    if answers.is_empty():
        return _unknown("share of value")
    plain = pl.col("answer").str.strip_chars().str.to_lowercase()
    asked = answers.filter(
        (pl.col("question").str.strip_chars().str.to_lowercase() == CODE_OF_CONDUCT) & plain.is_not_null()
    )
    asked = asked.filter(~plain.is_in([NOT_ASSESSED, "not assessed", ""]))
    proven = asked.filter(plain.is_in(["yes", "oui", "true", "1"]) & pl.col("proof").is_not_null())
    known = table.filter(pl.col("issuer").is_in(asked["issuer"].implode()))
    if known.is_empty():
        return _unknown("share of value")
    lacking = known.filter(~pl.col("issuer").is_in(proven["issuer"].implode()))
    return _computed(_whole(lacking) / _whole(known), "share of value", _whole(known), lacking["issuer"]) | {
        "not_assessed": round(_whole(table) - _whole(known), 10)
    }


def _places(found: Screening, hazard: str, dimensions: tuple[str, ...]) -> Answer:
    """The countries, activities or tiers that make up most of the risk, both hazards when none is named."""
    hazards = [hazard] if hazard else [str(h) for h in HAZARDS]
    mine = found.contributions.filter(pl.col("hazard").is_in(hazards) & pl.col("dimension").is_in(list(dimensions)))
    top = mine.group_by("hazard", "dimension", maintain_order=True).head(10)
    return {
        "value": [
            {"hazard": h, "dimension": d, "key": k, "share": round(s or 0.0, 10)}
            for h, d, k, s in top.select("hazard", "dimension", "key", "share").iter_rows()
        ],
        "unit": "share of the portfolio's presence",
        "of": 1.0,
        "state": "computed" if top.height else "not_known",
        "rows": {"file": "contributions.csv", "keys": top["key"].to_list()},
    }


def _axis(table: pl.DataFrame, axis: str) -> Answer:
    """Weighted mean of an axis over the value that was assessed on it."""
    known = table.filter(pl.col(f"axis_{axis}").is_not_null())
    if known.is_empty() or not _whole(known):
        return _unknown("0 to 1")
    mean = float(known.select(exact_sum(pl.col("weight") * pl.col(f"axis_{axis}"))).item()) / _whole(known)
    return _computed(mean, "0 to 1", _whole(known), known["issuer"]) | {
        "not_assessed": round(_whole(table) - _whole(known), 10)
    }


def _evidence(table: pl.DataFrame) -> Answer:
    """Share of the value whose suppliers are known by list."""
    known = table.filter(pl.col("exposure_source") == LEVELS[0])
    whole = _whole(table)
    return _computed(_whole(known) / whole if whole else 0.0, "share of value", whole, known["issuer"])


def _gap(table: pl.DataFrame, hazard: str) -> Answer:
    """What proven measures take off the inherent presence, weighted, over the value that was assessed."""
    known = table.filter((pl.col("residual_state") != NOT_ASSESSED) & pl.col(f"{hazard}_gap").is_not_null())
    if known.is_empty() or not _whole(known):
        return _unknown("presence, 0 to 1")
    mean = float(known.select(exact_sum(pl.col("weight") * pl.col(f"{hazard}_gap"))).item()) / _whole(known)
    return _computed(mean, "presence, 0 to 1", _whole(known), known["issuer"])
