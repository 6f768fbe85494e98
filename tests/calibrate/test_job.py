"""Long lists are sampled; the rule on trial is a rule that loads."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vigilance import rules
from vigilance.calibrate import trial
from vigilance.calibrate.job import sampled

SINCE = date(2026, 11, 2)


def test_a_long_list_is_sampled_evenly_and_a_short_one_kept() -> None:
    long = pl.DataFrame({"row": range(10_001)})
    found = sampled(long, 101)["row"].to_list()
    assert len(found) == len(set(found)) == 101
    assert found[0] == 0
    assert found[-1] == 10_000
    assert set(np.diff(found)) == {100}
    assert sampled(long.head(50), 101).height == 50


def test_the_rule_on_trial_loads(tmp_path: Path) -> None:
    if shutil.which("patch") is None:
        pytest.skip("patch is not installed")
    shutil.copytree(rules.load().root, tmp_path / "rules")
    subprocess.run(["patch", "-p1", "-s"], input=trial.diff(SINCE), text=True, cwd=tmp_path, check=True)
    found = rules.load(tmp_path / "rules").in_force(SINCE).get("factors.listed_nearby.ratio.forced_labour")
    assert (found.value, found.low, found.high) == (trial.RATIO, *trial.RANGE)


def test_the_trial_multiplies_only_where_the_region_has_the_activity() -> None:
    # ln(½ + number): none, one, three.
    told = trial.on_trial(np.log(np.array([0.5, 1.5, 3.5])))
    assert told == pytest.approx([0.0, np.log(trial.RATIO), np.log(trial.RATIO)])
