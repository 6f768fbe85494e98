"""Countries and activities as a person names them on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from vigilance.errors import UsageError
from vigilance.i18n import messages

if TYPE_CHECKING:
    from vigilance.reference import Facts

_ = messages("countries")

LONGEST = 40
"""Characters of a wrong word that an error repeats."""


def countries(facts: Facts, wanted: Sequence[str]) -> list[str]:
    """ISO 3166-1 alpha-3 codes of countries given by code or exact name, in English or French.

    Raises ``UsageError`` with the nearest names for an unknown one.
    """
    names = facts.table("countries").select("iso3", "iso2", "name_en", "name_fr")
    spelt = {str(word): str(row["iso3"]) for row in names.iter_rows(named=True) for word in row.values() if word}
    return [_one(word, spelt, _("no country is called {word}")) for word in wanted]


def divisions(facts: Facts, wanted: Sequence[str]) -> list[str]:
    """ISIC Rev. 4 divisions given by code or exact name. Raises ``UsageError`` with the nearest for an unknown one."""
    names = facts.table("activities").select("code", "name_en", "name_fr")
    spelt = {
        str(word): str(row["code"])
        for row in names.iter_rows(named=True)
        for word in row.values()
        if word and len(row["code"]) == DIGITS and row["code"].isdigit()
    }
    return [_one(word, spelt, _("no activity is called {word}")) for word in wanted]


DIGITS = 2
"""Of a division's code."""


def _one(word: str, spelt: Mapping[str, str], unknown: str) -> str:
    codes = {name.casefold(): code for name, code in spelt.items()}
    code = codes.get(word.strip().casefold())
    if code is None:
        near: Iterable[str] = difflib.get_close_matches(word.strip().title(), spelt, n=3)
        hint = _("did you mean {names}?").format(names=", ".join(near)) if near else None
        raise UsageError(unknown.format(word=repr(word[:LONGEST])), hint=hint)
    return code
