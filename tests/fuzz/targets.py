"""What is fuzzed: functions that take any bytes and may raise nothing but a ``VigilanceError``.

Each target also holds what must be true whenever it does not refuse.
"""

from __future__ import annotations

import atexit
import io
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final
from xml.parsers.expat import ExpatError

import polars as pl
import xlsxwriter

from vigilance import reference
from vigilance.errors import VigilanceError
from vigilance.ingest import from_frame
from vigilance.ingest.activities import Activities
from vigilance.ingest.activity_codes import scheme_of
from vigilance.ingest.countries import country, vocabulary
from vigilance.ingest.readers import Names, RawTable, read_raw
from vigilance.ingest.readers.limits import DEFAULT
from vigilance.ingest.readers.workbook import _check_container
from vigilance.ingest.readers.workbook_child import scan
from vigilance.ingest.readers.workbook_scan import Refused
from vigilance.rule_files import read as read_rule

Target = Callable[[bytes], None]

_ON: Final = date(2026, 11, 1)
_EXPECTED: Final = (
    *(Refused, VigilanceError, struct.error, zipfile.BadZipFile, zlib.error, ExpatError),
    *(OSError, EOFError, ValueError, KeyError, IndexError, NotImplementedError, RuntimeError),
)
"""What ends the child process of a workbook, which its parent then calls damaged; running away does not."""
_XLS: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(22) + b"\x09\x00\x06\x00" + bytes(600)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vigilance-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _put(content: bytes, name: str) -> Path:
    path = _folder() / name
    path.write_bytes(content)
    return path


def _balanced(table: RawTable) -> None:
    counts = table.counts
    assert counts.rows_in == counts.loaded + counts.set_aside + counts.blank
    assert table.rejected.height == counts.set_aside
    rows = table.collect()
    assert rows.height == counts.loaded
    assert rows.columns == [*table.names, "_row", "_line"]
    assert rows["_row"].to_list() == list(range(rows.height))
    named = set(table.issues.filter(table.issues["severity"] == "error")["row"].to_list())
    assert set(table.rejected["line"].to_list()) <= named


def _read(content: bytes, name: str, known: bool) -> None:
    try:
        tables = read_raw(_put(content, name), required=Names(("id", "name")) if known else None)
    except VigilanceError:
        return
    for table in tables:
        _balanced(table)


def any_text(content: bytes) -> None:
    """Delimited text with any header."""
    _read(content, "list.csv", known=False)


def known_text(content: bytes) -> None:
    """Delimited text whose header is known."""
    _read(content, "list.csv", known=True)


def json_lines(content: bytes) -> None:
    """JSON lines."""
    _read(content, "list.jsonl", known=False)


def packed(content: bytes) -> None:
    """Something under gzip."""
    _read(content, "list.csv.gz", known=False)


def container(content: bytes) -> None:
    """The look at a workbook's archive before a child process opens it."""
    path = _put(content, "list.xlsx")
    try:
        _check_container(path, path.name, DEFAULT)
    except VigilanceError:
        return


def rule_file(content: bytes) -> None:
    """A rule file: flaws are records, nothing is raised."""
    tree = read_rule(_put(content, "rule.yaml"), "rule.yaml")
    assert tree.content or tree.flaws or tree.content == {}
    for flaw in tree.flaws:
        assert flaw.line >= 1
        assert str(flaw)


def country_name(content: bytes) -> None:
    """A cell that should hold a country."""
    found = country(content.decode("utf-8", "replace"))
    assert found is None or isinstance(found, list) or found in vocabulary().display


@cache
def _activities() -> Activities:
    return Activities.of(reference.load().in_force(_ON))


def activity_name(content: bytes) -> None:
    """A cell that should hold an activity, after the header that it stands under."""
    header, _line, text = content.decode("utf-8", "replace").partition("\n")
    found = _activities().understand(text, scheme_of(header))
    if found is not None:
        assert found.division in _activities().titles
        assert 0 < found.confidence <= 1
        assert abs(sum(found.weights.values()) - 1) < 1e-9


