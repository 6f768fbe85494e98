"""Every command explains itself, shows an example that would run, and is told of in the docs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vigilance.cli.group import COMMANDS, cli
from vigilance.cli.spoken import asked_for, every_text, speaking
from vigilance.errors import UsageError
from vigilance.i18n import messages

ROOT = Path(__file__).parent.parent.parent
DOCS = "\n".join(
    path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
)
WIDTH = 80


def commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its full name, those inside groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


ALL = dict(commands(cli))
LEAVES = {name: command for name, command in ALL.items() if not isinstance(command, click.Group)}


def spoken(name: tuple[str, ...]) -> str:
    return " ".join(name)


def help_of(name: tuple[str, ...]) -> str:
    found = CliRunner().invoke(cli, [*name, "--help"])
    assert found.exit_code == 0, found.output
    return found.output


def examples(text: str) -> list[list[str]]:
    """The command lines of a help text or a page, as words; a line that ends in a backslash goes on."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = re.findall(r"^\s*(?:\$ )?(vigilance (?!\[).*)$", joined, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def resolved(words: list[str]) -> tuple[tuple[str, ...], click.Command, list[str]]:
    """The command that a line calls, and the rest of it."""
    command: click.Command = cli
    name: tuple[str, ...] = ()
    for place, word in enumerate(words):
        if not isinstance(command, click.Group) or word.startswith("-"):
            return name, command, words[place:]
        found = command.get_command(click.Context(command), word)
        if found is None:
            return name, command, words[place:]
        name, command = (*name, word), found
        if not isinstance(command, click.Group):
            # A command may hand over to another one by its first word, as ``plan review`` does.
            rest = words[place + 1 :]
            return name, command.make_context(word, list(rest), resilient_parsing=True).command, rest
    return name, command, []


def unknown_options(command: click.Command, rest: list[str]) -> set[str]:
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.split("=", 1)[0] for word in rest if word.startswith("--")}
    return given - known - {"--help", "--version"}


def test_every_shipped_command_is_listed() -> None:
    modules = {path.stem for path in (ROOT / "src" / "vigilance" / "cli").glob("*.py")}
    parts = {"__init__", "explained", "figures", "group", "options", "places", "progress", "spoken", "summary"}
    named = {name[0] for name in ALL}
    assert named == modules & set(COMMANDS)
    assert {"score", "check", "explain", "countries", "rules", "data"} <= named
    for module in modules - parts - named:
        source = (ROOT / "src" / "vigilance" / "cli" / f"{module}.py").read_text(encoding="utf-8")
        assert "\ncommand" not in source, f"cli/{module}.py holds a command that the group does not list"


@pytest.mark.parametrize("name", ALL, ids=spoken)
def test_the_help_says_what_it_does_and_shows_an_example(name: tuple[str, ...]) -> None:
    text = help_of(name)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert re.search(r"^  Examples?:", text, re.MULTILINE), text
    shown = [words for words in examples(text) if tuple(words[: len(name)]) == name]
    assert shown, f"no example of vigilance {spoken(name)} itself"


@pytest.mark.parametrize("name", ALL, ids=spoken)
def test_the_examples_use_options_that_exist(name: tuple[str, ...]) -> None:
    for words in examples(help_of(name)):
        found, command, rest = resolved(words)
        assert found, words
        assert not unknown_options(command, rest), words


@pytest.mark.parametrize("name", LEAVES, ids=spoken)
def test_every_command_speaks_the_same_way(name: tuple[str, ...]) -> None:
    options = {option for parameter in LEAVES[name].params for option in parameter.opts}
    assert {"--json", "--quiet", "--lang"} <= options
    for parameter in LEAVES[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.name} says nothing"


@pytest.mark.parametrize("name", LEAVES, ids=spoken)
def test_every_command_is_in_the_docs(name: tuple[str, ...]) -> None:
    assert f"vigilance {spoken(name)}" in DOCS


