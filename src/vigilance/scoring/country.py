"""The country index: structure, process and outcome per country and hazard (method section 4).

    X = sqrt(sum w x^2 / sum w) over the parts that are known, 0 to 1, higher is worse

Every part is a weighted mean of indicators on fixed anchors, so a country's value depends on no other country.
Channels (labour imposed by the State, sponsorship, refugees whom nothing protects) act on top of the means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.country_channels import imposed, joined, sponsored
from vigilance.scoring.country_observations import MOMENT, Tables, means, moments_frame, observations
from vigilance.scoring.country_rules import MEANS, PARTS, CountryRules, read_rules
from vigilance.scoring.country_structure import gaps, statuses, structure, supervision
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.reference import Facts
    from vigilance.rules import Judgements

READS: Final = (
    "countries",
    "conventions",
    "country_indicators",
    "trafficking_tiers",
    "ilab_findings",
    "child_labour_share",
    "supervision",
    "sponsorship",
    "state_imposed",
    "enforcement",
)
"""The tables that the index reads, beside the ratification statuses."""

DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class CountryFacts:
    """What the index reads: tables by name, the moments, and the ratification statuses at each of them.

    ``moments`` holds the date asked for, then one and two windows before it. ``statuses`` has one frame per moment
    with ``iso3, convention, status``.
    """

    tables: Tables
    moments: tuple[date, ...]
    statuses: tuple[nw.DataFrame[Any], ...]


def years_before(day: date, years: int) -> date:
    """Return the same day some years earlier; 29 February becomes the 28th."""
    if (day.month, day.day) == (2, 29):
        return date(day.year - years, 2, 28)
    return day.replace(year=day.year - years)


def country_index(facts: Facts, judgements: Judgements) -> nw.DataFrame[Any]:
    """Compute the index of every country from the facts and judgements in force on one date.

    One row per country of the table ``countries``, sorted by ``iso3``. Columns: ``iso3, ilo_region``; per hazard
    ``<h>_structure, _process, _outcome, _index, _index_5_years_before, _structure_5_years_before`` (0 to 1, higher
    is worse, null when nothing is known), ``_coverage`` (0 to 1), ``_sd`` (standard deviation of the index) and
    ``_index_centred`` (index minus the mean of the ILO members of its region; 0 when nothing is known); then
    ``c029, c105, c138, c182, p029`` (not_ratified, ratified, in_force, denounced; null outside the ILO).
    Raises what ``facts`` and ``judgements`` raise.
    """
    return index_of(gather(facts, read_rules(judgements)), read_rules(judgements))


def gather(facts: Facts, rules: CountryRules) -> CountryFacts:
    """Take from the facts in force what the index reads."""
    moments = tuple(years_before(facts.on, step * rules.window_years) for step in range(3))
    earlier = [facts.reference.in_force(day) for day in moments[1:]]
    return CountryFacts(
        tables={name: nw.from_native(facts.table(name), eager_only=True) for name in READS},
        moments=moments,
        statuses=tuple(nw.from_native(then.ratification_status(), eager_only=True) for then in (facts, *earlier)),
    )


def index_of(facts: CountryFacts, rules: CountryRules) -> nw.DataFrame[Any]:
    """Compute ``country_index`` on frames: the pure part."""
    tables = facts.tables
    moments = moments_frame(tables["countries"], facts.moments)
    base = tables["countries"].select("iso3", "ilo_region", "ilo_member").join(moments, how="cross")
    known = means(observations(tables, rules, facts.moments), rules.means(HAZARDS))
    seen = (
        base.join(known, on=["iso3", MOMENT], how="left")
        .join(imposed(tables, rules, facts.moments), on=["iso3", MOMENT], how="left")
        .join(sponsored(tables, rules), on="iso3", how="left")
        .with_columns(nw.col("imposed", "sponsored").fill_null(0.0))
    )
    cases = supervision(tables, rules, facts.moments)
    bound = statuses(facts.statuses, rules)
    result = seen.filter(nw.col(MOMENT) == 0).select("iso3", "ilo_region", "ilo_member")
    for hazard in HAZARDS:
        frame = _parts(seen, rules, hazard)
        codes = _codes(tables["conventions"], rules, hazard)
        frame = _with_structure(gaps(frame, codes, cases, bound, rules), rules)
        result = _centred(result.join(_indexed(frame, rules, hazard), on="iso3", how="left"), hazard)
    return _quantised(result.drop("ilo_member").join(_conventions(facts), on="iso3", how="left").sort("iso3"))


def _steadied(name: str, rules: CountryRules) -> nw.Expr:
    """Lean a mean to a prior as far as little of its weight is known; null where nothing is."""
    thin = rules.group("thin")
    known = nw.col(f"{name}_known")
    lean = thin["weight"] * (1.0 - known)
    return (known * nw.col(name) + lean * thin["prior"]) / (known + lean)


def _parts(seen: nw.DataFrame[Any], rules: CountryRules, hazard: Hazard) -> nw.DataFrame[Any]:
    """Add ``process`` and ``outcome``, the known share of each, and ``imposed``."""
    process, outcome = _steadied(f"{hazard}_process", rules), _steadied(f"{hazard}_outcome", rules)
    shares = {f"{part}_known": nw.col(f"{hazard}_{part}_known").fill_null(0.0) for part in MEANS}
    if hazard is not Hazard.FORCED_LABOUR:
        return seen.with_columns(process=process, outcome=outcome, imposed=nw.lit(0.0), **shares)
    held = rules.group("channel.sponsorship")
    unprotected = nw.col("refuge").fill_null(0.0) * process.fill_null(0.0)
    return seen.with_columns(
        process=joined(process, nw.col("sponsored") * held["process"]),
        outcome=joined(
            outcome,
            nw.col("sponsored") * held["outcome"],
            nw.col("imposed"),
            unprotected * rules.number("channel.refugees.outcome"),
        ),
        **shares,
    )


def _with_structure(frame: nw.DataFrame[Any], rules: CountryRules) -> nw.DataFrame[Any]:
    """Keep the moments 0 and 1 and add ``structure``; each reads the gap one window before it."""
    earlier = frame.filter(nw.col(MOMENT) > 0).select(
        "iso3", (nw.col(MOMENT) - 1).alias(MOMENT), nw.col("gap").alias("gap_before")
    )
    return frame.join(earlier, on=["iso3", MOMENT], how="inner").with_columns(structure=structure(rules))


def _indexed(frame: nw.DataFrame[Any], rules: CountryRules, hazard: Hazard) -> nw.DataFrame[Any]:
    """Make the columns of a hazard, one row per country, from its parts at moments 0 and 1."""
    weights, spread = rules.group("part"), rules.group("uncertainty")
    squares = nw.sum_horizontal(*((nw.col(part) ** 2).fill_null(0.0) * weights[part] for part in PARTS))
    weight = nw.sum_horizontal(
        *(nw.when(~nw.col(part).is_null()).then(nw.lit(weights[part])).otherwise(nw.lit(0.0)) for part in PARTS)
    )
    of_process = (weights["structure"] + weights["process"]) / sum(weights.values())
    coverage = nw.col("process_known") * of_process + nw.col("outcome_known") * (1.0 - of_process)
    unknown = (1.0 - coverage) * spread["missing"] ** 2
    frame = frame.with_columns(
        index=nw.when(weight > 0.0).then((squares / weight) ** 0.5),
        coverage=coverage,
        sd=(unknown + spread["measurement"] ** 2) ** 0.5,
    )
    now = frame.filter(nw.col(MOMENT) == 0).select(
        "iso3", *(nw.col(name).alias(f"{hazard}_{name}") for name in (*PARTS, "index", "coverage", "sd"))
    )
    before = frame.filter(nw.col(MOMENT) == 1).select(
        "iso3", *(nw.col(name).alias(f"{hazard}_{name}_5_years_before") for name in ("index", "structure"))
    )
    return now.join(before, on="iso3", how="left")


def _codes(conventions: nw.DataFrame[Any], rules: CountryRules, hazard: Hazard) -> list[str]:
    """List the conventions of a hazard that the rules read, in the order of the rule file."""
    of_hazard = conventions.filter(nw.col("hazard") == str(hazard)).get_column("code").to_list()
    return [code for code in rules.conventions if code in of_hazard]


def _conventions(facts: CountryFacts) -> nw.DataFrame[Any]:
    """Give the status of each convention on the date asked for, one lower-case column each."""
    frame = facts.statuses[0]
    codes: Sequence[str] = sorted(facts.tables["conventions"].get_column("code").to_list())
    wide = frame.select("iso3").unique()
    for code in codes:
        one = frame.filter(nw.col("convention") == code).select("iso3", nw.col("status").alias(code.lower()))
        wide = wide.join(one, on="iso3", how="left")
    return wide


def _centred(result: nw.DataFrame[Any], hazard: Hazard) -> nw.DataFrame[Any]:
    """Add the index minus the mean of the ILO members of its region (of the world without a region)."""
    index = f"{hazard}_index"
    members = result.filter(nw.col("ilo_member"))
    averages = members.group_by("ilo_region").agg(nw.col(index).mean().alias("_mean"))
    world = members.get_column(index).mean()
    centred = nw.col(index) - nw.col("_mean").fill_null(0.0 if world is None else float(world))
    return (
        result.join(averages, on="ilo_region", how="left")
        .with_columns(centred.fill_null(0.0).alias(f"{index}_centred"))
        .drop("_mean")
    )


def _quantised(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Put the numbers on a grid of 10^-6, so that every engine writes the same."""
    scale = 10.0**DECIMALS
    names = [name for name, kind in frame.schema.items() if kind == nw.Float64()]
    return frame.with_columns(((nw.col(*names) * scale) + 0.5).floor() / scale)
