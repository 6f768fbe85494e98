"""What many tests share: the model of one date, and sites made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from tests.engines.same import OneEngine

from vigilance import engines, reference, rules
from vigilance.scoring.model import Model, build
from vigilance.terms import ABSENT, FACTORS, PRESENT, UNKNOWN

# The same examples on every run, and no clock: a busy machine fails no test. `--hypothesis-profile=random` draws more.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("random", settings.get_profile("house"), derandomize=False, print_blob=True)
settings.load_profile("house")

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
ENGINES = [*engines.ENGINES, pytest.param(engines.SPARK, marks=pytest.mark.spark)]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Spark session for all tests that need one; the engine uses it as it is active."""
    from vigilance import spark

    with spark.on("local[2]"), spark.session(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture(scope="module", params=ENGINES)
def score(request: pytest.FixtureRequest, model: Model) -> Iterator[Score]:
    """Score sites given as mappings; one dict of scores per site, in order. Every test with it runs on every engine."""
    if request.param == engines.SPARK:
        request.getfixturevalue("cluster")
    held = OneEngine(request.param)

    def run(rows: Iterable[Mapping[str, Any]], with_model: Model | None = None) -> list[dict[str, Any]]:
        return held.scored(sites(rows), with_model or model)

    yield run
    held.settle()
