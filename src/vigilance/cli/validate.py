"""``vigilance validate``: back-test, intervals, robustness and calibration of the method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vigilance.cli.options import FILE, SET_ASIDE, on_option, pairs, print_json, shown, speech_options, today
from vigilance.cli.progress import progress
from vigilance.cli.spoken import SpokenCommand
from vigilance.errors import UsageError
from vigilance.i18n import messages, use
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from collections.abc import Callable

    from vigilance.calibrate.job import Found
    from vigilance.calibrate.rankings import Given
    from vigilance.report.document import Section

_ = messages("calibrate")

DEFAULT: Final = ("backtest", "coverage")
CHOICES: Final = ("backtest", "coverage", "audits", "rankings", "robustness", "calibrate", "all")
KINDS: Final = ("prevalence", "vulnerability")


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("parts", nargs=-1, type=click.Choice(CHOICES), metavar="[PART]...")
@click.option("--run", "run_path", type=FILE, help="Use the sites of this run.")
@click.option("--audits", type=FILE, help="Audits to learn from; by default those of the run.")
@click.option("--findings", type=FILE, help="Their findings; by default those of the run.")
@click.option("--against", type=FILE, help="Ranking of countries to hold the country part against.")
@click.option("--map", "mapped", multiple=True, metavar="COLUMN=HEADER", help="Its header for country, for value.")
@click.option("--sheet", help="Its sheet, where more than one fits.")
@click.option("--lower-is-worse", is_flag=True, help="In it a lower number is worse, as in a list of places.")
@click.option("--kind", type=click.Choice(KINDS), help="What it ranks: says which bar holds.")
@click.option(
    "--hazard",
    type=click.Choice([hazard.value for hazard in HAZARDS]),
    default=Hazard.FORCED_LABOUR.value,
    show_default=True,
    help="The hazard that it is about.",
)
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=1000, show_default=True, help="Draws of the coverage."
)
@click.option(
    "--trajectories", type=click.IntRange(2, 100), default=4, show_default=True, help="Trajectories of the robustness."
)
@click.option(
    "--method",
    type=click.Choice(["morris", "sobol"]),
    default="morris",
    show_default=True,
    help="Robustness: screen all judgements (morris), then share out the variance over the leading ones (sobol).",
)
@click.option(
    "--samples",
    type=click.Choice(["16", "32", "64", "128", "256", "512", "1024"]),
    default="64",
    show_default=True,
    help="Rows of Sobol's base sample.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes for the robustness.")
@click.option("--out", type=FILE, help="New folder for the report, its drawings and tables.")
@on_option
@speech_options
def command(parts: tuple[str, ...], lang: str, as_json: bool, quiet: bool, out: Path | None, **given: Any) -> None:
    """Back-test, calibrate and stress the method.

    PART is backtest, coverage, audits, rankings, robustness, calibrate or all; without one, backtest and coverage on
    the shipped facts. Audits holds published totals of social audits against the model, rankings a ranking of countries
    that you bring (--against) against the country part. Calibration learns from your own audits
    (--run, --audits, --findings) and proposes a change of the rules as a diff: it never applies one.

    \b
    Examples:
      vigilance validate
      vigilance validate all --on 2026-11-01 --jobs 4 --out validation
      vigilance validate rankings --against gsi.xlsx --map value=Prevalence
      vigilance validate robustness --method sobol --jobs 4
      vigilance validate calibrate --run run --out learned
    """
    with use(lang):
        if out is not None:
            from vigilance.atomic import refuse_existing  # noqa: PLC0415 - lazily, so that --help stays quick

            refuse_existing(out)
        with progress(hidden=quiet or as_json) as step:
            found = _found(parts, given, step)
        if out is not None:
            from vigilance.calibrate.publish import save  # noqa: PLC0415 - drawings only where they are asked for

            save(found, out, lang)
        if as_json:
            from vigilance.calibrate.job import summary  # noqa: PLC0415 - lazily

            print_json(summary(found))
        elif not quiet:
            _said(found)
        if out is not None and not quiet:
            click.echo(_("report: {path}").format(path=shown(out)), err=True)
        if found.rankings is not None and found.rankings.counts["set_aside"]:
            click.get_current_context().exit(SET_ASIDE)


def _found(parts: tuple[str, ...], given: dict[str, Any], step: Callable[[str, int], None]) -> Found:
    from vigilance import reference, rules, run  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.calibrate import job  # noqa: PLC0415

    opened = run.open_run(given["run_path"]) if given["run_path"] else None
    wanted = parts or DEFAULT
    if "all" in wanted:
        lacking = {job.CALIBRATE: opened is None, job.RANKINGS: given["against"] is None}
        wanted = tuple(part for part in job.PARTS if not lacking.get(part))
    if given["against"] is not None and job.RANKINGS not in wanted:
        raise UsageError(
            _("--against is for rankings, which is not among the parts"),
            hint=_("vigilance validate rankings --against FILE"),
        )
    asked = job.Asked(
        parts=[part for part in job.PARTS if part in wanted],
        on=given["on"] or (opened.on if opened else today()),
        run=opened,
        audits=given["audits"],
        findings=given["findings"],
        against=_against(given),
        draws=given["draws"],
        trajectories=given["trajectories"],
        samples=int(given["samples"]),
        method=given["method"],
        jobs=given["jobs"],
        told=lambda: step(_("ranking under changed judgements"), 1),
    )
    return job.validate(asked, reference.load(), rules.load())


def _against(given: dict[str, Any]) -> Given | None:
    if given["against"] is None:
        return None
    from vigilance.calibrate.rankings import Given  # noqa: PLC0415 - lazily, so that --help stays quick

    return Given(
        path=given["against"],
        mapping=pairs(given["mapped"], "--map"),
        sheet=given["sheet"],
        lower_is_worse=given["lower_is_worse"],
        hazard=Hazard(given["hazard"]),
        kind=given["kind"],
    )


def _said(found: Found) -> None:
    """The findings in words, at 80 columns; of a ranking its tables as well."""
    from vigilance.calibrate import report, report_rankings  # noqa: PLC0415 - lazily
    from vigilance.cli import laid_out  # noqa: PLC0415

    for section in report.document(replace(found, rankings=None)).sections[:-1]:
        _section(section, tables=False)
    if found.rankings is not None:
        _section(report_rankings.section(found.rankings), tables=True)
        click.echo("\n".join(laid_out.issues(found.rankings.issues)), err=True, nl=bool(found.rankings.issues.height))
    if found.proposal is not None and found.proposal.values:
        click.echo(found.proposal.diff)


def _section(section: Section, *, tables: bool) -> None:
    from vigilance.cli import laid_out  # noqa: PLC0415 - lazily
    from vigilance.report.document import Bullets, Table, Text  # noqa: PLC0415

    click.echo(section.title)
    for block in section.blocks:
        if isinstance(block, Text):
            click.echo(laid_out.wrapped(block.text, "  "))
        elif isinstance(block, Bullets):
            click.echo("\n".join(laid_out.wrapped(item, "  - ", "    ") for item in block.items))
        elif isinstance(block, Table) and tables:
            click.echo("\n".join(laid_out.table(block)))
    click.echo("")
