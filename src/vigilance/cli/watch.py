"""``vigilance watch``: the weekly run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from vigilance.cli.options import (
    EVIDENCE,
    FILE,
    exit_code,
    numbers,
    on_option,
    pairs,
    print_json,
    scoring_options,
    shown,
    speech_options,
    today,
)
from vigilance.cli.spoken import SpokenCommand
from vigilance.errors import UsageError
from vigilance.i18n import messages, use

if TYPE_CHECKING:
    from vigilance.alerts.webhook import Target
    from vigilance.store.weekly import Result, Watch

_ = messages("alerts")


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.option("--store", required=True, type=FILE, help="The store; made on the first run.")
@click.argument("suppliers", nargs=-1, required=True, type=FILE)
@on_option
@click.option("--out", type=FILE, help="Folder of the alerts; a new one beside the input by default.")
@scoring_options
@click.option("--budget", type=click.IntRange(0), help="Alerts that may be told in a week; a rule by default.")
@click.option("--engine", type=click.Choice(["polars", "duckdb"]), default="polars", show_default=True, help="Engine.")
@click.option(
    "--wait", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds to wait for a store in use."
)
@click.option(
    "--webhook", metavar="URL", help="Also post the alerts there (https; the secret is in VIGILANCE_WEBHOOK_SECRET)."
)
@click.option("--webhook-allow", multiple=True, metavar="HOST", help="A host that --webhook may name.")
@speech_options
def command(**given: Any) -> None:
    """The weekly run: score, compare with last week, raise alerts.

    The same week with the same inputs is not run twice. Whatever was told is kept
    in the store, with all that is needed to make the run again.

    \b
    Examples:
      vigilance watch --store watch.duckdb suppliers.csv
      vigilance watch --store watch.duckdb suppliers.csv --audits audits.csv \\
        --on 2026-11-16 --out week-47 --budget 10 --fail-on severe
    """
    with use(given["lang"]):
        target = _webhook(given)
        result = _run(given)
        if target is not None:
            _post(target, result)
        if given["as_json"]:
            print_json(result.summary)
        elif not given["quiet"]:
            _tell(result)
        click.get_current_context().exit(
            exit_code(result.record.body["bands"], given["fail_on"], set_aside=result.record.body["set_aside"])
        )


def _webhook(given: dict[str, Any]) -> Target | None:
    """Check the address before anything is run, so that a wrong one is not found out on Monday night."""
    if given["webhook"] is None:
        return None
    from vigilance.alerts import webhook  # noqa: PLC0415 - only where it is asked for

    if not os.environ.get(webhook.SECRET_VARIABLE):
        raise UsageError(_("a webhook needs a secret in {name}").format(name=webhook.SECRET_VARIABLE))
    return webhook.checked(given["webhook"], given["webhook_allow"])


def _post(target: Target, result: Result) -> None:
    """Post what was told. The id is that of the record: a receiver that has seen it may drop a repetition."""
    from vigilance.alerts import webhook  # noqa: PLC0415

    events = (result.folder / "alerts.jsonl").read_bytes().splitlines() if result.sent and result.folder else []
    if events:
        body = b"[" + b",".join(events) + b"]"
        webhook.deliver(target, result.record.digest, body, os.environ[webhook.SECRET_VARIABLE].encode())


def _run(given: dict[str, Any]) -> Result:
    from vigilance.cli.progress import progress  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.store import weekly  # noqa: PLC0415

    with progress(hidden=given["quiet"] or given["as_json"]) as step:
        return weekly.run(_watch(given), step)


def _watch(given: dict[str, Any]) -> Watch:
    from vigilance.store.weekly import Watch  # noqa: PLC0415

    return Watch(
        store=given["store"],
        inputs=given["suppliers"],
        on=given["on"] or today(),
        on_given=given["on"] is not None,
        out=given["out"],
        lang=given["lang"],
        engine=given["engine"],
        mapping=pairs(given["mapped"], "--map"),
        encoding=given["encoding"],
        strict=given["strict"],
        max_rejected=given["max_rejected"],
        evidence={name: given[name] for name in EVIDENCE if given[name] is not None},
        decisions=given["decisions"],
        budget=given["budget"],
        changed=numbers(given["changed"], "--set"),
        rules_path=given["rules_path"],
        data_path=given["data_path"],
        wait=given["wait"],
    )


def _tell(result: Result) -> None:
    counts = result.record.body["counts"]
    if result.already and not result.sent:
        click.echo(_("{week}: this run is already in the store; nothing new").format(week=result.record.name))
    else:
        click.echo(
            _(
                "{week}: {sites} sites; {changed} changed, {appeared} appeared, {moved} moved, {vanished} vanished"
            ).format(week=result.record.name, **counts)
        )
        click.echo(_("{count} alerts").format(count=result.sent))
    if result.folder is not None:
        click.echo(_("written to {path}").format(path=shown(result.folder)))
