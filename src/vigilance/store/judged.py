"""One week judged: its sites compared with the run before, its ledger, its alerts, their files. Nothing is written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from vigilance.alerts import compare, conditions, decide, emit, reports
from vigilance.alerts.reach import no_reach, reach, with_regions
from vigilance.alerts.sites import SITES, kept
from vigilance.alerts.thresholds import Thresholds, thresholds
from vigilance.evidence import KEPT
from vigilance.i18n import use
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.run import Run
from vigilance.store import schema
from vigilance.store.chain import Record
from vigilance.store.file import Store
from vigilance.store.frames import sha256
from vigilance.store.rescore import Circumstances
from vigilance.store.versions import Past, code
from vigilance.terms import HAZARDS


@dataclass(frozen=True)
class Judged:
    """What a run adds to the store: rows by table, the typed evidence and the outputs as bytes."""

    tables: Mapping[str, pl.DataFrame]
    frames: Mapping[str, bytes]
    files: Mapping[str, bytes]
    suppressions: list[dict[str, Any]]
    counts: dict[str, int]
    revision: int
    compared_to: int | None
    revises: int | None

    @property
    def sent(self) -> int:
        """Alerts that leave."""
        return int(self.tables["alerts"]["sent"].sum())


def judged(
    store: Store,
    run: Run,
    week: str,
    facts: Facts,
    judgements: Judgements,
    budget: int | None,
    replayed: Record | None = None,
) -> Judged:
    """Judge a finished run as the next one of its week.

    With ``replayed``, judge it as that past record was: against the same runs and under the same suppressions.
    """
    revisions = [r for r in store.runs if r.week == week and (replayed is None or r.seq < replayed.seq)]
    before = _before(store, week, replayed)
    bodies = replayed.body["suppressions"] if replayed else _suppressions(store, run.on)
    past = decide.Past(
        before=store.table("alerts", before) if before else decide.no_alerts(),
        this_week=pl.concat([decide.no_alerts(), *(store.table("alerts", r) for r in revisions)]),
        suppressions=[decide.suppression(body) for body in bodies],
    )
    frames = _evidence(run)
    limits = thresholds(judgements)
    now, changes, found = _compared(store, run, before, past, frames, facts, judgements, limits)
    places = with_regions(now.select("supplier_id", "parent", "zone", "country"), facts.table("zones"))
    decided = decide.decide(found, places, past, week, limits, budget)
    sent = decided.filter("sent")
    counts = _counts(now, changes)
    revision = len(revisions) + 1
    concerned = reach(sent, places, _links(frames)) if sent.height else no_reach()
    with use(run.lang):
        files = emit.files(emit.Issue(week, revision, run.on, decided, concerned, counts, run.lang))
    return Judged(
        tables={
            "sites": compare.as_stored(now),
            "ledger": changes if before else changes.clear(),
            "alerts": decide.to_store(decided),
        },
        frames=frames,
        files=files,
        suppressions=list(bodies),
        counts=counts,
        revision=revision,
        compared_to=before.seq if before else None,
        revises=revisions[-1].seq if revisions else None,
    )


def _before(store: Store, week: str, replayed: Record | None) -> Record | None:
    if replayed is None:
        return store.before(week)
    seq = replayed.body["compared_to"]
    return None if seq is None else store.seq(seq)


def _suppressions(store: Store, on: date) -> list[dict[str, Any]]:
    bodies = [dict(r.body) for r in store.records if r.kind == schema.SUPPRESSION]
    return [body for body in bodies if body["on"] <= on.isoformat() <= body["until"]]


def _evidence(run: Run) -> dict[str, bytes]:
    """The typed evidence tables of a run, as the files they are."""
    return {name: (run.path / f"{name}.parquet").read_bytes() for name in KEPT if run.evidence(name) is not None}


def _compared(
    store: Store,
    run: Run,
    before: Record | None,
    past: decide.Past,
    frames: Mapping[str, bytes],
    facts: Facts,
    judgements: Judgements,
    limits: Thresholds,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The sites with what goes on from before, the ledger, and everything that calls for an alert."""
    now = kept(run.scores, run.sites, run.on)
    then = store.table("sites", before) if before else pl.DataFrame(schema=SITES)
    pairs = compare.paired(now, then)
    tables = {name: pl.read_parquet(io.BytesIO(content)) for name, content in frames.items()}
    old_frames: dict[str, pl.DataFrame] | None = None
    only: str | None = None
    found = []
    with TemporaryDirectory(prefix="vigilance-") as scratch:
        if before is None:
            changes = compare.ledger(pairs, then, NoPast())
        else:
            old_frames = _old_frames(store, before)
            earlier = Past(store, before, judgements, facts, Path(scratch))
            around = _circumstances(earlier, before, old_frames, run, facts, judgements, frames)
            changes, only = compare.ledger(pairs, then, around), compare.only_step(around)
            found.append(_conventions(earlier, before, now, facts))
    now = compare.carried(pairs, changes, limits.bands, limits.band_margin, only)
    found += [
        conditions.of_sites(now, changes, limits, decide.open_alerts(past.before), baseline=before is None, only=only),
        conditions.vanished(then, now, limits),
        conditions.stale(now, tables.get("audits"), run.on, limits),
        reports.of_evidence(tables, old_frames, _briefly(now), run.on, limits, judgements),
    ]
    return conditions.told_after(now, limits), changes, pl.concat(found)


