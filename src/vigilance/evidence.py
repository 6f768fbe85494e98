"""The evidence files of a run: read, held against the sites, matched with lists, and turned into what the core joins.

Only typed columns go on: the text that somebody wrote in a grievance never leaves the user's own file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import narwhals.stable.v2 as nw
import polars as pl

from vigilance import ingest, issues, matching, orphans, tickets
from vigilance.i18n import messages
from vigilance.ingest import countries
from vigilance.ingest.columns import Text
from vigilance.ingest.intake import REJECTED
from vigilance.ingest.places import Zones
from vigilance.reference import Facts
from vigilance.register import ID, Register, beyond, once_a_day
from vigilance.rules import Judgements
from vigilance.scoring import audit_statistics, measures
from vigilance.scoring import evidence as scoring
from vigilance.scoring.evidence_pieces import Evidence
from vigilance.scoring.model import Model

_ = messages("run")

TABLES: Final = ("audits", "findings", "grievances", "events", "measures", "lists", "links", "audit_statistics")
PRIVATE: Final = frozenset({"grievances"})
"""Tables whose original rows are never copied: they may hold the words of a worker."""
MATCHES: Final = "matches"
USED: Final = ("audits", "findings", "grievances", "events", "measures", MATCHES)
"""Tables that say something of sites by themselves."""
TOLD: Final = ("code", "severity", "message", "hint")
"""What is said of a row that is set aside."""
STATISTICS: Final = audit_statistics.TABLE
KEPT: Final = (*TABLES, MATCHES)
"""The tables that a run keeps, when they were given."""


@dataclass(frozen=True)
class Given:
    """The evidence of a run: typed frames by table, the intakes they came from, and the matches with lists."""

    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    intakes: Mapping[str, ingest.Intake] = field(default_factory=dict)
    places: Mapping[str, pl.Series] = field(default_factory=dict)
    """Of a frame with an id a row, where in the list each site stands, as far as it is known."""

    @property
    def files(self) -> dict[str, list[dict[str, object]]]:
        """Name, sha256 and dialect of each evidence file, by table."""
        return {name: intake.files for name, intake in self.intakes.items()}

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Rows in, loaded, set aside and blank, by table."""
        return {name: intake.counts for name, intake in self.intakes.items()}


def read(
    paths: Mapping[str, Path], sites: pl.LazyFrame, facts: Facts, judgements: Judgements, decisions: Path | None = None
) -> Given:
    """Read evidence files (table name → path) for some typed sites.

    A row about a site that is not in the list is set aside, with an issue. Raises ``InputRefused`` for a file that
    cannot be used.
    """
    if not paths:
        return Given()
    register = Register(sites)
    frames: dict[str, pl.DataFrame] = {}
    intakes: dict[str, ingest.Intake] = {}
    places: dict[str, pl.Series] = {}
    for name, path in paths.items():
        intake = ingest.read([path], name, on=facts.on, reference=facts)
        intake = placed(name, tickets.guarded(intake) if name in PRIVATE else intake, facts)
        intake, frame, found = _of_known_sites(name, intake, register)
        if found is not None and name not in PRIVATE and ID in frame.columns:
            places[name] = found
        frames[name] = _without_words(name, frame, sites, facts, judgements)
        # The user's own text is needed no more, and a long table of it is not held for the rest of the run.
        told = orphans.told_of_elsewhere(name, frame, sites, intake.sources[0].file)
        known = issues.ordered([intake.issues, told]) if told.height else intake.issues
        intakes[name] = replace(intake, rows=frames[name].lazy(), issues=known)
    if "lists" in frames:
        pairs = matching.possible(frames["lists"], sites, judgements)
        decided = matching.read_decisions(decisions) if decisions else matching.DECISION_SCHEMA.to_frame()
        frames[MATCHES] = matching.with_decisions(pairs, decided, facts.on)
    return Given(frames, intakes, places)


