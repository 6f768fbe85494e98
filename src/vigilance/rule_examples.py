"""The worked examples that a rule brings with it, run against its own numbers.

A factor's ratio is the raw one, before the core centres it on the activity (method section 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vigilance.errors import RuleError
from vigilance.i18n import messages
from vigilance.rules import Judgements, RuleFile
from vigilance.terms import HAZARDS

_ = messages("rules")

UNKNOWN: Final = "unknown"
"""What an example expects where a blank input leaves the ratio at its average, with a wider interval."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that does not come out."""

    rule: str
    given: Mapping[str, Any]
    hazard: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return _("{rule}: given {given}, {hazard} is {found}, not {expected}").format(
            rule=self.rule,
            given=dict(self.given),
            hazard=self.hazard,
            found=self.found,
            expected=self.expected,
        )


def raw_ratio(judgements: Judgements, rule: RuleFile, hazard: str, given: Mapping[str, Any]) -> float | None:
    """The raw ratio of a factor for one hazard and given inputs; None when an input is blank (unknown).

    ``three_state`` and ``listing``: the ratio where the input is true, else 1. ``share``: 1 + coefficient·m.
    ``strength``: 1 + coefficient·strength·m, with m the share of migrants (0 to 1). A hazard for which the
    rule gives no number has ratio 1. ``RuleError`` for a rule that is no factor.
    """
    if not rule.form:
        raise RuleError(_("{rule} states no form, so it has no ratio").format(rule=rule.id))
    if any(value is None for value in given.values()):
        return None
    if rule.form in ("three_state", "listing"):
        path = f"{rule.id}.ratio.{hazard}"
        present = all(given.values())
        return judgements.value(path) if present and judgements.has(path) else 1.0
    path = f"{rule.id}.coefficient.{hazard}"
    if not judgements.has(path):
        return 1.0
    return 1.0 + judgements.value(path) * math.prod(float(value) for value in given.values())


def failures(judgements: Judgements, rule: RuleFile) -> list[Failure]:
    """The examples of a factor that do not come out; empty when all do."""
    failed: list[Failure] = []
    for example in rule.examples:
        given, expect = example["given"], example["expect"]
        wanted = expect if isinstance(expect, dict) else dict.fromkeys(map(str, HAZARDS), expect)
        for hazard, value in wanted.items():
            found = raw_ratio(judgements, rule, hazard, given)
            if not _same(found, value):
                failed.append(Failure(rule.id, given, hazard, value, UNKNOWN if found is None else found))
    return failed


def _same(found: float | None, wanted: Any) -> bool:
    if found is None or isinstance(wanted, str):
        return found is None and wanted == UNKNOWN
    return math.isclose(found, float(wanted), rel_tol=1e-12)