def _cells(content: bytes, table: str, column: str, row: dict[str, str]) -> pl.DataFrame:
    """The rows that are read of a column that holds the lines of the input; every line is loaded or set aside."""
    texts = content.decode("utf-8", "replace").split("\n")
    frame = pl.DataFrame({**{name: [value] * len(texts) for name, value in row.items()}, column: texts})
    frame = frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias(next(iter(row))))
    intake = from_frame(frame, table, on=_ON)
    assert intake.counts["rows_in"] == len(texts)
    assert intake.counts["set_aside"] == intake.rejected.height
    return intake.rows.collect()


def dates(content: bytes) -> None:
    """A column of dates: a date that is read has the digits of its text."""
    row = {"event_id": "", "place_kind": "site", "place": "1"}
    for text, day in _cells(content, "events", "occurred_on", row).select("occurred_on", "_occurred_on").iter_rows():
        assert day is not None
        assert str(day.year) in text


def numbers(content: bytes) -> None:
    """Columns of numbers: what is read is in range, and of one place for each text."""
    row = {"supplier_id": "", "name": "x", "country": "FR"}
    for column, high in (("workers", 5_000_000), ("spend_eur", 1e13), ("women_share", 1)):
        read = _cells(content, "suppliers", column, row).select(column, f"_{column}")
        known = read.drop_nulls(f"_{column}")
        assert known[f"_{column}"].is_between(0, high).all()
        assert known.unique().height == known[column].n_unique()


def workbook_records(content: bytes) -> None:
    """The walk over a workbook that its child process does before the values are built."""
    kinds = {b"P": ".xlsx", b"\xd0": ".xls"}
    try:
        scan(_put(content, f"scan{kinds.get(content[:1], '.xls')}"), DEFAULT.workbook_cells)
    except _EXPECTED:
        return


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        any_text,
        known_text,
        json_lines,
        packed,
        container,
        workbook_records,
        rule_file,
        country_name,
        activity_name,
        dates,
        numbers,
    )
}


@cache
def workbook() -> bytes:
    """A small valid workbook."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("list")
        for number, row in enumerate([["id", "name"], ["1", "a"], ["2", "b"]]):
            sheet.write_row(number, 0, row)
    return out.getvalue()


@cache
def seeds(target: str) -> tuple[bytes, ...]:
    """Valid inputs to start from."""
    table = b'id,name,when\n1,"a, b",2024-01-02\n2,c,2024-01-03\n\n3,"d ""e""",2024-01-04\n'
    texts = (
        table,
        table.replace(b",", b";").replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + table,
        table.decode().encode("utf-16"),
        b"Title\n\n" + table + b"Total,,3\n",
        b"id|name\n" + b"".join(b"%d|x%d\n" % (i, i) for i in range(20)),
        table.replace(b'"', b"'"),
        b'id,name\n1,"a \\"b\\""\n2,"c \\"d\\""\n',
        "id\tname\n1\té\n".encode("cp1252"),
    )
    rule = b"id: x\ntitle: {en: A, fr: B}\nratio:\n  forced_labour:\n    - {since: 2019-01-01, value: 2.0}\n"
    lines = b'{"id": 1, "name": "a"}\n{"id": 2.50, "name": null, "x": [1, 2]}\n'
    return {
        "any_text": texts,
        "known_text": texts,
        "json_lines": (lines,),
        "packed": (_gzip(table),),
        "container": (workbook(), _archive({"xl/workbook.xml": b"<workbook/>"})),
        "rule_file": (rule, b"a: &x [1]\nb: *x\n", b"a: 1\na: 2\n"),
        "workbook_records": (workbook(), _archive({"xl/workbook.bin": b"", "content.xml": b"<a/>"}), bytes(_XLS)),
        "activity_name": (b"NACE\n14.13", b"\nManufacture of shirts; dyeing", b"\nHS 0901", b"\nFilature de coton"),
        "dates": (b"2026-02-01\n3 March 2025\n01/02/2026\n13/02/2026", b"20260201\n1er f\xc3\xa9vrier 2024"),
        "numbers": (b"1 234,56\n7\n~250", b"40 %\n0,4\n0.4", b"100-500\n1 000+\n<50", b"1,234.5\n1.234,5"),
        "country_name": ("Côte d’Ivoire".encode(), b"Korea, Rep.", b"FR - France"),
    }[target]


def _gzip(content: bytes) -> bytes:
    import gzip

    return gzip.compress(content, mtime=0)


def _archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()
