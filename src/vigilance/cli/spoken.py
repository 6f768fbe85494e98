"""Help and click's own words in the language that was asked for.

A command keeps its English where it is written: in its docstring and its options. What a person reads is a copy of it
whose texts went through the catalogue ``help``; ``texts`` walks the same tree, so ``scripts/catalogues.py`` finds every
text that can be shown and none can be forgotten. Click's own words ("Usage:", "No such option") are in the catalogue
``click``, which it is given the way gettext means it: by domain and ``LANGUAGE``.
"""

from __future__ import annotations

import copy
import gettext
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, TypeVar

import click

from vigilance.errors import UsageError
from vigilance.i18n import LANGUAGES, LOCALE_DIR, language, messages, use

_ = messages("help")

VARIABLE = "VIGILANCE_LANG"
"""The language of whoever does not want to say ``--lang`` each time. The machine's locale is never asked."""

C = TypeVar("C", bound=click.Command)
F = TypeVar("F", bound=Callable[..., Any])


def asked_for(words: Sequence[str]) -> str:
    """The language that a command line asks for, else that of ``VIGILANCE_LANG``, else English.

    A wrong ``--lang`` is left to click to refuse. Raises ``UsageError`` for a wrong variable.
    """
    found = None
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name == "--lang":
            found = value if equals else after
        elif word == "--":
            break
    if found in LANGUAGES:
        return str(found)
    default = os.environ.get(VARIABLE) or "en"
    if default not in LANGUAGES:
        raise UsageError(f"{VARIABLE}={default[:20]!r}: en or fr")
    return default


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Speak a language inside a ``with`` block, click's own words included."""
    if lang == "en":
        with use(lang):
            yield
        return
    before, domain = os.environ.get("LANGUAGE"), gettext.textdomain()
    gettext.bindtextdomain("click", str(LOCALE_DIR))
    gettext.textdomain("click")
    os.environ["LANGUAGE"] = lang
    try:
        with use(lang):
            yield
    finally:
        gettext.textdomain(domain)
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


class SpokenCommand(click.Command):
    """A command whose help is in the language in use."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of a translated copy."""
        super(SpokenCommand, _translated(self)).format_help(ctx, formatter)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the line of usage, which errors show too."""
        super(SpokenCommand, _translated(self)).format_usage(ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, which click makes once and which says what it does in the language of now."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = gettext.gettext("Show this message and exit.")
        return option

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence of the help, for the list of a group."""
        return super(SpokenCommand, _translated(self)).get_short_help_str(limit)

    def others(self) -> tuple[click.Command, ...]:
        """Commands that this one hands over to by itself, without being a group."""
        return ()


class SpokenGroup(SpokenCommand, click.Group):
    """A group of commands whose help is in the language in use."""

    command_class = SpokenCommand


def _translated(command: C) -> C:
    """The same command with its help and that of its options in the language in use."""
    if language() == "en":
        return command
    said = copy.copy(command)
    said.help = translated(command.help or "")
    said.params = [_option(param) for param in command.params]
    said.options_metavar = _(command.options_metavar or "")
    if isinstance(said, click.Group):
        said.subcommand_metavar = _(said.subcommand_metavar or "")
    return said


def _option(param: click.Parameter) -> click.Parameter:
    if not isinstance(param, click.Option):
        return param
    said = copy.copy(param)
    said.help = _(param.help or "") if param.help else param.help
    kind = _kind(param)
    said.metavar = _(kind) if kind else param.metavar
    return said


def _kind(option: click.Option) -> str | None:
    """The word for an option's value, such as ``DATE``; none for a flag or a list of choices."""
    if option.is_flag or isinstance(option.type, click.Choice):
        return None
    return option.metavar or option.type.name.upper()


def translated(text: str) -> str:
    """A help text in the language in use, paragraph by paragraph; the command lines of its examples stay."""
    return "\n\n".join(_paragraph(paragraph) for paragraph in inspect.cleandoc(text).split("\n\n"))


def _paragraph(paragraph: str) -> str:
    if paragraph.startswith("\b\n"):
        mark, head, *lines = paragraph.split("\n")
        return "\n".join([mark, _(head), *lines])
    return _(" ".join(paragraph.split()))


def texts(command: click.Command) -> Iterator[str]:
    """Every text of a command's help that has to be in the catalogue."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield paragraph.split("\n")[1] if paragraph.startswith("\b\n") else " ".join(paragraph.split())
    if command.options_metavar:
        yield command.options_metavar
    if isinstance(command, click.Group) and command.subcommand_metavar:
        yield command.subcommand_metavar
    for param in command.params:
        if isinstance(param, click.Option):
            yield from (text for text in (param.help, _kind(param)) if text)


def every_text(group: click.Group) -> Iterator[str]:
    """Every text of the help of a group and of all commands below it."""
    yield from texts(group)
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_text(command)
        elif command is not None:
            yield from texts(command)
            for other in command.others() if isinstance(command, SpokenCommand) else ():
                yield from texts(other)


def _given(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    """Speak the language for as long as the group's context lasts."""
    del param
    if value is not None:
        ctx.with_resource(speaking(value))
    return value


def group_language(group: F) -> F:
    """``--lang`` before the name of a command, as in ``vigilance --lang fr rules list``."""
    option = click.option(
        "--lang", type=click.Choice(LANGUAGES), expose_value=False, is_eager=True, callback=_given, help="Language."
    )
    return option(group)
