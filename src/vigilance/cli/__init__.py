"""The ``vigilance`` command: a lazy group, one module per command, so that ``--help`` stays quick."""

from __future__ import annotations

from vigilance.cli.group import entry, main

__all__ = ["entry", "main"]
