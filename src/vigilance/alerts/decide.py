"""Which conditions are told: rolled up by place, matched with what was told before, suppressed, and within a budget.

Identity. A *fingerprint* is the hash of rule and subject (hazard, level, place, object): it stays over the weeks. An
alert's *id* is the hash of rule, subject and week: the same week never gives two alerts of one id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from vigilance.alerts.compare import PARTS
from vigilance.alerts.conditions import CONDITIONS, SAME_SITE, lasting
from vigilance.alerts.thresholds import URGENCY_UNITS, Thresholds
from vigilance.alerts.weeks import earlier

NEW: Final = "new"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"
GONE: Final = "gone"

ROLLED_UP: Final = "rolled_up"
SUPPRESSED: Final = "suppressed"
BUDGET: Final = "budget"
TOLD: Final = "already_told"

_ROLLS: Final = ("override", "band_crossing", "significant_change", "grade_fall", "stale_data")
_REPORTS: Final = ("new_finding", "grievance", "event")
_SUBJECT: Final = ("rule", "hazard", "level", "place", "object")

DECIDED: Final = pl.Schema(
    {
        "id": pl.String(),
        "fingerprint": pl.String(),
        "rule": pl.String(),
        "hazard": pl.String(),
        "level": pl.String(),
        "place": pl.String(),
        "object": pl.String(),
        "proven": pl.Boolean(),
        "measure": pl.Int64(),
        "urgency": pl.Int64(),
        "state": pl.String(),
        "sent": pl.Boolean(),
        "held": pl.String(),
        "first_week": pl.String(),
        "told_week": pl.String(),
        "sites": pl.Int64(),
        "detail": pl.String(),
        "before": pl.Int64(),
        "after": pl.Int64(),
        **dict.fromkeys(PARTS, pl.Int64()),
    }
)
"""One row per alert and run. ``sent`` rows leave the store; of the others ``held`` says why not. ``told_week`` is when
it was last sent, null if never."""


def no_alerts() -> pl.DataFrame:
    """No alert."""
    return pl.DataFrame(schema=DECIDED)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A person's wish to hear no more of some alerts until a day. Empty fields match anything."""

    author: str
    reason: str
    until: str
    fingerprint: str = ""
    rule: str = ""
    hazard: str = ""
    level: str = ""
    place: str = ""

    def matches(self) -> pl.Expr:
        """The alerts that it is about."""
        given = {name: getattr(self, name) for name in ("fingerprint", "rule", "hazard", "level", "place")}
        return pl.all_horizontal(pl.lit(value=True), *(pl.col(name) == value for name, value in given.items() if value))


@dataclass(frozen=True, slots=True)
class Past:
    """What was told: the alerts after the run before, and those of earlier revisions of this week."""

    before: pl.DataFrame = field(default_factory=no_alerts)
    this_week: pl.DataFrame = field(default_factory=no_alerts)
    suppressions: Sequence[Suppression] = ()


def open_alerts(past: pl.DataFrame) -> pl.DataFrame:
    """The alerts that stand after a run."""
    return past.filter((pl.col("state") != GONE) & lasting())


def decide(
    found: pl.DataFrame, places: pl.DataFrame, past: Past, week: str, limits: Thresholds, budget: int | None = None
) -> pl.DataFrame:
    """The rows of ``DECIDED`` of a run, the most urgent first.

    ``found`` has ``conditions.CONDITIONS``; ``places`` is one row per site with ``zone, region, country``.
    """
    rows = rolled_up(_once_a_site(found.filter(~pl.col("standing"))), places, limits)
    rows = pl.concat([rows, found.filter(pl.col("standing"))])
    rows = _merged(rows)
    rows = rows.with_columns(hashed("fingerprint", _SUBJECT), urgency=_urgency(limits))
    rows = _with_states(rows, past.before, week)
    rows = pl.concat([rows, _carried(rows, past.before, week, limits), _gone(rows, past, week)])
    rows = rows.with_columns(_ids(week))
    rows = _not_again(rows, past.this_week)
    rows = _suppressed(rows, past.suppressions)
    return _within(rows, limits.budget if budget is None else budget, week)


