"""A proposal is a diff that a person can apply, and that loads."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from vigilance import rules
from vigilance.calibrate.proposal import Change, propose
from vigilance.errors import RuleError

SINCE = date(2026, 11, 2)
CHANGES = (
    Change("factors.recruitment_fees.ratio.forced_labour", 2.71828, 2.1, 3.4, "Fitted to 900 audited sites."),
    Change("method.tier.child_labour.3", 0.2, 0.1, 0.3, "Fitted."),
    Change("method.country_slope.forced_labour", 3.1, 2.5, 3.7, "Fitted."),
)


@pytest.fixture
def shipped() -> rules.Rulebook:
    return rules.load()


def test_the_changed_rules_load_and_hold_from_their_date(shipped: rules.Rulebook, tmp_path: Path) -> None:
    made = propose(shipped, CHANGES, SINCE, "own-audits-2026-11-02", "Own audits")
    copy = tmp_path / "rules"
    shutil.copytree(shipped.root, copy)
    for name, text in made.files.items():
        (copy / name).write_text(text, encoding="utf-8")
    changed = rules.load(copy)
    for change in CHANGES:
        before, after = (changed.in_force(day).get(change.path) for day in (date(2026, 11, 1), SINCE))
        assert before.value == shipped.in_force(SINCE).value(change.path)
        assert after.value == pytest.approx(change.value, rel=0.005)
        assert (after.low, after.high) == (change.low, change.high)
        assert after.sources == ("own-audits-2026-11-02",)
    others = [path for path in shipped.paths if path not in {change.path for change in CHANGES}]
    for path in others[::40]:
        if shipped.in_force(SINCE).has(path):
            assert changed.in_force(SINCE).value(path) == shipped.in_force(SINCE).value(path)


def test_the_diff_applies_with_patch(shipped: rules.Rulebook, tmp_path: Path) -> None:
    if shutil.which("patch") is None:
        pytest.skip("patch is not installed")
    made = propose(shipped, CHANGES, SINCE, "own-audits-2026-11-02", "Own audits")
    shutil.copytree(shipped.root, tmp_path / "rules")
    subprocess.run(["patch", "-p1", "-s"], input=made.diff, text=True, cwd=tmp_path, check=True)
    for name, text in made.files.items():
        assert (tmp_path / "rules" / name).read_text(encoding="utf-8") == text


def test_only_lines_are_added(shipped: rules.Rulebook) -> None:
    made = propose(shipped, CHANGES, SINCE, "own-audits-2026-11-02", "Own audits")
    taken = [line for line in made.diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert not taken
    assert made.values["factors.recruitment_fees.ratio.forced_labour"] == 2.72


def test_no_change_is_no_diff(shipped: rules.Rulebook) -> None:
    made = propose(shipped, (), SINCE, "own-audits", "Own audits")
    assert made.diff == ""
    assert not made.files


def test_a_date_that_is_taken_is_refused(shipped: rules.Rulebook) -> None:
    with pytest.raises(RuleError, match="already has a value"):
        propose(shipped, CHANGES[:1], date(2010, 1, 1), "own-audits", "Own audits")


def test_the_rules_themselves_stay_as_they_are(shipped: rules.Rulebook) -> None:
    before = rules.load().digest
    propose(shipped, CHANGES, SINCE, "own-audits", "Own audits")
    assert rules.load().digest == before
