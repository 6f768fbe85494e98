"""What an action at a site is worth: the harm it may find and put right, and what it teaches.

    V = Σ_h S·λ·P·[(1−c)·Se]·r + η·I          (method section 5)

P is the presence, λ the people affected given presence, S the severity, c the share of affected sites that
conceal, Se the sensitivity, r the share put right, and I the expected information about how risky such sites
are, in bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vigilance.planning.problem import Floats
from vigilance.planning.protocol import ACTIONS, INDEX, Action, AuditProtocol, sensitivities
from vigilance.terms import HAZARDS, Hazard

NODES = (-(3.0**0.5), 0.0, 3.0**0.5)
WEIGHTS = (1 / 6, 2 / 3, 1 / 6)
"""Three-point Gauss-Hermite rule for a normal variable."""

SPREAD = 3.29
"""Standard deviations between the 5 % and the 95 % bound of a normal variable."""


@dataclass(frozen=True)
class HazardRisk:
    """One hazard at N sites: presence and its bounds, and P times the people affected given presence."""

    p50: Floats
    p05: Floats
    p95: Floats
    affected: Floats


@dataclass(frozen=True)
class Worth:
    """Values (A, N) in severity-weighted people: the harm put right, the learning, and their sum."""

    harm: Floats
    learning: Floats
    detection: Mapping[Hazard, Floats]

    @property
    def total(self) -> Floats:
        """Harm put right and learning together."""
        return self.harm + self.learning


def severity(protocol: AuditProtocol, hazard: Hazard, risk: HazardRisk) -> Floats:
    """Severity S in [0, 1]: the power mean of scale, scope and irremediability (UNGP 14)."""
    people = np.divide(risk.affected, risk.p50, out=np.zeros_like(risk.affected), where=risk.p50 > 0)
    scope = np.minimum(1.0, np.log10(1.0 + people) / protocol.people_at_full_log10)
    power = protocol.mean_exponent
    parts = protocol.scale[hazard] ** power + scope**power + protocol.irremediability[hazard] ** power
    result: Floats = (parts / 3.0) ** (1.0 / power)
    return result


def worth(
    protocol: AuditProtocol,
    risks: Mapping[Hazard, HazardRisk],
    workers: Floats,
    logit_shift: float = 0.0,
) -> Worth:
    """The value of every action at every site; ``logit_shift`` moves every sensitivity, for a what-if."""
    harm = np.zeros((len(ACTIONS), workers.size))
    learning = np.zeros_like(harm)
    remedy = np.array([protocol.remedy[action] for action in ACTIONS])[:, None]
    hidden = np.array([protocol.concealment[action] for action in ACTIONS])[:, None]
    detection: dict[Hazard, Floats] = {}
    for hazard in HAZARDS:
        risk = risks[hazard]
        found = (1.0 - hidden) * sensitivities(protocol, hazard, workers, logit_shift)
        detection[hazard] = found
        harm += severity(protocol, hazard, risk) * risk.affected * found * remedy
        learning += protocol.people_per_bit * information(risk, found, protocol.specificity)
    # A follow-up looks at one open finding: it teaches nothing about other sites.
    learning[INDEX[Action.FOLLOW_UP]] = 0.0
    return Worth(harm, learning, detection)


def information(risk: HazardRisk, found: Floats, specificity: float) -> Floats:
    """Bits (A, N) that a result is expected to tell about how likely presence is at such sites.

    The mutual information between the result and the site's own risk, whose uncertainty is the interval P05
    to P95 on the logit scale: nothing is learned where the risk is known, or where the action detects
    nothing.
    """
    spread = (_logit(risk.p95) - _logit(risk.p05)) / SPREAD
    mean = np.zeros_like(found)
    noise = np.zeros_like(found)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        presence = 1.0 / (1.0 + np.exp(-(_logit(risk.p50) + node * spread)))
        positive = presence * found + (1.0 - presence) * (1.0 - specificity)
        mean += weight * positive
        noise += weight * _entropy(positive)
    bits: Floats = np.maximum(_entropy(mean) - noise, 0.0)
    return bits


def _logit(share: Floats) -> Floats:
    held = np.clip(share, 1e-9, 1 - 1e-9)
    result: Floats = np.log(held / (1.0 - held))
    return result


def _entropy(share: Floats) -> Floats:
    held = np.clip(share, 1e-15, 1 - 1e-15)
    result: Floats = -(held * np.log2(held) + (1 - held) * np.log2(1 - held))
    return result
