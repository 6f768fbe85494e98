"""The section of a validation report on a ranking of countries that somebody else keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from vigilance.calibrate import figures, rankings, words
from vigilance.calibrate.rankings import Compared
from vigilance.calibrate.written import count, number, table
from vigilance.i18n import messages
from vigilance.report import wording
from vigilance.report.document import Block, Bullets, Chart, Section, Table, Text

_ = messages("calibrate")

LISTED: Final = 40
"""Countries that the ranking leaves out and that are listed; all of them are in ``validation.json``."""


def section(found: Compared) -> Section:
    """How far index and rate agree with the ranking, what plainer measures do, where they differ most."""
    made: list[Block] = [Text(_lead(found), "lead")]
    if (bar := found.bar) is not None:
        made += _against_the_bar(found, bar)
    made += [_drawn(found), _results(found), _against(found), _regions(found)]
    made += [*_differences(found), *_left_out(found)]
    note = _(
        "Such rankings are models too, often made from the same publishers as our inputs: agreement is no independent "
        "proof, and disagreement shows no error by itself. Only orders are compared; nothing was fitted to them."
    )
    return Section(_("Against a ranking kept by others"), [*made, Text(note, "note")])


def _lead(found: Compared) -> str:
    higher = _(
        "{file}, column {column}, higher is worse: {ranked} countries have a value, of {known} of them something is "
        "known here. Rank correlation (Spearman) with the forced-labour index {forced}, with the rate that scores "
        "start from {forced_rate}; with the child-labour index {child}, with its rate {child_rate}."
    )
    lower = _(
        "{file}, column {column}, lower is worse: {ranked} countries have a value, of {known} of them something is "
        "known here. Rank correlation (Spearman) with the forced-labour index {forced}, with the rate that scores "
        "start from {forced_rate}; with the child-labour index {child}, with its rate {child_rate}."
    )
    whole = dict(found.results.select("predictor", "all").iter_rows())
    return (lower if found.given.lower_is_worse else higher).format(
        file=wording.plain(found.source.file, wording.LONGEST_NAME),
        column=wording.plain(found.column, wording.LONGEST_NAME),
        ranked=count(found.ranked),
        known=count(found.ranked - len(found.unknown)),
        forced=number(whole["forced_labour_index"]),
        forced_rate=number(whole["forced_labour_rate"]),
        child=number(whole["child_labour_index"]),
        child_rate=number(whole["child_labour_rate"]),
    )


def _against_the_bar(found: Compared, bar: float) -> Iterator[Block]:
    """How far index and rate of the hazard are from the bar of this kind of ranking, and why if they fall short."""
    named, short = words.ranked(), False
    rows = []
    for name in (f"{found.given.hazard}_index", f"{found.given.hazard}_rate"):
        reached = found.results.row(by_predicate=pl.col("predictor") == name, named=True)["all"]
        by = None if reached is None else bar - reached
        if by is not None and by <= 0:
            rows.append(_("{name}: {value}, reaches the bar").format(name=named[name], value=number(reached)))
        elif by is not None:
            short = True
            rows.append(
                _("{name}: {value}, short by {by}").format(name=named[name], value=number(reached), by=number(by))
            )
    told = _("The bar for a ranking of {kind} is {bar}.").format(
        kind=words.rankings_of()[str(found.given.kind)], bar=wording.number(bar, 2)
    )
    yield Text(told, "gap" if short else "")
    yield Bullets([*rows, *(_why_short(str(found.given.kind)) if short else ())])


def _why_short(kind: str) -> list[str]:
    """What is known to part our order from a ranking of a kind."""
    if kind == rankings.PREVALENCE:
        return [
            _(
                "The index holds the conditions of a country on one scale for the world. Published prevalence starts "
                "from totals by region, which differ otherwise; scores add them by the region's rate."
            ),
            _(
                "The rate stands on the newest estimates by region. Against a ranking made from older ones it may do "
                "worse than the index."
            ),
            _(
                "Prevalence by Walk Free and the rates by region come from the same estimates: there the rate is no "
                "independent check."
            ),
        ]
    return [
        _(
            "Vulnerability has no totals by region: the rate, which has, is not meant to order countries as it does. "
            "Read the index."
        ),
        _(
            "Labour imposed by States and sponsorship of migrants are in the index; rankings of vulnerability mostly "
            "have no such variable, and those countries stand higher with us."
        ),
        _(
            "Violence by criminals (gangs, extortion) and inequality are not in the index; such countries stand "
            "lower with us."
        ),
    ]


def _drawn(found: Compared) -> Chart:
    name = f"{found.given.hazard}_index"
    places = found.places.filter(predictor=name)
    caption = _("{name}: {n} countries by their places here and in the ranking.").format(
        name=words.ranked()[name], n=count(places.height)
    )
    most = found.differences.filter(predictor=name)["iso3"].to_list()
    told = _("On the dashed line both agree. Above it a country is worse here; those that differ most are named.")
    return Chart("rankings", caption, told, figures.places(places, most))


def _results(found: Compared) -> Table:
    named = words.ranked()
    rows = [
        [named[row["predictor"]], count(row["countries"]), _range(row, "all"), _range(row, "inside")]
        for row in found.results.iter_rows(named=True)
    ]
    titles = [_("higher is worse"), _("countries"), _("all"), _("inside regions")]
    note = _(
        "90 % intervals resample countries. Inside regions: places are counted within each ILO region, then all "
        "regions are taken together."
    )
    return table(_("Rank correlation (Spearman)"), titles, rows, note)


def _against(found: Compared) -> Table:
    named = words.ranked()
    rows = [
        [named[row["predictor"]], named[row["baseline"]], count(row["countries"]), _range(row, "difference")]
        for row in found.against.iter_rows(named=True)
    ]
    titles = [_("ours"), _("less"), _("countries"), _("difference")]
    note = _(
        "On the countries that both know. Below zero, the plainer measure agrees better. Rate by rule of law: the "
        "region's rate, with rule of law in the place of the index."
    )
    return table(_("Is it better than something plainer?"), titles, rows, note)


def _regions(found: Compared) -> Table:
    shown = (*(f"{hazard}_index" for hazard in ("forced_labour", "child_labour")), *rankings.BASELINES_OF_INDEX)
    wide = found.regions.filter(pl.col("predictor").is_in(shown)).pivot(
        "predictor", index="region", values="correlation", aggregate_function="first"
    )
    sizes = dict(found.regions.filter(predictor="forced_labour_index").select("region", "countries").iter_rows())
    named, places = words.ranked(), words.regions()
    rows = [
        [places[row["region"]], count(sizes[row["region"]]), *(number(row[name]) for name in shown)]
        for row in wide.iter_rows(named=True)
    ]
    return table(_("Inside each ILO region"), [_("region"), _("countries"), *(named[name] for name in shown)], rows)


def _differences(found: Compared) -> Iterator[Block]:
    """The countries of the hazard that differ most, each way, for index and rate."""
    said = {
        "worse": _("{name}, worse here (place here, there): {countries}"),
        "milder": _("{name}, milder here (place here, there): {countries}"),
    }
    items = []
    for name in (f"{found.given.hazard}_index", f"{found.given.hazard}_rate"):
        for way, text in said.items():
            rows = found.differences.filter(predictor=name, way=way).iter_rows(named=True)
            named = ", ".join(
                _("{country} ({ours}, {theirs})").format(
                    country=row["name"], ours=_place(row["ours"]), theirs=_place(row["theirs"])
                )
                for row in rows
            )
            items.append(text.format(name=words.ranked()[name], countries=named or wording.MISSING))
    yield Bullets(items)


def _left_out(found: Compared) -> Iterator[Block]:
    if found.unknown:
        yield Text(
            _("Ranked, but nothing is known of them here: {countries}.").format(countries=", ".join(found.unknown))
        )
    if found.absent:
        listed = ", ".join(found.absent[:LISTED]) + (", …" if len(found.absent) > LISTED else "")
        said = _("Members of the ILO that the ranking leaves out: {n} ({countries}).")
        yield Text(said.format(n=count(len(found.absent)), countries=listed))
    if aside := found.counts["set_aside"]:
        yield Text(
            _("Rows of the file set aside: {n} of {all}.").format(n=count(aside), all=found.counts["rows_in"]), "gap"
        )


def _range(row: dict[str, Any], name: str) -> str:
    if row[name] is None or row[f"{name}_low"] is None:
        return number(row[name])
    return f"{number(row[name])} ({number(row[f'{name}_low'])} – {number(row[f'{name}_high'])})"


def _place(value: float) -> str:
    """A place; halves where some are tied."""
    return wording.number(value, 0 if value == int(value) else 1)
