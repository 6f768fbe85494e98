"""A screening from files to a folder: read, match, expose, combine, write; one function, no printing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance import atomic, issues, tabular
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.portfolio import declared, disclosures, engagement, holdings, inputs, issuers, screen, view
from vigilance.portfolio.company import AXES
from vigilance.portfolio.scorer import Scorer
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.terms import HAZARDS

_ = messages("portfolio")

RECORD: Final = "portfolio.json"
FILES: Final = (
    "issuers.csv",
    "contributions.csv",
    "portfolio.json",
    "disclosures.json",
    "engagement.csv",
    "positions.csv",
    "set_apart.csv",
    "matches.csv",
    "issues.csv",
    "issues.jsonl",
)


@dataclass(frozen=True)
class Job:
    """What to screen. ``previous``: the folder of an earlier screening. ``matches``: decided near names.

    ``io_table``: the folder of an input-output table that pymrio saved.
    """

    holdings: Sequence[Path]
    on: date
    out: Path | None = None
    lang: str = "en"
    issuers: Path | None = None
    suppliers: Sequence[Path] = ()
    answers: Path | None = None
    links: Path | None = None
    benchmark: Sequence[Path] = ()
    previous: Path | None = None
    matches: Path | None = None
    io_table: Path | None = None
    max_rejected: float = 0.05
    strict: bool = False


@dataclass(frozen=True)
class Result:
    """What was made: the folder, the portfolio view, the issuers and the issues; ``already`` when it was there."""

    path: Path
    portfolio: dict[str, Any]
    issuers: pl.DataFrame
    issues: pl.DataFrame
    rejected: int
    already: bool = False


@dataclass(frozen=True)
class _Read:
    """One set of holdings, screened."""

    holdings: holdings.Holdings
    issuers: issuers.Issuers
    screening: screen.Screening
    extra: pl.DataFrame


def run(job: Job, facts: Facts, judgements: Judgements) -> Result:
    """Screen and write. Nothing is written when the input is refused; an existing folder is never overwritten."""
    identity = _identity(job, facts, judgements)
    target = job.out or _beside(job, identity)
    there = _already(target, identity)
    if there is not None:
        return there
    scorer = Scorer(facts, judgements)
    world = _world(job, facts, judgements)
    mine = _screened(job, job.holdings, facts, judgements, world, scorer, own=True)
    names, activities = facts.names("countries"), facts.names("activities")
    mine = _read_aloud(mine, names, activities)
    seen = view.portfolio(mine.holdings, mine.issuers, mine.screening)
    if job.benchmark:
        other = _screened(job, job.benchmark, facts, judgements, world, scorer, own=False)
        seen["benchmark"] = view.against(mine.screening, other.screening)
    if job.previous is not None:
        seen["change"] = view.change(_previous(job.previous), mine.screening.issuers)
    seen["run"] = identity
    found = issues.ordered([mine.extra, mine.holdings.issues, mine.issuers.issues, mine.screening.issues])
    _write(target, job, facts, judgements, mine, seen, found)
    return Result(target, seen, mine.screening.issuers, found, mine.holdings.rejected)


def _world(job: Job, facts: Facts, judgements: Judgements) -> inputs.World:
    """The shipped footprint and upstream shares, or those of the user's input-output table."""
    if job.io_table is None:
        return inputs.world(facts, judgements)
    from vigilance.portfolio import io_tables  # noqa: PLC0415 - an extra

    return io_tables.load(job.io_table, facts)


def _screened(
    job: Job,
    paths: Sequence[Path],
    facts: Facts,
    judgements: Judgements,
    world: inputs.World,
    scorer: Scorer,
    *,
    own: bool,
) -> _Read:
    """Read one set of holdings and screen it; the side files serve the portfolio and its benchmark alike."""
    held = holdings.read(paths, job.on)
    _refuse_too_many(held, job)
    extra: list[pl.DataFrame] = []
    said = _side(job.issuers, "issuers", extra)
    answers = _side(job.answers, "questionnaire", extra)
    known = issuers.build(
        held.lines,
        facts,
        declared=said,
        answers=answers,
        decided=_side(job.matches, "decisions", extra),
        asked=judgements.value("portfolio.match.asked"),
    )
    sites = _sites(job, known, facts, scorer, extra)
    links = _side(job.links, "links", extra)
    found = screen.screen(known, world, judgements, scorer.cells, sites=sites, links=links)
    read = _Read(held, known, found, issues.ordered(extra))
    if own and job.strict:
        _refuse_errors(issues.ordered([read.extra, held.issues, known.issues, found.issues]))
    return read


def _side(path: Path | None, table: str, extra: list[pl.DataFrame]) -> pl.DataFrame | None:
    if path is None:
        return None
    frame, problems = declared.read(path, table)
    extra.append(problems)
    return frame


