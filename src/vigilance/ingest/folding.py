"""Folding of text for matching: case, accents, spaces and punctuation fall away; the user's own text is never changed.

Characters that are not what they seem (zero-width, bidirectional marks, Cyrillic or Greek letters inside a Latin
word) are read through as well, and named to the user.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

INVISIBLE: Final = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
"""Characters without width and marks of direction, as the inside of a character class."""

INVISIBLE_PATTERN: Final = f"[{INVISIBLE}]"
MIXED_PATTERN: Final = r"[A-Za-z][\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}][A-Za-z]"
"""A Latin letter beside a Cyrillic or Greek one, in the syntax of Polars' regular expressions."""

_INVISIBLE_RE: Final = re.compile(INVISIBLE_PATTERN)
_LETTERS: Final = str.maketrans(
    {"ı": "i", "đ": "d", "ð": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ŋ": "n", "ə": "e"}
    # Letters of the Arabic script that Persian and Urdu keyboards and careless typing exchange; the stretching line.
    | {"ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ڤ": "ف", "ہ": "ه", "ھ": "ه", "ۀ": "ه", "ے": "ي", "ٱ": "ا", "ـ": ""}
)
_APOSTROPHES: Final = re.compile("[\u02b0-\u02ff]")
"""Modifier letters: ``Oʻzbekiston`` and ``Вʼєтнам`` are typed with any apostrophe."""
_NASALS: Final = re.compile(
    "[\u0919\u091e\u0923\u0928\u092e]\u094d(?=[\u0915-\u092e])|[\u0999\u099e\u09a3\u09a8\u09ae]\u09cd(?=[\u0995-\u09ae])"
)
"""A nasal before the consonant that it goes with, which Hindi and Bengali write as a dot (that falls away) as well."""
_LOOKALIKES: Final = str.maketrans(
    "асеіјорѕухԁАВСЕНІЈКМОРЅТХУαεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aceijopsyxdABCEHIJKMOPSTXYaeikvoptuxABEZHIKMNOPTYX",
)
_LATIN_RE: Final = re.compile(r"[A-Za-z]")
_OTHER_RE: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_ASCII_RE: Final = re.compile(r"[a-z0-9]+")


def visible(text: str) -> str:
    """The text without invisible characters, white space made plain."""
    return " ".join(_INVISIBLE_RE.sub("", text).split())


def unmasked(text: str) -> str:
    """The text without invisible characters, and look-alike letters inside a Latin word as what they imitate."""
    return _unmixed(_INVISIBLE_RE.sub("", text))


def _unmixed(text: str) -> str:
    if text.isascii() or not (_LATIN_RE.search(text) and _OTHER_RE.search(text)):
        return text
    return " ".join(
        word.translate(_LOOKALIKES) if _LATIN_RE.search(word) and _OTHER_RE.search(word) else word
        for word in text.split(" ")
    )


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The folded words of a text: lower case, without accents, punctuation or invisible characters."""
    if text.isascii():
        return tuple(_ASCII_RE.findall(text.casefold()))
    low = _unmixed(unicodedata.normalize("NFKC", visible(text)).casefold())
    low = _NASALS.sub("", _APOSTROPHES.sub(" ", low))
    plain = unicodedata.normalize("NFKD", low.translate(_LETTERS))
    kept = "".join(ch for ch in plain if unicodedata.category(ch) != "Mn" or _is_vowel(ch))
    kept = "".join(ch if ch.isalnum() or unicodedata.category(ch)[0] == "M" else " " for ch in kept)
    return tuple(kept.split())


@lru_cache(maxsize=512)
def _is_vowel(mark: str) -> bool:
    """Whether a mark is a vowel of a script that writes vowels as marks: without it two names become one."""
    name = unicodedata.name(mark, "")
    return "VOWEL SIGN" in name or "THAI CHARACTER SARA" in name or "MAI HAN-AKAT" in name


def fold(text: str) -> str:
    """The key under which two spellings of the same words meet: ``"Côte d’Ivoire"`` → ``"cotedivoire"``."""
    return "".join(words(text))
