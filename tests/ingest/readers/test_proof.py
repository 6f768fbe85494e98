"""The quick proof never says more than the exact look, and no less of a file whose lines are within the limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigilance.ingest.readers import proof
from vigilance.ingest.readers.prescan import Shape, Verdict, scan

HEADER = b"a,b,c"
SHAPE = Shape(ord(","), 3, HEADER, 40, 60)
WIDE = 4096
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
TOKENS = st.sampled_from([b",", b'"', b'""', b"\r", b"\n", b"\r\n", b"\x00", b"x", b"\xc3\xa9", b"\xc3", b"\xa9", b""])
CELLS = {
    "no quotes": [b"0001", b"Site 1", b"T\xc3\xbcrkiye", b"", b"0.07"],
    "empty quoted cells": [b"0001", b'""', b"Peru", b'""', b'""'],
    "all cells quoted": [b'"0001"', b'"say ""so"""', b'"a%sb"', b'""', b'""""', b'"%s"', b'"C\xc3\xb4te"'],
}
FILES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of all sizes, checked in blocks of a few lines."""
    monkeypatch.setattr(proof, "SMALLEST", 0)
    monkeypatch.setattr(proof, "BLOCK", 1)


def both(path: Path, body: bytes, shape: Shape = SHAPE) -> tuple[Verdict | None, Verdict | None]:
    path.write_bytes(HEADER + b"\n" + body)
    start, end = len(HEADER) + 1, len(HEADER) + 1 + len(body)
    return proof.proved(path, start, end, shape), scan(path, start, end, shape, 1) if body else None


def clean_body(cells: list[bytes], width: int, delimiter: bytes, end: bytes, count: int) -> bytes:
    """Lines whose lengths, and so the places of whose quotes in a word, differ; none is blank."""
    filled = [cell.replace(b"%s", delimiter) for cell in cells]
    lines = []
    for i in range(count):
        row = [filled[(i * 7 + j * j) % len(filled)] for j in range(width)]
        row[i % width] = filled[0][:-1] + b"9" * (i % 50) + filled[0][-1:]
        lines.append(delimiter.join(row) + end)
    return b"".join(lines)


@settings(FILES, max_examples=150)
@given(
    lines=st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\n", b"\n", b"\r\n"])), max_size=6), last=st.booleans()
)
def test_what_is_proved_is_clean(lines: list[tuple[bytes, bytes]], last: bool, tmp_path: Path) -> None:
    body = b"".join(line + end for line, end in lines)
    proved, looked = both(tmp_path / "t.csv", body if last else body.rstrip(b"\r\n"))
    assert proved is None or proved == looked


@settings(FILES, max_examples=150)
@given(tokens=st.lists(TOKENS, max_size=12), width=st.integers(1, 3))
def test_of_any_bytes_it_says_what_the_exact_look_says(tokens: list[bytes], width: int, tmp_path: Path) -> None:
    body = b"".join(tokens)
    proved, looked = both(tmp_path / "t.csv", body, Shape(ord(","), width, HEADER, WIDE, WIDE))
    clean = looked is not None and looked.clean and b"\n" in body
    assert proved == (looked if clean else None)


@settings(FILES, max_examples=300)
@given(
    kind=st.sampled_from(sorted(CELLS)),
    end=st.sampled_from([b"\n", b"\r\n"]),
    at=st.floats(0, 1),
    dropped=st.integers(0, 2),
    put=TOKENS,
)
def test_one_flaw_anywhere_in_a_clean_file(
    kind: str, end: bytes, at: float, dropped: int, put: bytes, tmp_path: Path
) -> None:
    body = clean_body(CELLS[kind], 5, b",", end, 24)
    place = int(at * len(body))
    body = body[:place] + put + body[place + dropped :]
    proved, looked = both(tmp_path / "t.csv", body, Shape(ord(","), 5, HEADER, 200, 200))
    assert looked is not None
    assert proved == (looked if looked.clean else None)


@pytest.mark.parametrize("last", [True, False], ids=["ended", "unended"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("width", "delimiter"), [(1, b","), (2, b";"), (5, b"\t"), (16, b"|"), (300, b",")])
@pytest.mark.parametrize("kind", CELLS)
def test_a_clean_file_is_proved(
    kind: str, width: int, delimiter: bytes, end: bytes, last: bool, tmp_path: Path
) -> None:
    body = clean_body(CELLS[kind], width, delimiter, end, 100)
    shape = Shape(delimiter[0], width, HEADER, WIDE, WIDE)
    proved, looked = both(tmp_path / "t.csv", body if last else body.removesuffix(end), shape)
    assert proved == Verdict(True, 100, end == b"\r\n")
    assert proved == looked


def test_a_line_may_be_as_long_as_the_limits_and_no_longer(tmp_path: Path) -> None:
    for end in (b"\n", b"\r\n"):
        lines = [b"x" * 38 + b",,", b"1,2,3"]
        for order in (lines, lines[::-1]):
            proved, looked = both(tmp_path / "t.csv", b"".join(line + end for line in order))
            assert proved == looked == Verdict(True, 2, end == b"\r\n")
            assert both(tmp_path / "t.csv", b"".join(line + b"y" + end for line in order))[0] is None


def test_lines_of_the_length_of_the_header_are_told_from_it(tmp_path: Path) -> None:
    alike = [b"a,b,d", b"a,c,c", b"1,2,3"] * 20
    assert both(tmp_path / "t.csv", b"\n".join([*alike, b""]))[0] == Verdict(True, 60, False)
    assert both(tmp_path / "t.csv", b"\n".join([*alike, HEADER, *alike, b""]))[0] is None


def test_a_file_that_is_one_line_without_an_end_is_not_judged(tmp_path: Path) -> None:
    assert both(tmp_path / "t.csv", b"1,2,3")[0] is None


def test_a_file_that_shrinks_meanwhile_is_not_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = proof._lines

    def shrunk(path: Path, start: int, shape: Shape) -> object:
        path.write_bytes(path.read_bytes()[:-6])
        return lines(path, start, shape)

    monkeypatch.setattr(proof, "_lines", shrunk)
    assert both(tmp_path / "t.csv", b"1,2,3\n" * 40)[0] is None


def test_an_error_of_the_file_system_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(proof, "_fillings", broken)
    with pytest.raises(OSError, match="Input/output error"):
        both(tmp_path / "t.csv", b"1,2,3\n" * 40)
    with pytest.raises(FileNotFoundError):
        proof.proved(tmp_path / "none.csv", 0, 10, SHAPE)
