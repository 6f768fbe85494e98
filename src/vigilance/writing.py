"""Long lists, written as they are scored: two Parquet files from one stream of batches."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

ROW_GROUP: Final = 100_000
COMPRESSION: Final = "snappy"
"""Probabilities hardly compress: a better method costs time, and saves a tenth."""


def to_parquet(frame: pl.LazyFrame, path: Path) -> None:
    """Write a lazy frame in its order; the same rows give the same bytes.

    Categorical columns are written as text: the name and the order of their categories are those of one process.
    """
    plain = frame.with_columns(pl.selectors.categorical().cast(pl.String))
    plain.sink_parquet(path, compression=COMPRESSION, row_group_size=ROW_GROUP, statistics=False, maintain_order=True)


def two_files(batches: Iterator[pl.DataFrame], one: tuple[Path, list[str]], other: tuple[Path, list[str]]) -> None:
    """Write some columns of all batches to one file and some to another, without holding the list.

    Errors of either writer are raised.
    """
    first = next(batches)
    aside: SimpleQueue[pl.DataFrame | None] = SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(to_parquet, _source(_put_aside(aside), first.select(other[1])), other[0])
        try:
            main = _passed_on(first, batches, one[1], other[1], aside)
            to_parquet(_source(main, first.select(one[1])), one[0])
        finally:
            aside.put(None)
        beside.result()


def _passed_on(
    first: pl.DataFrame,
    rest: Iterator[pl.DataFrame],
    columns: list[str],
    others: list[str],
    aside: SimpleQueue[pl.DataFrame | None],
) -> Iterator[pl.DataFrame]:
    """Some columns of each batch, the others going to whoever writes those at the same time."""
    for batch in chain((first,), rest):
        aside.put(batch.select(others))
        yield batch.select(columns)


def _put_aside(aside: SimpleQueue[pl.DataFrame | None]) -> Iterator[pl.DataFrame]:
    while (batch := aside.get()) is not None:
        yield batch


def _source(batches: Iterator[pl.DataFrame], like: pl.DataFrame) -> pl.LazyFrame:
    """A lazy frame of batches that are made as they are read."""
    return register_io_source(lambda *_pushed_down: batches, schema=like.schema)
