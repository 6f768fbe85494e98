"""Writing that appears whole or not at all: beside, synced, then renamed.

A file written over an old one on a full disk destroys the old one, and a process killed half-way leaves half a file;
so nothing is ever written in place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vigilance.errors import UsageError
from vigilance.i18n import messages

_ = messages("run")

CHUNK = 1 << 20


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that is either the old one or whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync(path.parent)


def digest(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def folder(target: Path) -> Iterator[Path]:
    """A folder to fill, that takes its name only when the block ends well.

    Raises ``UsageError`` when something other than an empty folder already has that name.
    """
    refuse_existing(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    beside.chmod(0o755)
    try:
        yield beside
        for path in sorted(beside.rglob("*")):
            sync(path)
        sync(beside)
        refuse_existing(target)
        if target.is_dir():
            target.rmdir()
        beside.rename(target)
        sync(target.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_existing(target: Path) -> None:
    """Raise ``UsageError`` when ``target`` is there and is not an empty folder."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            _("{path} is already there, and is never overwritten").format(path=target),
            hint=_("give another --out, or move the old one away"),
        )
