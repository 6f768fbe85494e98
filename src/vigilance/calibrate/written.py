"""Numbers and tables of a validation report, as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vigilance.i18n import language
from vigilance.report import wording
from vigilance.report.document import Column, Table

DIGITS: Final = 3


def number(value: float | None) -> str:
    """Three digits after the point; a dash for nothing."""
    return wording.number(value, DIGITS)


def count(value: int) -> str:
    """A count, thousands set apart."""
    return wording.number(value)


def plain(value: float) -> str:
    """A number as short as it can be said, to six significant digits, with the decimal mark of the language in use."""
    text = f"{value:.6g}"
    return text.replace(".", ",") if language() == "fr" else text


def share(value: float | None) -> str:
    """A share as a percentage with one digit."""
    return wording.percent(value, 1)


def between(row: dict[str, Any], name: str) -> str:
    """A share with its interval, from the columns ``name``, ``name_low``, ``name_high`` of a row."""
    return f"{share(row[name])} ({share(row[f'{name}_low'])} – {share(row[f'{name}_high'])})"


def table(caption: str, titles: Sequence[str], rows: Sequence[Sequence[Any]], note: str = "") -> Table:
    """A table of texts."""
    return Table(caption, [Column(title) for title in titles], rows, note)
