"""The door: files or frames in, an ``Intake`` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues as issues_
from vigilance.i18n import messages
from vigilance.ingest import keys
from vigilance.ingest.columns import LINE, ROW, Table, Tables
from vigilance.ingest.folding import fold
from vigilance.ingest.headers import Headers
from vigilance.ingest.input_tables import table as input_table
from vigilance.ingest.intake import REJECTED, Intake, Source
from vigilance.ingest.readers.limits import DEFAULT, Limits
from vigilance.ingest.readers.table import RawTable
from vigilance.ingest.typed import TypedTable, typed_table

_ = messages("ingest")

_PREWAVE: Final = frozenset({"connectiontype", "yourreference", "sitedetailsname"})
"""Folded headers by which a discovery export of Prewave is known."""


def read(
    paths: str | Path | Iterable[str | Path],
    table: str = "suppliers",
    *,
    on: date,
    reference: Tables | None = None,
    mapping: Mapping[str, str] | None = None,
    strict: bool = False,
    limits: Limits = DEFAULT,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Intake:
    """Read one input table from files or folders.

    ``reference`` are the facts in force on the date (``reference.load().in_force(on)``, taken from the shipped
    data when None). ``mapping`` is canonical name → header. ``delimiter`` and ``sheet`` settle
    what a file leaves open. ``strict`` refuses the input when any row has an error.
    Raises ``InputRefused`` for a file that cannot be read as a whole, ``UsageError`` for an unknown table or column.
    """
    from vigilance.ingest.readers import expand, read_raw  # noqa: PLC0415 - a frame in memory needs no reader

    specification = input_table(table)
    headers = Headers(table, specification.needed, dict(mapping or {}))
    found = expand([paths] if isinstance(paths, (str, Path)) else list(paths))
    read_one = partial(
        read_raw,
        required=headers,
        limits=limits,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        ahead=len(found) == 1,
    )
    raws = [raw for path in found for raw in read_one(path)]
    return understand(raws, specification, headers, on=on, reference=reference, strict=strict)


def understand(
    raws: Sequence[RawTable],
    specification: Table,
    headers: Headers,
    *,
    on: date,
    reference: Tables | None,
    strict: bool = False,
) -> Intake:
    """Typed rows and issues of raw tables that are already open; see ``read``."""
    headers.refuse_unheard([raw.header for raw in raws])
    facts = _shipped(on) if reference is None else reference
    tables = [typed_table(raw, specification, headers, on, facts, alone=len(raws) == 1) for raw in raws]
    offsets = _offsets(tables)
    double = [*_extra_references(tables), *_repeated(tables, specification)]
    rejected, sources, frames, corrected = [], [], [], []
    for i, typed in enumerate(tables):
        left_out = _left_out(typed, [repeated.rows.filter(pl.col("_table") == i) for repeated in double])
        sources.append(_source(typed, left_out))
        rejected += [_reader_rejects(typed.raw), _rejects(typed, left_out)]
        kept = _kept(typed, left_out)
        # Sites keep the codes of repeating texts, which are written as they are; other tables are small beside them.
        own = [pl.col(n) if specification.name == "suppliers" else _text(n) for n in typed.own]
        frames.append(kept.select(*own, (pl.col(ROW) + offsets[i]).alias(ROW), LINE, *typed.typed))
        corrected.append(kept.select(typed.repaired.get(n, _text(n)).alias(n) for n in typed.own))
    found = [frame for t in tables for frame in (t.raw.issues, *t.issues)]
    intake = Intake(
        table=specification.name,
        rows=_stacked(frames),
        issues=issues_.ordered([*found, *(repeated.issues for repeated in double)]),
        sources=tuple(sources),
        rejected=pl.concat(rejected),
        columns={name: header for t in reversed(tables) for name, header in t.mapping.items()},
        corrected=_stacked(corrected),
        unknown=list(dict.fromkeys(name for t in tables for name in t.unknown)),
        unchanged=tables[0].unchanged if len(tables) == 1 else {},
        first_line=_first_line(tables[0].raw, sources[0]) if len(tables) == 1 else None,
    )
    if strict:
        intake.refuse_if_strict()
    return intake


def _text(name: str) -> pl.Expr:
    """A user's column as text, also where it is held as codes."""
    return pl.col(name).cast(pl.String)


def _shipped(on: date) -> Tables:
    from vigilance import reference as reference_  # noqa: PLC0415 - callers usually bring their facts

    return reference_.load().in_force(on)


def _offsets(tables: Sequence[TypedTable]) -> list[int]:
    offsets, total = [], 0
    for typed in tables:
        offsets.append(total)
        total += typed.raw.counts.rows_in
    return offsets


def _good(typed: TypedTable) -> pl.LazyFrame:
    """The rows of a table without an error."""
    if not typed.failing.height:
        return typed.frame
    return typed.frame.filter(~pl.col(ROW).is_in(typed.failing[ROW].implode()))


