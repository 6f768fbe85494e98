"""Tables for people open right in a spreadsheet and run nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance import tabular

STARTS = set("=+-@\t\r\n\x00＝＋－＠")


def cells(texts: list[str | None]) -> list[str | None]:
    return tabular.safe(pl.DataFrame({"a": texts}, schema={"a": pl.String}))["a"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "  =1",
        "\x00=1",
        "＝1",
        "＠x",
        "\r=1",
        "\n=1",
        "--5",
        "+",
    ],
)
def test_a_formula_is_held(text: str) -> None:
    assert cells([text]) == ["'" + text]


@pytest.mark.parametrize("text", ["-12.5", "+3", "-0,5", "-1e-3", "-40 %", "plain", "a=b", "3-4", "", "'=1"])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert cells([text]) == [text]


@given(st.lists(st.one_of(st.none(), st.text(alphabet=st.characters(codec="utf-8"), max_size=12)), min_size=1))
def test_nothing_dangerous_is_left_and_nothing_is_lost(texts: list[str | None]) -> None:
    held = cells(texts)
    assert [
        None if t is None else t.removeprefix("'") if h != t else t for t, h in zip(held, texts, strict=True)
    ] == texts
    for text in held:
        start = (text or "").lstrip(" ")[:1]
        if start in STARTS and start:
            float((text or "").strip().rstrip("%").strip().replace(",", "."))


def test_headers_are_held_too() -> None:
    assert tabular.safe(pl.DataFrame({"=a": [1], "b": [2]})).columns == ["'=a", "b"]


FRAME = pl.DataFrame({"name": ["Éloi; et fils", 'say "no"', None], "share": [0.25, -1.5, None], "n": [1, 2, 3]})


def read(path: Path, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    ("lang", "delimiter", "share"), [("en", ",", ["0.25", "-1.5", ""]), ("fr", ";", ["0,25", "-1,5", ""])]
)
def test_a_file_reads_back_in_its_language(tmp_path: Path, lang: str, delimiter: str, share: list[str]) -> None:
    path = tmp_path / "t.csv"
    tabular.write_csv(FRAME, path, lang)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 4
    rows = read(path, delimiter)
    assert rows[0] == ["name", "share", "n"]
    assert [row[0] for row in rows[1:]] == ["Éloi; et fils", 'say "no"', ""]
    assert [row[1] for row in rows[1:]] == share
