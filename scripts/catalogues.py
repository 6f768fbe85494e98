"""Keep the French catalogues in step with the sources.

    python scripts/catalogues.py            add what is missing, compile every .mo
    python scripts/catalogues.py --check    say what is missing or stale; exit with 1 when anything is

A module names its domain once, ``_ = messages("ingest")``, and marks its texts with ``_("...")`` or, where they are
translated later, ``N_("...")``. Each domain has one catalogue per language, ``locale/<lang>/LC_MESSAGES/<domain>.po``,
and its compiled ``.mo`` beside it. Two catalogues are not of our marks: ``help`` has every text of the command line's
help, found by walking its commands, and ``click`` has the words of the library that reads the command line.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from vigilance.cli.group import COMMANDS, cli
from vigilance.cli.spoken import every_text

SOURCE = Path(__file__).resolve().parent.parent / "src" / "vigilance"
LOCALE = SOURCE / "locale"
MARKS = {"_", "N_"}
PLURAL = "\0"
"""Between the forms of a text that has two, as in a compiled catalogue."""
PLACEHOLDER = re.compile(r"{(\w*)[^{}]*}")
"""A field of ``str.format``; its format may differ between languages, its name may not."""


def domain(tree: ast.AST) -> str | None:
    """The domain that a module translates with, or nothing."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "messages"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            return str(node.args[0].value)
    return None


def marked(tree: ast.AST) -> Iterator[str]:
    """The texts that a module marks for translation."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
            text = node.args[0]
            if isinstance(text, ast.JoinedStr):
                raise SystemExit(f"an f-string cannot be translated (line {node.lineno}): {ast.unparse(text)}")
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def extracted(source: Path = SOURCE) -> dict[str, dict[str, str]]:
    """Domain → text → the module that first has it."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(source.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = domain(tree)
        for text in marked(tree) if name else ():
            found.setdefault(str(name), {}).setdefault(text, str(path.relative_to(source)))
    found["help"] = {" ".join(text.split()): "cli" for text in (*every_text(cli), *COMMANDS.values())}
    found["click"] = dict.fromkeys(clicks(), "click")
    return found


def clicks() -> Iterator[str]:
    """What click says to a person: the texts that its sources mark, those with a plural as two forms."""
    for module in (click.core, click.exceptions, click.formatting, click.parser, click.types, click.termui):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"_", "ngettext"}:
                forms = [text.value for text in node.args if isinstance(text, ast.Constant)]
                yield from (PLURAL.join(map(str, forms)) for _unused in forms[:1])
    yield from ("Show this message and exit.", "required")


def catalogue_path(name: str, lang: str = "fr") -> Path:
    """Where the catalogue of a domain stands."""
    return LOCALE / lang / "LC_MESSAGES" / f"{name}.po"


def read(path: Path) -> Catalog:
    """A catalogue as it stands, empty when there is none."""
    if not path.exists():
        return Catalog(locale=path.parent.parent.name, charset="utf-8")
    with path.open("rb") as handle:
        return read_po(handle, locale=path.parent.parent.name)


def texts(catalogue: Catalog) -> dict[str, str]:
    """Text → translation, those that are translated and not in doubt."""
    return {_joined(m.id): _joined(m.string) for m in catalogue if m.id and all(_forms(m.string)) and not m.fuzzy}


def _forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _joined(text: str | tuple[str, ...] | list[str]) -> str:
    return PLURAL.join(_forms(text))


def missing(name: str, wanted: dict[str, str]) -> list[str]:
    """Texts of a domain without a translation."""
    known = texts(read(catalogue_path(name)))
    return [text for text in wanted if text not in known]


def damaged(catalogue: Catalog) -> list[str]:
    """Texts whose translation has other placeholders than they have."""

    def fields(text: str) -> set[str]:
        return set(PLACEHOLDER.findall(text))

    return [text for text, said in texts(catalogue).items() if fields(text) != fields(said)]


def stale(path: Path) -> bool:
    """Whether the compiled catalogue says something else than its source."""
    compiled = path.with_suffix(".mo")
    if not compiled.exists():
        return True
    with compiled.open("rb") as handle:
        return texts(read_mo(handle)) != texts(read(path))


def compile_(path: Path) -> None:
    """Write the ``.mo`` beside a ``.po``."""
    buffer = io.BytesIO()
    write_mo(buffer, read(path))
    path.with_suffix(".mo").write_bytes(buffer.getvalue())


def refresh(name: str, wanted: dict[str, str]) -> None:
    """Add the texts that a catalogue lacks, untranslated; compile it."""
    path = catalogue_path(name)
    absent = missing(name, wanted)
    if absent or not path.exists():
        catalogue = read(path)
        for text in absent:
            forms = tuple(text.split(PLURAL))
            catalogue.add(forms if len(forms) > 1 else text, locations=[(wanted[text], None)])
        buffer = io.BytesIO()
        write_po(buffer, catalogue, width=118, omit_header=False, include_lineno=False)
        path.write_bytes(buffer.getvalue())
    if stale(path):
        compile_(path)


def problems() -> list[str]:
    """Everything that is not in step, one line each."""
    found = []
    for name, wanted in extracted().items():
        path = catalogue_path(name)
        found += [f"{name}: no French for {text!r} ({wanted[text]})" for text in missing(name, wanted)]
        if path.exists():
            found += [f"{name}: other placeholders in the French of {text!r}" for text in damaged(read(path))]
            found += [f"{name}: {path.stem}.mo is older than its .po"] if stale(path) else []
    return found


def main() -> int:
    """Refresh or check; the exit code of the command."""
    options = argparse.ArgumentParser(description="Refresh or check the French catalogues.")
    options.add_argument("--check", action="store_true", help="only say what is missing or stale")
    if not options.parse_args().check:
        for name, wanted in extracted().items():
            refresh(name, wanted)
    found = problems()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
