"""The errors a caller may meet. Each carries the exit code of the command line (docs/bad-input.md)."""

from __future__ import annotations


class VigilanceError(Exception):
    """Something that the user can act on; the message says what, where and how to mend it."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\n  {hint}")
        self.message = message
        self.hint = hint


class UsageError(VigilanceError):
    """The command, an option or a configuration value cannot be used."""

    exit_code = 2


class RuleError(VigilanceError):
    """One or more rule files are wrong; the message lists them all with file, key and fix."""

    exit_code = 2


class InputRefused(VigilanceError):  # noqa: N818 - it is a verdict on a file, read aloud as such
    """A file as a whole cannot be used: unreadable, ambiguous, corrupt or over a limit. Nothing is written."""

    exit_code = 3


class StoreBusy(VigilanceError):  # noqa: N818
    """Another process holds the store."""

    exit_code = 5


class OutOfResources(VigilanceError):  # noqa: N818
    """Disk, memory or permissions are lacking."""

    exit_code = 6
