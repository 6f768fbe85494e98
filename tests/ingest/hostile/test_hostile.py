"""Hostile files: whatever the damage, nothing untrue is read without being named, and what is whole is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
from tests.ingest.hostile import dialects
from tests.ingest.hostile.damaged_files import file_cases
from tests.ingest.hostile.damaged_records import header_cases, pair_cases, row_cases
from tests.ingest.hostile.sheets import Case
from tests.ingest.hostile.tables import MAKERS, Table, make
from tests.ingest.hostile.verdicts import Verdict, judge

from vigilance import ingest
from vigilance.errors import InputRefused
from vigilance.ingest.readers import Names, read_raw
from vigilance.reference import Facts

ON = date(2026, 11, 1)
Reading = Callable[[Path, Case], Verdict]


def any_header(path: Path, case: Case) -> Verdict:
    table = read_raw(path, required=None)[0]
    rows = table.collect()
    loaded = [list(row[:-2]) for row in rows.rows()]
    return judge(case, table.header, loaded, table.issues, rows["_line"].to_list())


def known_header(path: Path, case: Case) -> Verdict:
    table = read_raw(path, required=Names(tuple(case.header)))[0]
    rows = table.collect()
    loaded = [list(row[:-2]) for row in rows.rows()]
    return judge(case, table.header, loaded, table.issues, rows["_line"].to_list())


def outcome(reading: Reading, path: Path, case: Case) -> Verdict:
    path.write_bytes(case.content)
    try:
        return reading(path, case)
    except InputRefused as error:
        named = path.name in str(error)
        return Verdict("refused" if named else "silent", str(error), 0, len(case.rows) - len(case.damaged))


OUTCOMES = ("exact", "aside", "refused", "warned", "silent")
PAGE = Path(__file__).parents[3] / "docs" / "importer.md"
MEASURED: dict[str, tuple[Reading, Callable[[Table, str], Iterator[Case]], int, int]] = {
    "one damage, any header": (any_header, row_cases, 12, 3),
    "one damage, known header": (known_header, row_cases, 12, 5),
    "two damages, any header": (any_header, lambda table, mark: pair_cases(table, 1, delimiter=mark), 30, 1),
    "the file as a whole": (any_header, file_cases, 20, 1),
}
"""Rows of the table in the page: how files are read, how they are made, rows of a table, and which share of them."""


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURED)
def test_the_page_tells_what_is_measured(tmp_path: Path, name: str) -> None:
    reading, cases, rows, every = MEASURED[name]
    seen: Counter[str] = Counter()
    for kind in MAKERS:
        made = cases(make(kind, rows), ";" if kind == "prices" else ",")
        seen.update(outcome(reading, tmp_path / "list.csv", case).outcome for case in some(made, every))
    told = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} |"))
    assert told == f"| {name} | " + " | ".join(f"{seen[kind]:,}" for kind in OUTCOMES) + " |"


def some(cases: Iterator[Case], every: int) -> Iterator[Case]:
    return islice(cases, 0, None, every)


def check(reading: Reading, cases: Iterator[Case], path: Path, share: float) -> Counter[str]:
    """No silent error among the cases, and of the whole records of files that are read, a share is kept."""
    seen: Counter[str] = Counter()
    kept = whole = 0
    for case in cases:
        verdict = outcome(reading, path, case)
        assert verdict.outcome != "silent", (case.kind, case.place, verdict.why)
        seen[verdict.outcome] += 1
        if verdict.outcome != "refused":
            kept, whole = kept + verdict.kept, whole + verdict.whole
    assert kept >= share * whole
    return seen


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("reading", [any_header, known_header])
def test_one_damage_in_a_record(tmp_path: Path, kind: str, reading: Reading) -> None:
    mark = ";" if kind == "prices" else ","
    cases = some(row_cases(make(kind, 12), mark), 97 if kind != "sensors" else 211)
    seen = check(reading, cases, tmp_path / "list.csv", 0.99)
    assert seen["aside"] + seen["exact"] > 10 * seen["refused"] / 2


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_damaged_as_a_whole(tmp_path: Path, kind: str) -> None:
    mark = ";" if kind == "prices" else ","
    seen = check(any_header, some(file_cases(make(kind, 20), mark), 3), tmp_path / "list.csv", 0.98)
    assert seen["exact"] > seen["refused"]


def test_two_damages_in_one_file(tmp_path: Path) -> None:
    cases = some(pair_cases(make("suppliers", 16), 1), 9)
    check(any_header, cases, tmp_path / "list.csv", 0.99)


def supplier_sites(facts: Facts) -> Reading:
    def reading(path: Path, case: Case) -> Verdict:
        intake = ingest.read(path, on=ON, reference=facts)
        counts = intake.counts
        assert counts["rows_in"] == counts["loaded"] + counts["set_aside"] + counts["blank"]
        rows = intake.rows.collect()
        own = [name for name in rows.columns if name in case.header]
        loaded = [list(row) for row in rows.select(own).rows()]
        return judge(case, own, loaded, intake.issues, rows["_line"].to_list())

    return reading


def test_suppliers_with_one_damage(tmp_path: Path, facts: Facts) -> None:
    cases = some(row_cases(make("suppliers", 12)), 61)
    check(supplier_sites(facts), cases, tmp_path / "list.csv", 0.97)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("reading", [any_header, known_header])
def test_one_damage_at_every_place(tmp_path: Path, kind: str, reading: Reading) -> None:
    mark = ";" if kind == "prices" else ","
    check(reading, row_cases(make(kind, 20), mark), tmp_path / "list.csv", 0.99)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_all_pairs_of_damages(tmp_path: Path, kind: str) -> None:
    mark = ";" if kind == "prices" else ","
    check(any_header, pair_cases(make(kind, 30), 2, delimiter=mark), tmp_path / "list.csv", 0.98)


@pytest.mark.slow
def test_suppliers_with_every_damage(tmp_path: Path, facts: Facts) -> None:
    check(supplier_sites(facts), row_cases(make("suppliers", 15)), tmp_path / "list.csv", 0.97)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_damaged_header(tmp_path: Path, kind: str) -> None:
    mark = ";" if kind == "prices" else ","
    cases = some(header_cases(make(kind, 20), mark), 7 if kind != "sensors" else 17)
    seen = check(any_header, cases, tmp_path / "list.csv", 1.0)
    assert seen["exact"] + seen["aside"] > 5 * seen["refused"]


def delimiters(path: Path, every: int) -> Counter[str]:
    """How often the delimiter was found, and which files were left open."""
    seen: Counter[str] = Counter()
    for sample in islice(dialects.samples(), 0, None, every):
        path.write_bytes(sample.content)
        try:
            found = read_raw(path, required=None)[0].dialect.delimiter
        except InputRefused:
            seen["open"] += 1
        else:
            assert sample.fits(found), (sample.name, found)
            seen["right"] += 1
    return seen


def test_the_delimiter_is_right_or_left_open(tmp_path: Path) -> None:
    seen = delimiters(tmp_path / "list.csv", 17)
    assert seen["right"] > 9 * seen["open"]


@pytest.mark.slow
def test_every_delimiter_is_right_or_left_open(tmp_path: Path) -> None:
    seen = delimiters(tmp_path / "list.csv", 1)
    assert seen["right"] > 19 * seen["open"]
