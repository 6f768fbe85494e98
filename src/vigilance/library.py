"""Vigilance from Python: the same reading, scoring and explaining as the command line, on files or on frames.

``score`` reads a list, scores it and keeps the result in memory (``Scored``); with ``out`` it also writes the run
folder that the command line would. What goes wrong is a ``VigilanceError`` with a message and a hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import narwhals.stable.v2 as nw
import polars as pl

from vigilance import engines, explanation, ingest, models, pipeline, reference, rules
from vigilance import evidence as evidence_
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import LANGUAGES, messages, use
from vigilance.ranking import RANKS
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.run import Run, open_run
from vigilance.scoring.assess import PLACE, SCORES
from vigilance.scoring.country import country_index
from vigilance.scoring.country_term import country_rates
from vigilance.summary import Summary
from vigilance.terms import HAZARDS

_ = messages("run")

INDEX_PARTS: Final = ("structure", "process", "outcome", "index", "index_5_years_before", "coverage")
CONVENTIONS: Final = ("c029", "c105", "c138", "c182", "p029")
IN_SCORES: Final = ("ratio", "rate")
NAME: Final = "frame"
"""What a table without a file is called in issues and in a run's record."""


@dataclass(frozen=True)
class _Held(Run):
    """A run that lives in memory."""

    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @cached_property
    def scores(self) -> pl.LazyFrame:
        """See ``Run.scores``."""
        return self.tables["scores"].lazy()

    @cached_property
    def sites(self) -> pl.LazyFrame:
        """See ``Run.sites``."""
        return self.tables["sites"].lazy()

    def evidence(self, name: str) -> pl.LazyFrame | None:
        """See ``Run.evidence``."""
        return self.tables[name].lazy() if name in self.tables else None


@dataclass(frozen=True)
class Scored:
    """A scored list.

    ``scores`` has one row per site in input order: the user's columns as text, then ``SCORES``, ``PLACE`` and
    ``RANKS`` (docs/outputs.md). ``issues`` holds what was wrong in the input (``issues.SCHEMA``). ``summary`` counts
    sites by band and grade and names the rules and facts, under the names of ``run.json``. ``run`` is the run: in its
    folder when ``out`` was given, else in memory.
    """

    scores: pl.DataFrame
    issues: pl.DataFrame
    summary: Mapping[str, Any]
    run: Run
    _rules: Path | None = field(default=None, repr=False)
    _data: Path | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """One line: the tables themselves are printed by those who ask for them."""
        counts = self.summary["counts"]
        said = f"{counts['sites']} sites on {self.summary['on']}, {counts['set_aside']} rows set aside"
        return f"Scored({said}: .scores, .issues, .summary, .run)"

    def explain(self, supplier_id: str, *, lang: str = "en") -> dict[str, Any]:
        """Everything behind the scores of one site; see ``explain``."""
        return explain(self, supplier_id, lang=lang)


def score(
    source: Any,
    *,
    on: date | str | None = None,
    lang: str = "en",
    engine: str = "polars",
    set: Mapping[str, float] | None = None,  # noqa: A002 - the name of the option
    mapping: Mapping[str, str] | None = None,
    evidence: Mapping[str, Any] | None = None,
    decisions: str | Path | None = None,
    encoding: str | None = None,
    strict: bool = False,
    max_rejected: float = 0.05,
    out: str | Path | None = None,
    rules: str | Path | None = None,
    data: str | Path | None = None,
) -> Scored:
    """Score a list of supplier sites.

    ``source`` is a path, several paths, or a table in memory: Polars, pandas, Arrow, a DuckDB relation. ``on`` is the
    date as of which everything is known (today by default); ``set`` changes judgements by their path; ``mapping`` is
    column → header; ``evidence`` gives further tables, each a path or a table in memory (``audits``, ``findings``,
    ``grievances``, ``events``, ``measures``, ``lists``, ``links``, ``audit_statistics``); ``out`` also writes a run
    folder. Rows that cannot be used are set aside, with their issues; more than the share ``max_rejected`` of them
    refuses the list.

    Raises ``UsageError`` for an argument that cannot be used, ``InputRefused`` for a list that cannot, ``RuleError``
    for wrong rule files.
    """
    with use(_language(lang)), TemporaryDirectory(prefix="vigilance-") as scratch:
        day = _day(on)
        judgements = _judgements(rules, day, set)
        facts = reference.load(_path(data)).in_force(day)
        _known_tables(evidence or {})
        job = pipeline.Job(
            inputs=_paths(source) if _is_paths(source) else (),
            on=day,
            out=_path(out),
            lang=lang,
            engine=engine,
            mapping=dict(mapping or {}),
            encoding=encoding,
            strict=strict,
            max_rejected=max_rejected,
            evidence={name: _file(table, name, scratch) for name, table in (evidence or {}).items()},
            decisions=_path(decisions),
        )
        engines.engine(engine)
        folders = _path(rules), _path(data)
        if job.out is None:
            return _held(job, source, facts, judgements, folders)
        job = replace(job, inputs=job.inputs or (_file(source, NAME, scratch),))
        run = pipeline.score(job, facts, judgements).run
        return Scored(run.scores.collect(), run.issues, run.meta, run, *folders)


