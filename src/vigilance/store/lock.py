"""One run at a time on a store: an advisory lock of the operating system, which no killed process leaves behind."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vigilance.errors import InputRefused, StoreBusy
from vigilance.i18n import messages

_ = messages("alerts")

WAIT_SECONDS: Final = 10.0
_STEP: Final = 0.05


def lock_path(store: Path) -> Path:
    """The lock file of a store, beside it. It stays; what counts is who holds it, not that it is there."""
    return store.with_name(store.name + ".lock")


@contextmanager
def held(store: Path, *, write: bool, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold a store alone (to write) or together with other readers.

    Raises ``StoreBusy`` when another process still holds it after ``wait`` seconds, ``OSError`` where the folder cannot
    be written. A reader of a store in a folder that it cannot write goes without a lock: nobody else can write there
    under the same rights either. A lock file that was made for what turns out to be no store is taken away again.
    """
    try:
        handle, made = _taken(store, fcntl.LOCK_EX if write else fcntl.LOCK_SH, wait)
    except OSError as error:
        if write or error.errno not in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise
        yield
        return
    try:
        yield
    except InputRefused:
        if made:
            _remove(handle, lock_path(store))
        raise
    finally:
        os.close(handle)


def _taken(store: Path, kind: int, wait: float) -> tuple[int, bool]:
    """The lock file, opened and locked, and whether it was made for this."""
    path = lock_path(store)
    while True:
        handle, made = _opened(path)
        try:
            _take(handle, store, kind, wait)
            if _still_there(handle, path):
                return handle, made
        except BaseException:
            os.close(handle)
            raise
        # Whoever held it before has taken it away: a lock on a file without a name keeps nobody out.
        os.close(handle)


def _opened(path: Path) -> tuple[int, bool]:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_EXCL, 0o644), True
    except FileExistsError:
        return os.open(path, flags, 0o644), False


def _still_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _remove(handle: int, path: Path) -> None:
    """Take the lock file away, unless another process holds it too."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    path.unlink(missing_ok=True)


def _take(handle: int, store: Path, kind: int, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise StoreBusy(
                    _("another process is working on {path}").format(path=store),
                    hint=_(
                        "wait until it has finished and start again; nothing was changed (--wait sets how long to wait)"
                    ),
                ) from None
            time.sleep(_STEP)
        else:
            return
