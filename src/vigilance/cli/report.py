"""``vigilance report``: a report from a run, for one reader, in the formats asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vigilance.cli.options import FILE, print_json, shown, speech_options
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import messages, use

if TYPE_CHECKING:
    from vigilance.report import Report

_ = messages("report")


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("run_path", metavar="RUN", type=FILE)
@click.option("--format", "formats", default="html", show_default=True, help="html, xlsx, pdf, md, joined by commas.")
@click.option(
    "--for",
    "audience",
    default="csr",
    show_default=True,
    metavar="READER",
    help="csr, board, supplier:ID, or regulator:LAW (loi-2017-399, csddd, lksg, eu-2024-3015).",
)
@click.option("--out", type=FILE, help="Folder of the report; a new one beside the run by default.")
@click.option("--rules", "rules_path", type=FILE, help="Judgements that the run used.")
@click.option("--data", "data_path", type=FILE, help="Facts that the run used.")
@speech_options
def command(
    run_path: Path,
    formats: str,
    audience: str,
    out: Path | None,
    rules_path: Path | None,
    data_path: Path | None,
    lang: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a report from a run.

    RUN is the folder that `vigilance score` wrote.

    \b
    Examples:
      vigilance report vigilance-2026-11-01-1a2b3c4d --format html,xlsx
      vigilance report run --for board --format pdf --lang fr
      vigilance report run --for supplier:S-0001 --format pdf
      vigilance report run --for regulator:loi-2017-399 --format pdf,xlsx
    """
    from vigilance import report, run  # noqa: PLC0415 - lazily, so that --help stays quick

    with use(lang):
        made = report.write(
            run.open_run(run_path),
            [name.strip() for name in formats.split(",") if name.strip()],
            audience,
            lang=lang,
            out=out,
            rules_path=rules_path,
            data_path=data_path,
        )
        if as_json:
            print_json(told(made))
        elif not quiet:
            if made.already:
                click.echo(_("The same report was already there: nothing was written."))
            for path in made.files:
                click.echo(shown(path))


def told(made: Report) -> dict[str, object]:
    """The report as ``--json`` gives it: folder, files, and each statement with the rows it rests on."""
    return {
        "folder": str(made.folder),
        "files": [path.name for path in made.files],
        "already": made.already,
        "title": made.document.title,
        "statements": [
            {"id": s.id, "text": s.text, "rows": s.basis, "supplier_ids": list(s.ids), "assessed": not s.gap}
            for s in made.document.statements
        ],
    }
