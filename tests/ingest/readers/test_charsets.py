"""Encodings are named only where one alone turns the bytes into words; what is named is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.errors import InputRefused
from vigilance.ingest.readers import read_raw
from vigilance.ingest.readers.charsets import ENCODINGS, certain

from .conftest import cells, codes, read

WORDS = {
    "fr": ["Société", "Générale", "Hôtel", "façade", "où", "forêt", "Côte d’Ivoire", "l’été"],
    "de": ["Müller", "Straße", "Köln", "später", "Österreich"],
    "es": ["España", "Dirección", "Año", "Málaga"],
    "pt": ["São Paulo", "Produção", "Indústria", "Água"],
    "it": ["Città", "Perché", "più", "così"],
    "sv": ["Göteborg", "Malmö", "Åkerö", "Järn"],
    "da": ["København", "Ærø", "Århus"],
    "pl": ["Łódź", "Kraków", "Gdańsk", "Żywiec", "części"],
    "cs": ["Plzeň", "České", "Třebíč", "Ústí"],
    "hu": ["Győr", "Székesfehérvár", "Nyíregyháza", "Erdő"],
    "tr": ["İzmir", "Muğla", "Ağrı", "Şırnak"],
    "ru": ["Москва", "Завод", "Россия"],
    "el": ["Αθήνα", "Ελλάδα", "Εργοστάσιο"],
    "zh": ["中国", "上海纺织厂", "广东"],
    "ja": ["東京", "株式会社", "トヨタ"],
}


def table(words):
    return "id,name,country\n" + "".join(f"{place},{word},FR\n" for place, word in enumerate(words))


@given(st.sampled_from(sorted(WORDS)), st.sampled_from(ENCODINGS), st.data())
def test_what_is_certain_is_right(tmp_path_factory, language, encoding, data):
    words = data.draw(st.lists(st.sampled_from(WORDS[language]), min_size=1, unique=True))
    try:
        content = table(words).encode(encoding)
    except UnicodeEncodeError:
        return
    path = tmp_path_factory.mktemp("text") / "list.csv"
    path.write_bytes(content)
    if content.isascii():
        return
    found = certain(path)
    assert found is None or content.decode(found.encoding) == table(words)


@pytest.mark.parametrize(
    ("language", "encoding"), [("fr", "cp1252"), ("de", "cp850"), ("pl", "cp1250"), ("ru", "cp1251")]
)
def test_the_only_sensible_encoding_is_taken_aloud(put, language, encoding):
    words = [word for word in WORDS[language] if encoding != "cp850" or "’" not in word]
    loaded = read(put(table(words).encode(encoding)))
    assert [row[1] for row in cells(loaded)] == words
    assert ("encoding_assumed", None) in codes(loaded)
    said = loaded.issues.filter(loaded.issues["code"] == "encoding_assumed")["message"].item()
    assert said.rpartition(" ")[2] in " ".join(words)
    assert "\\x" in said


REFUSED = {
    "one word": "Café".encode("cp1252"),
    "two languages fit": "mère frère".encode("cp1252"),
    "a damaged byte": b"fran\x81ais soci\xe9t\xe9",
    "UTF-8 too": "société".encode() + b" g\xe9n\xe9rale h\xf4tel",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_open_is_refused_with_a_proposal(put, case):
    with pytest.raises(InputRefused, match="UTF-8"):
        read(put(b"id,name,country\n1," + REFUSED[case] + b",FR\n"))


def test_a_declared_encoding_is_not_questioned(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(table(WORDS["fr"]).encode("cp1252"))
    with pytest.raises(InputRefused, match="UTF-8"):
        read_raw(path, required=None, encoding="utf-8")
