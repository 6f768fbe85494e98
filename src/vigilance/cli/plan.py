"""``vigilance plan``: from a run to a calendar of audits.

``vigilance plan review``: what past plans found.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vigilance.cli.options import FILE, Day, print_json, shown, speech_options
from vigilance.cli.spoken import SpokenCommand
from vigilance.errors import UsageError
from vigilance.i18n import messages, use

if TYPE_CHECKING:
    import polars as pl

    from vigilance.planning.protocol import AuditProtocol
    from vigilance.run import Run

_ = messages("planning")

MOST_DAYS = 10_000_000


class PlanCommand(SpokenCommand):
    """``plan RUN`` makes a plan; a first word ``review`` hands over to the command of that name."""

    def others(self) -> tuple[click.Command, ...]:
        """The review, which no list of commands names."""
        return (review,)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Choose between planning and reviewing by the first word."""
        if args and args[0] == "review":
            return review.make_context(f"{info_name} review", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=PlanCommand, context_settings={"max_content_width": 80})
@click.argument("run", type=FILE)
@click.option("--days", type=click.FloatRange(0, MOST_DAYS, min_open=True), required=True, help="Person-days to spend.")
@click.option("--from", "start", type=Day(), help="First day; by default the month after the run.")
@click.option("--to", "end", type=Day(), help="Last day; by default a year later.")
@click.option("--constraints", type=FILE, help="Shares, teams, seasons (YAML).")
@click.option("--protocol", type=FILE, help="Other costs and sensitivities of audits (YAML).")
@click.option("--keep", type=FILE, help="A plan whose fixed actions stay.")
@click.option("--rules", "rules_path", type=FILE, help="Folder of judgements.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Seed of the draw.")
@click.option("--out", type=FILE, help="Folder of the plan; a new one by default.")
@speech_options
def command(**given: Any) -> None:
    """Plan audits under a budget of person-days, or review past plans.

    RUN is the folder of a run. The plan is the most severe harm that the days
    can find and put right; part of it is drawn at random, to learn.

    \b
    Examples:
      vigilance plan run-2026-11 --days 900 --out plan-2027
      vigilance plan run --days 400 --constraints asked.yaml --seed 7
      vigilance plan run-2027-03 --days 600 --keep plan-2027
      vigilance plan review plan-2027 --audits audits.csv --findings f.csv
    """
    with use(given["lang"]):
        folder, figures = _make(given)
        if given["as_json"]:
            print_json({"plan": str(folder), **figures})
        elif not given["quiet"]:
            from vigilance.planning.telling import tell  # noqa: PLC0415 - only for a person

            click.echo(tell(figures, shown(folder.absolute())))


def _make(given: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    from vigilance import run as runs  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.atomic import refuse_existing  # noqa: PLC0415
    from vigilance.planning import assemble, constraints, inputs, make, output, past  # noqa: PLC0415

    if given["out"]:
        refuse_existing(given["out"])
    run = runs.open_run(given["run"])
    asked = constraints.read(given["constraints"])
    protocol, rules_digest = _protocol(run.on, given["rules_path"], given["protocol"])
    start, end = _window(run.on, given["start"], given["end"])
    keep = past.to_keep(past.open_plan(given["keep"]), start, protocol.keep_days) if given["keep"] else None
    request = assemble.Request(given["days"], start, end, given["seed"], asked, keep)
    table = inputs.read(run.scores, run.sites, assemble.share_columns(asked))
    plan = make.make(table, _evidence(run, "audits"), _evidence(run, "findings"), request, protocol)
    origin = {
        "run": run.meta["seal"],
        "on": run.on.isoformat(),
        "rules": rules_digest,
        **{name: _digest(given[name]) for name in ("constraints", "protocol") if given[name]},
        **({"keep": _digest(given["keep"] / "plan.json")} if given["keep"] else {}),
    }
    asked_for = [origin, given["days"], given["seed"], start.isoformat(), end.isoformat(), given["lang"]]
    mark = hashlib.sha256(json.dumps(asked_for, sort_keys=True).encode()).hexdigest()[:8]
    beside = given["run"].absolute().parent
    folder = given["out"] or output.new_name(beside, f"vigilance-plan-{run.on.isoformat()}-{mark}")
    return folder, output.write(plan, folder, origin, run.on)


def _protocol(on: date, rules_path: Path | None, path: Path | None) -> tuple[AuditProtocol, str]:
    from vigilance import rules  # noqa: PLC0415
    from vigilance.planning import protocol  # noqa: PLC0415

    judgements = rules.load(rules_path).in_force(on)
    if path is not None:
        judgements = judgements.with_values(protocol.overrides(path))
    return protocol.read(judgements), judgements.digest


def _window(on: date, start: date | None, end: date | None) -> tuple[date, date]:
    """The days of the plan; by default a year from the month after the run."""
    first = start or date(on.year + on.month // 12, on.month % 12 + 1, 1)
    last = end or _a_year_after(first)
    if last < first:
        raise UsageError(_("--to {end} is before --from {start}").format(end=last, start=first))
    if (last - first).days > 366 * 5:
        raise UsageError(_("a plan covers five years at most"))
    return first, last


def _a_year_after(first: date) -> date:
    leap = (first.month, first.day) == (2, 29)
    return first.replace(year=first.year + 1, day=28 if leap else first.day) - timedelta(days=1)


def _evidence(run: Run, name: str) -> pl.DataFrame | None:
    found = run.evidence(name)
    return None if found is None else found.collect()


def _digest(path: Path) -> str:
    from vigilance.atomic import digest  # noqa: PLC0415

    return digest(path)


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("plans", nargs=-1, required=True, type=FILE)
@click.option("--audits", type=FILE, required=True, help="Audits made since (table).")
@click.option("--findings", type=FILE, help="Their findings (table).")
@click.option("--rules", "rules_path", type=FILE, help="Folder of judgements.")
@speech_options
def review(
    plans: tuple[Path, ...],
    audits: Path,
    findings: Path | None,
    rules_path: Path | None,
    lang: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare past plans with what the audits found.

    PLANS are folders of plans. Without --findings the audits need a column
    `found` (true or false). Intervals hold 90 %.

    \b
    Example:
      vigilance plan review plan-2027 --audits audits.csv --findings f.csv
    """
    with use(lang):
        from vigilance.planning import past  # noqa: PLC0415
        from vigilance.planning import review as reviewing  # noqa: PLC0415

        opened = [past.open_plan(path) for path in plans]
        last = max(date.fromisoformat(plan.figures["to"]) for plan in opened)
        protocol, _rules = _protocol(date.fromisoformat(opened[-1].figures["origin"]["on"]), rules_path, None)
        seen = _table(audits, "audits", last)
        if findings is None and "found" not in seen.columns:
            raise UsageError(
                _("{path} does not say what was found").format(path=audits),
                hint=_("Give --findings, or a column `found` with true or false."),
            )
        said = reviewing.review(
            opened, seen, None if findings is None else _table(findings, "findings", last), protocol
        )
        if as_json:
            print_json(said)
        elif not quiet:
            from vigilance.planning.telling import tell_review  # noqa: PLC0415

            click.echo(tell_review(said))


def _table(path: Path, name: str, on: date) -> pl.DataFrame:
    """A table of audits or findings as ingest understands it; rows set aside are said on standard error."""
    from vigilance import ingest  # noqa: PLC0415

    intake = ingest.read(path, table=name, on=on)
    aside = intake.counts["set_aside"]
    if aside:
        click.echo(_("{path}: {n} rows set aside").format(path=path, n=aside), err=True)
    return intake.rows.collect()
