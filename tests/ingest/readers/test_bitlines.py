"""The arithmetic on bits agrees with the positions of bytes that the exact look goes by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.ingest.readers import bitlines
from vigilance.ingest.readers.bitlines import Block, Lines
from vigilance.ingest.readers.prescan import Shape, check_lines

ROOM = 2048
CELLS = st.sampled_from(
    [b"", b"x", b"ab" * 30, b'""', b'"a"', b'"a,b"', b'""""', b'"a""b"', b'","', b'"' + b",q" * 20 + b'"']
)
FLAWS = st.sampled_from([b"", b"", b"", b'"', b",", b'"x', b'x"', b"\r"])


def packed(bits: list[bool]) -> np.ndarray:
    padded = np.zeros(-(-len(bits) // 64) * 64, dtype=bool)
    padded[: len(bits)] = bits
    return np.packbits(padded, bitorder="little").view("<u8")


def unpacked(words: np.ndarray, size: int) -> np.ndarray:
    return np.unpackbits(words.view(np.uint8), bitorder="little")[:size].astype(bool)


BITS = st.lists(st.booleans(), min_size=1, max_size=300)


@given(bits=BITS, thin=st.booleans())
def test_places(bits: list[bool], thin: bool) -> None:
    spread = [bit and (not thin or i % 40 == 0) for i, bit in enumerate(bits)]
    assert bitlines._places(packed(spread)).tolist() == [i for i, bit in enumerate(spread) if bit]


@given(bits=BITS, first=st.integers(0, 1))
def test_neighbours(bits: list[bool], first: int) -> None:
    words = packed(bits)
    assert unpacked(bitlines._after(words, first=first), len(bits)).tolist() == [bool(first), *bits[:-1]]
    assert unpacked(bitlines._before(words), len(bits)).tolist() == [*bits[1:], False]


@given(bits=BITS)
def test_inside_is_the_parity_of_quotes(bits: list[bool]) -> None:
    expected = np.logical_xor.accumulate(bits)
    assert (unpacked(bitlines._inside(packed(bits)), len(bits)) == expected).all()


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.lists(CELLS, min_size=3, max_size=3), FLAWS, st.integers(0, 200)), min_size=1, max_size=8
    ),
    crlf=st.booleans(),
    before=st.binary(max_size=ROOM),
)
def test_a_block_is_judged_as_by_the_exact_look(
    rows: list[tuple[list[bytes], bytes, int]], crlf: bool, before: bytes
) -> None:
    lines = Lines(Shape(ord(","), 3, b"h,,", ROOM, ROOM), crlf)
    texts = [b",".join(cells) for cells, _, _ in rows]
    data = b"".join(
        text[: at % (len(text) + 1)] + flaw + text[at % (len(text) + 1) :] + lines.end
        for text, (_, flaw, at) in zip(texts, rows, strict=True)
    )
    block = Block(ROOM + 1024)
    # What an earlier block left behind must not count.
    block.text[: len(before) + 1] = before + b"\n"
    block.records(len(before) + 1, lines)
    block.text[: len(data)] = data
    looked = check_lines(data, lines.shape)
    assert block.records(len(data), lines) == (looked.records if looked.clean else None)


@pytest.mark.parametrize("flaw", [b"\xff", b"\xc3", b"\x00", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"])
def test_what_is_not_text_is_refused(flaw: bytes) -> None:
    lines, block = Lines(Shape(ord(","), 2, b"h,", ROOM, ROOM), crlf=False), Block(ROOM)
    for data, records in ((b"1,\xc3\xa9\n\xf0\x9f\x98\x80,\n", 2), (b"1,\xc3\xa9\n" + flaw + b",\n", None)):
        block.text[: len(data)] = data
        assert block.records(len(data), lines) == records


@pytest.mark.parametrize("body", [b"1,2,3\n11\n", b"11\n1,2,3\n", b"1,2\n" * 40 + b"11\n1,2,3\n" + b"1,2\n" * 40])
def test_a_cell_too_many_does_not_make_up_for_one_too_few(body: bytes) -> None:
    block = Block(ROOM)
    block.text[: len(body)] = body
    assert block.records(len(body), Lines(Shape(ord(","), 2, b"h,", ROOM, ROOM), crlf=False)) is None