def _without_words(
    name: str, frame: pl.DataFrame, sites: pl.LazyFrame, facts: Facts, judgements: Judgements
) -> pl.DataFrame:
    """Grievances and events without what a person may have written into them."""
    if name == "events" and "_source" in frame.columns:
        return frame.with_columns(tickets.masked(pl.col("_source")).alias("_source"))
    if name not in PRIVATE:
        return frame
    zones = set(facts.table("zones")["zone"])
    if "_zone" in frame.columns and "_zone" in sites.collect_schema().names():
        zones |= set(sites.select(pl.col("_zone").unique()).collect(engine="streaming")["_zone"].drop_nulls())
    return tickets.kept(frame, judgements, zones)


def placed(name: str, intake: ingest.Intake, facts: Facts) -> ingest.Intake:
    """The same with countries and zones under their codes, as the sites have them.

    A country that cannot be read is set aside with the hint of the importer; a zone that is in no list keeps its own
    name, in small letters, and finds the sites that name it the same way.
    """
    if name == "grievances" and "_zone" in intake.rows.collect_schema().names():
        return replace(intake, rows=_with_zones(intake.rows, "_zone", pl.lit(value=True), facts))
    if name == STATISTICS:
        return _counted(intake)
    if name != "events":
        return intake
    kind = pl.col("_place_kind")
    rows = _with_zones(intake.rows, "_place", kind.is_in(["zone", "region"]), facts)
    given = rows.filter(kind == "country").select(line="_line", value="_place").collect()
    texts = given["value"].unique(maintain_order=True).to_list()
    readings = dict(zip(texts, countries.resolve(texts), strict=True))
    codes = {text: reading.value for text, reading in readings.items() if reading.value is not None}
    named = pl.when(kind == "country").then(pl.col("_place").replace(codes)).otherwise("_place")
    unread = [
        (text, reading.text.code, reading.text.severity, reading.text.message, reading.text.hint)
        for text, reading in readings.items()
        if reading.value is None and reading.text is not None
    ]
    said = pl.DataFrame(unread, schema=dict.fromkeys(("value", *TOLD), pl.String), orient="row")
    found = given.join(said, on="value", how="inner", maintain_order="left")
    return _without(replace(intake, rows=rows.with_columns(_place=named)), name, "place", found)


def _counted(intake: ingest.Intake) -> ingest.Intake:
    """Audit statistics without the rows whose counts cannot be: they are set aside."""
    lacking = [name for name in ("_iso3", "_division") if name not in intake.rows.collect_schema().names()]
    intake = replace(intake, rows=intake.rows.with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in lacking))
    audits, positives, year = pl.col("_audits"), pl.col("_positives"), pl.col("_year")
    faults = {
        "positives": (
            positives > audits,
            Text("positives_above_audits", "error", _("more positives than audits"), _("correct one of the two")),
        ),
        "audits": (
            audits.is_null() | positives.is_null(),
            Text("value_missing", "error", _("audits and positives are both needed"), _("fill in the cell")),
        ),
        "year": (
            year.is_null() | (year != year.floor()),
            Text("year_unreadable", "error", _("not a year"), _("write the year of the audits, such as 2025")),
        ),
    }
    for column, (wrong, text) in faults.items():
        found = intake.rows.filter(wrong).select(
            line="_line",
            value=pl.col(f"_{column}").cast(pl.String),
            code=pl.lit(text.code),
            severity=pl.lit(text.severity),
            message=pl.lit(text.message),
            hint=pl.lit(text.hint),
        )
        intake = _without(intake, STATISTICS, column, found.collect())
    unplaced = intake.rows.filter(pl.col("_iso3").is_null()).select(pl.len()).collect().item()
    if not unplaced:
        return intake
    told = issues.issue(
        "statistic_without_country",
        _("{rows} rows name no country: they move no site").format(rows=unplaced),
        severity="info",
        file=intake.sources[0].file,
        column=intake.columns.get("country", "country"),
    )
    return replace(intake, issues=issues.ordered([intake.issues, issues.frame([told])]))


def statistics(path: Path, facts: Facts) -> ingest.Intake:
    """The audit statistics of a file, without a list of sites. Raises ``InputRefused`` for one that cannot be used."""
    return placed(STATISTICS, ingest.read([path], STATISTICS, on=facts.on, reference=facts), facts)


