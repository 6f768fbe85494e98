"""The country part against a ranking of countries that somebody else keeps and the user brings.

Such rankings are no input (most may not be passed on), so they can be held against the index and against the rate that
scores start from. Only orders are compared. Baselines say what plainer things would have done: governance instead of
the index; the region's published rate alone, or with rule of law in the place of the index. Nothing here is fitted,
and nothing moves a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance import ingest
from vigilance.calibrate import agreement
from vigilance.calibrate.discrimination import interval, resampled
from vigilance.errors import InputRefused
from vigilance.i18n import language, messages
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring.country import country_index
from vigilance.scoring.country_rules import read_rules
from vigilance.scoring.country_term import country_rates
from vigilance.terms import HAZARDS, Hazard

_ = messages("calibrate")

Floats = NDArray[np.float64]

TABLE: Final = "rankings"
PREVALENCE: Final = "prevalence"
VULNERABILITY: Final = "vulnerability"
KINDS: Final = (PREVALENCE, VULNERABILITY)
BARS: Final[Mapping[str, float]] = {PREVALENCE: 0.62, VULNERABILITY: 0.85}
"""What the country part should reach with a published ranking of a kind."""
OURS: Final = tuple(f"{hazard}_{name}" for hazard in HAZARDS for name in ("index", "rate"))
REGION: Final = tuple(f"{hazard}_region_rate" for hazard in HAZARDS)
PLAIN: Final = tuple(f"{hazard}_plain_rate" for hazard in HAZARDS)
"""The rate with rule of law in the place of the index."""
RULE_OF_LAW: Final = "rule_of_law_wgi"
GOVERNANCE: Final = "governance"
GOVERNANCE_SERIES: Final = (RULE_OF_LAW, "rule_of_law_vdem", "clientelism")
"""The governance series of the index, on its own anchors; their plain mean where all are known."""
BASELINES_OF_INDEX: Final = (RULE_OF_LAW, GOVERNANCE)
PREDICTORS: Final = (*OURS, *REGION, *PLAIN, *BASELINES_OF_INDEX)
BASELINES: Final = {
    **{f"{hazard}_index": BASELINES_OF_INDEX for hazard in HAZARDS},
    **{f"{hazard}_rate": (f"{hazard}_region_rate", f"{hazard}_plain_rate") for hazard in HAZARDS},
}
"""What each of ours is held against: something plainer of the same kind."""
IN_REGIONS: Final = (*OURS, *BASELINES_OF_INDEX)


def _bounds(*names: str) -> dict[str, pl.DataType]:
    return {f"{name}{bound}": pl.Float64() for name in names for bound in ("", "_low", "_high")}


RESULTS: Final[dict[str, Any]] = {"predictor": pl.String, "countries": pl.Int64, **_bounds("all", "inside")}
AGAINST: Final[dict[str, Any]] = {
    "predictor": pl.String,
    "baseline": pl.String,
    "countries": pl.Int64,
    **_bounds("difference"),
}
REGIONS: Final = {"predictor": pl.String, "region": pl.String, "countries": pl.Int64, "correlation": pl.Float64}
DRAWS: Final = 2000
SEED: Final = 62
LEAST: Final = 3
"""Countries that a ranking needs."""
LEAST_OF_REGION: Final = 5
"""Countries that a region needs for a correlation of its own."""
FEW: Final = 10
"""Fewer countries have no interval, and no correlation inside regions: it would hang on two or three of them."""
TOLD: Final = 10
"""Countries that are named each way."""


@dataclass(frozen=True)
class Given:
    """The user's file, and how to read it: ``hazard`` is what it is about, ``kind`` says which bar holds, if any."""

    path: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    lower_is_worse: bool = False
    hazard: Hazard = Hazard.FORCED_LABOUR
    kind: str | None = None


@dataclass(frozen=True)
class Compared:
    """What came of it. All correlations are Spearman's; ``_low`` and ``_high`` bound 90 % of resampled countries.

    ``results``: one row per predictor: ``predictor, countries, all, inside`` (places inside ILO regions) with bounds.
    ``against``: ``predictor, baseline, countries`` (that both know), ``difference`` with bounds.
    ``regions``: ``predictor, region, countries, correlation``.
    ``places``: ``predictor, iso3, name, region, ours, theirs`` (places, 1 is worst), of every country that both rank.
    ``differences``: the same with ``way`` (worse or milder with us), of those that differ most.
    ``unknown`` are ranked and nothing is known of them here; ``absent`` are ILO members that the ranking leaves out.
    """

    given: Given
    source: ingest.Source
    column: str
    counts: Mapping[str, int]
    ranked: int
    issues: pl.DataFrame
    results: pl.DataFrame
    against: pl.DataFrame
    regions: pl.DataFrame
    places: pl.DataFrame
    differences: pl.DataFrame
    unknown: list[str]
    absent: list[str]

    @property
    def bar(self) -> float | None:
        """What the country part should reach; None where the kind of ranking was not said."""
        return BARS.get(self.given.kind or "")


