"""``vigilance explain``: the product behind one site's scores, line by line."""

from __future__ import annotations

from pathlib import Path

import click

from vigilance.cli.options import FILE, print_json, speech_options
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import use


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("supplier_id")
@click.option("--run", "run_path", type=FILE, required=True, help="Folder of the run.")
@click.option(
    "--rules",
    "rules_path",
    type=FILE,
    help="Judgements that the run used, if not the shipped ones.",
)
@click.option("--data", "data_path", type=FILE, help="Facts that the run used, if not the shipped ones.")
@click.option("--options", is_flag=True, help="With --json, add what would lower the risk.")
@speech_options
def command(
    supplier_id: str,
    run_path: Path,
    rules_path: Path | None,
    data_path: Path | None,
    options: bool,
    lang: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show how the scores of one site are made, line by line.

    The ratios multiply to the rate of affected workers; the size of the site turns the rate into presence; evidence
    multiplies the odds. Each line has its source and its date.

    \b
    Example:
      vigilance explain S-0001 --run vigilance-2026-11-01-1a2b3c4d --lang fr
    """
    from vigilance import explanation, run  # noqa: PLC0415 - lazily, so that --help stays quick

    with use(lang):
        opened = run.open_run(run_path)
        found = explanation.site(opened, supplier_id, rules_path, data_path)
        facts, judgements = explanation.basis(opened, rules_path, data_path)
        if not as_json or options:
            from vigilance import models, whatif  # noqa: PLC0415 - only where somebody asks what could be done

            found["options"] = whatif.options(opened, supplier_id, models.in_force(facts, judgements))
        if as_json:
            print_json(found)
        elif not quiet:
            from vigilance.cli.explained import tell  # noqa: PLC0415 - only for a person

            tell(found, {name: source.text() for name, source in judgements.book.sources.items()})
