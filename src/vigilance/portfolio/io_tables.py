"""A multi-regional input-output table in place of the shipped footprint: where activities are, and what they buy.

Any table will do that comes as technical coefficients ``A`` and gross output ``x`` over regions and sectors; pymrio
(an extra) reads the public ones (EXIOBASE, WIOD, OECD). Tiers follow from powers of ``A``: what a division buys is
``A·d``, what its suppliers buy is ``A²·d``, and so on, each tier then adding up to 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.portfolio import inputs
from vigilance.portfolio.exposure import UPSTREAM

_ = messages("portfolio")

Floats = npt.NDArray[np.float64]
SMALLEST: Final = 1e-4
"""Shares below this are left out: a full table has millions of them and together they weigh little."""


def world(coefficients: Floats, output: Floats, labels: pl.DataFrame) -> inputs.World:
    """Footprint and upstream shares from ``A`` (n × n, column = buyer) and ``x`` (n).

    ``labels``: ``at`` (0 to n−1), ``iso3``, ``division``, ``weight``: a sector may stand for several divisions, its
    weights adding up to 1; a row of the table that has no label (rest of the world) is left out.
    """
    n = len(output)
    if coefficients.shape != (n, n):
        raise InputRefused(_("the input-output table is not square: {shape}").format(shape=coefficients.shape))
    mapped = labels.with_columns(output=pl.Series(output).gather(labels["at"]) * labels["weight"])
    return inputs.World(_footprint(mapped), _upstream(coefficients, mapped, n))


def _footprint(labels: pl.DataFrame) -> pl.DataFrame:
    """Share of each country in the output of a division."""
    sums = labels.group_by("division", "iso3").agg(share=pl.col("output").sum()).sort("division", "iso3")
    return _whole(sums, ["division"])


def _upstream(coefficients: Floats, labels: pl.DataFrame, n: int) -> pl.DataFrame:
    """What one unit of each division buys, directly and from behind its suppliers."""
    divisions = labels["division"].unique().sort()
    place = dict(zip(divisions.to_list(), range(divisions.len()), strict=True))
    column = labels["division"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    unit: Floats = np.zeros((n, divisions.len()))
    np.add.at(unit, (labels["at"].to_numpy(), column), labels["output"].to_numpy())
    unit = np.divide(unit, unit.sum(axis=0), out=np.zeros_like(unit), where=unit.sum(axis=0) > 0)
    reads: Floats = np.zeros((divisions.len(), n))
    np.add.at(reads, (column, labels["at"].to_numpy()), labels["weight"].to_numpy())
    frames = []
    demand = unit
    for tier in UPSTREAM:
        demand = coefficients @ demand
        bought = reads @ demand
        buyer, supplier = np.meshgrid(np.arange(divisions.len()), np.arange(divisions.len()))
        frames.append(
            pl.DataFrame(
                {
                    "division": divisions.gather(buyer.ravel()),
                    "tier": pl.Series(np.full(bought.size, tier), dtype=pl.Int8),
                    "upstream": divisions.gather(supplier.ravel()),
                    "share": bought.ravel(),
                }
            )
        )
    return _whole(pl.concat(frames).sort("division", "tier", "upstream"), ["division", "tier"])


def _whole(shares: pl.DataFrame, per: list[str]) -> pl.DataFrame:
    """Shares that add up to 1 per group, the smallest left out."""
    total = pl.col("share").sum().over(per)
    kept = shares.filter(total > 0).with_columns(share=pl.col("share") / total).filter(pl.col("share") >= SMALLEST)
    return kept.with_columns(share=pl.col("share") / pl.col("share").sum().over(per))


def load(folder: Path, facts: inputs.Facts) -> inputs.World:
    """A table that pymrio saved (``io.save_all``), its regions as countries and its sectors as ISIC divisions.

    Raises ``UsageError`` without pymrio, ``InputRefused`` when the table has no ``A`` and ``x``.
    """
    try:
        import pymrio  # type: ignore[import-not-found] # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(_("an input-output table needs pymrio"), hint=_("Install it: pip install pymrio.")) from error
    table: Any = pymrio.load_all(str(folder))
    if table.x is None or table.A is None:
        table.calc_system()
    regions = [str(region) for region, _sector in table.A.columns]
    sectors = [str(sector) for _region, sector in table.A.columns]
    labels = label(regions, sectors, facts)
    return world(table.A.to_numpy(dtype=float), table.x.to_numpy(dtype=float).ravel(), labels)


def label(regions: list[str], sectors: list[str], facts: inputs.Facts) -> pl.DataFrame:
    """Regions and sectors of a table in the project's codes; ``InputRefused`` when hardly any is known."""
    rows = pl.DataFrame({"at": range(len(regions)), "region": regions, "sector": sectors}).with_columns(
        pl.col("at").cast(pl.Int64)
    )
    lands = inputs.places(rows["region"], facts.table("countries"))
    mixes = inputs.activities(rows["sector"], facts.table("activity_aliases"), codes="isic")
    labels = (
        rows.join(lands, left_on="region", right_on="text")
        .join(mixes, left_on="sector", right_on="text")
        .select("at", "iso3", "division", "weight")
        .sort("at", "division")
    )
    if labels["at"].n_unique() * 2 < len(regions):
        raise InputRefused(
            _("of {n} rows of the input-output table only {known} have a known country and sector").format(
                n=len(regions), known=labels["at"].n_unique()
            )
        )
    return labels
