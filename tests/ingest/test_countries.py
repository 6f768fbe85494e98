"""Countries: right in many languages, refused rather than wrong."""

# ruff: noqa: E501 - lists of names read better unbroken

from __future__ import annotations

import json

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from vigilance.ingest.countries import country, resolve, suggestions, vocabulary
from vigilance.ingest.vocabulary import build

NAMES = {
    "FRA": "France|FRANCE|fr|FRA|250|Frankreich|Francia|Frankrijk|França|Frankrike|Francja|Франция|法国|フランス|프랑스|فرنسا|Γαλλία",
    "DEU": "Germany|Allemagne|Deutschland|Alemania|Germania|Alemanha|Duitsland|Tyskland|Niemcy|Германия|德国|Almanya",
    "CIV": "Côte d'Ivoire|Côte d’Ivoire|Cote d´Ivoire|Côte d`Ivoire|COTE D IVOIRE|Ivory Coast|Elfenbeinküste|Costa de Marfil",
    "VNM": "Viet Nam|Vietnam|Viêt Nam|Viêt-Nam|VIETNAM|Việt Nam|越南",
    "MMR": "Burma|Myanmar|Birmanie|Myanmar (Burma)|Birmania|Burma (Myanmar)",
    "KOR": "Korea, Republic of|Republic of Korea|South Korea|Corée du Sud|Korea (the Republic of)|Südkorea|Korea, Rep.|大韩民国",
    "PRK": "North Korea|Korea, Democratic People's Republic of|Korea (the Democratic People's Republic of)|DPRK|Corée du Nord",
    "COD": "Congo (the Democratic Republic of the)|DRC|RDC|République démocratique du Congo|Congo, Dem. Rep.|DR Congo",
    "COG": "Congo, Republic of the|Congo-Brazzaville|République du Congo",
    "HKG": "Hong Kong|Hong Kong SAR|Hong Kong SAR China|Hong-Kong|China, Hong Kong SAR|香港",
    "TWN": "Taiwan|Taiwan, Province of China|Taiwan (Province of China)|Chinese Taipei",
    "TUR": "Turkey|Türkiye|Turquie|Turkiye|Türkei|TR",
    "NLD": "The Netherlands|Netherlands (the)|Holland|Pays-Bas|Niederlande|Países Bajos|Nederland",
    "GBR": "UK|U.K.|United Kingdom|Royaume-Uni|England|Scotland|Wales|Northern Ireland|Great Britain|Écosse|GB-SCT",
    "USA": "US|U.S.|USA|U.S.A.|United States of America (the)|États-Unis|Estados Unidos|Vereinigte Staaten",
    "NAM": "NA|NAM|Namibia|Namibie",
    "NOR": "NO|no|Norway|Norvège|Noruega|Norge",
    "SWZ": "Swaziland|Eswatini|eSwatini",
    "CZE": "Czech Republic|Czechia|République tchèque|Tchéquie|Tschechien",
    "MKD": "North Macedonia|Macédoine du Nord|Former Yugoslav Republic of Macedonia",
    "IRN": "Iran|Iran (Islamic Republic of)|Iran, Islamic Republic of|République islamique d'Iran",
    "BOL": "Bolivia (Plurinational State of)|Bolivia|Bolivie|Bolivia, Plurinational State of",
    "LAO": "Lao People's Democratic Republic (the)|Laos|Lao PDR",
    "TZA": "Tanzania, United Republic of|United Republic of Tanzania|Tanzanie",
    "MDA": "Moldova, Republic of|Republic of Moldova|Moldavie",
    "SYR": "Syrian Arab Republic|Syrie|Syria",
    "RUS": "Russian Federation (the)|Russia|Fédération de Russie|Россия|俄罗斯",
    "TLS": "East Timor|Timor-Leste|Timor oriental",
    "CPV": "Cape Verde|Cabo Verde|Cap-Vert",
    "KNA": "St. Kitts and Nevis|Saint Kitts & Nevis|Saint-Christophe-et-Niévès",
    "LCA": "St Lucia|Saint Lucia|Sainte-Lucie",
    "VCT": "St. Vincent and the Grenadines|Saint-Vincent-et-les-Grenadines",
    "PSE": "Palestine, State of|Palestinian Territories|West Bank and Gaza",
    "XKX": "Kosovo|XK|XKX|Kosova",
    "IND": "Inde|India|Indien|भारत|ভারত|Índia",
    "CHN": "China|Chine|PR China|P.R. China|People's Republic of China|中国|中国 (CN)|CN - China|China [CN]|CN-XJ",
    "ARE": "United Arab Emirates (the)|UAE|Émirats arabes unis|Emirats Arabes Unis",
    "KEN": "Republic of Kenya|KENYA",
    "AFG": "004|Afghanistan|أفغانستان",
}

