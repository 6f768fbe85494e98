"""What the weekly run costs, how large its store grows, and how well its alerts are chosen.

    python benchmarks/weekly.py cost --sites 1000000
    python benchmarks/weekly.py size --sites 10000 --weeks 260
    python benchmarks/weekly.py recall --sites 1000 --weeks 52 --budget 20

``cost`` compares a weekly run with a plain score of the same list, both as a user starts them. ``size`` fills a store
week after week (a share of the sites changes each week) and times the last comparison. ``recall`` simulates a year:
each week some sites really change for the worse (fees are charged, migrants arrive, work is given out), while the list
wobbles as lists do (head counts, shares, blanks that come and go); a real change counts as found when an alert names
the site, or its zone, region or country, within two weeks.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from vigilance.store.file import opened
from vigilance.store.weekly import Result, Watch, run

HEADER = (
    *("supplier_id", "name", "country", "activity", "tier", "workers", "migrant_share"),
    *("recruitment_fees", "subcontracting", "seasonal"),
)
COUNTRIES = ("France", "Norway", "Bangladesh", "China", "India", "Viet Nam", "Qatar", "Malaysia", "Brazil", "Turkey")
ACTIVITIES = ("Wearing apparel", "Textiles", "Growing of cotton", "Construction of buildings", "Rubber products")
MONDAY = date(2026, 1, 5)
Row = list[object]


def sites(count: int, spread: random.Random) -> list[Row]:
    """A list of suppliers."""
    return [
        [
            f"S{n:07d}",
            f"Site {n}",
            spread.choice(COUNTRIES),
            spread.choice(ACTIVITIES),
            spread.randint(1, 4),
            spread.randint(20, 2000),
            round(spread.random() * 0.5, 2),
            *(spread.choice(["false", ""]) for _ in range(3)),
        ]
        for n in range(count)
    ]


def write(path: Path, rows: list[Row]) -> None:
    """Write a list."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADER)
        writer.writerows(rows)


def wobble(row: Row, spread: random.Random) -> None:
    """What changes in a list without anything having happened."""
    row[5] = max(5, int(int(str(row[5])) * spread.uniform(0.9, 1.1)))
    row[6] = min(1.0, max(0.0, round(float(str(row[6])) + spread.uniform(-0.03, 0.03), 2)))


def worsen(row: Row) -> None:
    """Something real: fees are charged, migrants arrive, work is given out."""
    row[6] = min(1.0, round(float(str(row[6])) + 0.4, 2))
    row[7] = row[8] = "true"


def timed(*arguments: object) -> float:
    """Seconds of a command."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "vigilance", *map(str, arguments), "--quiet"], check=True)
    return time.perf_counter() - started


def cost(folder: Path, count: int, rounds: int) -> None:
    """A weekly run against a plain score; the better of some rounds of each, taken in turn."""
    spread = random.Random(1)
    rows = sites(count, spread)
    path = folder / "list.csv"
    plain, weekly = [], []
    for number in range(rounds + 1):
        write(path, rows)
        on = MONDAY + timedelta(weeks=number)
        plain.append(timed("score", path, "--on", on, "--no-csv", "--out", folder / f"s{number}"))
        weekly.append(timed("watch", "--store", folder / "s.duckdb", path, "--on", on, "--out", folder / f"w{number}"))
        for row in spread.sample(rows, count // 200):
            wobble(row, spread)
    print(f"plain score {min(plain):.2f} s, first week {weekly[0]:.2f} s, later weeks {min(weekly[1:]):.2f} s")
    print(f"ratio {min(weekly[1:]) / min(plain):.2f} (bar 1.5)")


def week(folder: Path, number: int, budget: int | None = None) -> Result:
    """The run of a week on ``folder/list.csv``."""
    on = MONDAY + timedelta(weeks=number)
    out = folder / f"w{number}"
    return run(Watch(store=folder / "s.duckdb", inputs=[folder / "list.csv"], on=on, out=out, budget=budget))


def size(folder: Path, count: int, weeks: int) -> None:
    """Five years of weeks in one store."""
    spread = random.Random(2)
    rows = sites(count, spread)
    seconds = 0.0
    for number in range(weeks):
        write(folder / "list.csv", rows)
        started = time.perf_counter()
        week(folder, number)
        seconds = time.perf_counter() - started
        for row in spread.sample(rows, count // 50):
            wobble(row, spread)
    bytes_ = (folder / "s.duckdb").stat().st_size
    with opened(folder / "s.duckdb") as store:
        assert len(store.runs) == weeks
    print(f"{weeks} weeks of {count} sites: {bytes_ / 2**20:.0f} MiB; the last whole run took {seconds:.2f} s")


def recall(folder: Path, count: int, weeks: int, budget: int) -> None:
    """Real changes found, and alerts about sites where nothing happened."""
    spread = random.Random(3)
    rows = sites(count, spread)
    untouched = list(range(count))
    spread.shuffle(untouched)
    real: dict[str, int] = {}
    found: set[str] = set()
    false = 0
    for number in range(weeks):
        if number:
            for row in spread.sample(rows, count // 20):
                wobble(row, spread)
            for place in [untouched.pop() for _ in range(spread.randint(0, 4))]:
                worsen(rows[place])
                real[str(rows[place][0])] = number
        write(folder / "list.csv", rows)
        week(folder, number, budget)
        with opened(folder / "s.duckdb") as store:
            sent = store.table("alerts", store.runs[-1]).filter("sent").to_dicts()
        for alert in sent:
            if alert["state"] == "gone":
                continue
            since = real.get(alert["place"])
            if since is not None and number - since <= 2:
                found.add(alert["place"])
            elif alert["level"] == "site":
                false += 1
    print(json.dumps({"real": len(real), "found": len(found), "recall": round(len(found) / len(real), 3)}))
    print(f"false alerts a week {false / weeks:.2f} (bar 1), recall {len(found) / len(real):.2f} (bar 0.9)")


def main() -> None:
    """Run one of the three."""
    options = argparse.ArgumentParser()
    options.add_argument("what", choices=["cost", "size", "recall"])
    options.add_argument("--sites", type=int, default=1000)
    options.add_argument("--weeks", type=int, default=52)
    options.add_argument("--budget", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="weekly-") as scratch:
        folder = Path(scratch)
        if given.what == "cost":
            cost(folder, given.sites, given.rounds)
        elif given.what == "size":
            size(folder, given.sites, given.weeks)
        else:
            recall(folder, given.sites, given.weeks, given.budget)


if __name__ == "__main__":
    main()