def test_the_docs_call_only_what_exists() -> None:
    shown = re.findall(r"^(?: {4}|\$ )\s*vigilance (?:.*\\\n)*.*$", DOCS, re.MULTILINE)
    fenced = re.findall(r"^```sh[^\n]*\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    called = [words for text in (*shown, *fenced) for words in examples(text)]
    assert len(called) > 12
    for words in called:
        found, command, rest = resolved(words[: words.index("|")] if "|" in words else words)
        assert found or set(words) <= {"--help", "--version"}, words
        assert not isinstance(command, click.Group) or not rest or rest[0].startswith("--"), words
        assert not unknown_options(command, rest), words


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from vigilance.cli.group import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('polars', 'numpy', 'duckdb', 'pydantic', 'narwhals', 'rich') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
    assert "score" in said


SAME = {"DATE", "URL", "CODE", "ISO3", "DIVISION", "[OPTIONS]"}
"""Words that are the same in both languages."""
ENGLISH = re.compile(r"(?<!-)\b(?:the|of|with|by default|required|Show|Usage|Example|Commands)\b")


def test_every_text_of_the_help_has_its_french() -> None:
    found = {*every_text(cli), *COMMANDS.values()}
    assert "Audits made since (table)." in found, "the texts of `plan review` are part of it"
    assert len(found) > 150
    with speaking("fr"):
        said = messages("help")
        english = {text for text in found if said(text) == text} - SAME
    assert not english, "python scripts/catalogues.py adds them to help.po; translate them and run it again"


@pytest.mark.parametrize("name", [(), *ALL, ("plan", "review")], ids=spoken)
def test_the_help_in_french_has_no_english(name: tuple[str, ...]) -> None:
    english = help_of(name)
    with speaking("fr"):
        french = help_of(name)
    assert max(map(len, french.splitlines())) <= WIDTH
    assert french.startswith("Emploi : ")
    prose = [line for line in french.splitlines() if not re.match(r"\s+(vigilance|--author)\b", line)]
    assert not ENGLISH.search("\n".join(prose)), french
    assert examples(french) == examples(english)
    assert help_of(name) == english, "speaking French is over when it is over"


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in {"VIGILANCE_LANG", "LANG", "LANGUAGE"}}
    return subprocess.run(
        [sys.executable, "-m", "vigilance", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**clean, **variables},
        check=False,
    )


def test_french_is_asked_for_and_never_taken_from_the_machine() -> None:
    assert run("--help", LANG="fr_FR.UTF-8", LANGUAGE="fr").stdout.startswith("Usage:")
    assert run("score", "--help", "--lang", "fr").stdout.startswith("Emploi :")
    assert run("--lang=fr", "rules", "--help").stdout.startswith("Emploi :")
    assert run("data", "list", "--help", VIGILANCE_LANG="fr").stdout.startswith("Emploi :")
    assert run("data", "list", "--help", "--lang", "en", VIGILANCE_LANG="fr").stdout.startswith("Usage:")


def test_what_is_typed_wrong_is_said_in_french() -> None:
    wrong = run("score", "list.csv", "--lang", "fr", "--on", "01/02/2026")
    assert wrong.returncode == 2
    assert "Valeur refusée pour '--on'" in wrong.stderr
    assert "n'est pas une date comme 2026-11-01" in wrong.stderr
    assert "n'existe pas" in run("--lang", "fr", "scores").stderr
    assert run("--help", VIGILANCE_LANG="german").returncode == 2


@pytest.mark.parametrize(
    ("words", "lang"),
    [("score --lang fr", "fr"), ("score --lang=fr x", "fr"), ("score -- --lang fr", "en"), ("--lang de", "en")],
)
def test_the_language_that_a_line_asks_for(words: str, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIGILANCE_LANG", raising=False)
    assert asked_for(words.split()) == lang
    monkeypatch.setenv("VIGILANCE_LANG", "klingon")
    assert asked_for(["--lang", "fr"]) == "fr"
    with pytest.raises(UsageError, match="en or fr"):
        asked_for(["score"])
