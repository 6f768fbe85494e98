"""Worlds drawn from the model: what the evidence predicts is what is there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vigilance import rules

HARNESS = Path(__file__).parents[2] / "benchmarks" / "quality" / "calibration_sim.py"


@pytest.fixture(scope="module")
def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calibration_sim", HARNESS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_small_world_is_calibrated(harness: ModuleType) -> None:
    judgements = rules.load().in_force(harness.ON)
    world = harness.draw(40_000, 11, judgements)
    found = harness.bins(harness.predicted(world, judgements), world.present)
    assert len(found) == 10
    assert harness.calibration_error(found) < 0.01


@pytest.mark.slow
def test_two_hundred_thousand_sites_are_calibrated_and_ranks_hold_under_wrong_rules(harness: ModuleType) -> None:
    found = harness.report(200_000, 7)
    assert found["calibration_error"] < 0.01
    for row in found["bins"]:
        assert abs(row["predicted"] - row["observed"]) < 0.01
    moves = found["under_wrong_rules"]
    assert all(move["spearman"] > 0.95 for move in moves.values())
    # Levels follow the prior: a wrong exponent is seen at once in the calibration.
    assert moves["size exponent .5"]["calibration_error"] > 0.05
