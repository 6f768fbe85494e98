"""``vigilance explain``: the product behind one site's scores, line by line."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, Final

import click

from vigilance.cli.options import print_json, speech_options
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import language, messages, use
from vigilance.terms import HAZARDS

_ = messages("cli")

WIDTH: Final = 80


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("supplier_id")
@click.option("--run", "run_path", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option(
    "--rules",
    "rules_path",
    type=click.Path(path_type=Path),
    help="Judgements that the run used, if not the shipped ones.",
)
@click.option(
    "--data", "data_path", type=click.Path(path_type=Path), help="Facts that the run used, if not the shipped ones."
)
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
        if not as_json or options:
            from vigilance import whatif  # noqa: PLC0415 - only where somebody asks what could be done
            from vigilance.scoring.model import build  # noqa: PLC0415

            model = build(*explanation.basis(opened, rules_path, data_path))
            found["options"] = whatif.options(opened, supplier_id, model)
        if as_json:
            print_json(found)
        elif not quiet:
            tell(found)


def tell(found: dict[str, Any]) -> None:
    """Print the explanation of one site at 80 columns."""
    from vigilance.cli.summary import words  # noqa: PLC0415 - only for a person

    said = words()
    where = f"{found['country_iso3']}, ISIC {found['isic_division']}, {_('tier')} {found['tier_used'] or '?'}"
    click.echo(f"{found['supplier_id']}  {found['name']}  ({where})  {_('as of')} {found['on']}")
    for hazard in HAZARDS:
        said_of = found["hazards"][str(hazard)]
        click.echo("")
        head = _("{hazard}: score {score}, {band}, evidence {grade}").format(
            hazard=said[str(hazard)],
            score=number(said_of["score"], 1),
            band=said[said_of["band"]],
            grade=said_of["grade"],
        )
        click.echo(head)
        for step in said_of["steps"]:
            _line(step)
        _end(said_of)
        _options([option for option in found.get("options", ()) if option["hazard"] == str(hazard)], said)


def number(value: float, digits: int) -> str:
    """A number with the decimal sign of the language in use."""
    text = f"{value:,.{digits}f}".replace(",", " ")
    return text.replace(".", ",") if language() == "fr" else text


def _line(step: dict[str, Any]) -> None:
    from vigilance.drivers import ratio, title  # noqa: PLC0415 - only for a person
    from vigilance.scoring.evidence_words import label  # noqa: PLC0415

    name = label(step["factor"]) if step["step"] == "evidence" else title(step["factor"])
    if step["factor"] == "base":
        value = number(step["ratio"] * 1000, 2) + " ‰"
        bounds = f"{number(step['low'] * 1000, 1)}-{number(step['high'] * 1000, 1)}"
    else:
        value, bounds = ratio(step["ratio"]), f"{number(step['low'], 2)}-{number(step['high'], 2)}"
    mark = " " if step["known"] else "?"
    source = textwrap.shorten(f"{step['source']} ({step['since']})", 24, placeholder="…")
    click.echo(f" {mark}{name:<29.29} {value:>9}  {bounds:>11}  {source}")


def _end(said_of: dict[str, Any]) -> None:
    from vigilance.drivers import override  # noqa: PLC0415 - only for a person

    rate = number(said_of["rate"] * 1000, 2)
    click.echo(_("  = rate {rate} per 1,000 workers within a year").format(rate=rate))
    percent = {name: number(said_of[name] * 100, 2) for name in ("p0", "p05", "p50", "p80", "p95")}
    click.echo(_("  → presence before evidence {p0} %").format(**percent))
    click.echo(_("  → presence {p50} % [{p05}-{p95}], P80 {p80} %").format(**percent))
    if said_of["override"]:
        click.echo(_("  ! band raised: {why}").format(why=override(said_of["override"])))
    if any(not step["known"] for step in said_of["steps"]):
        click.echo(_("  ? nothing was stated: the line stands for an average, and widens the interval"))


def _options(options: list[dict[str, Any]], said: dict[str, str]) -> None:
    """What would lower the P80, the strongest first, and the smallest change that moves the band."""
    from vigilance.drivers import title  # noqa: PLC0415 - only for a person

    if not options:
        return
    actions = {"end": _("end it"), "find_out": _("find out that there is none")}
    click.echo(_("  What would lower it (P80 now {now} %):").format(now=number(options[0]["p80_now"] * 100, 2)))
    moving = [option for option in options if option["moves_band"]]
    smallest = moving[-1] if moving else None
    shown = [*options[:3], *([smallest] if smallest and smallest not in options[:3] else [])]
    for option in shown:
        mark = "*" if option is smallest else " "
        click.echo(
            f"  {mark} {title(option['factor'])}: {actions[option['action']]} → "
            f"{number(option['p80'] * 100, 2)} %, {said[option['band']]}"
        )
    if smallest is not None:
        click.echo(_("  * the smallest single change that moves the band"))
