"""Compile the vocabularies: ``python -m vigilance.ingest.vocabulary.build``.

Country names come from the Unicode CLDR through Babel (every locale, every spelling that it knows), from ISO 3166
codes of the same source, and from ``country_aliases.csv`` (formal, former and colloquial names, written for this
project). A name that means two countries in two languages is kept as ambiguous and never resolved. Headers come from
``headers.yaml``. Both are written as JSON because reading them that way takes milliseconds.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from babel import Locale, localedata
from babel.core import get_global
from ruamel.yaml import YAML

from vigilance.ingest.folding import fold

HERE: Final = Path(__file__).parent
HEADERS: Final = HERE.parent / "headers.yaml"

_CONSTRUCTED: Final = ("tok",)
"""Toki Pona: its names are not those of a language that people trade in, and "Malawi" is Latvia in it."""

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


def _aliases() -> list[tuple[list[str], list[str]]]:
    with (HERE / "country_aliases.csv").open(encoding="utf-8", newline="") as file:
        return [(row["iso3"].split(), row["names"].split("|")) for row in csv.DictReader(file)]


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
