"""The ratios behind every site, in a form small enough for one page.

A score is a product of lines that follow from the cell (country, activity, tier, zone), from the pattern of the eight
workforce factors in an activity, and from three numbers of the row. So the page gets each cell's lines once, each
activity's factors once and per site only what is its own, and multiplies: the product is the site's score again.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from vigilance import engines, evidence
from vigilance.drivers import title
from vigilance.engines import core_columns
from vigilance.i18n import language
from vigilance.report import wording
from vigilance.report.material import Material
from vigilance.scoring import cells, evidence_words, explain, lines, patterns
from vigilance.scoring.assess import site_terms
from vigilance.terms import FACTORS, HAZARDS, UNKNOWN, Hazard

DIGITS: Final = 5
"""Digits of the logarithms that a page gets: a product of some twenty lines stays within 0.02 %."""
SHORT: Final = 60
SIGNIFICANT: Final = 0.002
"""A variance below this adds nothing to an interval that a reader would see; it is not asked about."""


def cell_lines(material: Material, keys: pl.DataFrame) -> dict[str, Any]:
    """Lines of the cells given by ``cells.KEY``: per hazard, line → ``ln``, ``sd``, ``weight`` and ``stated``."""
    model = material.model
    at = cells.places(model, nw.from_native(keys, eager_only=True))
    found: dict[str, Any] = {}
    for hazard in HAZARDS:
        found[str(hazard)] = {
            name: {
                "ln": _rounded(line.ln),
                "sd": _rounded(np.sqrt(line.var)),
                "weight": _rounded(np.maximum(line.weight - line.known, 0.0), 4),
                "stated": line.stated.astype(int).tolist(),
            }
            for name, line in cells.cell_lines(model, hazard, at).items()
        }
    return found


def factor_lines(material: Material, divisions: Sequence[str]) -> dict[str, Any]:
    """Per hazard and workforce factor: D×3 tables (absent, present, unknown) of ``ln`` and ``sd``, and D weights."""
    model = material.model
    place = model.activities.index(np.array(divisions, dtype="U2"))
    found: dict[str, Any] = {}
    for hazard in HAZARDS:
        factors: dict[str, dict[str, Any]] = {}
        for state in range(3):
            states = np.full((len(place), len(FACTORS)), state, dtype=np.intp)
            for name, line in patterns.pattern_lines(model, hazard, place, states).items():
                said = factors.setdefault(name, {"ln": [], "sd": [], "weight": []})
                said["ln"].append(_rounded(line.ln))
                said["sd"].append(_rounded(np.sqrt(line.var)))
                said["weight"] = _rounded(line.weight, 4)
        found[str(hazard)] = factors
    return found


def site_lines(material: Material) -> dict[str, Any]:
    """Per hazard, the lines of the share of migrants: ``ln`` and ``sd`` by combination; ``at`` says whose it is."""
    model = material.model
    core = core_columns(material.sites.lazy()).collect()
    shares = core.select(*cells.KEY, "_migrant_share").unique().sort(*cells.KEY, "_migrant_share")
    table = cells.table(model, nw.from_native(shares.select(*cells.KEY).unique().sort(*cells.KEY), eager_only=True))
    joined = nw.from_native(shares, eager_only=True).join(table, on=list(cells.KEY), how="left")
    numbered = shares.with_row_index("_at")
    at = core.join(numbered, on=[*cells.KEY, "_migrant_share"], how="left", nulls_equal=True, maintain_order="left")
    found: dict[str, Any] = {"at": at["_at"].to_list(), "hazards": {}}
    for hazard in HAZARDS:
        terms = {}
        for name, (ln, var) in site_terms(model, hazard).items():
            numbers = joined.select(ln=ln, sd=var.sqrt())
            terms[name] = {
                "ln": _rounded(numbers["ln"].to_numpy()),
                "sd": _rounded(numbers["sd"].to_numpy()),
                "weight": _rounded(joined[f"{hazard}_migrants_known"].to_numpy(), 4)
                if name == lines.MIGRANTS
                else None,
            }
        found["hazards"][str(hazard)] = terms
    return found


def evidence_lines(material: Material) -> dict[str, Any]:
    """The lines of audits, findings, grievances, events, lists and measures, where the run had any.

    Parallel lists ``site`` (position), ``hazard``, ``step``, ``factor``, ``ln``, ``sd``, ``since``, and the words they
    are coded in.
    """
    told = evidence.lines(material.run.sites.collect(), material.evidence_frames, material.judgements, material.run.on)
    if not told.height:
        return {"site": []}
    place = material.sites.select(pl.col("_supplier_id").alias("supplier_id"), pl.int_range(pl.len()).alias("site"))
    lined = told.join(place, on="supplier_id", how="inner").sort("site", "hazard", "step", "factor", "source", "since")
    words = {c: sorted(lined[c].unique().to_list()) for c in ("hazard", "step", "factor", "source")}
    spread = (lined["high"] / lined["low"]).log() / (2.0 * explain.FIVE_PERCENT)
    return {
        "words": words,
        "titles": [line_title(name) for name in words["factor"]],
        "source_texts": [source(material, ids, "")["text"] for ids in words["source"]],
        "site": lined["site"].to_list(),
        **{c: [words[c].index(word) for word in lined[c].to_list()] for c in words},
        "ln": _rounded(lined["ratio"].log().to_numpy()),
        "sd": _rounded(spread.fill_nan(0.0).to_numpy()),
        "since": lined["since"].cast(pl.String).to_list(),
    }


def _rounded(values: Any, digits: int = DIGITS) -> list[float]:
    cleaned = np.round(np.asarray(values, dtype=float), digits) + 0.0
    return cleaned.tolist()  # type: ignore[no-any-return]


def size_lines(material: Material, divisions: Sequence[str]) -> dict[str, Any]:
    """The size line: the exponent and its sd, and per division the usual size and its spread."""
    from vigilance.scoring.site_numbers import size  # noqa: PLC0415 - beside its only use

    model = material.model
    exponent = material.judgements.get("method.size_exponent")
    place = model.activities.index(np.array(divisions, dtype="U2"))
    usual = size(material.judgements, model.activities)
    return {
        "exponent": exponent.value,
        "sd": exponent.sd,
        "ln_usual": _rounded(usual.ln_usual[place]),
        "unknown_sd": _rounded(np.sqrt(usual.var[place])),
        "weight": _rounded(usual.between[place], 4),
    }


def limits(material: Material) -> dict[str, float]:
    """The two smooth bounds of the method: L of the factors together, and the ceiling of the rate."""
    return {
        "together": math.log(material.judgements.value("method.combined_ratio_bound")),
        "ceiling": material.judgements.value("method.rate_ceiling"),
    }


def sources(material: Material) -> dict[str, dict[str, dict[str, str]]]:
    """Per hazard and line: ``text`` (publishers and titles), ``url`` of the first source, ``since``, ``prior``."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for hazard in HAZARDS:
        found[str(hazard)] = {
            name: source(material, ids, since)
            for name, (ids, since) in explain.line_sources(material.model, hazard).items()
        }
    return found