def _repeated(tables: Sequence[TypedTable], specification: Table) -> list[keys.Repeated]:
    """Repeated keys over all files."""
    names = [f"_{name}" for name in specification.key]
    if not names or not all(name in typed.typed for typed in tables for name in names):
        return []
    header = ", ".join(tables[0].mapping.get(name, name) for name in specification.key)
    found = keys.repeated(
        [_good(typed) for typed in tables],
        [pl.col(name) for name in names],
        [typed.own for typed in tables],
        [typed.raw.file.name for typed in tables],
        [typed.raw.sheet for typed in tables],
        header,
        _("keep one row of each country; the first is in {}") if specification.name == "rankings" else None,
    )
    return [] if found is None else [found]


def _extra_references(tables: Sequence[TypedTable]) -> list[keys.Repeated]:
    """Rows of a Prewave export that only add a reference of the user's to a site: its spend must not count twice."""
    repeated = []
    for i, typed in enumerate(tables):
        reference = typed.mapping.get("supplier_id")
        if reference is None or not {fold(header) for header in typed.raw.header} >= _PREWAVE:
            continue
        others = [name for name in typed.own if name != reference]
        content = pl.concat_str([_text(name).fill_null("") for name in others], separator=keys.PART)
        found = keys.repeated([_good(typed)], [content], [others], [typed.raw.file.name], [typed.raw.sheet], reference)
        if found is not None:
            rows = found.rows.with_columns(pl.lit(i, dtype=pl.Int32).alias("_table"))
            repeated.append(keys.Repeated(rows, found.issues))
    return repeated


def _left_out(typed: TypedTable, double: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows that are not loaded, each once: ``_row, _line, code``."""
    parts = [typed.failing, *(rows.select(ROW, LINE, "code") for rows in double)]
    return pl.concat(parts).unique(ROW, keep="first", maintain_order=True).sort(ROW)


def _source(typed: TypedTable, left_out: pl.DataFrame) -> Source:
    raw = typed.raw
    return Source(
        file=raw.file.name,
        path=raw.file,
        sheet=raw.sheet,
        sha256=raw.digest,
        bytes=raw.size,
        dialect={key: str(value) for key, value in asdict(raw.dialect).items()},
        rows_in=raw.counts.rows_in,
        loaded=raw.counts.loaded - left_out.height,
        set_aside=raw.counts.set_aside + left_out.height,
        blank=raw.counts.blank,
        collapsed=left_out.filter(pl.col("code") == "duplicate_identical").height,
    )


def _first_line(raw: RawTable, source: Source) -> int | None:
    """The line of the first row when all rows are loaded and stand on consecutive lines; None where they do not."""
    count = source.loaded
    if raw.line is None or not count or count != raw.counts.loaded:
        return None
    ends = pl.DataFrame({ROW: [0, count - 1]}, schema={ROW: pl.Int64}).select(raw.line).to_series()
    # Each row begins on a later line than the one before it: a gap anywhere would show at the end.
    return int(ends[0]) if ends[1] - ends[0] == count - 1 else None


def _kept(typed: TypedTable, left_out: pl.DataFrame) -> pl.LazyFrame:
    """The rows of a table that are loaded."""
    return typed.frame.filter(~pl.col(ROW).is_in(left_out[ROW].implode())) if left_out.height else typed.frame


def _stacked(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Frames one below the other; a column that one file lacks is null there."""
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")


def _reader_rejects(raw: RawTable) -> pl.DataFrame:
    return raw.rejected.select(
        pl.lit(raw.file.name).alias("file"),
        pl.lit(raw.sheet).alias("sheet"),
        pl.col("line"),
        pl.col("reason").alias("code"),
        pl.col("bytes").alias("original"),
    ).cast(REJECTED)


def _rejects(typed: TypedTable, left_out: pl.DataFrame) -> pl.DataFrame:
    """The rows set aside with their cells as they were read, written as a record of the file's own delimiter."""
    raw = typed.raw
    if not left_out.height:
        return pl.DataFrame(schema=REJECTED)
    mark = raw.dialect.delimiter or ","
    quote = pl.lit('"')
    cells = [
        pl.when(_text(name).str.contains(f'[{mark}"\\r\\n]'))
        .then(quote + _text(name).str.replace_all('"', '""', literal=True) + quote)
        .otherwise(_text(name))
        .fill_null("")
        for name in raw.names
    ]
    original = (
        raw.frame.filter(pl.col(ROW).is_in(left_out[ROW].implode()))
        .select(ROW, pl.concat_str(cells, separator=mark).cast(pl.Binary).alias("original"))
        .collect(engine="streaming")
    )
    return (
        left_out.join(original, on=ROW, how="left")
        .sort(ROW)
        .select(
            pl.lit(raw.file.name).alias("file"),
            pl.lit(raw.sheet).alias("sheet"),
            pl.col(LINE).alias("line"),
            "code",
            "original",
        )
        .cast(REJECTED)
    )
