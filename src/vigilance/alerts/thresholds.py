"""The judgements of ``rules/alerts.yaml`` that a run needs, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Final

from vigilance.alerts.sites import PROBABILITY_UNITS, SCORE_UNITS
from vigilance.rules import Judgements
from vigilance.terms import BANDS

RULES: Final = (
    "override",
    "list_match",
    "grievance",
    "new_finding",
    "event",
    "band_crossing",
    "overdue_action",
    "significant_change",
    "ratification",
    "vanished",
    "grade_fall",
    "stale_data",
)
"""What an alert may be about; each has a weight under ``alerts.urgency``."""

LASTING: Final = ("override", "list_match", "band_crossing", "overdue_action", "stale_data")
"""Rules about something that lasts: told once, kept open, and said to be gone when it is over."""

URGENCY_UNITS: Final = 1000


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits as whole numbers where they meet scores (``sites.SCORE_UNITS``) and probabilities."""

    bands: tuple[int, ...]
    band_margin: float
    band_from: int
    change: int
    grade_steps: int
    overdue_days: int
    stale_days: int
    roll_up_sites: int
    roll_up_share: float
    budget: int
    carry_weeks: int
    proven: int
    urgency: Mapping[str, int]


def thresholds(judgements: Judgements) -> Thresholds:
    """The limits in force."""
    value = judgements.value
    return Thresholds(
        bands=tuple(round(value(f"method.band.{band}") * PROBABILITY_UNITS) for band in BANDS[1:]),
        band_margin=value("alerts.band_hysteresis"),
        band_from=round(value("alerts.band_from")),
        change=round(value("alerts.change_points") * SCORE_UNITS),
        grade_steps=round(value("alerts.grade_steps")),
        overdue_days=round(value("alerts.overdue_grace_days")),
        stale_days=round(value("alerts.stale_days")),
        roll_up_sites=round(value("alerts.roll_up.sites")),
        roll_up_share=value("alerts.roll_up.share"),
        budget=round(value("alerts.budget.per_week")),
        carry_weeks=round(value("alerts.budget.carry_weeks")),
        proven=floor(value("alerts.proven_factor") * URGENCY_UNITS),
        urgency={rule: floor(value(f"alerts.urgency.{rule}") * URGENCY_UNITS) for rule in RULES},
    )
