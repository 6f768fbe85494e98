"""``vigilance matrix``: countries × activities, both hazards, now and some years before."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import polars as pl

from vigilance.cli import places
from vigilance.cli.figures import number
from vigilance.cli.options import EVIDENCE, FILE, on_option, speech_options, today
from vigilance.cli.spoken import SpokenCommand
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages, use
from vigilance.terms import BANDS, HAZARDS

if TYPE_CHECKING:
    from vigilance.matrix import Matrix
    from vigilance.reference import Facts

_ = messages("cli")

FORMATS: Final = ("table", "csv", "json", "xlsx", "html")
ARROWS: Final = {"up": "^", "same": "=", "down": "v"}
SHOWN_ACTIVITIES: Final = ("01", "03", "07", "10", "13", "14", "22", "26", "41", "47")
SHOWN_COUNTRIES: Final = 25
WIDTH: Final = 80
NAME: Final = 20


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@on_option
@click.option(
    "--years", type=click.IntRange(1, 20), default=5, show_default=True, help="Compare with so many years before."
)
@click.option("--country", "countries", multiple=True, metavar="CODE", help="Only this country; may be repeated.")
@click.option(
    "--activity", "divisions", multiple=True, metavar="DIVISION", help="Only this ISIC division; may be repeated."
)
@click.option("--run", "run_path", type=FILE, help="Add the sites and audits of a run.")
@click.option("--audit-statistics", "statistics", type=FILE, metavar="FILE", help=EVIDENCE["audit_statistics"])
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="Form of the output."
)
@click.option("--out", type=FILE, help="File to write; needed for xlsx.")
@speech_options
def command(**given: Any) -> None:
    """Show the risk matrix: countries by activities, now and years before, with the direction.

    A cell stands for a site of which only country and activity are known. The ratification of C029, C105, C138 and
    C182, then and now, goes with each country.

    \b
    Examples:
      vigilance matrix --on 2026-11-01 --country BGD --country IND
      vigilance matrix --run demo --format html --out matrix.html
    """
    with use(given["lang"]):
        found = _matrix(given)
        form = "json" if given["as_json"] else given["form"]
        if form == "table":
            if not given["quiet"]:
                _table(found)
        else:
            _written(found, form, given["out"], given["lang"])


def _matrix(given: dict[str, Any]) -> Matrix:
    from vigilance import matrix, reference, rules, run  # noqa: PLC0415 - lazily, so that --help stays quick

    opened = run.open_run(given["run_path"]) if given["run_path"] else None
    on = given["on"] or (opened.on if opened else today())
    facts = reference.load()
    known = facts.in_force(on)
    asked = places.countries(known, given["countries"]), places.divisions(known, given["divisions"])
    counted = _statistics(given["statistics"], known)
    return matrix.matrix(facts, rules.load().in_force(on), on, given["years"], *asked, opened, counted)


def _statistics(path: Path | None, facts: Facts) -> pl.DataFrame | None:
    """Typed audit statistics, whole: a row that cannot be read would go unseen in a table of cells."""
    if path is None:
        return None
    from vigilance import evidence  # noqa: PLC0415 - only where statistics are given

    intake = evidence.statistics(path, facts)
    wrong = intake.issues.filter(pl.col("severity") == "error")
    if wrong.height:
        first = wrong.row(0, named=True)
        raise InputRefused(_("{file}, row {row}, {column}: {message}").format(**first), hint=first["hint"])
    return evidence.typed(intake.rows).collect()


def _written(found: Matrix, form: str, out: Path | None, lang: str) -> None:
    from vigilance import atomic  # noqa: PLC0415 - only where a file is written
    from vigilance.report import matrix_pages as pages  # noqa: PLC0415

    content = pages.written(found, form, lang)
    if out is None:
        if form == "xlsx":
            raise UsageError(_("a workbook cannot go to the terminal"), hint=_("name a file: --out matrix.xlsx"))
        sys.stdout.buffer.write(content)
        return
    atomic.refuse_existing(out)
    atomic.write_bytes(out, content)
    click.echo(str(out), err=True)


def _table(found: Matrix) -> None:
    """The worst countries by some activities: band and direction, at 80 columns."""
    from vigilance.cli.summary import words  # noqa: PLC0415 - only for a person

    said = words()
    initials = {band: said[band][0].upper() for band in map(str, BANDS)}
    cells = found.cells
    named = cells["division"].n_unique() <= len(SHOWN_ACTIVITIES)
    divisions = sorted(cells["division"].unique().to_list()) if named else list(SHOWN_ACTIVITIES)
    for hazard in map(str, HAZARDS):
        head = _("{hazard}: P80 of a site of which only country and activity are known").format(hazard=said[hazard])
        click.echo(head)
        click.echo(f"{'':<{NAME}}" + "".join(f"{code:>4}" for code in divisions) + " C029 C105 C138 C182")
        shown = cells.filter(pl.col("division").is_in(divisions))
        worst = (
            shown.group_by("iso3", "country")
            .agg(pl.col(f"{hazard}_p80").mean())
            .sort(f"{hazard}_p80", "iso3", descending=[True, False])
        )
        for iso3, country, _mean in worst.head(SHOWN_COUNTRIES).iter_rows():
            _country(shown.filter(pl.col("iso3") == iso3), f"{iso3} {country or ''}", hazard, divisions, initials)
        if worst.height > SHOWN_COUNTRIES:
            click.echo(
                _("... and {count} more; name them with --country, or take --format csv").format(
                    count=number(worst.height - SHOWN_COUNTRIES)
                )
            )
        click.echo("")
    marks = _("{bands}; ^ worse, = same, v better than on {date}").format(
        bands=", ".join(f"{letter} {said[band]}" for band, letter in initials.items()), date=found.before
    )
    names = dict(cells.select("division", "activity").unique().iter_rows())
    conventions = _("Conventions: + in force, r ratified, x denounced, - not ratified; > where it changed")
    for text in (", ".join(f"{code} {names[code]}" for code in divisions if code in names), conventions, marks):
        click.echo(textwrap.fill(text, WIDTH))


MARKS: Final = {"in_force": "+", "ratified": "r", "denounced": "x", "not_ratified": "-", None: " "}


def _country(rows: pl.DataFrame, name: str, hazard: str, divisions: list[str], initials: dict[str, str]) -> None:
    by_code = {row["division"]: row for row in rows.iter_rows(named=True)}
    cells = "".join(
        f"{initials[by_code[code][f'{hazard}_band']] + ARROWS[by_code[code][f'{hazard}_direction']]:>4}"
        if code in by_code
        else "    "
        for code in divisions
    )
    row = next(iter(by_code.values()))
    held = []
    for name_ in ("c029", "c105", "c138", "c182"):
        now, before = MARKS[row[name_]], MARKS[row[f"{name_}_before"]]
        held.append(f"{(before + '>' + now) if now != before else now:>4}")
    click.echo(f"{name:<{NAME}.{NAME}}{cells} {' '.join(held)}".rstrip())
