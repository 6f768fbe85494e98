"""What many tests share: the model of one date, and sites made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
import pytest

from vigilance import engines, reference, rules
from vigilance.scoring.assess import assess
from vigilance.scoring.model import Model, build
from vigilance.terms import ABSENT, FACTORS, PRESENT, UNKNOWN

ON = date(2026, 11, 1)
SCHEMA = {
    "_row": pl.Int64,
    "_supplier_id": pl.String,
    "_iso3": pl.String,
    "_division": pl.String,
    "_tier": pl.Int8,
    "_workers": pl.Float64,
    "_migrant_share": pl.Float64,
    "_factors": pl.Int32,
    "_zone": pl.String,
}
STATE = {True: PRESENT, False: ABSENT, None: UNKNOWN}


@pytest.fixture(scope="session")
def judgements() -> rules.Judgements:
    return rules.load().in_force(ON)


@pytest.fixture(scope="session")
def facts() -> reference.Facts:
    return reference.load().in_force(ON)


@pytest.fixture(scope="session")
def model(facts: reference.Facts, judgements: rules.Judgements) -> Model:
    return build(facts, judgements)


def pattern(answers: Mapping[str, bool | None]) -> int:
    """The pattern code of some answers; the others are unknown."""
    return sum(STATE[answers.get(name)] * 3**place for place, name in enumerate(FACTORS))


def sites(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Typed sites: plain keys (iso3, division, tier, workers, migrant_share, zone, factors by name)."""
    made = []
    for number, row in enumerate(rows):
        made.append(
            {
                "_row": number,
                "_supplier_id": row.get("id", f"S{number}"),
                "_iso3": row.get("iso3", "FRA"),
                "_division": row.get("division", "00"),
                "_tier": row.get("tier", 0),
                "_workers": row.get("workers"),
                "_migrant_share": row.get("migrant_share"),
                "_factors": row["pattern"]
                if "pattern" in row
                else pattern({k: v for k, v in row.items() if k in FACTORS}),
                "_zone": row.get("zone", ""),
            }
        )
    return pl.DataFrame(made, schema=SCHEMA)


Score = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def score(model: Model) -> Score:
    """Score sites given as mappings; one dict of scores per site, in order."""

    def run(rows: Iterable[Mapping[str, Any]], with_model: Model | None = None) -> list[dict[str, Any]]:
        frame = sites(rows)
        used = with_model or model
        scored = assess(nw.from_native(frame, eager_only=True), used, engines.look_up(frame, used))
        return list(scored.to_native().sort("_row").iter_rows(named=True))

    return run
