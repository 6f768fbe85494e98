"""``vigilance replay``: a past run made again from the store."""

from __future__ import annotations

from typing import Any

import click

from vigilance.cli.options import FILE, print_json, shown, speech_options
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import messages, use

_ = messages("alerts")

DIFFERS = 1


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.option("--store", required=True, type=FILE, help="The store.")
@click.option("--week", required=True, help="ISO week, such as 2026-W47.")
@click.option("--revision", type=click.IntRange(1), help="Revision of the week; the last by default.")
@click.option("--out", type=FILE, help="New folder; replay-<week> beside the store by default.")
@click.option(
    "--wait", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds to wait for a store in use."
)
@speech_options
def command(**given: Any) -> None:
    """Make a past run again and compare it byte for byte.

    Inputs, judgements and facts come from the store. Exit code 1 when an output
    is not what it was; it then says which, and whether the program differs.

    \b
    Example:
      vigilance replay --store watch.duckdb --week 2026-W47 --out again
    """
    from vigilance.alerts import weeks  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.store.replay import replay  # noqa: PLC0415

    with use(given["lang"]):
        week = weeks.parse(given["week"])
        out = given["out"] or given["store"].parent / f"replay-{week}"
        found = replay(given["store"], week, out, given["revision"], given["wait"])
        if given["as_json"]:
            print_json(found.summary)
        elif not given["quiet"]:
            name = found.record.name
            if found.differ:
                click.echo(
                    _("{week}: these are not what they were: {names}").format(week=name, names=", ".join(found.differ))
                )
            else:
                click.echo(_("{week}: {count} outputs, each byte as it was").format(week=name, count=len(found.same)))
            for line in found.why:
                click.echo(line)
            click.echo(_("written to {path}").format(path=shown(out)))
        click.get_current_context().exit(DIFFERS if found.differ else 0)
