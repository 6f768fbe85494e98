"""Codes of classifications of activities → ISIC Rev. 4, by the form of the code and the scheme that is named.

A bare code is read only where its form or the agreement of all schemes leaves no choice; where the revision that is
named is an older one, its own table is used, because the same digits mean other divisions there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vigilance.ingest.folding import words

Weights = Mapping[str, float]
"""Division → share; the shares sum to 1."""

_SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "isic": ("isic4", "isic5"),
    "citi": ("isic4", "isic5"),
    "nace": ("nace2", "nace2_1"),
    "naf": ("naf2", "nace2"),
    "ape": ("naf2", "nace2"),
    "naics": ("naics4", "naics3", "naics2"),
    "isic3": ("isic3",),
    "hs": ("hs4", "hs2"),
    "sh": ("hs4", "hs2"),
    "cpc": ("cpc_group", "cpc_division", "cpc_section"),
    "unspsc": ("unspsc_segment",),
    "gics": ("gics",),
    "icb": ("icb",),
}
_OLDER: Final = re.compile(
    r"\b(?:isic|citi)\W*(?:r[eé]v\w*\W*)?3(?:\.1)?\b|\b(?:nace|naf)\W*(?:r[eé]v\w*\W*)?1(?:\.1)?\b", re.IGNORECASE
)
"""A revision of the classification before ISIC Rev. 4 and NACE Rev. 2: the same digits mean another division."""
_OLD: Final = "isic3"
_REVISION: Final = re.compile(r"[1-5](?:\.[01])?")
"""What is the number of a revision rather than a code."""
_DOTTED: Final = re.compile(r"\d\.\d{1,2}(?:\.\d{1,2})?")
"""A code whose first zero a spreadsheet has eaten: two digits stand before the dot."""
_ISIC_LIKE: Final = ("isic", "citi", "nace", "naf", "ape")
_ANY: Final = ("isic4", "naics4", "hs4", "gics", "icb")
_PREFIXED: Final = re.compile(
    r"^(?P<scheme>isic|citi|nace|naf|ape|naics|hs|sh|cpc|unspsc|gics|icb)\s*(?:rev(?:ision)?\.?\s*)?"
    r"(?:\d(?:\.\d)?\s*[:\s-]\s*|code\s*|chapter\s*|chapitre\s*)?[:#]?\s*(?P<code>[a-u]?\s?\.?\d[\d.\s]*[a-z]?)$",
    re.IGNORECASE,
)
_ISIC_FORM: Final = re.compile(r"^(?:[A-U]\.?\s?)?(\d{2})(?:\.\d{1,2}){0,2}\.?[A-Z]?$|^(\d{2})\d{2}[A-Z]$")
_CODE_LABEL: Final = re.compile(r"^([A-Ua-u]?\.?\d{2}[\d.]*[A-Za-z]?)\s*(?:[-–—:.|]\s*|\s+)(\D.+)$")
_CODE: Final = re.compile(r"^[A-Ua-u]?[\s.]?\d[\d.\s]*[A-Za-z]?$")
_SECTION: Final = re.compile(r"^(?:section\s+)([A-U])$", re.IGNORECASE)
_SURE: Final = 0.95
_EVEN: Final = ("hs", "sh")
"""Schemes whose codes have an even number of digits: one of an odd number has lost its first zero."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text was taken for: shares of divisions, confidence 0 to 1, and how (``label``, ``code``, ``words``)."""

    weights: Weights
    confidence: float
    how: str

    @property
    def division(self) -> str:
        """The likeliest division; of two equals the one named first."""
        return max(self.weights, key=lambda code: self.weights[code])


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of all schemes, and the divisions with their sections."""

    codes: Mapping[tuple[str, str], Weights]
    titles: Mapping[str, tuple[str, str]]
    sections: Mapping[str, str]

    def named(self, plain: str, scheme: str | None) -> tuple[bool, Understood | None]:
        """Whether a whole text is a code, alone or with its scheme, and what it means then."""
        if match := _PREFIXED.match(plain):
            if _REVISION.fullmatch(match["code"]):
                return True, None
            older = _OLDER.match(plain[: match.start("code")])
            return True, self.read(match["code"], _OLD if older else match["scheme"].lower())
        if match := _SECTION.match(plain):
            weights = self.codes.get(("isic4_section", match[1].upper()))
            return True, Understood(weights, max(weights.values()), "code") if weights else None
        return (True, self.read(plain, scheme)) if _CODE.match(plain) else (False, None)

    def read(self, code: str, scheme: str | None) -> Understood | None:
        """What a code means in the scheme that the text or its header names; None where it is none of it."""
        plain = code.strip().upper()
        if scheme in (None, *_ISIC_LIKE) and (match := _ISIC_FORM.match(plain)):
            division = match[1] or match[2]
            letter = plain[0] if plain[0].isalpha() else None
            if division in self.titles and letter in (None, self.sections[division]):
                bare = scheme is None and plain.isdigit()
                return Understood({division: 1.0}, 0.8 if bare else _SURE, "bare code" if bare else "code")
        digits = re.sub(r"\D", "", plain)
        if scheme in _ISIC_LIKE:
            return self._shortened(plain, digits)
        if scheme is not None:
            return self._of_scheme(digits, scheme)
        meanings = [w for s in _ANY if (w := self._by_prefix(digits, (s,), exact=True)) is not None]
        tops = {Understood(w, 0, "").division for w in meanings}
        return Understood(meanings[0], 0.7, "bare code") if len(tops) == 1 and len(meanings) > 1 else None

    def _of_scheme(self, digits: str, scheme: str) -> Understood | None:
        lost = scheme in _EVEN and len(digits) % 2 == 1
        weights = self._by_prefix(f"0{digits}" if lost else digits, _SCHEMES[scheme])
        if weights is None:
            return None
        return Understood(weights, max(weights.values()) * (0.8 if lost else 1), "code")

    def _shortened(self, plain: str, digits: str) -> Understood | None:
        """A code of ISIC or NACE that has another form than theirs; its first zero may be lost."""
        if _DOTTED.fullmatch(plain):
            return Understood({f"0{plain[0]}": 1.0}, 0.8, "code") if f"0{plain[0]}" in self.titles else None
        if not plain.isdigit() or len(digits) not in (3, 4) or digits[:2] not in self.titles:
            return None
        # 141 may be the group 14.1 or the class 01.41.
        return Understood({digits[:2]: 1.0}, _SURE if len(digits) == 4 else 0.5, "code")

    def _by_prefix(self, digits: str, schemes: Sequence[str], *, exact: bool = False) -> Weights | None:
        shortest = len(digits) if exact else 1
        for length in range(len(digits), shortest - 1, -1):
            for scheme in schemes:
                if (weights := self.codes.get((scheme, digits[:length]))) is not None:
                    return weights
        return None


def code_and_label(plain: str) -> tuple[str, str] | None:
    """The code and the words of ``14.13 - Manufacture of outerwear``."""
    match = _CODE_LABEL.match(plain)
    return (match[1], match[2]) if match else None


def scheme_of(header: str) -> str | None:
    """The classification that a header names, such as ``NACE code``; None where it names none."""
    if _OLDER.search(header):
        return _OLD
    return next((token for token in words(header) if token in _SCHEMES), None)
