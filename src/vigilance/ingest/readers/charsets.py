"""Which encoding a text that is not UTF-8 has, where only one of the usual ones turns its bytes into words.

Every word with a byte above 127 is decoded in each encoding. An encoding is possible when all of these are words: of
letters of one script, no capital after a small letter, signs only where signs stand. It is coherent when, besides, all
the letters belong to the alphabet of one language. One coherent text alone is certain; so is one possible text alone.
Two readings that differ leave it open, and then nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHUNK: Final = 4 * 1024 * 1024
_LARGEST: Final = 256 * 1024 * 1024
_MOST: Final = 20_000
"""Different words that are looked at; a text with more is left open."""
_LEAST: Final = 2
"""Different words without which a damaged byte could pass for a letter."""
_WORD: Final = re.compile(rb"[A-Za-z0-9'\x80-\xff]*[\x80-\xff][A-Za-z0-9'\x80-\xff]*")
_EDGE: Final = re.compile(rb"[A-Za-z0-9'\x80-\xff]*\Z")

ENCODINGS: Final = (
    *("cp1252", "iso-8859-15", "cp1250", "iso-8859-2", "cp1254", "cp1257", "cp1251", "koi8-r", "iso-8859-5", "cp866"),
    *("cp1253", "iso-8859-7", "cp850", "cp852", "cp437", "mac-roman", "gb18030", "shift_jis", "euc_jp", "big5"),
    "euc_kr",
)  # fmt: skip
"""In the order in which one is named where several give the same text."""

_ALPHABETS: Final = tuple(
    frozenset(letters + letters.upper())
    for letters in (
        "àâæçéèêëîïôœùûüÿ",  # French
        "äöüßé",  # German
        "áéíñóúü",  # Spanish
        "áâãàçéêíóôõúü",  # Portuguese
        "àèéìíîòóùú",  # Italian
        "àçèéíïòóúü",  # Catalan
        "åäöéü",  # Swedish, Finnish
        "æøåéòôü",  # Danish, Norwegian
        "áéèëïíóöúü",  # Dutch
        "ąćęłńóśźż",  # Polish
        "áčďéěíňóřšťúůýž",  # Czech
        "áäčďéíĺľňóôŕšťúýž",  # Slovak
        "áéíóöőúüű",  # Hungarian
        "ăâîșțşţ",  # Romanian
        "čćđšž",  # Croatian, Slovene, Serbian
        "çğıİöşüâîû",  # Turkish
        "āčēģīķļņšūž",  # Latvian
        "ąčęėįšųūž",  # Lithuanian
        "äõöüšž",  # Estonian
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",  # Russian, Bulgarian
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",  # Ukrainian
        "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",  # Greek
    )
)
_SIGNS: Final = frozenset("’‘“”„–—…€£°«»•½¼¾©®™²³µ×·¿¡§ªº\u00a0")
_BETWEEN: Final = frozenset("’‘'·–\u00a0")
"""Signs that may stand between two letters."""


@dataclass(frozen=True, slots=True)
class Found:
    """An encoding, and a word before (its bytes) and after."""

    encoding: str
    before: str
    after: str


def certain(path: Path) -> Found | None:
    """The only encoding in which the text of a file makes sense; None when there is none, or more than one."""
    if path.stat().st_size > _LARGEST:
        return None
    words: set[bytes] = set()
    for found in _words(path):
        words.add(found)
        if len(words) > _MOST:
            return None
    if len(words) < _LEAST or any(_is_utf8(word) for word in words):
        return None
    ordered = sorted(words)
    readings = {encoding: text for encoding in ENCODINGS if (text := _decoded(ordered, encoding)) is not None}
    coherent = {encoding: text for encoding, text in readings.items() if _is_one_language(text)}
    for texts in (coherent, readings):
        if len(set(texts.values())) == 1:
            encoding, text = next(iter(texts.items()))
            longest = max(range(len(ordered)), key=lambda place: (len(ordered[place]), -place))
            before = ordered[longest].decode("ascii", "backslashreplace")
            return Found(encoding, before, text[longest])
        if texts:
            return None
    return None


def _words(path: Path) -> Iterator[bytes]:
    """The words of a file that hold a byte above 127."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            chunk = rest + chunk
            edge = _EDGE.search(chunk)
            rest = chunk[edge.start() :] if edge and len(chunk) - edge.start() < _CHUNK else b""
            yield from _WORD.findall(chunk[: len(chunk) - len(rest)])
    yield from _WORD.findall(rest)


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(words: Iterable[bytes], encoding: str) -> tuple[str, ...] | None:
    """The words in an encoding, if all of them are words."""
    texts = []
    for word in words:
        try:
            text = word.decode(encoding)
        except UnicodeDecodeError:
            return None
        if not _is_word(text):
            return None
        texts.append(text)
    return tuple(texts)


def _is_word(text: str) -> bool:
    previous = ""
    for place, char in enumerate(text):
        following = text[place + 1 : place + 2]
        if char in _SIGNS:
            if previous.isalpha() and following.isalpha() and char not in _BETWEEN:
                return False
        elif not char.isascii() and not (char.isalpha() and _stands(char, previous, following)):
            return False
        previous = char
    return True


def _stands(char: str, previous: str, following: str) -> bool:
    """Whether a letter may stand between its neighbours: of its script, and no capital after a small letter."""
    if char.isupper() and previous.isalpha() and previous.islower():
        return False
    return all(not other.isalpha() or _script(other) == _script(char) for other in (previous, following) if other)


def _script(letter: str) -> str:
    code = ord(letter)
    for name, first, last in (("Greek", 0x370, 0x3FF), ("Cyrillic", 0x400, 0x52F)):
        if first <= code <= last:
            return name
    return "Latin" if code < 0x250 else "other"


def _is_one_language(texts: Iterable[str]) -> bool:
    letters = {char for text in texts for char in text if not char.isascii() and char.isalpha()} - {"ª", "º", "µ"}
    return any(letters <= alphabet for alphabet in _ALPHABETS)
