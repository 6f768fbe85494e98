"""What a person reads after ``vigilance score``: 80 columns, plain text, no colour needed to understand it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import polars as pl

from vigilance.cli.figures import chance, number, percent
from vigilance.cli.options import colour, shown
from vigilance.i18n import messages
from vigilance.terms import BANDS, GRADES, HAZARDS

if TYPE_CHECKING:
    from vigilance.pipeline import Outcome

_ = messages("cli")

WIDTH: Final = 80
BAR: Final = 24
TOP: Final = 5
PRINTED_ISSUES: Final = 8
FIXED_SPACES: Final = "\u00a0\u202f"
COLOURS: Final = {"severe": "red", "high": "yellow", "moderate": "cyan", "low": "green"}


def words() -> dict[str, str]:
    """Hazards, bands and severities in the language in use."""
    return {
        "forced_labour": _("Forced labour"),
        "child_labour": _("Child labour"),
        "severe": _("severe"),
        "high": _("high"),
        "moderate": _("moderate"),
        "low": _("low"),
        "error": _("error"),
        "warning": _("warning"),
        "info": _("note"),
    }


def tell(outcome: Outcome, asked_for: Path | None) -> None:
    """Print the summary of a run."""
    del asked_for
    said = words()
    meta, summary = outcome.run.meta, outcome.summary
    counts = meta["counts"]
    head = _("{sites} sites scored as of {on}").format(sites=number(summary.sites), on=meta["on"])
    if counts["set_aside"]:
        head += ", " + _("rows set aside: {count}").format(count=number(counts["set_aside"]))
    click.echo(head)
    for hazard in HAZARDS:
        click.echo("")
        click.echo(_bold(said[hazard]))
        _bands(summary.bands[hazard], said)
        _grades(summary.grades[hazard])
        _worst(summary.top[hazard], hazard, said)
    _issues(outcome.issues, said)
    click.echo("")
    if outcome.already:
        click.echo(_("The same inputs, rules and facts were scored before: nothing was written."))
    click.echo(_("Run: {path}").format(path=shown(outcome.run.path)))
    for warning in meta["warnings"]:
        click.echo(_wrapped(f"! {warning}", "  "), err=True)


def _bold(text: str) -> str:
    return click.style(text, bold=True) if colour() else text


def _bands(counted: dict[str, int], said: dict[str, str]) -> None:
    total = max(sum(counted.values()), 1)
    for band in reversed(BANDS):
        count = counted[band]
        bar = "#" * max(round(BAR * count / total), 1 if count else 0)
        line = f"  {said[band]:<10}{number(count):>10}  {percent(count / total):>7}  "
        click.echo((line + (click.style(bar, fg=COLOURS[band]) if colour() and bar else bar)).rstrip())


def _grades(counted: dict[str, int]) -> None:
    listed = "  ".join(f"{grade} {number(counted[grade])}" for grade in GRADES)
    click.echo(f"  {_('evidence grade')}  {listed}")


def _worst(top: pl.DataFrame, hazard: str, said: dict[str, str]) -> None:
    """The sites at the top, with their interval and why."""
    click.echo(f"  {_('Highest risk: probability that someone is affected, P80 [P05 to P95]')}")
    for row in top.head(TOP).iter_rows(named=True):
        name = f"{row['supplier_id']} {row['_name'] or ''}".strip()
        low, mid, high = (row[f"{hazard}_{q}"] for q in ("p05", "p80", "p95"))
        numbers = _("{mid} [{low} to {high}]").format(mid=chance(mid), low=chance(low), high=chance(high))
        band, grade = said[row[f"{hazard}_band"]], row[f"{hazard}_grade"]
        left = f"  {_fitted(name, 33):<33} {row['country_iso3']}  {band:<8} {grade}"
        click.echo(f"{left}  {numbers:>22}")
        why = _("; ").join(row[f"{hazard}_driver_{i}"] for i in (1, 2, 3) if row[f"{hazard}_driver_{i}"])
        click.echo(f"      {_fitted(why, WIDTH - 6)}")


def _fitted(text: str, width: int) -> str:
    clean = "".join(c if c.isprintable() else " " if c in FIXED_SPACES else "·" for c in text)
    return clean if len(clean) <= width else clean[: width - 1] + "…"


def _issues(found: pl.DataFrame, said: dict[str, str]) -> None:
    """What was set aside or repaired, the same problem over many rows as one line."""
    if not found.height:
        return
    grouped = (
        found.group_by("severity", "code", "file", "message", maintain_order=True)
        .agg(pl.len().alias("count"), pl.col("row", "column", "value", "hint").first())
        .with_columns(order=pl.col("severity").replace_strict({"error": 0, "warning": 1, "info": 2}))
        .sort("order", "count", descending=[False, True], maintain_order=True)
    )
    click.echo("")
    click.echo(_bold(_("What was found in the input (all of it in issues.csv)")))
    serious = grouped.filter(pl.col("severity") != "info")
    for row in serious.head(PRINTED_ISSUES).iter_rows(named=True):
        click.echo(_wrapped(f"  {_issue(row, said)}", "    "))
    if serious.height > PRINTED_ISSUES:
        click.echo("  " + _("... and {count} more kinds").format(count=number(serious.height - PRINTED_ISSUES)))
    notes = int(grouped.filter(pl.col("severity") == "info")["count"].sum())
    if notes:
        click.echo("  " + _("notes on how cells were read: {count}").format(count=number(notes)))


def _issue(row: dict[str, Any], said: dict[str, str]) -> str:
    place = _("{file}, row {row}").format(file=row["file"], row=number(row["row"])) if row["row"] else row["file"]
    column = f", {row['column']}" if row["column"] else ""
    value = " " + _("“{text}”").format(text=row["value"]) if row["value"] else ""
    more = " " + _("(and {count} more)").format(count=number(row["count"] - 1)) if row["count"] > 1 else ""
    hint = f" → {row['hint']}" if row["hint"] else ""
    where, what = f"{place}{column}{value}", f"{row['message']}{more}{hint}"
    return _("{severity}: {where}: {what}").format(severity=said[row["severity"]], where=where, what=what)


def _wrapped(text: str, indent: str) -> str:
    first = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(text.lstrip(), WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
