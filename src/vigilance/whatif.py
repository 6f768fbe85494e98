"""What if: the same sites under another judgement, two runs side by side, and what would move a site's band.

Nothing here changes a rule or a run: it says what would change, so that a person can decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from vigilance import engines, evidence, models
from vigilance.ranking import RANKS, with_ranks
from vigilance.rules import Judgements
from vigilance.run import Run
from vigilance.scoring.model import Model
from vigilance.terms import ABSENT, BANDS, FACTORS, HAZARDS, UNKNOWN
from vigilance.wording import in_words

FIELDS: Final = ("score", "p50", "p80", "band", "grade")
COMPARED: Final = ("supplier_id", *(f"{hazard}_{field}" for hazard in HAZARDS for field in FIELDS), *RANKS)


def frames(run: Run) -> dict[str, pl.DataFrame]:
    """The typed evidence tables of a run."""
    return {name: found.collect() for name in evidence.KEPT if (found := run.evidence(name)) is not None}


def scored(sites: pl.LazyFrame, model: Model, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Typed sites scored in memory, with ranks and words."""
    known = evidence.table(sites, tables, model.judgements, model.facts.on)
    batches = list(engines.polars(sites, model, known))
    return in_words(with_ranks(pl.concat(batches), whole=True))


def rescored(run: Run, model: Model) -> pl.DataFrame:
    """The sites of a run under a model of another judgement: ``COMPARED``."""
    tables = frames(run)
    return scored(run.sites, evidence.informed(model, tables), tables).select(COMPARED)


def of_run(run: Run) -> pl.DataFrame:
    """The same columns of a run as it was written."""
    return run.scores.select(COMPARED).collect()


@dataclass(frozen=True)
class Moves:
    """Two scorings side by side: one row per site of either, and what can be said of all of them."""

    sites: pl.DataFrame
    summary: dict[str, Any]


def moves(before: pl.DataFrame, after: pl.DataFrame) -> Moves:
    """Compare two scorings with ``COMPARED``; sites are matched on their id, missing ones keep nulls."""
    joined = before.join(after, on="supplier_id", how="full", suffix="_after", coalesce=True)
    both = joined.filter(pl.col("rank").is_not_null() & pl.col("rank_after").is_not_null())
    said: dict[str, Any] = {
        "sites": joined.height,
        "in_both": both.height,
        "appeared": joined["rank"].null_count(),
        "vanished": joined["rank_after"].null_count(),
        "rank_correlation": _spearman(both["rank"], both["rank_after"]),
        "largest_rank_move": int((both["rank_after"] - both["rank"]).abs().max() or 0) if both.height else 0,  # type: ignore[arg-type]
        "hazards": {str(hazard): _hazard(both, str(hazard)) for hazard in HAZARDS},
    }
    changes = [
        (pl.col(f"{hazard}_score_after") - pl.col(f"{hazard}_score")).round(8).alias(f"{hazard}_score_change")
        for hazard in HAZARDS
    ]
    moved = (pl.col("rank_after") - pl.col("rank")).alias("rank_change")
    return Moves(joined.with_columns(*changes, moved).sort("supplier_id"), said)


def _hazard(both: pl.DataFrame, hazard: str) -> dict[str, Any]:
    counted = (
        both.group_by(f"{hazard}_band", f"{hazard}_band_after").len().sort(f"{hazard}_band", f"{hazard}_band_after")
    )
    order = list(map(str, BANDS))
    changed = {f"{a}→{b}": count for a, b, count in counted.iter_rows() if a != b}
    up = sum(count for a, b, count in counted.iter_rows() if order.index(b) > order.index(a))
    down = sum(count for a, b, count in counted.iter_rows() if order.index(b) < order.index(a))
    change = (both[f"{hazard}_score_after"] - both[f"{hazard}_score"]).abs()
    return {
        "bands_up": up,
        "bands_down": down,
        "bands": changed,
        "largest_score_change": round(float(change.max() or 0.0), 6) if both.height else 0.0,  # type: ignore[arg-type]
        "median_score_change": round(float(change.median() or 0.0), 6) if both.height else 0.0,  # type: ignore[arg-type]
    }


def _spearman(one: pl.Series, other: pl.Series) -> float | None:
    if one.len() < 3:
        return None
    a, b = (series.rank("average").to_numpy() for series in (one, other))
    if a.std() == 0 or b.std() == 0:
        return None
    return round(float(np.corrcoef(a, b)[0, 1]), 6)


def under(run: Run, judgements: Judgements) -> Moves:
    """What moves when a run's sites are scored under other judgements."""
    from vigilance.explanation import basis  # noqa: PLC0415 - explanation and what-if stand side by side

    facts, _own = basis(run)
    return moves(of_run(run), rescored(run, models.in_force(facts, judgements)))


def options(run: Run, supplier_id: str, model: Model) -> list[dict[str, Any]]:
    """What could be done or found out at one site, each with the P80 and the band it would lead to.

    One change at a time: a workforce factor stated absent (where it is present: ended; where it is unknown: found to be
    absent). The smallest change that lowers a band is the one of least effect that still does.
    """
    site = run.sites.filter(pl.col("_supplier_id") == supplier_id).collect()
    if not site.height:
        return []
    code = int(site["_factors"][0])
    variants, what = [site], [("", "")]
    for place, name in enumerate(FACTORS):
        state = code // 3**place % 3
        if state != ABSENT:
            changed = code + (ABSENT - state) * 3**place
            variants.append(site.with_columns(pl.lit(changed, dtype=pl.Int32).alias("_factors")))
            what.append((name, "find_out" if state == UNKNOWN else "end"))
    tables = frames(run)
    model = evidence.informed(model, tables)
    results = [scored(variant.lazy(), model, tables).row(0, named=True) for variant in variants]
    now = results[0]
    order = list(map(str, BANDS))
    found = []
    for (name, kind), row in zip(what[1:], results[1:], strict=True):
        for hazard in map(str, HAZARDS):
            option = {
                "hazard": hazard,
                "factor": name,
                "action": kind,
                "p80": row[f"{hazard}_p80"],
                "p80_now": now[f"{hazard}_p80"],
                "band": row[f"{hazard}_band"],
                "moves_band": order.index(row[f"{hazard}_band"]) < order.index(now[f"{hazard}_band"]),
            }
            found += [option] if option["p80"] < option["p80_now"] else []
    return sorted(found, key=lambda option: (option["hazard"], option["p80"], option["factor"]))
