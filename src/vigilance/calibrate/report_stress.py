"""The sections of a validation report on intervals and on what ranks hang on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from vigilance.calibrate import coverage as cover
from vigilance.calibrate import figures, groups, words
from vigilance.calibrate.attribution import LEADING, OTHERS, Attribution
from vigilance.calibrate.published_audits import PublishedAudits
from vigilance.calibrate.robustness import TOP, Screening
from vigilance.calibrate.written import between, count, number, share, table
from vigilance.i18n import messages
from vigilance.report import wording
from vigilance.report.document import Block, Bullets, Chart, Section, Table, Text

_ = messages("calibrate")


def coverage(found: cover.Coverage) -> Section:
    """Do the intervals cover: whole, by group, by region and income, and why."""
    low, high = cover.BAR
    whole = found.groups.filter(pl.col("group") == groups.ALL)
    parts = [
        _("{hazard} {coverage}").format(hazard=words.hazards()[row["hazard"]], coverage=share(row["coverage"]))
        for row in whole.iter_rows(named=True)
    ]
    told = _(
        "Share of {draws} joint draws in which the true presence of {sites} sites lies inside the 90 % interval: "
        "{parts}. The bar is {low} to {high}."
    ).format(
        draws=count(found.draws), sites=count(found.sites), parts="; ".join(parts), low=share(low), high=share(high)
    )
    made: list[Block] = [Text(told, "lead")]
    outside = found.groups.drop_nulls("coverage").filter(~pl.col("coverage").is_between(low, high))
    if outside.height:
        named = "; ".join(
            _("{hazard}, {group}: {coverage}").format(
                hazard=words.hazards()[row["hazard"]],
                group=words.groups()[row["group"]],
                coverage=share(row["coverage"]),
            )
            for row in outside.iter_rows(named=True)
        )
        made += [Text(_("Outside the bar: {named}.").format(named=named), "gap"), Bullets(_why_outside())]
    caption = _("Coverage by group of sites; the band is the bar.")
    places = found.groups.filter(pl.col("kind").is_in([groups.REGION, groups.INCOME]))
    sites = found.groups.filter(pl.col("kind").is_in([groups.SITES, groups.MIX]))
    made.append(Chart("coverage", caption, told, figures.coverage(sites)))
    made.append(_groups(_("Coverage"), sites))
    if places.height:
        where = _("Coverage by region and income")
        made.append(Chart("coverage-places", where, told, figures.coverage(places)))
        made.append(_groups(where, places, _("Income groups are not among the facts; output per worker stands in.")))
    return Section(_("Do the intervals cover?"), [*made, *_variances(found)])


def audits(found: PublishedAudits) -> Section:
    """Published totals of social audits, what they make of true presence, and what the model expects of such sites."""
    told = _(
        "Totals of {audits} audits ({period}) name no country, so they check the model and move nothing. The model is "
        "asked about manufacturing in the {countries} countries that the publisher names, each weighing its audits, at "
        "sites of {workers} workers."
    ).format(
        audits=wording.number(int(found.rows["audits"][0])),
        period=found.period,
        countries=found.countries,
        workers=wording.number(round(found.workers)),
    )
    inside = _(
        "{hazard}: {positive} positive, {presence} behind them; the model expects {expected}, inside; with that as "
        "the prior, {updated}"
    )
    outside = _(
        "{hazard}: {positive} positive, {presence} behind them; the model expects {expected}, outside; with that as "
        "the prior, {updated}"
    )
    rows = [
        (inside if row["inside"] else outside).format(
            hazard=words.hazards()[row["hazard"]],
            positive=share(row["positive"]),
            presence=between(row, "presence"),
            expected=share(row["expected"]),
            updated=between(row, "updated"),
        )
        for row in found.rows.iter_rows(named=True)
    ]
    note = _(
        "Audited sites were chosen, conformity is the publisher's own grade and no count of cases, and its chapter on "
        "children includes young workers. Outside the interval, one of the two is wrong; this does not say which."
    )
    return Section(_("Published audits"), [Text(told, "lead"), Bullets(rows), Text(note, "gap")])


def _groups(caption: str, rows: pl.DataFrame, note: str = "") -> Table:
    made = [
        [
            words.hazards()[row["hazard"]],
            words.groups()[row["group"]],
            row["sites"],
            *(share(row[name]) for name in ("coverage", "below", "above")),
        ]
        for row in rows.iter_rows(named=True)
    ]
    titles = [_("hazard"), _("sites"), _("number"), _("inside"), _("below P05"), _("above P95")]
    return table(caption, titles, made, note)


def _variances(found: cover.Coverage) -> Iterator[Block]:
    rows = [
        [
            words.hazards()[row["hazard"]],
            words.intervals()[row["interval"]],
            f"{share(row['coverage'])} ± {share(row['standard_error'])}",
            number(row["variance"]),
            number(row["drawn"]),
        ]
        for row in found.reasons.iter_rows(named=True)
    ]
    titles = [_("hazard"), _("interval"), _("coverage ± standard error"), _("variance claimed"), _("variance drawn")]
    note = _("Variances of ln m, mean over sites.")
    yield table(_("Why: other intervals on the same draws"), titles, rows, note)
    rows = [
        [
            words.hazards()[row["hazard"]],
            row["line"],
            *(f"{number(row[f'{kind}_claimed'])} / {number(row[f'{kind}_drawn'])}" for kind in KINDS),
        ]
        for row in found.lines.iter_rows(named=True)
    ]
    titles = [_("hazard"), _("line"), _("stated: claimed / drawn"), _("blank: claimed / drawn")]
    note = _("Variance of each line of ln m, before the bound on factors and the ceiling of the rate.")
    yield table(_("Where the width comes from"), titles, rows, note)


KINDS = ("stated", "blank")


def _why_outside() -> list[str]:
    return [
        _(
            "A blank never narrows an interval, though a rare answer whose ratio is known badly leaves more open than "
            "the blank does. Where most lists leave a field blank the answer is held at the blank; where most state "
            "it, the blank is widened a little."
        ),
        _(
            "The uncertainty of the size exponent grows with the size; beyond the largest usual size of an activity it "
            "is held there, so that hiding the size never helps. Such sites are covered less."
        ),
        _(
            "The bound on factors and the ceiling of the rate shrink the truth but not the variance: where several "
            "factors are present at once the interval is a little wide."
        ),
    ]


def robustness(found: Screening, shares: Attribution | None) -> Section:
    """What ranks hang on: the screening, and the shares of the variance where they were asked for."""
    correlation, kept = (found.draws[name].to_numpy() for name in ("rank_correlation", "first_tenth_kept"))
    told = _(
        "{count} judgements moved over their whole ranges, all at once, {draws} sets for {sites} sites. Rank "
        "correlation with the shipped judgements: median {median}, worst {worst}; of the first tenth {kept} stay on "
        "average."
    ).format(
        count=count(found.effects.height),
        draws=count(found.draws.height),
        sites=count(found.sites),
        median=number(_median(found.draws["rank_correlation"])),
        worst=number(float(correlation.min())),
        kept=share(float(kept.mean())),
    )
    top = found.effects.head(TOP)
    rows = [
        [row["path"], share(row["effect"]), share(row["spread"]), share(row["top_tenth"])]
        for row in top.iter_rows(named=True)
    ]
    titles = [_("judgement"), _("mean move of a rank"), _("spread"), _("first tenth replaced")]
    note = _("A move of two thirds of the range of one judgement; in shares of the list.")
    chart = Chart("robustness", _("What ranks hang on most."), told, figures.robustness(top))
    screened = table(_("Screening of every judgement (Morris)"), titles, rows, note)
    shared = [] if shares is None else list(_attribution(shares))
    return Section(_("Robustness of ranks"), [Text(told, "lead"), *shared, chart, screened])


def _attribution(found: Attribution) -> Iterator[Block]:
    others = found.indices.filter(pl.col("path") == OTHERS).row(0, named=True)
    told = _(
        "Of the variance that ranks have when all {count} judgements move over their ranges at once, the share of each "
        "(total index of Sobol, 90 % interval) for the {leading} that screening puts first; all the others together: "
        "{others}. {samples} rows of the base sample. In such independent sets the rank correlation with the shipped "
        "judgements has the median {median}."
    ).format(
        count=count(found.judgements),
        leading=found.indices.height - 1,
        others=between(others, "total"),
        samples=count(found.samples),
        median=number(_median(found.draws["rank_correlation"])),
    )
    yield Text(told)
    top = found.indices.filter(pl.col("path") != OTHERS)
    caption = _("The ten numbers that matter most, and all the others; 90 % intervals.")
    yield Chart("sobol", caption, told, figures.attribution(pl.concat([top.head(TOP), _one(others, found)])))
    rows = [[row["path"], *(between(row, name) for name in SHARES)] for row in top.head(TOP).iter_rows(named=True)]
    titles = [
        _("judgement"),
        _("share of the variance of ranks, with others"),
        _("alone"),
        _("share of who is in the first tenth"),
    ]
    note = _("Shares with others overlap, so that they may add up to more than one.")
    yield table(_("The ten numbers that matter most"), titles, rows, note)


SHARES = ("total", "first", "top_tenth")


def _one(row: dict[str, Any], found: Attribution) -> pl.DataFrame:
    named = _("the {count} others").format(count=found.judgements - LEADING)
    return pl.DataFrame([{**row, "path": named}], schema=found.indices.schema)


def _median(values: pl.Series) -> float:
    return float(values.median() or 0.0)  # type: ignore[arg-type]
