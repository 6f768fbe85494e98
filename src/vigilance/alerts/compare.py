"""What changed since the run before, site by site, and why: the ledger.

A change of score is split by changing one thing after another: first the program, then the date, then the facts, then
the judgements, last the user's own data. Every step is a score of the old data in whole units, so the parts add up to
the change exactly. A site that moved is compared to its predecessor: the risk follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl

from vigilance.alerts.sites import DESCRIPTION, SCORE_UNITS, SITES
from vigilance.terms import HAZARDS

PARTS: Final = ("data", "facts", "code", "weights", "time")
STEPS: Final = ("code", "time", "facts", "weights")
"""The order in which things are changed; the rest is data."""

CHANGED: Final = "changed"
APPEARED: Final = "appeared"
MOVED: Final = "moved"
VANISHED: Final = "vanished"

LEDGER: Final = pl.Schema(
    {
        "supplier_id": pl.String(),
        "hazard": pl.String(),
        "kind": pl.String(),
        "before": pl.Int64(),
        "after": pl.Int64(),
        **dict.fromkeys(PARTS, pl.Int64()),
    }
)
"""One row per site and hazard whose score changed, and per site that appeared, moved or vanished.

Scores in ``sites.SCORE_UNITS``. Where both are known, ``data + facts + code + weights + time = after - before``.
"""

SHOWN_UNITS: Final = SCORE_UNITS // 100
"""A hundredth of a point: what is called a changed site. Time alone moves most scores by less every week."""

Rescore = Callable[[pl.DataFrame], Mapping[str, pl.DataFrame]]
"""Scores stored rows again, step after step: step of ``STEPS`` → ``supplier_id, <h>_score`` in units, for the steps at
which something differs."""


def paired(now: pl.DataFrame, then: pl.DataFrame) -> pl.DataFrame:
    """The sites of now beside their former selves: columns of ``SITES``, those of then with ``was_``.

    A site without a former self of its own id takes that of its predecessor, if that one is no longer there. ``origin``
    is the id of the former self, null for a site that appeared.
    """
    ids = then.select(pl.col("supplier_id").alias("origin"))
    known = now.join(ids.with_columns(supplier_id="origin"), on="supplier_id", how="left", maintain_order="left")
    free = ids.join(now.select(origin="supplier_id"), on="origin", how="anti")
    if free.height and now["predecessor_id"].null_count() < now.height:
        # Two sites may name the same predecessor: the first in the order of the list follows it.
        moves = (
            known.filter(pl.col("origin").is_null())
            .select("supplier_id", moved="predecessor_id")
            .join(free.with_columns(moved="origin"), on="moved", how="semi")
            .unique("moved", keep="first", maintain_order=True)
        )
        known = known.join(moves, on="supplier_id", how="left", maintain_order="left").with_columns(
            origin=pl.coalesce("origin", "moved")
        )
        known = known.drop("moved")
    former = then.rename({name: f"was_{name}" for name in then.columns})
    return known.join(former, left_on="origin", right_on="was_supplier_id", how="left", maintain_order="left")


def ledger(pairs: pl.DataFrame, then: pl.DataFrame, rescore: Rescore) -> pl.DataFrame:
    """The rows of ``LEDGER``, sorted by site and hazard. ``pairs`` as ``paired`` gives them."""
    moved_on = pl.any_horizontal(pl.col(f"{h}_score") != pl.col(f"was_{h}_score") for h in HAZARDS)
    touched = pairs.filter(pl.col("origin").is_null() | moved_on | (pl.col("origin") != pl.col("supplier_id")))
    olds = touched.filter(pl.col("origin").is_not_null())
    steps = rescore(then.join(olds.select(supplier_id="origin"), on="supplier_id", how="semi", maintain_order="left"))
    parts = [_of_hazard(touched, steps, hazard) for hazard in HAZARDS]
    gone = then.join(pairs.select(supplier_id="origin"), on="supplier_id", how="anti")
    parts += [_vanished(gone, hazard) for hazard in HAZARDS]
    return pl.concat(parts).sort("supplier_id", "hazard")


def _of_hazard(touched: pl.DataFrame, steps: Mapping[str, pl.DataFrame], hazard: str) -> pl.DataFrame:
    frame = touched.select(
        "supplier_id",
        "origin",
        pl.lit(str(hazard)).alias("hazard"),
        pl.when(pl.col("origin").is_null())
        .then(pl.lit(APPEARED))
        .when(pl.col("origin") != pl.col("supplier_id"))
        .then(pl.lit(MOVED))
        .otherwise(pl.lit(CHANGED))
        .alias("kind"),
        pl.col(f"was_{hazard}_score").alias("before"),
        pl.col(f"{hazard}_score").alias("after"),
        pl.col(f"was_{hazard}_score").alias("reached"),
    )
    for step in STEPS:
        frame = _with_step(frame, steps.get(step), step, hazard)
    frame = frame.with_columns(data=pl.col("after") - pl.col("reached"))
    return (
        frame.filter((pl.col("kind") != CHANGED) | (pl.col("before") != pl.col("after")))
        .select(LEDGER.names())
        .cast(LEDGER)
    )


def _with_step(frame: pl.DataFrame, scored: pl.DataFrame | None, step: str, hazard: str) -> pl.DataFrame:
    """One part: how far this step moved the score of the old data; 0 where it did not apply, null without old data."""
    if scored is None:
        return frame.with_columns((pl.col("reached") * 0).alias(step))
    now = scored.select(pl.col("supplier_id").alias("origin"), pl.col(f"{hazard}_score").alias("_now"))
    frame = frame.join(now, on="origin", how="left", maintain_order="left")
    return frame.with_columns((pl.col("_now") - pl.col("reached")).alias(step), pl.col("_now").alias("reached")).drop(
        "_now"
    )


def _vanished(gone: pl.DataFrame, hazard: str) -> pl.DataFrame:
    nothing = [pl.lit(None, dtype=pl.Int64).alias(name) for name in ("after", *PARTS)]
    return gone.select(
        "supplier_id",
        pl.lit(str(hazard)).alias("hazard"),
        pl.lit(VANISHED).alias("kind"),
        pl.col(f"{hazard}_score").alias("before"),
        *nothing,
    ).select(LEDGER.names())


def carried(pairs: pl.DataFrame, changes: pl.DataFrame, limits: Sequence[int], margin: float) -> pl.DataFrame:
    """The sites of now with what goes on from before: ``since``, the held bands, and the score that was told.

    ``limits`` are the lower limits of the bands above the lowest in ``sites.PROBABILITY_UNITS``; a band is left upwards
    at ``limit·(1 + margin)`` and downwards below ``limit·(1 - margin)``. What the program and the judgements changed by
    themselves moves the told score with it, so that it never adds up to an alert about a site.
    """
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"was_{name}")) for name in DESCRIPTION)
    frame = pairs.with_columns(
        since=pl.when(pl.col("origin").is_not_null() & same).then(pl.col("was_since")).otherwise(pl.col("since"))
    )
    for hazard in HAZARDS:
        frame = _held(frame, hazard, limits, margin)
        by_method = changes.filter(
            (pl.col("hazard") == hazard) & pl.col("before").is_not_null() & pl.col("after").is_not_null()
        )
        moved = by_method.select("supplier_id", (pl.col("code") + pl.col("weights")).alias("_method"))
        frame = frame.join(moved, on="supplier_id", how="left", maintain_order="left").with_columns(
            pl.coalesce(pl.col(f"was_{hazard}_told") + pl.col("_method").fill_null(0), f"{hazard}_score").alias(
                f"{hazard}_told"
            )
        )
        frame = frame.drop("_method")
    return frame


def _held(frame: pl.DataFrame, hazard: str, limits: Sequence[int], margin: float) -> pl.DataFrame:
    p80, band, was = pl.col(f"{hazard}_p80"), pl.col(f"{hazard}_band"), pl.col(f"was_{hazard}_held")

    def reached(factor: float) -> pl.Expr:
        return pl.sum_horizontal((p80 >= int(limit * factor)).cast(pl.Int8) for limit in limits)

    # An override raises the band whatever the percentile: it is held at once.
    by_risk = pl.col(f"{hazard}_override").is_null()
    rises = pl.when(by_risk).then(pl.min_horizontal(reached(1 + margin), band)).otherwise(band)
    falls = pl.when(by_risk).then(pl.max_horizontal(reached(1 - margin), band)).otherwise(band)
    held = pl.when(was.is_null()).then(band).when(was < rises).then(rises).when(was > falls).then(falls).otherwise(was)
    return frame.with_columns(held.cast(pl.Int8).alias(f"{hazard}_held"))


def as_stored(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of ``SITES`` of a frame."""
    return frame.select(SITES.names()).cast(SITES)
