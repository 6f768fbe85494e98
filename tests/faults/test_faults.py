"""The short version of the faults; the long one is ``python -m tests.faults.harness``."""

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.faults import harness
from tests.store.lists import MONDAY, rows, worse, write

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


@pytest.mark.slow
def test_the_same_bytes_on_any_machine(tmp_path: Path) -> None:
    """Threads, hash seeds, time zones, locales and folders change nothing, in the outputs or in the store."""
    seen: dict[str, set[str]] = {}
    for number, (threads, seed, zone, locale) in enumerate(
        [("1", "0", "UTC", "C"), ("2", "7", "Asia/Tokyo", "fr_FR.UTF-8"), ("4", "99", "America/St_Johns", "C.UTF-8")]
    ):
        folder = tmp_path / f"machine {number}"
        folder.mkdir()
        variables = {"POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        for week, given in enumerate((rows(40), worse(rows(40), 0, 3, 5, 6, 9))):
            write(folder / "list.csv", given)
            on = MONDAY + timedelta(weeks=week)
            done = harness.call(*harness.watch(folder, on, f"out-{week}"), **variables)
            assert done.returncode == 0, done.stderr
        outputs = {path.name: path.read_bytes() for path in sorted((folder / "out-1").glob("*.*"))}
        whole = {**outputs, **harness.exported(folder / "store.duckdb", folder / "export")}
        for name, content in whole.items():
            seen.setdefault(name, set()).add(hashlib.sha256(content).hexdigest())
    assert {name for name, digests in seen.items() if len(digests) != 1} == set()
