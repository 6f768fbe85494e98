"""The weekly run: score, compare with the run before, decide what is told, keep it all at once, hand it over.

The run and its alerts are committed together, with the bytes of every output, before anything is handed over; handing
over is a record of its own. A run that is killed in between is handed over by the next one, and never twice into the
same folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance import atomic, pipeline, reference, rules
from vigilance.alerts import emit
from vigilance.alerts.decide import no_alerts
from vigilance.alerts.reach import no_reach
from vigilance.alerts.weeks import week_of
from vigilance.errors import InputRefused, OutOfResources, UsageError
from vigilance.i18n import messages
from vigilance.ingest.readers import expand
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.store import lock, schema
from vigilance.store.chain import Record, canonical
from vigilance.store.file import Store, opened
from vigilance.store.frames import sha256
from vigilance.store.judged import Judged, judged
from vigilance.store.versions import code, kept_facts, kept_rules

_ = messages("alerts")


LITTLE_ROOM: Final = 64 * 2**20
"""Bytes: with less than this a failed write is put down to the disk."""


@dataclass(frozen=True)
class Watch:
    """What to run. ``on_given``: a person chose the date (else it is today's); ``budget`` None is the rule's."""

    store: Path
    inputs: Sequence[Path]
    on: date
    on_given: bool = True
    out: Path | None = None
    lang: str = "en"
    engine: str = "polars"
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    strict: bool = False
    max_rejected: float = 0.05
    evidence: Mapping[str, Path] = field(default_factory=dict)
    decisions: Path | None = None
    budget: int | None = None
    changed: Mapping[str, float] = field(default_factory=dict)
    rules_path: Path | None = None
    data_path: Path | None = None
    wait: float = lock.WAIT_SECONDS

    @property
    def week(self) -> str:
        """The ISO week of the run."""
        return week_of(self.on)


@dataclass(frozen=True)
class Result:
    """A finished weekly run: its record, where its outputs are, and whether it was already there."""

    record: Record
    folder: Path | None
    already: bool
    sent: int

    @property
    def summary(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        body = self.record.body
        return {
            "week": self.record.week,
            "revision": self.record.revision,
            "on": body["on"],
            "already": self.already,
            "out": None if self.folder is None else str(self.folder),
            "record": self.record.digest,
            "alerts": self.sent,
            "counts": body["counts"],
            "bands": body["bands"],
        }


@dataclass(frozen=True)
class Prepared:
    """A weekly run with its rules, its facts and its files read."""

    watch: Watch
    judgements: Judgements
    facts: Facts
    files: list[Path]
    digests: Mapping[Path, str]

    def key(self) -> str:
        """What makes two runs of one week the same: inputs, judgements, facts and program version, nothing else."""
        watch = self.watch
        return sha256(
            canonical(
                {
                    "inputs": [[path.name, self.digests[path]] for path in self.files],
                    "evidence": {name: self.digests[path] for name, path in watch.evidence.items()},
                    "decisions": self.digests[watch.decisions] if watch.decisions else None,
                    "mapping": dict(watch.mapping),
                    "encoding": watch.encoding,
                    "rules": self.judgements.digest,
                    "facts": self.facts.digest,
                    "version": code()["version"],
                }
            ).encode()
        )


def prepare(watch: Watch) -> Prepared:
    """Load rules and facts and find the files of a run. Raises ``UsageError`` or ``InputRefused``."""
    judgements = rules.load(watch.rules_path).in_force(watch.on)
    if watch.changed:
        judgements = judgements.with_values(watch.changed)
    facts = reference.load(watch.data_path).in_force(watch.on)
    files = expand(watch.inputs)
    beside = [*watch.evidence.values(), *([watch.decisions] if watch.decisions else [])]
    for path in beside:
        if not path.is_file():
            raise UsageError(_("there is no file {path}").format(path=path))
    return Prepared(watch, judgements, facts, files, {path: atomic.digest(path) for path in (*files, *beside)})


def run(watch: Watch, progress: pipeline.Progress = lambda _stage, _rows: None) -> Result:
    """Make the run of a week, or find that it was already made.

    The same week with the same inputs is not run again and raises nothing; with other inputs it becomes a new revision.
    Errors: ``StoreBusy``, ``InputRefused``, ``UsageError``, ``OutOfResources``; the store is then as it was.
    """
    ready = prepare(watch)
    with opened(watch.store, write=True, create=True, wait=watch.wait) as store:
        last = store.run_of(watch.week)
        key = ready.key()
        if last is not None and last.body["key"] == key:
            return _again(store, last, watch)
        _refuse_backwards(store, watch)
        return _fresh(store, ready, key, progress)


def _refuse_backwards(store: Store, watch: Watch) -> None:
    """Raise ``UsageError`` when today's date lies in a week before the last run: a clock that was set back."""
    runs = store.runs
    if runs and watch.week < runs[-1].week and not watch.on_given:
        raise UsageError(
            _("today is in {week}, but the store already holds {last}").format(week=watch.week, last=runs[-1].name),
            hint=_("check the clock of this machine; to correct an earlier week on purpose, give --on"),
        )


def _fresh(store: Store, ready: Prepared, key: str, progress: pipeline.Progress) -> Result:
    watch = ready.watch
    target = (watch.out or _default_folder(watch, key)).absolute()
    _sweep(target)
    with atomic.folder(target) as folder:
        with _room(target.parent):
            outcome = pipeline.score(_job(ready, folder / "run"), ready.facts, ready.judgements, progress)
        progress("compare", 0)
        found = judged(store, outcome.run, watch.week, ready.facts, ready.judgements, watch.budget)
        body, blobs = _body(ready, key, found, outcome)
        record = store.commit(
            schema.RUN, watch.week, found.revision, body, tables=found.tables, blobs=blobs, folder=str(target)
        )
        _write(folder, found.files)
        late = _write_late(store, record, folder)
    for one in (*late, record):
        _delivered(store, one)
    return Result(record, target, already=False, sent=found.sent)


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Say that the disk is full where Polars, which had no room to write, speaks of a broken file."""
    try:
        yield
    except pl.exceptions.ComputeError as error:
        if shutil.disk_usage(folder).free > LITTLE_ROOM:
            raise
        raise OutOfResources(
            _("no room is left in {path}").format(path=folder),
            hint=_("free some space and start again; nothing was kept"),
        ) from error


def _job(ready: Prepared, out: Path) -> pipeline.Job:
    watch = ready.watch
    return pipeline.Job(
        inputs=ready.files,
        on=watch.on,
        out=out,
        lang=watch.lang,
        engine=watch.engine,
        csv=False,
        mapping=watch.mapping,
        encoding=watch.encoding,
        strict=watch.strict,
        max_rejected=watch.max_rejected,
        evidence=watch.evidence,
        decisions=watch.decisions,
    )


def _body(
    ready: Prepared, key: str, found: Judged, outcome: pipeline.Outcome
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The record of a run, and the files that it refers to by sha256."""
    watch = ready.watch
    blobs: dict[str, bytes] = {}

    def keep(content: bytes) -> str:
        digest = sha256(content)
        blobs[digest] = content
        return digest

    def kept(path: Path) -> dict[str, str]:
        content = path.read_bytes()
        if sha256(content) != ready.digests[path]:
            raise InputRefused(
                _("{path} was changed while it was read").format(path=path), hint=_("start again; nothing was kept")
            )
        return {"name": path.name, "sha256": keep(content)}

    rule_files, rule_bytes = kept_rules(ready.judgements)
    fact_files, fact_bytes = kept_facts(ready.facts)
    blobs |= rule_bytes | fact_bytes
    meta = outcome.run.meta
    body = {
        "on": watch.on.isoformat(),
        "key": key,
        "compared_to": found.compared_to,
        "revises": found.revises,
        "lang": watch.lang,
        "inputs": [kept(path) for path in ready.files],
        "evidence": {name: kept(path) for name, path in sorted(watch.evidence.items())},
        "decisions": kept(watch.decisions) if watch.decisions else None,
        "options": {
            "engine": watch.engine,
            "mapping": dict(watch.mapping),
            "encoding": watch.encoding,
            "strict": watch.strict,
            "max_rejected": watch.max_rejected,
            "budget": watch.budget,
        },
        "rules": {
            "sha256": ready.judgements.digest,
            "book": ready.judgements.book.digest,
            "set": dict(ready.judgements.overrides),
            "files": keep(canonical(rule_files).encode()),
        },
        "facts": {"sha256": ready.facts.digest, "files": keep(canonical(fact_files).encode())},
        "code": code(),
        "run": {"seal": meta["seal"], "outputs": {name: said["sha256"] for name, said in meta["outputs"].items()}},
        "frames": {name: keep(content) for name, content in found.frames.items()},
        "outputs": {name: keep(content) for name, content in found.files.items()},
        "suppressions": found.suppressions,
        "counts": found.counts,
        "bands": meta["bands"],
        "set_aside": outcome.set_aside,
    }
    return body, blobs


def _default_folder(watch: Watch, key: str) -> Path:
    return Path(watch.inputs[0]).parent / f"vigilance-watch-{watch.week}-{key[:8]}"


def _sweep(target: Path) -> None:
    """Remove what a run that was killed left beside its target. The store is ours, so nobody is writing it."""
    for litter in target.parent.glob(f".{target.name}.*.part"):
        shutil.rmtree(litter, ignore_errors=True)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def outputs_of(store: Store, record: Record) -> dict[str, bytes]:
    """The outputs of a run as they were, from the store."""
    return {name: store.blob(digest) for name, digest in record.body["outputs"].items()}


def _write_late(store: Store, record: Record, folder: Path) -> list[Record]:
    """Outputs of earlier runs that were killed before they were handed over: each in a folder of its own."""
    late = [
        one for one in store.runs if one.seq != record.seq and not store.delivered(one) and not _arrived(store, one)
    ]
    for one in late:
        inside = folder / f"late-{one.week}-{one.revision}"
        inside.mkdir()
        _write(inside, outputs_of(store, one))
    arrived = [one for one in store.runs if one.seq != record.seq and not store.delivered(one) and one not in late]
    return [*late, *arrived]


def _delivered(store: Store, record: Record) -> None:
    body = {"run": record.seq, "outputs": dict(record.body["outputs"])}
    store.commit(schema.DELIVERY, record.week, record.revision, body)


def _arrived(store: Store, record: Record) -> Path | None:
    """The folder that holds the outputs of a run although their delivery was not recorded."""
    for name in store.outbox(record):
        folder = Path(name)
        wanted = record.body["outputs"]
        if all((folder / file).is_file() and atomic.digest(folder / file) == digest for file, digest in wanted.items()):
            return folder
    return None


def _again(store: Store, record: Record, watch: Watch) -> Result:
    """The run is there. Hand it over if that never happened; else give a folder that says that nothing is new."""
    sent = 0
    folder: Path | None = watch.out.absolute() if watch.out else None
    there = _arrived(store, record)
    if not store.delivered(record):
        if there is None:
            folder = folder or Path(store.outbox(record)[0])
            if str(folder) not in store.outbox(record):
                store.note_folder(record, str(folder))
            files = outputs_of(store, record)
            _hand_over(folder, files)
            sent = len(files["alerts.jsonl"].splitlines())
        else:
            folder = there
        _delivered(store, record)
    elif folder is not None and folder != there:
        _hand_over(folder, nothing_new(record))
    return Result(record, folder, already=True, sent=sent)


def _hand_over(folder: Path, files: Mapping[str, bytes]) -> None:
    _sweep(folder)
    with atomic.folder(folder) as beside:
        _write(beside, files)


def nothing_new(record: Record) -> dict[str, bytes]:
    """The outputs of a week that was told before: the same files with no alert in them."""
    on = date.fromisoformat(record.body["on"])
    counts = record.body["counts"]
    lang = record.body["lang"]
    return emit.files(emit.Issue(record.week, record.revision, on, no_alerts(), no_reach(), counts, lang))
