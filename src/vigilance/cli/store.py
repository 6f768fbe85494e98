"""``vigilance store``: check, export, compact or back up a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vigilance.cli.options import FILE, print_json, shown, speech_options
from vigilance.cli.spoken import SpokenGroup, group_language
from vigilance.errors import UsageError
from vigilance.i18n import messages, use

_ = messages("alerts")


@click.group(cls=SpokenGroup, context_settings={"max_content_width": 80})
@group_language
def command() -> None:
    """Check, export, compact or back up a store of weekly runs.

    \b
    Examples:
      vigilance store check watch.duckdb
      vigilance store export watch.duckdb --out export
      vigilance store compact watch.duckdb
      vigilance store backup watch.duckdb --out copy.duckdb
    """


def _store_options(function: Any) -> Any:
    """The store, as an argument or as ``--store``."""
    for option in (
        click.argument("path", required=False, type=FILE, metavar="STORE"),
        click.option("--store", "store_path", type=FILE, help="The store, instead of the argument."),
        click.option(
            "--wait",
            type=click.FloatRange(0),
            default=10.0,
            show_default=True,
            help="Seconds to wait for a store in use.",
        ),
        speech_options,
    ):
        function = option(function)
    return function


def _path(given: dict[str, Any]) -> Path:
    path = given["path"] or given["store_path"]
    if path is None:
        raise UsageError(_("which store?"), hint=_("give its path, or --store PATH"))
    found: Path = path
    return found


def _say(given: dict[str, Any], result: dict[str, Any], text: str) -> None:
    if given["as_json"]:
        print_json(result)
    elif not given["quiet"]:
        click.echo(text)


@command.command()
@_store_options
def check(**given: Any) -> None:
    """Verify the chain, every row and every kept file.

    \b
    Example:
      vigilance store check watch.duckdb
    """
    from vigilance.store import upkeep  # noqa: PLC0415 - lazily, so that --help stays quick

    with use(given["lang"]):
        found = upkeep.check(_path(given), given["wait"])
        text = _("{runs} runs, the last {last_run}; every record, row and file is as it was written").format(**found)
        if found["undelivered"]:
            weeks = ", ".join(found["undelivered"])
            text += "\n" + _("not handed over yet: {weeks} (the next run does it)").format(weeks=weeks)
        _say(given, found, text)


@command.command()
@_store_options
@click.option("--out", required=True, type=FILE, help="New folder.")
def export(**given: Any) -> None:
    """Write records and tables into a folder, sorted (JSON lines, Parquet).

    \b
    Example:
      vigilance store export watch.duckdb --out export
    """
    from vigilance.store import upkeep  # noqa: PLC0415

    with use(given["lang"]):
        counts = upkeep.export(_path(given), given["out"], given["wait"])
        _say(given, {"out": str(given["out"]), "rows": counts}, _("written to {path}").format(path=shown(given["out"])))


@command.command()
@_store_options
def compact(**given: Any) -> None:
    """Write the store anew without unused space; nothing is forgotten.

    \b
    Example:
      vigilance store compact watch.duckdb
    """
    from vigilance.store import upkeep  # noqa: PLC0415

    with use(given["lang"]):
        sizes = upkeep.compact(_path(given), given["wait"])
        _say(given, dict(sizes), _("from {before:,} to {after:,} bytes").format(**sizes))


@command.command()
@_store_options
@click.option("--out", required=True, type=FILE, help="New file.")
def backup(**given: Any) -> None:
    """Copy the store, verified, to a new file.

    \b
    Example:
      vigilance store backup watch.duckdb --out copy.duckdb
    """
    from vigilance.store import upkeep  # noqa: PLC0415

    with use(given["lang"]):
        found = upkeep.backup(_path(given), given["out"], given["wait"])
        _say(given, found, _("{runs} runs copied to {store}").format(**found))