def _held(
    job: pipeline.Job,
    source: Any,
    facts: Facts,
    judgements: Judgements,
    folders: tuple[Path | None, Path | None],
) -> Scored:
    """Score in memory."""
    intake = _read(job, source, facts)
    pipeline.refuse_too_many(intake, job.max_rejected)
    if not intake.counts["loaded"]:
        raise InputRefused(_("there is no supplier row to score"), hint=_("give a file with rows below its header"))
    intake = pipeline.own_names_apart(intake)
    given = evidence_.read(job.evidence, intake.rows, facts, judgements, job.decisions)
    for table in given.intakes.values():
        pipeline.refuse_too_many(table, job.max_rejected)
    read = pipeline.Read(intake, given)
    summary = Summary()
    model = evidence_.informed(models.in_force(facts, judgements), given.frames)
    # Words are enumerations inside a batch, and each batch has its own.
    coded = pl.selectors.enum() | pl.selectors.categorical()
    with closing(pipeline.scored(read, model, job, summary, lambda _stage, _rows: None)) as batches:
        whole = pl.concat(batch.with_columns(coded.cast(pl.String)) for batch in batches)
    typed = [name for name in whole.columns if name in engines.TYPED]
    results = [*SCORES, *PLACE, *RANKS]
    own = [name for name in whole.columns if name not in engines.TYPED and name not in results]
    scores = whole.select(*own, *results)
    said = {
        "on": job.on.isoformat(),
        "lang": job.lang,
        "engine": job.engine,
        "rules": {"sha256": judgements.digest, "set": dict(judgements.overrides)},
        "facts": {"sha256": facts.digest},
        "counts": {**intake.counts, "sites": summary.sites, "evidence": given.counts},
        "bands": {str(hazard): counted for hazard, counted in summary.bands.items()},
        "grades": {str(hazard): counted for hazard, counted in summary.grades.items()},
        "ranked": summary.ranked,
    }
    tables = {"scores": scores, "sites": whole.select(typed), **given.frames}
    run = _Held(path=Path(NAME), meta={**said, "outputs": {}}, tables=tables)
    return Scored(scores, read.issues, said, run, *folders)


def explain(
    run: Scored | Run | str | Path,
    supplier_id: str,
    *,
    lang: str = "en",
    rules: str | Path | None = None,
    data: str | Path | None = None,
) -> dict[str, Any]:
    """Everything behind the scores of one site, as ``vigilance explain --json`` gives it (docs/outputs.md).

    ``run`` is what ``score`` gave, an open run or its folder; ``rules`` and ``data`` name the folders that the run
    used, where they are not the shipped ones. The lines are recomputed and held against what the run says: raises
    ``InputRefused`` when they differ, ``UsageError`` for an unknown site.
    """
    with use(_language(lang)):
        if isinstance(run, Scored):
            return explanation.site(run.run, supplier_id, _path(rules) or run._rules, _path(data) or run._data)
        opened = run if isinstance(run, Run) else open_run(run)
        return explanation.site(opened, supplier_id, _path(rules), _path(data))


