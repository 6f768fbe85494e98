"""How long a command takes on a short list: ``python -m benchmarks.startup [--rounds N] [--only NAME...]``.

Each contender is the command as a person types it, in a process of its own, in the order A B C A B C, after one round
that is not counted. ``libraries`` imports what every score needs and does nothing: what is above it is ours. CPU
seconds (user and system) stand beside the wall clock, because they hardly depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
ON: Final = "2026-11-22"
SITES: Final = 1_000
PACKAGES: Final = ("vigilance", "polars", "narwhals", "numpy", "click")
LIST, EXAMPLES, RUN, OUT, CACHE = "{list}", "{examples}", "{run}", "{out}", "{cache}"
"""What stands in a command for a file or folder of the benchmark."""

VIGILANCE: Final = ("-m", "vigilance")
SCORE: Final = ("score", "--on", ON, "--out", OUT)
CONTENDERS: Final[dict[str, tuple[str, ...]]] = {
    "libraries": ("-c", "import click, numpy, polars, narwhals.stable.v2"),
    "help": (*VIGILANCE, "--help"),
    "score": (*VIGILANCE, *SCORE, LIST),
    "score_no_cache": (*VIGILANCE, *SCORE, LIST),
    "score_examples": (*VIGILANCE, *SCORE, EXAMPLES),
    "check": (*VIGILANCE, "check", LIST),
    "explain": (*VIGILANCE, "explain", "000000005", "--run", RUN),
    "countries": (*VIGILANCE, "countries", "--on", ON),
}
FRESH: Final = frozenset({"score_no_cache"})
"""Those that find no cache, as on a new machine."""
GOALS: Final = {"help": 0.25, "score": 0.7, "score_no_cache": 2.5, "score_examples": 0.8}
"""Seconds of wall clock that the middle of all rounds should stay under."""

Measures = dict[str, float]


def measured(name: str, places: dict[str, str]) -> Measures:
    """One run in a process of its own: wall and CPU seconds, peak memory in bytes."""
    for folder in (places[OUT], *((places[CACHE],) if name in FRESH else ())):
        shutil.rmtree(folder, ignore_errors=True)
    cache = places[CACHE] if name in FRESH else f"{places[CACHE]}-warm"
    # As installed: compiled modules are kept, nothing is asked of the threads.
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "VIGILANCE_CACHE"}}
    command = [sys.executable, *(places.get(part, part) for part in CONTENDERS[name])]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**env, "XDG_CACHE_HOME": cache}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _pid, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 4):
        raise SystemExit(f"{name} failed with status {status}")
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024.0}


def summed(rounds: list[Measures]) -> Measures:
    """The least and the middle of wall clock and CPU seconds, and the largest peak in MB."""
    wall, cpu = ([each[key] for each in rounds] for key in ("seconds", "cpu"))
    return {
        "least": min(wall),
        "median": statistics.median(wall),
        "cpu_least": min(cpu),
        "cpu_median": statistics.median(cpu),
        "peak_mb": max(each["peak_bytes"] for each in rounds) / 1e6,
    }


def run(rounds: int, names: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Make the list and a run of it, run all rounds, and say what was found."""
    places = {
        LIST: str(folder / "sites.csv"),
        EXAMPLES: str(folder / "suppliers.csv"),
        RUN: str(folder / "run"),
        OUT: str(folder / "out"),
        CACHE: str(folder / "cache"),
    }
    # Apart, because a process begins with the peak memory of the one that starts it.
    made = f"from pathlib import Path; from benchmarks import data; data.sites({SITES}, Path({places[LIST]!r}))"
    subprocess.run([sys.executable, "-c", made], cwd=ROOT, check=True)
    shutil.copy(ROOT / "data" / "examples" / "suppliers.csv", places[EXAMPLES])
    measured("score", {**places, OUT: places[RUN]})
    done = [{name: measured(name, places) for name in names} for _round in range(rounds + 1)][1:]
    return {
        "sites": SITES,
        "on": ON,
        "rounds": rounds,
        "machine": {
            "system": f"{platform.system()}, {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in PACKAGES},
        "load_at_end": os.getloadavg()[0],
        "contenders": {name: summed([each[name] for each in done]) for name in names},
    }


SAID: Final = {
    "libraries": "the libraries alone: importing click, NumPy, Polars, narwhals",
    "help": "`vigilance --help`",
    "score": "`vigilance score`, 1,000 sites",
    "score_no_cache": "the same, the first time on a machine",
    "score_examples": "`vigilance score data/examples/suppliers.csv`",
    "check": "`vigilance check`, 1,000 sites",
    "explain": "`vigilance explain`, one site",
    "countries": "`vigilance countries`",
}


def table(found: dict[str, Any]) -> str:
    """What was found, as a table with its circumstances."""
    machine = found["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    lines = [
        f"{found['rounds']} rounds; {machine['cores']} cores ({machine['system']}), load at the end "
        f"{found['load_at_end']:.1f}; Python {machine['python']}, {packages}.",
        "",
        "| | seconds, median (least) | CPU seconds, median (least) | peak MB | goal |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["contenders"].items():
        wall, cpu = f"{row['median']:.2f} ({row['least']:.2f})", f"{row['cpu_median']:.2f} ({row['cpu_least']:.2f})"
        lines.append(f"| {SAID[name]} | {wall} | {cpu} | {row['peak_mb']:.0f} | {_goal(name, row)} |")
    return "\n".join(lines)


def _goal(name: str, row: Measures) -> str:
    if name not in GOALS:
        return ""
    for said, seconds in (("reached", row["median"]), ("reached at best", row["least"])):
        if seconds <= GOALS[name]:
            return f"{GOALS[name]}: {said}"
    return f"{GOALS[name]}: missed"


def main() -> None:
    """Measure, write JSON, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", nargs="*", choices=CONTENDERS)
    parser.add_argument("--json", type=Path, default=Path("build/startup.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(given.rounds, tuple(given.only or CONTENDERS), Path(folder))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