def _circumstances(
    past: Past,
    before: Record,
    frames: Mapping[str, pl.DataFrame],
    run: Run,
    facts: Facts,
    judgements: Judgements,
    evidence_now: Mapping[str, bytes],
) -> Circumstances:
    body = before.body
    return Circumstances(
        past=past,
        then=date.fromisoformat(body["on"]),
        now=run.on,
        facts=facts,
        judgements=judgements,
        frames=frames,
        code_changed=body["code"]["sha256"] != code()["sha256"],
        facts_changed=body["facts"]["sha256"] != facts.digest,
        rules_changed=body["rules"]["sha256"] != judgements.digest,
        same_evidence=body["frames"] == {name: sha256(content) for name, content in evidence_now.items()},
    )


@dataclass(frozen=True)
class NoPast:
    """The circumstances of a first run: nothing to compare with."""

    steps: tuple[str, ...] = ()
    same_evidence: bool = True

    def rescored(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Nothing."""
        del rows
        return {}


def _links(frames: Mapping[str, bytes]) -> pl.DataFrame | None:
    return pl.read_parquet(io.BytesIO(frames["links"])) if "links" in frames else None


def _old_frames(store: Store, before: Record) -> dict[str, pl.DataFrame]:
    return {name: pl.read_parquet(io.BytesIO(store.blob(digest))) for name, digest in before.body["frames"].items()}


def _conventions(past: Past, before: Record, now: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    then = past.facts(date.fromisoformat(before.body["on"]))
    return reports.of_conventions(facts.ratification_status(), then.ratification_status(), _briefly(now))


def _briefly(now: pl.DataFrame) -> pl.DataFrame:
    """The sites as conditions in the evidence need them; ``priority`` in thousandths."""
    worst = (pl.max_horizontal(f"{hazard}_priority" for hazard in HAZARDS) * 1000 + 0.5).floor().cast(pl.Int64)
    return now.select("supplier_id", "name", "zone", "country", "parent", priority=worst)


def _counts(now: pl.DataFrame, changes: pl.DataFrame) -> dict[str, int]:
    by_kind = dict(changes.group_by("kind").agg(pl.col("supplier_id").n_unique()).iter_rows())
    kinds = (compare.APPEARED, compare.MOVED, compare.VANISHED)
    same = pl.col("origin") == pl.col("supplier_id")
    visible = pl.any_horizontal(
        (pl.col(f"{h}_score") - pl.col(f"was_{h}_score")).abs() >= compare.SHOWN_UNITS for h in HAZARDS
    )
    changed = int(now.select((same & visible).sum()).item())
    return {"sites": now.height, compare.CHANGED: changed, **{kind: int(by_kind.get(kind, 0)) for kind in kinds}}
