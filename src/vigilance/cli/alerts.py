"""``vigilance alerts``: list the alerts kept in a store; suppress some for a time."""

from __future__ import annotations

from typing import Any

import click

from vigilance.cli.options import FILE, Day, on_option, print_json, speech_options, today
from vigilance.cli.spoken import SpokenGroup
from vigilance.i18n import messages, use

_ = messages("alerts")

WAIT = click.option(
    "--wait", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds to wait for a store in use."
)


@click.group(cls=SpokenGroup, invoke_without_command=True, context_settings={"max_content_width": 80})
@click.option("--store", type=FILE, help="The store.")
@click.option("--week", help="ISO week, such as 2026-W47; the last run by default.")
@click.option("--all", "every", is_flag=True, help="Also what stands unchanged and what was held back.")
@WAIT
@speech_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """List the alerts of a week, the most urgent first.

    \b
    Examples:
      vigilance alerts --store watch.duckdb
      vigilance alerts --store watch.duckdb --week 2026-W47 --all --json
      vigilance alerts suppress FINGERPRINT --store watch.duckdb \\
        --author "A. Martin" --reason "visited on 3 November" --until 2027-02-01
    """
    if context.invoked_subcommand is not None:
        return
    if given["store"] is None:
        raise click.MissingParameter(ctx=context, param=context.command.params[0])
    from vigilance.alerts import weeks  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.store import listing  # noqa: PLC0415

    with use(given["lang"]):
        week = weeks.parse(given["week"]) if given["week"] else None
        found = listing.alerts(given["store"], week, every=given["every"], wait=given["wait"])
        if given["as_json"]:
            print_json(found)
        elif not given["quiet"]:
            _tell(found)


def _tell(found: dict[str, Any]) -> None:
    from vigilance.alerts import words  # noqa: PLC0415

    for alert in found["alerts"]:
        state = words.said(words.STATES, alert["state"])
        kind = _("proven") if alert["proven"] else _("possible")
        held = "" if not alert["held"] else " · " + words.said(words.HELD, alert["held"])
        click.echo(f"[{state}, {kind}{held}] {alert['title']}\n    {alert['reason']}\n    {alert['fingerprint']}")
    click.echo(
        _("{week}: {count} shown, {open} open, {held} held back").format(
            week=found["week"], count=len(found["alerts"]), open=found["open"], held=found["held_back"]
        )
    )


@command.command()
@click.argument("fingerprint", required=False, default="")
@click.option("--store", required=True, type=FILE, help="The store.")
@click.option("--rule", default="", help="All alerts of this rule.")
@click.option("--hazard", default="", type=click.Choice(["", "forced_labour", "child_labour"]), help="Of this hazard.")
@click.option(
    "--level", default="", type=click.Choice(["", "site", "zone", "region", "country"]), help="Of this level."
)
@click.option("--place", default="", help="At this site, zone, region or country.")
@click.option("--author", required=True, help="Who asks for it.")
@click.option("--reason", required=True, help="Why.")
@click.option("--until", required=True, type=Day(), help="Last day (YYYY-MM-DD).")
@on_option
@WAIT
@speech_options
def suppress(**given: Any) -> None:
    """Hear no more of some alerts until a day; kept for ever with author and reason.

    \b
    Example:
      vigilance alerts suppress 0a1b2c3d --store watch.duckdb \\
        --author "A. Martin" --reason "visited on 3 November" --until 2027-02-01
    """
    from vigilance.store import listing  # noqa: PLC0415

    with use(given["lang"]):
        wanted = {name: given[name] for name in listing.FIELDS}
        made = listing.suppress(
            given["store"],
            wanted,
            given["author"],
            given["reason"],
            given["on"] or today(),
            given["until"],
            given["wait"],
        )
        if given["as_json"]:
            print_json(made)
        elif not given["quiet"]:
            click.echo(_("not told until {until}; listed in held_back.csv every week").format(until=made["until"]))
