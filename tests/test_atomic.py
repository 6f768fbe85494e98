"""What is written appears whole or not at all, and never over something else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from vigilance import atomic
from vigilance.errors import UsageError


class Stop(Exception):
    """Something went wrong half-way."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_when_its_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "run"
    with atomic.folder(target) as inside:
        (inside / "a.txt").write_text("whole")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "whole"
    assert names(tmp_path / "deep") == ["run"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> None:
        with atomic.folder(tmp_path / "run") as inside:
            (inside / "a.txt").write_text("half")
            raise Stop

    with pytest.raises(Stop):
        stopped()
    assert names(tmp_path) == []


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with atomic.folder(tmp_path / "run") as inside:
        (inside / "a.txt").write_text("whole")
    assert names(tmp_path / "run") == ["a.txt"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "run"
    if kind == "folder":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    else:
        target.write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"), atomic.folder(target):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["run"]


def test_a_folder_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "run"

    def late() -> None:
        with atomic.folder(target) as inside:
            (inside / "a.txt").write_text("second")
            target.mkdir()
            (target / "a.txt").write_text("first")

    with pytest.raises(UsageError, match="never overwritten"):
        late()
    assert (target / "a.txt").read_text() == "first"
    assert names(tmp_path) == ["run"]


def test_a_file_is_the_old_one_or_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    atomic.write_bytes(path, b"one")
    atomic.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.write_bytes(path, b"three")
    monkeypatch.undo()
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["state.json"]


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    content = os.urandom(3 * atomic.CHUNK + 17)
    path.write_bytes(content)
    assert atomic.digest(path) == hashlib.sha256(content).hexdigest()
