"""What an action costs, detects and puts right.

The numbers of ``rules/audit_protocol.yaml`` that hold on a date.

The days of an audit by workforce, its sensitivity and its concealment come from
``rules/evidence/audits.yaml``: what a past audit is worth as evidence and what a future one may find are the
same judgement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from vigilance import rule_files
from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.planning.problem import Floats, Ints
from vigilance.scoring.evidence_columns import spellings
from vigilance.terms import HAZARDS, Hazard

_ = messages("planning")


class Action(StrEnum):
    """What can be done at a site; the order is that of the rows of every (A, N) array."""

    SEMI_ANNOUNCED = "semi_announced"
    UNANNOUNCED = "unannounced"
    FOLLOW_UP = "follow_up"
    FIELD_AUDIT = "field_audit"
    WORKER_SURVEY = "worker_survey"
    DESK_REVIEW = "desk_review"


ACTIONS: Final = tuple(Action)
ON_TRIP: Final = np.array([action not in (Action.WORKER_SURVEY, Action.DESK_REVIEW) for action in ACTIONS])
"""Which actions need the auditors to travel. A survey reaches workers away from the site, through local
partners."""

INDEX: Final = {action: index for index, action in enumerate(ACTIONS)}
FIELD_TIER: Final = 4
"""From this tier on, a visit is a field audit."""


class Numbers(Protocol):
    """What planning needs of the judgements; ``vigilance.rules.Judgements`` gives it."""

    def value(self, path: str) -> float:
        """The number in force at a path."""

    def get(self, path: str) -> Any:
        """The number in force with its ``low`` and ``high`` bounds."""

    def words(self, path: str) -> Any:
        """The vocabulary at a path."""


@dataclass(frozen=True)
class AuditProtocol:
    """The numbers of one plan; days are person-days, shares and probabilities are between 0 and 1."""

    size_limits: tuple[float, float, float]
    table_days: tuple[float, float, float, float]
    unknown_size_days: float
    follow_up_days: float
    field_extra: float
    field_most: float
    survey_base: float
    survey_per_day: float
    desk_days: float
    trip_days: float
    trip_sites: int
    cell_degrees: float
    sensitivity: Mapping[Hazard, float]
    specificity: float
    shift: Mapping[Action, float]
    log_days: float
    concealment: Mapping[Action, float]
    remedy: Mapping[Action, float]
    people_per_bit: float
    random_share: tuple[float, float, float]
    keep_days: int
    team_size: float
    pattern_length: int
    mandatory_within_days: int
    cases: tuple[float, ...]
    scale: Mapping[Hazard, float]
    irremediability: Mapping[Hazard, float]
    people_at_full_log10: float
    mean_exponent: float
    hit_topics: tuple[str, ...]
    hit_severities: tuple[str, ...]
    settled_statuses: tuple[str, ...]
    words: Mapping[str, Mapping[str, str]]


def read(numbers: Numbers) -> AuditProtocol:
    """Gather the protocol from the judgements in force.

    ``UsageError`` or ``RuleError`` when one is missing.
    """

    def own(path: str) -> float:
        return numbers.value(f"audit_protocol.{path}")

    def audits(path: str) -> float:
        return numbers.value(f"evidence.audits.{path}")

    share = "audit_protocol.learning.random_share"
    bounds = _range(numbers, share)
    return AuditProtocol(
        size_limits=tuple(audits(f"required_days_up_to_workers.{k}") for k in ("small", "medium", "large")),  # type: ignore[arg-type]
        table_days=tuple(audits(f"required_days.{k}") for k in ("small", "medium", "large", "largest")),  # type: ignore[arg-type]
        unknown_size_days=own("days.unknown_size"),
        follow_up_days=own("days.follow_up"),
        field_extra=own("days.field_extra"),
        field_most=own("days.field_most"),
        survey_base=own("days.survey_base"),
        survey_per_day=own("days.survey_per_day"),
        desk_days=own("days.desk_review"),
        trip_days=own("travel.days_per_trip"),
        trip_sites=max(1, int(own("travel.sites_per_trip"))),
        cell_degrees=own("travel.cell_degrees"),
        sensitivity={h: audits(f"sensitivity.{h}") for h in HAZARDS},
        specificity=audits("specificity"),
        shift=_shifts(own, audits),
        log_days=audits("shift.log_days"),
        concealment={
            Action.SEMI_ANNOUNCED: audits("concealment.semi_announced"),
            Action.UNANNOUNCED: audits("concealment.unannounced"),
            **{
                action: own(f"concealment.{action}")
                for action in (
                    Action.FOLLOW_UP,
                    Action.FIELD_AUDIT,
                    Action.WORKER_SURVEY,
                    Action.DESK_REVIEW,
                )
            },
        },
        remedy={action: own(f"remedy.{action}") for action in ACTIONS},
        people_per_bit=own("learning.people_per_bit"),
        random_share=(bounds[0], numbers.value(share), bounds[1]),
        keep_days=int(own("calendar.keep_days")),
        team_size=max(1.0, own("calendar.team_size")),
        pattern_length=int(own("calendar.pattern_length")),
        mandatory_within_days=int(own("calendar.mandatory_within_days")),
        cases=tuple(own(f"sensitivity_case.{k}") for k in ("low", "middle", "high")),
        scale={h: numbers.value(f"severity.scale.{h}") for h in HAZARDS},
        irremediability={h: numbers.value(f"severity.irremediability.{h}") for h in HAZARDS},
        people_at_full_log10=numbers.value("severity.scope.log10_people_at_full"),
        mean_exponent=numbers.value("severity.mean_exponent"),
        hit_topics=tuple(numbers.words("audit_protocol.choices.hit_topics")),
        hit_severities=tuple(numbers.words("audit_protocol.choices.hit_severities")),
        settled_statuses=tuple(numbers.words("audit_protocol.choices.settled_statuses")),
        words={
            block: spellings(numbers.words(f"evidence.vocabulary.coding.{block}"))
            for block in ("topics", "severity", "status")
        },
    )


def _range(numbers: Numbers, path: str) -> tuple[float, float]:
    estimate = numbers.get(path)
    return float(estimate.low), float(estimate.high)


def _shifts(own: Any, audits: Any) -> dict[Action, float]:
    """Shifts of the logit of sensitivity by action, semi-announced being the reference."""
    return {
        Action.SEMI_ANNOUNCED: 0.0,
        Action.UNANNOUNCED: audits("shift.unannounced"),
        Action.FOLLOW_UP: audits("shift.follow_up") + own("detection.shift.open_finding"),
        Action.FIELD_AUDIT: own("detection.shift.field_audit"),
        Action.WORKER_SURVEY: audits("shift.offsite_interviews"),
        Action.DESK_REVIEW: own("detection.shift.desk_review"),
    }


def overrides(path: Path) -> dict[str, float]:
    """The numbers of a ``--protocol`` file by full judgement path.

    The file holds numbers under the keys of ``audit_protocol``, or under full paths such as
    ``evidence.audits.sensitivity.forced_labour``. Raises ``UsageError`` naming line and key.
    """
    try:
        tree = rule_files.read(path, str(path))
    except OSError as error:
        raise UsageError(_("cannot read {path}: {why}").format(path=path, why=error.strerror)) from error
    found: dict[str, float] = {}
    _flatten(tree, tree.content, (), found)
    if tree.flaws:
        raise UsageError("\n  ".join([_("the protocol file is wrong:"), *map(str, sorted(tree.flaws))]))
    return found


def _flatten(tree: rule_files.Tree, node: Mapping[str, Any], path: tuple[str, ...], found: dict[str, float]) -> None:
    for key, value in node.items():
        here = (*path, str(key))
        if isinstance(value, dict):
            _flatten(tree, value, here, found)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            name = ".".join(here)
            known = name.startswith(("audit_protocol.", "evidence.", "severity."))
            found[name if known else f"audit_protocol.{name}"] = float(value)
        else:
            tree.flaw(here, _("must be a number"))


def size_class(protocol: AuditProtocol, workers: Floats) -> Ints:
    """The size class (N,) of a workforce: 0 to 3, and -1 where unknown (NaN)."""
    classes = np.searchsorted(np.array(protocol.size_limits), np.nan_to_num(workers), side="left")
    return np.where(np.isnan(workers), -1, classes).astype(np.int64)


def person_days(protocol: AuditProtocol, workers: Floats) -> Floats:
    """Person-days on site (A, N) of each action; NaN workers means unknown."""
    table = np.append(np.array(protocol.table_days), protocol.unknown_size_days)
    base = table[size_class(protocol, workers)]
    days = np.empty((len(ACTIONS), workers.size))
    days[INDEX[Action.SEMI_ANNOUNCED]] = base
    days[INDEX[Action.UNANNOUNCED]] = base
    days[INDEX[Action.FOLLOW_UP]] = protocol.follow_up_days
    days[INDEX[Action.FIELD_AUDIT]] = np.minimum(base + protocol.field_extra, protocol.field_most)
    days[INDEX[Action.WORKER_SURVEY]] = protocol.survey_base + protocol.survey_per_day * base
    days[INDEX[Action.DESK_REVIEW]] = protocol.desk_days
    return days


def sensitivities(protocol: AuditProtocol, hazard: Hazard, workers: Floats, logit_shift: float = 0.0) -> Floats:
    """Sensitivity (A, N) at an affected site that does not conceal, never below the false-alarm rate.

    ``logit_shift`` moves the reference for a what-if. A field audit with more days than the table gains from
    them.
    """
    base = protocol.sensitivity[hazard]
    table = np.append(np.array(protocol.table_days), protocol.unknown_size_days)[size_class(protocol, workers)]
    field = np.minimum(table + protocol.field_extra, protocol.field_most)
    result = np.empty((len(ACTIONS), workers.size))
    for action in ACTIONS:
        logit = math.log(base / (1 - base)) + logit_shift + protocol.shift[action]
        extra = protocol.log_days * np.log(field / table) if action is Action.FIELD_AUDIT else 0.0
        result[INDEX[action]] = 1.0 / (1.0 + np.exp(-(logit + extra)))
    floored: Floats = np.maximum(result, 1.0 - protocol.specificity)
    return floored
