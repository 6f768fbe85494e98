"""Every text of this part that a person reads has its French."""

from __future__ import annotations

import string
from pathlib import Path

from babel.messages.extract import extract_from_file

import vigilance
from vigilance.i18n import LOCALE_DIR, messages, use

HERE = Path(vigilance.__file__).parent
FILES = (*sorted((HERE / "portfolio").glob("*.py")), HERE / "cli" / "screen.py")


def fields(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def test_every_text_has_its_french_with_the_same_fields() -> None:
    assert (LOCALE_DIR / "fr" / "LC_MESSAGES" / "portfolio.mo").exists()
    said = {str(found[1]) for path in FILES for found in extract_from_file("python", str(path), keywords={"_": None})}
    assert len(said) > 80
    translate = messages("portfolio")
    with use("fr"):
        # "notes" is the same word in both languages.
        same = [text for text in said if translate(text) == text and text != "notes"]
        wrong = [text for text in said if fields(translate(text)) != fields(text)]
    assert same == []
    assert wrong == []
