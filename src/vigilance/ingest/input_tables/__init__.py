"""The input tables: one module each, a list of columns with their parsers."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Final

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.ingest.columns import Table

_ = messages("ingest")

NAMES: Final = (
    "suppliers",
    "audits",
    "findings",
    "grievances",
    "events",
    "measures",
    "lists",
    "links",
    "audit_statistics",
    "holdings",
    "issuers",
    "rankings",
)


@cache
def table(name: str) -> Table:
    """The specification of an input table by its name. Raises ``UsageError`` for another name."""
    if name not in NAMES:
        raise UsageError(
            _("there is no input table named '{name}'").format(name=name),
            hint=_("one of: {names}").format(names=", ".join(NAMES)),
        )
    found: Table = importlib.import_module(f"vigilance.ingest.input_tables.{name}").TABLE
    return found
