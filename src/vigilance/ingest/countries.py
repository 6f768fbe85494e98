"""Countries in any language and spelling → ISO 3166-1 alpha-3, by an exact folded table; never by likeness.

A name that is not in the table, or that means two countries in two languages, is an error with up to three
suggestions. Kosovo is read as ``XKX``, the code that the World Bank and the EU use for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from vigilance.i18n import language, messages
from vigilance.ingest.columns import Cell, Column, Reader, Text
from vigilance.ingest.folding import fold, visible, words
from vigilance.ingest.formal_names import Forms
from vigilance.ingest.words import Reading, read_words, same

_ = messages("ingest")

_COMPILED: Final = Path(__file__).parent / "vocabulary" / "countries.json"
_ARTICLES: Final = frozenset(
    ["the", "la", "le", "les", "l", "el", "los", "las", "il", "der", "die", "das", "de", "het"]
)
_SAINT: Final = {"st": "saint", "ste": "sainte", "sta": "santa", "is": "islands", "isl": "islands"}
_PARENTHESES: Final = re.compile(r"^(.*?)\s*[(\[]([^()\[\]]+)[)\]]\s*$")
_SUBDIVISION: Final = re.compile(r"^([A-Z]{2})-[A-Z0-9]{1,3}$")
_DOTTED: Final = re.compile(r"^(?:[A-Za-z]\.\s?){2,3}$|^(?:[A-Za-z]\.){1,2}[A-Za-z]$")
_DASHED: Final = re.compile(r"\s+[-–—:/|]\s+|\s*[|:/]\s*")
_LOST: Final = re.compile("\ufffd+|(?<=[^\\W\\d_])\\?(?=[^\\W\\d_])")
"""What stands for a letter that was lost: the replacement character, or a question mark inside a word."""
_LEAST_KNOWN: Final = 4
_MOST_SUGGESTED: Final = 2_000
"""Distinct unknown or broken names that are looked up among all names; beyond that they are refused as they are."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The compiled table of ``vocabulary/countries.json``."""

    codes: dict[str, str]
    names: dict[str, str]
    ambiguous: dict[str, list[str]]
    display: dict[str, tuple[str, str]]
    forms: Forms
    parts: frozenset[str]

    def title(self, iso3: str) -> str:
        """The name of a country in the language in use."""
        return self.display[iso3][language() == "fr"]


@cache
def vocabulary() -> Vocabulary:
    """Read the compiled table once."""
    loaded = json.loads(_COMPILED.read_text(encoding="utf-8"))
    codes: dict[str, str] = {}
    for alpha2, (alpha3, numeric) in loaded["codes"].items():
        codes |= {alpha2: alpha3, alpha3: alpha3} | ({numeric: alpha3} if numeric else {})
    names = {key: iso3 for iso3, keys in loaded["names"].items() for key in keys.split("|")}
    display = {iso3: (pair[0], pair[1]) for iso3, pair in loaded["display"].items()}
    return Vocabulary(codes, names, loaded["ambiguous"], display, Forms.of(loaded["forms"]), frozenset(loaded["parts"]))


def country(text: str) -> str | list[str] | None:
    """The alpha-3 code that a text names; a list of codes where it is ambiguous; None where it is unknown."""
    known = vocabulary()
    plain = visible(text)
    if "?" in plain or "\ufffd" in plain:  # a letter may have been lost: see ``restored``
        return None
    if (code := _code(plain)) is not None:
        return code
    for spelling in _spellings(plain):
        key = fold(spelling)
        if key in known.ambiguous:
            return known.ambiguous[key]
        if key in known.names:
            return known.names[key]
    if (part := _of_parts(plain)) is not None:
        return part
    return _formal(plain)


def _code(plain: str) -> str | None:
    """An ISO 3166-1 code, or an ISO 3166-2 code such as ``GB-SCT``. ``na`` in small letters means not available."""
    codes = vocabulary().codes
    if plain in codes:
        return codes[plain]
    if plain.upper() in codes and plain.casefold() != "na" and plain.casefold() not in vocabulary().ambiguous:
        return codes[plain.upper()]
    if match := _SUBDIVISION.match(plain):
        return codes.get(match[1])
    if _DOTTED.match(plain) and (letters := re.sub(r"[.\s]", "", plain).upper()) != "NA":
        return codes.get(letters)
    return None


def _spellings(plain: str) -> Iterator[str]:
    """The text as it stands, then with its article, inversion, parentheses and abbreviations undone."""
    yield plain
    for form in _unfolded(plain):
        tokens = list(words(form))
        yield " ".join(tokens)
        tokens = [_SAINT.get(token, token) for token in tokens]
        yield " ".join(tokens)
        if len(tokens) > 1 and tokens[0] in _ARTICLES:
            yield " ".join(tokens[1:])
        if len(tokens) > 1 and tokens[-1] in _ARTICLES:
            yield " ".join(tokens[:-1])


def _unfolded(plain: str) -> Iterator[str]:
    yield plain
    yield plain.replace("&", " and ")
    if plain.count(",") == 1:
        first, second = plain.split(",")
        yield f"{second} {first}"
    if match := _PARENTHESES.match(plain):
        yield f"{match[2]} {match[1]}"
        yield f"{match[1]} {match[2]}"


