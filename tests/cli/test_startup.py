"""What a command loads and reads again: time on a loaded machine tells little, this tells what makes a start slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNTRIES = ("France", "Bangladesh", "Qatar", "Malaysia", "Brazil")
ACTIVITIES = ("Manufacture of textiles", "NACE 14.13", "Growing of cotton", "Construction of buildings")
HEADER = "supplier_id,name,country,address,lat,lng,activity,tier,workers,migrant_share,recruitment_fees\n"
NEEDED = {"click", "narwhals", "numpy", "polars", "typing_extensions", "vigilance"}
"""What the commands that people run most have to import beside the standard library."""
WATCH = """
import json, sys
read = []
sys.addaudithook(lambda event, args: read.append(str(args[0])) if event == "open" else None)
from vigilance.cli import main
sys.argv = ["vigilance", *sys.argv[1:]]
try:
    main()
except SystemExit as done:
    code = done.code
roots = {name.split(".")[0] for name in sys.modules if not name.startswith("_")}
said = {"code": code, "loaded": sorted(roots - set(sys.stdlib_module_names)), "read": read}
said["algebra"] = __import__("os").environ.get("OPENBLAS_NUM_THREADS")
print(json.dumps(said), file=sys.stderr)
"""


def watched(folder: Path, *command: str) -> dict[str, object]:
    """Run a command in a process of its own, with a cache of its own; what it loaded and opened."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"VIGILANCE_CACHE", "OPENBLAS_NUM_THREADS"}
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, "XDG_CACHE_HOME": str(folder / "cache"), "NO_COLOR": "1"},
    )
    said: dict[str, object] = json.loads(done.stderr.splitlines()[-1])
    assert said["code"] == 0, done.stderr
    return said


def suppliers(rows: int) -> str:
    """A list without a fault, so that nothing is needed to say what is near to what was meant."""
    return HEADER + "".join(
        f"S-{n},Site {n},{COUNTRIES[n % 5]},,,,{ACTIVITIES[n % 4]},{n % 4 + 1},{10 * n + 5},0.{n % 10},{n % 2}\n"
        for n in range(rows)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in it, and a warm cache."""
    made = tmp_path_factory.mktemp("startup")
    (made / "suppliers.csv").write_text(suppliers(200), encoding="utf-8")
    score(made, "first")
    return made


def score(folder: Path, name: str) -> dict[str, object]:
    return watched(folder, "score", str(folder / "suppliers.csv"), "--on", "2026-11-01", "--out", str(folder / name))


def test_the_second_run_builds_nothing_and_gives_the_same_bytes(folder: Path) -> None:
    second = score(folder, "second")
    assert set(second["loaded"]) <= NEEDED  # type: ignore[call-overload]
    assert second["algebra"] == "1"
    opened = [path for path in second["read"] if "/rules/" in path or path.endswith(".yaml")]  # type: ignore[attr-defined]
    # Each file of rules once, for its digest: none is parsed.
    assert len(opened) == len(set(opened))
    for name in ("scores.parquet", "sites.parquet", "scores.csv", "issues.jsonl"):
        assert (folder / "first" / name).read_bytes() == (folder / "second" / name).read_bytes()


def test_without_a_cache_the_bytes_are_the_same(folder: Path) -> None:
    command = ("score", str(folder / "suppliers.csv"), "--on", "2026-11-01", "--out", str(folder / "third"), "--quiet")
    done = subprocess.run(
        [sys.executable, "-m", "vigilance", *command],
        env={**os.environ, "VIGILANCE_CACHE": "off"},
        check=False,
    )
    assert done.returncode == 0
    for name in ("scores.parquet", "sites.parquet", "scores.csv", "issues.jsonl"):
        assert (folder / "first" / name).read_bytes() == (folder / "third" / name).read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ("explain", "S-1", "--run", "{folder}/first"),
        ("check", "{folder}/suppliers.csv"),
        ("countries", "--on", "2026-11-01"),
    ],
    ids=lambda command: command[0],
)
def test_other_commands_load_no_more(folder: Path, command: tuple[str, ...]) -> None:
    said = watched(folder, *(part.format(folder=folder) for part in command))
    assert set(said["loaded"]) <= NEEDED  # type: ignore[call-overload]
