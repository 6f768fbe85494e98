from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.errors import InputRefused
from vigilance.store import chain
from vigilance.store.frames import frame_digest, packed, sha256, unpacked

FRAME = pl.DataFrame(
    {
        "a": [1, None, 3],
        "b": ["x", "", None],
        "c": [True, None, False],
        "d": [date(2026, 1, 1), None, None],
        "e": [0.5, None, 1.0],
    }
)


def test_a_digest_depends_on_content_alone() -> None:
    chunks = pl.concat([FRAME.head(1), FRAME.slice(1)], rechunk=False)
    assert frame_digest(chunks) == frame_digest(FRAME)
    assert frame_digest(FRAME.slice(0, 3)) == frame_digest(FRAME)


@pytest.mark.parametrize(
    "other",
    [
        FRAME.reverse(),
        FRAME.head(2),
        FRAME.rename({"a": "z"}),
        FRAME.select("b", "a", "c", "d", "e"),
        FRAME.with_columns(pl.col("a").fill_null(0)),
        FRAME.with_columns(pl.col("b").fill_null("")),
        FRAME.with_columns(pl.col("c").fill_null(value=False)),
        FRAME.with_columns(pl.col("a").cast(pl.Int32)),
        FRAME.with_columns(b=pl.Series(["", "x", None])),
    ],
)
def test_any_change_is_another_digest(other: pl.DataFrame) -> None:
    assert frame_digest(other) != frame_digest(FRAME)


@given(st.binary(max_size=500))
def test_packed_bytes_come_back(content: bytes) -> None:
    assert unpacked(packed(content)) == content


@given(st.binary(min_size=1, max_size=200), st.integers(0, 10**6), st.integers(0, 7))
def test_a_flipped_bit_never_gives_other_bytes(content: bytes, place: int, bit: int) -> None:
    damaged = bytearray(packed(content))
    damaged[place % len(damaged)] ^= 1 << bit
    try:
        found = unpacked(bytes(damaged))
    except ValueError:
        return
    assert sha256(found) == sha256(content)


def records(count: int = 3) -> list[chain.Record]:
    made: list[chain.Record] = []
    for n in range(count):
        before = made[-1].digest if made else chain.GENESIS
        made.append(chain.sealed(n + 1, "run", f"2026-W{n + 10}", 1, {"n": n}, before))
    return made


def as_rows(made: list[chain.Record]) -> list[tuple[int, str, str, int, str, str, str]]:
    return [(r.seq, r.kind, r.week, r.revision, chain.canonical(r.body), r.previous, r.digest) for r in made]


def test_a_chain_is_read_back() -> None:
    assert chain.verified(as_rows(records()), "store") == records()


@pytest.mark.parametrize("column", range(7))
def test_a_changed_record_is_refused_and_the_last_good_run_named(column: int) -> None:
    rows = as_rows(records())
    changed = list(rows[1])
    changed[column] = 9 if isinstance(changed[column], int) else f"{changed[column]} "
    rows[1] = tuple(changed)  # type: ignore[assignment]
    with pytest.raises(InputRefused, match="record 2 is not the one") as refused:
        chain.verified(rows, "store")
    assert "2026-W10" in str(refused.value)


@pytest.mark.parametrize(
    "rows", [as_rows(records())[1:], [as_rows(records())[i] for i in (0, 2)], as_rows(records())[::-1]]
)
def test_a_lost_or_moved_record_is_refused(rows: list[tuple[int, str, str, int, str, str, str]]) -> None:
    with pytest.raises(InputRefused):
        chain.verified(rows, "store")