def _formal(plain: str) -> str | list[str] | None:
    """What is left of a formal name, as the name of a country; inverted ones (``Korea, Republic of``) as well."""
    known = vocabulary()
    for form in _unfolded(plain):
        for key, blocked in known.forms.bare(form):
            if key in known.ambiguous:
                return known.ambiguous[key]
            if (found := known.names.get(key)) is not None:
                return None if found in blocked else found
    return None


def _of_parts(plain: str) -> str | None:
    """A name with its code or its other name beside it, ``FR - France``: both have to mean the same country."""
    parts = [part for part in _DASHED.split(plain) if part]
    if match := _PARENTHESES.match(plain):
        parts = [match[1], match[2]]
    if len(parts) != 2:
        return None
    meanings = {_simple(part) for part in parts}
    return meanings.pop() if len(meanings) == 1 else None


def _simple(plain: str) -> str | None:
    if (code := _code(plain.strip())) is not None:
        return code
    known = vocabulary()
    return next((known.names[key] for s in _spellings(plain) if (key := fold(s)) in known.names), None)


@cache
def _choices() -> dict[str, str]:
    """Folded names in English and French, under the alpha-3 code and a running digit."""
    display = vocabulary().display
    return {f"{iso3}{i}": fold(name) for iso3, pair in display.items() for i, name in enumerate(pair)}


def suggestions(text: str, limit: int = 3) -> list[str]:
    """Names of countries that look like a text, the likeliest first: for a hint, never for a value."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only an unknown name pays for it

    known = vocabulary()
    hits = process.extract(fold(text), _choices(), scorer=fuzz.ratio, limit=limit * 2, score_cutoff=60)
    return [known.title(iso3) for iso3 in dict.fromkeys(key[:3] for _name, _score, key in hits)][:limit]


def resolve(texts: Sequence[str], members: frozenset[str] | None = None) -> list[Reading]:
    """Readings of distinct texts. ``members`` are the countries of which there are facts; None accepts all."""
    budget = lost = _MOST_SUGGESTED
    readings = []
    for text in texts:
        lost -= _LOST.search(text) is not None
        mended = restored(text) if lost >= 0 else None
        found = mended or country(text)
        said = _mended(mended) if mended else _subdivided(text)
        if isinstance(found, str) and (members is None or found in members):
            readings.append(Reading(found, said, _plainly(found) if said else None))
            continue
        near: list[str] = []
        if found is None and budget:
            near, budget = suggestions(text), budget - 1
        readings.append(Reading(text=_refusal(found, near)))
    return readings


def _plainly(iso3: str) -> str:
    """A country as it is read without a remark: by its name, or by its code where the name has two meanings."""
    title = vocabulary().title(iso3)
    return title if country(title) == iso3 else iso3


def restored(text: str) -> str | None:
    """The country of a name whose letters were broken on the way, where only one fits; None otherwise.

    ``TÃ¼rkei`` is UTF-8 that was read as Windows-1252; in ``C?te d'Ivoire`` one letter was lost.
    """
    if not text.isascii():
        try:
            again = country(text.encode("cp1252").decode("utf-8"))
        except UnicodeError:
            again = None
        if isinstance(again, str):
            return again
    if not _LOST.search(text):
        return None
    pattern = ".?".join(re.escape(fold(part)) for part in _LOST.split(text))
    if len(pattern) <= _LEAST_KNOWN:
        return None
    names = vocabulary().names
    found = {names[key] for key in names if re.fullmatch(pattern, key)}
    return found.pop() if len(found) == 1 else None


def _mended(iso3: str) -> Text:
    return Text(
        "country_broken_letters",
        "warning",
        _("letters were broken by a wrong encoding; read as {country}").format(country=vocabulary().title(iso3)),
        _("export the list as UTF-8"),
    )


def _subdivided(text: str) -> Text | None:
    plain = visible(text)
    if not _SUBDIVISION.match(plain) and fold(plain) not in vocabulary().parts:
        return None
    return Text(
        "country_subdivision",
        "info",
        _("a part of a country; the country is read"),
        _("put the country here and the subdivision into a column named zone"),
    )


def _refusal(found: str | list[str] | None, near: Sequence[str]) -> Text:
    known = vocabulary()
    if isinstance(found, list):
        titles = ", ".join(f"{known.title(iso3)} ({iso3})" for iso3 in found[:3])
        return Text(
            "country_ambiguous",
            "error",
            _("the name of more than one country"),
            _("write one of: {names}").format(names=titles),
        )
    if isinstance(found, str):
        return Text(
            "country_without_facts",
            "error",
            _("there are no reference facts on {country}").format(country=known.title(found)),
            _("it cannot be scored; take the row out or score it under the State that administers it"),
        )
    if near:
        hint = _("did you mean {names}?").format(names=", ".join(near))
    else:
        hint = _("write the country's name or its ISO 3166 code, for instance FR")
    return Text("country_unknown", "error", _("not the name of a country"), hint)


def column(cell: Cell, column: Column) -> Reader:
    """A country; typed as alpha-3 under ``options['typed']`` (default ``_iso3``)."""
    members: frozenset[str] | None = None
    if cell.facts is not None:
        members = frozenset(cell.facts.table("countries")["iso3"].to_list())
    typed = column.options.get("typed", "_iso3")
    return read_words(cell, lambda texts: resolve(texts, members), {typed: (pl.String(), same)})
