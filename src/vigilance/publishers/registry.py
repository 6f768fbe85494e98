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
    "ratifications": ("normlex", "recognise", False, "ILO NORMLEX: ratifications by instrument or by country"),
    "goods": ("ilab", "recognise_goods", True, "US DOL ILAB: list of goods"),
    "ilab_findings": ("ilab", "recognise_findings", True, "US DOL ILAB: findings on child labour (Sweat & Toil)"),
    "trafficking_tiers": ("tip", "recognise", True, "US Department of State: tier placements"),
    "country_indicators": ("indicators", "recognise", True, "World Bank, V-Dem, ILOSTAT"),
    "enforcement": ("cbp", "recognise", False, "US CBP orders and findings; UFLPA entity list"),
}
"""Table: module of this package, its function, whether it takes ``as_of``, and the publisher's file in words."""


def read(table: str, path: Path, as_of: date | None = None) -> Reading:
    """Read a publisher's own file into rows of a table.

    Raises ``UsageError`` when no reader fills that table, ``InputRefused`` when the file is not what it reads.
    """
    if table not in READERS:
        raise UsageError(
            _("no publisher's file fills the table {name!r}").format(name=table),
            hint=_("tables that can be imported: {names}").format(names=", ".join(sorted(READERS))),
        )
    module, function, dated, _words = READERS[table]
    reader: Any = getattr(importlib.import_module(f"vigilance.publishers.{module}"), function)
    reading: Reading = reader(path, as_of) if dated else reader(path)
    return reading
