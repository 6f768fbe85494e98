"""``python -m vigilance``."""

from vigilance.cli import entry

entry()
