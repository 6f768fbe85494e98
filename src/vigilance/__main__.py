"""``python -m vigilance``."""

from vigilance.cli import main

main()
