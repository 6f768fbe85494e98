"""Whatever Python's csv module writes is read back the same, set aside or refused; never read as something else."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.errors import InputRefused
from vigilance.ingest.readers import Names, RawTable, cleaning, prescan, read_raw

HEADER = ["id", "name", "country", "x", "y"]
TEXT = st.text(alphabet=st.sampled_from("ab1 é€\"';,|\t\n\r\\T"), max_size=6)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]


@st.composite
def written(draw: st.DrawFn) -> tuple[bytes, list[str], list[tuple[str, ...]], str]:
    width = draw(st.integers(1, 5))
    rows = draw(st.lists(st.tuples(*[TEXT] * width), max_size=8))
    ends = any(mark in cell for row in rows for cell in row for mark in "\r\n")
    # RFC 4180 wants quotes around a cell with any line end; the csv module quotes only its own.
    quoting = csv.QUOTE_ALL if ends else draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=draw(st.sampled_from(",;\t|")),
        quoting=quoting,
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
    )
    writer.writerow(HEADER[:width])
    writer.writerows(rows)
    encoding = draw(st.sampled_from(ENCODINGS))
    return text.getvalue().encode(encoding), HEADER[:width], rows, encoding


@pytest.fixture(params=["whole", "in pieces"])
def pieces(request, monkeypatch):
    """Files of a few bytes cross the borders of segments and chunks too."""
    if request.param == "in pieces":
        monkeypatch.setattr(prescan, "SEGMENT", 16)
        monkeypatch.setattr(cleaning, "CHUNK", 16)


def filled(rows: list[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    """Rows that are not blank, an empty cell as null."""
    return [row for row in (tuple(cell or None for cell in row) for row in rows) if any(row)]


def values(
    content: bytes, required: Names | None, encoding: str | None
) -> tuple[list[tuple[str, ...]], RawTable] | None:
    """The rows read, with the table; None when the file is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(content)
        try:
            table = read_raw(path, required=required, encoding=encoding)[0]
        except InputRefused:
            return None
        rows = [row[:-2] for row in table.collect().rows()]
    counts = table.counts
    assert counts.rows_in == counts.loaded + counts.set_aside + counts.blank
    assert table.rejected.height == counts.set_aside
    return rows, table


@pytest.mark.usefixtures("pieces")
@settings(max_examples=150, deadline=None)
@given(case=written(), named=st.booleans())
def test_same_or_set_aside_or_refused(case, named):
    content, header, rows, encoding = case
    found = values(content, Names(tuple(header)) if named else None, encoding if encoding == "cp1252" else None)
    if found is None:
        return
    got, table = found
    assert table.header == header
    want = filled(rows)
    if filled(got) != want:
        assert table.counts.set_aside or table.counts.skipped or table.trailer
        rest = iter(want)
        assert all(any(row == other for other in rest) for row in filled(got))


@pytest.mark.usefixtures("pieces")
@settings(max_examples=150, deadline=None)
@given(case=written(), data=st.data())
def test_damaged_bytes_lose_no_row_and_raise_nothing_else(case, data):
    content, header, _rows, encoding = case
    damaged = bytearray(content)
    for _count in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.one_of(st.binary(max_size=2), st.sampled_from([b'"', b",", b"\n", b"\r", b'""', b"\0"]))
        )
    if damaged:
        required = Names(tuple(header)) if data.draw(st.booleans()) else None
        values(bytes(damaged), required, encoding if encoding == "cp1252" else None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=8))
def test_plain_tables_are_never_refused(rows):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEADER[:3])
    plain = [tuple(cell.replace("\n", " ").replace("\r", " ").replace("'", "") for cell in row) for row in rows]
    writer.writerows(plain)
    found = values(text.getvalue().encode(), Names(("id", "name", "country")), None)
    assert found is not None
    assert filled(found[0]) == filled(plain) or found[1].trailer
