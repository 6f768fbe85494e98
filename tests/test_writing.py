"""Files written as they are scored: the same rows give the same bytes, whatever batches and threads did."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import writing
from vigilance.writing import ROW_GROUP, row_groups, to_files, to_parquet

ROWS = 2 * ROW_GROUP + 17
COLUMNS = ["id", "word", "number", "whole", "nothing"]


def _list(first_words: list[str]) -> pl.DataFrame:
    """The same rows, whose words were numbered in the order given."""
    kind = pl.Categorical(pl.Categories.random("test"))
    kept = pl.Series(first_words, dtype=kind)
    frame = pl.DataFrame({"id": pl.Series([f"S{i}" for i in range(ROWS)])}).with_columns(
        whole=pl.int_range(ROWS, dtype=pl.Int64),
        word=pl.Series([None if i % 7 == 0 else f"w{i % 5}" for i in range(ROWS)], dtype=kind),
        nothing=pl.lit(None, dtype=kind),
    )
    assert kept.dtype == frame.schema["word"]
    return frame.with_columns(number=(pl.col("whole") * 0.1).sin()).select(COLUMNS)


def _batches(frame: pl.DataFrame, size: int) -> Iterator[pl.DataFrame]:
    yield from frame.iter_slices(size)


def test_the_same_rows_give_the_same_bytes_whatever_the_batches_and_the_order_of_the_words(tmp_path: Path) -> None:
    found = []
    for i, (words, size) in enumerate([(["w0", "w1"], 50_000), (["w4", "w9", "w2"], 33_333), (["w3"], 500_000)]):
        one, other = tmp_path / f"one{i}.parquet", tmp_path / f"other{i}.parquet"
        frame = _list(words)
        written = to_files(row_groups(_batches(frame, size)), (one, COLUMNS), (other, ["id", "word"]))
        for path in (one, other):
            assert written[path.name].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert written[path.name].bytes == path.stat().st_size
        read = pl.read_parquet(one)
        assert read.equals(frame.with_columns(pl.col("word", "nothing").cast(pl.String)))
        assert read.schema["word"] == pl.String
        assert pl.read_parquet(other).columns == ["id", "word"]
        found.append((one.read_bytes(), other.read_bytes()))
    assert found[0] == found[1] == found[2]


def test_a_growing_file_is_flushed_and_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(writing, "BEHIND", 1 << 16)
    monkeypatch.setattr(writing, "FLUSHED", 1)
    monkeypatch.setattr(writing, "LOOK", 0.001)
    path = tmp_path / "one.parquet"

    def flush(handle: int) -> None:
        assert os.fstat(handle).st_ino == path.stat().st_ino
        flushed.append(handle)

    monkeypatch.setattr(os, "fsync", flush)

    def slowly() -> Iterator[pl.DataFrame]:
        for group in row_groups(_batches(_list(["w0"]), ROW_GROUP)):
            yield group
            for _look in range(1000):
                if flushed:
                    break
                time.sleep(0.001)

    written = to_files(slowly(), (path, COLUMNS))
    assert flushed
    assert written["one.parquet"].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    path.write_text("somebody's")
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(FileExistsError):
        to_parquet(frame.lazy(), path)
    with pytest.raises(FileExistsError):
        to_files(iter([frame]), (path, ["a"]))
    assert path.read_text() == "somebody's"


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(0, 12), max_size=8), size=st.integers(1, 5))
def test_row_groups_hold_every_row_in_order(sizes: list[int], size: int) -> None:
    ends = list(accumulate(sizes))
    rows = [
        pl.DataFrame({"a": range(end - n, end)}, schema={"a": pl.Int64}) for end, n in zip(ends, sizes, strict=True)
    ]
    groups = list(row_groups(iter(rows), size))
    assert [v for group in groups for v in group["a"].to_list()] == list(range(sum(sizes)))
    assert all(group.height == size for group in groups[:-1])
    assert all(0 < group.height <= size for group in groups)


def test_an_error_of_a_writer_is_raised_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    frame = _list([])
    missing = tmp_path / "no such folder" / "one.parquet"
    with pytest.raises(FileNotFoundError):
        to_files(row_groups(_batches(frame, 20_000)), (missing, COLUMNS), (tmp_path / "other.parquet", ["id"]))
