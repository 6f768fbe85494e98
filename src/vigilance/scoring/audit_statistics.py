"""Audit statistics: counts of audits of countries and activities, as one line of the rate of their cells.

The model expects a presence μ of a cell (country and activity, nothing else known). x positives in n audits make of it
a posterior (``audit_cells``), and the shift of its mean on the link scale,

    s = ln(-ln(1 - E[θ | x, n])) - ln(-ln(1 - μ)) ,

is the line: the same number for every site of the cell, whatever list it stands in. Audits that were not drawn at
random count in part (``chosen``). A total of a country is held against the mean of its manufacturing, and moves all its
activities; the statistics of a cell are then held against what the total made of it. Clean audits leave at least the
share c that audits do not see, s' = ln(c + (1 - c)·exp(s)), and nothing moves a rate beyond L·tanh(s' / L). Monotone in
the positives; 0 without audits.

Shapes: C countries × D divisions. Counts are of audits, ages in days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.scoring.assess import assess, tables
from vigilance.scoring.audit_cells import SMALLEST_DRAW, presence
from vigilance.scoring.cells import KEY, NO_ZONE
from vigilance.scoring.model import Audited, Model
from vigilance.scoring.patterns import KEY as PATTERN_KEY
from vigilance.terms import ALL_UNKNOWN, DIVISION_UNKNOWN, HAZARDS, TIER_UNKNOWN, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_RULES: Final = "evidence.audit_cells"
TABLE: Final = "audit_statistics"
COLUMNS: Final = {
    "_iso3": nw.String(),
    "_division": nw.String(),
    "_hazard": nw.String(),
    "_audits": nw.Float64(),
    "_positives": nw.Float64(),
    "_year": nw.Float64(),
    "_drawn_with": nw.Float64(),
    "_source": nw.String(),
}
"""The typed columns of the table; one that a file lacks is null."""
_GROUP: Final = ("_iso3", "_hazard", "_year", "_source")
"""Within one source and year, the counts of activities replace the total of their country."""
LEAST, MOST = 1e-9, 1.0 - 1e-6
"""Bounds of an expected presence, so that its prior is one."""


@dataclass(frozen=True)
class _Counts:
    """Positives and audits of n places: those drawn with a known probability, as effective counts, and all of them."""

    drawn_positives: Floats
    drawn: Floats
    positives: Floats
    audits: Floats


def with_statistics(model: Model, statistics: nw.DataFrame[Any] | None, on: date) -> Model:
    """The model with the line of audit statistics (typed columns ``COLUMNS``); the model itself where none counts.

    Statistics of a year count from its end on. Those without a country say nothing of any cell (``worldwide``).
    Statistics that the model already has are replaced. ``ValueError`` for more positives than audits, ``KeyError`` for
    a country that ``data/countries`` does not hold.
    """
    plain = replace(model, hazards={h: replace(one, audited=None) for h, one in model.hazards.items()})
    rows = None if statistics is None else _counting(statistics, on)
    rows = None if rows is None else rows.filter(~nw.col("_iso3").is_null())
    if rows is None or not len(rows):
        return plain
    total = rows["_division"].is_null().to_numpy()
    country = model.country_places(rows["_iso3"].to_numpy().astype("U3"))
    division = model.activities.index(rows["_division"].fill_null(DIVISION_UNKNOWN).to_numpy().astype("U2"))
    where = np.where(total, country, country * len(model.grid.divisions) + division)
    expected = _expected(plain, np.unique(country))
    made = {}
    for hazard in HAZARDS:
        mine = rows["_hazard"].to_numpy().astype("U") == str(hazard)
        made[hazard] = plain.hazards[hazard]
        if mine.any():
            parts = [(rows.filter(_flags(rows, mine & flag)), where[mine & flag]) for flag in (total, ~total)]
            audited = _audited(plain, hazard, parts, expected, on)
            made[hazard] = replace(made[hazard], audited=audited)
    return replace(plain, hazards=made)


def worldwide(statistics: nw.DataFrame[Any], on: date) -> nw.DataFrame[Any]:
    """The statistics without a country that count on a date: something to compare with, of which no cell is told."""
    return _counting(statistics, on).filter(nw.col("_iso3").is_null())


def _flags(like: nw.DataFrame[Any], flags: NDArray[np.bool_]) -> nw.Series[Any]:
    return nw.new_series("flags", flags, nw.Boolean(), backend=like.implementation)


def _counting(statistics: nw.DataFrame[Any], on: date) -> nw.DataFrame[Any]:
    """The rows that count on a date, each once and in one order: of whole years that are over, and the finest given."""
    there = set(statistics.columns)
    columns = [
        (nw.col(name) if name in there else nw.lit(None)).cast(kind).alias(name) for name, kind in COLUMNS.items()
    ]
    last = on.year if (on.month, on.day) == (12, 31) else on.year - 1
    rows = statistics.select(columns).filter(nw.col("_audits") > 0, nw.col("_year") <= last)
    rows = rows.with_columns(nw.col("_source").fill_null("")).unique().sort(*COLUMNS, nulls_last=True)
    finer = (~nw.col("_division").is_null()).any().over(*_GROUP)
    return rows.with_columns(finer=finer).filter(~nw.col("finer") | ~nw.col("_division").is_null()).drop("finer")


def _audited(
    model: Model,
    hazard: Hazard,
    parts: list[tuple[nw.DataFrame[Any], Places]],
    expected: dict[Hazard, Floats],
    on: date,
) -> Audited:
    """The line of one hazard from its totals of countries and its counts of cells, each with the places of its rows."""
    judgements, shape = model.judgements, (len(model.grid.countries), len(model.grid.divisions))
    ln_m = expected[hazard]
    (totals, at_country), (counted, at_cell) = parts
    drawn, whole = np.zeros(shape), np.zeros(shape)
    if len(totals):
        seen = np.unique(at_country)
        mean = _mean_presence(ln_m[seen], manufacturing(model))
        found = _shifts(_counts(totals, at_country, seen, judgements, on), mean, hazard, judgements)
        drawn[seen], whole[seen] = (shift[:, None] for shift in found)
    if len(counted):
        seen = np.unique(at_cell)
        cell = np.unravel_index(seen, shape)
        mean = -np.expm1(-np.exp(ln_m[cell] + _mixed(drawn[cell], whole[cell], judgements)))
        found = _shifts(_counts(counted, at_cell, seen, judgements, on), mean, hazard, judgements)
        for table, shift in zip((drawn, whole), found, strict=True):
            table[cell] += shift
    ln = _held(_mixed(drawn, whole, judgements), judgements)
    open_ = (whole - drawn) * judgements.get(f"{_RULES}.chosen").sd
    years = [int(rows["_year"].max()) for rows, _at in parts if len(rows)]
    return Audited(
        ln=ln, var=np.minimum(open_**2, model.hazards[hazard].base_var), since=date(max(years), 12, 31).isoformat()
    )


def _mixed(drawn: Floats, whole: Floats, judgements: Judgements) -> Floats:
    """The shift by the audits drawn at random, and what the chosen ones add to it as far as they count."""
    return drawn + judgements.value(f"{_RULES}.chosen") * (whole - drawn)


def _held(shift: Floats, judgements: Judgements) -> Floats:
    """A shift of ln m that leaves what audits do not see, and moves no rate beyond the bound."""
    hidden = judgements.value(f"{_RULES}.concealed")
    limit = math.log(judgements.value(f"{_RULES}.largest_ratio"))
    clean = np.log(hidden + (1.0 - hidden) * np.exp(np.minimum(shift, 0.0)))
    return limit * np.tanh(np.where(shift < 0, clean, shift) / limit)


def _shifts(counts: _Counts, mean: Floats, hazard: Hazard, judgements: Judgements) -> tuple[Floats, Floats]:
    """The shifts of ln m of n places with an expected presence: by the audits drawn at random alone, and by all."""
    held = np.clip(mean, LEAST, MOST)

    def link(where: NDArray[np.bool_], positives: Floats, audits: Floats) -> Floats:
        # Undone targeting rests on fewer audits than were made; rounding must not put positives above them.
        least = np.minimum(positives, audits)
        found = presence(least[where], audits[where], hazard, judgements, mean=held[where]).mean
        return np.asarray(np.log(-np.log1p(-found)), dtype=np.float64)

    everywhere, random = np.ones(len(held), dtype=bool), counts.drawn > 0
    nothing = np.zeros(len(held))
    before = link(everywhere, nothing, nothing)
    drawn = nothing.copy()
    drawn[random] = link(random, counts.drawn_positives, counts.drawn) - before[random]
    whole, chosen = drawn.copy(), counts.audits > counts.drawn
    whole[chosen] = link(chosen, counts.positives, counts.audits) - before[chosen]
    return drawn, whole


def _counts(rows: nw.DataFrame[Any], at: Places, seen: Places, judgements: Judgements, on: date) -> _Counts:
    """The counts of the places ``seen`` (sorted) from rows that stand ``at`` them.

    Older years count for fewer audits. Audits drawn with a probability weigh 1/probability, with Kish's effective
    number; those without one stand for themselves.
    """
    n, x, year = (rows[name].to_numpy().astype(np.float64) for name in ("_audits", "_positives", "_year"))
    if np.any(x > n) or np.any(x < 0):
        raise ValueError("positives must lie between 0 and the number of audits")
    ends = np.array([date(int(one), 12, 31).toordinal() for one in np.unique(year).tolist()], dtype=np.float64)
    age = on.toordinal() - ends[np.searchsorted(np.unique(year), year)]
    kept = 2.0 ** (-age / judgements.value(f"{_RULES}.half_life_days"))
    likely = rows["_drawn_with"].fill_null(0.0).to_numpy().astype(np.float64)
    random = likely > 0
    stands_for = 1.0 / np.maximum(np.where(random, likely, 1.0), SMALLEST_DRAW)
    place = np.searchsorted(seen, at)

    def summed(values: Floats, rows_: NDArray[np.bool_]) -> Floats:
        return np.bincount(place[rows_], values[rows_], minlength=len(seen)).astype(np.float64)

    total, squares = summed(stands_for * kept * n, random), summed(stands_for**2 * kept * n, random)
    drawn = np.divide(total**2, squares, out=np.zeros(len(seen)), where=squares > 0)
    share = np.divide(summed(stands_for * kept * x, random), total, out=np.zeros(len(seen)), where=total > 0)
    chosen, hits = summed(kept * n, ~random), summed(kept * x, ~random)
    return _Counts(drawn * share, drawn, drawn * share + hits, drawn + chosen)


def manufacturing(model: Model) -> Floats:
    """The employment of each division that a total over activities is held against (D); it sums to one."""
    sections = model.judgements.words(f"{_RULES}.choices.activities_of_totals")
    known = nw.from_native(model.facts.table("activities"), eager_only=True)
    visited = set(known.filter(nw.col("section").is_in(list(sections)))["code"].to_list())
    table = nw.from_native(model.judgements.table("employment"), eager_only=True)
    employed = dict(zip(table["division"].to_list(), table["million"].to_list(), strict=True))
    weight = np.array([float(employed.get(d, 0.0)) if d in visited else 0.0 for d in model.grid.divisions.tolist()])
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _mean_presence(ln_m: Floats, weight: Floats) -> Floats:
    mean: Floats = -np.expm1(-np.exp(ln_m)) @ weight
    return mean


def _expected(model: Model, countries: Places) -> dict[Hazard, Floats]:
    """ln m of a site of which only country and activity are known (C×D), in the countries named; 0 elsewhere."""
    codes, divisions = model.grid.countries[countries], model.grid.divisions
    count = len(codes) * len(divisions)
    sites = nw.from_dict(
        {
            "_row": np.arange(count),
            "_iso3": np.repeat(codes, len(divisions)).tolist(),
            "_division": np.tile(divisions, len(codes)).tolist(),
            "_tier": [TIER_UNKNOWN] * count,
            "_zone": [NO_ZONE] * count,
            "_factors": [ALL_UNKNOWN] * count,
            "_workers": [None] * count,
            "_migrant_share": [None] * count,
        },
        schema={
            "_row": nw.Int64(),
            "_iso3": nw.String(),
            "_division": nw.String(),
            "_tier": nw.Int8(),
            "_zone": nw.String(),
            "_factors": nw.Int32(),
            "_workers": nw.Float64(),
            "_migrant_share": nw.Float64(),
        },
        backend=model.countries.implementation,
    )
    look_up = tables(model, sites.select(*KEY), sites.select(*PATTERN_KEY).unique().sort(*PATTERN_KEY))
    # The join leaves the order of the rows to the engine.
    scored = nw.from_native(assess(sites, model, look_up).to_native(), eager_only=True).sort("_row")
    made = {}
    for hazard in HAZARDS:
        table = np.zeros((len(model.grid.countries), len(divisions)))
        p50 = np.clip(scored[f"{hazard}_p50"].to_numpy().astype(np.float64), LEAST, MOST)
        table[countries] = np.log(-np.log1p(-p50)).reshape(len(codes), len(divisions))
        made[hazard] = table
    return made
