"""Publishers' names and codes of countries to ISO 3166-1 alpha-3, exactly: a folded table, nothing fuzzy."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.i18n import messages
from vigilance.publishers.files import fold

_ = messages("data")

SPELLINGS: Final = {
    "AFG": "Islamic Republic of Afghanistan",
    "BHS": "The Bahamas; Bahamas, The",
    "BOL": "Bolivia (Plurinational State of); Bolivia, Plurinational State of",
    "BRN": "Brunei; Brunei Darussalam",
    "CAF": "Central African Rep.",
    "CIV": "Cote d'Ivoire; Ivory Coast",
    "COD": "Congo, Democratic Republic of the; Congo, Dem. Rep.; DR Congo; Democratic Republic of Congo; DRC; "
    "Congo (Democratic Republic of the); Democratic Republic of the Congo (DRC); Congo - Kinshasa",
    "COG": "Congo, Rep.; Republic of the Congo; Congo, Republic of the; Congo - Brazzaville; Congo (Brazzaville)",
    "CPV": "Cape Verde; Cabo Verde",
    "CUW": "Curacao",
    "CZE": "Czechia; Czech Republic",
    "EGY": "Egypt, Arab Rep.",
    "FSM": "Micronesia; Micronesia, Fed. Sts.; Federated States of Micronesia",
    "GBR": "United Kingdom of Great Britain and Northern Ireland; United Kingdom; UK",
    "GMB": "Gambia, The; The Gambia; Gambia",
    "HKG": "Hong Kong SAR, China; Hong Kong",
    "IRN": "Iran (Islamic Republic of); Iran, Islamic Rep.; Iran, Islamic Republic of; Iran",
    "KGZ": "Kyrgyz Republic; Kyrgyzstan",
    "KNA": "St. Kitts and Nevis; Saint Kitts and Nevis",
    "KOR": "Korea, Rep.; Korea, Republic of; Republic of Korea; South Korea; Korea (Republic of)",
    "LAO": "Lao PDR; Laos; Lao People's Democratic Republic",
    "LCA": "St. Lucia; Saint Lucia",
    "MAC": "Macao SAR, China; Macau; Macao",
    "MDA": "Moldova; Republic of Moldova; Moldova, Republic of",
    "MKD": "North Macedonia; Macedonia; Republic of North Macedonia; The former Yugoslav Republic of Macedonia",
    "MMR": "Burma; Burma/Myanmar; Myanmar (Burma); Burma (Myanmar)",
    "NLD": "Netherlands; The Netherlands; Netherlands (Kingdom of the); Netherlands, Kingdom of the; "
    "Kingdom of the Netherlands",
    "PRK": "Korea, Dem. People's Rep.; Democratic People's Republic of Korea; North Korea; "
    "Korea, North; Korea (Democratic People's Republic of)",
    "PSE": "West Bank and Gaza; State of Palestine; Palestine; West Bank and the Gaza Strip; Palestine, State of",
    "RUS": "Russian Federation; Russia",
    "STP": "Sao Tome & Principe; Sao Tome and Principe",
    "SVK": "Slovak Republic; Slovakia",
    "SWZ": "Eswatini; Swaziland; Kingdom of Eswatini",
    "SYR": "Syrian Arab Republic; Syria",
    "TLS": "Timor-Leste; East Timor",
    "TUR": "Türkiye; Turkiye; Turkey",
    "TWN": "Taiwan; Taiwan, China; Taiwan, Province of China",
    "TZA": "Tanzania; United Republic of Tanzania; Tanzania, United Republic of",
    "USA": "United States; United States of America; USA; US",
    "VCT": "St. Vincent and the Grenadines; Saint Vincent and the Grenadines",
    "VEN": "Venezuela; Venezuela, RB; Venezuela (Bolivarian Republic of); Bolivarian Republic of Venezuela",
    "VNM": "Vietnam; Viet Nam",
    "XKX": "Kosovo; KOS; XKO; UNK",
    "YEM": "Yemen, Rep.; Yemen",
}
"""How the ILO, the World Bank and the US government spell countries, where the short names differ."""


@cache
def _spelled() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - only an import of a publisher's file needs it

    from vigilance import reference  # noqa: PLC0415

    countries = reference.load().table("countries")
    by_iso2 = dict(countries.select("iso2", "iso3").iter_rows())
    known: dict[str, str] = {}
    for lang in ("en", "fr"):
        territories = Locale(lang).territories
        known.update({fold(territories[iso2]): iso3 for iso2, iso3 in by_iso2.items() if iso2 in territories})
    for column in ("name_fr", "name_en", "name_iso", "iso2", "iso3"):
        known.update((fold(name), iso3) for name, iso3 in zip(countries[column], countries["iso3"], strict=True))
    known.update((fold(name), iso3) for iso3, names in SPELLINGS.items() for name in names.split(";"))
    return known


def iso3(column: str) -> pl.Expr:
    """The alpha-3 code of each name or code in a text column; null where nothing fits exactly."""
    spelled = _spelled()
    return pl.col(column).map_elements(lambda name: spelled.get(fold(name)), return_dtype=pl.String, skip_nulls=True)


def with_iso3(
    frame: pl.DataFrame, column: str, file: str, *, silent: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add ``iso3`` and set aside rows without one: ``(rows, issues)``, one issue per name that is not known.

    ``silent`` makes the issues infos: files of the World Bank and the ILO carry many aggregates by design.
    """
    names = frame.select(column).unique().with_columns(iso3(column).alias("iso3"))
    unknown = names.filter(pl.col("iso3").is_null() & pl.col(column).is_not_null())[column].sort().to_list()
    found = [
        issues.issue(
            "country",
            _("not a country that the facts know: set aside"),
            severity="info" if silent else "warning",
            file=file,
            column=column,
            value=name,
        )
        for name in unknown
    ]
    rows = frame.join(names, on=column, how="left", maintain_order="left").filter(pl.col("iso3").is_not_null())
    return rows, issues.frame(found)
