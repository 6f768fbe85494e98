"""Activities: codes and words to ISIC Rev. 4 divisions, or refused with a suggestion."""

# ruff: noqa: E501 - lists of names read better unbroken

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from vigilance.errors import InputRefused
from vigilance.ingest.activities import Activities
from vigilance.ingest.activity_codes import scheme_of
from vigilance.reference import Facts

WORDS = {
    "01": "Growing of cotton|Culture du coton|Banana plantation|Élevage|Coffee farming|01|A01|Agriculture",
    "03": "Pêche|Fishing|Shrimp farming|Aquaculture",
    "07": "Mining|Gold mine",
    "10": "Manufacture of food products|Food products|Palm oil",
    "13": "Textiles|Textile|Cotton spinning|Filature de coton|13|C13|NACE 13.10|13.10|Manufacture of textiles|tissage",
    "14": (
        "Wearing apparel|Manufacture of wearing apparel|14.13|1413Z|NACE 14.13|HS 6109|NAICS 3152|ISIC 1410|C14|"
        "T-Shirts|T-Shirts|Apparel|Cut and sew|Confection de vêtements|Final Product Assembly|14 - Wearing apparel|WEARING APPAREL"
    ),
    "15": "Cuir et chaussures|Leather",
    "22": "Rubber products|Manufacture of rubber and plastics products",
    "26": "Electronics assembly|Electronic components",
    "29": "Manufacture of motor vehicles|Automobile",
    "32": "Toys|Jewellery|Bijouterie",
    "41": "Construction of buildings|F41",
    "47": "Retail trade|Commerce de détail|Retail trade of shoes",
    "49": "Transport routier",
    "55": "Hotels|Accommodation",
    "62": "Computer programming|NACE 62.01",
    "81": "Nettoyage|Cleaning services",
}
REFUSED = [
    "Blah blah",
    "1410",
    "6109",
    "9.0",
    "0",
    "xyzzy",
    "A",
    "tea factory",
    "C99",
    "NACE 98765",
    "Lorem ipsum dolor",
    "12345678901",
    "§§",
]


@pytest.fixture(scope="module")
def index(facts: Facts) -> Activities:
    return Activities.of(facts)


@pytest.mark.parametrize(("division", "texts"), WORDS.items())
def test_words_and_codes(index: Activities, division: str, texts: str) -> None:
    found = {text: index.understand(text) for text in texts.split("|")}
    assert not {text: u and u.division for text, u in found.items() if u is None or u.division != division}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_read_is_refused(index: Activities, text: str) -> None:
    assert index.understand(text) is None


CODES = {
    ("ISIC Rev. 3 1711", None): "13",
    ("ISIC 3.1 18", None): "14",
    ("NACE 1.1 17.11", None): "13",
    ("NACE Rev. 1.1: 18.22", None): "14",
    ("17.11", "NACE Rev. 1.1"): "13",
    ("1711", "CITI rév. 3"): "13",
    ("15.52", "ISIC Rev 3"): "11",
    ("17.11", "NACE Rev. 2"): "17",
    ("NACE 1.13", None): "01",
    ("1.13", "NACE"): "01",
    ("1413", "ISIC"): "14",
    ("901", "HS code"): "01",
    ("HS 90111", None): "01",
    ("HS 0901", None): "01",
    ("6109.10.00", "HS"): "14",
    ("UNSPSC 53100000", None): "14",
    ("NAF 1413Z", None): "14",
    ("ISIC 3.1", None): None,
    ("NACE 2", None): None,
    ("1", "NACE"): None,
    ("98", "ISIC Rev. 3"): None,
    ("9", "HS"): "01",
}


@pytest.mark.parametrize(("code", "header", "division"), [(*key, division) for key, division in CODES.items()])
def test_codes_of_older_revisions_and_with_lost_zeros(
    index: Activities, code: str, header: str | None, division: str | None
) -> None:
    found = index.understand(code, scheme_of(header) if header else None)
    assert (found and found.division) == division


def test_what_may_have_lost_a_zero_is_said(index: Activities) -> None:
    for code, header in (("141", "NACE"), ("1.13", "NACE"), ("901", "HS")):
        found = index.understand(code, scheme_of(header))
        assert found is not None
        assert found.confidence < 0.95


def labels() -> list[tuple[str, list[str]]]:
    """Labels as lists of suppliers have them, with the divisions that each may mean; none for what says too little."""
    with (Path(__file__).parent / "activity_labels.csv").open(encoding="utf-8", newline="") as file:
        return [(row["label"], row["divisions"].split()) for row in csv.DictReader(file)]


