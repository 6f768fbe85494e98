"""Options that commands share, and how a command speaks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vigilance.cli.figures import plain
from vigilance.errors import UsageError
from vigilance.i18n import LANGUAGES, language, messages
from vigilance.terms import BANDS

if TYPE_CHECKING:
    from vigilance.rules import Judgements

_ = messages("cli")

FAILED_ON_BAND = 10
SET_ASIDE = 4
_BANDS = [str(band) for band in BANDS]

F = TypeVar("F", bound=Callable[..., Any])


FILE = click.Path(path_type=Path, readable=False)
"""A path; whether it can be read is said by whoever reads it, with the exit code of that fault."""


class Day(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a date; fail with the expected form."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(_("{value} is not a date such as 2026-11-01").format(value=repr(str(value)[:40])), param, ctx)


def today() -> date:
    """The day of the run where none is given; the local calendar, which is the user's."""
    return datetime.now().astimezone().date()


def on_option(command: F) -> F:
    """``--on DATE``."""
    said = "As of this date (YYYY-MM-DD); today by default."
    return click.option("--on", type=Day(), default=None, help=said)(command)


def lang_option(command: F) -> F:
    """``--lang``: by default the language already in use, which is that of ``VIGILANCE_LANG`` or English."""
    said = "Language; else VIGILANCE_LANG, else en."
    return click.option("--lang", type=click.Choice(LANGUAGES), default=language, help=said)(command)


def _speech(quiet: str) -> Callable[[F], F]:
    def options(command: F) -> F:
        for option in (
            click.option("--quiet", is_flag=True, help=quiet),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output."),
            lang_option,
        ):
            command = option(command)
        return command

    return options


speech_options = _speech("Say nothing but errors.")
"""``--lang``, ``--json`` and ``--quiet``."""
listing_options = _speech("Say nothing but errors and the list itself.")
"""The same, for a command that is asked for a list: without it there would be nothing left of it."""


def set_option(command: F) -> F:
    """``--set RULE=VALUE``."""
    said = "Change a judgement for this run; repeatable."
    return click.option("--set", "changed", multiple=True, metavar="RULE=VALUE", help=said)(command)


EVIDENCE = {
    "audits": "Audits of sites.",
    "findings": "Findings of audits.",
    "grievances": "Grievances received (no names, no free text is kept).",
    "events": "Events at sites, zones, regions, countries or companies.",
    "measures": "Measures in place, by pillar and proof.",
    "lists": "Entity lists and import bans to match with the sites.",
    "links": "Who supplies whom.",
    "audit_statistics": "Counts of audits by country and activity.",
}
"""The evidence tables of a run, each an option of the commands that score."""


def scoring_options(command: F) -> F:
    """What every command that scores takes: evidence, judgements, how the files are read, when to fail."""
    rejected = "Share of rows that may be set aside."
    for option in (
        click.option("--data", "data_path", type=FILE, help="Folder of facts; the shipped ones by default."),
        click.option("--rules", "rules_path", type=FILE, help="Folder of judgements; the shipped ones by default."),
        click.option("--strict", is_flag=True, help="Refuse the input when any row has an error."),
        click.option("--max-rejected", type=click.FloatRange(0, 1), default=0.05, show_default=True, help=rejected),
        click.option("--fail-on", type=click.Choice(_BANDS), help="Exit with 10 when a site reaches this band."),
        click.option("--encoding", help="Encoding of the files, where it is not UTF-8 or UTF-16."),
        click.option("--map", "mapped", multiple=True, metavar="COLUMN=HEADER", help="Which header holds a column."),
        set_option,
        click.option("--decisions", type=FILE, help="Your decisions on matches with lists (CSV)."),
        *(
            click.option(f"--{name.replace('_', '-')}", type=FILE, metavar="FILE", help=said)
            for name, said in reversed(EVIDENCE.items())
        ),
    ):
        command = option(command)
    return command


def exit_code(bands: Mapping[str, Mapping[str, int]], fail_on: str | None, *, set_aside: int) -> int:
    """10 when a site reaches the band to fail on, 4 when rows were set aside, else 0."""
    if fail_on is not None:
        reached = _BANDS[_BANDS.index(fail_on) :]
        if any(counted[band] for counted in bands.values() for band in reached):
            click.echo(_("sites reach the band {band} or above").format(band=_(fail_on)), err=True)
            return FAILED_ON_BAND
    return SET_ASIDE if set_aside else 0


def print_json(value: Mapping[str, Any]) -> None:
    """Print a mapping as JSON on standard output."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` options. Raises ``UsageError`` for one without an equals sign."""
    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name or not value:
            raise UsageError(_("{option} takes NAME=VALUE, not {item}").format(option=option, item=item))
        found[name.strip()] = value.strip()
    return found


def numbers(given: tuple[str, ...], option: str) -> dict[str, float]:
    """Read ``NAME=NUMBER`` options. Raises ``UsageError`` where the value is no number."""
    found = {}
    for name, value in pairs(given, option).items():
        try:
            found[name] = float(value)
        except ValueError as error:
            raise UsageError(_("{option}: {value} is not a number").format(option=option, value=value)) from error
    return found


def with_changes(judgements: Judgements, given: tuple[str, ...]) -> Judgements:
    """The judgements with those that ``--set`` changes; a value outside the range of its judgement is said aloud.

    Raises ``UsageError`` for an unknown path or a value that is no number.
    """
    changed = numbers(given, "--set")
    for path, value in changed.items():
        kept = judgements.get(path)
        if not kept.low <= value <= kept.high:
            told = _("! --set {path}={value}: outside the range of this judgement, {low} to {high}").format(
                path=path, value=plain(value), low=plain(kept.low), high=plain(kept.high)
            )
            click.echo(told, err=True)
    return judgements.with_values(changed) if changed else judgements


def colour() -> bool:
    """Whether to print colours: on a terminal, unless ``NO_COLOR`` is set."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
