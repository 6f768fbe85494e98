"""Spark: the one scoring core on Spark DataFrames, for lists that outgrow a machine (docs/spark.md).

    score_dataframe(sites, model("2026-11-01")).write.parquet("hdfs:///scores")     # on a cluster of your own
    vigilance score suppliers.csv --engine spark --master local[2]                   # from the command line

Only expressions of Spark itself run on the executors, so nothing of this project has to be installed there. Needs
``pip install vigilance[spark]`` and a Java runtime, 17 or newer.
"""

from __future__ import annotations

import math
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import date
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import polars as pl

from vigilance import drivers, engines, reference, rules
from vigilance.errors import UsageError, VigilanceError
from vigilance.i18n import messages, use
from vigilance.scoring import cells, lines, patterns
from vigilance.scoring.assess import PLACE, SCORES, Tables, assess, tables
from vigilance.scoring.model import Model, build

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_ = messages("spark")

SITES: Final[Mapping[str, str]] = {
    "_row": "bigint",
    "_supplier_id": "string",
    "_iso3": "string",
    "_division": "string",
    "_tier": "tinyint",
    "_workers": "double",
    "_migrant_share": "double",
    "_factors": "int",
    "_zone": "string",
}
"""The typed columns that ``score_dataframe`` reads, with their Spark types (docs/architecture.md, Sites)."""
SCHEMA: Final = ", ".join(f"{name} {kind}" for name, kind in SITES.items())
"""``SITES`` as Spark writes a schema: for ``spark.read.schema(SCHEMA).csv(...)``."""
TUNED: Final[Mapping[str, str]] = {"spark.sql.codegen.hugeMethodLimit": "8000"}
"""Above 8,000 bytes of byte code the JVM interprets a method instead of compiling it. Scoring is one long pipeline,
which Spark fuses into such a method unless told this limit; then it compiles operator by operator (measured: 5 times as
fast, benchmarks/spark.py).
"""
PIECE_ROWS: Final = 250_000
"""Rows of one scratch file, which is one task."""
ONE_FILE_A_TASK: Final = str(1 << 30)
LOG: Final = "spark.log"

_master: ContextVar[str | None] = ContextVar("vigilance_spark_master", default=None)


def model(on: date | str, *, rules_path: Path | None = None, data_path: Path | None = None) -> Model:
    """The model as of a date, from the shipped rules and facts or from folders of your own."""
    day = date.fromisoformat(on) if isinstance(on, str) else on
    return build(reference.load(data_path).in_force(day), rules.load(rules_path).in_force(day))


def tune(session: SparkSession) -> None:
    """Set what makes scoring fast (``TUNED``) in a session of your own. It holds for the whole session."""
    for name, value in TUNED.items():
        session.conf.set(name, value)


def score_dataframe(
    sites: DataFrame,
    of: Model,
    evidence: DataFrame | pl.DataFrame | None = None,
    *,
    words: bool = True,
    lang: str = "en",
) -> DataFrame:
    """Score typed sites on the cluster that holds them.

    ``sites`` has the columns ``SITES`` (docs/architecture.md, Sites) and any others; they all come back, then
    ``SCORES`` and ``PLACE``. ``evidence`` is what ``vigilance.evidence.table`` makes: one row per site with any.
    ``words`` False leaves the drivers as codes and an unstated zone as the empty word, as the core has them. There are
    no ranks: they need the whole list in one place; sort on ``<h>_p80``. Evaluated at once: the distinct cells and
    patterns (two small jobs); the rest is lazy.

    Raises ``UsageError`` for a missing column, one that is named like a result, and a country or activity that does not
    exist.
    """
    names = sites.columns
    _names_fit(names)
    # Any name goes in a user's own column, one with dots too; the core sees plain ones.
    plain = [name if name in SITES else f"_own_{place}" for place, name in enumerate(names)]
    typed = sites.toDF(*plain).select(*(_typed(name) if name in SITES else name for name in plain))
    keys = (_distinct(typed, cells.KEY), _distinct(typed, patterns.KEY))
    placed = _placed(_tables(of, *keys), typed.sparkSession, evidence)
    scored: DataFrame = assess(nw.from_native(typed), of, placed, plain).to_native()
    worded = _in_words(scored, lang) if words else scored
    return worded.toDF(*names, *SCORES, *PLACE)


