"""How long scoring takes beside a plain copy of the same file: ``python -m benchmarks.speed [--rows N] [--quick]``.

Every contender runs in a process of its own, in the order A B C A B C, so that a change of the machine's mood meets all
of them. A ratio is that of wall clocks of one round; the interval is over rounds. CPU seconds stand beside it, because
they hardly depend on what else the machine does.
"""

# ruff: noqa: PLC0415 - the process of each contender imports only what that contender needs
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import data

ON = "2026-11-22"
PACKAGES = ("vigilance", "polars", "duckdb", "narwhals", "numpy", "pyarrow")
BASE = "copy_duckdb"


def copy_duckdb(source: Path, out: Path) -> None:
    import duckdb

    duckdb.connect().execute(f"COPY (FROM read_csv('{source}')) TO '{out / 'copy.parquet'}' (FORMAT parquet)")


def copy_polars(source: Path, out: Path) -> None:
    import polars as pl

    pl.scan_csv(source).sink_parquet(out / "copy.parquet")


def ours(source: Path, out: Path, *more: str) -> None:
    from vigilance.cli import main

    sys.argv = ["vigilance", "score", str(source), "--no-csv", "--on", ON, "--out", str(out / "run"), "--quiet", *more]
    main()


def ours_polars(source: Path, out: Path) -> None:
    ours(source, out)


def ours_duckdb(source: Path, out: Path) -> None:
    ours(source, out, "--engine", "duckdb")


def ours_audits(source: Path, out: Path) -> None:
    ours(source, out, "--audits", str(source.with_name("audits.csv")))


def core_polars(source: Path, out: Path) -> None:
    """The core alone: typed rows that are already in memory, to scored rows; reading is not counted."""
    from datetime import date

    from vigilance import engines, ingest, reference, rules
    from vigilance.scoring.model import build

    on = date.fromisoformat(ON)
    facts = reference.load().in_force(on)
    model = build(facts, rules.load().in_force(on))
    rows = ingest.read([source], on=on, reference=facts).rows
    started, cpu = time.perf_counter(), sum(os.times()[:2])
    counted = sum(batch.height for batch in engines.polars(rows, model, None))
    assert counted
    said = {"seconds": time.perf_counter() - started, "cpu": sum(os.times()[:2]) - cpu}
    (out / "own.json").write_text(json.dumps(said))


def sql_duckdb(source: Path, out: Path) -> None:
    from benchmarks.by_hand import by_sql

    by_sql(source, out / "scores.parquet", ON)


def numpy_pandas(source: Path, out: Path) -> None:
    from benchmarks.by_hand import by_numpy

    by_numpy(source, out / "scores.parquet", ON)


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    f.__name__: f
    for f in (copy_duckdb, copy_polars, ours_polars, ours_duckdb, core_polars, sql_duckdb, numpy_pandas, ours_audits)
}
QUICK = ("copy_duckdb", "ours_polars")
GOALS = {"ours_polars": 1.5, "core_polars": 1.2, "ours_audits": 2.2}
"""What a ratio should be at most on ten million sites."""


def measured(name: str, source: Path) -> dict[str, float]:
    """One run in a process of its own: wall and CPU seconds, peak memory in bytes."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        started = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.speed", "--one", name, "--file", str(source), "--into", folder]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[1])
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit(f"{name} failed with status {status}")
        found = {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024.0}
        own = Path(folder) / "own.json"
        return found | (json.loads(own.read_text()) if own.is_file() else {})


def checked(source: Path) -> float:
    """The largest difference of P50 between the hand-written SQL and ours."""
    import polars as pl

    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        out = Path(folder)
        for name in ("ours_polars", "sql_duckdb"):
            subprocess.run(
                [sys.executable, "-m", "benchmarks.speed", "--one", name, "--file", str(source), "--into", folder],
                check=True,
                cwd=Path(__file__).parents[1],
            )
        columns = ["supplier_id", "forced_labour_p50", "child_labour_p50"]
        mine = pl.read_parquet(out / "run" / "scores.parquet", columns=columns).sort("supplier_id")
        other = pl.read_parquet(out / "scores.parquet", columns=columns).sort("supplier_id")
        return max(float((mine[c] - other[c]).abs().max() or 0.0) for c in columns[1:])  # type: ignore[arg-type]


def ratios(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Per contender, its time over that of the DuckDB copy of the same round: middle, least and most."""
    found = {}
    for name in rounds[0]:
        wall = sorted(r[name]["seconds"] / r[BASE]["seconds"] for r in rounds)
        cpu = sorted(r[name]["cpu"] / r[BASE]["cpu"] for r in rounds)
        found[name] = {
            "ratio": statistics.median(wall),
            "least": wall[0],
            "most": wall[-1],
            "cpu_ratio": statistics.median(cpu),
            "seconds": min(r[name]["seconds"] for r in rounds),
            "cpu": min(r[name]["cpu"] for r in rounds),
            "peak_gib": max(r[name]["peak_bytes"] for r in rounds) / 2**30,
        }
    return found


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    system = f"{platform.system()}, {platform.machine()}"
    return {"system": system, "cores": os.cpu_count(), "python": platform.python_version()}


def run(rows: int, audits: int, rounds: int, names: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Make the files, run all rounds, and say what was found."""
    source = folder / "sites.csv"
    data.sites(rows, source)
    data.audits(audits, rows, folder / "audits.csv")
    done = [{name: measured(name, source) for name in names} for _ in range(rounds)]
    small = folder / "small.csv"
    data.sites(min(rows, 100_000), small)
    return {
        "rows": rows,
        "audits": audits,
        "bytes": source.stat().st_size,
        "on": ON,
        "machine": machine(),
        "versions": {name: version(name) for name in PACKAGES},
        "load_at_end": os.getloadavg()[0],
        "largest_difference_of_p50": checked(small),
        "ratios": ratios(done),
        "rounds": done,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--audits", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a million rows, the copy and ours only")
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, help="these contenders, beside the copy")
    parser.add_argument("--json", type=Path, default=Path("build/speed.json"))
    parser.add_argument("--folder", type=Path, help="where the files are made; a temporary folder by default")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        CONTENDERS[given.one](given.file, given.into)
        return
    rows, names = (1_000_000, QUICK) if given.quick else (given.rows, tuple(CONTENDERS))
    names = (BASE, *(n for n in given.only if n != BASE)) if given.only else names
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = run(rows, given.audits if not given.quick else 0, given.rounds, names, Path(folder))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{'':14}{'ratio':>7} {'(least - most)':>16}{'CPU ratio':>11}{'seconds':>9}{'GiB':>6}")
    for name, r in found["ratios"].items():
        interval = f"({r['least']:.2f} - {r['most']:.2f})"
        print(f"{name:14}{r['ratio']:7.2f} {interval:>16}{r['cpu_ratio']:11.2f}{r['seconds']:9.2f}{r['peak_gib']:6.2f}")
    print(f"largest difference of P50 between SQL by hand and ours: {found['largest_difference_of_p50']:.1e}")


if __name__ == "__main__":
    main()
