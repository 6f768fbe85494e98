"""A long text file parsed into memory, its repeating columns as codes; begun while the file is still being proved.

The proof that a file is clean keeps one core busy. So what is proved is parsed meanwhile, segment by segment; should a
later one have a flaw, what was parsed is forgotten. Nothing that is not proved ever meets the parser: one quote that is
not closed could make it take a file's whole rest for a cell.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST_ROWS: Final = 50_000
"""Below this a list is read in a moment anyway."""
MOST_BYTES: Final = 1_500_000_000
"""Estimated memory up to which a list is held where the memory of the machine is unknown."""
SHARE: Final = 4
"""Elsewhere a list is held that takes a quarter of it; a longer one is read from its file as often as need be."""
_GROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says how much memory a container may use."""
_SAMPLE: Final = 20_000
_REPEATING: Final = 0.3
"""Share of distinct texts in a sample up to which a column is held as codes."""
_WIDTHS: Final[tuple[tuple[int, Any, int], ...]] = ((24, pl.UInt8, 1), (6_000, pl.UInt16, 2), (_SAMPLE, pl.UInt32, 4))
"""Distinct texts in the sample up to which a code of this type and width in bytes will most likely do for a file."""
_TEXT_BYTES: Final = 16
_FEW: Final = 4_096
"""Texts up to which a column is an enumeration: each row group of a file it is written to names them all."""
_OFTEN: Final = 4
"""A column is taken to have no other texts than its sample, until one is met, if the sample has each so many times."""
SEGMENT: Final = 8 << 20
"""Bytes that are parsed together, by one thread as far as that goes: fewer cost more calls, more leave cores idle."""
_SAMPLED: Final = 4 << 20
"""Bytes at the start of a file that the sample is taken from, where not the whole file can be asked."""
_THREADS: Final = 4
_CHUNK: Final = 1_000_000

Numbers = NDArray[np.int64]
Kinds = Mapping[str, pl.DataType]
Parse = Callable[[Kinds], pl.LazyFrame]
"""A text file as a lazy table, with other types than String for some columns."""
ParsePiece = Callable[[bytes, Kinds], pl.LazyFrame]
"""Whole lines of it likewise."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a column in the order of their codes, the blank cell last: how many rows have each, and the first.

    Both are 0 for a text that no row has.
    """

    texts: pl.Series
    rows: Numbers
    first: Numbers


@dataclass(frozen=True, slots=True)
class Held:
    """A file in memory, each column in one piece; those in ``words`` are Enum or, with many texts, Categorical."""

    frame: pl.DataFrame
    words: Mapping[str, Words]


def parsed(parse: Parse, names: Sequence[str], rows: int, *, wide: bool = False) -> Held | None:
    """The file in memory; None where it is short, or too large to hold.

    Raises ``ComputeError`` when a column has more texts than its sample let expect: not with ``wide`` codes.
    """
    if rows < LEAST_ROWS:
        return None
    plan = _planned(parse({}).head(_SAMPLE).collect(), names, rows, wide=wide)
    return None if plan is None else _settled(parse(plan.kinds).collect(engine="streaming"), plan)