def informed(model: Model, frames: Mapping[str, pl.DataFrame]) -> Model:
    """The model with what the audit statistics among the evidence say of its cells, as of its date."""
    given = frames.get(STATISTICS)
    known = None if given is None else nw.from_native(given, eager_only=True)
    return audit_statistics.with_statistics(model, known, model.facts.on)


def _with_zones(rows: pl.LazyFrame, column: str, where: pl.Expr, facts: Facts) -> pl.LazyFrame:
    """Zones by name as their ids, where one country alone has such a name; else in small letters."""
    texts = rows.filter(where).select(column).collect()[column].drop_nulls().unique(maintain_order=True).to_list()
    codes = _zone_ids(texts, facts)
    return rows.with_columns(pl.when(where).then(pl.col(column).replace(codes)).otherwise(column).alias(column))


def _zone_ids(texts: list[str], facts: Facts) -> dict[str, str]:
    """The id of each text that names a zone of one country only; its own small letters otherwise."""
    known = Zones.of(facts)
    ids = {}
    for text in texts:
        found = sorted(set(known.named(text).values()))
        ids[text] = found[0] if len(found) == 1 else " ".join(text.lower().split())
    return ids


def typed(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The typed columns of an intake's rows, and nothing of the user's own text."""
    return rows.select(name for name in rows.collect_schema().names() if name.startswith("_"))


def _of_known_sites(
    name: str, intake: ingest.Intake, register: Register
) -> tuple[ingest.Intake, pl.DataFrame, pl.Series | None]:
    """The typed rows of an intake without those that name a site that is not in the list, which are set aside.

    With them, where in the list the site of each stands, if rows name sites.
    """
    frame = typed(intake.rows).collect(engine="streaming")
    named = orphans.named_sites(name, frame)
    if named is None:
        return intake, frame, None
    column, ids = named
    places = register.places(ids)
    found = orphans.of_unknown_sites(frame, ids, places)
    if not found.height:
        return intake, frame, places
    kept = ~frame["_line"].is_in(found["line"].implode())
    return _without(intake, name, column, found), frame.filter(kept), places.filter(kept)


def _without(intake: ingest.Intake, name: str, column: str, found: pl.DataFrame) -> ingest.Intake:
    """The same with some rows (``line, value`` and ``TOLD``) set aside and named."""
    if not found.height:
        return intake
    source = intake.sources[0]
    value = pl.lit("") if name in PRIVATE else _shown(pl.col("value"))
    told = found.select(
        "code",
        "severity",
        file=pl.lit(source.file),
        sheet=pl.lit(source.sheet),
        row=pl.col("line"),
        column=pl.lit(intake.columns.get(column, column)),
        value=value,
        message=pl.col("message"),
        hint=pl.col("hint"),
    )
    bad = pl.col("_line").is_in(found["line"].implode())
    aside = (
        intake.rows.filter(bad)
        .select(
            file=pl.lit(source.file),
            sheet=pl.lit(source.sheet),
            line=pl.col("_line"),
            code=pl.lit(found["code"][0]),
            original=pl.lit(b"") if name in PRIVATE else _record(intake, source.dialect.get("delimiter") or ","),
        )
        .collect()
    )
    return replace(
        intake,
        rows=intake.rows.filter(~bad),
        issues=issues.ordered([intake.issues, told]),
        rejected=pl.concat([intake.rejected, aside.cast(REJECTED)]),
        sources=(
            replace(source, loaded=source.loaded - found.height, set_aside=source.set_aside + found.height),
            *intake.sources[1:],
        ),
    )


def _shown(value: pl.Expr) -> pl.Expr:
    """A value as ``issues.shown`` shows it."""
    controls = [chr(code) for code in (*range(0x20), 0x7F)]
    text = value.fill_null("").str.replace_many(controls, [issues.shown(control) for control in controls])
    limit = issues.VALUE_LIMIT
    return pl.when(text.str.len_chars() > limit).then(text.str.head(limit - 1) + "…").otherwise(text)


def _record(intake: ingest.Intake, mark: str) -> pl.Expr:
    """The user's own cells of a row as a record of their file's delimiter."""
    quote = pl.lit('"')
    cells = []
    for header in intake.rows.collect_schema().names():
        if not header.startswith("_"):
            text = pl.col(header).cast(pl.String)
            doubled = quote + text.str.replace_all('"', '""', literal=True) + quote
            marked = text.str.contains_any([mark, '"', "\r", "\n"])
            cells.append(pl.when(marked).then(doubled).otherwise(text).fill_null(""))
    return pl.concat_str(cells, separator=mark).cast(pl.Binary)


def gathered(frames: Mapping[str, pl.DataFrame], *, once: bool = False) -> Evidence:
    """The typed frames as the core takes them; ``once`` where no site has two audits on one day."""
    given = {name: frames[name] for name in USED if name in frames}
    if "grievances" in given and "_event_id" in given.get("events", pl.DataFrame()).columns:
        # The same incident told in both tables still has one id.
        given["events"] = given["events"].with_columns(tickets.numbered(given["events"]["_event_id"]))
    return Evidence(**{name: nw.from_native(frame.lazy()) for name, frame in given.items()}, once=once)


def table(
    sites: pl.LazyFrame,
    frames: Mapping[str, pl.DataFrame],
    judgements: Judgements,
    on: date,
    places: Mapping[str, pl.Series] | None = None,
) -> pl.DataFrame | None:
    """What ``assess`` joins, in the order of the list: one row per site with any evidence, or None without evidence.

    Beside ``_supplier_id`` it has the ``_row`` of each site, where the sites have one. ``places`` as in ``Given``, for
    the very same sites.
    """
    used = {name: frames[name] for name in USED if name in frames}
    if not used:
        return None
    register = Register(sites, _read_of_sites(used))
    coded = _by_place(used, register, places or {})
    rows = register.at(None if beyond(coded) else register.told_of(coded.values()), scoring.READ)
    once = "audits" in coded and once_a_day(coded["audits"])
    made: Any = scoring.table(nw.from_native(rows.lazy()), gathered(coded, once=once), judgements, on)
    del coded, rows
    return register.named(made.to_native().collect(engine="streaming"))


def _read_of_sites(frames: Mapping[str, pl.DataFrame]) -> set[str]:
    """The columns of the sites that some evidence needs: a long list of audits has no use for places."""
    needed = set()
    if {"audits", "findings"} & set(frames):
        needed.add("_workers")
    if "measures" in frames:
        needed |= {"_tier", "_parent_company"}
    if {"events", "grievances"} & set(frames):
        needed |= scoring.READ - {"_workers", "_tier"}
    return needed


def _by_place(
    frames: Mapping[str, pl.DataFrame], register: Register, places: Mapping[str, pl.Series]
) -> dict[str, pl.DataFrame]:
    """The frames with a site's place in the list for its id; audits with the workforce of their site."""
    coded = {name: register.of_sites(frame, places.get(name)) for name, frame in frames.items() if ID in frame.columns}
    if "audits" in coded and "_workers" in register.sites.columns:
        workers = register.sites["_workers"].gather(coded["audits"][ID])
        coded["audits"] = coded["audits"].with_columns(workers.alias("_workers"))
    if "events" in frames:
        events = frames["events"]
        named = pl.select(pl.when(events["_place_kind"] == "site").then(events["_place"])).to_series()
        coded["events"] = events.with_columns(register.places(named).alias("_site"))
    return coded


def _about(site: pl.DataFrame, frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The frames without the rows about other sites: what one site costs does not depend on how many there are."""
    mine = pl.col(ID).is_null() | pl.col(ID).is_in(site[ID].implode())
    return {name: frame.filter(mine) if ID in frame.columns else frame for name, frame in frames.items()}


def lines(site: pl.DataFrame, frames: Mapping[str, pl.DataFrame], judgements: Judgements, on: date) -> pl.DataFrame:
    """The explanation lines of the evidence and the measures about some sites (``scoring.explain.COLUMNS``)."""
    evidence = gathered(_about(site, frames))
    sites = nw.from_native(site.lazy())
    found = []
    if not evidence.empty:
        found.append(scoring.lines(sites, evidence, judgements, on))
    if evidence.measures is not None:
        found.append(measures.lines(sites, evidence.measures, judgements, on))
    collected = [frame.to_native().collect() for frame in found]
    return pl.concat(collected, how="vertical_relaxed") if collected else pl.DataFrame()
