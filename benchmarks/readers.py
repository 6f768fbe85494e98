"""How well damaged text files are read: silent errors, whole records, and dialects, on seeded files of known truth.

    python -m benchmarks.readers [--every N] [--rows N] [--json FILE]

Every file goes through the reader of ``vigilance check FILE --as table``. A *silent error* is a file that is read with
exit code 0 and holds a record that the truth does not, or lacks one (columns and records in order). *Wrong* counts
the files in which any record that was read is not in the truth, whatever else was said. Record F1 counts whole
records; a file that is refused counts 0, unless it holds no records at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from tests.ingest.hostile import dialects
from tests.ingest.hostile.damaged_files import file_cases
from tests.ingest.hostile.damaged_records import header_cases, row_cases
from tests.ingest.hostile.sheets import Case
from tests.ingest.hostile.tables import MAKERS, make
from tests.ingest.hostile.verdicts import align, f1

from vigilance.errors import InputRefused
from vigilance.ingest import anytable

BARS = {"silent": 5, "f1": 0.97, "dialect_wrong": 0.01, "dialect_decided": 0.9}


@dataclass
class Count:
    """What became of the files of one kind. ``named`` are those refused or partly set aside that name a line."""

    files: int = 0
    exact: int = 0
    aside: int = 0
    refused: int = 0
    silent: int = 0
    wrong: int = 0
    named: int = 0
    f1: float = 0.0

    def add(self, other: Count) -> None:
        """Count the files of another kind too."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def outcome(path: Path, case: Case) -> Count:
    """One file, read and compared with its truth."""
    path.write_bytes(case.content)
    try:
        intake = anytable.read(path)
    except InputRefused as error:
        empty = not case.rows
        return Count(1, refused=1, named=int("line" in str(error)), f1=float(empty))
    loaded = [list(row) for row in intake.corrected.collect().rows()]
    truth = [[text.strip() for text in row] for row in case.rows]
    got = [[(text or "").strip() for text in row] for row in loaded]
    score = f1(case, loaded)
    aside = intake.counts["set_aside"] > 0
    wrong = sum(place is None for place in align(truth, got)) > 0
    return Count(
        1,
        exact=int(got == truth),
        aside=int(aside),
        silent=int(not aside and got != truth),
        wrong=int(wrong),
        named=int(aside and intake.issues.filter(intake.issues["severity"] == "error")["row"].null_count() == 0),
        f1=score,
    )


def cases(kind: str, rows: int, every: int) -> Iterator[tuple[str, Case]]:
    """Damaged files of one kind of table, by family; of damages in single records only every so many."""
    mark = ";" if kind == "prices" else ","
    table = make(kind, rows)
    for case in islice(row_cases(table, mark), 0, None, every):
        yield "record", case
    for case in header_cases(table, mark):
        yield "header", case
    for case in file_cases(table, mark):
        yield "file", case


def damaged(rows: int, every: int) -> dict[str, dict[str, Count]]:
    """Counts by family and kind of damage."""
    found: dict[str, dict[str, Count]] = defaultdict(lambda: defaultdict(Count))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        for kind in MAKERS:
            for family, case in cases(kind, rows, every):
                found[family][case.kind].add(outcome(path, case))
    return found


def dialect_counts() -> dict[str, float | int]:
    """How many dialects are right, wrong and undecided on files that look like real ones."""
    right = wrong = undecided = 0
    misread = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        for sample in dialects.samples():
            path.write_bytes(sample.content)
            try:
                source = anytable.read(path).sources[0]
            except InputRefused:
                undecided += 1
                continue
            if sample.fits(source.dialect["delimiter"]):
                right += 1
            else:
                wrong += 1
                misread.append(f"{sample.name}: {source.dialect['delimiter']!r}")
    files = right + wrong + undecided
    print("\n".join(misread[:20]), file=sys.stderr)
    return {"files": files, "right": right, "wrong": wrong, "undecided": undecided}


def main() -> None:
    """Print a table, and write the figures as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=84)
    parser.add_argument("--every", type=int, default=29)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = damaged(given.rows, given.every)
    report: dict[str, object] = {"bars": BARS, "rows": given.rows, "every": given.every}
    for family, kinds in found.items():
        total = Count()
        for count in kinds.values():
            total.add(count)
        report[family] = {"all": shown(total), "kinds": {kind: shown(count) for kind, count in sorted(kinds.items())}}
        print(f"{family:<8} {shown(total)}")
        for kind, count in sorted(kinds.items(), key=lambda pair: pair[1].f1 / pair[1].files):
            if count.silent or count.wrong or count.f1 < BARS["f1"] * count.files:
                print(f"    {kind:<50} {shown(count)}")
    report["dialects"] = dialect_counts()
    print(f"dialects {report['dialects']}")
    if given.json:
        given.json.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def shown(count: Count) -> dict[str, float]:
    """A count with F1 as the mean over its files."""
    return {**asdict(count), "f1": round(count.f1 / count.files, 4)}


if __name__ == "__main__":
    main()