def _names_fit(names: Iterable[str]) -> None:
    present = set(names)
    missing = [name for name in SITES if name not in present]
    if missing:
        raise UsageError(
            _("the sites lack the columns {names}").format(names=", ".join(missing)),
            hint=_("docs/architecture.md, Sites, says what each holds"),
        )
    taken = sorted(present & {*SCORES, *PLACE})
    if taken:
        raise UsageError(
            _("columns of the sites are named like results: {names}").format(names=", ".join(taken)),
            hint=_("rename or drop them"),
        )


def _typed(name: str) -> Column:
    """A typed column in its type. No NaN goes in, and an unstated zone is the empty word, so that joins match."""
    from pyspark.sql import functions as F  # noqa: PLC0415, N812

    column = F.col(name).cast(SITES[name])
    if SITES[name] == "double":
        column = F.nanvl(column, F.lit(None).cast("double"))
    if name == "_zone":
        column = F.coalesce(column, F.lit(cells.NO_ZONE))
    return column.alias(name)


def _distinct(frame: DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    found = pl.from_arrow(frame.select(*key).distinct().toArrow())
    if not isinstance(found, pl.DataFrame):  # pragma: no cover - a table never becomes a series
        raise TypeError
    return found.sort(*key)


def _tables(of: Model, cell_keys: pl.DataFrame, pattern_keys: pl.DataFrame) -> Tables:
    empty = sorted({name for keys in (cell_keys, pattern_keys) for name in keys.columns if keys[name].has_nulls()})
    if empty:
        raise UsageError(
            _("the columns {names} have empty cells").format(names=", ".join(empty)),
            hint=_("docs/architecture.md, Sites, says what stands for unknown"),
        )
    try:
        return tables(of, _eager(cell_keys), _eager(pattern_keys))
    except (KeyError, IndexError) as error:
        raise UsageError(_("a site is where or what no table knows: {what}").format(what=error.args[0])) from error


def _eager(frame: pl.DataFrame) -> Any:
    return nw.from_native(frame, eager_only=True)


def _placed(made: Tables, session: SparkSession, evidence: DataFrame | pl.DataFrame | None) -> Tables:
    """The look-up tables on the cluster: cells and patterns broadcast, evidence joined as Spark sees fit."""
    from pyspark.sql import functions as F  # noqa: PLC0415, N812

    def small(frame: Any) -> Any:
        return nw.from_native(F.broadcast(_sent(frame.to_native(), session)))

    given = _sent(evidence.drop("_row", strict=False), session) if isinstance(evidence, pl.DataFrame) else evidence
    return Tables(small(made.cells), small(made.patterns), None if given is None else nw.from_native(given))


def _sent(frame: pl.DataFrame, session: SparkSession) -> DataFrame:
    with _undisturbed():
        return session.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without what pyspark has to say of a new pandas, which has no part in a transfer through Arrow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _in_words(scored: DataFrame, lang: str) -> DataFrame:
    """Drivers as a person reads them, and an unstated zone as nothing.

    A word is the title of a line, from a map in the plan, and its ratio, from a small table of every strength.
    """
    from pyspark.sql import functions as F  # noqa: PLC0415, N812

    with use(lang):
        titles = {lines.CODE[line]: drivers.title(line) for line in lines.LINES}
        steps = range(1, lines.STRONGEST + 1)
        ratios = {sign * step: drivers.ratio(math.exp(sign * step * lines.STEP)) for step in steps for sign in (-1, 1)}
    title = F.create_map(*(F.lit(part) for pair in titles.items() for part in pair))
    table = pl.DataFrame({"_step": list(ratios), "_ratio": list(ratios.values())}, schema_overrides={"_step": pl.Int32})
    small = F.broadcast(_sent(table, scored.sparkSession))

    def worded(frame: DataFrame, name: str) -> DataFrame:
        code = F.col(name)
        size = F.floor((code % lines.RAISES) / lines.LINE_PLACES).cast("int")
        step = F.when(code >= lines.RAISES, size).otherwise(-size)
        text = F.concat(F.element_at(title, (code % lines.LINE_PLACES).cast("int")), F.lit(" "), F.col("_ratio"))
        joined = frame.withColumn("_step", step).join(small, on="_step", how="left")
        return joined.withColumn(name, F.when(code == 0, "").otherwise(text)).drop("_step", "_ratio")

    found = reduce(worded, (name for name in SCORES if "_driver_" in name), scored)
    zone = F.nullif(F.col("zone_code"), F.lit(cells.NO_ZONE))
    return found.withColumn("zone_code", zone).select(*scored.columns)


def chosen(engine: str, master: str | None) -> AbstractContextManager[None]:
    """What a command is run in: ``on(master)`` for the engine ``spark``. Raises ``UsageError`` as ``on`` does."""
    if engine == engines.SPARK:
        return on(master)
    if master is not None:
        raise UsageError(_("--master goes with --engine spark"))
    return nullcontext()


@contextmanager
def on(master: str | None) -> Iterator[None]:
    """Run the Spark engine on a master (``local[2]``, ``spark://host:7077``, ``yarn``) inside a ``with`` block.

    Without one, on every core of this machine. Raises ``UsageError`` when pyspark or Java is missing.
    """
    ready()
    token = _master.set(master)
    try:
        yield
    finally:
        _master.reset(token)


@contextmanager
def session(folder: Path) -> Iterator[SparkSession]:
    """A Spark session: the active one, if there is one, which stays; else one of our own, which ends with the block.

    ``folder`` takes what Spark spills and says. Raises ``UsageError`` when pyspark or Java is missing, or no session
    can be had from the master.
    """
    ready()
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    own = _started(folder)
    try:
        yield own
    finally:
        own.stop()


def _started(folder: Path) -> SparkSession:
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    master = None if submitted else _master.get() or "local[*]"
    conf = SparkConf(loadDefaults=False).setAll(list(settings(folder, master).items()))
    log = folder / LOG
    try:
        # What the JVM says while it starts goes to a file; nothing of it is a message of ours.
        with log.open("wb") as said, _undisturbed():
            if SparkContext._gateway is None:
                gateway = launch_gateway(conf, None if submitted else {"stderr": said})
            else:
                gateway = SparkContext._gateway
            return SparkSession(SparkContext(conf=conf, gateway=gateway))
    except _failures() as error:
        raise UsageError(
            _("Spark does not start on {master}: {said}").format(master=master or "spark-submit", said=_reason(error)),
            hint=_last_line(log),
        ) from error


def settings(folder: Path, master: str | None) -> dict[str, str]:
    """The configuration of a session of our own: quiet, no web page, no Hive, spilling into ``folder``."""
    found = {
        "spark.app.name": "vigilance",
        "spark.eventLog.enabled": "false",
        "spark.local.dir": str(folder / "local"),
        "spark.log.level": "ERROR",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # A task is a file of the scratch folder, never two packed together, so that the input order survives.
        "spark.sql.files.maxPartitionBytes": ONE_FILE_A_TASK,
        "spark.sql.files.openCostInBytes": ONE_FILE_A_TASK,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **TUNED,
    }
    if master is not None:
        found["spark.master"] = master
        if master.startswith("local"):
            found |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
            found["spark.driver.memory"] = os.environ.get("SPARK_DRIVER_MEMORY", "2g")
    return found


def _failures() -> tuple[type[Exception], ...]:
    """What Spark raises: its own errors, and those of the bridge to the JVM, which have no types to import."""
    return import_module("pyspark.errors").PySparkException, import_module("py4j.protocol").Py4JError


def ready() -> None:
    """Raise ``UsageError`` when pyspark or Java is missing."""
    if find_spec("pyspark") is None:
        raise UsageError(_("pyspark is not installed"), hint="pip install 'vigilance[spark]'")
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return
    if found is None:
        raise UsageError(
            _("Spark needs a Java runtime, and there is none"), hint=_("install Java 17 or newer, or set JAVA_HOME")
        )


def _reason(error: Exception) -> str:
    """The line of a Spark error that says what happened; the rest is a trace of the JVM."""
    java = getattr(error, "java_exception", None)
    text = str(java) if java is not None else str(error)
    return text.strip().split("\n", 1)[0]


def _last_line(log: Path) -> str | None:
    """The last thing that the JVM said for a person: no line of a trace."""
    said = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return next((line for line in reversed(said) if line[:1].isalpha()), None)


def engine(rows: pl.LazyFrame, of: Model, evidence: pl.DataFrame | None = None) -> engines.Batches:
    """Score with Spark: rows go to scratch Parquet files, a task each, and come back in input order.

    The user's own columns stay in the scratch files; Spark reads the typed ones only. On a cluster the scratch folder
    (``TMPDIR``) has to be one that every machine sees.
    """
    with TemporaryDirectory(prefix="vigilance-") as scratch:
        folder = Path(scratch).resolve()
        with session(folder) as running:
            source, target = folder / "sites", folder / "scored"
            keys = _spilled(rows, source)
            if keys is None:
                return
            _run(running, (source, target, folder / "evidence.parquet"), of, keys, evidence)
            yield from _beside(source, target)


def _spilled(rows: pl.LazyFrame, source: Path) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Write the rows as numbered Parquet files; the distinct cells and patterns, or nothing when there is no row."""
    source.mkdir()
    met: dict[tuple[str, ...], list[pl.DataFrame]] = {cells.KEY: [], patterns.KEY: []}
    batches = rows.collect_batches(chunk_size=PIECE_ROWS, maintain_order=True)
    for number, batch in enumerate(batch for batch in batches if batch.height):
        core = batch.with_columns(pl.col("_zone").fill_null(cells.NO_ZONE))
        for key, found in met.items():
            found.append(core.select(*key).unique())
        core.write_parquet(source / f"{number:08d}.parquet", compression="lz4")
    if not met[cells.KEY]:
        return None
    one, other = (pl.concat(found).unique().sort(*key) for key, found in met.items())
    return one, other


def _run(
    running: SparkSession,
    paths: tuple[Path, Path, Path],
    of: Model,
    keys: tuple[pl.DataFrame, pl.DataFrame],
    evidence: pl.DataFrame | None,
) -> None:

    source, target, spilled = paths
    try:
        given = None
        if evidence is not None:
            evidence.drop("_row", strict=False).write_parquet(spilled)
            given = running.read.parquet(spilled.as_uri())
        sites = running.read.parquet(source.as_uri()).select(*engines.CORE)
        placed = _placed(_tables(of, *keys), running, given)
        assess(nw.from_native(sites), of, placed, words=False).to_native().write.parquet(target.as_uri())
    except _failures() as error:
        raise VigilanceError(
            _("Spark stopped: {said}").format(said=_reason(error)),
            hint=_("on a cluster, TMPDIR must name a folder that every machine sees"),
        ) from error


def _beside(source: Path, target: Path) -> Iterator[pl.DataFrame]:
    """The user's columns with their scores, in batches and in input order."""
    sites, scored = pl.scan_parquet(source / "*.parquet"), engines.finished(pl.scan_parquet(target / "*.parquet"))
    typed = engines.typed_names(sites)
    for batch in sites.collect_batches(chunk_size=engines.BATCH_ROWS, maintain_order=True):
        first, last = batch["_row"].min(), batch["_row"].max()
        mine = scored.filter(pl.col("_row").is_between(first, last)).collect().sort("_row")
        if not mine["_row"].equals(batch["_row"]):
            raise VigilanceError(_("Spark gave back other rows than it was given"))
        kept = [name for name in batch.columns if name not in typed]
        yield pl.concat([batch.select(*kept, *typed), mine.drop("_row")], how="horizontal")