def compared(given: Given, facts: Facts, judgements: Judgements) -> Compared:
    """Hold a ranking against the index and the rate.

    Raises ``InputRefused`` for a file that cannot be read as a whole or that ranks fewer than three known countries.
    """
    intake = ingest.read(given.path, TABLE, on=facts.on, reference=facts, mapping=given.mapping, sheet=given.sheet)
    ranking = intake.rows.select(iso3="_country", value="_value").collect().drop_nulls("value")
    known = predictors(facts, judgements)
    # Left: a territory that only the ranking knows has no predictor, and is named.
    joined = ranking.join(known, on="iso3", how="left").sort("iso3")
    theirs = joined["value"].to_numpy() * (-1.0 if given.lower_is_worse else 1.0)
    ours = {name: joined[name].to_numpy() for name in PREDICTORS}
    matched = np.isfinite(np.stack([ours[name] for name in OURS])).any(axis=0)
    _refuse_what_ranks_nothing(given, intake, theirs[matched])
    regions = joined["ilo_region"].fill_null("").to_numpy().astype("U24")
    places = pl.concat([_places(name, joined, ours[name], theirs) for name in OURS])
    members = known.filter("ilo_member", ~pl.col("iso3").is_in(ranking["iso3"].implode()))
    return Compared(
        given=given,
        source=intake.sources[0],
        column=intake.columns["value"],
        counts=intake.counts,
        ranked=ranking.height,
        issues=intake.issues.filter(pl.col("code") != "column_unknown"),
        results=pl.DataFrame([_result(name, ours[name], theirs, regions) for name in PREDICTORS], schema=RESULTS),
        against=pl.DataFrame(list(_against(ours, theirs)), schema=AGAINST),
        regions=pl.DataFrame(list(_regions(ours, theirs, regions)), schema=REGIONS),
        places=places,
        differences=pl.concat([_differences(places.filter(predictor=name)) for name in OURS]),
        unknown=joined.filter(pl.Series(~matched))["iso3"].to_list(),
        absent=members["iso3"].to_list(),
    )


def predictors(facts: Facts, judgements: Judgements) -> pl.DataFrame:
    """One row per country: ``iso3, name, ilo_region, ilo_member``, then every predictor (higher is worse)."""
    names = facts.table("countries").select("iso3", "ilo_region", "ilo_member", name=pl.col(f"name_{language()}"))
    index = country_index(facts, judgements)
    frame = names.join(index.to_native().drop("ilo_region"), on="iso3", how="left")
    frame = frame.join(_governance(facts, judgements), on="iso3", how="left").sort("iso3")
    rates = country_rates(facts, judgements, index).to_native()
    by_law = frame.select("iso3", "ilo_region", *(pl.col(RULE_OF_LAW).alias(f"{hazard}_index") for hazard in HAZARDS))
    # The other columns of the index say how wide the ratio is, not what it is.
    swapped = index.to_native().drop(by_law.columns[1:]).join(by_law, on="iso3", how="left")
    plain = country_rates(facts, judgements, nw.from_native(swapped, eager_only=True)).to_native()
    plain = plain.select("iso3", *(pl.col(f"{hazard}_rate").alias(f"{hazard}_plain_rate") for hazard in HAZARDS))
    frame = frame.join(rates, on="iso3", how="left").join(plain, on="iso3", how="left")
    return frame.select("iso3", "name", "ilo_region", "ilo_member", *PREDICTORS)


def _governance(facts: Facts, judgements: Judgements) -> pl.DataFrame:
    """Each governance series as a risk on the anchors of the index, and their mean where all are known."""
    scales, indicators = read_rules(judgements).scales, facts.table("country_indicators")
    frame = facts.table("countries").select("iso3")
    for series in GOVERNANCE_SERIES:
        best, worst = scales[series].best, scales[series].worst
        risk = ((pl.col("value") - best) / (worst - best)).alias(series)
        frame = frame.join(indicators.filter(indicator=series).select("iso3", risk), on="iso3", how="left")
    # A sum is null as soon as one of its terms is.
    total = sum((pl.col(series) for series in GOVERNANCE_SERIES), pl.lit(0.0))
    return frame.select("iso3", RULE_OF_LAW, (total / len(GOVERNANCE_SERIES)).alias(GOVERNANCE))


def _refuse_what_ranks_nothing(given: Given, intake: ingest.Intake, theirs: Floats) -> None:
    column = intake.columns["value"]
    if len(theirs) < LEAST:
        raise InputRefused(
            _("{file}: the column '{column}' ranks {n} countries of which anything is known; it takes {least}").format(
                file=given.path.name, column=column, n=len(theirs), least=LEAST
            ),
            hint=_("`vigilance check FILE --as rankings` says what was read; --map value=HEADER names another column"),
        )
    if len(np.unique(theirs)) == 1:
        raise InputRefused(
            _("{file}: the column '{column}' has one value for all countries, which is no ranking").format(
                file=given.path.name, column=column
            ),
            hint=_("name the column with --map value=HEADER"),
        )


