"""Which reader fills which table."""

from __future__ import annotations

import importlib
from datetime import date
from pathlib import Path
from typing import Any, Final

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.publishers.reading import Reading

_ = messages("data")

READERS: Final = {
    "ratifications": ("normlex", "recognise", "ILO NORMLEX: ratifications by instrument or by country"),
    "goods": ("ilab", "recognise_goods", "US DOL ILAB: list of goods"),
    "ilab_findings": ("ilab", "recognise_findings", "US DOL ILAB: findings on child labour (Sweat & Toil)"),
    "trafficking_tiers": ("tip", "recognise", "US Department of State: tier placements"),
    "country_indicators": ("indicators", "recognise", "World Bank, V-Dem, ILOSTAT"),
    "enforcement": ("cbp", "recognise", "US CBP orders and findings; UFLPA entity list"),
}
"""Table: module of this package, its function, and the publisher's file in words."""


def read(table: str, path: Path, as_of: date | None = None) -> Reading:
    """Read a publisher's own file into rows of a table; ``as_of`` is the day it was published or downloaded.

    Raises ``UsageError`` when no reader fills that table, ``InputRefused`` when the file is not what it reads.
    """
    if table not in READERS:
        raise UsageError(
            _("no publisher's file fills the table {name!r}").format(name=table),
            hint=_("tables that can be imported: {names}").format(names=", ".join(sorted(READERS))),
        )
    module, function, _words = READERS[table]
    reader: Any = getattr(importlib.import_module(f"vigilance.publishers.{module}"), function)
    reading: Reading = reader(path, as_of)
    return reading