def countries(
    *,
    on: date | str | None = None,
    lang: str = "en",
    set: Mapping[str, float] | None = None,  # noqa: A002 - the name of the option
    rules: str | Path | None = None,
    data: str | Path | None = None,
) -> pl.DataFrame:
    """The country index as of a date, both hazards, sorted by code (docs/country-index.md).

    One row per ILO member, and per other country of which anything is known: ``iso3, name, ilo_region``; per hazard
    ``<h>_structure, _process, _outcome, _index, _index_5_years_before`` (0 to 1, higher is worse, null unknown) and
    ``_coverage`` (share of the inputs known); per convention its status; per hazard what scores make of the index,
    ``<h>_ratio`` (to the average of the region) and ``<h>_rate`` (people affected per 1,000 employed).
    """
    with use(_language(lang)):
        day = _day(on)
        facts = reference.load(_path(data)).in_force(day)
        judgements = _judgements(rules, day, set)
        index = country_index(facts, judgements)
        rates: pl.DataFrame = country_rates(facts, judgements, index).to_native()
    names = facts.table("countries").select("iso3", pl.col(f"name_{lang}").alias("name"), "ilo_member")
    known = pl.any_horizontal(pl.col(f"{hazard}_index").is_not_null() for hazard in HAZARDS)
    parts = [f"{hazard}_{part}" for hazard in HAZARDS for part in INDEX_PARTS]
    shown: pl.DataFrame = index.to_native()
    return (
        shown.join(rates, on="iso3", how="left")
        .join(names, on="iso3", how="left")
        .filter(known | pl.col("ilo_member"))
        .select("iso3", "name", "ilo_region", *parts, *CONVENTIONS, *(f"{h}_{m}" for h in HAZARDS for m in IN_SCORES))
        .sort("iso3")
    )


def _read(job: pipeline.Job, source: Any, facts: Facts) -> ingest.Intake:
    if job.inputs:
        return ingest.read(
            job.inputs, on=job.on, reference=facts, mapping=job.mapping, encoding=job.encoding, strict=job.strict
        )
    return ingest.from_frame(
        _polars(source), on=job.on, reference=facts, mapping=job.mapping, strict=job.strict, name=NAME
    )


def _polars(source: Any) -> pl.DataFrame:
    """A table in memory as a Polars frame."""
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    try:
        frame = nw.from_native(source)
    except TypeError as error:
        raise UsageError(
            _("{kind} is neither a path nor a table that can be read").format(kind=type(source).__name__),
            hint=_("give a path, or a Polars, pandas, Arrow or DuckDB table"),
        ) from error
    eager = frame.collect(backend="polars") if isinstance(frame, nw.LazyFrame) else frame
    return eager.to_polars()


def _file(source: Any, name: str, folder: str) -> Path:
    """A path as it is; a table in memory as a Parquet file in the folder, whose digest a run records."""
    if isinstance(source, (str, Path)):
        return Path(source)
    path = Path(folder) / f"{name}.parquet"
    _polars(source).write_parquet(path)
    return path


def _is_paths(source: Any) -> bool:
    listed = [source] if isinstance(source, (str, Path)) else source
    return isinstance(listed, (list, tuple)) and bool(listed) and all(isinstance(p, (str, Path)) for p in listed)


def _paths(source: Any) -> tuple[Path, ...]:
    listed: Iterable[str | Path] = [source] if isinstance(source, (str, Path)) else source
    return tuple(Path(path) for path in listed)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _judgements(folder: str | Path | None, day: date, changed: Mapping[str, float] | None) -> Judgements:
    judgements = rules.load(_path(folder)).in_force(day)
    return judgements.with_values(changed) if changed else judgements


def _day(given: date | str | None) -> date:
    if given is None:
        return datetime.now().astimezone().date()
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise UsageError(_("{text} is not a date").format(text=repr(given)), hint=_("write it as 2026-11-01")) from None


def _language(lang: str) -> str:
    if lang not in LANGUAGES:
        raise UsageError(
            _("there are no texts in {lang}").format(lang=repr(lang)),
            hint=_("languages: {names}").format(names=", ".join(LANGUAGES)),
        )
    return lang


def _known_tables(given: Mapping[str, Any]) -> None:
    unknown = sorted(given.keys() - frozenset(evidence_.TABLES))
    if unknown:
        raise UsageError(
            _("there is no evidence table {names}").format(names=", ".join(unknown)),
            hint=_("tables: {names}").format(names=", ".join(evidence_.TABLES)),
        )
