"""Long lists, written as they are scored: two Parquet files from one stream of batches, hashed while they are written.

A text that repeats is held as a code all the way, and goes into the file as a code of the row group's dictionary; in
the file's own schema it is plain text, as in a short list. The same rows give the same bytes: row groups have a fixed
size wherever batches end, and their dictionaries an order that does not depend on which thread read a text first.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP: Final = 100_000
COMPRESSION: Final = "snappy"
"""Probabilities hardly compress: a better method costs time, and saves a tenth."""
AHEAD: Final = 2
"""Row groups that wait for a writer; bounds the memory when the disk is slower than the core."""
REPEATING: Final = 0.3
"""Share of distinct values in the first row group up to which a column gets a dictionary."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file that was just written holds."""

    sha256: str
    bytes: int


def to_parquet(frame: pl.LazyFrame, path: Path) -> None:
    """Write a lazy frame in its order; the same rows give the same bytes. Columns held as codes are written as text."""
    coded = pl.selectors.categorical() | pl.selectors.enum()
    plain = frame.with_columns(coded.cast(pl.String))
    plain.sink_parquet(path, compression=COMPRESSION, row_group_size=ROW_GROUP, statistics=False, maintain_order=True)


def to_files(batches: Iterator[pl.DataFrame], *files: tuple[Path, list[str]]) -> dict[str, Written]:
    """Write some columns of all batches to each file, without holding the list; what was written, by file name.

    Each file has a thread of its own. The error of a writer is raised as soon as the next batch comes.
    """
    with ThreadPoolExecutor(len(files)) as pool:
        queues: list[Queue[pl.DataFrame | None]] = [Queue(AHEAD) for _file in files]
        tasks = [pool.submit(_write, queue, path, names) for queue, (path, names) in zip(queues, files, strict=True)]
        try:
            for group in row_groups(batches):
                _raise_failed(tasks)
                for queue in queues:
                    queue.put(group)
        finally:
            for queue in queues:
                queue.put(None)
        return {path.name: task.result() for (path, _names), task in zip(files, tasks, strict=True)}


def _raise_failed(tasks: list[Future[Written]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


def row_groups(batches: Iterator[pl.DataFrame], size: int = ROW_GROUP) -> Iterator[pl.DataFrame]:
    """The same rows in frames of ``size``, the last one shorter, wherever the batches end."""
    held: list[pl.DataFrame] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.height
        while rows >= size:
            whole = held[0] if len(held) == 1 else pl.concat(held)
            yield whole.head(size)
            rest = whole.slice(size)
            held, rows = ([rest], rest.height) if rest.height else ([], 0)
    if rows:
        yield pl.concat(held)


def _write(queue: Queue[pl.DataFrame | None], path: Path, names: list[str]) -> Written:
    """Write what comes through the queue; after an error, take what still comes, so that nobody waits for ever."""
    ended = False
    try:
        with _Hashing(path) as file:
            writer: Any = None
            while (group := queue.get()) is not None:
                table = _arrow(group.select(names))
                writer = writer or _opened(file, table, group.select(names))
                writer.write_table(table, row_group_size=ROW_GROUP)
            ended = True
            if writer is not None:
                writer.close()
        return Written(file.digest.hexdigest(), file.size)
    finally:
        while not ended:
            ended = queue.get() is None


class _Hashing(io.RawIOBase):
    """A file to write that keeps the sha256 of what went into it."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb", buffering=0)
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        view = memoryview(content)
        self.digest.update(view)
        done = 0
        while done < view.nbytes:
            done += self.file.write(view[done:]) or 0
        self.size += done
        return done

    def tell(self) -> int:
        return self.size

    def close(self) -> None:
        self.file.close()
        super().close()


def _opened(file: _Hashing, table: pa.Table, first: pl.DataFrame) -> Any:
    """A Parquet writer for tables like the first row group, which decides how each column is encoded."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import, and only for long lists

    repeating = {name for name in first.columns if _is_coded(first[name]) or _repeats(first[name])}
    counting = {name: "DELTA_BINARY_PACKED" for name, kind in first.schema.items() if kind == pl.Int64}
    return pq.ParquetWriter(
        file,
        table.schema,
        # Random digits do not compress: trying to would only take time.
        compression={
            name: "NONE" if kind.is_float() and name not in repeating else COMPRESSION
            for name, kind in first.schema.items()
        },
        use_dictionary=sorted(repeating - set(counting)),
        column_encoding=counting,
        write_statistics=False,
        store_schema=False,
    )


def _repeats(column: pl.Series) -> bool:
    return column.n_unique() <= REPEATING * len(column)


def _is_coded(column: pl.Series) -> bool:
    return isinstance(column.dtype, (pl.Categorical, pl.Enum))


def _arrow(group: pl.DataFrame) -> pa.Table:
    """A row group as an Arrow table; a Categorical column gets its own words, in their order, as its dictionary."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only for long lists

    plain = group.select(~pl.selectors.categorical())
    made = dict(zip(plain.columns, plain.to_arrow().columns, strict=True))
    made |= {name: _own_words(group[name]) for name, kind in group.schema.items() if isinstance(kind, pl.Categorical)}
    return pa.table({name: made[name] for name in group.columns})


def _own_words(column: pl.Series) -> pa.DictionaryArray:
    """A Categorical column with the words that occur in it as its dictionary, sorted.

    Polars numbers the words in the order in which its threads met them: that order must not reach a file.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only for long lists

    every = column.dtype.categories.to_series()  # type: ignore[attr-defined]
    codes = column.to_physical()
    occurs = np.zeros(len(every), dtype=np.bool_)
    occurs[codes.drop_nulls().to_numpy()] = True
    used = np.flatnonzero(occurs)
    words = every.gather(used)
    order = words.arg_sort().to_numpy()
    place = np.zeros(len(every), dtype=np.int32)
    place[used[order]] = np.arange(len(used), dtype=np.int32)
    missing = codes.is_null().to_numpy() if codes.null_count() else None
    given = place[codes.fill_null(0).to_numpy()] if len(used) else np.zeros(len(codes), dtype=np.int32)
    indices = pa.array(given, mask=missing)
    return pa.DictionaryArray.from_arrays(indices, words.gather(order).to_arrow())
