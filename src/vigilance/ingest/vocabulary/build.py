"""Compile the vocabularies: ``python -m vigilance.ingest.vocabulary.build``.

Country names come from the Unicode CLDR through Babel (every locale, every spelling that it knows), from ISO 3166
codes of the same source, and from ``country_aliases.csv`` (formal, former and colloquial names, written for this
project). Words for forms of State come from ``country_forms.csv``, names of parts (England), which are read as their
country aloud, from ``country_parts.csv``. A name that means two countries in two languages is kept as ambiguous and
never resolved. Headers come from ``headers.yaml``. Both are written as JSON because reading them that way takes
milliseconds.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from babel import Locale, localedata
from babel.core import get_global
from ruamel.yaml import YAML

from vigilance.ingest.folding import fold, words

HERE: Final = Path(__file__).parent
HEADERS: Final = HERE.parent / "headers.yaml"

_CONSTRUCTED: Final = ("tok",)
"""Toki Pona: its names are not those of a language that people trade in, and "Malawi" is Latvia in it."""

_GERMAN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_NORDIC: Final = str.maketrans({"ø": "oe", "å": "aa", "ö": "oe", "ä": "ae"})
_EXPANDED: Final = {"de": _GERMAN, "da": _NORDIC, "nb": _NORDIC, "nn": _NORDIC, "no": _NORDIC, "sv": _NORDIC}
"""Letters that are written with two where only plain ones can be: Oesterreich, Groenland."""

_ABBREVIATED: Final = {
    "ru": {"о-ва": "острова", "о-в": "остров"},
    "uk": {"о-ви": "острови", "о-в": "острів"},
    "be": {"а-вы": "астравы"},
}
"""Abbreviations that CLDR uses inside names of territories."""

_BRACKETS: Final = re.compile(r"^(.+?)\s*[(（].+[)）]$")
"""``Myanmar (Burma)``: the name before the brackets stands alone where no other country has it."""

_NAMESAKES: Final = tuple(
    frozenset(pair.split()) for pair in ("COD COG", "KOR PRK", "MAF SXM", "VGB VIR", "ASM WSM", "GUF GUY SUR")
)
"""Countries that share a name, of which a language may tell only one apart with brackets."""

_WIDE: Final = (
    *("en", "fr", "es", "de", "it", "pt", "nl", "pl", "cs", "sk", "hu", "ro", "sv", "da", "nb", "fi", "et", "lv", "lt"),
    *("hr", "sr", "sl", "bg", "el", "ru", "uk", "tr", "ar", "fa", "ur", "he", "hi", "bn", "zh", "zh_Hant", "ja", "ko"),
    *("vi", "th", "id", "ms", "ca"),
)
"""Languages that a list of suppliers is likely to be written in."""

_SHORTEST: Final = 3
"""Folded letters up to which a spelling made here is left out: it may be a code."""

_SECOND_CODES: Final = {"MM": "MMR", "RO": "ROU", "TL": "TLS", "CD": "COD", "DE": "DEU", "FR": "FRA", "YE": "YEM"}
"""Countries for which CLDR knows a withdrawn alpha-3 code beside the one in force."""

_NOT_COUNTRIES: Final = ["EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"]
"""Codes of CLDR for groups, for the unknown, for tests, and for places that ISO 3166-1 has inside a country."""

_NUMERIC: Final = {"DE": "276", "ET": "231", "SD": "729", "YE": "887"}
"""Numeric codes in force where CLDR also knows those of former borders."""

_KOSOVO: Final = ("XK", "XKX")
"""Not in ISO 3166-1; ``XKX`` is the user-assigned code that the World Bank and the European Union write."""


def iso_codes() -> dict[str, tuple[str, str]]:
    """ISO 3166-1 as CLDR knows it: alpha-2 → (alpha-3, numeric); Kosovo has no numeric code."""
    alpha3: dict[str, list[str]] = defaultdict(list)
    numeric: dict[str, str] = {}
    for code, targets in get_global("territory_aliases").items():
        if len(targets) != 1:
            continue
        if len(code) == 3 and code.isdigit():
            numeric.setdefault(targets[0], code)
        elif len(code) == 3:
            alpha3[targets[0]].append(code)
    codes = {
        alpha2: (_SECOND_CODES.get(alpha2, found[0]), _NUMERIC.get(alpha2, numeric.get(alpha2, "")))
        for alpha2, found in sorted(alpha3.items())
        if alpha2 in Locale("en").territories and alpha2 not in _NOT_COUNTRIES
    }
    codes[_KOSOVO[0]] = (_KOSOVO[1], "")
    return codes


def _named(file: str) -> list[tuple[list[str], list[str]]]:
    with (HERE / file).open(encoding="utf-8", newline="") as rows:
        return [(row["iso3"].split(), row["names"].split("|")) for row in csv.DictReader(rows)]


def _aliases() -> list[tuple[list[str], list[str]]]:
    return [*_named("country_aliases.csv"), *_named("country_parts.csv")]


def _meanings(codes: dict[str, tuple[str, str]]) -> dict[str, set[str]]:
    """Folded name → the countries that CLDR calls so, in whatever language."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for identifier in localedata.locale_identifiers():
        if identifier.split("_")[0] in _CONSTRUCTED:
            continue
        for alpha2, name in Locale.parse(identifier).territories.items():
            if alpha2 in codes:
                for spelling in (name, name.replace("&", " and ")):
                    meanings[fold(spelling)].add(codes[alpha2][0])
    return meanings


def _spelt_out(name: str, language: str) -> Iterator[str]:
    """Other ways to write a name of CLDR: without accents as its language does it, abbreviations undone."""
    for short, full in _ABBREVIATED.get(language, {}).items():
        if short in name:
            yield name.replace(short, full)
    if language in _EXPANDED:
        yield name.casefold().translate(_EXPANDED[language])


