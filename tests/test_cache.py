"""The cache between runs: believed only when whole, under its own name and private; silent wherever it cannot be."""

import os
import stat
import time
from pathlib import Path

import pytest

from vigilance import cache

NAME = f"model-{cache.key(a=1)}.bin"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    return tmp_path / "cache" / "vigilance"


def test_what_was_put_comes_back(folder: Path) -> None:
    assert cache.get(NAME) is None
    cache.put(NAME, b"content")
    assert cache.get(NAME) == b"content"
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_every_damaged_byte_is_seen(folder: Path) -> None:
    cache.put(NAME, b"content")
    whole = (folder / NAME).read_bytes()
    for at in range(len(whole)):
        (folder / NAME).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert cache.get(NAME) is None, at
        (folder / NAME).write_bytes(whole[:at])
        assert cache.get(NAME) is None, at


def test_an_entry_is_not_taken_for_another(folder: Path) -> None:
    cache.put(NAME, b"content")
    other = f"model-{cache.key(a=2)}.bin"
    (folder / NAME).rename(folder / other)
    assert cache.get(other) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes of POSIX")
def test_what_others_may_write_to_is_not_read(folder: Path) -> None:
    cache.put(NAME, b"content")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
    (folder / NAME).chmod(0o620)
    assert cache.get(NAME) is None
    (folder / NAME).chmod(0o600)
    folder.chmod(0o777)
    assert cache.get(NAME) is None
    cache.put(NAME, b"again")
    assert cache.get(NAME) == b"again"


def test_the_oldest_of_a_kind_go_first(folder: Path) -> None:
    cache.put("other-1.bin", b"kept")
    for number in range(20):
        cache.put(f"model-{number:02}.bin", b"content")
        os.utime(folder / f"model-{number:02}.bin", (number, number))
    there = sorted(path.name for path in folder.iterdir())
    assert there == [*(f"model-{n:02}.bin" for n in range(20 - cache.KEPT, 20)), "other-1.bin"]


def test_nothing_too_large_is_kept(folder: Path) -> None:
    cache.put(NAME, bytes(cache.LARGEST + 1))
    assert not folder.exists()


def test_it_can_be_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(NAME, b"content")
    monkeypatch.setenv(cache.VARIABLE, "off")
    assert cache.get(NAME) is None
    cache.put("model-b.bin", b"content")
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.put(NAME, b"content")
    assert cache.get(NAME) is None


def test_code_changed_since_it_was_loaded_has_no_digest(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("a = 1\n", encoding="utf-8")
    # Not even with an old date: its inode tells.
    os.utime(module, (0, 0))
    assert cache.code_digest((module,)) is None


def test_a_write_that_fails_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(NAME, b"content")

    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    cache.put("model-other.bin", b"content")
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert cache.get(NAME) == b"content"


def test_the_digest_of_code_follows_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for place, text in ((one, "a = 1\n"), (other, "a = 2\n")):
        place.mkdir()
        (place / "module.py").write_text(text, encoding="utf-8")
        os.utime(place / "module.py", (0, 0))
    monkeypatch.setattr(cache, "LOADED", time.time() + 60)
    assert cache.code_digest((one,)) not in (None, cache.code_digest((other,)))
    assert cache.code_digest((tmp_path / "absent.py",)) is None
