"""A private folder for copies that a lazy frame reads from; removed when the process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folders: dict[int, Path] = {}


def folder() -> Path:
    """The folder of this process, made on first use with access for its owner only."""
    pid = os.getpid()
    if pid not in _folders:
        _folders[pid] = Path(tempfile.mkdtemp(prefix="vigilance-read-"))
        atexit.register(_remove, pid)
    return _folders[pid]


def _remove(pid: int) -> None:
    # A forked child inherits the registration but not the folder.
    if pid == os.getpid():
        shutil.rmtree(_folders.pop(pid), ignore_errors=True)


def new_file(suffix: str) -> Path:
    """A new empty file with a name of our own, never derived from the input's."""
    handle, name = tempfile.mkstemp(suffix=suffix, dir=folder())
    os.close(handle)
    return Path(name)
