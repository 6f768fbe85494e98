"""Published totals of social audits against the model: they speak of no country, so they check and do not feed.

ICS publishes how many audits it made, in which countries, and the share that conforms. What these make of true presence
(``scoring.audit_cells``) is held against what the model expects of such sites: the countries that are named, each
weighing its audits; manufacturing, each division weighing its employment; the mean workforce of an audited site.
Audits were not drawn at random and conformity is the publisher's word, so agreement within the interval is all to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from vigilance import engines
from vigilance.scoring import audit_cells
from vigilance.scoring.audit_statistics import manufacturing
from vigilance.scoring.model import Model
from vigilance.terms import ALL_UNKNOWN, HAZARDS, TIER_UNKNOWN, Hazard

TABLE: Final = "ics_audits"
CHAPTERS: Final = {Hazard.FORCED_LABOUR: "forced_labour", Hazard.CHILD_LABOUR: "child_labour_young_workers"}


@dataclass(frozen=True)
class PublishedAudits:
    """A period of published audits: the mean workforce of a site, how many countries are named, one row per hazard.

    ``rows``: ``hazard, audits, positive`` (share), ``presence`` with ``_low`` and ``_high`` (median, 5 % and 95 %),
    ``expected`` (the model's mean), ``inside`` (whether the interval holds it), ``updated`` with its bounds (the same
    presence where the prior is what the model expects).
    """

    period: str
    workers: float
    countries: int
    rows: pl.DataFrame


def compared(model: Model) -> PublishedAudits | None:
    """The newest period with a number of audits; None where none was known on the date of the model."""
    table = model.facts.table(TABLE)
    told = table.filter(dimension="total", key="audits").sort("period")
    if not told.height:
        return None
    period = told["period"][-1]
    mine = table.filter(period=period)
    totals = dict(mine.filter(dimension="total").select("key", "value").iter_rows())
    conform = dict(mine.filter(dimension="chapter").select("key", "value").iter_rows())
    where = mine.filter(pl.col("dimension") == "country", pl.col("key").is_in(model.grid.countries.tolist()))
    if not where.height or not set(CHAPTERS.values()) <= set(conform) or "workers_covered" not in totals:
        return None
    audits, workers = totals["audits"], totals["workers_covered"] / totals["audits"]
    expected = _expected(model, where, workers)
    rows = []
    for hazard in HAZARDS:
        positive = 1.0 - conform[CHAPTERS[hazard]] / 100.0
        found = audit_cells.presence(positive * audits, audits, hazard, model.judgements)
        low, middle, high = _bounds(found)
        own = audit_cells.presence(positive * audits, audits, hazard, model.judgements, mean=expected[hazard])
        updated_low, updated, updated_high = _bounds(own)
        rows.append(
            {
                "hazard": str(hazard),
                "audits": int(audits),
                "positive": round(positive, 6),
                "presence": middle,
                "presence_low": low,
                "presence_high": high,
                "expected": expected[hazard],
                "updated": updated,
                "updated_low": updated_low,
                "updated_high": updated_high,
                "inside": low <= expected[hazard] <= high,
            }
        )
    return PublishedAudits(period, workers, where.height, pl.DataFrame(rows))


def _bounds(found: audit_cells.Presence) -> tuple[float, float, float]:
    return float(found.p05[0]), float(found.p50[0]), float(found.p95[0])


def _expected(model: Model, where: pl.DataFrame, workers: float) -> dict[Hazard, float]:
    """The model's mean presence at sites of a workforce in manufacturing of some countries (``key, value``)."""
    divisions = pl.DataFrame({"_division": model.grid.divisions.tolist(), "employed": manufacturing(model)})
    sites = (
        where.select(_iso3="key", audits="value")
        .join(divisions.filter(pl.col("employed") > 0), how="cross")
        .with_row_index("_row")
        .with_columns(
            pl.col("_row").cast(pl.Int64),
            _supplier_id=pl.concat_str("_iso3", "_division"),
            _tier=pl.lit(TIER_UNKNOWN, dtype=pl.Int8),
            _workers=pl.lit(workers),
            _migrant_share=pl.lit(None, dtype=pl.Float64),
            _factors=pl.lit(ALL_UNKNOWN, dtype=pl.Int32),
            _zone=pl.lit(None, dtype=pl.String),
        )
    )
    scored = pl.concat(list(engines.polars(sites.drop("audits", "employed").lazy(), model, None)))
    weight = (sites["audits"] * sites["employed"]).to_numpy()
    return {h: float(np.average(scored[f"{h}_p50"].to_numpy(), weights=weight)) for h in HAZARDS}
