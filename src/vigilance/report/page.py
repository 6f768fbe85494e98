"""The interactive page: every site, its charts and its lines, in one file that loads nothing.

Data are columns, not rows, as JSON in a data block whose ``<`` are escaped; the page shows them as text only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from vigilance.i18n import language, messages
from vigilance.report import blocks, charts, summary, waterfall, wording
from vigilance.report.material import Material
from vigilance.report.pictures import pictures_of
from vigilance.report.writers import Request
from vigilance.scoring import cells
from vigilance.scoring.cells import NO_ZONE
from vigilance.terms import BANDS, FACTORS, GRADES, HAZARDS

_ = messages("report")

PARTS: Final = 100_000
"""Probabilities travel as whole numbers of so many parts: five digits, as many as a reader could see."""


def page(request: Request) -> str:
    """The page of a run."""
    material, env = request.material, blocks.environment()
    pictures = pictures_of(material, language())
    drawn = {"map": pictures.world, "heat": pictures.heat_map, "tiers": pictures.distribution}
    library, script = charts.library(), blocks.asset("page.js")
    data = {
        **_data(material),
        "charts": {**{name: chart.spec for name, chart in drawn.items()}, "waterfall": charts.waterfall()},
    }
    return env.get_template("page.html").render(
        lang=language(),
        on=material.run.on.isoformat(),
        policy=blocks.policy([library, script]),
        document=request.document,
        css=blocks.asset("report.css"),
        texts=headings(),
        hazards=wording.hazards(),
        charts=drawn,
        head=[*summary.headline(material), summary.bands_table(material)],
        countries=summary.countries_table(pictures),
        knowledge=summary.knowledge(material),
        issues=summary.issues(material),
        weak=summary.weak(material),
        render=blocks.renderer(env),
        data=embedded(data),
        library=library,
        script=script,
    )


def embedded(data: Any) -> str:
    """JSON that cannot end its script block nor start another one."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _data(material: Material) -> dict[str, Any]:
    """Everything that the script reads."""
    sites = material.sites
    names: dict[str, dict[str, str]] = {
        "country": material.countries,
        "division": material.activities,
        "zone": material.zones,
    }
    coded, codes = {}, {}
    for name, column in (("country", "_iso3"), ("division", "_division"), ("zone", "_zone")):
        coded[name], found = _coded(sites[column])
        codes[name] = {"codes": found, "names": [wording.named(names[name], code) for code in found]}
    keys = sites.select(*(pl.col(c).fill_null(NO_ZONE) if c == "_zone" else c for c in cells.KEY))
    unique = keys.unique().sort(*cells.KEY)
    at = keys.join(unique.with_row_index("_at"), on=list(cells.KEY), how="left", maintain_order="left")
    own = waterfall.site_lines(material)
    divisions = codes["division"]["codes"]
    return {
        "lang": language(),
        "texts": texts(),
        "hazards": [{"id": str(h), "name": wording.hazards()[str(h)]} for h in HAZARDS],
        "bands": [{"id": str(b), "name": wording.band_of(str(b))} for b in BANDS],
        "grades": list(GRADES),
        "tiers": {str(code): name for code, name in wording.tiers().items()},
        "overrides": wording.overrides(),
        "parts": PARTS,
        **{f"{name}_names": said for name, said in codes.items()},
        "sites": {
            "id": [wording.plain(text) for text in sites["_supplier_id"]],
            "name": [wording.plain(text) for text in sites["_name"]],
            **coded,
            "tier": sites["_tier"].to_list(),
            "workers": _whole(sites["_workers"]),
            "migrants": _whole(sites["_migrant_share"], 1000),
            "factors": sites["_factors"].to_list(),
            "rank": sites["rank"].to_list(),
            "cell": at["_at"].to_list(),
            "own": own["at"],
        },
        "scores": {str(h): _scores(sites, str(h)) for h in HAZARDS},
        "lines": {
            "titles": waterfall.titles(),
            "factors": list(FACTORS),
            "cells": waterfall.cell_lines(material, unique),
            "patterns": waterfall.factor_lines(material, divisions),
            "own": own["hazards"],
            "size": waterfall.size_lines(material, divisions),
            "limits": waterfall.limits(material),
            "sources": waterfall.sources(material),
            "questions": wording.questions(),
        },
        "evidence": waterfall.evidence_lines(material),
    }


