"""What scoring costs on Spark, beside Polars.

    python -m benchmarks.spark [SITES] [--master local[2]] [--rounds N] [--evidence SHARE] [--untuned] [--json FILE]

Made-up sites lie in partitioned Parquet; each engine reads them, scores them and writes partitioned Parquet. Times are
taken turn about, after one round that warms the JVM. CPU seconds are those of the JVM, so that a figure carries over to
a cluster and hardly depends on what else the machine does (``benchmarks.page`` says what follows for more sites).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from vigilance import engines, spark
from vigilance.terms import HAZARDS

COUNTRIES = ("FRA", "NOR", "BGD", "CHN", "IND", "QAT", "MYS", "TKM", "CIV", "USA", "BRA", "VNM", "MEX", "TUR", "KEN")
DIVISIONS = ("00", "01", "03", "07", "10", "13", "14", "15", "22", "26", "31", "41", "47", "62")
FILE_ROWS = 250_000


def sites(first: int, count: int) -> pl.DataFrame:
    """Made-up typed sites with every column that the core reads, from a place in the list on."""
    rng = np.random.default_rng((5, first))

    def some(values: Any, share: float) -> pl.Series:
        return pl.Series(values).set(pl.Series(rng.random(count) < share), None)

    return pl.DataFrame(
        {
            "_row": np.arange(first, first + count),
            "_supplier_id": pl.int_range(first, first + count, eager=True).cast(pl.String),
            "_iso3": np.array(COUNTRIES)[rng.integers(0, len(COUNTRIES), count)],
            "_division": np.array(DIVISIONS)[rng.integers(0, len(DIVISIONS), count)],
            "_tier": rng.integers(0, 5, count).astype(np.int8),
            "_workers": some(np.floor(np.exp(rng.normal(5.0, 1.2, count))) + 1, 0.2),
            "_migrant_share": some(np.round(rng.random(count), 3), 0.3),
            "_factors": rng.integers(0, 3**8, count).astype(np.int32),
            "_zone": pl.Series([""], dtype=pl.String).new_from_index(0, count),
        }
    )


def laid_out(count: int, folder: Path) -> Path:
    """The sites as numbered Parquet files of ``FILE_ROWS``, made one by one: any number of sites fits into memory."""
    folder.mkdir()
    for number, first in enumerate(range(0, count, FILE_ROWS)):
        sites(first, min(FILE_ROWS, count - first)).write_parquet(folder / f"{number:06d}.parquet")
    return folder


def evidence(source: Path, share: float) -> pl.DataFrame | None:
    """Evidence about a share of the sites, of the shape that ``vigilance.evidence.table`` gives."""
    if not share:
        return None
    some = pl.scan_parquet(source / "*.parquet").select("_supplier_id").collect().sample(fraction=share, seed=1)
    values = {"shift": 0.3, "shift_var": 0.2, "ln_measures": -0.1, "measures_var": 0.01, "checked": 1.0}
    return some.with_columns(
        *(pl.lit(value).alias(f"{hazard}_{name}") for hazard in HAZARDS for name, value in values.items()),
        *(pl.lit(value=False).alias(f"{hazard}_{name}") for hazard in HAZARDS for name in ("confirmed", "listed")),
    )


def seconds(work: Callable[[], None]) -> float:
    """How long some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of each round for Spark and Polars on the same files."""
    model = spark.model("2026-11-01")
    source = laid_out(options.sites, folder / "sites")
    known = evidence(source, options.evidence)
    with spark.on(options.master), spark.session(folder) as running:
        cores = running.sparkContext.defaultParallelism
        if options.untuned:
            for name in spark.TUNED:
                running.conf.unset(name)
                running.conf.set(name, "65535")
        given = None
        if known is not None:
            known.write_parquet(folder / "evidence.parquet")
            given = running.read.parquet((folder / "evidence.parquet").as_uri())

        def on_spark() -> None:
            rows = running.read.parquet(source.as_uri())
            target = (folder / "spark").as_uri()
            spark.score_dataframe(rows, model, given).write.mode("overwrite").parquet(target)

        def on_polars() -> None:
            rows = pl.scan_parquet(source / "*.parquet")
            for batch in engines.engine("polars")(rows, model, known):
                batch.write_parquet(folder / "polars.parquet")

        first = seconds(on_spark)
        times: dict[str, list[float]] = {"spark": [], "polars": []}
        cpu = []
        for _round in range(options.rounds):
            before = cpu_seconds(running)
            times["spark"].append(seconds(on_spark))
            cpu.append(cpu_seconds(running) - before)
            times["polars"].append(seconds(on_polars))
        version = running.version
    return {
        "first": first,
        "times": times,
        "cpu": cpu,
        "cores": cores,
        "spark": version,
        "megabytes": {name: megabytes(folder / name) for name in ("sites", "spark")},
    }


def cpu_seconds(running: Any) -> float:
    """What the JVM has used so far: with a local master, all of Spark."""
    used = running.sparkContext._jvm.java.lang.ProcessHandle.current().info().totalCpuDuration().get()
    return float(used.toMillis()) / 1000.0


def megabytes(folder: Path) -> float:
    """The size of the Parquet files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6


def told(options: argparse.Namespace, found: dict[str, Any]) -> dict[str, Any]:
    """The figures as they are printed and written."""
    best = {name: statistics.median(times) for name, times in found["times"].items()}
    per_million = statistics.median(found["cpu"]) / options.sites * 1e6
    return {
        "sites": options.sites,
        "evidence_share": options.evidence,
        "master": options.master,
        "tuned": not options.untuned,
        "machine": f"{platform.machine()}, {platform.system()}",
        "spark": found["spark"],
        "cores_of_spark": found["cores"],
        "load_at_end": round(os.getloadavg()[0], 1),
        "megabytes_in": round(found["megabytes"]["sites"], 1),
        "megabytes_out": round(found["megabytes"]["spark"], 1),
        "first_round_seconds": round(found["first"], 2),
        "seconds": {name: [round(t, 2) for t in times] for name, times in found["times"].items()},
        "median_seconds": {name: round(value, 2) for name, value in best.items()},
        "cpu_seconds": [round(t, 1) for t in found["cpu"]],
        "cpu_seconds_per_million": round(per_million, 2),
    }


def main() -> None:
    read = argparse.ArgumentParser(description="Cost of scoring on Spark, beside Polars.")
    read.add_argument("sites", nargs="?", type=int, default=2_000_000)
    read.add_argument("--master", default="local[2]")
    read.add_argument("--evidence", type=float, default=0.0, help="share of sites with evidence")
    read.add_argument("--rounds", type=int, default=3)
    read.add_argument("--folder", type=Path, help="where the files are made; a temporary folder by default")
    read.add_argument("--untuned", action="store_true", help="without vigilance.spark.tune")
    read.add_argument("--json", type=Path)
    options = read.parse_args()
    with TemporaryDirectory(prefix="vigilance-", dir=options.folder) as scratch:
        found = told(options, measured(options, Path(scratch).resolve()))
    text = json.dumps(found, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
