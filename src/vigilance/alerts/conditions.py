"""What calls for an alert in the scores: bands crossed, scores changed, overrides, grades, sites gone, stale sites.

A condition is one row per rule and subject (hazard, level, place, object); whether it is told is decided later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from vigilance.alerts.compare import PARTS, with_parts
from vigilance.alerts.thresholds import LASTING, Thresholds
from vigilance.terms import BANDS, GRADES, HAZARDS

CONDITIONS: Final = pl.Schema(
    {
        "rule": pl.String(),
        "hazard": pl.String(),
        "level": pl.String(),
        "place": pl.String(),
        "object": pl.String(),
        "proven": pl.Boolean(),
        "measure": pl.Int64(),
        "priority": pl.Int64(),
        "sites": pl.Int64(),
        "held": pl.String(),
        "standing": pl.Boolean(),
        "zone": pl.String(),
        "country": pl.String(),
        "detail": pl.String(),
        "before": pl.Int64(),
        "after": pl.Int64(),
        **dict.fromkeys(PARTS, pl.Int64()),
    }
)
"""``level`` is site, zone, region or country; ``measure`` grows as the matter worsens; ``priority`` is that of the
worst site in thousandths; ``held`` says why it is not to be told by itself (empty where it is); ``standing`` marks
what was open before and goes on; ``detail`` is JSON for the wording; ``before`` to ``time`` are the change of score.
"""

METHOD: Final = "method"
"""Held back because the program or the judgements changed, not the site."""
SAME_SITE: Final = "same_site"
"""Held back because the band crossing of the same site and hazard tells it."""


def conditions(
    frame: pl.DataFrame, rule: str, detail: Mapping[str, pl.Expr] | None = None, **given: Any
) -> pl.DataFrame:
    """Rows of ``CONDITIONS`` from a frame that has some of its columns; the rest is given or neutral."""
    neutral: dict[str, Any] = {
        "rule": rule,
        "hazard": "",
        "level": "site",
        "object": "",
        "proven": False,
        "measure": 1,
        "priority": 0,
        "sites": 1,
        "held": "",
        "standing": False,
    }
    made = {**neutral, **given}
    words = (
        pl.struct([value.alias(name) for name, value in detail.items()]).struct.json_encode()
        if detail
        else pl.lit("{}")
    )
    columns = [
        made[name].alias(name)
        if isinstance(made.get(name), pl.Expr)
        else pl.lit(made[name], dtype=kind).alias(name)
        if name in made
        else words.alias("detail")
        if name == "detail"
        else pl.col(name)
        if name in frame.columns
        else pl.lit(None, dtype=kind).alias(name)
        for name, kind in CONDITIONS.items()
    ]
    return frame.select(columns).cast(CONDITIONS)


def nothing() -> pl.DataFrame:
    """No condition."""
    return pl.DataFrame(schema=CONDITIONS)


def of_sites(
    now: pl.DataFrame,
    changes: pl.DataFrame,
    limits: Thresholds,
    open_before: pl.DataFrame,
    *,
    baseline: bool,
    only: str | None = None,
) -> pl.DataFrame:
    """The conditions in the scores of a run.

    ``now`` are the sites beside their former selves (``compare.carried``) with ``name`` and ``<h>_priority``;
    ``changes`` the ledger and ``only`` its ``only_step``; ``open_before`` the alerts open after the run before
    (``decide.DECIDED``). On a first run (``baseline``) only what holds by itself is reported: nothing can have changed.
    """
    found = []
    for hazard in HAZARDS:
        frame = _of_hazard(now, hazard)
        found.append(_overrides(frame, hazard))
        if baseline:
            continue
        rises = (pl.col("band") > pl.col("was_band")) & (pl.col("band") >= limits.band_from)
        crossed = with_parts(frame.filter(rises), changes, hazard, only)
        far = pl.col("origin").is_not_null() & (pl.col("score") - pl.col("told") >= limits.change)
        risen = with_parts(frame.filter(far), changes, hazard, only)
        found += [
            _crossings(crossed, hazard),
            _standing(frame, hazard, open_before, crossed),
            _changes(risen, hazard, crossed),
            _grades(frame, hazard, limits),
        ]
    return pl.concat(found)


def _of_hazard(now: pl.DataFrame, hazard: str) -> pl.DataFrame:
    return (
        now.lazy()
        .select(
            "supplier_id",
            "name",
            "zone",
            "country",
            "origin",
            pl.col(f"{hazard}_held").alias("band"),
            pl.col(f"was_{hazard}_held").alias("was_band"),
            pl.col(f"{hazard}_score").alias("score"),
            pl.col(f"was_{hazard}_score").alias("was_score"),
            pl.col(f"{hazard}_told").alias("told"),
            pl.col(f"{hazard}_p80").alias("p80"),
            pl.col(f"{hazard}_grade").alias("grade"),
            pl.col(f"was_{hazard}_grade").alias("was_grade"),
            pl.col(f"{hazard}_override").alias("override"),
            (pl.col(f"{hazard}_priority") * 1000 + 0.5).floor().cast(pl.Int64).alias("priority"),
        )
        .collect()
    )


def _site(rule: str, hazard: str) -> dict[str, Any]:
    return {"rule": rule, "hazard": str(hazard), "place": pl.col("supplier_id"), "priority": pl.col("priority")}


def _overrides(frame: pl.DataFrame, hazard: str) -> pl.DataFrame:
    return conditions(
        frame.filter(pl.col("override").is_not_null()),
        proven=pl.col("override") == "confirmed_case",
        object=pl.col("override"),
        detail={"name": pl.col("name"), "override": pl.col("override")},
        **_site("override", hazard),
    )


def _by_method() -> pl.Expr:
    """Whether the program and the judgements made more than half of a rise."""
    return 2 * (pl.col("code") + pl.col("weights")) > pl.col("after") - pl.col("before")


def _crossings(crossed: pl.DataFrame, hazard: str) -> pl.DataFrame:
    return conditions(
        crossed,
        measure=pl.col("band").cast(pl.Int64),
        held=pl.when(_by_method().fill_null(value=False)).then(pl.lit(METHOD)).otherwise(pl.lit("")),
        detail={
            "name": pl.col("name"),
            "from": _word("was_band", list(map(str, BANDS))),
            "to": _word("band", list(map(str, BANDS))),
            "p80": pl.col("p80"),
        },
        **_site("band_crossing", hazard),
    )


def _word(column: str, words: list[str]) -> pl.Expr:
    return pl.col(column).replace_strict(list(range(len(words))), words, return_dtype=pl.String)


def _standing(frame: pl.DataFrame, hazard: str, open_before: pl.DataFrame, crossed: pl.DataFrame) -> pl.DataFrame:
    """Crossings told before that still hold: the band is not below what was told."""
    mine = open_before.filter(
        (pl.col("rule") == "band_crossing") & (pl.col("hazard") == hazard) & (pl.col("level") == "site")
    ).select("place", "detail", told_band="measure")
    still = (
        frame.join(mine, left_on="origin", right_on="place", how="inner")
        .filter(pl.col("band") >= pl.col("told_band"))
        .join(crossed.select("supplier_id"), on="supplier_id", how="anti")
    )
    return conditions(
        still, measure=pl.col("told_band"), detail=None, standing=True, **_site("band_crossing", hazard)
    ).with_columns(detail=still["detail"])


def _changes(risen: pl.DataFrame, hazard: str, crossed: pl.DataFrame) -> pl.DataFrame:
    by_band = pl.col("supplier_id").is_in(crossed["supplier_id"].implode())
    return conditions(
        risen,
        measure=pl.col("score") - pl.col("told"),
        held=pl.when(by_band).then(pl.lit(SAME_SITE)).otherwise(pl.lit("")),
        detail={"name": pl.col("name"), "rise": pl.col("score") - pl.col("told"), "score": pl.col("score")},
        **_site("significant_change", hazard),
    )


def _grades(frame: pl.DataFrame, hazard: str, limits: Thresholds) -> pl.DataFrame:
    fallen = frame.filter(pl.col("grade") - pl.col("was_grade") >= limits.grade_steps)
    return conditions(
        fallen,
        measure=pl.col("grade").cast(pl.Int64),
        detail={"name": pl.col("name"), "from": _word("was_grade", list(GRADES)), "to": _word("grade", list(GRADES))},
        **_site("grade_fall", hazard),
    )


def told_after(now: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """The sites with the told score renewed where it is as far from the score as a significant change, up or down."""
    return now.with_columns(
        pl.when((pl.col(f"{h}_score") - pl.col(f"{h}_told")).abs() >= limits.change)
        .then(pl.col(f"{h}_score"))
        .otherwise(pl.col(f"{h}_told"))
        .alias(f"{h}_told")
        for h in HAZARDS
    )


def vanished(then: pl.DataFrame, now: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Sites in a high band that left the list without a successor."""
    gone = then.join(now.select(supplier_id="origin"), on="supplier_id", how="anti")
    return pl.concat(
        conditions(
            gone.filter(pl.col(f"{hazard}_held") >= limits.band_from),
            "vanished",
            {"to": _word(f"{hazard}_held", list(map(str, BANDS)))},
            hazard=str(hazard),
            place=pl.col("supplier_id"),
            measure=pl.col(f"{hazard}_held").cast(pl.Int64),
            before=pl.col(f"{hazard}_score"),
        )
        for hazard in HAZARDS
    )


def stale(now: pl.DataFrame, audits: pl.DataFrame | None, on: date, limits: Thresholds) -> pl.DataFrame:
    """Sites of which nothing new was said, and that nobody looked at, for longer than the limit."""
    until = on - timedelta(days=limits.stale_days)
    old = now.filter(pl.col("since") <= until)
    if audits is not None and "_audited_on" in audits.columns and old.height:
        seen = audits.filter(pl.col("_audited_on").is_between(until, on, closed="right")).select("_supplier_id")
        old = old.join(seen, left_on="supplier_id", right_on="_supplier_id", how="anti", maintain_order="left")
    return conditions(
        old,
        "stale_data",
        {"name": pl.col("name"), "since": pl.col("since").cast(pl.String)},
        place=pl.col("supplier_id"),
        priority=(pl.max_horizontal(f"{h}_priority" for h in HAZARDS) * 1000 + 0.5).floor().cast(pl.Int64),
    )


def lasting() -> pl.Expr:
    """Whether a condition is about something that lasts."""
    return pl.col("rule").is_in(LASTING)
