"""``vigilance compare``: two runs, or one run under a changed judgement, and what moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import polars as pl

from vigilance.cli.figures import number, percent
from vigilance.cli.options import FILE, print_json, speech_options, with_changes
from vigilance.cli.spoken import SpokenCommand
from vigilance.errors import UsageError
from vigilance.i18n import messages, use
from vigilance.terms import HAZARDS

if TYPE_CHECKING:
    from vigilance.whatif import Moves

_ = messages("cli")

SHOWN: Final = 10
SENSITIVITY: Final = "sensitivity"
SENSITIVITIES: Final = (0.05, 0.15, 0.35)


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("runs", nargs=-1, required=True, type=FILE)
@click.option("--set", "changed", multiple=True, metavar="RULE=VALUE", help="Score the run again with this judgement.")
@click.option(
    "--sensitivity", is_flag=True, help="Score again with audits that see .05, .15 and .35 of affected sites."
)
@click.option("--out", type=FILE, help="Write the moves of every site to this CSV file.")
@speech_options
def command(
    runs: tuple[Path, ...],
    changed: tuple[str, ...],
    sensitivity: bool,
    out: Path | None,
    lang: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare two runs, or one run with itself under a changed judgement.

    Nothing is written but --out: a changed judgement is tried here before it is accepted in the rules.

    \b
    Examples:
      vigilance compare last-week this-week
      vigilance compare run --set method.size_exponent=0.4
      vigilance compare run --sensitivity
    """
    with use(lang):
        found = _compared(runs, changed, sensitivity)
        if out is not None:
            from vigilance import atomic, tabular  # noqa: PLC0415 - lazily, so that --help stays quick

            atomic.refuse_existing(out)
            for name, moves in found.items():
                target = out if len(found) == 1 else out.with_stem(f"{out.stem}-{name}")
                tabular.write_csv(moves.sites, target, lang)
        if as_json:
            print_json({name: moves.summary for name, moves in found.items()})
        elif not quiet:
            for name, moves in found.items():
                tell(name, moves)


def _compared(runs: tuple[Path, ...], changed: tuple[str, ...], sensitivity: bool) -> dict[str, Moves]:
    from vigilance import explanation, run, whatif  # noqa: PLC0415 - lazily, so that --help stays quick

    opened = [run.open_run(path) for path in runs]
    if len(opened) == 2 and not changed and not sensitivity:
        return {"runs": whatif.moves(whatif.of_run(opened[0]), whatif.of_run(opened[1]))}
    if len(opened) != 1 or not (changed or sensitivity):
        raise UsageError(
            _("give two runs, or one run and a change"), hint=_("for instance: --set method.size_exponent=0.4")
        )
    judgements = explanation.basis(opened[0])[1]
    found = {}
    if changed:
        found["set"] = whatif.under(opened[0], with_changes(judgements, changed))
    if sensitivity:
        for value in SENSITIVITIES:
            paths = {f"evidence.audits.sensitivity.{hazard}": value for hazard in HAZARDS}
            found[f"{SENSITIVITY} {value}"] = whatif.under(opened[0], judgements.with_values(paths))
    return found


def tell(name: str, moves: Moves) -> None:
    """Print what moved, at 80 columns."""
    from vigilance.cli.summary import words  # noqa: PLC0415 - only for a person

    said = words()
    summary = moves.summary
    head = _("{name}: sites in both: {count}").format(name=_named(name), count=number(summary["in_both"]))
    click.echo(head)
    if summary["appeared"] or summary["vanished"]:
        click.echo("  " + _("appeared {appeared}, vanished {vanished}").format(**summary))
    if summary["rank_correlation"] is not None:
        click.echo(
            "  "
            + _("rank correlation {rho}; largest move in rank: {move}").format(
                rho=number(summary["rank_correlation"], 3), move=number(summary["largest_rank_move"])
            )
        )
    for hazard in HAZARDS:
        _hazard(str(hazard), said, summary["hazards"][str(hazard)], moves.sites)


def _hazard(hazard: str, said: dict[str, str], summary: dict[str, Any], sites: pl.DataFrame) -> None:
    head = _("{hazard}: bands up {up}, down {down}; largest change of score {change}").format(
        hazard=said[hazard],
        up=number(summary["bands_up"]),
        down=number(summary["bands_down"]),
        change=number(summary["largest_score_change"], 1),
    )
    click.echo(f"  {head}")
    change = pl.col(f"{hazard}_score_change")
    moved = sites.filter(change.abs() > 1e-6).sort(change.abs(), "supplier_id", descending=[True, False]).head(SHOWN)
    for row in moved.iter_rows(named=True):
        before, after = row[f"{hazard}_score"], row[f"{hazard}_score_after"]
        bands = said[row[f"{hazard}_band"]]
        if row[f"{hazard}_band"] != row[f"{hazard}_band_after"]:
            bands += " → " + said[row[f"{hazard}_band_after"]]
        rank = f"{number(row['rank'])} → {number(row['rank_after'])}"
        scores = f"{number(before, 1):>5} → {number(after, 1):<5}"
        click.echo(f"    {row['supplier_id'][:22]:<22} {scores} {bands:<20} {_('rank')} {rank}")


def _named(name: str) -> str:
    """What is compared, in words."""
    if name.startswith(SENSITIVITY):
        share = percent(float(name.removeprefix(SENSITIVITY)), 0)
        return _("audits that see {share} of affected sites").format(share=share)
    return {"runs": _("the two runs"), "set": _("under the changed judgement")}[name]