def _once_a_site(found: pl.DataFrame) -> pl.DataFrame:
    """A rise of the score is not told beside the report of the same week that explains it."""
    told = found.filter((pl.col("level") == "site") & pl.col("rule").is_in(_REPORTS) & (pl.col("held") == ""))
    beside = (
        (pl.col("rule") == "significant_change")
        & (pl.col("held") == "")
        & pl.col("place").is_in(told["place"].unique().implode())
    )
    return found.with_columns(held=pl.when(beside).then(pl.lit(SAME_SITE)).otherwise(pl.col("held")))


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per subject, the worst: a file may tell the same thing twice."""
    worst = rows.sort(
        ["proven", "measure", "priority", "detail"], descending=[True, True, True, False], nulls_last=True
    )
    return worst.unique(_SUBJECT, keep="first", maintain_order=True)


def hashed(name: str, columns: Sequence[str], *more: str) -> pl.Series | pl.Expr:
    """sha256 of some text columns (and fixed words) as an expression; 32 hexadecimal digits."""
    joined = pl.concat_str([*(pl.col(c) for c in columns), *(pl.lit(word) for word in more)], separator="\x1f")
    return joined.map_batches(_sha256, return_dtype=pl.String).alias(name)


def _sha256(texts: pl.Series) -> pl.Series:
    return pl.Series([hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts], dtype=pl.String)


def _ids(week: str) -> pl.Expr:
    # An end has an id of its own: a correction may take back in a week what the same week told.
    closing = pl.when(pl.col("state") == GONE).then(pl.lit(GONE)).otherwise(pl.lit(""))
    joined = pl.concat_str([*(pl.col(c) for c in _SUBJECT), pl.lit(week), closing], separator="\x1f")
    return joined.map_batches(_sha256, return_dtype=pl.String).alias("id")


def _urgency(limits: Thresholds) -> pl.Expr:
    weight = pl.col("rule").replace_strict(dict(limits.urgency), return_dtype=pl.Int64)
    proven = pl.when(pl.col("proven")).then(limits.proven).otherwise(URGENCY_UNITS)
    # Priorities are thousandths of 0 to 100; one point is added so that a place without any site still has an order.
    return weight * proven // URGENCY_UNITS * (pl.col("priority").fill_null(0) + 1000) // URGENCY_UNITS


def rolled_up(found: pl.DataFrame, places: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Where many sites of a zone, region or country have the same condition, one of the place; theirs are held."""
    for level in ("zone", "region", "country"):
        size = places.drop_nulls(level).group_by(level).agg(pl.len().alias("all"))
        at = _places_of(places, level)
        free = found.filter((pl.col("held") == "") & (pl.col("level") == "site") & pl.col("rule").is_in(_ROLLS)).join(
            at, left_on="place", right_on="supplier_id", how="inner"
        )
        groups = (
            free.group_by("rule", "hazard", "at")
            .agg(
                pl.len().alias("count"),
                pl.col("priority").max(),
                pl.col("proven").any(),
                *(pl.col(part).sum().alias(part) for part in PARTS),
                pl.col("place").sort_by(["priority", "place"], descending=[True, False]).head(5).alias("first"),
            )
            .join(size, left_on="at", right_on=level, how="inner")
            .filter(
                (pl.col("count") >= limits.roll_up_sites) & (pl.col("count") >= pl.col("all") * limits.roll_up_share)
            )
            .sort("rule", "hazard", "at")
        )
        if groups.height:
            found = pl.concat([_held_by(found, at, groups), _of_place(groups, level)])
    return found


def _places_of(places: pl.DataFrame, level: str) -> pl.DataFrame:
    return places.select("supplier_id", at=level).drop_nulls()


def _held_by(found: pl.DataFrame, at: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    keys = groups.select("rule", "hazard", "at", stands=pl.lit(value=True))
    joined = found.join(at, left_on="place", right_on="supplier_id", how="left", maintain_order="left")
    joined = joined.join(keys, on=["rule", "hazard", "at"], how="left", maintain_order="left")
    held = pl.col("stands").fill_null(value=False) & (pl.col("level") == "site") & (pl.col("held") == "")
    return joined.with_columns(held=pl.when(held).then(pl.lit(ROLLED_UP)).otherwise(pl.col("held"))).drop(
        "at", "stands"
    )


def _of_place(groups: pl.DataFrame, level: str) -> pl.DataFrame:
    detail = pl.struct("count", pl.col("all").alias("of"), "first").struct.json_encode()
    made = groups.select(
        "rule",
        "hazard",
        "proven",
        "priority",
        *PARTS,
        level=pl.lit(level),
        place=pl.col("at"),
        object=pl.lit(""),
        measure=pl.lit(1, dtype=pl.Int64),
        sites=pl.col("count").cast(pl.Int64),
        held=pl.lit(""),
        standing=pl.lit(value=False),
        detail=detail,
    )
    rest = {name: kind for name, kind in CONDITIONS.items() if name not in made.columns}
    return (
        made.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in rest.items())
        .select(CONDITIONS.names())
        .cast(CONDITIONS)
    )


