"""A past run made again from the store alone, and held against what it was, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vigilance import atomic, pipeline, reference, rules
from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.store import lock
from vigilance.store.chain import Record
from vigilance.store.file import Store, opened
from vigilance.store.frames import frame_digest, sha256
from vigilance.store.judged import Judged, judged
from vigilance.store.versions import Past, code

_ = messages("alerts")


@dataclass(frozen=True)
class Replayed:
    """A run made again. ``differ`` names the outputs and tables that are not what they were; ``why`` says what else."""

    record: Record
    folder: Path
    same: tuple[str, ...]
    differ: tuple[str, ...]
    why: tuple[str, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "week": self.record.week,
            "revision": self.record.revision,
            "out": str(self.folder),
            "identical": not self.differ,
            "same": list(self.same),
            "differ": list(self.differ),
            "why": list(self.why),
        }


def find(store: Store, week: str, revision: int | None) -> Record:
    """The record of a week's run, its last revision by default. Raises ``UsageError`` with the weeks there are."""
    found = [r for r in store.runs if r.week == week and (revision is None or r.revision == revision)]
    if found:
        return found[-1]
    known = ", ".join(r.name for r in store.runs[-6:]) or "-"
    raise UsageError(_("the store holds no run of {week}").format(week=week), hint=_("runs: {runs}").format(runs=known))


def replay(path: Path, week: str, out: Path, revision: int | None = None, wait: float = lock.WAIT_SECONDS) -> Replayed:
    """Make the run of a week again into a new folder and compare every output with its sha256 in the store.

    Errors: as ``file.opened``; ``UsageError`` for a week that is not there or an ``out`` that is taken.
    """
    with opened(path, wait=wait) as store, TemporaryDirectory(prefix="vigilance-") as scratch:
        record = find(store, week, revision)
        with atomic.folder(out.absolute()) as folder:
            judgement, meta = _again(store, record, Path(scratch), folder)
            for name, content in judgement.files.items():
                (folder / name).write_bytes(content)
            then, now = _expected(record), _made(judgement, meta)
    same = tuple(sorted(name for name, digest in then.items() if now.get(name) == digest))
    differ = tuple(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))
    return Replayed(record, out, same, differ, _why(record) if differ else ())


def _again(store: Store, record: Record, scratch: Path, folder: Path) -> tuple[Judged, Mapping[str, Any]]:
    on = date.fromisoformat(record.body["on"])
    past = Past(store, record, rules.load().in_force(on), reference.load().in_force(on), scratch)
    judgements, facts = past.judgements(on), past.facts(on)
    options = record.body["options"]
    outcome = pipeline.score(
        pipeline.Job(
            inputs=[_unpacked(store, said, scratch / f"input-{n}") for n, said in enumerate(record.body["inputs"])],
            on=on,
            out=folder / "run",
            lang=record.body["lang"],
            engine=options["engine"],
            csv=False,
            mapping=options["mapping"],
            encoding=options["encoding"],
            strict=options["strict"],
            max_rejected=options["max_rejected"],
            evidence={n: _unpacked(store, said, scratch / n) for n, said in record.body["evidence"].items()},
            decisions=_unpacked(store, record.body["decisions"], scratch / "decisions")
            if record.body["decisions"]
            else None,
        ),
        facts,
        judgements,
    )
    found = judged(store, outcome.run, record.week, facts, judgements, options["budget"], record)
    return found, outcome.run.meta


def _unpacked(store: Store, said: Mapping[str, str], folder: Path) -> Path:
    """A kept file under its own name in a folder of its own: two inputs may have the same name."""
    folder.mkdir(parents=True)
    path = folder / said["name"]
    path.write_bytes(store.blob(said["sha256"]))
    return path


def _expected(record: Record) -> dict[str, str]:
    body = record.body
    run = {f"run/{name}": digest for name, digest in body["run"]["outputs"].items()}
    tables = {f"store/{name}": said["sha256"] for name, said in body["tables"].items()}
    # run.json also says how many seconds the run took; its seal is over everything else.
    return {**body["outputs"], **run, **tables, "run/run.json": body["run"]["seal"]}


def _made(judgement: Judged, meta: Mapping[str, Any]) -> dict[str, str]:
    outputs = {name: sha256(content) for name, content in judgement.files.items()}
    run = {f"run/{name}": said["sha256"] for name, said in meta["outputs"].items()}
    tables = {f"store/{name}": frame_digest(frame) for name, frame in judgement.tables.items()}
    return {**outputs, **run, **tables, "run/run.json": meta["seal"]}


def _why(record: Record) -> tuple[str, ...]:
    """What of a run cannot be had again: inputs, rules and facts come from the store, the program does not."""
    then, now = record.body["code"], code()
    if then == now:
        return ()
    return (
        _("the program differs: it was {then} ({before}), it is {now} ({after})").format(
            then=then["version"], before=then["sha256"][:12], now=now["version"], after=now["sha256"][:12]
        ),
    )
