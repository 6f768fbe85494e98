"""Supplier lists for the tests of the weekly run."""

import csv
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from vigilance.store.weekly import Result, Watch, run

HEADER = [
    *("supplier_id", "name", "country", "activity", "tier", "workers"),
    *("migrant_share", "recruitment_fees", "predecessor_id"),
]
PLACES = ("Bangladesh", "France", "Malaysia", "Viet Nam", "Qatar")
ACTIVITIES = ("Wearing apparel", "Retail trade", "Rubber products", "Textiles")
MONDAY = date(2026, 11, 2)


def rows(count: int = 12) -> list[list[object]]:
    """Sites that differ from one another."""
    return [
        [f"S{n:03d}", f"Site {n}", PLACES[n % 5], ACTIVITIES[n % 4], 1 + n % 3, 50 + 37 * n, 0.1, "false", ""]
        for n in range(count)
    ]


def worse(given: list[list[object]], *places: int) -> list[list[object]]:
    """The same sites, some larger, with fees and many migrants."""
    return [[*row[:5], 4000, 0.95, "true", row[8]] if n in places else row for n, row in enumerate(given)]


def write(path: Path, given: Iterable[list[object]]) -> Path:
    """A supplier file."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADER)
        writer.writerows(given)
    return path


def watch(folder: Path, on: date, out: str, given: list[list[object]] | None = None, **more: Any) -> Result:
    """A weekly run on ``folder/store.duckdb`` with ``folder/list.csv``, which is written when rows are given."""
    path = folder / "list.csv"
    if given is not None:
        write(path, given)
    return run(Watch(store=folder / "store.duckdb", inputs=[path], on=on, out=folder / out, **more))


def events(result: Result) -> list[dict[str, Any]]:
    """The events that a run handed over."""
    assert result.folder is not None
    return [json.loads(line) for line in (result.folder / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
