"""Every command explains itself, shows an example that would run, and is told of in the docs."""

from __future__ import annotations

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
    parts = {"__init__", "group", "options", "progress", "summary"}
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
