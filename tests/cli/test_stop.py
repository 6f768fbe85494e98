"""A command that fails half-way ends with its exit code, whatever the engine's threads are at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

FAILS = """
import sys
from vigilance import engines, pipeline

seen = []
summed = pipeline.Summary.add

def add(self, frame):
    seen.append(frame)
    if len(seen) == 2:
        raise {error}
    return summed(self, frame)

pipeline.Summary.add = add
pipeline.RANKED_ROWS = 1000
engines.BATCH_ROWS = 5000
sys.argv[0] = "vigilance"
from vigilance.cli import entry
entry()
"""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("RuntimeError('unheard of')", 1, "RuntimeError: unheard of"),
        ("KeyboardInterrupt", 130, "Interrupted."),
        ("OSError(28, 'full')", 6, "no space is left on the disk"),
    ],
)
def test_a_failure_amid_a_long_list_keeps_its_exit_code(tmp_path: Path, error: str, code: int, said: str) -> None:
    rows = 500_000
    sites = pl.DataFrame({"supplier_id": pl.int_range(rows, eager=True).cast(pl.String)}).with_columns(
        name=pl.format("Site {}", "supplier_id"), country=pl.lit("India"), activity=pl.lit("Textiles")
    )
    path = tmp_path / "sites.csv"
    sites.write_csv(path)
    arguments = ["score", str(path), "--on", "2026-11-01", "--no-csv", "--out", str(tmp_path / "run"), "--quiet"]
    ended = subprocess.run(
        [sys.executable, "-c", FAILS.format(error=error), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr[-2000:]
    assert [found.name for found in tmp_path.iterdir()] == ["sites.csv"]
