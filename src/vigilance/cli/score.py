"""``vigilance score``: supplier files in, a run folder out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from vigilance.cli.options import (
    EVIDENCE,
    FILE,
    exit_code,
    on_option,
    pairs,
    print_json,
    scoring_options,
    speech_options,
    today,
    with_changes,
)
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import messages, use

if TYPE_CHECKING:
    from vigilance.pipeline import Outcome

_ = messages("cli")


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("suppliers", nargs=-1, required=True, type=FILE)
@on_option
@click.option("--out", type=FILE, help="Folder of the run; a new one beside the input by default.")
@click.option(
    "--engine", type=click.Choice(["polars", "duckdb", "spark"]), default="polars", show_default=True, help="Engine."
)
@click.option("--master", metavar="URL", help="Where Spark runs: local[2], spark://host:7077; this machine by default.")
@click.option("--draws", type=click.IntRange(50, 100_000), help="Intervals from so many joint draws.")
@click.option("--explain", is_flag=True, help="Also write ratios.parquet: every ratio of every site.")
@click.option("--csv/--no-csv", default=None, help="Write scores.csv; by default, if a spreadsheet can hold it.")
@scoring_options
@speech_options
def command(**given: Any) -> None:
    """Score supplier sites for forced-labour and child-labour risk.

    SUPPLIERS are CSV, Excel, Parquet or JSON-lines files, or folders of them.

    \b
    Examples:
      vigilance score suppliers.csv
      vigilance score suppliers.xlsx --on 2026-11-01 --lang fr --out run
      vigilance score list.csv --map supplier_id=Vendor --fail-on severe
    """
    with use(given["lang"]):
        outcome = _run(given)
        if given["as_json"]:
            print_json(outcome.run.meta)
        elif not given["quiet"]:
            from vigilance.cli.summary import tell  # noqa: PLC0415 - only for a person

            tell(outcome, given["out"])
        click.get_current_context().exit(
            exit_code(outcome.summary.bands, given["fail_on"], set_aside=outcome.set_aside)
        )


def _engine(given: dict[str, Any]) -> AbstractContextManager[None]:
    """Where the engine runs; checked before anything is read."""
    if given["engine"] != "spark" and given["master"] is None:
        return nullcontext()
    from vigilance import spark  # noqa: PLC0415 - an extra

    return spark.chosen(given["engine"], given["master"])


def _run(given: dict[str, Any]) -> Outcome:
    from vigilance import pipeline, reference, rules  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.cli.progress import progress  # noqa: PLC0415

    on = given["on"] or today()
    judgements = with_changes(rules.load(given["rules_path"]).in_force(on), given["changed"])
    job = pipeline.Job(
        inputs=given["suppliers"],
        on=on,
        out=given["out"],
        lang=given["lang"],
        engine=given["engine"],
        csv=given["csv"],
        mapping=pairs(given["mapped"], "--map"),
        encoding=given["encoding"],
        strict=given["strict"],
        max_rejected=given["max_rejected"],
        explain=given["explain"],
        evidence={name: given[name] for name in EVIDENCE if given[name] is not None},
        decisions=given["decisions"],
        draws=given["draws"] or 0,
        refine=_refine(given["draws"]),
    )
    facts = reference.load(given["data_path"]).in_force(on)
    with _engine(given), progress(hidden=given["quiet"] or given["as_json"]) as step:
        return pipeline.score(job, facts, judgements, step)


def _refine(draws: int | None) -> Any:
    """What draws the intervals, when somebody asks for draws."""
    if draws is None:
        return None
    from vigilance.calibrate.draws import refined  # noqa: PLC0415 - scikit-learn's side of the house

    return refined
