"""The benchmark compares like with like: what is written by hand gives our numbers. Nothing here is timed."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks import by_hand, data, speed

ROWS = 2_000


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    from datetime import date

    from vigilance import engines, ingest

    source = tmp_path_factory.mktemp("speed") / "sites.csv"
    data.sites(ROWS, source)
    model = by_hand.model_on(speed.ON)
    rows = ingest.read([source], on=date.fromisoformat(speed.ON), reference=model.facts).rows
    return source, pl.concat(list(engines.polars(rows, model, None)))


@pytest.mark.parametrize("by", [by_hand.by_sql, by_hand.by_numpy])
def test_the_model_written_by_hand_is_ours(by: object, ours: tuple[Path, pl.DataFrame], tmp_path: Path) -> None:
    source, mine = ours
    by(source, tmp_path / "out.parquet", speed.ON)  # type: ignore[operator]
    theirs = pl.read_parquet(tmp_path / "out.parquet").sort("supplier_id")
    assert theirs.height == ROWS
    for name in ("forced_labour_p05", "forced_labour_p50", "forced_labour_p95", "child_labour_p80"):
        assert (mine.sort("supplier_id")[name] - theirs[name]).abs().max() < 1e-9, name


def test_audits_have_no_key_twice(tmp_path: Path) -> None:
    data.audits(500, 120, tmp_path / "audits.csv")
    made = pl.read_csv(tmp_path / "audits.csv", schema_overrides={"supplier_id": pl.String})
    assert made.height == made.select("supplier_id", "audited_on").n_unique() == 500


def test_a_ratio_is_of_one_round() -> None:
    used = {"cpu": 1.0, "peak_bytes": 2.0**30}
    rounds = [
        {"copy_duckdb": {"seconds": base, **used}, "ours_polars": {"seconds": own, **used}}
        for base, own in ((1.0, 2.0), (10.0, 30.0), (4.0, 2.0))
    ]
    found = speed.ratios(rounds)["ours_polars"]
    assert (found["ratio"], found["least"], found["most"], found["peak_gib"]) == (2.0, 0.5, 3.0, 1.0)
