"""``vigilance countries``: the country index of both hazards, as a table, CSV or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import click

from vigilance.cli import places
from vigilance.cli.figures import number, percent
from vigilance.cli.options import listing_options, on_option, today
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import messages, use
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    import polars as pl

    from vigilance.reference import Facts

_ = messages("countries")

FORMATS: Final = ("table", "csv", "json")
CONVENTIONS: Final = ("c029", "c105", "c138", "c182", "p029")
MEASURES: Final = ("structure", "process", "outcome", "index", "index_5_years_before", "coverage")
MORE: Final = ("structure_5_years_before", "sd", "index_centred")
IN_SCORES: Final = ("ratio", "rate")
"""What scores make of the index: the ratio to the region's average, and people affected per 1,000 employed."""
COLUMNS: Final = (
    "iso3",
    "name",
    "ilo_region",
    *(f"{hazard}_{measure}" for hazard in HAZARDS for measure in MEASURES),
    *CONVENTIONS,
    *(f"{hazard}_{measure}" for hazard in HAZARDS for measure in MORE),
    *(f"{hazard}_{measure}" for hazard in HAZARDS for measure in IN_SCORES),
)
"""The columns of ``--format csv``, in order; the first twenty are the contract of the command."""

CSV_DECIMALS: Final = 4
STEADY: Final = 0.01
"""A smaller change over five years is shown as no change; the numbers themselves are in CSV and JSON."""
THIN: Final = 0.25
"""Share of the inputs below which a territory outside the ILO is left out of the table; CSV and JSON have it."""
NAME_WIDTH: Final = 22
ARROWS: Final = {"up": "↑", "down": "↓", "same": "="}
ASCII_ARROWS: Final = {"up": "^", "down": "v", "same": "="}
MARKS: Final = {"in_force": "y", "ratified": "d", "not_ratified": "-", "denounced": "x"}


@click.command(cls=SpokenCommand)
@on_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="What to print.")
@click.option(
    "--hazard",
    type=click.Choice([hazard.value for hazard in HAZARDS]),
    default=Hazard.FORCED_LABOUR.value,
    show_default=True,
    help="Order of the rows: worst first on this hazard.",
)
@click.option("--country", "wanted", multiple=True, metavar="CODE", help="Only this country; may be repeated.")
@listing_options
def command(
    on: date | None, form: str, hazard: str, wanted: tuple[str, ...], lang: str, quiet: bool, as_json: bool
) -> None:
    """Show the country index: structure, process and outcome, both hazards.

    The index lies between 0 and 1; higher is worse. It is absolute: a country's
    value does not depend on the list of the others.

    \b
    Example:
      vigilance countries --on 2026-11-01
      vigilance countries --country QAT --country IND --format csv
    """
    with use(lang):
        day = on or today()
        form = "json" if as_json else form
        frame, meta = _index(day, lang, Hazard(hazard), wanted)
        left_out = 0
        if form == "table" and not wanted:
            kept = frame.filter(~_thin(Hazard(hazard)))
            left_out, frame = frame.height - kept.height, kept
        if form == "json":
            click.echo(json.dumps({**meta, "countries": frame.to_dicts()}, ensure_ascii=False, indent=1))
        elif form == "csv":
            click.echo(frame.select(COLUMNS).write_csv(float_precision=CSV_DECIMALS), nl=False)
        else:
            click.echo("\n".join(_table(frame, Hazard(hazard), _arrows())))
        if not quiet:
            click.echo(_said(frame, day, form, left_out), err=True)


