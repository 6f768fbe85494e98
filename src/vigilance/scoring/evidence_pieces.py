"""The evidence tables of a run, gathered as far as they go without the sites.

Each table is aggregated to one row per site (or place, or company) before it meets the sites, so that ten
million sites pay for one join per table, whatever the number of audits behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_audits import clean_runs, visits
from vigilance.scoring.evidence_columns import SHORT, Frame, Tables
from vigilance.scoring.evidence_findings import confirmed_cases, finding_items, found_days, read_findings
from vigilance.scoring.evidence_incidents import (
    event_items,
    grievance_items,
    incidents,
    looks,
    match_items,
    read_events,
    read_grievances,
)
from vigilance.scoring.evidence_places import LEVELS, intensities
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

ENTITY_KEYS: Final = {"entity": "_parent_company", "entity_lei": "_lei"}
"""How an event about a company finds its sites: by the parent's name or by its LEI."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The typed evidence tables of a run (docs/evidence.md); None where there is none.

    ``matches`` is the result of matching lists with sites (``vigilance.matching``), with the decisions of
    people. ``_supplier_id`` may be a number, the same for the sites and all tables; events then have it in ``_site``.
    Audits that bring the ``_workers`` of their site are not joined for it. ``once`` promises that no site has two
    audits on one day.
    """

    audits: Frame | None = None
    findings: Frame | None = None
    grievances: Frame | None = None
    events: Frame | None = None
    matches: Frame | None = None
    measures: Frame | None = None
    once: bool = False

    @property
    def empty(self) -> bool:
        """Whether no table was given."""
        return all(getattr(self, name) is None for name in self.__slots__ if name != "once")


@dataclass(slots=True)
class Pieces:
    """The evidence without the sites."""

    clean: Frame | None = None
    """Runs of clean audits, one row per site."""
    parts: list[Frame] = field(default_factory=list)
    """Findings, markers, incidents and matches: one row per piece."""
    flags: list[Frame] = field(default_factory=list)
    """Small frames by site with columns of 0 and 1."""
    places: dict[str, tuple[Frame, str]] = field(default_factory=dict)
    """Level → (one row per ``_place``, the column of the sites that holds it)."""

    @property
    def items(self) -> Frame | None:
        """All pieces at sites as one frame."""
        return nw.concat(self.parts) if self.parts else None


def gather(sites: Frame, evidence: Evidence, judgements: Judgements, on: date, tables: Tables) -> Pieces:
    """All evidence in force on a date, aggregated; of the sites only the workforces are read."""
    pieces = Pieces()
    _audits(pieces, sites, evidence, judgements, on, tables)
    _incidents(pieces, set(sites.collect_schema().names()), evidence, judgements, on, tables)
    if evidence.matches is not None:
        matched, listed = match_items(evidence.matches, judgements, on, tables)
        pieces.parts += matched
        pieces.flags.append(listed)
    return pieces


def _audits(pieces: Pieces, sites: Frame, evidence: Evidence, judgements: Judgements, on: date, tables: Tables) -> None:
    found = None
    if evidence.findings is not None:
        rows = read_findings(evidence.findings, judgements, on, tables)
        found = found_days(rows)
        pieces.parts += finding_items(rows, evidence.audits, sites, judgements, on)
        pieces.flags.append(confirmed_cases(rows))
    if evidence.audits is not None:
        pieces.clean = clean_runs(
            visits(evidence.audits, sites, judgements, on, once=evidence.once), found, judgements, on
        )


def _incidents(
    pieces: Pieces, columns: set[str], evidence: Evidence, judgements: Judgements, on: date, tables: Tables
) -> None:
    tickets = events = None
    told: list[Frame] = []
    if evidence.grievances is not None:
        tickets = read_grievances(evidence.grievances, judgements, on, tables)
        told += grievance_items(tickets, judgements, on)
    if evidence.events is not None:
        events = read_events(evidence.events, judgements, on, tables)
        told += event_items(events, judgements, on, tables, "site")
        pieces.flags.append(looks(events, judgements, on))
        about_companies = incidents(event_items(events, judgements, on, tables, "entity"))
        for level, column in ENTITY_KEYS.items():
            if column in columns:
                pieces.places[level] = (_by_company(about_companies, level), column)
    if told:
        pieces.parts += incidents(told)
    for level, known_by in LEVELS.items():
        held_in = next((name for name in known_by if name in columns), None)
        around = None if held_in is None else intensities(events, tickets, level, judgements, on, tables)
        if held_in is not None and around is not None:
            pieces.places[level] = (around, held_in)


def _by_company(items: list[Frame], level: str) -> Frame:
    """Events about companies, one row per company with the columns of ``intensities``."""
    rows = nw.concat(items).with_columns(_place=nw.col("_supplier_id").str.strip_chars().str.to_lowercase())

    def of(hazard: Hazard, column: str) -> nw.Expr:
        return nw.when(nw.col("_hazard") == str(hazard)).then(nw.col(column))

    return rows.group_by("_place").agg(
        *(of(h, "_q").sum().cast(nw.Int64).alias(f"_ev_{SHORT[h]}_{level}") for h in HAZARDS),
        *(of(h, "_s").sum().cast(nw.Int64).alias(f"_ev_{SHORT[h]}_{level}_s") for h in HAZARDS),
        *(of(h, "_q").count().cast(nw.Int64).alias(f"_ev_{SHORT[h]}_{level}_n") for h in HAZARDS),
        *(of(h, "_since").max().alias(f"_ev_{SHORT[h]}_{level}_since") for h in HAZARDS),
    )