def source(material: Material, ids: str, since: str) -> dict[str, str]:
    """Source ids (or a publisher's own title) as a reader sees them."""
    known = material.judgements.book.sources
    given = [known[name] for name in ids.split() if name in known]
    if not given:
        text = wording.evidence_tables().get(ids, ids)
        return {
            "text": text,
            "short": textwrap.shorten(text, SHORT, placeholder="…"),
            "url": "",
            "since": since,
            "prior": "",
        }
    text = "; ".join(f"{s.publisher}, {s.title[language()]}" + (f" ({s.year})" if s.year else "") for s in given)
    prior = "1" if any(s.kind == "expert_prior" for s in given) else ""
    short = "; ".join(dict.fromkeys(f"{s.publisher.partition(',')[0]} {s.year or ''}".strip() for s in given))
    return {
        "text": text,
        "short": short,
        "url": next((s.url for s in given if s.url), ""),
        "since": since,
        "prior": prior,
    }


def titles() -> dict[str, str]:
    """What each line is called, in the order in which the lines multiply."""
    return {name: _capital(title(name)) for name in lines.LINES}


def line_title(name: str) -> str:
    """What one line is called: of the model, or of the evidence (``finding:debt_bondage``)."""
    return _capital(title(name) if name in lines.CODE else evidence_words.label(name))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def ratios(material: Material, ids: Sequence[str]) -> pl.DataFrame:
    """All lines of some sites, long, in the order of ``ids``.

    Columns ``scoring.explain.COLUMNS``, with ``title``, ``source_text`` and ``source_short``.
    """
    order = pl.DataFrame({"supplier_id": list(ids)}, schema={"supplier_id": pl.String}).with_row_index("_place")
    typed = material.run.sites.filter(pl.col("_supplier_id").is_in(list(ids))).collect()
    made = engines.ratios(typed, material.model)
    told = evidence.lines(typed, material.evidence_frames, material.judgements, material.run.on)
    made = pl.concat([made, told.select(made.columns)], how="vertical_relaxed") if told.height else made
    said = {pair: source(material, *pair) for pair in made.select("source", "since").unique().iter_rows()}
    names = {name: line_title(name) for name in made["factor"].unique().to_list()}
    return (
        made.join(order, on="supplier_id", how="left")
        .with_row_index("_line")
        .sort("_place", "_line")
        .with_columns(
            pl.col("factor").replace(names).alias("title"),
            pl.struct("source", "since")
            .map_elements(lambda s: said[(s["source"], s["since"])]["text"], return_dtype=pl.String)
            .alias("source_text"),
            pl.struct("source", "since")
            .map_elements(lambda s: said[(s["source"], s["since"])]["short"], return_dtype=pl.String)
            .alias("source_short"),
        )
        .drop("_place", "_line")
    )


def product_of(steps: Sequence[Mapping[str, Any]]) -> float:
    """The product of the ratios of some lines."""
    return math.exp(math.fsum(math.log(step["ratio"]) for step in steps))


def unknowns(material: Material, hazard: Hazard, division: str, factors: int, known: Mapping[str, bool]) -> list[str]:
    """The lines of one site that stand for an average because nothing was stated, the most telling first.

    ``known`` says it of the lines that follow from the cell and from numbers (``tier``, ``size``, ...).
    """
    digits = patterns.digits(np.array([factors], dtype=np.int64))
    place = material.model.activities.index(np.array([division], dtype="U2"))
    weights = {
        name: float(line.weight[0])
        for name, line in patterns.pattern_lines(material.model, hazard, place, digits).items()
        if digits[0, FACTORS.index(name)] == UNKNOWN
    }
    usual = size_lines(material, [division])
    if not known.get(lines.SIZE, True):
        weights[lines.SIZE] = usual["weight"][0]
    tier = float(material.model.hazards[hazard].tier.weight[place[0]])
    if not known.get(lines.TIER, True):
        weights[lines.TIER] = tier
    shares = material.model.hazards[hazard].migrants
    if shares is not None and not known.get(lines.MIGRANTS, True):
        weights[lines.MIGRANTS] = float(shares.between[place[0]])
    return sorted((n for n, w in weights.items() if w > SIGNIFICANT), key=lambda n: (-weights[n], n))