def _bounded(name: str, drawn: Floats) -> dict[str, float | None]:
    """A statistic of the sample and its interval; None for what could not be computed."""
    values = dict(zip((name, f"{name}_low", f"{name}_high"), (float(drawn[0]), *interval(drawn)), strict=True))
    return {key: round(value, 6) if np.isfinite(value) else None for key, value in values.items()}


def _drawn(known: NDArray[np.bool_]) -> Floats:
    """Weights of the countries that are known (B+1 × n); the sample alone where they are few."""
    count = int(known.sum())
    return resampled(count, DRAWS if count >= FEW else 0, SEED)


def _result(name: str, ours: Floats, theirs: Floats, regions: NDArray[np.str_]) -> dict[str, Any]:
    known = np.isfinite(ours)
    placed = known & (regions != "")
    whole = where = np.full(1, np.nan)
    if known.sum() >= LEAST:
        whole = agreement.spearman(ours[known], theirs[known], _drawn(known))
    # A region's own rate is one number inside it.
    if placed.sum() >= FEW and name not in REGION:
        group = np.unique(regions[placed], return_inverse=True)[1]
        where = agreement.inside(ours[placed], theirs[placed], group, _drawn(placed))
    return {"predictor": name, "countries": int(known.sum()), **_bounded("all", whole), **_bounded("inside", where)}


def _against(ours: Mapping[str, Floats], theirs: Floats) -> Iterator[dict[str, Any]]:
    """Ours less each baseline, on the countries that both know and on the same draws."""
    for name, baselines in BASELINES.items():
        for baseline in baselines:
            both = np.isfinite(ours[name]) & np.isfinite(ours[baseline])
            drawn = np.full(1, np.nan)
            if both.sum() >= LEAST:
                weights = _drawn(both)
                one, other = (agreement.spearman(ours[key][both], theirs[both], weights) for key in (name, baseline))
                drawn = one - other
            told = {"predictor": name, "baseline": baseline, "countries": int(both.sum())}
            yield {**told, **_bounded("difference", drawn)}


def _regions(ours: Mapping[str, Floats], theirs: Floats, regions: NDArray[np.str_]) -> Iterator[dict[str, Any]]:
    for name in IN_REGIONS:
        for region in sorted(set(regions.tolist()) - {""}):
            mine = (regions == region) & np.isfinite(ours[name])
            found = np.full(1, np.nan)
            if mine.sum() >= LEAST_OF_REGION:
                found = agreement.spearman(ours[name][mine], theirs[mine], np.ones((1, int(mine.sum()))))
            value = round(float(found[0]), 6) if np.isfinite(found[0]) else None
            yield {"predictor": name, "region": region, "countries": int(mine.sum()), "correlation": value}


def _places(name: str, joined: pl.DataFrame, ours: Floats, theirs: Floats) -> pl.DataFrame:
    """The place of every country that both rank; 1 is the worst of them."""
    known = np.isfinite(ours)
    alone = np.ones((1, int(known.sum())))
    return joined.filter(pl.Series(known)).select(
        pl.lit(name).alias("predictor"),
        "iso3",
        "name",
        region="ilo_region",
        ours=pl.Series(agreement.midranks(-ours[known], alone)[0]),
        theirs=pl.Series(agreement.midranks(-theirs[known], alone)[0]),
    )


def _differences(places: pl.DataFrame) -> pl.DataFrame:
    """The countries whose places differ most, each way."""
    gap = pl.col("theirs") - pl.col("ours")
    ways = {"worse": gap, "milder": -gap}
    return pl.concat(
        places.filter(by > 0)
        .sort(by, "iso3", descending=[True, False])
        .head(TOLD)
        .with_columns(pl.lit(way).alias("way"))
        for way, by in ways.items()
    ).select("predictor", "way", "iso3", "name", "ours", "theirs")


def summary(found: Compared) -> dict[str, Any]:
    """Plain data, for ``--json`` and ``validation.json``."""
    return {
        "file": found.source.file,
        "sha256": found.source.sha256,
        "column": found.column,
        "hazard": str(found.given.hazard),
        "lower_is_worse": found.given.lower_is_worse,
        "kind": found.given.kind,
        "bar": found.bar,
        "counts": dict(found.counts),
        "ranked": found.ranked,
        "unknown": found.unknown,
        "absent": found.absent,
        "results": found.results.to_dicts(),
        "against": found.against.to_dicts(),
        "regions": found.regions.to_dicts(),
        "differences": found.differences.to_dicts(),
        "issues": found.issues.to_dicts(),
    }
