"""The main job: supplier files in, a run folder out.

intake = read(...)  →  engine scores the rows  →  ranks, words  →  a folder that appears whole
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance import atomic, engines, evidence, ingest, issues, models, run, tabular, typed_columns
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.ranking import RANKS, with_ranks
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.scoring.assess import PLACE, SCORES
from vigilance.scoring.model import Model
from vigilance.summary import Summary
from vigilance.wording import Words, in_words
from vigilance.writing import ROW_GROUP, Written, row_groups, to_files, to_parquet

_ = messages("run")

RATIO_ROWS: Final = 50_000
"""Sites whose ratios are written at once; each has about forty."""
RANKED_ROWS: Final = 2_000_000
"""Rows of a list that is held in memory once more, to be ranked; the ranks of a longer one are null."""
SPREADSHEET_ROWS: Final = 1_048_576
"""What a sheet of a spreadsheet program holds; a longer list is written as Parquet only, unless asked for."""
RESULTS: Final = frozenset({*SCORES, *PLACE, *RANKS})


Refine = Callable[[pl.DataFrame, Model, "pl.DataFrame | None", int], pl.DataFrame]


@dataclass(frozen=True)
class Job:
    """What to score and how. ``out`` None means a new folder beside the first input."""

    inputs: Sequence[str | Path]
    on: date
    out: Path | None = None
    lang: str = "en"
    engine: str = "polars"
    csv: bool | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    strict: bool = False
    max_rejected: float = 0.05
    explain: bool = False
    evidence: Mapping[str, Path] = field(default_factory=dict)
    decisions: Path | None = None
    draws: int = 0
    refine: Refine | None = None
    """With ``draws``, what replaces the closed-form intervals by that many joint draws."""


@dataclass(frozen=True)
class Outcome:
    """A finished job: the run, what to say of it, and whether it was already there."""

    run: run.Run
    summary: Summary
    issues: pl.DataFrame
    set_aside: int
    already: bool = False


Progress = Callable[[str, int], None]


def score(job: Job, facts: Facts, judgements: Judgements, progress: Progress = lambda _stage, _rows: None) -> Outcome:
    """Score supplier files into a run folder.

    Raises ``InputRefused`` when a file cannot be used or too many rows are set aside, ``UsageError`` when ``out`` is
    taken by another run.
    """
    started = time.perf_counter()
    progress("read", 0)
    intake = ingest.read(
        job.inputs, on=job.on, reference=facts, mapping=job.mapping, encoding=job.encoding, strict=job.strict
    )
    refuse_too_many(intake, job.max_rejected)
    if not intake.counts["loaded"]:
        raise InputRefused(_("there is no supplier row to score"), hint=_("give a file with rows below its header"))
    intake = own_names_apart(intake)
    given = evidence.read(job.evidence, intake.rows, facts, judgements, job.decisions)
    for table in given.intakes.values():
        refuse_too_many(table, job.max_rejected)
    read = Read(intake, given)
    identity = _identity(job, read, facts, judgements)
    target = job.out or default_folder(job, identity)
    there = _already(target, identity)
    if there is not None:
        return Outcome(there, _summary_of(there), read.issues, read.set_aside, already=True)
    model = evidence.informed(models.in_force(facts, judgements), given.frames)
    with atomic.folder(target) as folder:
        summary = Summary()
        stands = typed_columns.decided(read.sites, engines.typed_names(read.sites.rows))
        with (
            ThreadPoolExecutor(1) as pool,
            closing(scored(read, model, job, summary, progress, stands.written)) as batches,
        ):
            # Beside the scores, in the language in use.
            beside = pool.submit(copy_context().run, _write_evidence, folder, given)
            written = _write(folder, batches, job, stands)
            beside.result()
        if job.explain:
            _write_ratios(folder, read, model, job.on)
        issues_of(read, folder)
        outputs = _outputs(folder, written)
        meta = _record(outputs, identity, read, summary, stands, time.perf_counter() - started)
        (folder / run.RECORD).write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Outcome(run.open_run(target), summary, read.issues, read.set_aside)


def _other_names(name: str) -> Iterator[str]:
    """``own_x``, ``own_own_x`` and so on: names for a column whose own is taken."""
    while True:
        name = f"own_{name}"
        yield name


def own_names_apart(intake: ingest.Intake) -> ingest.Intake:
    """Rename the user's columns that are called like a result (an exported list scored again), aloud."""
    taken = [name for name in intake.rows.collect_schema().names() if name in RESULTS]
    if not taken:
        return intake
    there = set(intake.rows.collect_schema().names())
    renamed = {name: next(n for n in _other_names(name) if n not in there) for name in taken}
    told = issues.frame(
        issues.issue(
            "column_named_like_a_result",
            _("the scores have a column of this name"),
            severity="warning",
            file=intake.sources[0].file,
            column=name,
            hint=_("yours is kept as {name}").format(name=other),
        )
        for name, other in renamed.items()
    )
    rows = intake.rows.rename(renamed)
    unchanged = {typed: renamed.get(own, own) for typed, own in intake.unchanged.items()}
    return replace(intake, rows=rows, issues=issues.ordered([intake.issues, told]), unchanged=unchanged)


