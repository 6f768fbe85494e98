"""What is known of each country at a moment, indicator by indicator, as risks between 0 and 1.

Some tables hold one value per country (``country_indicators``), others a history (tiers, ILAB findings, surveys). At an
earlier moment a history gives what was known then; a series published once stands unchanged, and so does a history
that begins later: the index never invents a change that nobody measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.country_rules import CountryRules

MOMENT: Final = "moment"
"""Position of the moment: 0 is the date asked for, 1 a window before it, 2 two windows before."""
TIER: Final = "tier"
ADVANCEMENT: Final = "advancement"

ILAB_SHARES: Final = {"child_work_percent": "child_work_ilab", "school_attendance_percent": "school_attendance_ilab"}
"""Columns of ``ilab_findings`` in percent of children, and the indicator that each becomes."""
MEETS: Final = {"yes": 1.0, "no": 0.0}
"""A legal standard that is met or not; "unknown" and "not applicable" say nothing."""

UNITS: Final = 10.0**9
"""Weighted sums are made on whole numbers of 10^-9, so that no engine's order of rows can show in them."""
_DAYS_PER_YEAR: Final = 365.25

Tables = Mapping[str, nw.LazyFrame[Any]]


def year_number(column: str) -> nw.Expr:
    """A date column as a year with its fraction."""
    day = nw.col(column).dt
    return day.year() + day.ordinal_day() / _DAYS_PER_YEAR


def moments_frame(like: nw.LazyFrame[Any], moments: Sequence[date]) -> nw.LazyFrame[Any]:
    """Give columns ``moment, day`` (date) and ``year_then`` (with its fraction), on the engine of another frame."""
    return nw.from_dict(
        {
            MOMENT: list(range(len(moments))),
            "day": list(moments),
            "year_then": [day.year + day.timetuple().tm_yday / _DAYS_PER_YEAR for day in moments],
        },
        schema={MOMENT: nw.Int64(), "day": nw.Date(), "year_then": nw.Float64()},
        backend=like.implementation,
    ).lazy()


def known_by(day: nw.Expr) -> nw.Expr:
    """Whether a row was public on a day; a row without a day of publication always was."""
    return nw.col("known_on").is_null() | (nw.col("known_on") <= day)


def coded(frame: nw.LazyFrame[Any], column: str, codes: Mapping[str, float], value: str = "value") -> nw.LazyFrame[Any]:
    """The frame with ``value``: the number that ``codes`` gives to the word in a column; unknown words are dropped."""
    table = nw.from_dict(
        {column: list(codes), value: list(codes.values())},
        schema={column: nw.String(), value: nw.Float64()},
        backend=frame.implementation,
    ).lazy()
    return frame.join(table, on=column, how="inner")


def whole(column: str) -> nw.Expr:
    """A column in whole units of 10^-9, for sums that do not depend on the order of the rows."""
    return (nw.col(column) * UNITS + 0.5).floor().cast(nw.Int64())


def history(tables: Tables, rules: CountryRules) -> nw.LazyFrame[Any]:
    """Collect every dated observation: ``iso3, indicator, period`` (the year it speaks of) ``, known_on, value``."""
    return nw.concat([_tiers(tables, rules), *_findings(tables, rules), _surveys(tables)])


def _dated(frame: nw.LazyFrame[Any], indicator: nw.Expr, period: str) -> nw.LazyFrame[Any]:
    return frame.filter(~nw.col("value").is_null()).select(
        "iso3",
        indicator.alias("indicator"),
        nw.col(period).cast(nw.Int64()).alias("period"),
        "known_on",
        nw.col("value").cast(nw.Float64()).alias("value"),
    )


def _tiers(tables: Tables, rules: CountryRules) -> nw.LazyFrame[Any]:
    # An incomplete year lists only the worst placements; reading it would push whoever is in it up.
    complete = tables["trafficking_tiers"].filter(nw.col("complete_year"))
    return _dated(coded(complete, "tier", rules.group("tier")), nw.lit(TIER), "year")


def _findings(tables: Tables, rules: CountryRules) -> list[nw.LazyFrame[Any]]:
    findings = tables["ilab_findings"]
    keys = ["iso3", "year", "known_on"]
    standards = [*dict.fromkeys(name for leaves in rules.conventions.values() for name in leaves)]
    shares = findings.select(*keys, *(nw.col(column).alias(name) for column, name in ILAB_SHARES.items()))
    laws = findings.select(*keys, *standards).unpivot(
        standards, index=keys, variable_name="indicator", value_name="word"
    )
    return [
        _dated(coded(_levels(findings), "level", rules.group("advancement")), nw.lit(ADVANCEMENT), "year"),
        *(_dated(shares.rename({name: "value"}), nw.lit(name), "year") for name in ILAB_SHARES.values()),
        _dated(coded(laws, "word", MEETS), nw.col("indicator"), "year"),
    ]


