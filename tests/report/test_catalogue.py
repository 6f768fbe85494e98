"""Every text of the reports has a French one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import vigilance
from vigilance.report.regulator import LAWS
from vigilance.rules import load

ROOT = Path(vigilance.__file__).parent
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES"
SOURCES = [*sorted((ROOT / "report").glob("*.py")), ROOT / "cli" / "report.py"]


def messages(path: Path) -> Iterator[str]:
    """The texts inside every call of ``_`` in a module, found in its syntax tree (in f-strings too)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            (text,) = node.args
            assert isinstance(text, ast.Constant), f"{path.name}:{node.lineno}: a text that cannot be extracted"
            yield str(text.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_no_text_is_left_untranslated(path: Path) -> None:
    with (CATALOGUE / "report.po").open("rb") as file:
        french = {m.id: m.string for m in read_po(file, locale="fr") if not m.fuzzy}
    missing = [text for text in messages(path) if not french.get(text)]
    assert not missing


def test_braces_agree() -> None:
    with (CATALOGUE / "report.po").open("rb") as file:
        for message in read_po(file, locale="fr"):
            if message.id:
                fields = [{part.split("}")[0] for part in text.split("{")[1:]} for text in (message.id, message.string)]
                assert fields[0] == fields[1], message.id


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    with (CATALOGUE / "report.po").open("rb") as po, (CATALOGUE / "report.mo").open("rb") as mo:
        assert {m.id: m.string for m in read_po(po) if m.id} == {m.id: m.string for m in read_mo(mo) if m.id}


@pytest.mark.parametrize("law", LAWS)
def test_every_law_is_worded_in_both_languages(law: str) -> None:
    said = load().compiled["words"][f"regimes.{law.replace('-', '_')}.text"]
    assert said["reference"]
    assert said["version"]

    def check(node: object, where: str) -> None:
        if not isinstance(node, dict):
            return
        if "en" in node or "fr" in node:
            assert node.get("en"), where
            assert node.get("fr"), where
            fields = [{p.split("}")[0] for p in node[lang].split("{")[1:]} for lang in ("en", "fr")]
            assert fields[0] == fields[1], where
        for key, value in node.items():
            check(value, f"{where}.{key}")

    check(said, law)
