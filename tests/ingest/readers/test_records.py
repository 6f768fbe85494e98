"""One record into cells, with quotes and without."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilance.ingest.readers.records import cells_of, record_pattern

PLAIN = st.binary(max_size=12).map(lambda raw: bytes(byte for byte in raw if byte not in b'"\r\n;'))


@given(st.lists(PLAIN, min_size=1, max_size=6))
def test_plain_cells_are_split_byte_by_byte(cells: list[bytes]) -> None:
    record = b";".join(cells)
    assert record_pattern(b";").fullmatch(record)
    assert cells_of(record, b";") == [cell.decode("utf-8", "replace") for cell in cells]


@given(st.lists(st.tuples(PLAIN, st.booleans()), min_size=1, max_size=6))
def test_a_quote_anywhere_changes_no_other_cell(cells: list[tuple[bytes, bool]]) -> None:
    record = b";".join(b'"' + cell + b'"' if quoted else cell for cell, quoted in cells)
    assert cells_of(record, b";") == [cell.decode("utf-8", "replace") for cell, _quoted in cells]
    doubled = b'"a""b;c";' + record
    assert cells_of(doubled, b";") == ['a"b;c', *cells_of(record, b";")]