REFUSED = [
    "-",
    "—",
    "?",
    "n/a",
    "N.A.",
    "na",
    "none",
    "unknown",
    "Atlantis",
    "Paris",
    "California",
    "Africa",
    "Asia",
    "EU",
    "Europe",
    "Worldwide",
    "Global",
    "Various",
    "4",
    "33",
    "1",
    "Xinjiang",
    "Catalonia",
    "Georgia (US)",
    "France/Germany",
    "Fr4nce",
    "Frence",
    "Germny",
    "Midlands",
    "North",
    "Republic",
    "The",
    "APAC",
    "EMEA",
    "Québec",
    "Bavaria",
    "Sahara",
    "Rest of world",
    "Other",
    "China (Vietnam)",
    "Balkans",
    "Amazonia",
]

AMBIGUOUS = [
    "Korea",
    "Corée",
    "kongo",
    "Congo",
    "Saint Martin",
    "Virgin Islands",
    "Republic of China",
    "Yugoslavia",
    "Netherlands Antilles",
    "Guiana",
]


@pytest.mark.parametrize(("iso3", "names"), NAMES.items())
def test_names_of_a_country(iso3: str, names: str) -> None:
    wrong = {name: found for name in names.split("|") if (found := country(name)) != iso3}
    assert not wrong


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_country_is_refused(text: str) -> None:
    assert country(text) is None


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_a_name_of_two_countries_is_refused_with_both(text: str) -> None:
    found = country(text)
    assert isinstance(found, list)
    assert len(found) > 1
    reading = resolve([text])[0]
    assert reading.value is None
    assert reading.text is not None
    assert reading.text.code == "country_ambiguous"
    assert all(code in reading.text.hint for code in found[:3])


@pytest.mark.parametrize(
    "lang", ["en", "fr", "de", "es", "it", "pt", "nl", "sv", "pl", "ru", "zh", "ja", "ko", "ar", "tr", "vi", "hi"]
)
def test_cldr_names_are_never_wrong_and_nearly_all_right(lang: str) -> None:
    codes = build.iso_codes()
    names = {codes[a][0]: n for a, n in Locale(lang).territories.items() if a in codes}
    found = {iso3: country(name) for iso3, name in names.items()}
    assert not {iso3: f for iso3, f in found.items() if isinstance(f, str) and f != iso3}
    assert sum(f == iso3 for iso3, f in found.items()) >= 0.96 * len(names)


def test_look_alike_and_invisible_letters_are_read_through_aloud() -> None:
    for text in ("Frаnce", "Fran\u200bce", "\u202aFrance\u202c", "Nοrway"):
        reading = resolve([text])[0]
        assert reading.value in ("FRA", "NOR")


def test_a_country_without_facts_is_set_aside() -> None:
    reading = resolve(["France", "Kosovo"], members=frozenset({"FRA"}))
    assert reading[0].value == "FRA"
    assert reading[1].text is not None
    assert reading[1].text.code == "country_without_facts"


def test_suggestions_are_near_names_only_as_hints() -> None:
    assert "Germany" in suggestions("Germny")
    assert len(suggestions("Guinee-Equatorial")) <= 3
    reading = resolve(["Germny"])[0]
    assert reading.text is not None
    assert "Germany" in reading.text.hint


@given(st.text(max_size=30))
def test_any_text_gives_a_code_or_a_refusal(text: str) -> None:
    found = country(text)
    assert found is None or isinstance(found, list) or found in vocabulary().display


def test_the_compiled_vocabularies_are_fresh() -> None:
    for name, text in build.compiled().items():
        stored = (build.HERE / name).read_text(encoding="utf-8")
        assert json.loads(stored) == json.loads(text), f"{name}: run python -m vigilance.ingest.vocabulary.build"