def _scores(sites: pl.DataFrame, hazard: str) -> dict[str, list[Any]]:
    """One hazard's columns, as whole numbers."""
    bands, grades = [str(b) for b in BANDS], list(GRADES)
    overrides = list(wording.overrides())
    found: dict[str, list[Any]] = {
        "score": _whole(sites[f"{hazard}_score"], 10),
        "band": _places(sites[f"{hazard}_band"], bands),
        "grade": _places(sites[f"{hazard}_grade"], grades),
        "priority": _whole(sites[f"{hazard}_priority"], 10),
        "affected": _whole(sites[f"{hazard}_expected_affected"], 10),
        "override": _places(sites[f"{hazard}_override"], overrides),
    }
    for measure in ("inherent_p50", "p05", "p50", "p80", "p95"):
        found[measure] = _whole(sites[f"{hazard}_{measure}"], PARTS)
    return found


def _whole(column: pl.Series, factor: int = 1) -> list[int | None]:
    return (column * factor + 0.5).floor().cast(pl.Int64).to_list()


def _places(column: pl.Series, words: Sequence[str]) -> list[int]:
    """The position of each word; -1 for nothing."""
    known = {word: place for place, word in enumerate(words)}
    return column.replace_strict(known, default=-1, return_dtype=pl.Int8).fill_null(-1).to_list()


def _coded(column: pl.Series) -> tuple[list[int], list[str]]:
    """Positions in the sorted list of the values that occur, and that list; -1 for nothing."""
    words = sorted(value for value in column.unique().to_list() if value is not None)
    return column.replace_strict(words, list(range(len(words))), default=-1, return_dtype=pl.Int32).to_list(), words


def headings() -> dict[str, str]:
    """What the page's own frame says."""
    return {
        "skip": _("Go to the list of sites"),
        "hazard": _("Hazard shown"),
        "noscript": _("The list of sites, the map and the lines of a site need JavaScript; all else is below."),
        "short": _("In short"),
        "where": _("Where"),
        "heat": _("Countries and activities"),
        "countries": _("Countries as a table"),
        "deep": _("How deep in the chain"),
        "sites": _("All sites"),
        "filters": _("Search and filter the sites"),
        "search": _("Search by id, name, country or activity"),
        "country": _("Country"),
        "activity": _("Activity"),
        "tier": _("Tier"),
        "band": _("Band"),
        "grade": _("Evidence grade"),
        "reset": _("Show all"),
        "pages": _("Pages of the list"),
        "first": _("First"),
        "previous": _("Previous"),
        "next": _("Next"),
        "last": _("Last"),
        "known": _("What is known, and what is assumed"),
        "lacked": _("What the input lacked"),
        "close": _("Close"),
    }


def texts() -> dict[str, str]:
    """What the script says; words in braces are filled in by it."""
    return {
        "all": _("all"),
        "rank": _("Rank"),
        "site": _("Site"),
        "country": _("Country"),
        "activity": _("Activity"),
        "tier": _("Tier"),
        "band": _("Band"),
        "p80": _("P80 (P05 to P95)"),
        "grade": _("Evidence"),
        "priority": _("Priority"),
        "count": _("{shown} of {all} sites"),
        "none": _("No site fits this search."),
        "page": _("Page {page} of {pages}"),
        "open": _("Show how the score of {site} is made"),
        "to": _("{middle} ({low} to {high})"),
        "workers": _("Workers"),
        "migrants": _("Migrant workers"),
        "zone": _("Zone"),
        "unknown": _("not stated"),
        "score": _("Score {score} of 100"),
        "evidence_grade": _("evidence grade {grade}"),
        "interval": _("Probability that anyone is affected within a year: {p50}, between {p05} and {p95}; P80 {p80}."),
        "affected": _("Expected number of people affected: {people}."),
        "few": _("fewer than 5"),
        "raised": _("The band was raised: {why}."),
        "waterfall": _("Waterfall of the ratios for {hazard}"),
        "line": _("Line"),
        "ratio": _("Ratio"),
        "range": _("Range (5 % to 95 %)"),
        "source": _("Source, since"),
        "prior": _("expert prior"),
        "product": _(
            "The lines multiply to a rate of {rate} and, with the size of the site, to a probability of {p0}."
        ),
        "after": _("Audits, reports and other evidence about the site then give {p50}."),
        "improve": _("What would improve the evidence, the most telling first"),
        "nothing": _("Everything that the list can say of this site is stated."),
        "probability": _("Probability"),
        "once": _("Several cases count once"),
        "lines": _("All lines with their sources"),
    }
