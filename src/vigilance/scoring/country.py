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
from vigilance.scoring.country_observations import MOMENT, UNITS, Tables, means, moments_frame, observations, whole
from vigilance.scoring.country_rules import LAW, MEANS, PARTS, REFUGE, CountryRules, read_rules
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

SHOWN: Final = (*PARTS, "index", "coverage", "sd", "index_centred")
SHOWN_BEFORE: Final = ("index", "structure")
DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class CountryFacts:
    """What the index reads: tables by name, the moments, and the ratification statuses at each of them.

    ``moments`` holds the date asked for, then one and two windows before it. ``statuses`` has one frame per moment
    with ``iso3, convention, status``.
    """

    tables: Tables
    moments: tuple[date, ...]
    statuses: tuple[nw.LazyFrame[Any], ...]


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
    rules = read_rules(judgements)
    return index_of(gather(facts, rules), rules)


def gather(facts: Facts, rules: CountryRules) -> CountryFacts:
    """Take from the facts in force what the index reads."""
    moments = tuple(years_before(facts.on, step * rules.window_years) for step in range(3))
    earlier = [facts.reference.in_force(day) for day in moments[1:]]
    return CountryFacts(
        tables={name: nw.from_native(facts.table(name)).lazy() for name in READS},
        moments=moments,
        statuses=tuple(nw.from_native(then.ratification_status()).lazy() for then in (facts, *earlier)),
    )


def index_of(facts: CountryFacts, rules: CountryRules) -> nw.DataFrame[Any]:
    """Compute ``country_index`` on frames: the pure part."""
    tables = facts.tables
    # One collect for the averages: the plans below read them several times.
    averages = means(observations(tables, rules, facts.moments), rules).collect().lazy()
    frame = _channelled(_parts(tables, averages, facts.moments, rules), facts, averages, rules)
    law = averages.filter(nw.col("kind") == LAW).select(
        "iso3", MOMENT, nw.col("of").alias("convention"), nw.col("mean").alias("law")
    )
    conventions = tables["conventions"].select(nw.col("code").alias("convention"), "hazard")
    conventions = conventions.filter(nw.col("convention").is_in(list(rules.conventions)))
    cases = supervision(tables, rules, facts.moments)
    frame = gaps(frame, conventions, law, cases, statuses(facts.statuses, rules), rules)
    scored = _centred(_indexed(_with_structure(frame.collect().lazy(), rules), rules)).collect()
    return _wide(scored, facts)


def _parts(
    tables: Tables, averages: nw.LazyFrame[Any], moments: Sequence[date], rules: CountryRules
) -> nw.LazyFrame[Any]:
    """One row per country, moment and hazard: ``process``, ``outcome`` and the known share of each.

    A mean leans to a prior as far as little of its weight is known; it is null where nothing is.
    """
    whens = moments_frame(tables["countries"], moments).select(MOMENT)
    hazards = nw.from_dict({"hazard": [str(hazard) for hazard in HAZARDS]}, backend=whens.implementation).lazy()
    frame = tables["countries"].select("iso3", "ilo_region", "ilo_member")
    frame = frame.join(whens, how="cross").join(hazards, how="cross")
    thin = rules.group("thin")
    known = nw.col("known")
    lean = (1.0 - known) * thin["weight"]
    steadied = averages.with_columns(mean=(known * nw.col("mean") + lean * thin["prior"]) / (known + lean))
    for part in MEANS:
        of_part = steadied.filter(nw.col("kind") == part).select(
            "iso3",
            MOMENT,
            nw.col("of").alias("hazard"),
            nw.col("mean").alias(part),
            nw.col("known").alias(f"{part}_known"),
        )
        frame = frame.join(of_part, on=["iso3", MOMENT, "hazard"], how="left")
    return frame.with_columns(nw.col("process_known", "outcome_known").fill_null(0.0))


def _channelled(
    frame: nw.LazyFrame[Any], facts: CountryFacts, averages: nw.LazyFrame[Any], rules: CountryRules
) -> nw.LazyFrame[Any]:
    """Let the channels into forced labour act on process and outcome, and keep ``imposed``."""
    forced = nw.lit(str(Hazard.FORCED_LABOUR)).alias("hazard")
    keys = ["iso3", MOMENT, "hazard"]
    refuge = averages.filter(nw.col("kind") == REFUGE).select("iso3", MOMENT, forced, nw.col("mean").alias("refuge"))
    held = rules.group("channel.sponsorship")
    return (
        frame.join(imposed(facts.tables, rules, facts.moments).with_columns(forced), on=keys, how="left")
        .join(sponsored(facts.tables, rules).with_columns(forced), on=["iso3", "hazard"], how="left")
        .join(refuge, on=keys, how="left")
        .with_columns(nw.col("imposed", "sponsored", "refuge").fill_null(0.0))
        .with_columns(unprotected=nw.col("refuge") * nw.col("process").fill_null(0.0))
        .with_columns(
            process=joined(nw.col("process"), nw.col("sponsored") * held["process"]),
            outcome=joined(
                nw.col("outcome"),
                nw.col("sponsored") * held["outcome"],
                nw.col("imposed"),
                nw.col("unprotected") * rules.number("channel.refugees.outcome"),
            ),
        )
    )