class Ahead:
    """A file parsed in segments, each as soon as it is proved."""

    def __init__(self, path: Path, start: int, parse: ParsePiece, names: Sequence[str]) -> None:
        self.names: Final = names
        self._path, self._parse, self._done = path, parse, start
        self._size = path.stat().st_size
        self._pool = ThreadPoolExecutor(_THREADS)
        self._plan: Future[_Plan | None] | None = None
        self._pieces: list[Future[pl.DataFrame | None]] = []
        self._guessed = True

    def proved(self, end: int) -> None:
        """Whatever stands before byte ``end``, where a line begins or the file ends, is good records."""
        if end - self._done < SEGMENT and end < self._size:
            return
        begin, self._done = self._done, end
        if self._plan is None:
            self._plan = self._pool.submit(self._planned, begin, end)
        self._pieces.append(self._pool.submit(self._piece, self._plan, begin, end))

    @property
    def complete(self) -> bool:
        """Whether the whole file was proved."""
        return self._done == self._size

    def forget(self) -> None:
        """Let go of everything: the file is not clean, or was proved in another way."""
        self._pieces, self._done = [], -1
        self._pool.shutdown(wait=False, cancel_futures=True)

    def result(self) -> Held | None:
        """As ``parsed``, once all of the file is proved; to be asked once."""
        self._pool.shutdown(wait=False)
        pieces, self._pieces = self._pieces, []
        plan = None if self._plan is None else self._plan.result()
        if plan is None:
            return None
        # Only the last of them tells whether the guess held.
        for piece in pieces:
            piece.result()
        # No name may stay for a piece: its columns go as soon as they are in one with the others.
        found = (piece.result() for piece in pieces)
        frame = pl.concat(plan.alike(part, guessed=self._guessed) for part in found if part is not None)
        pieces.clear()
        return _settled(frame, plan)

    def _planned(self, begin: int, end: int) -> _Plan | None:
        first = self._read(begin, min(end, begin + _SAMPLED))
        first = first if begin + len(first) == end else first[: first.rfind(b"\n") + 1]
        rows = first.count(b"\n") * (self._size - begin) // max(1, len(first))
        return _planned(self._parse(first, {}).head(_SAMPLE).collect(), self.names, rows, wide=False)

    def _piece(self, planned: Future[_Plan | None], begin: int, end: int) -> pl.DataFrame | None:
        plan = planned.result()
        if plan is None:
            return None
        content = self._read(begin, end)
        if plan.guessed and self._guessed:
            try:
                return self._parse(content, plan.kinds | plan.guessed).collect(engine="streaming")
            except pl.exceptions.ComputeError:
                # A text that the sample lacks, or something that the other types do not suit either.
                self._guessed = False
        return self._parse(content, plan.kinds).collect(engine="streaming")

    def _read(self, begin: int, end: int) -> bytes:
        # Buffered: unlike the system, it reads on until all is there.
        with self._path.open("rb") as file:
            file.seek(begin)
            content = file.read(end - begin)
        if len(content) != end - begin:
            raise OSError(errno.EIO, "the file became shorter while it was read", str(self._path))
        return content


@dataclass(frozen=True, slots=True)
class _Plan:
    """The types of the columns that are held as codes, and the words of the sample under the first of their codes."""

    kinds: dict[str, pl.DataType]
    known: Mapping[str, pl.Series]
    """Codes last as long as somebody holds a column of them."""
    guessed: dict[str, pl.DataType]
    """Cheaper types for some of them: enumerations of the words of the sample, with the same codes."""

    def alike(self, piece: pl.DataFrame, *, guessed: bool) -> pl.DataFrame:
        """A piece of a file, with the types that all its pieces have: the guessed ones if each piece let them stand."""
        if guessed:
            return piece
        return piece.with_columns(
            pl.col(name).to_physical().cast(self.known[name].to_physical().dtype).cat.to(self.kinds[name])
            for name, kind in self.guessed.items()
            if piece.schema[name] == kind
        )


