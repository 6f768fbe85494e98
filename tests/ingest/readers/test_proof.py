"""The quick proof never says more than the exact look: what it proves clean, the other finds clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigilance.ingest.readers import proof
from vigilance.ingest.readers.prescan import Shape, scan

HEADER = b"a,b,c"
SHAPE = Shape(ord(","), 3, HEADER, 40, 60)
LINES = st.sampled_from(
    [
        *(
            b"1,2,3",
            b'x,"",z',
            b'"a,b",c,d',
            b'"say ""so""",,',
            b",,",
            b"",
            b"1,2",
            b"1,2,3,4",
            b'a"b,c,d',
            b'"a"b,c,d',
        ),
        *(b'"open,2,3', b"\xc3\xa9,2,3", b"\xff,2,3", b"n\x00l,2,3", HEADER, b"c\rr,2,3", b"x" * 50 + b",,", b"1,2,3 "),
    ]
)


@pytest.fixture(autouse=True)
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "SMALLEST", 0)


def both(path: Path, body: bytes) -> tuple[object, object]:
    path.write_bytes(HEADER + b"\n" + body)
    start, end = len(HEADER) + 1, len(HEADER) + 1 + len(body)
    return proof.proved(path, start, 2, end, SHAPE), scan(path, start, end, SHAPE, 1) if body else None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\n", b"\n", b"\r\n"])), max_size=6), last=st.booleans()
)
def test_what_is_proved_is_clean(lines: list[tuple[bytes, bytes]], last: bool, tmp_path: Path) -> None:
    body = b"".join(line + end for line, end in lines)
    proved, looked = both(tmp_path / "t.csv", body if last else body.rstrip(b"\r\n"))
    assert proved is None or proved == looked


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_clean_file_is_proved(end: bytes, tmp_path: Path) -> None:
    body = end.join([b"1,2,3", b'"a,b","",""', b'"say ""so""",,x', b""])
    proved, looked = both(tmp_path / "t.csv", body)
    assert proved is not None
    assert proved == looked
