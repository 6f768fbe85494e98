"""The supplier's sheet: what the score used about one site, where it came from, and how to correct it."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
import polars as pl

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.report import charts, waterfall, wording
from vigilance.report.document import Block, Bullets, Chart, Column, Document, Section, Table, Text
from vigilance.report.material import Material
from vigilance.scoring import explain, lines, patterns
from vigilance.terms import ABSENT, FACTORS, HAZARDS, PRESENT, Hazard

_ = messages("report")

ORDER: Final = {explain.RATE: 0, explain.PRESENCE: 1, explain.EVIDENCE: 2}
"""Measures belong to the rate and come before the size; evidence comes last."""
SMALLEST: Final = 1e-15
"""Keeps the odds of a certainty finite in a drawing."""
TELLING: Final = 0.02
"""Lines that move the product by less (on the scale of logarithms) are left out of a sheet of one page."""


def sheet(material: Material, supplier_id: str) -> Document:
    """The sheet of one site. Raises ``UsageError`` with the nearest ids when the run has no such site."""
    row = _row(material, supplier_id)
    steps = waterfall.ratios(material, [supplier_id])
    name = wording.plain(row["_name"])
    return Document(
        title=_("What the score of your site used"),
        subtitle=f"{wording.plain(supplier_id)}, {name}",
        facts=[
            (_("Country"), wording.named(material.countries, row["_iso3"])),
            (_("Activity"), wording.named(material.activities, row["_division"])),
            (_("As of"), wording.day(material.run.on)),
            *material.provenance(),
        ],
        sections=[
            Section(_("What this is"), [Text(_about())]),
            Section(_("What your customer told us about your site"), [_stated(material, row)]),
            *(_hazard(material, row, steps, hazard) for hazard in HAZARDS),
            Section(_("How to correct it"), [Bullets(_corrections())]),
            Section(_("What is weak"), [Text(" ".join(wording.weaknesses()), "note")]),
        ],
    )


def _about() -> str:
    return _(
        "A customer uses this score to decide where to look first. It is a probability built from public facts about "
        "your country and activity and from what the customer's list says of your site. It is no accusation, and it "
        "names no person. You may contest every line of it."
    )


def _corrections() -> list[str]:
    return [
        _("Look for the lines marked “not stated”: an answer with proof narrows the range and may lower the risk."),
        _("If a stated fact is wrong, send the right one with a document, or let workers or their union confirm it."),
        _("A stated “no” counts in full only when workers or their representatives confirm it."),
        _("Your customer scores the list again with the corrected row; the next sheet shows what changed."),
        _("Tell your customer what stands in your way: prices, lead times, or help with remediation."),
    ]


def _row(material: Material, supplier_id: str) -> dict[str, Any]:
    found = material.sites.filter(pl.col("_supplier_id") == supplier_id)
    if not found.height:
        close = get_close_matches(supplier_id, material.sites["_supplier_id"].to_list(), n=3, cutoff=0.6)
        raise UsageError(
            _("there is no site {id} in the run").format(id=wording.plain(supplier_id, 80)),
            hint=_("did you mean {names}?").format(names=", ".join(close)) if close else None,
        )
    return found.row(0, named=True)


def _stated(material: Material, row: dict[str, Any]) -> Table:
    """What the list says of the site, empty answers included."""
    digits = patterns.digits(np.array([row["_factors"]], dtype=np.int64))[0]
    words = {ABSENT: _("no"), PRESENT: _("yes")}
    titles = waterfall.titles()
    answers: list[tuple[str, str]] = [
        (titles[lines.TIER], wording.tier_of(row["_tier"]) if row["_tier"] else _("not stated")),
        (_("Workers"), _("not stated") if row["_workers"] is None else wording.number(row["_workers"])),
        (titles[lines.MIGRANTS], _said(row["_migrant_share"])),
        (_("Zone"), wording.named(material.zones, row["_zone"]) if row["_zone"] else _("not stated")),
        *((titles[name], words.get(int(state), _("not stated"))) for name, state in zip(FACTORS, digits, strict=True)),
    ]
    half = (len(answers) + 1) // 2
    right = [*answers[half:], *[("", "")] * (half - len(answers[half:]))]
    rows = [[*one, *two] for one, two in zip(answers[:half], right, strict=True)]
    columns = [Column(_("fact")), Column(_("stated")), Column(_("fact")), Column(_("stated"))]
    return Table(_("Stated facts"), columns, rows)


def _said(share: float | None) -> str:
    return _("not stated") if share is None else wording.percent(share, 0)


def _hazard(material: Material, row: dict[str, Any], steps: pl.DataFrame, hazard: Hazard) -> Section:
    mine = steps.filter(pl.col("hazard") == str(hazard))
    head = _(
        "Score {score} of 100, band {band}, evidence grade {grade}. Probability that anyone is affected within a year: "
        "{p50}, between {p05} and {p95}."
    ).format(
        score=wording.number(row[f"{hazard}_score"], 1),
        band=wording.band_of(row[f"{hazard}_band"]),
        grade=row[f"{hazard}_grade"],
        **{q: wording.percent(row[f"{hazard}_{q}"]) for q in ("p05", "p50", "p95")},
    )
    blocks: list[Block] = [Text(head), _lines(mine), chart(mine, row, hazard)]
    override = row[f"{hazard}_override"]
    if override:
        blocks.insert(1, Text(_("The band was raised: {why}.").format(why=wording.overrides().get(override, override))))
    known = {r["factor"]: r["known"] for r in mine.iter_rows(named=True)}
    missing = waterfall.unknowns(material, hazard, row["_division"], row["_factors"], known)
    asked = wording.questions()
    if missing:
        told = " ".join(asked[name] for name in missing[:4] if name in asked)
        blocks.append(Text(_("What would improve the evidence, the most telling first:") + " " + told))
    return Section(wording.hazards()[hazard], blocks)


def _lines(mine: pl.DataFrame) -> Table:
    """The lines that matter, each with its source and date."""
    telling = mine.filter(pl.col("ratio").log().abs() >= TELLING)
    left_out = mine.height - telling.height
    rows = []
    for step in telling.iter_rows(named=True):
        first = step["factor"] == lines.BASE
        value = wording.percent(step["ratio"], 2) if first else wording.ratio(step["ratio"])
        bounds = [wording.percent(step[b], 2) if first else wording.ratio(step[b]) for b in ("low", "high")]
        mark = "" if step["known"] else _("not stated")
        exact = step["low"] >= step["high"]
        between = wording.MISSING if exact else _("{low} to {high}").format(low=bounds[0], high=bounds[1])
        rows.append([step["title"], value, between, mark, f"{step['source_short']} ({step['since']})"])
    columns = [
        Column(_("line")),
        Column(_("ratio")),
        Column(_("range")),
        Column(_("answer")),
        Column(_("source, since")),
    ]
    note = _("{count} lines that change almost nothing are left out.").format(count=left_out) if left_out else ""
    return Table(_("The lines multiply to the rate, then to the probability"), columns, rows, note)


def chart(mine: pl.DataFrame, row: dict[str, Any], hazard: Hazard) -> Chart:
    """The waterfall of one site and hazard, for a document."""
    rows = waterfall_rows(mine, row, hazard)
    caption = _("{hazard}: how the lines multiply").format(hazard=wording.hazards()[hazard])
    telling = [r for r in rows if r["kind"] in {"raises", "lowers"}]
    words = "; ".join(f"{r['line']} {r['label']}" for r in telling).replace("\u200b", "")
    return Chart(f"waterfall-{hazard}", caption, words, charts.waterfall(pl.DataFrame(rows, infer_schema_length=None)))


def waterfall_rows(mine: pl.DataFrame, row: dict[str, Any], hazard: Hazard) -> list[dict[str, Any]]:
    """The steps of a waterfall (``charts.waterfall``): the running product, then the probability and its interval."""
    made: list[dict[str, Any]] = []
    steps = mine.with_columns(late=pl.col("step").replace_strict(ORDER, return_dtype=pl.Int8))
    running, evidenced = 1.0, False
    for step in steps.sort("late", maintain_order=True).iter_rows(named=True):
        if step["step"] == explain.EVIDENCE and not evidenced:
            running, evidenced = _saturated(running, made), True
        before, running = running, after(running, step)
        first = step["factor"] == lines.BASE
        if not first and abs(math.log(step["ratio"])) < TELLING:
            continue
        kind = "start" if first else "raises" if step["ratio"] > 1 else "lowers"
        label = wording.percent(step["ratio"], 2) if first else wording.ratio(step["ratio"])
        start = running / 3.0 if first else before
        # Two lines of one name (two grievances) keep a row each: marks of no width tell them apart.
        unique = step["title"] + "\u200b" * len(made) if step["step"] == explain.EVIDENCE else step["title"]
        made.append(_bar(unique, len(made), start, running, kind, label))
    if not evidenced:
        _saturated(running, made)
    p50, low, high = (row[f"{hazard}_{q}"] for q in ("p50", "p05", "p95"))
    total = _bar(_("Probability"), len(made), made[0]["from"], p50, "total", wording.percent(p50))
    return [*made, {**total, "low": low, "high": high}]


def _saturated(m: float, made: list[dict[str, Any]]) -> float:
    """From the product m to the probability 1 - exp(-m), as a line of its own where it shows."""
    probability = -math.expm1(-m)
    if probability / m < 1.0 - TELLING:
        label = wording.ratio(probability / m)
        made.append(_bar(_("Several cases count once"), len(made), m, probability, "lowers", label))
    return probability


def after(running: float, step: dict[str, Any]) -> float:
    """The running product after a step: rate and size multiply it, evidence multiplies the odds of what it implies.

    Where evidence begins, the product m has become the probability 1 - exp(-m).
    """
    if step["step"] == explain.EVIDENCE:
        odds = running / max(1.0 - running, SMALLEST) * step["ratio"]
        return float(odds / (1.0 + odds))
    return float(running * step["ratio"])


def _bar(line: str, order: int, start: float, end: float, kind: str, label: str) -> dict[str, Any]:
    return {
        "line": line,
        "order": order,
        "from": start,
        "to": end,
        "kind": kind,
        "label": label,
        "low": None,
        "high": None,
    }