def _refuse_too_many(held: holdings.Holdings, job: Job) -> None:
    share = held.rejected / max(held.rows, 1)
    if share > job.max_rejected:
        raise InputRefused(
            _("{n} of {rows} lines cannot be read, more than --max-rejected allows").format(
                n=held.rejected, rows=held.rows
            ),
            hint=_first(held.issues),
        )
    if held.lines.is_empty():
        late = held.apart.filter(pl.col("reason") == "after_the_date").height
        raise InputRefused(
            _("The files hold no position in scope: only cash, derivatives or funds."),
            hint=_("{n} lines are dated after --on {on}.").format(n=late, on=job.on) if late else None,
        )


def _refuse_errors(found: pl.DataFrame) -> None:
    errors = found.filter(pl.col("severity") == "error")
    if errors.height:
        raise InputRefused(_("{n} errors, and --strict").format(n=errors.height), hint=_first(errors))


def _first(found: pl.DataFrame) -> str:
    errors = found.filter(pl.col("severity") == "error").head(3)
    return "\n  ".join(f"{r['file']}:{r['row']}: {r['message']} ({r['value']})" for r in errors.iter_rows(named=True))


def _sites(
    job: Job, known: issuers.Issuers, facts: Facts, scorer: Scorer, extra: list[pl.DataFrame]
) -> pl.DataFrame | None:
    """Suppliers of the common lists and of each issuer's own, scored as sites."""
    found = [_list(path, None, job, known, facts, scorer, extra) for path in job.suppliers]
    base = job.issuers.parent if job.issuers is not None else Path()
    for issuer, name in known.lists.iter_rows():
        found.append(_list(base / name, issuer, job, known, facts, scorer, extra))
    return pl.concat(found) if found else None


def _list(
    path: Path,
    issuer: str | None,
    job: Job,
    known: issuers.Issuers,
    facts: Facts,
    scorer: Scorer,
    extra: list[pl.DataFrame],
) -> pl.DataFrame:
    """One list of suppliers; without an issuer of its own, the parent company of each row says whose it is."""
    from vigilance import ingest  # noqa: PLC0415 - only lists of suppliers pay for it

    if not path.exists():
        raise InputRefused(_("{path}: no such list of suppliers").format(path=path))
    intake = ingest.read(path, "suppliers", on=job.on, reference=facts, strict=job.strict)
    extra.append(intake.issues)
    rows = intake.rows.collect()
    scored = scorer.sites(rows)
    owner = pl.lit(issuer, dtype=pl.String).alias("issuer")
    if issuer is None:
        owner = pl.col("_owner").alias("issuer")
        rows = _owned(rows, known.names)
    return rows.join(scored, on="_row", how="left").select(
        pl.col("_supplier_id").alias("site"),
        owner,
        pl.col("_iso3").alias("iso3"),
        pl.col("_division").alias("division"),
        pl.col("_tier").cast(pl.Int8).alias("tier"),
        *inputs.MEASURES,
    )


