"""Looking after a store: check it whole, export it, make it smaller, back it up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance import atomic
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.store import lock, schema
from vigilance.store.chain import Record, canonical
from vigilance.store.file import Store, attached, opened, reading, unlocked
from vigilance.store.head import refuse_foreign, refuse_missing, write_head

_ = messages("alerts")

ORDER: Final = {
    "sites": ["run", "row"],
    "ledger": ["run", "supplier_id", "hazard"],
    "alerts": ["run", "urgency", "id"],
}


def check(path: Path, wait: float = lock.WAIT_SECONDS) -> dict[str, Any]:
    """Verify everything that a store holds: the chain, every row of every run, every kept file.

    Gives the counts of what was found whole. Raises ``InputRefused`` that names the first thing that is not, and the
    last good run.
    """
    with opened(path, wait=wait) as store:
        for record in store.runs:
            for name in schema.TABLES:
                store.table(name, record)
            for digest in sorted(_files_of(store, record)):
                store.blob(digest)
        _refuse_strays(store)
        undelivered = [record.name for record in store.runs if not store.delivered(record)]
        last = store.runs[-1] if store.runs else None
        return {
            "store": str(path),
            "version": schema.VERSION,
            "records": len(store.records),
            "runs": len(store.runs),
            "last_run": last.name if last else None,
            "head": store.records[-1].digest if store.records else None,
            "undelivered": undelivered,
            "bytes": path.stat().st_size,
        }


def _refuse_strays(store: Store) -> None:
    """Rows or files that no record speaks of: somebody else wrote into the store."""
    known = pl.DataFrame({"run": [record.seq for record in store.runs]}, schema={"run": pl.Int64})
    with reading(store.path, store.records):
        for name in schema.TABLES:
            rows = store.connection.execute(f"SELECT DISTINCT run FROM {name}").fetchall()  # noqa: S608 - a fixed list
            strays = {row[0] for row in rows} - set(known["run"])
            if strays:
                raise InputRefused(
                    _("{path}: the table {table} holds rows that no run wrote").format(path=store.path, table=name)
                )


def _files_of(store: Store, record: Record) -> set[str]:
    """The sha256 of every file that a run's record refers to."""
    body = record.body
    found = {body["rules"]["files"], body["facts"]["files"], *body["frames"].values(), *body["outputs"].values()}
    found |= {said["sha256"] for said in (*body["inputs"], *body["evidence"].values())}
    if body["decisions"]:
        found.add(body["decisions"]["sha256"])
    for part in ("rules", "facts"):
        found |= set(json.loads(store.blob(body[part]["files"])).values())
    return found


def export(path: Path, out: Path, wait: float = lock.WAIT_SECONDS) -> dict[str, int]:
    """Write the records (JSON lines) and the tables (Parquet) of a store into a folder, sorted; rows by table.

    Two stores with the same content export the same bytes, however their files differ.
    """
    with opened(path, wait=wait) as store, atomic.folder(out) as folder:
        counts = {"records": len(store.records)}
        lines = [
            canonical(
                {
                    "seq": r.seq,
                    "kind": r.kind,
                    "week": r.week,
                    "revision": r.revision,
                    "body": r.body,
                    "digest": r.digest,
                }
            )
            for r in store.records
        ]
        (folder / "records.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        for name, columns in schema.TABLES.items():
            parts = [
                store.table(name, record).select(
                    pl.lit(record.seq).alias("run"), pl.lit(record.week).alias("week"), *columns
                )
                for record in store.runs
            ]
            empty = pl.DataFrame(schema={"run": pl.Int32, "week": pl.String, **columns})
            frame = pl.concat([empty, *parts]).sort(ORDER[name])
            frame.write_parquet(folder / f"{name}.parquet", statistics=False)
            counts[name] = frame.height
        return counts


def backup(path: Path, out: Path, wait: float = lock.WAIT_SECONDS) -> dict[str, Any]:
    """A verified copy of a store and its head file under another name. Raises ``UsageError`` where ``out`` is taken."""
    if out.exists():
        raise UsageError(_("{path} is already there, and is never overwritten").format(path=out))
    _copy(path, out, wait)
    return check(out, wait)


def compact(path: Path, wait: float = lock.WAIT_SECONDS) -> dict[str, int]:
    """Write a store anew without the space that it no longer uses; it is replaced once the copy is verified."""
    refuse_missing(path)
    before = path.stat().st_size
    fresh = path.with_name(f".{path.name}.{os.getpid()}.compact")
    try:
        with lock.held(path, write=True, wait=wait):
            refuse_foreign(path)
            _copy_tables(path, fresh)
            fresh.replace(path)
            atomic.sync(path.parent)
    finally:
        for leftover in (fresh, fresh.with_name(fresh.name + ".wal"), fresh.with_name(fresh.name + ".lock")):
            leftover.unlink(missing_ok=True)
    return {"before": before, "after": path.stat().st_size}


def _copy(path: Path, out: Path, wait: float) -> None:
    refuse_missing(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with lock.held(path, write=True, wait=wait):
            refuse_foreign(path)
            records = _copy_tables(path, beside)
        beside.replace(out)
        atomic.sync(out.parent)
        if records:
            write_head(out, records)
    finally:
        beside.unlink(missing_ok=True)


def _copy_tables(path: Path, fresh: Path) -> list[Record]:
    """Copy a store, verified row by row, into a new file. The caller holds the lock."""
    import duckdb  # noqa: PLC0415 - only where a store is copied

    with unlocked(path) as store:
        made = attached(fresh)
        try:
            for name, columns in schema.TABLES.items():
                for record in store.runs:
                    frame = store.table(name, record)
                    made.register("incoming", frame.to_arrow())
                    listed = ", ".join(columns.names())
                    made.execute(f"INSERT INTO {name} (run, {listed}) SELECT ?, {listed} FROM incoming", [record.seq])  # noqa: S608
                    made.unregister("incoming")
            for name in ("records", "blobs", "outbox"):
                rows = store.connection.sql(f"SELECT * FROM {name} ORDER BY ALL").to_arrow_table()  # noqa: S608
                made.register("incoming", rows)
                made.execute(f"INSERT INTO {name} SELECT * FROM incoming")  # noqa: S608 - a fixed list
                made.unregister("incoming")
            made.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise InputRefused(_("{path} could not be copied: {reason}").format(path=path, reason=error)) from error
        finally:
            made.close()
        atomic.sync(fresh)
        return list(store.records)
