"""Long lists, written as they are scored: Parquet files from one stream of batches, hashed while they are written.

A text that repeats is held as a code all the way and goes into the file as a code. The same rows give the same bytes:
row groups have a fixed size wherever batches end, and the footer says only what the columns are (the engine would add
the names of its own dictionaries, which differ from process to process): text is text, as in a short list.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Event
from typing import IO, Any, Final

import polars as pl
from polars.io.plugins import register_io_source

ROW_GROUP: Final = 100_000
COMPRESSION: Final = "snappy"
"""Probabilities hardly compress: a better method costs time, and saves a tenth."""
AHEAD: Final = 2
"""Row groups that wait for a writer; bounds the memory when the disk is slower than the core."""
BEHIND: Final = 32 << 20
"""Bytes at the end of a growing file that are not hashed yet: more than any footer."""
FLUSHED: Final = 64 << 20
"""Bytes after which a growing file is flushed to the disk."""
LOOK: Final = 0.05
"""Seconds between two looks at a growing file."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file that was just written holds."""

    sha256: str
    bytes: int


def to_parquet(frame: pl.LazyFrame, path: Path) -> None:
    """Write a lazy frame in its order; the same rows give the same bytes. Columns held as codes are written as text.

    Raises ``FileExistsError``: nothing is written over.
    """
    coded = pl.selectors.categorical() | pl.selectors.enum()
    with _new(path) as file:
        _sink(frame.with_columns(coded.cast(pl.String)), file)


def _new(path: Path) -> IO[bytes]:
    # Opened here, once: the engine would open it a second time to empty it, and a file that was opened to be emptied
    # is written out by ext4 before it is let go of, because its old content might be missed.
    return path.open("xb", buffering=0)


def _sink(frame: pl.LazyFrame, file: IO[bytes]) -> None:
    frame.sink_parquet(file, compression=COMPRESSION, row_group_size=ROW_GROUP, statistics=False, maintain_order=True)


def to_files(groups: Iterator[pl.DataFrame], *files: tuple[Path, list[str]]) -> dict[str, Written]:
    """Write some columns of all row groups to each file, without holding the list; what was written, by file name.

    ``groups`` are frames of ``ROW_GROUP`` rows (``row_groups``), at least one. Each file has a thread of its own; the
    error of one is raised as soon as the next group comes.
    """
    with ThreadPoolExecutor(len(files)) as pool:
        queues: list[Queue[pl.DataFrame | None]] = [Queue(AHEAD) for _file in files]
        tasks = [pool.submit(_write, queue, path, names) for queue, (path, names) in zip(queues, files, strict=True)]
        try:
            for group in groups:
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
    ended = Event()

    def taken() -> Iterator[pl.DataFrame]:
        while not ended.is_set():
            group = queue.get()
            if group is None:
                ended.set()
            else:
                yield group.select(names)

    try:
        groups = taken()
        first = next(groups)
        with ThreadPoolExecutor(2) as pool:
            complete = Event()
            try:
                with _new(path) as file:
                    hashing = pool.submit(_hashed_as_it_grows, path, complete)
                    flushing = pool.submit(_flushed_as_it_grows, path, complete)
                    _sink(_source(first, groups), file)
                _with_plain_footer(path, first.select(names))
            finally:
                complete.set()
            flushing.result()
            return hashing.result()
    finally:
        for _group in taken():
            pass


def _source(first: pl.DataFrame, following: Iterator[pl.DataFrame]) -> pl.LazyFrame:
    """A lazy frame of row groups that are made as they are read."""

    def produce(*_pushed_down: Any) -> Iterator[pl.DataFrame]:
        yield first
        yield from following

    return register_io_source(produce, schema=first.schema)


def _hashed_as_it_grows(path: Path, complete: Event) -> Written:
    """sha256 of a file that somebody appends to, all but its end while it still grows."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb", buffering=0) as file:
        ended = False
        while not ended:
            ended = complete.wait(LOOK)
            safe = os.fstat(file.fileno()).st_size - (0 if ended else BEHIND)
            while done < safe and (content := file.read(min(1 << 20, safe - done))):
                digest.update(content)
                done += len(content)
    return Written(digest.hexdigest(), done)


def _flushed_as_it_grows(path: Path, complete: Event) -> None:
    """Flush a file to the disk while somebody appends to it, so that little is left to wait for when it is whole."""
    done = 0
    with path.open("rb", buffering=0) as file:
        while not complete.wait(LOOK):
            size = os.fstat(file.fileno()).st_size
            if size - done >= FLUSHED:
                os.fsync(file.fileno())
                done = size


def _with_plain_footer(path: Path, like: pl.DataFrame) -> None:
    """Replace the file's footer by one that has the same row groups and the plain types of the columns alone."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only for long lists
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    coded = pl.selectors.categorical() | pl.selectors.enum()
    types = like.clear().with_columns(coded.cast(pl.String)).to_arrow().schema
    written = pq.read_metadata(path)
    plain = io.BytesIO()
    with pq.ParquetWriter(plain, types, store_schema=False):
        pass
    footer = pq.read_metadata(io.BytesIO(plain.getvalue()))
    footer.append_row_groups(written)
    whole = pa.BufferOutputStream()
    footer.write_metadata_file(whole)
    with path.open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-8 - length, os.SEEK_END)
        # A file of metadata alone begins with the magic word that our file already begins with.
        file.write(whole.getvalue().to_pybytes()[4:])
        file.truncate()