def _index(day: date, lang: str, hazard: Hazard, wanted: Sequence[str]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Compute the index of the countries of which anything is known, and of all ILO members, worst first."""
    import polars as pl  # noqa: PLC0415 - `--help` stays quick

    from vigilance import reference, rules  # noqa: PLC0415
    from vigilance.scoring.country import country_index  # noqa: PLC0415
    from vigilance.scoring.country_term import country_rates  # noqa: PLC0415

    facts, judgements = reference.load().in_force(day), rules.load().in_force(day)
    names = facts.table("countries").select("iso3", "iso2", "name_en", "name_fr", "ilo_member")
    index = country_index(facts, judgements)
    rates = country_rates(facts, judgements, index).to_native()
    frame = index.to_native().join(rates, on="iso3", how="left").join(names, on="iso3", how="left")
    known = pl.any_horizontal(pl.col(f"{each}_index").is_not_null() for each in HAZARDS)
    frame = frame.filter(known | pl.col("ilo_member"))
    if wanted:
        frame = frame.filter(pl.col("iso3").is_in(places.countries(facts, wanted)))
    frame = frame.with_columns(pl.col(f"name_{lang}").alias("name")).select(COLUMNS)
    frame = frame.sort(f"{hazard}_index", "iso3", descending=[True, False], nulls_last=True)
    return frame, _meta(facts, judgements.digest)


def _thin(hazard: Hazard) -> pl.Expr:
    """Whether a country outside the ILO is known by so little that its place in a list would mislead."""
    import polars as pl  # noqa: PLC0415

    outside = pl.all_horizontal(pl.col(code).is_null() for code in CONVENTIONS)
    return outside & (pl.col(f"{hazard}_coverage") < THIN)


def _meta(facts: Facts, rules_digest: str) -> dict[str, Any]:
    return {"on": facts.on.isoformat(), "facts": facts.digest, "rules": rules_digest}


def _arrows() -> dict[str, str]:
    """Choose arrows that the terminal can print."""
    try:
        "".join(ARROWS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII_ARROWS
    return ARROWS


def _table(frame: pl.DataFrame, hazard: Hazard, arrows: dict[str, str]) -> list[str]:
    """Lay the rows out in lines of at most 80 characters: the hazard asked for with its parts, the other beside."""
    other = next(each for each in HAZARDS if each is not hazard)
    titles = {Hazard.FORCED_LABOUR: _("forced labour"), Hazard.CHILD_LABOUR: _("child labour")}
    parts = "".join(f"{title:>7}" for title in (_("struct"), _("proc."), _("outc."), _("known")))
    country, index_title, treaty = _("country"), _("index"), _("treaty")
    lines = [
        f"{'':{NAME_WIDTH + 4}}  {titles[hazard]:<36}  {titles[other]}",
        f"{'#':>3} {country:<{NAME_WIDTH}}  {index_title:<6}  {parts}  {index_title:<6}  {treaty}",
    ]
    for place, row in enumerate(frame.iter_rows(named=True), start=1):
        values = [_number(row[f"{hazard}_{part}"]) for part in ("structure", "process", "outcome")]
        shown = "".join(f"{text:>7}" for text in (*values, percent(row[f"{hazard}_coverage"], 0)))
        treaties = "".join(MARKS.get(row[code], " ") for code in CONVENTIONS)
        index, beside = _moved(row, hazard, arrows), _moved(row, other, arrows)
        lines.append(f"{place:>3} {_cut(row['name']):<{NAME_WIDTH}}  {index}  {shown}  {beside}  {treaties}".rstrip())
    return lines


def _cut(name: str) -> str:
    return name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "."


def _number(value: float | None) -> str:
    return "-" if value is None else number(value, 2)


def _moved(row: dict[str, Any], hazard: Hazard, arrows: dict[str, str]) -> str:
    """Show an index and its direction over five years."""
    now, before = row[f"{hazard}_index"], row[f"{hazard}_index_5_years_before"]
    if now is None or before is None:
        return f"{_number(now):<6}"
    change = now - before
    way = "same" if abs(change) < STEADY else "up" if change > 0 else "down"
    return f"{number(now, 2)} {arrows[way]}"


def _said(frame: pl.DataFrame, day: date, form: str, left_out: int) -> str:
    lines = [_("Country index on {on}, countries: {n}. Higher is worse.").format(on=day.isoformat(), n=frame.height)]
    if form == "table":
        lines.append(
            _(
                "Arrows: change over five years. known: share of the inputs.\n"
                "treaty: C029 C105 C138 C182 P029; y in force, d deposited, - not ratified, x denounced."
            )
        )
    if left_out:
        lines.append(_("Hardly known territories left out: {n}; they are in --format csv.").format(n=left_out))
    return "\n".join(lines)
