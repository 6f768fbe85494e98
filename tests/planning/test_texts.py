"""Every text of planning has its French one, with the same placeholders, and the compiled catalogue is up to date."""

from __future__ import annotations

import gettext
import string
from pathlib import Path

from babel.messages import extract, pofile

import vigilance

ROOT = Path(vigilance.__file__).parent
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "planning"


def test_french_is_complete() -> None:
    texts = {
        message
        for file in (*(ROOT / "planning").glob("*.py"), ROOT / "cli" / "plan.py")
        for _line, message, _comments, _context in extract.extract_from_file("python", str(file), {"_": None})
    }
    with CATALOGUE.with_suffix(".po").open("rb") as file:
        french = {m.id: m.string for m in pofile.read_po(file) if m.id}
    assert set(french) == texts
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, translation in french.items():
        assert translation
        assert compiled.gettext(text) == translation
        assert fields(text) == fields(translation), text


def fields(text: str) -> list[str]:
    return sorted(name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name)
