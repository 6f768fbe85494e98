"""Every text of the readers has its French one, with the same fields."""

import ast
import re
from pathlib import Path

from vigilance.i18n import LOCALE_DIR, messages, use
from vigilance.ingest import readers

FIELDS = re.compile(r"\{[^}]*\}")


def texts() -> set[str]:
    found = set()
    for module in Path(readers.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                assert isinstance(node.args[0], ast.Constant)
                found.add(node.args[0].value)
    return found


def test_all_texts_are_translated():
    assert (LOCALE_DIR / "fr/LC_MESSAGES/readers.mo").exists()
    translate = messages("readers")
    with use("fr"):
        for text in texts():
            french = translate(text)
            assert french != text, text
            assert sorted(FIELDS.findall(french)) == sorted(FIELDS.findall(text)), text
