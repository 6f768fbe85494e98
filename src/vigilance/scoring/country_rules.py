"""The judgements of the country index, read once into plain numbers (``rules/country_index.yaml``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vigilance.terms import HAZARDS

if TYPE_CHECKING:
    from vigilance.rules import Judgements

ROOT: Final = "country_index"
PARTS: Final = ("structure", "process", "outcome")
MEANS: Final = ("process", "outcome")
LAW: Final = "law"
REFUGE: Final = "refuge"


@dataclass(frozen=True, slots=True)
class Scale:
    """Raw value at risk 0 and at risk 1; with a pivot the value enters as ``ln(1 + value / pivot)``."""

    best: float
    worst: float
    pivot: float | None = None

    def transformed(self, value: float) -> float:
        """A raw value as it enters the linear step from best to worst."""
        return value if self.pivot is None else math.log1p(value / self.pivot)


@dataclass(frozen=True, slots=True)
class CountryRules:
    """Every number of the index as it holds on one date.

    ``groups`` maps a branch of the rule file (``tier``, ``channel.state_imposed``, ``weight.child_labour.outcome``) to
    its leaves in the order of the file.
    """

    groups: Mapping[str, Mapping[str, float]]

    def group(self, name: str) -> Mapping[str, float]:
        """The leaves of a branch; empty when the file has none."""
        return self.groups.get(name, {})

    def number(self, path: str) -> float:
        """One leaf by its path under ``country_index``; ``KeyError`` when there is none."""
        branch, leaf = path.rsplit(".", 1)
        return self.groups[branch][leaf]

    @property
    def window_years(self) -> int:
        """Years over which the evolution of application is read."""
        return int(self.number("structure.window_years"))

    @property
    def scales(self) -> dict[str, Scale]:
        """The scale of each indicator that has one; the others are coded as risks between 0 and 1 already."""
        start = "scale."
        return {
            name.removeprefix(start): Scale(leaves["best"], leaves["worst"], leaves.get("pivot"))
            for name, leaves in self.groups.items()
            if name.startswith(start)
        }

    @property
    def conventions(self) -> dict[str, Mapping[str, float]]:
        """The conventions whose text in national law is coded, each with its standards and their weights."""
        start = "law."
        return {name.removeprefix(start): leaves for name, leaves in self.groups.items() if name.startswith(start)}

    def weights(self, hazard: str, part: str) -> Mapping[str, float]:
        """Weights of the indicators inside a part of a hazard."""
        return self.group(f"weight.{hazard}.{part}")

    def groups_to_average(self) -> list[tuple[str, str, Mapping[str, float]]]:
        """List the groups of indicators that are averaged: kind, what it is of, and the weights."""
        parts = [(part, hazard.value, self.weights(hazard, part)) for hazard in HAZARDS for part in MEANS]
        laws = [(LAW, code, leaves) for code, leaves in self.conventions.items()]
        return [*parts, *laws, (REFUGE, "", self.group("channel.refugees.hosted"))]

    @property
    def indicators(self) -> list[str]:
        """Every indicator that a weight, a law or a channel reads."""
        starts = ("weight.", "law.", "channel.refugees.hosted")
        return [
            *dict.fromkeys(leaf for name, group in self.groups.items() if name.startswith(starts) for leaf in group)
        ]


def read_rules(judgements: Judgements) -> CountryRules:
    """Read the index's branch of the judgements in force, grouped. ``RuleError`` when none holds yet on the date."""
    judgements.get(f"{ROOT}.part.{PARTS[0]}")  # says since when, if no number of the index holds yet
    groups: dict[str, dict[str, float]] = {}
    for path, estimate in judgements.under(ROOT).items():
        branch, leaf = path.removeprefix(f"{ROOT}.").rsplit(".", 1)
        groups.setdefault(branch, {})[leaf] = estimate.value
    return CountryRules(groups)