@dataclass(frozen=True)
class Read:
    """Everything that was read: the sites and their evidence."""

    sites: ingest.Intake
    given: evidence.Given

    @property
    def intakes(self) -> list[ingest.Intake]:
        """The supplier list first, then the evidence tables."""
        return [self.sites, *self.given.intakes.values()]

    @property
    def issues(self) -> pl.DataFrame:
        """All issues of all files, in order."""
        return issues.ordered([intake.issues for intake in self.intakes])

    @property
    def set_aside(self) -> int:
        """Rows set aside over all files."""
        return sum(intake.counts["set_aside"] for intake in self.intakes)


def refuse_too_many(intake: ingest.Intake, limit: float) -> None:
    """Raise ``InputRefused`` when a larger share of rows was set aside than allowed, or none is left."""
    counts = intake.counts
    read = counts["rows_in"] - counts["blank"]
    aside = counts["set_aside"]
    if read and aside / read > limit:
        raise InputRefused(
            _("{aside} of {read} rows were set aside, more than the limit of {limit:.0%}").format(
                aside=aside, read=read, limit=limit
            )
            + "\n"
            + _first_issues(intake.issues),
            hint=_("correct them (`vigilance check` writes a corrected copy), or raise --max-rejected"),
        )


def _first_issues(found: pl.DataFrame, count: int = 5) -> str:
    errors = found.filter(pl.col("severity") == "error").head(count)
    return "\n".join(
        "  " + _("{file}, row {row}, {column}: {value}: {message}").format(**row)
        for row in errors.iter_rows(named=True)
    )


def scored(
    read: Read, model: Model, job: Job, summary: Summary, progress: Progress, typed: Collection[str] | None = None
) -> engines.Batches:
    """Scored batches in input order, in words, with ranks when the list is one batch.

    ``typed`` names the typed columns that are wanted, by default all; those that nobody wants cost time and memory.
    """
    rows = read.sites.rows
    unwanted: set[str] = set()
    if typed is not None and job.refine is None:
        # The summary shows the name, and a list without a column for the id takes the one that was read.
        unwanted = {*engines.typed_names(rows)} - {*typed, "_name", "_supplier_id"}
    known = evidence.table(rows, read.given.frames, model.judgements, job.on, read.given.places)
    whole = read.sites.counts["loaded"] <= RANKED_ROWS
    summary.ranked = whole
    if job.refine is not None and not whole:
        raise UsageError(_("the list is too long for --draws"), hint=_("leave --draws out, or split the list"))
    words = Words()
    with closing(engines.engine(job.engine)(rows.drop(unwanted - {*engines.CORE}), model, known)) as made:
        batches = (batch.drop(unwanted & {*engines.CORE}) for batch in made)
        for batch in _at_once(batches) if whole else row_groups(batches):
            drawn = batch if job.refine is None else job.refine(batch, model, known, job.draws)
            frame = in_words(with_ranks(drawn, whole=whole), words)
            summary.add(frame)
            progress("score", frame.height)
            yield frame


