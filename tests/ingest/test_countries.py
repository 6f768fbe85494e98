"""Countries: right in many languages, refused rather than wrong."""

# ruff: noqa: E501 - lists of names read better unbroken

from __future__ import annotations

import json

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from vigilance.ingest.countries import country, resolve, suggestions, vocabulary
from vigilance.ingest.folding import fold
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


FORMAL = {
    "DEU": "Federal Republic of Germany|Bundesrepublik Deutschland|República Federal de Alemania|ドイツ連邦共和国|Республика Германия",
    "KHM": "Kingdom of Cambodia|Royaume du Cambodge|Königreich Kambodscha|カンボジア王国|캄보디아 왕국|柬埔寨王国|مملكة كمبوديا",
    "NGA": "the Federal Republic of Nigeria|République fédérale du Nigeria|Bundesrepublik Nigeria|尼日利亚联邦共和国",
    "BGD": "Bangladesh, People's Republic of|Volksrepublik Bangladesch|República Popular de Bangladesh|Народная Республика Бангладеш",
    "ETH": "Federal Democratic Republic of Ethiopia|Ethiopia, Fed. Dem. Rep. of|Федеративная Демократическая Республика Эфиопия",
    "ESP": "Reino de España|Royaume d'Espagne|Kingdom of Spain|スペイン王国",
    "VNM": "Cộng hòa xã hội chủ nghĩa Việt Nam|Repubblica Socialista del Vietnam|베트남 사회주의공화국",
    "LUX": "Grand-Duché de Luxembourg|Großherzogtum Luxemburg|Grand Duchy of Luxembourg|ルクセンブルク大公国",
    "CUB": "Cuba Island|Isla de Cuba|République de Cuba",
    "AUT": "Oesterreich|OESTERREICH",
    "DNK": "Daenemark|Kongeriget Danmark",
    "UZB": "O'zbekiston|O‘zbekiston|Oʻzbekiston",
    "CAF": "RCA|République centrafricaine|Central African Rep.",
    "MMR": "ميانمار|Мьянма|ミャンマー|缅甸",
}


@pytest.mark.parametrize(("iso3", "names"), FORMAL.items())
def test_formal_names_in_many_languages(iso3: str, names: str) -> None:
    assert not {name: found for name in names.split("|") if (found := country(name)) != iso3}


NOT_THE_COUNTRY = [
    "State of Georgia",
    "Niger State",
    "Estado de México",
    "Republic of Dominica",
    "Georgia Islands",
    "United Arab Republic",
    "Islamic State",
    "Commonwealth of Independent States",
    "European Union",
    "Commonwealth of Virginia",
    "Kingdom",
    "Republic of",
    "共和国",
    "Ira?",
    "Norfolk",
    "Almania",
    "Malé",
    "China, Republik",
    "Republik China",
    "República de China",
    "Sveti Martin",
    "Guyane",
]


@pytest.mark.parametrize("text", NOT_THE_COUNTRY)
def test_what_only_looks_like_the_formal_name_of_a_country_is_not_read(text: str) -> None:
    assert not isinstance(country(text), str)
    assert resolve([text])[0].value is None


def test_vowels_written_as_marks_tell_two_countries_apart() -> None:
    assert country("ไนเจอร์") == "NER"
    assert country("ไนจีเรีย") == "NGA"
    assert fold("गिनी") != fold("गाना")


BROKEN = {
    "CÃ´te d'Ivoire": "CIV",
    "TÃ¼rkei": "TUR",
    "BrÃ©sil": "BRA",
    "C?te d'Ivoire": "CIV",
    "C\ufffdte d\ufffdIvoire": "CIV",
    "Espa?a": "ESP",
    "Ir\ufffd": None,
    "?": None,
    "Ira?": None,
    "Mal?": None,
}


@pytest.mark.parametrize(("text", "iso3"), BROKEN.items())
def test_broken_letters_are_restored_aloud_where_one_country_fits(text: str, iso3: str | None) -> None:
    reading = resolve([text])[0]
    assert reading.value == iso3
    assert reading.text is not None
    assert reading.text.code == ("country_broken_letters" if iso3 else "country_unknown")


def test_what_is_said_of_a_country_is_said_once() -> None:
    for text in ("CÃ´te d'Ivoire", "C?te d'Ivoire", "Scotland", "CN-XJ", "MF-MF"):
        first = resolve([text])[0]
        assert first.text is not None
        assert first.repaired is not None
        again = resolve([first.repaired])[0]
        assert (again.value, again.text) == (first.value, None)


@pytest.mark.parametrize(("text", "iso3"), {"Scotland": "GBR", "Écosse": "GBR", "GB-WLS": "GBR", "DDR": "DEU"}.items())
def test_a_part_of_a_country_is_read_as_its_country_aloud(text: str, iso3: str) -> None:
    reading = resolve([text])[0]
    assert reading.value == iso3
    assert reading.text is not None
    assert (reading.text.code, reading.text.severity) == ("country_subdivision", "info")


def test_no_country_is_reached_from_another_by_words_of_a_form_of_state() -> None:
    known = vocabulary()
    for iso3, pair in known.display.items():
        for name in pair:
            for formal in (f"Republic of {name}", f"{name}, Kingdom of", f"République du {name}", f"État de {name}"):
                assert country(formal) in (iso3, None) or isinstance(country(formal), list), formal


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
