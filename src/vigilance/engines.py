"""Engines: where the one scoring core runs. Polars by default; DuckDB for lists larger than memory; Spark for clusters.

An engine takes the typed rows that ingest hands over and yields scored frames in input order: the user's own columns,
then ``scoring.assess.SCORES`` and ``PLACE``, verdicts as enumerations and drivers still as codes. The core is written
once; what differs here is how frames are opened, joined with their look-up tables, and collected.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Semaphore
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import polars as pl
from polars.io.plugins import register_io_source

from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.lookups import Lookups
from vigilance.scoring import cells, explain, patterns
from vigilance.scoring.assess import PLACE, SCORES, VERDICTS, Tables, assess, assess_joined, tables
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS

if TYPE_CHECKING:
    import duckdb

_ = messages("run")

BATCH_ROWS: Final = 100_000
"""Rows that are scored at once, as many as a file holds together; bounds the memory, not the length of a list."""
AHEAD: Final = 6
"""Batches that the core may have in hand, or as many as it needed to give the first one."""
PATIENCE: Final = 1.0
"""Seconds to wait for whoever takes the batches before the core gets another one all the same."""
CORE: Final = ("_row", "_supplier_id", *cells.KEY, "_factors", "_workers", "_migrant_share")

Batches = Generator[pl.DataFrame, None, None]
"""To be closed by whoever stops before their end (``contextlib.closing``)."""
Engine = Callable[[pl.LazyFrame, Model, pl.DataFrame | None], Batches]


def core_columns(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What the core reads of typed rows; a zone that nobody stated is the empty word, so that joins match."""
    return rows.select(*(c for c in CORE if c != "_zone"), pl.col("_zone").fill_null(cells.NO_ZONE))


def finished(scored: pl.LazyFrame) -> pl.LazyFrame:
    """The core's positions as enumerations, and an unstated zone as nothing."""
    said = {f"{hazard}_{name}": pl.Enum(words) for hazard in HAZARDS for name, words in VERDICTS.items()}
    return scored.with_columns(
        *(pl.when(pl.col(name) >= 0).then(name).cast(pl.UInt8).cat.to(kind) for name, kind in said.items()),
        pl.when(pl.col("zone_code") != cells.NO_ZONE).then("zone_code"),
    )


def look_up(core: pl.DataFrame, model: Model) -> Tables:
    """The tables for the combinations that occur in some rows."""
    wrapped = nw.from_native(core, eager_only=True)
    return tables(
        model,
        wrapped.select(*cells.KEY).unique().sort(*cells.KEY),
        wrapped.select(*patterns.KEY).unique().sort(*patterns.KEY),
    )


