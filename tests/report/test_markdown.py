"""Markdown is shown as it was given: a reader of CommonMark turns an escaped text back into the same words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from vigilance.report.markdown import safe

PARSER = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
PIECES = [
    "1",
    "12",
    "0.5",
    ".",
    ")",
    "-",
    "+",
    "=",
    "#",
    "*",
    "_",
    "`",
    "~",
    "|",
    "[a](b)",
    "![x]",
    "<b>",
    "&amp;",
    ">",
]
PIECES += [" ", "  ", "\t", "\n", "\\", "a", "é", "http://a.b", "---", "===", "{", "}", ":", "1234567890", "(c)"]


def shown(text: str) -> tuple[list[str], str]:
    """The kinds of block that a text makes, and the words that a reader sees."""
    tokens = PARSER.parse(safe(text))
    inline = [child for token in tokens for child in token.children or []]

    def words(token: Token) -> str:
        return token.content if token.type.startswith("text") else f"<{token.type}>"

    return [token.type for token in tokens], "".join(words(token) for token in inline)


@pytest.mark.parametrize("text", ["0.5", "0.5 %", "12.", "12. a", "1) b", "-3", "- a", "+ a", "1.5. c", "2026-11-01"])
def test_numbers_and_dashes_stay_what_they_are(text: str) -> None:
    kinds, words = shown(text)
    assert kinds == ["paragraph_open", "inline", "paragraph_close"]
    assert words == text


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
def test_any_text_is_one_paragraph_of_its_own_words(text: str) -> None:
    if not text.strip():
        return
    kinds, words = shown(text)
    assert kinds == ["paragraph_open", "inline", "paragraph_close"]
    assert words.replace("\u200b", "") == " ".join(text.split())


def test_a_number_needs_no_escape() -> None:
    assert safe("0.5 of 12.3") == "0.5 of 12.3"
    assert safe("3. of them") == "3\\. of them"
