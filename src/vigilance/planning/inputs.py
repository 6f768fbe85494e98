"""From a run to the table that planning works on.

One row per site, sorted by id so that row order changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.planning.problem import Floats, Ints
from vigilance.planning.value import HazardRisk
from vigilance.terms import HAZARDS, Hazard

_ = messages("planning")

_TYPES = {
    "_supplier_id": pl.String,
    "_name": pl.String,
    "_iso3": pl.String,
    "_division": pl.String,
    "_tier": pl.Int64,
    "_workers": pl.Float64,
    "_zone": pl.String,
    "_lat": pl.Float64,
    "_lng": pl.Float64,
    "_spend_eur": pl.Float64,
}
_OPTIONAL = ("_lat", "_lng", "_spend_eur", "_zone", "_name")
_MEASURES = ("p05", "p50", "p95", "expected_affected")


@dataclass(frozen=True)
class SiteTable:
    """Sites in order of id.

    ``frame`` has the typed columns of ``_TYPES``, the scores and any asked-for user columns.
    """

    frame: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height

    def numbers(self, column: str) -> Floats:
        """A column as floats (N,), NaN where unknown."""
        return self.frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)

    @property
    def tier(self) -> Ints:
        """Tier (N,), 0 where unknown."""
        return self.frame["_tier"].fill_null(0).to_numpy().astype(np.int64)

    def risk(self, hazard: Hazard) -> HazardRisk:
        """The risk of one hazard at every site."""
        p05, p50, p95, affected = (self.numbers(f"{hazard}_{m}") for m in _MEASURES)
        return HazardRisk(p50=p50, p05=p05, p95=p95, affected=affected)

    def positions(self, ids: pl.Series) -> Ints:
        """The row of each id, -1 where it is not in the table."""
        own = pl.DataFrame({"id": self.frame["_supplier_id"]}).with_row_index("row")
        found = pl.DataFrame({"id": ids.cast(pl.String)}).join(own, on="id", how="left", maintain_order="left")
        return found["row"].cast(pl.Int64).fill_null(-1).to_numpy().astype(np.int64)


def read(scores: pl.LazyFrame, sites: pl.LazyFrame, user_columns: Iterable[str] = ()) -> SiteTable:
    """Join the scores and the typed columns of a run (both in input order) and sort by id.

    ``user_columns`` are columns of the user's own file that constraints refer to. Raises ``InputRefused``
    when the run lacks what planning needs, ``UsageError`` for an unknown user column.
    """
    score_names = scores.collect_schema().names()
    site_names = sites.collect_schema().names()
    score_columns = [f"{h}_{m}" for h in HAZARDS for m in (*_MEASURES, "score", "grade", "band", "override")]
    needed = [f"{h}_{m}" for h in HAZARDS for m in _MEASURES]
    missing = [c for c in needed if c not in score_names]
    missing += [c for c in _TYPES if c not in site_names and c not in _OPTIONAL]
    if missing:
        raise InputRefused(_("the run lacks {columns}").format(columns=", ".join(missing)))
    wanted = list(dict.fromkeys(user_columns))
    unknown = [c for c in wanted if c not in score_names]
    if unknown:
        known = ", ".join(score_names[:20])
        raise UsageError(
            _("the constraints name columns that the list does not have: {names}").format(names=", ".join(unknown)),
            hint=_("Known: {names}.").format(names=known),
        )
    left = sites.select(
        *(
            (pl.col(c) if c in site_names else pl.lit(None)).cast(kind, strict=False).alias(c)
            for c, kind in _TYPES.items()
        )
    )
    right = scores.select(
        *(pl.col(c) if c in score_names else pl.lit(None, pl.String).alias(c) for c in score_columns),
        *(pl.col(c).cast(pl.String).alias(f"user:{c}") for c in wanted),
    )
    first, second = pl.collect_all([left, right])
    if first.height != second.height:
        raise InputRefused(_("the run's scores and sites do not have the same number of rows"))
    frame = pl.concat([first, second], how="horizontal").sort("_supplier_id", maintain_order=True)
    if not frame.height:
        raise InputRefused(_("the run has no sites to plan for"))
    if frame["_supplier_id"].n_unique() != frame.height:
        raise InputRefused(_("the run has the same site twice"))
    return SiteTable(frame.with_columns(pl.col("_tier").fill_null(0), pl.col("_division").fill_null("00")))