def _planned(sample: pl.DataFrame, names: Sequence[str], rows: int, *, wide: bool) -> _Plan | None:
    """How to hold a file of so many rows; None where it is not worth it, or too large."""
    limit = sample.height * _REPEATING
    counted = {name: _texts(sample[name]) for name in names}
    words = {name: found for name, (found, _least) in counted.items() if len(found) < limit}
    widths = {n: next(kind for kind in _WIDTHS if len(found) <= kind[0]) for n, found in words.items()}
    # A text of up to 12 bytes lies inside its own 16 bytes.
    plain = sum(_TEXT_BYTES + _beyond(sample[name]) for name in names if name not in words)
    row = plain + sum(width for _most, _type, width in widths.values())
    if not words or rows * row > (_memory() // SHARE or MOST_BYTES):
        return None
    physical = {name: pl.UInt32 if wide else kind for name, (_most, kind, _width) in widths.items()}
    kinds = {n: pl.Categorical(pl.Categories.random("vigilance", physical=kind)) for n, kind in physical.items()}
    often = [name for name, found in words.items() if len(found) <= _FEW and counted[name][1] >= _OFTEN]
    known = {name: words[name].cast(kind) for name, kind in kinds.items()}
    return _Plan(dict(kinds), known, {name: pl.Enum(words[name]) for name in often})


def _texts(column: pl.Series) -> tuple[pl.Series, int]:
    """The texts of a column in their order, and in how many rows the rarest is."""
    found = column.drop_nulls().alias("text").value_counts(name="rows").sort("text")
    return found["text"], min(found["rows"].to_list(), default=0)


def _settled(frame: pl.DataFrame, plan: _Plan) -> Held:
    """What was parsed, each column in one piece, so that a batch cut from it is in one piece, too."""
    names = frame.columns
    # A column in its old and its new form is in memory twice: of the large ones, one at a time.
    taken = {name: frame.drop_in_place(name) for name in names}
    large = [name for name in names if name not in plan.known]
    with ThreadPoolExecutor(_THREADS) as pool:
        texts = pool.submit(lambda: {name: taken.pop(name).rechunk() for name in large})
        coded = {
            name: pool.submit(lambda name: _coded(taken.pop(name).rechunk(), len(plan.known[name])), name)
            for name in plan.known
        }
        whole = texts.result() | {name: made.result()[0] for name, made in coded.items()}
    return Held(pl.DataFrame([whole[name] for name in names]), {name: made.result()[1] for name, made in coded.items()})


def _coded(column: pl.Series, known: int) -> tuple[pl.Series, Words]:
    """A categorical column, as an enumeration if its texts are few, and its words.

    The codes of an enumeration depend on nothing but the file: texts beyond those ``known`` before got theirs as the
    threads met them, and are sorted.
    """
    codes = column.to_physical()
    if isinstance(column.dtype, pl.Enum):
        return column, _words(column.name, column.dtype.categories, codes)
    assert isinstance(column.dtype, pl.Categorical)
    texts = column.dtype.categories.to_series()
    if len(texts) <= _FEW:
        later = texts.slice(known).sort()
        if not later.equals(texts.slice(known)):
            met, texts = texts, pl.concat([texts.head(known), later])
            places = dict(zip(texts.to_list(), range(len(texts)), strict=True))
            codes = met.replace_strict(places, return_dtype=codes.dtype).gather(codes)
        kind = pl.Enum(texts)
        codes = codes.cast(pl.Series(dtype=kind).to_physical().dtype)
        column = codes.cat.to(kind).alias(column.name)
    return column, _words(column.name, texts, codes)


def _words(name: str, texts: pl.Series, codes: pl.Series) -> Words:
    rows, first = _counted(codes, len(texts))
    return Words(texts.alias(name).extend_constant(None, 1), rows, first)


def _counted(codes: pl.Series, blank: int) -> tuple[Numbers, Numbers]:
    """In how many rows each code stands, and in which it stands first (0 where in none); nulls count as ``blank``."""
    counts = np.zeros(blank + 1, dtype=np.int64)
    first = np.zeros(blank + 1, dtype=np.int64)
    room = codes.dtype if blank <= codes.upper_bound().item() else pl.UInt32
    for start in range(0, len(codes), _CHUNK):
        given = codes.slice(start, _CHUNK).cast(room).fill_null(blank).to_numpy()
        found = np.bincount(given, minlength=blank + 1)
        new = np.flatnonzero((found > 0) & (counts == 0))
        if new.size:
            seen = np.zeros(blank + 1, dtype=np.int64)
            # The last assignment stays: backwards, that is the first row.
            seen[given[::-1]] = np.arange(start + given.size - 1, start - 1, -1)
            first[new] = seen[new]
        counts += found
    return counts, first


def _memory() -> int:
    """Bytes of memory that this machine has and this process may use; 0 where the system does not say."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
    try:
        allowed = _GROUP_LIMIT.read_text().strip()
    except OSError:
        return there
    return min(there, int(allowed)) if allowed.isdigit() else there


def _beyond(texts: pl.Series) -> float:
    """Bytes of a text, on average, that do not fit beside its length."""
    length = texts.str.len_bytes()
    mean: Any = length.filter(length > 12).sum() / max(1, len(texts))
    return float(mean)
