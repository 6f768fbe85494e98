"""The short version of the faults; the long one is ``python -m tests.faults.harness``."""

import os
from pathlib import Path

import pytest
from tests.faults import harness

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a tmpfs, which needs root")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return harness.prepared(tmp_path_factory.mktemp("source"), sites=12)


def test_three_kills_lose_nothing_and_tell_nothing_twice(source: Path, tmp_path: Path) -> None:
    assert harness.kills(source, tmp_path, 3, per_store=3) == 3


def test_every_damage_is_refused_or_without_effect(source: Path, tmp_path: Path) -> None:
    found = harness.damages(source, tmp_path, 12)
    for kind in ("scores.parquet", "sites.parquet", "run.json"):
        assert found[kind] == (12, 0), kind
    assert found["store"][0] >= 6  # truncations at least


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 8])
def test_a_crowd_on_one_store(source: Path, tmp_path: Path, count: int) -> None:
    harness.crowd(source, tmp_path, count)


@pytest.mark.slow
@ROOT_ONLY
def test_a_disk_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    harness.read_only(source, tmp_path)


@pytest.mark.slow
@ROOT_ONLY
def test_a_full_disk(source: Path, tmp_path: Path) -> None:
    assert 6 in harness.full_disk(source, tmp_path, (4, 200, 700))
