"""The stated country against the country that ends the address: a contradiction is said, the column is kept."""

from __future__ import annotations

from typing import Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import Cell, Check, Distinct, Plan, Reader, Text, lookup
from vigilance.ingest.countries import country, vocabulary

_ = messages("ingest")

_LAST: Final = r"(?:^|[,;\n])\s*([\p{L}][\p{L}\s.'’()\-]{3,39}?)[\s.]*$"
"""The last part of an address, where it is words of at least four letters: a country, or only a town."""

_PARTS: Final = {
    "CHN": "HKG MAC TWN",
    "USA": "PRI GUM VIR ASM MNP GEO",  # an address in the State of Georgia names no other country
    "FRA": "REU GLP MTQ GUF MYT NCL PYF SPM BLM MAF WLF ATF",
    "GBR": "GGY JEY IMN GIB BMU CYM VGB TCA AIA MSR FLK SHN",
    "NLD": "ABW CUW SXM BES",
    "DNK": "GRL FRO",
    "FIN": "ALA",
    "NOR": "SJM",
    "SRB": "XKX",
    "ISR": "PSE",
    "MAR": "ESH",
    "AUS": "NFK CXR CCK",
    "NZL": "COK NIU TKL",
}
"""Names that may stand together in an address without contradicting each other."""


def address_reader(address: Cell, country_header: str) -> Reader:
    """Rows whose address ends in the name of another country than ``_iso3``."""
    last = address.text.str.extract(_LAST, 1)
    found: pl.DataFrame = yield Distinct(last)
    named = {}
    for text in found["value"].drop_nulls().to_list():
        if isinstance(code := country(text), str):
            named[text] = code
    if not named:
        return Plan()
    iso3 = pl.col("_iso3")
    addressed = lookup(last, named, pl.String())
    together = [
        f"{a}{b}"
        for whole, parts in _PARTS.items()
        for part in parts.split()
        for a, b in ((whole, part), (part, whole))
    ]
    differs = (addressed != iso3) & ~pl.concat_str(iso3, addressed).is_in(pl.Series(together).implode())
    display = vocabulary()
    texts = {
        code: Text(
            "address_contradicts",
            "warning",
            _("the address ends in {country}; the country column is kept").format(country=display.title(code)),
            _("correct the country or the address"),
        )
        for code in sorted(set(named.values()))
    }
    counted: pl.DataFrame = yield Distinct(pl.when(differs).then(addressed))
    if not counted["value"].drop_nulls().len():
        return Plan()
    key = pl.when(differs).then(addressed)
    return Plan(checks=[Check(country_header, address.text, key, texts)], failing=True)
