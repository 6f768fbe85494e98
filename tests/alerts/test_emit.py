import csv
import io
import json
from datetime import date
from email import policy
from email.parser import BytesParser
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from tests.alerts.frames import POINT, conditions, limits, places

from vigilance.alerts import decide, emit, words
from vigilance.alerts.reach import buyers_above, reach, sites_at, with_regions
from vigilance.alerts.thresholds import RULES
from vigilance.i18n import use

NAME = '=HYPERLINK("http://x")<script>'
COUNTS = {"sites": 3, "changed": 2, "appeared": 1, "moved": 0, "vanished": 0}


def issue(lang: str = "en") -> emit.Issue:
    found = conditions(
        {
            "rule": "band_crossing",
            "place": "A",
            "detail": json.dumps({"name": NAME, "from": "low", "to": "high", "p80": 16 * 10**8}),
            "before": 10 * POINT,
            "after": 17 * POINT,
            "data": 4 * POINT,
            "facts": 2 * POINT,
            "code": POINT,
            "weights": -POINT,
            "time": POINT,
        },
        {
            "rule": "grievance",
            "hazard": "",
            "place": "B",
            "object": "G-1",
            "detail": '{"name":"B","channel":"hotline"}',
        },
        {"rule": "stale_data", "hazard": "", "place": "C", "detail": '{"name":"C","since":"2020-01-01"}'},
    )
    decided = decide.decide(found, places("A", "B", "C"), decide.Past(), "2026-W47", limits(budget=2))
    links = pl.DataFrame({"_buyer_id": ["BUY", "TOP"], "_supplier_id": ["A", "BUY"]})
    return emit.Issue(
        "2026-W47", 1, date(2026, 11, 16), decided, reach(decided.filter("sent"), places("A", "B"), links), COUNTS, lang
    )


def test_events_are_cloud_events_and_their_parts_add_up() -> None:
    events = [json.loads(line) for line in emit.files(issue())["alerts.jsonl"].splitlines()]
    assert [event["data"]["rule"] for event in events] == ["grievance", "band_crossing"]
    crossing = events[1]
    assert {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"} == set(crossing)
    assert crossing["specversion"] == "1.0"
    assert crossing["type"] == "org.vigilance.alert.band_crossing"
    assert crossing["subject"] == "site/A"
    assert crossing["data"]["change"] == {"data": 4.0, "method": 3.0, "weights": -1.0, "time": 1.0}
    score = crossing["data"]["score"]
    assert sum(crossing["data"]["change"].values()) == score["after"] - score["before"]
    assert crossing["data"]["reach"] == {
        "sites": 1,
        "buyers": 2,
        "first_sites": ["A"],
        "first_buyers": ["BUY", "TOP"],
    }


def test_the_same_week_gives_the_same_bytes_and_french_says_it_in_french() -> None:
    assert emit.files(issue()) == emit.files(issue())
    with use("fr"):
        french = emit.files(issue("fr"))
    text = french["alerts.jsonl"].decode()
    assert "classe de risque plus élevée" in text
    assert "16,0 %" in text
    assert french["held_back.csv"].decode("utf-8-sig").startswith("rule;")
    for mail in ("digest.en.eml", "digest.fr.eml"):
        assert french[mail] == emit.files(issue())[mail]


def test_the_mail_is_a_draft_in_text_and_html() -> None:
    for lang, word in (("en", "To act on"), ("fr", "À traiter")):
        mail = BytesParser(policy=policy.default).parsebytes(emit.files(issue())[f"digest.{lang}.eml"])
        assert mail["X-Unsent"] == "1"
        assert mail["Message-ID"].startswith("<2026-W47.1.")
        assert mail.get_content_type() == "multipart/alternative"
        text = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert word in text.get_content()
        assert "<script>" in text.get_content()
        assert "<script>" not in html.get_content()
        assert "&lt;script&gt;" in html.get_content()


def test_the_feed_is_atom_with_one_entry_an_alert() -> None:
    made = issue()
    feed = ET.fromstring(emit.files(made)["alerts.atom"])
    space = {"a": "http://www.w3.org/2005/Atom"}
    ids = [entry.text for entry in feed.findall("a:entry/a:id", space)]
    assert ids == [f"urn:vigilance:alert:{alert['id']}" for alert in made.sent]


def test_no_cell_can_become_a_formula_and_every_held_row_has_a_reason() -> None:
    files = emit.files(issue())
    for name in ("alerts.csv", "held_back.csv", "reach.csv"):
        for row in csv.reader(io.StringIO(files[name].decode("utf-8-sig"))):
            assert not any(cell.lstrip().startswith(("=", "+", "@")) for cell in row)
    held = list(csv.DictReader(io.StringIO(files["held_back.csv"].decode("utf-8-sig"))))
    assert [(row["rule"], row["held"]) for row in held] == [("stale_data", "budget")]
    assert held[0]["why"] == words.HELD["budget"]


def test_a_control_character_does_not_break_the_feed() -> None:
    assert ET.fromstring(f"<t>{emit._xml(chr(1) + '<&' + chr(9))}</t>").text == "�<&\t"


def test_every_rule_has_its_words() -> None:
    assert set(words.RULES) == set(RULES) == set(words._REASONS) == set(words.FIRST_STEP)


@pytest.mark.parametrize(
    ("level", "place", "reached"),
    [
        ("site", "A", ["A"]),
        ("site", "Group", ["C"]),
        ("zone", "Z1", ["A"]),
        ("zone", "R", ["A", "B", "D"]),
        ("region", "R", ["A", "B", "D"]),
        ("country", "BGD", ["A", "B", "C", "D"]),
        ("zone", "Z9", []),
    ],
)
def test_an_alert_at_a_place_reaches_its_sites(level: str, place: str, reached: list[str]) -> None:
    zones = pl.DataFrame(
        {
            "zone": ["Z1", "Z2", "R"],
            "kind": ["industrial_zone", "industrial_zone", "subdivision"],
            "parent_zone": ["R", "R", None],
        }
    )
    given = pl.DataFrame(
        {
            "supplier_id": ["A", "B", "C", "D"],
            "parent": [None, None, "Group", None],
            "zone": ["Z1", "Z2", None, "R"],
            "country": ["BGD"] * 4,
        }
    )
    assert sites_at(level, place, with_regions(given, zones)).to_list() == reached


def test_buyers_are_reached_through_any_chain_and_a_circle_ends() -> None:
    links = pl.DataFrame({"_buyer_id": ["B", "C", "A", "D"], "_supplier_id": ["A", "B", "C", "X"]})
    assert buyers_above(pl.Series(["A"]), links).to_list() == ["B", "C"]
    assert buyers_above(pl.Series(["A"]), None).is_empty()
