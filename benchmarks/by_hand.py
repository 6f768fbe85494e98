"""The same model twice more, as one would write it by hand: DuckDB SQL, and pandas with NumPy.

Both look the cells and patterns up in the very tables of ``vigilance.scoring`` and leave out drivers, grades and bands:
they do less than we do. They are here to be compared with, for speed and for the number that comes out.
"""

from __future__ import annotations

import math
from datetime import date
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from benchmarks import data
from vigilance import ingest, reference, rules
from vigilance.scoring import cells, patterns
from vigilance.scoring.model import Model, build
from vigilance.terms import HAZARDS, QUANTILES


def model_on(on: str) -> Model:
    when = date.fromisoformat(on)
    return build(reference.load().in_force(when), rules.load().in_force(when))


def look_ups(model: Model) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells under the words of the list (country, activity, tier), patterns under activity and code."""
    words = pl.DataFrame(list(product(data.COUNTRIES, data.ACTIVITIES)), schema=["country", "activity"], orient="row")
    named = words.with_columns(name=pl.lit("x"), supplier_id=pl.int_range(pl.len()).cast(pl.String))
    read = ingest.from_frame(named, on=model.facts.on, reference=model.facts).rows
    read = read.select("country", "activity", "_iso3", "_division").collect()
    keys = read.join(pl.DataFrame({"tier": [1, 2, 3, 4]}), how="cross").with_columns(
        _tier=pl.col("tier").cast(pl.Int8), _zone=pl.lit(cells.NO_ZONE)
    )
    found = cells.table(model, nw.from_native(keys.select(cells.KEY), eager_only=True)).to_native()
    cell = pl.concat([keys.select("country", "activity", "tier"), found.drop(cells.KEY)], how="horizontal")
    activity = read.select("activity", "_division").unique().sort("activity")
    codes = activity.join(pl.DataFrame({"_factors": range(3 ** len(data.FACTORS))}), how="cross")
    made = patterns.table(model, nw.from_native(codes.select(patterns.KEY), eager_only=True)).to_native()
    pattern = pl.concat([codes.select("activity", "_factors"), made.drop(patterns.KEY)], how="horizontal")
    return cell, pattern


def by_sql(source: Path, out: Path, on: str) -> None:
    model = model_on(on)
    cell, pattern = look_ups(model)
    connection = duckdb.connect()
    connection.register("cell", cell.to_arrow())
    connection.register("pattern", pattern.to_arrow())
    factors = " + ".join(
        f"{3**place} * CASE WHEN {name} THEN 1 WHEN NOT {name} THEN 0 ELSE 2 END"
        for place, name in enumerate(data.FACTORS)
    )
    steps = [
        f"SELECT *, ({factors})::INTEGER AS _factors FROM read_csv('{source}', types={{'supplier_id': 'VARCHAR'}})",
        "SELECT s.*, c.* EXCLUDE (country, activity, tier), p.* EXCLUDE (activity, _factors) FROM {} s "
        "JOIN cell c USING (country, activity, tier) JOIN pattern p USING (activity, _factors)",
        *_sql_steps(model),
    ]
    query = f"({steps[0]})"
    for step in steps[1:]:
        query = "(" + step.replace("{}", query) + ")"
    keep = ", ".join(f"{h}_{name}" for h in HAZARDS for name in (*dict(QUANTILES), "score", "expected_affected"))
    own = ", ".join(["supplier_id", "name", "country", "activity", "tier", "workers", "migrant_share", *data.FACTORS])
    connection.execute(f"COPY (SELECT {own}, {keep} FROM {query}) TO '{out}' (FORMAT parquet)")


def _sql_steps(model: Model) -> list[str]:
    j = model.judgements
    size = j.get("method.size_exponent")
    limit, top = math.log(j.value("method.combined_ratio_bound")), j.value("method.rate_ceiling")
    k = 1.0 / j.value("method.score_reference")
    steps = [
        f"SELECT *, {size.value!r} * ln(workers) AS ln_size, "
        f"least(({size.sd!r} * ln(workers)) ** 2, size_unknown_var) AS size_var FROM {{}}"
    ]
    for h in HAZARDS:
        mine = model.hazards[h]
        ln, var = f"{h}_ln_factors + {h}_ln_pattern", f"{h}_var + {h}_pattern_var + size_var"
        if mine.migrants is not None:
            a, sd = mine.migrants.coefficient, mine.migrants.sd
            ln += f" + ln(1 + {a!r} * migrant_share) - {h}_migrants_average"
            own = f"(({a!r} * migrant_share / (1 + {a!r} * migrant_share) - {h}_migrants_slope) * {sd!r}) ** 2"
            var += f" + least({own}, {h}_migrants_unknown_var)"
        if mine.sponsorship is not None:
            reach = f"{h}_sponsorship_reach * migrant_share"
            ln += f" + ln(1 + {reach}) - {h}_sponsorship_average"
            own = f"({reach} / (1 + {reach}) * {mine.sponsorship.sd!r}) ** 2"
            var += f" + least({own}, {h}_sponsorship_unknown_var)"
        steps += [
            f"SELECT *, {ln} AS t, sqrt({var}) AS sd FROM {{}}",
            f"SELECT *, {h}_ln_outside + {limit!r} * (exp(t * {2 / limit!r}) - 1) / (exp(t * {2 / limit!r}) + 1) "
            "AS raw FROM {}",
            f"SELECT *, ln({top!r} * (1 - exp(-exp(raw) / {top!r}))) AS ln_rate FROM {{}}",
            "SELECT *, "
            + ", ".join(f"1 - exp(-exp(ln_rate + ln_size + sd * {_z(q)!r})) AS {h}_{name}" for name, q in QUANTILES)
            + " FROM {}",
            f"SELECT * EXCLUDE (t, sd, raw, ln_rate), ln(1 + {h}_p50 * {k!r}) * {100 / math.log(1 + k)!r} "
            f"AS {h}_score, exp(ln_rate) * workers AS {h}_expected_affected FROM {{}}",
        ]
    return steps


def _z(probability: float) -> float:
    return 0.0 if probability == 0.5 else NormalDist().inv_cdf(probability)


def by_numpy(source: Path, out: Path, on: str) -> None:
    import pandas as pd  # noqa: PLC0415 - the SQL does without it

    model = model_on(on)
    cell, pattern = look_ups(model)
    frame = pd.read_csv(source, dtype={"supplier_id": str})
    code = np.zeros(len(frame), dtype=np.int64)
    for place, name in enumerate(data.FACTORS):
        state = frame[name].map({True: 1, False: 0}).fillna(2).astype(np.int64)
        code += 3**place * state.to_numpy()
    frame["_factors"] = code
    whole = frame.merge(cell.to_pandas(), on=["country", "activity", "tier"], how="left")
    whole = whole.merge(pattern.to_pandas(), on=["activity", "_factors"], how="left")
    j = model.judgements
    size = j.get("method.size_exponent")
    ln_n = np.log(whole["workers"].to_numpy(dtype=float))
    size_var = np.minimum((size.sd * ln_n) ** 2, whole["size_unknown_var"])
    for hazard in HAZARDS:
        for name, values in _by_hand(model, hazard, whole, size.value * ln_n, size_var).items():
            frame[f"{hazard}_{name}"] = np.asarray(values)
    frame.drop(columns="_factors").to_parquet(out)


def _by_hand(model: Model, hazard: Any, whole: Any, ln_size: Any, size_var: Any) -> dict[str, Any]:
    mine, j = model.hazards[hazard], model.judgements
    limit, top = math.log(j.value("method.combined_ratio_bound")), j.value("method.rate_ceiling")
    m = whole["migrant_share"]
    ln = whole[f"{hazard}_ln_factors"] + whole[f"{hazard}_ln_pattern"]
    var = whole[f"{hazard}_var"] + whole[f"{hazard}_pattern_var"] + size_var
    if mine.migrants is not None:
        a = mine.migrants.coefficient
        ln = ln + np.log(1 + a * m) - whole[f"{hazard}_migrants_average"]
        own = ((a * m / (1 + a * m) - whole[f"{hazard}_migrants_slope"]) * mine.migrants.sd) ** 2
        var = var + np.minimum(own, whole[f"{hazard}_migrants_unknown_var"])
    if mine.sponsorship is not None:
        reach = whole[f"{hazard}_sponsorship_reach"] * m
        ln = ln + np.log(1 + reach) - whole[f"{hazard}_sponsorship_average"]
        own = (reach / (1 + reach) * mine.sponsorship.sd) ** 2
        var = var + np.minimum(own, whole[f"{hazard}_sponsorship_unknown_var"])
    raw = whole[f"{hazard}_ln_outside"] + limit * np.tanh(ln / limit)
    rate = -top * np.expm1(-np.exp(raw) / top)
    ln_m = np.log(rate) + ln_size
    made = {name: -np.expm1(-np.exp(ln_m + np.sqrt(var) * _z(q))) for name, q in QUANTILES}
    k = 1.0 / j.value("method.score_reference")
    score = np.log1p(made["p50"] * k) * 100 / math.log1p(k)
    return {**made, "score": score, "expected_affected": rate * whole["workers"]}
