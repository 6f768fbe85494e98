"""What changed since the run before, site by site, and why: the ledger.

A change of score is split by changing one thing after another: first the program, then the date, then the facts, then
the judgements, last the user's own data. Every step is a score of the old data in whole units, so the parts add up to
the change exactly. A site that moved is compared to its predecessor: the risk follows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

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

Scores in ``sites.SCORE_UNITS``. Where both are known, ``data + facts + code + weights + time = after - before``. Sites
of which nothing new was said are left out when a single thing changed around them, mostly the date: their whole change
is that (``only_step``).
"""

SHOWN_UNITS: Final = SCORE_UNITS // 100
"""A hundredth of a point: what is called a changed site. Time alone moves most scores by less every week."""


class Rescore(Protocol):
    """How the old data would score after each step."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of ``STEPS`` at which something differs, in order."""

    @property
    def same_evidence(self) -> bool:
        """Whether the evidence is the same then and now."""

    def rescored(self, rows: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """For stored rows and each of ``steps``: ``supplier_id, <h>_score`` in units."""


def only_step(rescore: Rescore) -> str | None:
    """The one thing that changed around sites whose own data did not, if it is one."""
    return rescore.steps[0] if len(rescore.steps) == 1 and rescore.same_evidence else None


def paired(now: pl.DataFrame, then: pl.DataFrame) -> pl.DataFrame:
    """The sites of now beside their former selves: columns of ``SITES``, those of then with ``was_``.

    A site without a former self of its own id takes that of its predecessor, if that one is no longer there. ``origin``
    is the id of the former self, null for a site that appeared.
    """
    if now["supplier_id"].equals(then["supplier_id"]):
        former = then.rename({name: f"was_{name}" for name in then.columns}).drop("was_supplier_id")
        return pl.concat([now.with_columns(origin="supplier_id"), former], how="horizontal")
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
    if only_step(rescore) is not None:
        moved_on &= ~undisturbed()
    touched = pairs.filter(pl.col("origin").is_null() | moved_on | (pl.col("origin") != pl.col("supplier_id")))
    olds = touched.select(supplier_id="origin").drop_nulls()
    steps = (
        rescore.rescored(then.join(olds, on="supplier_id", how="semi", maintain_order="left")) if olds.height else {}
    )
    parts = [_of_hazard(touched, steps, hazard) for hazard in HAZARDS]
    gone = then.join(pairs.select(supplier_id="origin"), on="supplier_id", how="anti")
    parts += [_vanished(gone, hazard) for hazard in HAZARDS]
    return pl.concat(parts).sort("supplier_id", "hazard")


def undisturbed() -> pl.Expr:
    """Whether a site (as ``paired`` gives it) is the same one, with nothing new said of it."""
    described = (*DESCRIPTION, "parent", "lei")
    return pl.all_horizontal(
        (pl.col("origin") == pl.col("supplier_id")).fill_null(value=False),
        *(pl.col(name).eq_missing(pl.col(f"was_{name}")) for name in described),
    )


def with_parts(frame: pl.DataFrame, changes: pl.DataFrame, hazard: str, only: str | None) -> pl.DataFrame:
    """Sites with ``before, after`` and the ``PARTS`` of one hazard; ``frame`` has ``supplier_id, score, was_score``."""
    mine = changes.filter(pl.col("hazard") == hazard).select("supplier_id", "before", "after", *PARTS)
    frame = frame.join(mine, on="supplier_id", how="left", maintain_order="left")
    listed = pl.col("after").is_not_null()
    whole = pl.col("score") - pl.col("was_score")
    return frame.with_columns(
        before=pl.coalesce("before", "was_score"),
        after=pl.coalesce("after", "score"),
        **{part: pl.when(listed).then(pl.col(part)).otherwise(whole if part == only else whole * 0) for part in PARTS},
    )


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


def carried(
    pairs: pl.DataFrame, changes: pl.DataFrame, limits: Sequence[int], margin: float, only: str | None = None
) -> pl.DataFrame:
    """The sites of now with what goes on from before: ``since``, the held bands, and the score that was told.

    ``limits`` are the lower limits of the bands above the lowest in ``sites.PROBABILITY_UNITS``; a band is left upwards
    at ``limit·(1 + margin)`` and downwards below ``limit·(1 - margin)``. What the program and the judgements changed by
    themselves moves the told score with it, so that it never adds up to an alert about a site. ``only`` is the
    ``only_step`` of the comparison.
    """
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"was_{name}")) for name in DESCRIPTION)
    frame = pairs.with_columns(
        since=pl.when(pl.col("origin").is_not_null() & same).then(pl.col("was_since")).otherwise(pl.col("since"))
    )
    for hazard in HAZARDS:
        frame = _held(frame, hazard, limits, margin)
        frame = _told(frame, changes, hazard, only)
    return frame


def _told(frame: pl.DataFrame, changes: pl.DataFrame, hazard: str, only: str | None) -> pl.DataFrame:
    known = pl.col("before").is_not_null() & pl.col("after").is_not_null()
    mine = changes.filter((pl.col("hazard") == hazard) & known)
    by_method = mine.select("supplier_id", (pl.col("code") + pl.col("weights")).alias("_method"))
    score, was = pl.col(f"{hazard}_score"), pl.col(f"was_{hazard}_score")
    if by_method.height:
        frame = frame.join(by_method, on="supplier_id", how="left", maintain_order="left")
    else:
        frame = frame.with_columns(_method=pl.lit(None, dtype=pl.Int64))
    unlisted = score - was if only in {"code", "weights"} else pl.lit(0)
    method = pl.col("_method").fill_null(unlisted)
    told = pl.coalesce(pl.col(f"was_{hazard}_told") + method, score)
    return frame.with_columns(told.alias(f"{hazard}_told")).drop("_method")


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
