"""Groups of sites in which the coverage of intervals is counted: what they state, how large, how likely, where."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.calibrate.recomputed import Design
from vigilance.reference import Facts, Reference
from vigilance.scoring.model import Model
from vigilance.terms import FACTORS, PRESENT, TIER_UNKNOWN, UNKNOWN

Flags = NDArray[np.bool_]

SITES: Final = "sites"
REGION: Final = "region"
INCOME: Final = "income"
MIX: Final = "mix"
ALL: Final = "all"
THIRDS: Final = ("low", "middle", "high")
MANY: Final = 3
"""So many risk factors stated as present are many."""


def groups(model: Model, typed: pl.DataFrame, of: Design, p50: NDArray[np.float64]) -> dict[tuple[str, str], Flags]:
    """Kind and name of each group, and which of the n sites are in it; ``p50`` is their inherent presence."""
    named = {(SITES, name): flags for name, flags in _by_site(of, p50).items()}
    place = model.country_places(typed["_iso3"].to_numpy().astype("U3"))
    by_country = {
        REGION: model.countries["ilo_region"].to_numpy().astype("U24"),
        INCOME: income_thirds(model.facts, model.grid.countries, model.countries["ilo_member"].to_numpy().astype(bool)),
    }
    for kind, words in by_country.items():
        named |= {(kind, word): words[place] == word for word in sorted(set(words.tolist()) - {"", "world"})}
    return named


def _by_site(of: Design, p50: NDArray[np.float64]) -> dict[str, Flags]:
    answers = of.stated.state[:, : len(FACTORS)]
    stated = of.size_known & of.activity_known & (of.stated.tier != TIER_UNKNOWN) & np.isfinite(of.stated.migrants)
    stated &= (answers != UNKNOWN).mean(axis=1) >= 0.5
    likely = p50 > np.median(p50)
    return {
        ALL: np.ones(len(p50), dtype=bool),
        "mostly_stated": stated,
        "with_blanks": ~stated,
        "activity_unknown": ~of.activity_known,
        "tier_unknown": of.stated.tier == TIER_UNKNOWN,
        "size_unknown": ~of.size_known,
        "larger_than_usual": of.size_known & (of.stated.ln_workers > np.log(of.size[:, 2])),
        "many_factors": (answers == PRESENT).sum(axis=1) >= MANY,
        "lower_half": ~likely,
        "upper_half": likely,
    }


def income_thirds(facts: Facts | Reference, iso3: NDArray[np.str_], members: Flags) -> NDArray[np.str_]:
    """Each country's third of output per person employed (C); empty where it is not known.

    The income groups of the World Bank are not among the facts; this is the nearest to them. The thirds are made among
    the ``members`` (C).
    """
    table = facts.table("country_indicators").filter(pl.col("indicator") == "gdp_per_worker")
    by_country = dict(table.select("iso3", "value").iter_rows())
    values = np.array([by_country.get(code, np.nan) for code in iso3.tolist()])
    known = np.isfinite(values) & members
    if not known.any():
        return np.full(len(iso3), "", dtype="U6")
    limits = np.quantile(values[known], [1 / 3, 2 / 3])
    third = np.array(THIRDS)[np.searchsorted(limits, np.where(known, values, 0.0))]
    return np.where(known, third, "")
