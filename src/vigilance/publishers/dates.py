"""Dates as publishers print them, each form declared: nothing is guessed."""

from __future__ import annotations

from typing import Final

import polars as pl

FORMS: Final = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%B %d, %Y", "%b %d, %Y", "%m/%d/%Y")
"""ISO, the ILO's ``24 Jun 1937``, and the three forms of US agencies (month first, by their own rule)."""

FRENCH: Final = {
    "janvier": "January", "janv.": "January", "février": "February", "févr.": "February", "mars": "March",
    "avril": "April", "avr.": "April", "mai": "May", "juin": "June", "juillet": "July", "juil.": "July",
    "août": "August", "septembre": "September", "sept.": "September", "octobre": "October", "oct.": "October",
    "novembre": "November", "nov.": "November", "décembre": "December", "déc.": "December",
}  # fmt: skip


def day(column: str) -> pl.Expr:
    """A text column as dates; null where none of ``FORMS`` fits (months also in French)."""
    return parsed(pl.col(column))


def parsed(text: pl.Expr) -> pl.Expr:
    """``day`` for any text expression."""
    english = text.str.replace_all(r"\s+", " ").str.strip_chars().str.replace_all(r"\b1er\b", "1")
    for french, month in FRENCH.items():
        english = english.str.replace_all(f"(?i) {french.replace('.', '[.]')} ", f" {month} ")
    return pl.coalesce(english.str.to_date(form, strict=False) for form in FORMS)
