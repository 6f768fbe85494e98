"""Every engine gives the same: probabilities to 1e-12, bands, grades and drivers to the letter."""

from __future__ import annotations

from threading import Semaphore
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import SCHEMA, sites
from tests.engines.same import assert_same, scored

from vigilance import engines
from vigilance.scoring.assess import PLACE, SCORES
from vigilance.terms import FACTORS

ENGINES = [pytest.param(name, id=name) for name in engines.ENGINES]


def drawn(count: int, seed: int = 7) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    iso3 = np.array(["FRA", "NOR", "BGD", "CHN", "IND", "QAT", "MYS", "TKM", "PRK", "CIV", "USA", "BRA"])
    division = np.array(["00", "01", "07", "13", "14", "22", "41", "47", "62"])
    workers = rng.integers(1, 5000, count).astype(float)
    share = np.round(rng.random(count), 3)
    frame = pl.DataFrame(
        {
            "_row": np.arange(count),
            "_supplier_id": [f"S{i}" for i in range(count)],
            "_iso3": iso3[rng.integers(0, len(iso3), count)],
            "_division": division[rng.integers(0, len(division), count)],
            "_tier": rng.integers(0, 5, count).astype(np.int8),
            "_workers": pl.Series(workers).set(pl.Series(rng.random(count) < 0.2), None),
            "_migrant_share": pl.Series(share).set(pl.Series(rng.random(count) < 0.3), None),
            "_factors": rng.integers(0, 3**8, count).astype(np.int32),
            "_zone": [(None, "CN-XJ", "CN-GD")[place] for place in rng.integers(0, 3, count)],
        },
        schema=SCHEMA,
    )
    return frame.with_columns(note=pl.concat_str(pl.lit("row "), "_row"))


@pytest.mark.parametrize("name", ENGINES)
def test_engines_agree(name: str, model: Any) -> None:
    frame = drawn(3000)
    one, other = scored("polars", frame, model), scored(name, frame, model)
    assert one["note"].to_list() == other["note"].to_list() == frame["note"].to_list()
    assert_same(one, other)


def test_batches_change_nothing(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = drawn(1000)
    whole = scored("polars", frame, model)
    monkeypatch.setattr(engines, "BATCH_ROWS", 170)
    assert scored("polars", frame, model).equals(whole)


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(Exception, match="there is no engine abacus"):
        engines.engine("abacus")


ANSWER = st.sampled_from([True, False, None])
SITE = st.fixed_dictionaries(
    {
        "iso3": st.sampled_from(["FRA", "BGD", "CHN", "QAT", "MYS", "TKM", "PRK", "CIV", "USA", "XKX"]),
        "division": st.sampled_from(["00", "01", "13", "14", "22", "41", "97"]),
        "tier": st.integers(0, 4),
        "workers": st.one_of(st.none(), st.integers(1, 200_000)),
        "migrant_share": st.one_of(st.none(), st.floats(0, 1, width=32)),
        "zone": st.sampled_from(["", "CN-XJ", "CN-GD", "savar epz"]),
        **dict.fromkeys(FACTORS, ANSWER),
    }
)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(SITE, min_size=1, max_size=40))
def test_any_list_scores_the_same_on_duckdb(rows: list[dict[str, Any]], model: Any) -> None:
    frame = sites(rows)
    assert_same(scored("polars", frame, model), scored("duckdb", frame, model))


@pytest.mark.parametrize("name", [*ENGINES, pytest.param("spark", marks=pytest.mark.spark)])
def test_a_site_scores_to_the_bit_alone_as_in_any_company(
    name: str, model: Any, request: pytest.FixtureRequest
) -> None:
    if name == "spark":
        request.getfixturevalue("cluster")
    frame = drawn(500)
    whole = scored(name, frame, model)
    shuffled = scored(
        name, frame.sample(fraction=1.0, shuffle=True, seed=3).with_columns(_row=pl.int_range(500)), model
    )
    columns = ["_supplier_id", *SCORES, *PLACE]
    assert shuffled.select(columns).sort("_supplier_id").equals(whole.select(columns).sort("_supplier_id"))
    assert scored(name, frame.slice(77, 1), model).select(columns).equals(whole.slice(77, 1).select(columns))


def test_whoever_stops_early_is_not_waited_for(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The core runs a few batches ahead, and no further; one batch taken and the rest left must not hang."""
    monkeypatch.setattr(engines, "BATCH_ROWS", 10)
    monkeypatch.setattr(engines, "AHEAD", 2)
    monkeypatch.setattr(engines, "PATIENCE", 0.01)
    rows = drawn(500).lazy()
    batches = engines.polars(rows, model, None)
    assert next(batches).height
    batches.close()  # type: ignore[attr-defined]
    assert sum(batch.height for batch in engines.polars(rows, model, None)) == 500


def test_the_engine_gets_what_it_needs_for_its_first_batch_at_once(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many that are depends on its threads: with one allowed ahead, nobody waits until patience ends."""
    refused = []

    class Watched(Semaphore):
        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            allowed = super().acquire(blocking, timeout)
            if blocking and not allowed:
                refused.append(timeout)
            return allowed

    monkeypatch.setattr(engines, "Semaphore", Watched)
    monkeypatch.setattr(engines, "BATCH_ROWS", 10)
    monkeypatch.setattr(engines, "AHEAD", 1)
    monkeypatch.setattr(engines, "PATIENCE", 5.0)
    assert sum(batch.height for batch in engines.polars(drawn(500).lazy(), model, None)) == 500
    assert not refused
