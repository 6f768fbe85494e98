"""A plan made before: opened only when its files are still the ones that were written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from vigilance.atomic import digest
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.planning.listing import LEFT_OUT_COLUMNS, PLAN_COLUMNS
from vigilance.tabular import FORMULA

_ = messages("planning")

_KINDS = {
    "person_days": pl.Float64,
    "probability": pl.Float64,
    "value": pl.Float64,
    "tier": pl.Int64,
    "travel_days": pl.Float64,
    "people_found": pl.Float64,
    "harm_value": pl.Float64,
    "learning_value": pl.Float64,
    "forced_labour_p50": pl.Float64,
    "child_labour_p50": pl.Float64,
    "spend_eur": pl.Float64,
    "harm_at_risk": pl.Float64,
    "people_affected": pl.Float64,
}


@dataclass(frozen=True)
class PastPlan:
    """A plan's folder, its figures (``plan.json``), its actions and the sites that it left out."""

    path: Path
    figures: Mapping[str, Any]
    planned: pl.DataFrame
    left_out: pl.DataFrame


def open_plan(path: Path) -> PastPlan:
    """Open a plan folder. ``UsageError`` when it is none, ``InputRefused`` when a file of it was changed."""
    record = path / "plan.json"
    if not record.is_file():
        raise UsageError(_("{path} is not the folder of a plan: plan.json is missing").format(path=path))
    try:
        figures = json.loads(record.read_bytes())
        outputs = figures["outputs"]
        names = {name: outputs[name] for name in ("plan.csv", "left_out.csv")}
    except (ValueError, KeyError, TypeError) as error:
        raise InputRefused(_("{path} cannot be read: {why}").format(path=record, why=error)) from error
    for name, expected in names.items():
        if not (path / name).is_file() or digest(path / name) != expected:
            raise InputRefused(_("{path} is not the file that the plan wrote").format(path=path / name))
    return PastPlan(
        path,
        figures,
        _table(path / "plan.csv", PLAN_COLUMNS),
        _table(path / "left_out.csv", LEFT_OUT_COLUMNS),
    )


def _table(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    with path.open("r", encoding="utf-8-sig") as file:
        french = ";" in file.readline()
    raw = pl.read_csv(path, separator=";" if french else ",", infer_schema=False, encoding="utf8")
    missing = [name for name in columns if name not in raw.columns]
    if missing:
        raise InputRefused(_("{path} lacks {columns}").format(path=path, columns=", ".join(missing)))
    plain = raw.select(_unguarded(name) for name in columns)
    return plain.with_columns(_typed(name, french) for name in columns if name in _KINDS).with_columns(
        *(pl.col(name).str.to_date("%Y-%m-%d") for name in ("start_on",) if name in columns),
        *((pl.col(name) == "true").alias(name) for name in ("also_by_value", "kept") if name in columns),
    )


def _typed(name: str, french: bool) -> pl.Expr:
    text = pl.col(name)
    return (text.str.replace(",", ".", literal=True) if french else text).cast(_KINDS[name])


def _unguarded(name: str) -> pl.Expr:
    """A text without the apostrophe that keeps it from being a formula."""
    text = pl.col(name)
    bare = text.str.strip_prefix("'")
    return pl.when(text.str.starts_with("'") & bare.str.contains(FORMULA)).then(bare).otherwise(text).alias(name)


def to_keep(plan: PastPlan, start: date, keep_days: int) -> pl.DataFrame:
    """The actions of an earlier plan that a new one must not touch.

    Those that start soon (people were told), and every drawn site still to come: dropping one would spoil the
    draw.
    """
    coming = plan.planned.filter(pl.col("start_on") >= start)
    soon = pl.col("start_on") <= start + timedelta(days=keep_days)
    return coming.filter(soon | (pl.col("chosen_by") == "random"))
