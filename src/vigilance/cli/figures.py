"""Numbers as a person reads them at a terminal, with the marks of the language in use."""

from __future__ import annotations

from typing import Final

from vigilance.i18n import language

NARROW: Final = "\u202f"
"""The narrow space that French puts between thousands and before a percent sign; no line breaks there."""
NOTHING: Final = "-"


def number(value: float, digits: int = 0) -> str:
    """A number: ``1,234.5`` or, in French, ``1 234,5``."""
    text = f"{value:,.{digits}f}"
    return text.replace(",", NARROW).replace(".", ",") if language() == "fr" else text


def plain(value: float, digits: int = 6) -> str:
    """A number as short as it can be said, to so many significant digits: ``0.35``."""
    text = f"{value:.{digits}g}"
    return text.replace(".", ",") if language() == "fr" else text


def percent(share: float | None, digits: int = 1) -> str:
    """A share of a whole as a percentage; a dash when unknown."""
    if share is None:
        return NOTHING
    return number(share * 100, digits) + (f"{NARROW}%" if language() == "fr" else "%")


def chance(probability: float) -> str:
    """A probability, never shown as certain: above 99 % and below 0.1 % it says so."""
    if probability > 0.99:
        return ">" + percent(0.99, 0)
    if 0 < probability < 0.001:
        return "<" + percent(0.001, 1)
    return percent(probability, 1 if probability < 0.1 else 0)
