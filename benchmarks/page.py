"""The tables of the pages on speed, made from what was measured: ``python -m benchmarks.page [--write]``.

``benchmarks/measured/`` holds the last results of ``benchmarks.speed``, ``.spark`` and ``.startup`` that were kept; a
page shows them between ``<!-- name -->`` and ``<!-- /name -->``. Without ``--write``: say which page is stale, exit 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import startup
from benchmarks.speed import GOALS

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "benchmarks" / "measured"
CONTENDERS = {
    "copy_duckdb": "plain copy, CSV to Parquet, DuckDB",
    "copy_polars": "plain copy, Polars",
    "ours_polars": "`vigilance score --no-csv`, everything included",
    "ours_duckdb": "the same with `--engine duckdb`",
    "core_polars": "the scoring core alone, typed rows in memory to scored rows",
    "sql_duckdb": "the model by hand in DuckDB SQL, no checks, no drivers",
    "numpy_pandas": "the model by hand in pandas and NumPy, no checks, no drivers",
    "ours_audits": "`vigilance score --no-csv --audits`",
}

Found = dict[str, Any]


def speed(found: Found) -> str:
    """What ``benchmarks.speed`` found, as a table with its circumstances."""
    machine, versions = found["machine"], found["versions"]
    packages = ", ".join(f"{name} {number}" for name, number in versions.items())
    lines = [
        f"{found['rows']:,} sites, {found['bytes'] / 1e9:.2f} GB of CSV, {found['audits']:,} audits; "
        f"{len(found['rounds'])} rounds; {machine['cores']} cores ({machine['system']}), load at the end "
        f"{found['load_at_end']:.1f}; Python {machine['python']}, {packages}.",
        "",
        "| | wall clock, times the copy (least to most) | CPU, times | seconds | CPU seconds | peak GiB | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found["ratios"].items():
        interval = f"{row['ratio']:.2f} ({row['least']:.2f} to {row['most']:.2f})"
        lines.append(
            f"| {CONTENDERS[name]} | {interval} | {row['cpu_ratio']:.2f} | {row['seconds']:.1f} | {row['cpu']:.1f} "
            f"| {row['peak_gib']:.2f} | {_goal(name, row)} |"
        )
    apart = found["largest_difference_of_p50"]
    return "\n".join([*lines, "", f"The SQL by hand gives our P50 to {apart:.0e}."])


def _goal(name: str, row: Found) -> str:
    if name not in GOALS:
        return ""
    for said, ratio in (("reached", row["ratio"]), ("reached in CPU only", row["cpu_ratio"])):
        if ratio <= GOALS[name]:
            return f"{GOALS[name]}: {said}"
    return f"{GOALS[name]}: missed"


def spark(found: Found) -> str:
    """What ``benchmarks.spark`` found, with what follows for more sites than were scored."""
    took, middle = found["seconds"]["spark"], found["median_seconds"]
    each = found["cpu_seconds_per_million"]
    far = [(f"{found['sites']:,}", found["sites"] / 1e6, "", "measured")]
    for sites, millions, cores in (("100 million", 100, 64), ("1 billion", 1000, 256)):
        minutes = f"{each * millions / cores / 60:.1f} minutes on {cores} cores"
        far.append((sites, millions, minutes, "extrapolated, in proportion to rows"))
    return "\n".join(
        [
            f"{found['sites']:,} made-up sites, partitioned Parquet to partitioned Parquet, drivers in words, "
            f"`{found['master']}`, Spark {found['spark']}, {found['machine']}, load at the end "
            f"{found['load_at_end']:.1f}: {middle['spark']:.0f} s ({min(took):.0f} to {max(took):.0f} s; "
            f"the first round, with a cold JVM, "
            f"{found['first_round_seconds']:.0f} s), {found['megabytes_in']:,.0f} MB in and "
            f"{found['megabytes_out']:,.0f} MB out. Polars took {middle['polars']:.0f} s for codes without words.",
            "",
            "| sites | CPU seconds | CPU hours | on a cluster, every core busy | |",
            "|---|---|---|---|---|",
            *(
                f"| {sites} | {each * millions:,.0f} | {each * millions / 3600:.2f} | {minutes} | {how} |"
                for sites, millions, minutes, how in far
            ),
        ]
    )


SECTIONS: dict[str, tuple[str, Callable[[Found], str]]] = {
    "speed": ("docs/benchmarks.md", speed),
    "spark": ("docs/spark.md", spark),
    "startup": ("docs/benchmarks.md", startup.table),
}


def renewed(text: str, name: str, found: Found) -> str:
    """A page with the section of that name made anew. Raises ``ValueError`` when the page has none."""
    section = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    if not section.search(text):
        raise ValueError(f"there is no <!-- {name} --> to fill")
    return section.sub(lambda held: held[1] + SECTIONS[name][1](found) + held[2], text)


def main() -> int:
    """Check or write; the exit code of the command."""
    options = argparse.ArgumentParser(description="The tables of the pages on speed.")
    options.add_argument("--write", action="store_true")
    write = options.parse_args().write
    stale = []
    for name, (page, _made) in SECTIONS.items():
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        now = renewed(text, name, json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8")))
        if now != text:
            stale.append(page)
            if write:
                path.write_text(now, encoding="utf-8")
    print("".join(f"{page} {'renewed' if write else 'is stale'}\n" for page in stale), end="")
    return 1 if stale and not write else 0


if __name__ == "__main__":
    sys.exit(main())