def ratios(rows: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Every ratio of some typed rows (``scoring.explain.COLUMNS``)."""
    core = core_columns(rows.lazy()).collect()
    made: pl.DataFrame = explain.ratios(nw.from_native(core, eager_only=True), model, look_up(core, model)).to_native()
    return made


def polars(rows: pl.LazyFrame, model: Model, evidence: pl.DataFrame | None = None) -> Batches:
    """Score in batches with Polars, as one streaming query without a join.

    What a row needs of the look-up tables and of its evidence is fetched by place and laid beside it, so that no row
    is ever hashed and the user's own columns go straight through.
    """
    typed = typed_names(rows)
    look_ups = Lookups(model)
    about = None if evidence is None else _Evidence(evidence, rows)

    def joined() -> Batches:
        for batch in rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            parts = [batch, *look_ups.of(batch)]
            parts += [] if about is None else [about.of(batch["_row"])]
            yield pl.concat(parts, how="horizontal")

    batches = joined()
    first = next(batches, None)
    if first is None:
        return

    ahead, begun, done = Semaphore(AHEAD), Event(), Event()

    def produce(*_pushed_down: Any) -> Iterator[pl.DataFrame]:
        for batch in chain((first,), batches):
            # How many the engine wants before it gives its first one depends on its threads: until then, all it asks
            # for. And never wait for good.
            ahead.acquire(blocking=begun.is_set(), timeout=PATIENCE if begun.is_set() else None)
            if done.is_set():
                return
            yield batch

    kept = [name for name in rows.collect_schema().names() if name not in typed]
    source = nw.from_native(register_io_source(produce, schema=first.schema))
    measures = about is not None and about.measures
    wanted = (*kept, *typed)
    scored = assess_joined(source, model, wanted, evidence=about is not None, measures=measures, words=False)
    running = finished(scored.to_native()).collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
    try:
        for batch in running:
            begun.set()
            ahead.release()
            yield batch
    finally:
        # Whoever stops early waits for the query to end: an interpreter that ends while threads of the engine still
        # call it takes the process down. (Once it has begun to end, there is nobody left to wait for.)
        done.set()
        ahead.release()
        if not sys.is_finalizing():
            deque(running, maxlen=0)
            batches.close()


class _Evidence:
    """What is known of sites, fetched by row; a table that does not have the rows of its sites finds them by id."""

    def __init__(self, table: pl.DataFrame, rows: pl.LazyFrame) -> None:
        if "_row" not in table.columns:
            ids = rows.select("_row", "_supplier_id").collect(engine="streaming")
            table = ids.join(table, on="_supplier_id", how="inner")
        ordered = table.sort("_row")
        self.rows = ordered["_row"]
        self.table = ordered.drop("_row", "_supplier_id")
        self.measures = any((self.table[f"{hazard}_ln_measures"] != 0).any() for hazard in HAZARDS)

    def of(self, rows: pl.Series) -> pl.DataFrame:
        """The evidence about some rows, null where there is none."""
        if not self.rows.len():
            return self.table.clear(rows.len())
        at = self.rows.search_sorted(rows).clip(upper_bound=self.rows.len() - 1)
        return self.table[at.set(self.rows.gather(at) != rows, None)]


def typed_names(rows: pl.LazyFrame) -> tuple[str, ...]:
    """The typed columns of an intake's rows."""
    return tuple(name for name in rows.collect_schema().names() if name in TYPED)


TYPED: Final = frozenset(
    {
        *CORE,
        "_line",
        "_division_confidence",
        "_name",
        "_women_share",
        "_spend_eur",
        "_buyer_share",
        "_lat",
        "_lng",
        "_address",
        "_parent_company",
        "_lei",
        "_os_id",
        "_duns",
        "_predecessor_id",
        "_activity",
    }
)


@contextmanager
def locked_duckdb(allowed: Path, *, memory_limit: str = "4GB", threads: int | None = None) -> Iterator[Any]:
    """A DuckDB connection that reads and writes below one folder only, and can load or reach nothing else."""
    import duckdb as module  # noqa: PLC0415 - only where DuckDB is asked for

    connection = module.connect(":memory:")
    try:
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET memory_limit = ?", [memory_limit])
        if threads:
            connection.execute("SET threads = ?", [threads])
        connection.execute("SET temp_directory = ?", [str(allowed / "spill")])
        connection.execute("SET allowed_directories = [?]", [str(allowed)])
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def duckdb_engine(rows: pl.LazyFrame, model: Model, evidence: pl.DataFrame | None = None) -> Batches:
    """Score with DuckDB: rows go to a scratch Parquet file; one query runs the core, larger than memory if need be."""
    typed = typed_names(rows)
    with TemporaryDirectory(prefix="vigilance-") as scratch:
        folder = Path(scratch).resolve()
        source = folder / "sites.parquet"
        rows.with_columns(pl.col("_zone").fill_null(cells.NO_ZONE)).sink_parquet(source)
        with locked_duckdb(folder) as connection:
            sites = nw.from_native(connection.read_parquet(str(source)))
            placed = _duckdb_tables(connection, sites, model, evidence)
            columns = [name for name in pl.scan_parquet(source).collect_schema().names() if name not in typed]
            scored = assess(sites, model, placed, (*columns, *typed), words=False).sort("_row").to_native()
            yield from _in_batches(scored, folder, connection)


def _duckdb_tables(connection: duckdb.DuckDBPyConnection, sites: Any, model: Model, evidence: Any) -> Tables:
    def distinct(key: tuple[str, ...]) -> Any:
        return sites.select(*key).unique().collect("polars").sort(*key)

    made = tables(model, distinct(cells.KEY), distinct(patterns.KEY))

    def placed(frame: Any) -> Any:
        return nw.from_native(connection.from_arrow(frame.to_arrow()))

    given = None if evidence is None else placed(nw.from_native(evidence.drop("_row", strict=False), eager_only=True))
    return Tables(placed(made.cells), placed(made.patterns), given)


def _in_batches(scored: Any, folder: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[pl.DataFrame]:
    target = folder / "scored.parquet"
    scored.write_parquet(str(target))
    order = [*SCORES, *PLACE]
    frame = pl.scan_parquet(target)
    names = frame.collect_schema().names()
    ordered = finished(frame.select([*(n for n in names if n not in order), *order]))
    del connection
    yield from ordered.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)


ENGINES: Final[dict[str, Engine]] = {"polars": polars, "duckdb": duckdb_engine}
SPARK: Final = "spark"
"""Comes with the extra of that name, and is imported when it is asked for."""


def engine(name: str) -> Engine:
    """An engine by name. Raises ``UsageError`` when there is none of that name."""
    if name == SPARK:
        from vigilance import spark  # noqa: PLC0415 - an extra

        return spark.engine
    if name not in ENGINES:
        raise UsageError(
            _("there is no engine {name}").format(name=name),
            hint=_("engines: {names}").format(names=", ".join((*ENGINES, SPARK))),
        )
    return ENGINES[name]