def _namesakes(iso3: str) -> set[str]:
    return {iso3}.union(*(pair for pair in _NAMESAKES if iso3 in pair))


def _add_spellings(meanings: dict[str, set[str]], codes: dict[str, tuple[str, str]]) -> None:
    """Add the other spellings of names, where they mean nothing else yet."""
    derived: dict[str, set[str]] = defaultdict(set)
    for identifier in localedata.locale_identifiers():
        if identifier.split("_")[0] in _CONSTRUCTED:
            continue
        for alpha2, name in Locale.parse(identifier).territories.items():
            if alpha2 in codes:
                for spelling in _spelt_out(name, identifier.split("_")[0]):
                    derived[fold(spelling)].add(codes[alpha2][0])
                if match := _BRACKETS.match(name):
                    derived[fold(match[1])] |= _namesakes(codes[alpha2][0])
    for key, found in derived.items():
        if len(key) > _SHORTEST and key not in meanings:
            meanings[key] = found


def forms() -> dict[str, Any]:
    """``country_forms.csv``: kind → the folded phrases, longest first; ``blocked`` → kind → countries."""
    phrases: dict[str, set[str]] = defaultdict(set)
    blocked: dict[str, list[str]] = {}
    with (HERE / "country_forms.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "blocked":
                blocked[row["lang"]] = sorted(row["words"].split())
            else:
                phrases[row["kind"]].update(" ".join(words(phrase)) for phrase in row["words"].split("|"))
    ordered = {kind: sorted(found, key=lambda phrase: (-len(phrase), phrase)) for kind, found in phrases.items()}
    return {**dict(sorted(ordered.items())), "blocked": blocked}


def _add_near(meanings: dict[str, set[str]], codes: dict[str, tuple[str, str]]) -> None:
    """Make a name ambiguous that few languages know, one letter from another country's name in a trading language.

    "Almania" is Armenia in Yangben; whoever writes it means Alemania.
    """
    widely: dict[str, set[str]] = defaultdict(set)
    for language in _WIDE:
        for alpha2, name in Locale.parse(language).territories.items():
            if alpha2 in codes:
                widely[fold(name)].add(codes[alpha2][0])
    aliased = {fold(name) for _iso3s, names in _aliases() for name in names}
    near = _by_omission(key for key in widely if len(key) > _SHORTEST)
    for key, found in meanings.items():
        if len(key) > _SHORTEST and key not in widely and key not in aliased:
            like = {other for cut in _omissions(key) for other in near.get(cut, ())}
            meant = set().union(*(widely[other] for other in like if _one_apart(key, other)))
            if meant and not meant & found:
                meanings[key] = found | meant


def _omissions(key: str) -> set[str]:
    """A text, and what is left of it without any one of its letters."""
    return {key, *(key[:i] + key[i + 1 :] for i in range(len(key)))}


def _by_omission(keys: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        for cut in _omissions(key):
            found[cut].add(key)
    return found


def _one_apart(one: str, other: str) -> bool:
    """Whether two texts differ by one letter: replaced, added or left out."""
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 1
    short, long = sorted((one, other), key=len)
    return len(long) - len(short) == 1 and short in _omissions(long)


def _add_aliases(meanings: dict[str, set[str]]) -> None:
    clashes = []
    for iso3s, names in _aliases():
        for name in names:
            key = fold(name)
            if len(iso3s) == 1 and meanings.get(key, set()) - set(iso3s):
                clashes.append(f"{name!r} is {iso3s[0]} here and {sorted(meanings[key])} elsewhere")
            meanings[key].update(iso3s)
    if clashes:
        raise ValueError("country_aliases.csv: " + "; ".join(clashes))


def countries() -> dict[str, Any]:
    """The table of countries: codes, names in English and French, folded names, ambiguous names."""
    codes = iso_codes()
    meanings = _meanings(codes)
    _add_aliases(meanings)
    _add_spellings(meanings, codes)
    _add_near(meanings, codes)
    meanings.pop("", None)
    for alpha2, (alpha3, _numeric) in codes.items():
        for code in (alpha2.casefold(), alpha3.casefold()):
            # "Nga" is Russia in Vietnamese and the code of Nigeria: only capitals make it a code.
            if meanings.get(code, {alpha3}) != {alpha3}:
                meanings[code].add(alpha3)
    names_of: dict[str, list[str]] = defaultdict(list)
    for key in sorted(meanings):
        if len(meanings[key]) == 1:
            names_of[next(iter(meanings[key]))].append(key)
    english, french = Locale("en").territories, Locale("fr").territories
    return {
        "codes": {alpha2: list(pair) for alpha2, pair in codes.items()},
        "display": {codes[a][0]: [english[a], french[a]] for a in codes},
        "names": {iso3: "|".join(keys) for iso3, keys in sorted(names_of.items())},
        "forms": forms(),
        "parts": sorted({fold(name) for _iso3s, names in _named("country_parts.csv") for name in names}),
        "ambiguous": {key: sorted(found) for key, found in sorted(meanings.items()) if len(found) > 1},
    }


def headers() -> dict[str, Any]:
    """``headers.yaml`` as it is read at run time; duplicate keys are refused by the parser."""
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(HEADERS.read_text(encoding="utf-8"))
    return loaded


def compiled() -> dict[str, str]:
    """File name → its text, for both vocabularies."""
    return {
        "countries.json": json.dumps(countries(), ensure_ascii=False, separators=(",", ":")) + "\n",
        "headers.json": json.dumps(headers(), ensure_ascii=False, separators=(",", ":")) + "\n",
    }


def main() -> None:
    """Write the compiled vocabularies beside this module."""
    for name, text in compiled().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