def test_labels_of_supplier_lists(index: Activities) -> None:
    found = {label: index.understand(label) for label, _divisions in labels()}
    wrong = [
        (label, u.division) for label, divisions in labels() if (u := found[label]) and u.division not in divisions
    ]
    known = [label for label, divisions in labels() if divisions]
    read = [label for label in known if found[label]]
    assert len(known) > 1_200
    assert len(wrong) <= 0.005 * len(read), wrong
    assert len(read) >= 0.96 * len(known)


def test_a_trade_that_is_only_near_is_not_read(index: Activities) -> None:
    for text in ("hospital beds", "football clubhouse", "security equipment", "conveyor belt systems", "hotel linen"):
        found = index.understand(text)
        assert found is None or found.division in ("28", "13"), (text, found)


def test_every_division_is_read_by_its_code_and_by_its_titles(index: Activities) -> None:
    for code, titles in index.titles.items():
        for text in (code, *titles, *(f"{code} {title}" for title in titles), f"NACE {code}"):
            found = index.understand(text)
            assert found is not None, text
            assert found.division == code, text


def test_the_header_names_the_scheme() -> None:
    assert scheme_of("NACE code") == "nace"
    assert scheme_of("Code APE") == "ape"
    assert scheme_of("Activité") is None


def test_a_bare_code_is_read_by_the_scheme_of_its_header(sites: Callable[..., Any]) -> None:
    rows = sites({"HS code": ["6109", "5205"]}, mapping={"activity": "HS code"}).rows.collect()
    assert rows["_division"].to_list() == ["14", "13"]


def test_what_was_not_plain_is_said_once_for_each_text(sites: Callable[..., Any]) -> None:
    intake = sites({"activity": ["Growing of cotton"] * 3 + ["Textiles", "", "unknown", "Manufacturing"]})
    said = intake.issues.filter(intake.issues["column"] == "activity")
    assert said["code"].to_list() == ["activity_read", "activity_broad"]
    assert "3 rows" in said["message"][0]
    assert intake.rows.collect()["_division"].to_list()[:6] == ["01", "01", "01", "13", "00", "00"]


def test_an_activity_that_is_not_understood_counts_as_unknown_and_is_said_with_the_fix(
    sites: Callable[..., Any],
) -> None:
    odd = "Textyles manufactring xq"
    intake = sites({"activity": ["Textiles", odd, "", odd]})
    assert intake.counts["loaded"] == 4
    issue = intake.issues.filter(intake.issues["code"] == "activity_unknown").row(0, named=True)
    assert (issue["severity"], issue["row"], issue["column"], issue["value"]) == ("warning", 2, "activity", odd)
    assert "2 rows" in issue["message"]
    assert issue["hint"]
    rows = intake.rows.collect()
    assert rows["_division"].to_list() == ["13", "00", "00", "00"]
    assert rows["_division_confidence"].to_list()[1] is None
    assert rows["_activity"].to_list()[1] == odd
    again = sites({"activity": intake.corrected.collect()["activity"].to_list()})
    assert not again.issues.height
    assert again.rows.collect()["_division"].equals(rows["_division"])


def test_strict_refuses_an_activity_that_is_not_understood(sites: Callable[..., Any]) -> None:
    with pytest.raises(InputRefused, match="row 2, activity"):
        sites({"activity": ["Textiles", "Zzyzx qwerty"]}).refuse_if_strict()
    sites({"activity": ["Textiles", "Manufacturing"]}).refuse_if_strict()


def test_a_kept_index_is_the_built_one(facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILANCE_CACHE", "off")
    built = Activities.of(facts)
    monkeypatch.delenv("VIGILANCE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Activities.of(facts)
    assert len(list(tmp_path.glob("vigilance/activities-*.json"))) == 1
    monkeypatch.setattr(Activities, "_add_aliases", None)
    kept = Activities.of(facts)
    for name in ("titles", "sections", "labels", "codes", "keywords", "verbs"):
        assert getattr(kept, name) == getattr(built, name)
    # Of two equal shares the first counts, so their order matters too.
    for name in ("labels", "codes", "keywords"):
        shares, own = getattr(kept, name), getattr(built, name)
        assert {key: list(shares[key].items()) for key in own} == {key: list(own[key].items()) for key in own}


def test_an_index_over_other_tables_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    table = pl.DataFrame(schema=dict.fromkeys(("scheme", "code", "label", "isic_division", "weight"), pl.String))
    titles = pl.DataFrame(schema=dict.fromkeys(("code", "level", "section", "name_en", "name_fr"), pl.String))

    class Other:
        def table(self, name: str) -> pl.DataFrame:
            return titles if name == "activities" else table

    assert not Activities.of(Other()).labels
    assert not list(tmp_path.iterdir())
