"""What is fuzzed: functions that take any bytes and may raise nothing but a ``VigilanceError``.

Each target also holds what must be true whenever it does not refuse.
"""

from __future__ import annotations

import atexit
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import xlsxwriter

from vigilance.errors import VigilanceError
from vigilance.ingest.countries import country, vocabulary
from vigilance.ingest.readers import Names, RawTable, read_raw
from vigilance.ingest.readers.limits import DEFAULT
from vigilance.ingest.readers.workbook import _check_container
from vigilance.rule_files import read as read_rule

Target = Callable[[bytes], None]


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


TARGETS: dict[str, Target] = {
    target.__name__: target for target in (any_text, known_text, json_lines, packed, container, rule_file, country_name)
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
