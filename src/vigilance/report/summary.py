"""The report in writing: for the people who do the work (``full``) and for a board with ten minutes (``board``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from vigilance.i18n import language, messages
from vigilance.report import sensitivity, wording
from vigilance.report.document import Block, Bullets, Column, Document, Section, Table, Text
from vigilance.report.material import WORST, Material
from vigilance.report.pictures import Pictures, pictures_of
from vigilance.terms import BANDS, HAZARDS

_ = messages("report")

TOP_OF_ALL: Final = 50
TOP_OF_BOARD: Final = 10
COUNTRIES: Final = 40


def full(material: Material) -> Document:
    """The whole report in writing: pictures, the sites first in line, countries, issues, method."""
    pictures = pictures_of(material, language())
    return Document(
        title=_("Forced labour and child labour in the supply chain"),
        subtitle=_("Risk report as of {on}").format(on=wording.day(material.run.on)),
        facts=material.provenance(),
        sections=[
            Section(_("In short"), [*headline(material), bands_table(material)]),
            Section(_("Where"), [pictures.world, pictures.heat_map, countries_table(pictures)]),
            Section(_("How deep in the chain"), [pictures.distribution]),
            Section(_("Sites to look at first"), [sites_table(material, TOP_OF_ALL)]),
            Section(_("What is known, and what is assumed"), knowledge(material)),
            Section(_("What the input lacked"), issues(material)),
            weak(material),
        ],
    )


def board(material: Material) -> Document:
    """Ten minutes: what was found, where, what to decide, what is weak."""
    pictures = pictures_of(material, language())
    return Document(
        title=_("Forced labour and child labour in the supply chain"),
        subtitle=_("For the board, as of {on}").format(on=wording.day(material.run.on)),
        facts=material.provenance(),
        sections=[
            Section(_("In short"), [*headline(material), bands_table(material)]),
            Section(_("Where"), [pictures.world, pictures.heat_map]),
            Section(_("Sites to look at first"), [sites_table(material, TOP_OF_BOARD)]),
            Section(_("What to decide"), [Bullets(decisions(material))]),
            weak(material, sensitivity.cases(material)),
        ],
    )


def headline(material: Material) -> list[Block]:
    """The one paragraph to remember."""
    sites = material.sites
    at_top = sites.filter(pl.any_horizontal(pl.col(f"{h}_band") == "severe" for h in HAZARDS)).height
    text = _(
        "{sites} sites in {countries} countries were scored. {severe} of them ({share}) reach the severe band for at "
        "least one of the two hazards: these are the places where people are most likely to be affected."
    ).format(
        sites=wording.number(sites.height),
        countries=wording.number(sites["_iso3"].n_unique()),
        severe=wording.number(at_top),
        share=wording.share_of(at_top, sites.height),
    )
    return [Text(text, "lead"), Text(wording.conduct())]


def bands_table(material: Material) -> Table:
    """Sites by band and hazard."""
    total = material.sites.height
    rows = [
        [
            str(band),
            *(
                value
                for h in HAZARDS
                for value in (material.bands(h)[str(band)], material.bands(h)[str(band)] / max(total, 1))
            ),
        ]
        for band in reversed(BANDS)
    ]
    names = wording.hazards()
    columns = [Column(_("band"), "band")]
    for hazard in HAZARDS:
        columns += [
            Column(_("{hazard}, sites").format(hazard=names[hazard]), "int"),
            Column(_("{hazard}, share").format(hazard=names[hazard]), "percent"),
        ]
    limits = [wording.percent(material.judgements.value(f"method.band.{b}"), 0) for b in BANDS[1:]]
    note = _(
        "The band follows the 80th percentile of the probability that anyone is affected: moderate from {moderate}, "
        "high from {high}, severe from {severe}. Ignorance raises it."
    ).format(moderate=limits[0], high=limits[1], severe=limits[2])
    return Table(_("Sites by band"), columns, rows, note)


def worst_first(material: Material) -> pl.DataFrame:
    """All sites, the highest P80 of either hazard first; ties by id."""
    return material.sites.sort([WORST, "_supplier_id"], descending=[True, False])


def sites_table(material: Material, count: int, chosen: pl.DataFrame | None = None) -> Table:
    """The sites first in line, both hazards."""
    frame = (worst_first(material) if chosen is None else chosen).head(count)
    rows = [
        [
            row["_supplier_id"],
            row["_name"],
            wording.named(material.countries, row["_iso3"]),
            wording.named(material.activities, row["_division"]),
            *(value for h in HAZARDS for value in (row[f"{h}_band"], interval(row, str(h)), row[f"{h}_grade"])),
        ]
        for row in frame.iter_rows(named=True)
    ]
    columns = [
        Column(_("site")),
        Column(_("name"), "name"),
        Column(_("country")),
        Column(_("activity")),
    ]
    for name in wording.hazards().values():
        columns += [Column(name, "band"), Column(_("P80 (P05 to P95)")), Column(_("evidence"))]
    caption = _("{count} sites with the highest risk").format(count=wording.number(len(rows)))
    return Table(caption, columns, rows)


def interval(row: dict[str, float], hazard: str) -> str:
    """P80 with its interval, in writing."""
    low, middle, high = (wording.percent(row[f"{hazard}_{q}"]) for q in ("p05", "p80", "p95"))
    return _("{middle} ({low} to {high})").format(middle=middle, low=low, high=high)


def countries_table(pictures: Pictures) -> Table:
    """Countries of the list with their index now and five years before."""
    material = pictures.material
    frame = pictures.countries.head(COUNTRIES)
    names = wording.hazards()
    columns = [Column(_("country")), Column(_("sites"), "int")]
    for hazard in HAZARDS:
        columns += [
            Column(_("{hazard}, severe").format(hazard=names[hazard]), "int"),
            Column(_("{hazard}, index").format(hazard=names[hazard])),
            Column(_("{hazard}, five years before").format(hazard=names[hazard])),
        ]
    rows = [
        [
            wording.named(material.countries, row["iso3"]),
            row["sites"],
            *(
                value
                for h in HAZARDS
                for value in (
                    row[f"{h}_severe"],
                    wording.number(row[f"{h}_index"], 2),
                    wording.number(row[f"{h}_index_5_years_before"], 2),
                )
            ),
        ]
        for row in frame.iter_rows(named=True)
    ]
    return Table(_("Countries of the list (index 0 to 1, higher is worse)"), columns, rows)


def knowledge(material: Material) -> list[Block]:
    """Evidence grades, and which kinds of evidence the run had."""
    names = wording.hazards()
    columns = [
        Column(_("evidence grade")),
        *(Column(_("{hazard}, sites").format(hazard=names[h]), "int") for h in HAZARDS),
    ]
    grades = [material.grades(h) for h in HAZARDS]
    rows = [[grade, *(counted[grade] for counted in grades)] for grade in grades[0]]
    note = _("A: most of what matters about the site is known; E: almost all is assumed. A grade says nothing of risk.")
    return [Table(_("Evidence grades"), columns, rows, note), evidence_text(material), *sensitivity.blocks(material)]


def evidence_text(material: Material) -> Text:
    """Which evidence tables entered the run."""
    found = material.evidence_tables
    if not found:
        return Text(
            _(
                "Not assessed: no audit, grievance, event, measure or list was given with this run. It rests on where "
                "and what the sites are (the abstract risk), and on what the list of suppliers itself states."
            ),
            "gap",
        )
    return Text(
        _("Evidence in this run: {tables}.").format(tables=", ".join(wording.evidence_tables()[name] for name in found))
    )


def issues(material: Material) -> list[Block]:
    """What was wrong in the input, grouped."""
    counts = material.run.meta["counts"]
    told = _("{rows} rows read, {loaded} scored, {aside} set aside, {blank} blank.").format(
        rows=wording.number(counts["rows_in"]),
        loaded=wording.number(counts["loaded"]),
        aside=wording.number(counts["set_aside"]),
        blank=wording.number(counts["blank"]),
    )
    found = material.run.issues
    if not found.height:
        return [Text(told)]
    order = {"error": 0, "warning": 1, "info": 2}
    grouped = (
        found.group_by("severity", "code", "column", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("message").first(), pl.col("hint").first())
        .with_columns(pl.col("severity").replace_strict(order).alias("order"))
        .sort(["order", "rows", "code", "column"], descending=[False, True, False, False])
        .head(TOP_OF_ALL)
    )
    names = {"error": _("error"), "warning": _("warning"), "info": _("note")}
    rows = [
        [names[r["severity"]], r["column"], r["rows"], r["message"], r["hint"]] for r in grouped.iter_rows(named=True)
    ]
    columns = [
        Column(_("kind")),
        Column(_("column")),
        Column(_("rows"), "int"),
        Column(_("for instance"), "name"),
        Column(_("how to mend it"), "name"),
    ]
    return [Text(told), Table(_("Issues in the input"), columns, rows)]


def decisions(material: Material) -> Sequence[str]:
    """What a board can decide on, from the run."""
    sites = material.sites
    blind = sites.filter(pl.any_horizontal(pl.col(f"{h}_grade").is_in(["D", "E"]) for h in HAZARDS)).height
    severe = sites.filter(pl.any_horizontal(pl.col(f"{h}_band") == "severe" for h in HAZARDS)).height
    imposed = sites.filter(pl.col("forced_labour_override") == "state_imposed_labour").height
    said = [
        _("Fund a look at the {count} sites of the severe band, workers' voices first.").format(
            count=wording.number(severe)
        ),
        _("Have the buyers fill in what is missing on {count} sites with evidence grade D or E.").format(
            count=wording.number(blind)
        ),
        _("Review purchasing practices where risk is high: prices, lead times and late changes drive it."),
    ]
    if imposed:
        said.append(
            _(
                "Decide on {count} sites where the State imposes labour: no engagement can free those workers, so "
                "leaving is the responsible course."
            ).format(count=wording.number(imposed))
        )
    return [*said, wording.conduct()]


def weak(material: Material, cases: Sequence[sensitivity.Case] = ()) -> Section:
    """What is weak, said in every report; with ``cases``, how far ranks follow the sensitivity of audits."""
    priors, numbers = material.expert_priors
    own = _(
        "{priors} of the {numbers} uncertain numbers of the method rest, at least in part, on expert priors."
    ).format(priors=wording.number(priors), numbers=wording.number(numbers))
    moved = [sensitivity.told(cases)] if cases else []
    return Section(_("What is weak"), [Bullets([*wording.weaknesses(), own]), *moved])
