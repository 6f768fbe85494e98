"""Levels follow a prior on how much audits see: bands and first places again under three sensitivities.

Method section 7: Se and the share that conceals cannot be learned from audits alone. A run with audits or findings is
therefore shown as it would be if audits saw .05, .15 or .35 of affected sites (``audit_protocol.sensitivity_case``).
Only sites that an audit or a finding is about are scored again; all others stand as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl

from vigilance import engines, evidence
from vigilance.i18n import messages
from vigilance.ranking import LEVELS, worst
from vigilance.report import wording
from vigilance.report.document import Block, Column, Table, Text
from vigilance.report.material import Material
from vigilance.terms import BANDS, HAZARDS

_ = messages("report")

CASES: Final = ("low", "middle", "high")
FIRST: Final = 10
TABLES: Final = ("audits", "findings")
"""Evidence that a sensitivity is about."""


@dataclass(frozen=True)
class Case:
    """The sites of a run under one sensitivity of its audits.

    ``bands`` counts sites by hazard and band; ``first`` are the ids first in line; ``ranks`` the rank of each site in
    input order, 1 the highest risk, sites closer than a millionth sharing the better one.
    """

    sensitivity: float
    bands: dict[str, dict[str, int]]
    first: list[str]
    ranks: np.ndarray[Any, np.dtype[np.float64]]


@lru_cache(maxsize=1)
def cases(material: Material) -> list[Case]:
    """The run under each sensitivity; none where it holds no audit and no finding.

    One report shows them in several places: they are kept for the last run that was asked for.
    """
    tables = [found for name in TABLES if (found := material.evidence_frames.get(name)) is not None]
    about = pl.concat([frame.select("_supplier_id") for frame in tables]).unique() if tables else None
    if about is None or not about.height:
        return []
    audited = material.run.sites.join(about.lazy(), on="_supplier_id", how="semi", maintain_order="left")
    return [_case(material, audited, material.judgements.value(f"audit_protocol.sensitivity_case.{c}")) for c in CASES]


def _case(material: Material, audited: pl.LazyFrame, value: float) -> Case:
    wanted = [f"{hazard}_{measure}" for hazard in HAZARDS for measure in ("p80", "band")]
    judgements = material.judgements.with_values({f"evidence.audits.sensitivity.{hazard}": value for hazard in HAZARDS})
    known = evidence.table(audited, material.evidence_frames, judgements, material.run.on)
    batches = [batch.select("_row", *wanted) for batch in engines.polars(audited, material.model, known)]
    again = pl.concat(batch.with_columns(pl.col(f"{h}_band").cast(pl.String) for h in HAZARDS) for batch in batches)
    stood = material.sites.select("_row", "_supplier_id", *wanted)
    frame = stood.update(again, on="_row", how="left").with_columns(worst("p80").alias("worst"))
    level = frame["worst"] * LEVELS
    return Case(
        value,
        {str(h): dict(frame[f"{h}_band"].value_counts().iter_rows()) for h in HAZARDS},
        frame.sort(["worst", "_supplier_id"], descending=[True, False]).head(FIRST)["_supplier_id"].to_list(),
        (-level.floor()).rank("min").to_numpy().astype(np.float64),
    )


def blocks(material: Material) -> list[Block]:
    """What the report says of it; nothing without audits."""
    found = cases(material)
    return [told(found), bands_table(found), first_table(found)] if found else []


def told(found: Sequence[Case]) -> Text:
    """How far the ranks move between the least and the greatest sensitivity, in words."""
    least, most = found[0], found[-1]
    moves = np.abs(least.ranks - most.ranks)
    text = _(
        "How many of the affected sites an audit finds is an expert prior, and levels follow it. Between a sensitivity "
        "of {least} and of {most}, {moved} of {sites} sites change their rank, the most by {move} places; {kept} of "
        "the first {first} are the same."
    ).format(
        least=wording.percent(least.sensitivity, 0),
        most=wording.percent(most.sensitivity, 0),
        moved=wording.number(int((moves > 0).sum())),
        sites=wording.number(len(moves)),
        move=wording.number(int(moves.max())),
        kept=wording.number(len(set(least.first) & set(most.first))),
        first=wording.number(len(least.first)),
    )
    correlation = _correlation(least.ranks, most.ranks)
    if correlation is not None:
        text += " " + _("Rank correlation: {rho}.").format(rho=wording.number(correlation, 3))
    return Text(text)


def _correlation(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float | None:
    """Spearman's; None where either ranks nobody above anybody."""
    if one.std() == 0 or other.std() == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def bands_table(found: Sequence[Case]) -> Table:
    """Sites by band under each sensitivity."""
    names = wording.hazards()
    columns = [
        Column(_("band"), "band"),
        *(
            Column(
                _("{hazard}, audits find {share}").format(hazard=names[h], share=wording.percent(case.sensitivity, 0)),
                "int",
            )
            for h in HAZARDS
            for case in found
        ),
    ]
    rows = [
        [str(band), *(case.bands[str(h)].get(str(band), 0) for h in HAZARDS for case in found)]
        for band in reversed(BANDS)
    ]
    return Table(_("Sites by band, if audits found fewer or more of the affected sites"), columns, rows)


def first_table(found: Sequence[Case]) -> Table:
    """The sites first in line under each sensitivity."""
    columns = [
        Column(_("place"), "int"),
        *(Column(_("audits find {share}").format(share=wording.percent(c.sensitivity, 0)), "name") for c in found),
    ]
    rows = [[place + 1, *(case.first[place] for case in found)] for place in range(len(found[0].first))]
    return Table(_("First in line, if audits found fewer or more of the affected sites"), columns, rows)
