"""A store opened: locked, its settings locked down, its chain verified, and one way to add to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from vigilance import atomic
from vigilance.errors import InputRefused, OutOfResources, UsageError
from vigilance.i18n import messages
from vigilance.store import lock, schema
from vigilance.store.chain import GENESIS, Record, canonical, last_good, sealed, verified
from vigilance.store.frames import frame_digest, packed, sha256, unpacked
from vigilance.store.head import head, head_hint, head_path, refuse_foreign, refuse_missing, write_head

if TYPE_CHECKING:
    import duckdb

_ = messages("alerts")

SETTINGS: Final[dict[str, Any]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "preserve_insertion_order": True,
    "memory_limit": "4GB",
}


@dataclass
class Store:
    """An open store. ``records`` is the whole chain, oldest first, already verified."""

    path: Path
    connection: duckdb.DuckDBPyConnection
    records: list[Record] = field(default_factory=list)

    @property
    def runs(self) -> list[Record]:
        """The records of runs, by week and revision."""
        found = [record for record in self.records if record.kind == schema.RUN]
        return sorted(found, key=lambda record: (record.week, record.revision))

    def run_of(self, week: str) -> Record | None:
        """The last revision of a week."""
        found = [record for record in self.runs if record.week == week]
        return found[-1] if found else None

    def before(self, week: str) -> Record | None:
        """The last run of an earlier week: what a run of this week is compared to."""
        found = [record for record in self.runs if record.week < week]
        return found[-1] if found else None

    def seq(self, number: int) -> Record:
        """The record of this number."""
        return self.records[number - 1]

    def delivered(self, run: Record) -> bool:
        """Whether the outputs of a run have been handed over."""
        return any(r.kind == schema.DELIVERY and r.body["run"] == run.seq for r in self.records)

    def table(self, name: str, run: Record) -> pl.DataFrame:
        """The rows that a run added to a table, checked against the run's record.

        Raises ``InputRefused`` when they are not those that were written.
        """
        columns = schema.TABLES[name]
        rows = self._fetch(f"SELECT {', '.join(columns.names())} FROM {name} WHERE run = ?", [run.seq])  # noqa: S608
        frame = rows.cast(columns)
        said = run.body["tables"][name]
        if frame.height != said["rows"] or frame_digest(frame) != said["sha256"]:
            self._refuse(_("the {table} of {week}").format(table=name, week=run.name), run)
        return frame

    def _fetch(self, query: str, values: Sequence[Any]) -> pl.DataFrame:
        with reading(self.path, self.records):
            found = pl.from_arrow(self.connection.sql(query, params=list(values)).to_arrow_table())
        assert isinstance(found, pl.DataFrame)
        return found

    def _refuse(self, what: str, run: Record) -> None:
        raise InputRefused(
            _("{path}: {what} is not what was written (sha256 differs)").format(path=self.path, what=what),
            hint=last_good(record for record in self.records if record.seq < run.seq),
        )

    def blob(self, digest: str) -> bytes:
        """A kept file by its sha256. Raises ``InputRefused`` when it is missing or damaged."""
        with reading(self.path, self.records):
            rows = self.connection.execute("SELECT content FROM blobs WHERE digest = ?", [digest]).fetchall()
        try:
            content = unpacked(rows[0][0]) if rows else b""
        except ValueError:
            content = b""
        if sha256(content) != digest:
            raise InputRefused(
                _("{path}: the kept file {digest} is missing or damaged").format(path=self.path, digest=digest[:12]),
                hint=last_good(self.records),
            )
        return content

    def has_blob(self, digest: str) -> bool:
        """Whether a file of this sha256 is kept."""
        return bool(self.connection.execute("SELECT 1 FROM blobs WHERE digest = ?", [digest]).fetchall())

    def commit(
        self,
        kind: str,
        week: str,
        revision: int,
        body: Mapping[str, Any],
        *,
        tables: Mapping[str, pl.DataFrame] | None = None,
        blobs: Mapping[str, bytes] | None = None,
        folder: str | None = None,
    ) -> Record:
        """Add a record with its rows and files: all of it or nothing.

        ``tables`` are frames with the schemas of ``schema.TABLES``; their digests go into the record. ``folder`` is
        where the outputs of a run are going to be, noted so that a run that was killed can tell whether they arrived.
        Raises ``OutOfResources`` when the disk does not take it; the store is then as it was.
        """
        given = {name: frame.select(schema.TABLES[name].names()) for name, frame in (tables or {}).items()}
        said = {name: {"rows": frame.height, "sha256": frame_digest(frame)} for name, frame in given.items()}
        whole = {**body, "tables": said} if given else dict(body)
        previous = self.records[-1].digest if self.records else GENESIS
        record = sealed(len(self.records) + 1, kind, week, revision, whole, previous)
        with writing(self.path, self.connection):
            self._insert(record, given, blobs or {}, folder)
        self.records.append(record)
        write_head(self.path, self.records)
        return record

    def _insert(
        self, record: Record, tables: Mapping[str, pl.DataFrame], blobs: Mapping[str, bytes], folder: str | None
    ) -> None:
        run = self.connection.execute
        for name, frame in tables.items():
            self.connection.register("incoming", frame.to_arrow())
            columns = ", ".join(frame.columns)
            run(f"INSERT INTO {name} (run, {columns}) SELECT ?, {columns} FROM incoming", [record.seq])  # noqa: S608
            self.connection.unregister("incoming")
        for digest, content in blobs.items():
            if not self.has_blob(digest):
                run("INSERT INTO blobs VALUES (?, ?, ?)", [digest, len(content), packed(content)])
        if folder is not None:
            run("INSERT INTO outbox VALUES (?, ?)", [record.seq, folder])
        body = canonical(record.body)
        values = [record.seq, record.kind, record.week, record.revision, body, record.previous, record.digest]
        run("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def outbox(self, run: Record) -> list[str]:
        """The folders into which the outputs of a run were, or were going to be, written."""
        rows = self.connection.execute("SELECT folder FROM outbox WHERE run = ? ORDER BY folder", [run.seq])
        return [str(row[0]) for row in rows.fetchall()]

    def note_folder(self, run: Record, folder: str) -> None:
        """Note one more folder for the outputs of a run, before they are written."""
        with writing(self.path, self.connection):
            self.connection.execute("INSERT INTO outbox VALUES (?, ?)", [run.seq, folder])


@contextmanager
def reading(path: Path, records: Sequence[Record] = ()) -> Iterator[None]:
    """Turn DuckDB's errors while reading into a refusal that names the store and the last good run."""
    import duckdb  # noqa: PLC0415 - only where a store is read

    try:
        yield
    except duckdb.Error as error:
        raise InputRefused(
            _("{path} cannot be read: {reason}").format(path=path, reason=_first_line(error)),
            hint=last_good(records) if records else head_hint(path),
        ) from error


