"""The explanation of one site as a note that a person can defend: every line with its range, and where it is from.

A line refers to its sources by number; they stand in full under the last hazard, so that nothing is cut at 80 columns.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Final

import click

from vigilance import drivers
from vigilance.cli.figures import chance, number
from vigilance.cli.options import EVIDENCE
from vigilance.cli.summary import words
from vigilance.i18n import messages
from vigilance.scoring.evidence_words import label
from vigilance.terms import HAZARDS

_ = messages("cli")

WIDTH: Final = 80
NAME: Final = 31
SHOWN_OPTIONS: Final = 3
FIRST_DAY: Final = "-01-01"
"""What holds since the first day of a year is said by its year."""


class Notes:
    """The sources that the lines name, numbered in the order in which they are first met."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self.titles = titles
        self.numbers: dict[str, int] = {}

    def mark(self, source: str) -> str:
        """The numbers of a line's sources, such as ``[2,5]``; a line of judgements names several by their ids."""
        parts = source.split()
        named = parts if all(part in self.titles for part in parts) else [source]
        return f"[{','.join(str(self.numbers.setdefault(name, len(self.numbers) + 1)) for name in named)}]"

    def listed(self) -> Iterable[str]:
        """One paragraph a source, in the order of the numbers."""
        for name, place in self.numbers.items():
            head = f"  [{place}] "
            own = _("your table of {name}").format(name=name) if name in EVIDENCE else name
            yield textwrap.fill(
                self.titles.get(name, own),
                WIDTH,
                initial_indent=f"{head:<7}",
                subsequent_indent=" " * 7,
                break_long_words=False,
                break_on_hyphens=False,
            )


def tell(found: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Print the explanation of one site at 80 columns.

    ``found`` is what ``explanation.site`` gives, with ``options`` where asked for; ``titles`` the sources of the
    judgements by their ids.
    """
    said, notes = words(), Notes(titles)
    where = _("{country}, ISIC division {division}, tier {tier}; as of {on}").format(
        country=found["country_iso3"],
        division=found["isic_division"],
        tier=found["tier_used"] or _("unknown"),
        on=found["on"],
    )
    click.echo(f"{found['supplier_id']}  {found['name'] or ''}".rstrip())
    click.echo(where)
    for hazard in map(str, HAZARDS):
        of_hazard = found["hazards"][hazard]
        click.echo("")
        click.echo(
            _("{hazard}: score {score} of 100, band {band}, evidence grade {grade}").format(
                hazard=said[hazard],
                score=number(of_hazard["score"], 1),
                band=said[of_hazard["band"]],
                grade=of_hazard["grade"],
            )
        )
        click.echo(f"  {_('line'):<{NAME}} {_('ratio'):>8}  {_('90 % range'):>11}  {_('sources, since')}")
        for step in of_hazard["steps"]:
            _line(step, notes)
        _end(of_hazard)
        _options([option for option in found.get("options", ()) if option["hazard"] == hazard], said)
    click.echo("")
    click.echo(_("Sources"))
    for text in notes.listed():
        click.echo(text)
    country = found["country_iso3"]
    click.echo(
        _("What the country's index is made of: vigilance countries --country {country}").format(country=country)
    )


def _line(step: Mapping[str, Any], notes: Notes) -> None:
    name = label(step["factor"]) if step["step"] == "evidence" else drivers.title(step["factor"])
    if step["factor"] == "base":
        value = number(step["ratio"] * 1000, 1) + " ‰"
        bounds = f"{number(step['low'] * 1000, 1)}-{number(step['high'] * 1000, 1)}"
    else:
        value, bounds = drivers.ratio(step["ratio"]), f"{number(step['low'], 2)}-{number(step['high'], 2)}"
    bounds = bounds if step["low"] < step["high"] else "-"
    since = str(step["since"] or "").removesuffix(FIRST_DAY)
    *above, last = textwrap.wrap(name, NAME) or [""]
    for place, part in enumerate((*above, last)):
        mark = "?" if place == 0 and not step["known"] else " "
        values = f" {value:>8}  {bounds:>11}  {notes.mark(step['source'])} {since}" if part is last else ""
        click.echo(f" {mark}{part:<{NAME}}{values}".rstrip())


def _end(of_hazard: Mapping[str, Any]) -> None:
    click.echo(_("  = rate: {rate} per 1,000 workers within a year").format(rate=number(of_hazard["rate"] * 1000, 1)))
    told = {name: chance(of_hazard[name]) for name in ("p0", "p05", "p50", "p80", "p95")}
    click.echo(_("  → probability that someone is affected, before evidence: {p0}").format(**told))
    click.echo(_("  → with evidence: {p50} [{p05} to {p95}]; P80, which sets the band: {p80}").format(**told))
    if of_hazard["override"]:
        click.echo(_("  ! band raised: {why}").format(why=drivers.override(of_hazard["override"])))
    if any(not step["known"] for step in of_hazard["steps"]):
        click.echo(_("  ? nothing was stated: the line stands for an average, and widens the interval"))


def _options(options: list[dict[str, Any]], said: Mapping[str, str]) -> None:
    """What would lower the P80, the strongest first, and the smallest change that moves the band."""
    if not options:
        return
    actions = {"end": _("end it"), "find_out": _("find out that there is none")}
    click.echo(_("  What would lower the P80, now {now}:").format(now=chance(options[0]["p80_now"])))
    moving = [option for option in options if option["moves_band"]]
    smallest = moving[-1] if moving else None
    strongest = options[:SHOWN_OPTIONS]
    for option in [*strongest, *([smallest] if smallest and smallest not in strongest else [])]:
        told = _("{factor}: {action} → {p80}, {band}").format(
            factor=drivers.title(option["factor"]),
            action=actions[option["action"]],
            p80=chance(option["p80"]),
            band=said[option["band"]],
        )
        click.echo(f"  {'*' if option is smallest else ' '} {told}")
    if smallest is not None:
        click.echo(_("  * the smallest single change that moves the band"))