def _with_states(rows: pl.DataFrame, before: pl.DataFrame, week: str) -> pl.DataFrame:
    old = before.filter(pl.col("state") != GONE).select(
        "fingerprint", "first_week", "told_week", was="measure", was_proven="proven"
    )
    rows = rows.join(old, on="fingerprint", how="left", maintain_order="left")
    worse = (pl.col("measure") > pl.col("was")) | (pl.col("proven") & ~pl.col("was_proven"))
    return rows.with_columns(
        first_week=pl.col("first_week").fill_null(week),
        state=pl.when(pl.col("told_week").is_null())
        .then(pl.lit(NEW))
        .when(~lasting() | worse)
        .then(pl.lit(UPDATED))
        .otherwise(pl.lit(UNCHANGED)),
    ).select(_RAW)


_RAW: Final = [*(name for name in DECIDED.names() if name not in {"id", "sent"})]


def _carried(rows: pl.DataFrame, before: pl.DataFrame, week: str, limits: Thresholds) -> pl.DataFrame:
    """What the budget held back in the weeks before is proposed again, unless it came up anew."""
    since = earlier(week, limits.carry_weeks)
    waiting = before.filter(
        (pl.col("held") == BUDGET) & ~lasting() & pl.col("told_week").is_null() & (pl.col("first_week") >= since)
    )
    return (
        waiting.join(rows.select("fingerprint"), on="fingerprint", how="anti", maintain_order="left")
        .with_columns(held=pl.lit(""), state=pl.lit(NEW))
        .select(_RAW)
    )


def _gone(rows: pl.DataFrame, past: Past, week: str) -> pl.DataFrame:
    """What was told and does not hold any more; what an earlier revision of the week told and this one does not."""
    # A crossing told for a place is about that week: only those of sites are followed.
    followed = (pl.col("rule") != "band_crossing") | (pl.col("level") == "site")
    over = open_alerts(past.before).filter(pl.col("told_week").is_not_null() & followed)
    taken_back = past.this_week.filter(pl.col("sent") & pl.col("state").is_in([NEW, UPDATED])).with_columns(
        told_week=pl.lit(week)
    )
    ended = pl.concat([over, taken_back]).unique("fingerprint", keep="first", maintain_order=True)
    return (
        ended.join(rows.select("fingerprint"), on="fingerprint", how="anti", maintain_order="left")
        .with_columns(held=pl.lit(""), state=pl.lit(GONE))
        .select(_RAW)
    )


def _not_again(rows: pl.DataFrame, this_week: pl.DataFrame) -> pl.DataFrame:
    told = this_week.filter("sent").select("id", again=pl.lit(value=True))
    rows = rows.join(told, on="id", how="left", maintain_order="left")
    again = pl.col("again").fill_null(value=False) & (pl.col("held") == "")
    return rows.with_columns(held=pl.when(again).then(pl.lit(TOLD)).otherwise(pl.col("held"))).drop("again")


def _suppressed(rows: pl.DataFrame, suppressions: Sequence[Suppression]) -> pl.DataFrame:
    if not suppressions:
        return rows
    hit = pl.any_horizontal(suppression.matches() for suppression in suppressions)
    return rows.with_columns(
        held=pl.when(hit & (pl.col("held") == "")).then(pl.lit(SUPPRESSED)).otherwise(pl.col("held"))
    )


def _within(rows: pl.DataFrame, budget: int, week: str) -> pl.DataFrame:
    """The most urgent within the budget are sent; an end is always sent, what did not change never."""
    rows = rows.sort(["urgency", "id"], descending=[True, False])
    wants = (pl.col("held") == "") & pl.col("state").is_in([NEW, UPDATED])
    place = wants.cast(pl.Int64).cum_sum()
    held = pl.when(wants & (place > budget)).then(pl.lit(BUDGET)).otherwise(pl.col("held"))
    rows = rows.with_columns(held=held)
    sent = (pl.col("held") == "") & (pl.col("state") != UNCHANGED)
    told = sent | (pl.col("held") == TOLD)
    return (
        rows.with_columns(sent=sent, told_week=pl.when(told).then(pl.lit(week)).otherwise(pl.col("told_week")))
        .select(DECIDED.names())
        .cast(DECIDED)
    )


def to_store(decided: pl.DataFrame) -> pl.DataFrame:
    """What of a decision later weeks need: all but what a place tells for its sites and was never told by itself."""
    by_place = pl.col("held").is_in([ROLLED_UP, SAME_SITE]) & pl.col("told_week").is_null()
    return decided.filter(~by_place)


def suppression(body: Mapping[str, Any]) -> Suppression:
    """A suppression from the body of its record."""
    return Suppression(**{name: str(body.get(name, "")) for name in Suppression.__slots__})