def _owned(rows: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The issuer that the parent company of each row names, by LEI, ISIN, id or name; null when none."""
    from vigilance.portfolio.identity import plain_name  # noqa: PLC0415 - beside its only use

    if "_parent_company" not in rows.columns:
        return rows.with_columns(_owner=pl.lit(None, dtype=pl.String))
    exact = rows.join(names, left_on="_parent_company", right_on="key", how="left", maintain_order="left")
    exact = exact.rename({"issuer": "_exact"}).with_columns(_plain=plain_name("_parent_company"))
    both = exact.join(names, left_on="_plain", right_on="key", how="left", maintain_order="left")
    return both.with_columns(_owner=pl.coalesce("_exact", "issuer")).drop("_exact", "_plain", "issuer")


def _previous(folder: Path) -> pl.DataFrame:
    """Issuers of an earlier screening, by id, with weight and inherent presence."""
    path = folder / "issuers.csv"
    if not (folder / RECORD).is_file() or not path.is_file():
        raise UsageError(_("{path} is not the folder of a screening").format(path=folder))
    record = json.loads((folder / RECORD).read_bytes())
    french = record["run"]["lang"] == "fr"
    text = pl.read_csv(path, infer_schema=False, separator=";" if french else ",")
    wanted = ["weight", *(f"{h}_inherent_p50" for h in HAZARDS)]
    number = [pl.col(c).str.replace(",", ".", literal=True).cast(pl.Float64).alias(c) for c in wanted]
    return text.select(pl.col("issuer_id").alias("issuer"), *number)


def _identity(job: Job, facts: Facts, judgements: Judgements) -> dict[str, Any]:
    """Everything that decides the outputs, in the order a reader wants it."""
    given: dict[str, list[Path]] = {
        "holdings": list(job.holdings),
        "issuers": [job.issuers] if job.issuers else [],
        "suppliers": list(job.suppliers),
        "answers": [job.answers] if job.answers else [],
        "links": [job.links] if job.links else [],
        "benchmark": list(job.benchmark),
        "matches": [job.matches] if job.matches else [],
        "previous": [job.previous / RECORD] if job.previous else [],
    }
    if job.io_table is not None:
        given["io_table"] = sorted(path for path in job.io_table.rglob("*") if path.is_file())
    read = {name: [_file(path) for path in paths] for name, paths in given.items() if paths}
    return {
        "vigilance": version("vigilance"),
        "on": job.on.isoformat(),
        "lang": job.lang,
        "inputs": read,
        "rules": {"sha256": judgements.digest, "set": dict(judgements.overrides)},
        "facts": {"sha256": facts.digest},
    }


def _file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputRefused(_("{path}: no such file").format(path=path))
    return {"file": path.name, "sha256": atomic.digest(path), "bytes": path.stat().st_size}


def _digest(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _beside(job: Job, identity: Mapping[str, Any]) -> Path:
    return Path(job.holdings[0]).parent / f"vigilance-{job.on.isoformat()}-{_digest(identity)[:8]}"


def _already(target: Path, identity: dict[str, Any]) -> Result | None:
    """The very same screening, when the folder holds it; ``UsageError`` when the folder holds anything else."""
    record = target / RECORD
    if record.is_file():
        seen: dict[str, Any] = json.loads(record.read_bytes())
        if seen.get("run") == identity:
            rejected = seen["coverage"]["set_apart"].get("unreadable", {}).get("lines", 0)
            return Result(target, seen, pl.DataFrame(), issues.frame(), rejected, already=True)
    atomic.refuse_existing(target)
    return None


def _write(
    target: Path, job: Job, facts: Facts, judgements: Judgements, mine: _Read, seen: dict[str, Any], found: pl.DataFrame
) -> None:
    names, activities = facts.names("countries"), facts.names("activities")
    asked = engagement.engagement(mine.screening, judgements, names, activities)
    with atomic.folder(target) as folder:
        tabular.write_csv(issuer_rows(mine.screening), folder / "issuers.csv", job.lang)
        tabular.write_csv(mine.screening.contributions, folder / "contributions.csv", job.lang)
        tabular.write_csv(asked.rename({"issuer": "issuer_id"}), folder / "engagement.csv", job.lang)
        tabular.write_csv(position_rows(mine.issuers.lines), folder / "positions.csv", job.lang)
        tabular.write_csv(mine.holdings.apart, folder / "set_apart.csv", job.lang)
        tabular.write_csv(mine.issuers.undecided, folder / "matches.csv", job.lang)
        tabular.write_csv(found, folder / "issues.csv", job.lang)
        found.write_ndjson(folder / "issues.jsonl")
        _json(folder / RECORD, seen)
        lines = disclosures.disclosures(mine.screening, mine.issuers.answers, judgements)
        _json(folder / "disclosures.json", lines | {"run": seen["run"]})


def _json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def position_rows(lines: pl.DataFrame) -> pl.DataFrame:
    """``positions.csv``: from each line of the files to its issuer."""
    return lines.select(
        file="_file",
        row="_row",
        fund="fund",
        issuer_id="issuer",
        name="name",
        isin="isin",
        kind="kind",
        weight="weight",
        country="iso3",
        country_from="country_from",
    )


def issuer_rows(found: screen.Screening) -> pl.DataFrame:
    """``issuers.csv``: who, how much, how known, then both hazards side by side, then the axes."""
    measured = [
        f"{h}_{name}"
        for h in HAZARDS
        for name in (
            *("inherent_p05", "inherent_p50", "inherent_p80", "inherent_p95", "inherent_score", "inherent_band"),
            *("residual_p05", "residual_p50", "residual_p80", "residual_p95", "residual_score", "residual_band"),
            *(
                "gap",
                "operations_p50",
                "operations_p80",
                "operations_band",
                "upstream_p50",
                "at_risk_share",
                "at_risk_tier_share",
            ),
        )
    ]
    axes = [name for a in AXES for name in (f"axis_{a}", f"axis_{a}_state")]
    return found.issuers.rename({"issuer": "issuer_id", "iso3": "country"}).select(
        *("issuer_id", "name", "lei", "isin", "ticker", "country", "country_from", "activity", "industry"),
        *("weight", "value", "exposure_source", "coverage", "known_suppliers"),
        *measured,
        *axes,
        *("effort", "residual_state"),
    )


def _read_aloud(read: _Read, names: dict[str, str], activities: dict[str, str]) -> _Read:
    """The same with countries and activities called by their names."""
    named = _named(read.screening.contributions, names, activities)
    return replace(read, screening=replace(read.screening, contributions=named))


def _named(contributions: pl.DataFrame, names: dict[str, str], activities: dict[str, str]) -> pl.DataFrame:
    """Countries and activities by their names, in the language of the run."""
    label = (
        pl.when(pl.col("dimension") == "country")
        .then(pl.col("key").replace(names))
        .when(pl.col("dimension") == "activity")
        .then(pl.col("key").replace(activities))
        .otherwise("label")
    )
    return contributions.with_columns(label=label)