def _with_structure(frame: nw.LazyFrame[Any], rules: CountryRules) -> nw.LazyFrame[Any]:
    """Keep the moments 0 and 1 and add ``structure``; each reads the gap one window before it."""
    keys = ["iso3", MOMENT, "hazard"]
    earlier = frame.filter(nw.col(MOMENT) > 0).select(
        "iso3", "hazard", (nw.col(MOMENT) - 1).alias(MOMENT), nw.col("gap").alias("gap_before")
    )
    return frame.join(earlier, on=keys, how="inner").with_columns(structure=structure(rules))


def _indexed(frame: nw.LazyFrame[Any], rules: CountryRules) -> nw.LazyFrame[Any]:
    """Add ``index``, ``coverage`` and ``sd`` from the parts."""
    weights, spread = rules.group("part"), rules.group("uncertainty")
    squares = nw.sum_horizontal(*((nw.col(part) ** 2).fill_null(0.0) * weights[part] for part in PARTS))
    weight = nw.sum_horizontal(*((~nw.col(part).is_null()).cast(nw.Float64()) * weights[part] for part in PARTS))
    of_process = (weights["structure"] + weights["process"]) / sum(weights.values())
    coverage = nw.col("process_known") * of_process + nw.col("outcome_known") * (1.0 - of_process)
    unknown = (1.0 - nw.col("coverage")) * spread["missing"] ** 2
    return frame.with_columns(
        index=nw.when(weight > 0.0).then((squares / weight) ** 0.5), coverage=coverage
    ).with_columns(sd=(unknown + spread["measurement"] ** 2) ** 0.5)


def _centred(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add ``index_centred``: the index minus the mean of the ILO members of its region, of the world without one.

    0 where nothing is known: the mean of the region is then the best guess, and ``sd`` says how weak it is.
    """
    members = nw.when(nw.col("ilo_member")).then(whole("index"))
    frame = frame.with_columns(_member=members)
    averages = {}
    for name, group in {"_here": ["ilo_region"], "_world": []}.items():
        over = [MOMENT, "hazard", *group]
        averages[name] = nw.col("_member").sum().over(*over) / nw.col("_member").count().over(*over) / UNITS
    mean = nw.when(~nw.col("ilo_region").is_null()).then(nw.col("_here")).otherwise(nw.col("_world"))
    return frame.with_columns(**averages).with_columns(index_centred=(nw.col("index") - mean).fill_null(0.0))


def _wide(frame: nw.DataFrame[Any], facts: CountryFacts) -> nw.DataFrame[Any]:
    """Make one row per country: the columns of each hazard, now and a window before, and the conventions."""
    result = frame.select("iso3", "ilo_region").unique()
    for moment, names in enumerate((SHOWN, SHOWN_BEFORE)):
        # Pivot names its columns <value>_<hazard>; the project's are <hazard>_<value>.
        titles = {f"{name}_{hazard}": f"{hazard}_{name}" for hazard in HAZARDS for name in names}
        wide = frame.filter(nw.col(MOMENT) == moment).pivot("hazard", index="iso3", values=list(names))
        wide = wide.select("iso3", *(nw.col(old).alias(new) for old, new in titles.items()))
        suffix = "_5_years_before" if moment else ""
        wide = wide.rename({new: f"{new}{suffix}" for new in titles.values()})
        result = result.join(_quantised(wide, wide.columns[1:]), on="iso3", how="left")
    return result.join(_conventions(facts), on="iso3", how="left").sort("iso3")


def _conventions(facts: CountryFacts) -> nw.DataFrame[Any]:
    """Give the status of each convention on the date asked for, one lower-case column each."""
    frame = facts.statuses[0].select("iso3", nw.col("convention").str.to_lowercase(), "status").collect()
    codes = sorted(frame.get_column("convention").unique().to_list())
    return frame.pivot("convention", index="iso3", values="status").select("iso3", *codes)


def _quantised(frame: nw.DataFrame[Any], names: Sequence[str]) -> nw.DataFrame[Any]:
    """Put numbers on a grid of 10^-6, so that every engine writes the same."""
    scale = 10.0**DECIMALS
    return frame.with_columns(((nw.col(*names) * scale) + 0.5).floor() / scale)
