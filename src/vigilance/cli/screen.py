"""``vigilance screen``: holdings in, a screened portfolio out; coverage is said before any risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from vigilance.cli.figures import percent
from vigilance.cli.options import FILE, on_option, print_json, set_option, shown, speech_options, today, with_changes
from vigilance.cli.spoken import SpokenCommand
from vigilance.i18n import messages, use
from vigilance.terms import BANDS, HAZARDS

if TYPE_CHECKING:
    from vigilance.portfolio.job import Result

_ = messages("portfolio")

FAILED_ON_BAND: Final = 10
SET_ASIDE: Final = 4
WIDTH: Final = 80
BAR: Final = 24


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("holdings", nargs=-1, required=True, type=FILE)
@click.option("--issuers", type=FILE, help="What issuers declare: country, activity, share, supplier_file.")
@click.option("--suppliers", multiple=True, type=FILE, help="Supplier sites; parent_company says whose they are.")
@click.option("--measures", "--questionnaire", "answers", type=FILE, help="Answers on the four axes, with proof.")
@click.option("--links", type=FILE, help="Who supplies whom: buyer_id, supplier_id, share.")
@click.option("--benchmark", multiple=True, type=FILE, help="Holdings to compare with.")
@click.option("--previous", type=FILE, help="Folder of the last screening, to say what changed.")
@click.option("--matches", type=FILE, help="matches.csv of an earlier run, with its decisions filled in.")
@click.option("--io", "io_table", type=FILE, help="Input-output table saved by pymrio, for the footprint.")
@on_option
@click.option("--out", type=FILE, help="Folder of the screening; a new one beside the input by default.")
@set_option
@click.option("--fail-on", type=click.Choice([str(b) for b in BANDS]), help="Exit 10 if own operations reach it.")
@click.option(
    "--max-rejected", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="Unreadable lines allowed."
)
@click.option("--strict", is_flag=True, help="Refuse the input when any line has an error.")
@click.option("--rules", "rules_path", type=FILE, help="Folder of judgements; the shipped ones by default.")
@click.option("--data", "data_path", type=FILE, help="Folder of facts; the shipped ones by default.")
@speech_options
def command(**given: Any) -> None:
    """Screen a portfolio of holdings for forced-labour and child-labour risk.

    HOLDINGS are fund files as asset managers export them (CSV or Excel), one or
    several funds. How each kind of line is treated: docs/portfolio.md.

    \b
    Examples:
      vigilance screen holdings.csv --on 2026-11-01
      vigilance screen fund.xlsx --issuers issuers.csv --benchmark index.csv
    """
    with use(given["lang"]):
        result = _run(given)
        if given["as_json"]:
            print_json(result.portfolio)
        elif not given["quiet"]:
            tell(result)
        click.get_current_context().exit(_exit_code(result, given["fail_on"]))


def _run(given: dict[str, Any]) -> Result:
    from vigilance import reference, rules  # noqa: PLC0415 - lazily, so that --help stays quick
    from vigilance.portfolio import job  # noqa: PLC0415

    on = given["on"] or today()
    judgements = with_changes(rules.load(given["rules_path"]).in_force(on), given["changed"])
    facts = reference.load(given["data_path"]).in_force(on)
    names = ("out", "lang", "issuers", "suppliers", "answers", "links", "benchmark", "previous", "matches", "io_table")
    wanted = job.Job(
        holdings=given["holdings"],
        on=on,
        max_rejected=given["max_rejected"],
        strict=given["strict"],
        **{name: given[name] for name in names},
    )
    return job.run(wanted, facts, judgements)


def _exit_code(result: Result, fail_on: str | None) -> int:
    if fail_on is not None:
        order = [str(band) for band in BANDS]
        reached = order[order.index(fail_on) :]
        hazards = result.portfolio["hazards"]
        if any(hazards[h]["bands"]["operations"]["unweighted"][band] > 0 for h in HAZARDS for band in reached):
            click.echo(_("own operations of issuers reach the band {band} or above").format(band=_(fail_on)), err=True)
            return FAILED_ON_BAND
    return SET_ASIDE if result.rejected else 0


def tell(result: Result) -> None:
    """Print the screening in 80 columns: coverage first, then each hazard by itself."""
    seen = result.portfolio
    cover = seen["coverage"]
    head = _("{issuers} issuers in {lines} lines, as of {on}")
    click.echo(head.format(issuers=cover["issuers"], lines=cover["lines"], on=seen["run"]["on"]))
    click.echo("")
    _coverage(seen)
    for hazard, title in ((HAZARDS[0], _("Forced labour")), (HAZARDS[1], _("Child labour"))):
        click.echo("")
        click.echo(title)
        _hazard(seen["hazards"][hazard])
    click.echo("")
    if result.already:
        click.echo(_("The same files, rules and facts were screened before: nothing was written."))
    _issues(result)
    click.echo(_("Screening: {path}").format(path=shown(result.path)))


def _coverage(seen: dict[str, Any]) -> None:
    """How much is known and how much assumed, by value."""
    cover, sums = seen["coverage"], seen["reconciliation"]
    click.echo(_("Coverage, by value in scope"))
    titles = {
        "supplier_file": _("its own suppliers"),
        "declared": _("declared footprint"),
        "sector": _("typical of its sector"),
        "domicile": _("country of domicile only"),
        "nothing": _("nothing known"),
    }
    for level, share in cover["value_by_exposure_source"].items():
        _bar(titles[level], share)
    known = _("Known of the issuers themselves: {known}; the rest is assumed.")
    click.echo("  " + known.format(known=percent(cover["known_of_the_issuers_themselves"])))
    click.echo(
        "  " + _("Country and activity found for {n}.").format(n=percent(cover["country_and_activity_resolved"]))
    )
    click.echo("  " + _("Asked about measures: {n}.").format(n=percent(cover["questionnaire_assessed"])))
    apart = _("Weight in scope {a}, set apart {b}, read {c}.")
    parts = (sums["weight_in_scope"], sums["weight_set_apart"], sums["weight_read"])
    click.echo("  " + apart.format(**dict(zip("abc", map(percent, parts), strict=True))))


def _hazard(view: dict[str, Any]) -> None:
    click.echo("  " + _("Own operations, by value and band"))
    words = {"severe": _("severe"), "high": _("high"), "moderate": _("moderate"), "low": _("low")}
    weighted = view["bands"]["operations"]["weighted"]
    for band, word in words.items():
        _bar(word, weighted[band])
    if weighted["not_assessed"]:
        _bar(_("not assessed"), weighted["not_assessed"])
    chain, site = view["presence"]["inherent"], view["share_of_places_at_significant_risk"]
    if chain["p50"] is None:
        return
    text = _("Somewhere from operations to tier 4: {p50} ({p05} to {p95})")
    click.echo("  " + text.format(**{q: percent(chain[q]) for q in ("p50", "p05", "p95")}))
    click.echo("  " + _("Places at significant risk: {n}").format(n=percent(site)))
    for dimension, title in (("issuer", _("issuers")), ("country", _("countries")), ("activity", _("activities"))):
        top = ", ".join(f"{row['label']} {percent(row['share'])}" for row in view["contributions"][dimension][:5])
        click.echo(_fitted("  " + _("{title}: {shares}").format(title=title, shares=top)))


def _bar(title: str, share: float) -> None:
    filled = "█" * int(share * BAR + 0.5)
    click.echo(_fitted(f"    {title:<26} {filled:<{BAR}} {percent(share):>8}"))


def _issues(result: Result) -> None:
    counts: dict[str, int] = {}
    for severity in result.issues["severity"].to_list():
        counts[severity] = counts.get(severity, 0) + 1
    if counts:
        said = {"error": _("errors"), "warning": _("warnings"), "info": _("notes")}
        text = ", ".join(f"{counts[s]} {said[s]}" for s in said if s in counts)
        click.echo(_("{counts}: see issues.csv").format(counts=text))


def _fitted(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