def _at_once(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """One frame that is the whole list, so that it can be ranked."""
    if held := list(batches):
        yield pl.concat(held)


def _columns(frame_columns: Iterable[str]) -> list[str]:
    """The columns of scores.parquet among those of a scored batch."""
    results = [*SCORES, *PLACE, *RANKS]
    own = [name for name in frame_columns if name not in engines.TYPED and name not in results]
    if "supplier_id" in own:
        own = ["supplier_id", *(name for name in own if name != "supplier_id")]
    return [*own, *results]


def _write(folder: Path, batches: Iterator[pl.DataFrame], job: Job, stands: typed_columns.Stands) -> dict[str, Written]:
    """The tables of sites; of those that were hashed while they were written, what they hold."""
    first, following = next(batches), next(batches, None)
    scores, typed = _columns(first.columns), stands.written
    written = {}
    if following is None and first.height <= ROW_GROUP:
        to_parquet(first.select(scores).lazy(), folder / run.SCORES)
        to_parquet(first.select(typed).lazy(), folder / run.SITES)
    else:
        every = chain((first,) if following is None else (first, following), batches)
        written = to_files(row_groups(every), (folder / run.SCORES, scores), (folder / run.SITES, typed))
    if job.csv or (job.csv is None and following is None and first.height < SPREADSHEET_ROWS):
        whole = pl.read_parquet(folder / run.SCORES) if following is not None else first.select(scores)
        tabular.write_csv(whole, folder / "scores.csv", job.lang)
    return written


def _write_evidence(folder: Path, given: evidence.Given) -> None:
    """The typed evidence tables, and the matches with lists for a person to decide."""
    for name, frame in given.frames.items():
        frame.write_parquet(folder / f"{name}.parquet", statistics=False)
    if evidence.MATCHES in given.frames:
        pairs = given.frames[evidence.MATCHES]
        tabular.write_csv(
            pairs.rename({name: name.removeprefix("_") for name in pairs.columns}), folder / "matches.csv"
        )


def _write_ratios(folder: Path, read: Read, model: Model, on: date) -> None:
    """``ratios.parquet``: every ratio of every site, in the order of the list."""
    parts = folder / "ratios"
    parts.mkdir()
    for number, batch in enumerate(read.sites.rows.collect_batches(chunk_size=RATIO_ROWS, maintain_order=True)):
        found = engines.ratios(batch, model)
        told = evidence.lines(batch, read.given.frames, model.judgements, on)
        found = pl.concat([found, told.select(found.columns)], how="vertical_relaxed") if told.height else found
        found.write_parquet(parts / f"{number:06d}.parquet", statistics=False)
    pl.scan_parquet(parts / "*.parquet").sink_parquet(
        folder / run.RATIOS, row_group_size=ROW_GROUP, statistics=False, maintain_order=True
    )
    shutil.rmtree(parts)


def issues_of(read: Read, folder: Path) -> None:
    """Write ``issues.csv``, ``issues.jsonl`` and ``rejected/`` (the rows set aside, as their files have them)."""
    found = read.issues
    tabular.write_csv(found, folder / "issues.csv")
    found.write_ndjson(folder / "issues.jsonl")
    rejected = folder / "rejected"
    rejected.mkdir()
    aside = pl.concat([intake.rejected for intake in read.intakes])
    for number, (_key, rows) in enumerate(aside.group_by("file", "sheet", maintain_order=True)):
        content = b"\n".join(rows["original"].to_list()) + b"\n"
        (rejected / f"rows-{number + 1}.bin").write_bytes(content)
        said = rows.select("file", "sheet", "line", "code")
        tabular.write_csv(said, rejected / f"rows-{number + 1}.csv")


def _identity(job: Job, read: Read, facts: Facts, judgements: Judgements) -> dict[str, Any]:
    """Everything that decides the outputs; the same identity gives the same bytes."""
    return {
        "vigilance": version("vigilance"),
        "on": job.on.isoformat(),
        "lang": job.lang,
        "engine": job.engine,
        "inputs": read.sites.files,
        "evidence": read.given.files,
        "decisions": atomic.digest(job.decisions) if job.decisions else None,
        "rules": {"sha256": judgements.digest, "set": judgements.overrides},
        "facts": {"sha256": facts.digest},
        "mapping": dict(job.mapping),
        "csv": job.csv,
        "explain": job.explain,
        "draws": job.draws,
    }


def identity_digest(identity: Mapping[str, Any]) -> str:
    """sha256 of a run's identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def default_folder(job: Job, identity: Mapping[str, Any]) -> Path:
    """``vigilance-<date>-<digest>`` beside the first input."""
    first = Path(job.inputs[0])
    return first.parent / f"vigilance-{job.on.isoformat()}-{identity_digest(identity)[:8]}"


def _already(target: Path, identity: Mapping[str, Any]) -> run.Run | None:
    """The very same run, when ``target`` already holds it. Raises ``UsageError`` when it holds anything else."""
    if (target / run.RECORD).is_file():
        there = run.open_run(target)
        if there.meta["identity"] == identity_digest(identity):
            there.verify_all()
            return there
        raise UsageError(
            _("{path} holds another run, and is never overwritten").format(path=target), hint=_("give another --out")
        )
    atomic.refuse_existing(target)
    return None


def _outputs(folder: Path, written: Mapping[str, Written]) -> dict[str, dict[str, Any]]:
    """What each file of the run holds; only those that were not hashed while they were written are read again."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            held = written.get(path.name) or Written(atomic.digest(path), path.stat().st_size)
            found[str(path.relative_to(folder))] = {"sha256": held.sha256, "bytes": held.bytes}
    return found


def _record(
    outputs: Mapping[str, Any],
    identity: Mapping[str, Any],
    read: Read,
    summary: Summary,
    stands: typed_columns.Stands,
    seconds: float,
) -> dict[str, Any]:
    found = read.issues
    by_severity = dict(found["severity"].value_counts().sort("severity").iter_rows()) if found.height else {}
    meta: dict[str, Any] = {
        "version": identity["vigilance"],
        **{key: value for key, value in identity.items() if key != "vigilance"},
        "identity": identity_digest(identity),
        "counts": {
            **read.sites.counts,
            "sites": summary.sites,
            "issues": by_severity,
            "evidence": read.given.counts,
        },
        "bands": summary.bands,
        "grades": summary.grades,
        "ranked": summary.ranked,
        "warnings": _warnings(read, summary),
        "sites": asdict(stands),
        "outputs": outputs,
    }
    return {**meta, "seal": run.seal(meta), "seconds": round(seconds, 3)}


def _warnings(read: Read, summary: Summary) -> list[str]:
    said = []
    if read.set_aside:
        said.append(_("{count} rows were set aside; see issues.csv").format(count=read.set_aside))
    if not summary.ranked:
        said.append(_("the list is too long to rank in one go; sort it on <hazard>_p80"))
    return said


def _summary_of(there: run.Run) -> Summary:
    """The summary of a run that is already on the disk."""
    summary = Summary()
    sites = there.sites.select(pl.col("_name")).collect()
    summary.add(pl.concat([there.scores.collect(), sites], how="horizontal"))
    summary.ranked = bool(there.meta["ranked"])
    return summary
