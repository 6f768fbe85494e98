"""``vigilance data``: list, show, check and import the facts."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import polars as pl

from vigilance import issues, reference, tables
from vigilance.cli.figures import number
from vigilance.cli.options import FILE, Day, listing_options
from vigilance.cli.spoken import SpokenGroup, group_language
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import language, messages, use
from vigilance.publishers import refresh, registry

_ = messages("data")

F = TypeVar("F", bound=Callable[..., Any])
WIDTH: Final = 80
EXAMPLES: Final = 5
"""Rows shown of each kind of change; all are counted."""


def _common(function: F) -> F:
    """The options that every command of this group takes."""
    folder = click.option("--data", "folder", type=FILE, metavar="DIR", help="Facts of your own; see import.")
    return folder(listing_options(function))


def _root(folder: Path | None) -> Path:
    return reference.default_data() if folder is None else folder


@click.group(cls=SpokenGroup)
@group_language
def command() -> None:
    """List, show, check and import the facts: tables with sources and dates.

    \b
    Example:
      vigilance data list
      vigilance data show ratifications --where iso3=CHN --on 2023-01-01
      vigilance data import ratifications C029.csv --yes
    """


@command.command("list")
@_common
def list_(folder: Path | None, as_json: bool, lang: str, quiet: bool) -> None:
    """List the tables: rows, as-of date, and whether a publisher's file fills them.

    \b
    Example:
      vigilance data list --lang fr
    """
    del quiet
    with use(lang):
        cards = tables.read_cards(_root(folder))
        if as_json:
            click.echo(_json([_summary(card) for card in cards.values()]))
            return
        for name, card in cards.items():
            mark = "*" if name in registry.READERS else " "
            click.echo(f"{name:<23}{mark}{card.rows:>6}  {card.as_of}  {_cut(_title(card), 35)}")
        click.echo(_("* a publisher's own file fills it: vigilance data import TABLE FILE"))


def _title(card: tables.Card) -> str:
    return card.title.fr if language() == "fr" else card.title.en


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _summary(card: tables.Card) -> dict[str, Any]:
    return {
        "table": card.table,
        "title": _title(card),
        "rows": card.rows,
        "as_of": card.as_of.isoformat(),
        "licence": card.licence,
        "importable": card.table in registry.READERS,
        "sha256": card.sha256,
    }


@command.command("show")
@click.argument("table")
@click.option("--on", type=Day(), help="Only what was known on this date.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only rows with this value; may be repeated.")
@click.option("--rows", "limit", type=click.IntRange(min=0), default=10, show_default=True, help="Rows to print.")
@_common
def show(
    table: str,
    on: date | None,
    where: tuple[str, ...],
    limit: int,
    folder: Path | None,
    as_json: bool,
    lang: str,
    quiet: bool,
) -> None:
    """Show a table: what it holds, from where, on what terms, its gaps and rows.

    \b
    Example:
      vigilance data show ratifications --where iso3=CHN
      vigilance data show goods --where edition=2022 --rows 50 --json
    """
    with use(lang):
        root = _root(folder)
        cards = tables.read_cards(root)
        columns = tables.columns_of(cards, table)
        facts = reference.load(root)
        frame = facts.table(table) if on is None else facts.in_force(on).table(table)
        frame = _matching(frame, where)
        shown = frame.head(limit)
        if as_json:
            rows = json.loads(shown.write_json())
            click.echo(_json({**cards[table].model_dump(mode="json"), "matching": frame.height, "data": rows}))
            return
        if not quiet:
            _print_card(cards[table], columns)
        _print_rows(shown)
        if not quiet:
            told = _("rows shown: {shown} of {all}")
            click.echo(told.format(shown=shown.height, all=number(frame.height)), err=True)


def _matching(frame: pl.DataFrame, where: Iterable[str]) -> pl.DataFrame:
    for condition in where:
        column, sign, value = condition.partition("=")
        if not sign or column not in frame.columns:
            raise UsageError(
                _("{condition} is not COLUMN=VALUE").format(condition=repr(condition)),
                hint=_("columns: {names}").format(names=", ".join(frame.columns)),
            )
        frame = frame.filter(pl.col(column).cast(pl.String) == value)
    return frame


def _print_card(card: tables.Card, columns: Iterable[tables.Column]) -> None:
    click.echo(click.style(f"{card.table}: {_title(card)}", bold=True))
    click.echo(textwrap.fill(card.description, WIDTH))
    click.echo()
    for column in columns:
        unit = f" [{column.unit}]" if column.unit else ""
        mark = "*" if column.name in card.key else " "
        head = f"{mark} {column.name}"
        text = textwrap.wrap(f"{column.type}{unit}: {column.meaning}", WIDTH - 28)
        click.echo(f"{head:<27} {text[0]}" if len(head) < 27 else f"{head}\n{' ' * 28}{text[0]}")
        for line in text[1:]:
            click.echo(" " * 28 + line)
    click.echo()
    for source in card.sources:
        told = [source.publisher, source.title, source.url or "", source.licence]
        click.echo(_wrapped("; ".join(part for part in told if part), _("source: ")))
    click.echo(_wrapped(card.licence, _("licence: ")))
    line = _("as of {as_of}; {rows} rows; sha256 {sha256}…")
    click.echo(line.format(as_of=card.as_of, rows=card.rows, sha256=card.sha256[:12]))
    for gap in card.known_gaps:
        click.echo(_wrapped(gap, _("gap: ")))
    click.echo()


def _wrapped(text: str, head: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent="  ", break_long_words=False)


def _print_rows(frame: pl.DataFrame) -> None:
    """Rows one under the other, ``column: value``, so that a wide table stays readable at 80 columns."""
    for row in frame.iter_rows(named=True):
        told = [f"{name}: {issues.shown(value)}" for name, value in row.items() if value is not None]
        click.echo(_wrapped(" | ".join(told), "- "))


@command.command("check")
@click.option("--write", is_flag=True, help="Record the sha256 of tables edited by hand in cards and manifest.")
@_common
def check(write: bool, folder: Path | None, as_json: bool, lang: str, quiet: bool) -> None:
    """Check every table against its card, its sha256 and the tables it refers to.

    \b
    Example:
      vigilance data check
      vigilance data check --write
    """
    with use(lang):
        root = _root(folder)
        if write:
            stale = refresh.record(root)
            if not quiet and not as_json:
                click.echo(_("recorded: {names}").format(names=", ".join(stale) or _("nothing had changed")))
        found = tables.check_all(root)[1]
        if as_json:
            click.echo(_json(json.loads(found.write_json())))
        else:
            for record in found.head(100).iter_rows(named=True):
                click.echo(_line(record), err=True)
        if found.height:
            raise InputRefused(_("{count} problems in the facts at {root}").format(count=found.height, root=root))
        if not quiet and not as_json:
            click.echo(_("{count} tables fit their cards").format(count=len(tables.read_cards(root))))


def _line(record: dict[str, Any]) -> str:
    place = ", ".join(str(part) for part in (record["file"], record["row"], record["column"]) if part)
    value = f" ({record['value']})" if record["value"] else ""
    severity = {"error": _("error"), "warning": _("warning"), "info": _("note")}[record["severity"]]
    return _("{severity}: {place}: {message}").format(
        severity=severity, place=place, message=f"{record['message']}{value}"
    )


@command.command("import")
@click.argument("table")
@click.argument("file", type=FILE)
@click.option("--as-of", type=Day(), help="Day the file was published, where it does not say so itself.")
@click.option("--yes", is_flag=True, help="Write without asking; needed where there is no terminal.")
@_common
def import_(
    table: str,
    file: Path,
    as_of: date | None,
    yes: bool,
    folder: Path | None,
    as_json: bool,
    lang: str,
    quiet: bool,
) -> None:
    """Read a publisher's own FILE into TABLE: check it, show what changes, keep the old table.

    Tables: ratifications (NORMLEX), goods and ilab_findings (US DOL ILAB),
    country_indicators (World Bank, V-Dem, ILOSTAT), trafficking_tiers (US State
    Department), enforcement (US CBP, UFLPA list). With --data DIR a copy of the
    facts is made in DIR and changed there; VIGILANCE_DATA=DIR then uses it.

    \b
    Example:
      vigilance data import ratifications C029.csv
      vigilance data import goods list-of-goods.xlsx --as-of 2024-09-05 --yes
    """
    with use(lang):
        root = reference.default_data()
        target = root if folder is None else refresh.copy_of(root, folder)
        proposal = refresh.propose(target, table, file, as_of)
        if not as_json and not quiet:
            _print_proposal(proposal)
        kept = refresh.apply(target, proposal) if _wanted(proposal, yes=yes, ask=not as_json) else None
        if as_json:
            click.echo(_json(_told(proposal, kept)))
        elif not quiet or (kept is None and not proposal.empty):
            _print_outcome(proposal, kept, target)


def _wanted(proposal: refresh.Proposal, *, yes: bool, ask: bool) -> bool:
    """Whether to write: when told so, or when a person at a terminal says so."""
    if proposal.empty or yes:
        return not proposal.empty
    return ask and sys.stdin.isatty() and sys.stdout.isatty() and click.confirm(_("Write this?"))


def _told(proposal: refresh.Proposal, kept: Path | None) -> dict[str, Any]:
    return {
        "table": proposal.card.table,
        "publisher": proposal.reading.publisher,
        "written": kept is not None,
        "previous": str(kept) if kept else None,
        "added": proposal.added.height,
        "changed": proposal.changed["key"].n_unique(),
        "removed": proposal.removed.height,
        "confirmed": proposal.confirmed,
        "changes": json.loads(proposal.changed.write_json()),
        "issues": json.loads(proposal.reading.issues.write_json()),
    }


def _print_proposal(proposal: refresh.Proposal) -> None:
    click.echo(
        _(
            "{table}, as {publisher} has it: added {added}, changed {changed}, removed {removed}, confirmed {confirmed}"
        ).format(
            table=proposal.card.table,
            publisher=proposal.reading.publisher,
            added=number(proposal.added.height),
            changed=number(proposal.changed["key"].n_unique()),
            removed=number(proposal.removed.height),
            confirmed=number(proposal.confirmed),
        )
    )
    for record in proposal.reading.issues.head(EXAMPLES * 2).iter_rows(named=True):
        click.echo(_line(record), err=True)
    for sign, frame in (("+", proposal.added), ("-", proposal.removed)):
        keys = list(proposal.card.key)
        for row in frame.select(keys).head(EXAMPLES).iter_rows():
            click.echo(f"  {sign} {' '.join(map(str, row))}")
        if frame.height > EXAMPLES:
            click.echo(f"  {sign} …")
    for change in proposal.changed.head(EXAMPLES).iter_rows(named=True):
        click.echo(f"  ~ {change['key']}: {change['column']}: {change['before'] or '-'} → {change['after'] or '-'}")
    if proposal.changed.height > EXAMPLES:
        click.echo("  ~ …")


def _print_outcome(proposal: refresh.Proposal, kept: Path | None, root: Path) -> None:
    if proposal.empty:
        click.echo(_("nothing changes: the table says the same already"))
    elif kept is None:
        click.echo(_("nothing was written: add --yes to write"), err=True)
    else:
        click.echo(_("written to {root}; the old table is kept as {kept}").format(root=root, kept=kept.name))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
