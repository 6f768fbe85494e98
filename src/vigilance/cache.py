"""What was worked out from rules and facts, kept between runs: only a matter of speed, never of numbers.

An entry is named after everything that decides it (the digests of rules, facts and code, the date, the machine) and
carries the sha256 of its content; one that is damaged, of another name, or in a folder that others may write to is
passed over and made again. Nothing here runs what it reads: the content is bytes, and those who keep it read JSON and
arrays out of it. Where there is no folder to write to, or ``VIGILANCE_CACHE=off``, all works the same without.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from vigilance import LOADED

VARIABLE: Final = "VIGILANCE_CACHE"
"""Environment variable: ``off`` neither reads nor writes a cache."""

KEPT: Final = 8
"""Entries of a kind that stay; the oldest go first."""
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of the largest entry that is kept, so that a kind never takes more than ``KEPT`` times as much."""
_DIGEST: Final = 64
_TICK: Final = 1.0
"""Seconds by which the clock of a file system may be coarse."""


def key(**parts: Any) -> str:
    """The name of an entry: sha256 over everything that decides it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def get(name: str) -> bytes | None:
    """The content kept under a name such as ``rules-<key>.json``; None where there is none to be trusted."""
    folder = _folder()
    if folder is None or not _private(folder):
        return None
    try:
        with (folder / name).open("rb") as file:
            held = file.read(LARGEST + _DIGEST + 1) if _ours(os.fstat(file.fileno())) else b""
    except OSError:
        return None
    content = memoryview(held)[_DIGEST:]
    return bytes(content) if held[:_DIGEST] == _sealed(name, content) else None


def put(name: str, content: bytes) -> None:
    """Keep a content under a name, and let the oldest of its kind go; does nothing where that is not possible."""
    folder = _folder()
    if folder is None or len(content) > LARGEST:
        return
    kind, _dash, rest = name.partition("-")
    suffix = Path(rest).suffix
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(folder):
            folder.chmod(0o700)
        _write(folder / name, content)
        for old in sorted(folder.glob(f"{kind}-*{suffix}"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _write(path: Path, content: bytes) -> None:
    """Write an entry that is the old one or whole; not synced, since one that a power cut halves fails its digest."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_sealed(path.name, content))
            file.write(content)
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)


@cache
def code_digest(files: tuple[Path, ...]) -> str | None:
    """sha256 over source files and the modules of source folders; None where that is not known of the code that runs.

    With it in the key of an entry, a new version of the code never meets what an old one worked out. Of a file that was
    written after this process had begun to import, nobody knows which version runs.
    """
    total = hashlib.sha256()
    try:
        for path in _sources(files):
            about = path.stat()
            if max(about.st_mtime, about.st_ctime) > LOADED - _TICK:
                return None
            content = path.read_bytes()
            total.update(f"{path.name} {len(content)}\n".encode())
            total.update(content)
    except OSError:
        return None
    return total.hexdigest()


def _sources(files: Iterable[Path]) -> list[Path]:
    listed: list[Path] = []
    for path in files:
        listed += sorted(path.glob("*.py")) if path.is_dir() else [path]
    return listed


def _sealed(name: str, content: bytes | memoryview) -> bytes:
    """sha256 over the name and the content, so that one entry is not taken for another."""
    total = hashlib.sha256(name.encode())
    total.update(content)
    return total.hexdigest().encode()


def _folder() -> Path | None:
    if os.environ.get(VARIABLE, "").lower() in {"off", "0", "no"}:
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG specification: a relative path is invalid and must be ignored.
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "vigilance"
    except RuntimeError:
        return None


def _private(folder: Path) -> bool:
    try:
        return _ours(folder.stat())
    except OSError:
        return False


def _ours(found: os.stat_result) -> bool:
    """Whether this user owns a file or folder and nobody else may write to it."""
    if not hasattr(os, "geteuid"):
        return True  # Windows keeps a user's folders apart by access lists.
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
