"""How long reports of long lists take, and how large they are.

    python benchmarks/report.py [SITES ...]

Repeats the example list under new ids. Bars: 10,000 sites under 8 MB of HTML, 100,000 rows of XLSX under 20 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

from vigilance import pipeline, reference, rules
from vigilance.report import reports, write, writers
from vigilance.report.material import gather
from vigilance.run import Run

ON = date(2026, 11, 1)
EXAMPLE = Path(__file__).parent.parent / "data" / "examples" / "suppliers.csv"


def longer(sites: int, folder: Path) -> Path:
    """The example list, repeated to a length."""
    one = pl.read_csv(EXAMPLE, infer_schema_length=0)
    many = pl.concat([one] * (sites // one.height + 1)).head(sites).with_row_index("_n")
    path = folder / "suppliers.csv"
    many.with_columns(supplier_id=pl.format("S-{}", pl.col("_n"))).drop("_n").write_csv(path)
    return path


def scored(sites: int, folder: Path) -> Run:
    """A run of a list of that length."""
    job = pipeline.Job(inputs=[longer(sites, folder)], on=ON, out=folder / "run", csv=False)
    return pipeline.score(job, reference.load().in_force(ON), rules.load().in_force(ON)).run


def main() -> None:
    """Print one line per length and format."""
    for sites in [int(given) for given in sys.argv[1:]] or [10_000, 100_000]:
        with tempfile.TemporaryDirectory() as scratch:
            run = scored(sites, Path(scratch))
            material = gather(run)
            document = reports.document(material, "csr")
            for extension in ("html", "xlsx"):
                started = time.perf_counter()
                made = writers.find(extension)(writers.Request(material, document, "csr"))
                seconds = time.perf_counter() - started
                print(f"{sites:>8} sites  {extension:<5} {seconds:6.1f} s  {len(made) / 1e6:6.1f} MB")
            started = time.perf_counter()
            write(run, ["html", "xlsx"], out=Path(scratch) / "report")
            print(f"{sites:>8} sites  the whole command's work {time.perf_counter() - started:6.1f} s")


if __name__ == "__main__":
    main()