def _levels(findings: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give the level of advancement, with the two that ILAB adds in words: regression and complicity."""
    printed = nw.col("advancement_as_printed")
    level = (
        nw.when(printed.str.contains("Complicit", literal=True))
        .then(nw.lit("complicit"))
        .when((nw.col("advancement") == "minimal") & printed.str.contains("Delayed Advancement", literal=True))
        .then(nw.lit("minimal_regression"))
        .otherwise(nw.col("advancement"))
    )
    return findings.select("iso3", "year", "known_on", level.alias("level"))


def _surveys(tables: Tables) -> nw.LazyFrame[Any]:
    surveys = tables["child_labour_share"].filter(
        (nw.col("level") == "country") & (nw.col("sex") == "total") & (nw.col("unit") == "percent")
    )
    return _dated(surveys.filter(~nw.col("year").is_null()), nw.lit("child_labour_survey"), "year")


def at_moments(observed: nw.LazyFrame[Any], moments: Sequence[date], spans: Mapping[str, float]) -> nw.LazyFrame[Any]:
    """Columns ``moment, iso3, indicator, value``: of each history, what counts at each moment.

    That is the newest period known by then, or the mean over the last ``spans[indicator]`` periods; where nothing was
    known yet, the oldest period there is. Nothing known only after the first moment counts.
    """
    series = [MOMENT, "iso3", "indicator"]
    reach = nw.lit(1.0)
    for indicator, span in spans.items():
        reach = nw.when(nw.col("indicator") == indicator).then(nw.lit(span)).otherwise(reach)
    # Periods after the moment turn negative: they count only where there is no other, and then the oldest first.
    order = nw.when(known_by(nw.col("day"))).then(nw.col("period")).otherwise(-nw.col("period"))
    within = nw.col("order") > nw.col("newest") - nw.col("reach")
    first = nw.col("order") == nw.col("newest")
    return (
        observed.filter(known_by(nw.lit(moments[0])))
        .with_columns(reach.alias("reach"))
        .join(moments_frame(observed, moments), how="cross")
        .with_columns(order.alias("order"))
        .with_columns(nw.col("order").max().over(*series).alias("newest"))
        .filter(first | ((nw.col("newest") > 0) & within))
        .with_columns(whole("value").alias("value"))
        .group_by(*series)
        .agg(nw.col("value").sum(), nw.len().alias("rows"))
        .select(*series, nw.col("value") / nw.col("rows") / UNITS)
    )


def risks(frame: nw.LazyFrame[Any], rules: CountryRules) -> nw.LazyFrame[Any]:
    """The frame with ``value`` as a risk between 0 and 1 on the fixed anchors of its indicator.

    Indicators without a scale (tiers, levels, coded standards) are between 0 and 1 already and pass unchanged.
    """
    scales = rules.scales
    table = nw.from_dict(
        {
            "indicator": list(scales),
            "best": [scale.transformed(scale.best) for scale in scales.values()],
            "worst": [scale.transformed(scale.worst) for scale in scales.values()],
            "pivot": [scale.pivot for scale in scales.values()],
        },
        schema={"indicator": nw.String(), "best": nw.Float64(), "worst": nw.Float64(), "pivot": nw.Float64()},
        backend=frame.implementation,
    ).lazy()
    value = nw.col("value")
    spread = (value / nw.col("pivot").fill_null(1.0) + 1.0).clip(lower_bound=1.0).log()
    transformed = nw.when(~nw.col("pivot").is_null()).then(spread).otherwise(value)
    risk = ((transformed - nw.col("best")) / (nw.col("worst") - nw.col("best"))).clip(0.0, 1.0)
    return (
        frame.join(table, on="indicator", how="left")
        .with_columns(nw.when(~nw.col("best").is_null()).then(risk).otherwise(value).alias("value"))
        .drop("best", "worst", "pivot")
    )


def observations(tables: Tables, rules: CountryRules, moments: Sequence[date]) -> nw.LazyFrame[Any]:
    """Columns ``moment, iso3, indicator, value``: everything known at each moment, as risks.

    Coded legal standards are 1 where the law meets them and 0 where it does not.
    """
    columns = [MOMENT, "iso3", "indicator", "value"]
    whens = moments_frame(tables["countries"], moments)
    single = tables["country_indicators"].select("iso3", "indicator", "value")
    single = single.join(whens.select(MOMENT), how="cross").select(*columns)
    spans = {TIER: rules.number("tier_reports.mean_over")}
    dated = at_moments(history(tables, rules), moments, spans).select(*columns)
    return risks(nw.concat([single, dated]).filter(nw.col("indicator").is_in(rules.indicators)), rules)


def means(observed: nw.LazyFrame[Any], rules: CountryRules) -> nw.LazyFrame[Any]:
    """Average the indicators of each group that the rules weigh, over what is known.

    Columns ``iso3, moment, kind, of, mean`` and ``known`` (share of the weight), both 0 to 1. ``kind``
    is process or outcome (``of`` a hazard), law (``of`` a convention) or refuge.
    """
    entries = [
        (kind, of, indicator, int(weight / sum(leaves.values()) * UNITS + 0.5))
        for kind, of, leaves in rules.groups_to_average()
        for indicator, weight in leaves.items()
    ]
    columns = ("kind", "of", "indicator", "share")
    types = (nw.String(), nw.String(), nw.String(), nw.Int64())
    table = nw.from_dict(
        {name: [entry[i] for entry in entries] for i, name in enumerate(columns)},
        schema=dict(zip(columns, types, strict=True)),
        backend=observed.implementation,
    ).lazy()
    part = (nw.col("share") * nw.col("value") + 0.5).floor().cast(nw.Int64())
    return (
        observed.join(table, on="indicator", how="inner")
        .with_columns(part.alias("part"))
        .group_by("iso3", MOMENT, "kind", "of")
        .agg(nw.col("share").sum(), nw.col("part").sum())
        .select(
            "iso3",
            MOMENT,
            "kind",
            "of",
            (nw.col("part") / nw.col("share")).alias("mean"),
            (nw.col("share") / UNITS).alias("known"),
        )
    )