@contextmanager
def writing(path: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction, on the disk when the block ends. Raises ``OutOfResources`` when it cannot be written."""
    import duckdb  # noqa: PLC0415 - only where a store is written

    try:
        connection.execute("BEGIN TRANSACTION")
        yield
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise OutOfResources(
            _("{path} could not be written: {reason}").format(path=path, reason=_first_line(error)),
            hint=_("nothing of this run was kept; free some space, check the permissions and start again"),
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def opened(
    path: Path, *, write: bool = False, create: bool = False, wait: float = lock.WAIT_SECONDS
) -> Iterator[Store]:
    """Open a store for the time of a block.

    Raises ``UsageError`` when there is none (unless ``create``), ``StoreBusy`` when another process holds it,
    ``InputRefused`` when it is foreign, damaged, older than what was written last or of a newer version.
    """
    if not create:
        refuse_missing(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    with lock.held(path, write=write, wait=wait):
        refuse_foreign(path)
        if not path.exists():
            _make(path)
        with unlocked(path, write=write) as store:
            yield store


@contextmanager
def unlocked(path: Path, *, write: bool = False) -> Iterator[Store]:
    """A store opened and verified by a caller who holds its lock; errors as ``opened``."""
    connection = _connect(path, write=write)
    try:
        store = Store(path, connection)
        if write:
            _migrate(store)
        _verify(store)
        yield store
    finally:
        _close(path, connection)


def attached(path: Path) -> duckdb.DuckDBPyConnection:
    """A new, empty store file, for a caller who fills and closes it."""
    connection = _connect(path, write=True)
    _migrate(Store(path, connection))
    return connection


def _connect(path: Path, *, write: bool) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - only where a store is opened

    try:
        connection = duckdb.connect(str(path), read_only=not write, config=SETTINGS)
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise InputRefused(
            _("{path} cannot be opened as a store: {reason}").format(path=path, reason=_first_line(error)),
            hint=head_hint(path),
        ) from error
    return connection


def _make(path: Path) -> None:
    """A new, empty store. It takes its name when it is whole, so that a kill half-way leaves no file of that name."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _close(path, attached(beside))
        atomic.sync(beside)
        beside.replace(path)
        atomic.sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _close(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    with reading(path):
        connection.close()


def _migrate(store: Store) -> None:
    """Bring a store to the present version, a new one from nothing."""
    import duckdb  # noqa: PLC0415 - only where a store is written

    names = _names(store)
    version = 0 if not names else _version(store, names)
    if version == schema.VERSION:
        return
    _refuse_newer(store.path, version)
    try:
        store.connection.execute("BEGIN TRANSACTION")
        for step in schema.MIGRATIONS[version:]:
            store.connection.execute(step)
        if version == 0:
            store.connection.execute(
                "INSERT INTO about VALUES ('application', ?), ('version', '0')", [schema.APPLICATION]
            )
        store.connection.execute("UPDATE about SET value = ? WHERE key = 'version'", [str(schema.VERSION)])
        store.connection.execute("COMMIT")
    except duckdb.Error as error:
        raise OutOfResources(
            _("{path} could not be written: {reason}").format(path=store.path, reason=_first_line(error))
        ) from error


def _names(store: Store) -> set[str]:
    with reading(store.path):
        rows = store.connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
    return {str(row[0]) for row in rows}


def _version(store: Store, names: set[str]) -> int:
    about: dict[str, str] = {}
    if "about" in names:
        with reading(store.path):
            about = dict(store.connection.execute("SELECT key, value FROM about").fetchall())
    if about.get("application") != schema.APPLICATION or not about.get("version", "").isdigit():
        raise InputRefused(
            _("{path} is a DuckDB file, but not a store of vigilance").format(path=store.path),
            hint=head_hint(store.path),
        )
    return int(about["version"])


def _refuse_newer(path: Path, version: int) -> None:
    if version > schema.VERSION:
        raise InputRefused(
            _("{path} was written by a newer version of vigilance (store version {n})").format(path=path, n=version),
            hint=_("install that version or a later one"),
        )


def _verify(store: Store) -> None:
    version = _version(store, _names(store))
    _refuse_newer(store.path, version)
    if version < schema.VERSION:
        raise UsageError(
            _("{path} is of an older version").format(path=store.path),
            hint=_("`vigilance store compact` brings it forward"),
        )
    with reading(store.path):
        rows = store.connection.execute(
            "SELECT seq, kind, week, revision, body, previous, digest FROM records ORDER BY seq"
        ).fetchall()
    store.records.extend(verified(rows, str(store.path)))
    _against_head(store)


def _against_head(store: Store) -> None:
    known = head(store.path)
    if known is None:
        return
    there = store.records[known["seq"] - 1] if 0 < known["seq"] <= len(store.records) else None
    if there is None or there.digest != known["digest"]:
        raise InputRefused(
            _("{path} is older than what was written last, or another store").format(path=store.path),
            hint=last_good(store.records)
            + "\n  "
            + _("if an older backup was put back on purpose, remove {head}").format(head=head_path(store.path).name),
        )
