"""One clean table, damaged in every place and every way of a family: what is loaded must be true, row by row."""

import csv
import io
import random

import pytest

from vigilance.errors import InputRefused
from vigilance.ingest.readers import Names, read_raw

HEADER = ["date", "time", "quantity", "product", "price", "kind", "description", "link", "comments"]


def rows() -> list[list[str]]:
    rng = random.Random(5)
    made = []
    for index in range(40):
        text = rng.choice(["plain", 'a 5" pipe', "one, two", "first\r\nsecond", "", "x;y", "l'été"])
        made.append(
            [
                f"{1 + index % 28:02d}/05/2026",
                f"{index % 24:02d}:00",
                str(rng.randint(1, 99)),
                f"P-{index}",
                rng.choice(["1.5", "", "20"]),
                rng.choice(["A", "B, C"]),
                text,
                f"https://example.org/{index}?a=1,2",
                rng.choice(["", "none", 'said "yes"']),
            ]
        )
    return made


def record(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n")


ROWS = rows()
RECORDS = [record(row) for row in ROWS]


def raw_cells(cells: list[str]) -> list[str]:
    return [record([cell, ""])[:-1] for cell in cells]


def damage(kind: str, cells: list[str], column: int) -> str:
    """The record of ``cells`` with one damage at ``column``."""
    raw = raw_cells(cells)
    here, rest = raw[column], raw[column + 1 :]
    middle = len(here) // 2
    left, right = ",".join([*raw[:column], here]), ",".join(rest)
    return {
        "delimiter missing": left + right,
        "delimiter doubled": f"{left},,{right}",
        "delimiter at the end": f"{left},{right},",
        "quote before": ",".join([*raw[:column], '"' + here, *rest]),
        "quote after": ",".join([*raw[:column], here + '"', *rest]),
        "quote inside": ",".join([*raw[:column], here[:middle] + '"' + here[middle:], *rest]),
        "other delimiter": ";".join(raw),
        "one other delimiter": f"{left}|{right}",
        "cells lost": left,
        "line broken": f"{left}\r\n{right}",
    }[kind]


KINDS = [
    "delimiter missing",
    "delimiter doubled",
    "delimiter at the end",
    "quote before",
    "quote after",
    "quote inside",
    "other delimiter",
    "one other delimiter",
    "cells lost",
    "line broken",
]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_untrue_is_loaded(tmp_path, kind):
    path = tmp_path / "list.csv"
    true = {tuple(cell or None for cell in row) for row in ROWS}
    kept = total = 0
    for place in (0, 7, 20, 39):
        for column in range(len(HEADER) - 1):
            records = list(RECORDS)
            bad = damage(kind, ROWS[place], column)
            if bad == records[place]:
                continue
            records[place] = bad
            path.write_bytes("\r\n".join([",".join(HEADER), *records, ""]).encode())
            total += len(ROWS) - 1
            try:
                table = read_raw(path, required=Names(tuple(HEADER)))[0]
            except InputRefused:
                continue
            assert table.header == HEADER
            loaded = [row[:-2] for row in table.collect().rows()]
            untrue = [row for row in loaded if row not in true]
            assert not untrue, (kind, place, column, bad, untrue)
            kept += min(len(loaded), len(ROWS) - 1)
            assert table.counts.set_aside or len(loaded) == len(ROWS)
    assert kept >= 0.97 * total


def test_files_damaged_as_a_whole(tmp_path):
    path = tmp_path / "list.csv"
    true = [tuple(cell or None for cell in row) for row in ROWS]
    body = "\r\n".join([",".join(HEADER), *RECORDS])
    required = Names(tuple(HEADER))
    for content in [
        body,
        body + "\r\n",
        body + "\r\n\r\n",
        "A report, made today\r\n\r\n" + body,
        body + "\r\n\r\nEnd of the report, made by hand on a day in May\r\n",
        "\ufeff" + body,
    ]:
        path.write_bytes(content.encode())
        assert [row[:-2] for row in read_raw(path, required=required)[0].collect().rows()] == true
    for content in [
        body.partition("\r\n")[2],
        body + "\r\n\r\n" + body.replace("date,time", "time,date", 1),
        "",
    ]:
        path.write_bytes(content.encode())
        with pytest.raises(InputRefused):
            read_raw(path, required=required)
