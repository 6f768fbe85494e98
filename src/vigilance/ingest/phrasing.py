"""Counts and decimals inside sentences, as the language in use writes them."""

from __future__ import annotations

from vigilance.i18n import language


def several(count: int, one: str, many: str, **named: object) -> str:
    """The form of a text that goes with a count, which stands at its ``{count}``; other fields are ``named``.

    Both forms are texts in the language in use. French counts nothing as one, English as many.
    """
    single = count < 2 if language() == "fr" else count == 1
    return (one if single else many).format(count=count, **named)


def decimal(value: float, digits: int) -> str:
    """A number with so many decimals: ``0.80``, in French ``0,80``."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language() == "fr" else text


def rounded(value: float) -> str:
    """A bound of a range, in whole numbers where it is one: ``10,000``, in French ``10 000``."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,g}"
    # The narrow space of French between thousands breaks no line.
    return text.replace(",", "\u202f").replace(".", ",") if language() == "fr" else text
