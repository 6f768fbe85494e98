"""Forced-labour and child-labour risk in supply chains.

    import vigilance
    scored = vigilance.score("suppliers.csv", on="2026-11-01")
    scored.scores            # a Polars frame: your columns, then the scores
    scored.explain("S-0001")

The public names are those of ``__all__``; each is imported when it is first used, so that ``import vigilance`` costs
nothing. docs/library.md shows them at work.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from vigilance.errors import InputRefused, RuleError, UsageError, VigilanceError
    from vigilance.library import Scored, countries, explain, score
    from vigilance.run import Run, open_run
    from vigilance.terms import BANDS, HAZARDS

__all__ = [
    "BANDS",
    "HAZARDS",
    "InputRefused",
    "RuleError",
    "Run",
    "Scored",
    "UsageError",
    "VigilanceError",
    "countries",
    "explain",
    "open_run",
    "score",
]

LOADED: Final = time.time()
"""When this process began to read the code: what a file of it says later is not what runs."""

_HOMES: Final = {
    "BANDS": "terms",
    "HAZARDS": "terms",
    "InputRefused": "errors",
    "RuleError": "errors",
    "Run": "run",
    "Scored": "library",
    "UsageError": "errors",
    "VigilanceError": "errors",
    "countries": "library",
    "explain": "library",
    "open_run": "run",
    "score": "library",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - rarely asked for

        return version("vigilance")
    if name not in _HOMES:
        raise AttributeError(f"module 'vigilance' has no attribute {name!r}")
    found = getattr(import_module(f"vigilance.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
