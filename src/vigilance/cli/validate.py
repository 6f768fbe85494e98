"""``vigilance validate``: back-test, intervals, robustness and calibration of the method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vigilance.cli.options import FILE, on_option, print_json, shown, speech_options, today
from vigilance.cli.progress import progress
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import messages, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from vigilance.calibrate.job import Found

_ = messages("calibrate")

DEFAULT: Final = ("backtest", "coverage")
CHOICES: Final = ("backtest", "coverage", "audits", "robustness", "calibrate", "all")


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("parts", nargs=-1, type=click.Choice(CHOICES), metavar="[PART]...")
@click.option("--run", "run_path", type=FILE, help="Use the sites of this run.")
@click.option("--audits", type=FILE, help="Audits to learn from; by default those of the run.")
@click.option("--findings", type=FILE, help="Their findings; by default those of the run.")
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

    PART is backtest, coverage, audits, robustness, calibrate or all; without one, backtest and coverage on the shipped
    facts. Audits holds published totals of social audits against the model. Calibration learns from your own audits
    (--run, --audits, --findings) and proposes a change of the rules as a diff: it never applies one.

    \b
    Examples:
      vigilance validate
      vigilance validate all --on 2026-11-01 --jobs 4 --out validation
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


def _found(parts: tuple[str, ...], given: dict[str, Any], step: Callable[[str, int], None]) -> Found:
    from vigilance import reference, rules, run  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.calibrate import job  # noqa: PLC0415

    opened = run.open_run(given["run_path"]) if given["run_path"] else None
    wanted = parts or DEFAULT
    if "all" in wanted:
        wanted = tuple(part for part in job.PARTS if part != job.CALIBRATE or opened is not None)
    asked = job.Asked(
        parts=[part for part in job.PARTS if part in wanted],
        on=given["on"] or (opened.on if opened else today()),
        run=opened,
        audits=given["audits"],
        findings=given["findings"],
        draws=given["draws"],
        trajectories=given["trajectories"],
        samples=int(given["samples"]),
        method=given["method"],
        jobs=given["jobs"],
        told=lambda: step(_("ranking under changed judgements"), 1),
    )
    return job.validate(asked, reference.load(), rules.load())


def _said(found: Found) -> None:
    """The findings in words, at 80 columns."""
    from vigilance.calibrate.report import document  # noqa: PLC0415 - lazily
    from vigilance.report.document import Bullets, Text  # noqa: PLC0415

    for section in document(found).sections[:-1]:
        click.echo(section.title)
        for block in section.blocks:
            if isinstance(block, Text):
                click.echo(click.wrap_text(block.text, 79, initial_indent="  ", subsequent_indent="  "))
            elif isinstance(block, Bullets):
                for item in block.items:
                    click.echo(click.wrap_text(item, 79, initial_indent="  - ", subsequent_indent="    "))
        click.echo("")
    if found.proposal is not None and found.proposal.values:
        click.echo(found.proposal.diff)
