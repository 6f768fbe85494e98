"""The worked examples of every factor come out of its own numbers."""

from __future__ import annotations

from datetime import date

import pytest

from vigilance import rules
from vigilance.errors import RuleError
from vigilance.rule_examples import failures, raw_ratio

ON = date(2026, 11, 1)
FACTORS = [name for name in rules.load().files if name.startswith("factors.")]


@pytest.mark.parametrize("name", FACTORS)
def test_the_examples_come_out(name: str) -> None:
    judgements = rules.load().in_force(ON)
    assert [str(failure) for failure in failures(judgements, judgements.rule(name))] == []


@pytest.mark.parametrize("name", FACTORS)
def test_every_factor_shows_yes_no_and_blank(name: str) -> None:
    rule = rules.load().files[name]
    assert rule.form
    assert any(example["expect"] == "unknown" for example in rule.examples)
    ratios = [value for e in rule.examples if isinstance(e["expect"], dict) for value in e["expect"].values()]
    assert min(ratios) == 1
    assert max(ratios) > 1


def test_a_wrong_example_is_found() -> None:
    judgements = rules.load().in_force(ON).with_value("factors.seasonal.ratio.forced_labour", 1.7)
    failed = failures(judgements, judgements.rule("factors.seasonal"))
    assert [(f.hazard, f.found, f.expected) for f in failed] == [("forced_labour", 1.7, 1.3)]
    assert "forced_labour is 1.7, not 1.3" in str(failed[0])


def test_a_file_that_is_no_factor_has_no_ratio() -> None:
    judgements = rules.load().in_force(ON)
    with pytest.raises(RuleError, match="states no form"):
        raw_ratio(judgements, judgements.rule("method"), "forced_labour", {})
