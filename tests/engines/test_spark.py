"""Spark gives what Polars gives: from the command's engine, and from data frames of a cluster."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.conftest import ON
from tests.engines.same import assert_same, scored
from tests.engines.test_parity import drawn

from vigilance import engines, pipeline, reference, rules, spark
from vigilance.cli import main
from vigilance.errors import UsageError
from vigilance.ranking import RANKS, with_ranks
from vigilance.scoring.assess import PLACE, SCORES

EXAMPLES = Path(__file__).parent.parent.parent / "data" / "examples"
EVIDENCE = {
    name: EXAMPLES / f"{name}.csv" for name in ("audits", "findings", "grievances", "events", "measures", "lists")
}


@pytest.mark.spark
def test_the_engine_agrees_and_keeps_the_order(cluster: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = drawn(3000)
    one = scored("polars", frame, model)
    monkeypatch.setattr(spark, "PIECE_ROWS", 700)
    monkeypatch.setattr(engines, "BATCH_ROWS", 1300)
    other = scored("spark", frame, model)
    assert other["_row"].to_list() == list(range(3000))
    assert other["note"].to_list() == frame["note"].to_list()
    assert other.columns == one.columns
    assert_same(one, other)


@pytest.mark.spark
def test_a_run_with_evidence_agrees(
    cluster: Any, tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    def of(engine: str) -> pl.DataFrame:
        job = pipeline.Job(
            inputs=[EXAMPLES / "suppliers.csv"],
            on=ON,
            out=tmp_path / engine,
            engine=engine,
            evidence=EVIDENCE,
            max_rejected=1.0,
        )
        return pipeline.score(job, facts, judgements).run.scores.collect()

    one, other = of("polars"), of("spark")
    assert one["supplier_id"].to_list() == other["supplier_id"].to_list()
    assert one["rank"].to_list() == other["rank"].to_list()
    assert_same(one, other)


@pytest.mark.spark
@pytest.mark.parametrize("ansi", ["true", "false"])
def test_a_data_frame_is_scored_where_it_is(cluster: Any, model: Any, ansi: str) -> None:
    frame = drawn(400).with_columns(note=pl.lit("of the user"), **{"a.b": pl.lit(1)})
    frame = frame.with_columns(_migrant_share=pl.col("_migrant_share").fill_null(math.nan))
    clean = frame.with_columns(pl.col("_migrant_share").fill_nan(None))
    evidence = pl.DataFrame({"_supplier_id": ["S3", "S5"]}).with_columns(
        *(
            pl.lit(0.4).alias(f"{h}_{what}")
            for h in ("forced_labour", "child_labour")
            for what in ("shift", "shift_var")
        ),
        *(pl.lit(h == "forced_labour").alias(f"{h}_listed") for h in ("forced_labour", "child_labour")),
        *(pl.lit(0.0).alias(f"{h}_ln_measures") for h in ("forced_labour", "child_labour")),
        *(pl.lit(0.0).alias(f"{h}_measures_var") for h in ("forced_labour", "child_labour")),
        *(pl.lit(1.0).alias(f"{h}_checked") for h in ("forced_labour", "child_labour")),
        *(pl.lit(value=False).alias(f"{h}_confirmed") for h in ("forced_labour", "child_labour")),
    )
    one = pipeline.in_words(pl.concat(list(engines.engine("polars")(clean.lazy(), model, evidence))))
    cluster.conf.set("spark.sql.ansi.enabled", ansi)
    # A reader of CSV gives wider integers than the core holds.
    wide = frame.with_columns(pl.col("_tier", "_factors").cast(pl.Int64))
    made = spark.score_dataframe(cluster.createDataFrame(wide.to_arrow()), model, evidence)
    other = pl.from_arrow(made.toArrow())
    assert isinstance(other, pl.DataFrame)
    assert other.columns == [*frame.columns, *SCORES, *PLACE]
    assert_same(one, other.sort("_row"))
    assert other.filter(pl.col("forced_labour_override") == "listed_entity")["_supplier_id"].sort().to_list() == [
        "S3",
        "S5",
    ]


@pytest.mark.spark
def test_what_cannot_be_scored_is_named(cluster: Any, model: Any) -> None:
    frame = drawn(5)

    def refused(wrong: pl.DataFrame, said: str) -> None:
        with pytest.raises(UsageError, match=said):
            spark.score_dataframe(cluster.createDataFrame(wrong.to_arrow()), model)

    refused(frame.drop("_tier"), "lack the columns _tier")
    refused(frame.with_columns(zone_code=pl.lit("x")), "named like results: zone_code")
    refused(frame.with_columns(_iso3=pl.lit("XQX")), "XQX")
    refused(frame.with_columns(_iso3=pl.lit(None, dtype=pl.String)), "_iso3 have empty cells")


@pytest.mark.spark
@pytest.mark.slow
def test_a_million_sites_agree(cluster: Any, model: Any) -> None:
    """Bands, grades and drivers to the letter, probabilities to 1e-12, ranks too."""
    frame = drawn(1_000_000, seed=11)
    one, other = scored("polars", frame, model), scored("spark", frame, model)
    assert_same(one, other)
    ranked = [
        with_ranks(made.select(pl.selectors.matches(r"_p\d\d$")), whole=True).select(RANKS) for made in (one, other)
    ]
    assert ranked[0].equals(ranked[1])


def test_a_missing_package_or_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(spark, "find_spec", lambda _name: None)
        with pytest.raises(UsageError, match="pyspark is not installed"):
            spark.ready()
    monkeypatch.setattr(spark, "find_spec", lambda _name: object())
    monkeypatch.setattr(spark.shutil, "which", lambda _name, path=None: None)
    with pytest.raises(UsageError, match="Java"), spark.on("local[1]"):
        pytest.fail("it started")


def test_a_master_without_spark_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(EXAMPLES / "suppliers.csv"), "--master", "local[2]", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", ["vigilance", "score", *given])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "--master goes with --engine spark" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_session_of_our_own_is_quiet_and_stays_in_its_folder(tmp_path: Path) -> None:
    found = spark.settings(tmp_path, "local[2]")
    assert found["spark.ui.enabled"] == "false"
    assert found["spark.sql.catalogImplementation"] == "in-memory"
    assert found["spark.sql.session.timeZone"] == "UTC"
    assert found["spark.driver.bindAddress"] == "127.0.0.1"
    assert str(tmp_path) in found["spark.local.dir"]
    assert "spark.driver.bindAddress" not in spark.settings(tmp_path, "spark://host:7077")


def test_the_typed_columns_are_those_of_the_core() -> None:
    assert set(engines.CORE) <= set(spark.SITES)
