"""Events around a site: how intense they are in its zone, its region and its country.

Method section 3, Evidence: Λ = Σ w·2^(-age / 26 weeks) over the events of a place, and the log-odds of its
sites rise by ψ·ln(1 + Λ), place by place. Tickets that name a zone and no site count there.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_columns import SHORT, Frame, Tables, age_days, halved, of_quanta, quanta
from vigilance.scoring.evidence_incidents import about
from vigilance.terms import HAZARDS

if TYPE_CHECKING:
    from vigilance.rules import Judgements

LEVELS: Final = {"zone": ("_zone",), "region": ("_region", "_zone"), "country": ("_iso3",)}
"""Kind of place → the columns of the sites that may hold it, the first that is there; a zone may be a province."""

_RULES: Final = "evidence.places"


def intensities(
    events: Frame | None,
    grievances: Frame | None,
    level: str,
    judgements: Judgements,
    on: date,
    tables: Tables,
) -> Frame | None:
    """What the events of each place of one level say: one row per place, or None without events or tickets.

    ``events`` from ``read_events``, ``grievances`` from ``read_grievances``. Gives ``_place`` and per hazard
    ``_ev_fl_<level>`` (ln ratio, quanta), ``_ev_fl_<level>_s`` (sd, quanta), ``_ev_fl_<level>_n`` (incidents)
    and ``_ev_fl_<level>_since`` (date of the newest).
    """
    parts = []
    if events is not None:
        parts.append(_from_events(events, level, judgements))
    if grievances is not None and level == "zone":
        parts.append(_from_tickets(grievances, judgements))
    if not parts:
        return None
    fresh = halved(age_days("_on", on), judgements.value(f"{_RULES}.half_life_days"))
    weights = {hazard: judgements.under(f"{_RULES}.weight.{hazard}") for hazard in HAZARDS}
    kinds = sorted({path.rsplit(".", 1)[1] for found in weights.values() for path in found})
    table = tables(
        {
            "_kind": kinds,
            **{
                f"_{SHORT[hazard]}_w": [judgements.value(f"{_RULES}.weight.{hazard}.{kind}") for kind in kinds]
                for hazard in HAZARDS
            },
        }
    )
    rows = nw.concat(parts).join(table, on="_kind", how="inner")
    once = rows.group_by("_place", "_id").agg(
        *(
            quanta(nw.when(nw.col(f"_{n}_about")).then(fresh * nw.col("_share") * nw.col(f"_{n}_w")).otherwise(0.0))
            .max()
            .alias(f"_{n}")
            for n in SHORT.values()
        ),
        nw.col("_on").max(),
    )
    summed = once.group_by("_place").agg(
        *(nw.col(f"_{n}").sum() for n in SHORT.values()),
        *(nw.when(nw.col(f"_{n}") > 0).then(1).otherwise(0).sum().alias(f"_ev_{n}_{level}_n") for n in SHORT.values()),
        *(
            nw.when(nw.col(f"_{n}") > 0).then(nw.col("_on")).max().alias(f"_ev_{n}_{level}_since")
            for n in SHORT.values()
        ),
    )
    return _shifted(summed, level, judgements)


def _shifted(summed: Frame, level: str, judgements: Judgements) -> Frame:
    psi = judgements.get(f"{_RULES}.psi.{level}")
    columns = []
    for name in SHORT.values():
        grown = (of_quanta(nw.col(f"_{name}")) + 1.0).log()
        columns += [
            quanta(grown * psi.value).alias(f"_ev_{name}_{level}"),
            quanta(grown * psi.sd).alias(f"_ev_{name}_{level}_s"),
            nw.col(f"_ev_{name}_{level}_n").cast(nw.Int64),
            nw.col(f"_ev_{name}_{level}_since"),
        ]
    return summed.select("_place", *columns)


def _from_events(events: Frame, level: str, judgements: Judgements) -> Frame:
    share = nw.when(nw.col("_proven")).then(1.0).otherwise(judgements.value("evidence.incidents.possible"))
    return events.filter(nw.col("_place_kind") == level).select(
        "_place",
        "_id",
        "_on",
        "_kind",
        _share=share,
        **{f"_{SHORT[hazard]}_about": about(hazard) for hazard in HAZARDS},
    )


def _from_tickets(grievances: Frame, judgements: Judgements) -> Frame:
    proven = nw.col("_substantiated").fill_null(False)
    return grievances.filter(nw.col("_supplier_id").is_null(), ~nw.col("_zone").is_null()).select(
        _place=nw.col("_zone"),
        _id=nw.col("_id"),
        _on=nw.col("_received_on"),
        _kind=nw.lit("grievance"),
        _share=nw.when(proven).then(1.0).otherwise(judgements.value("evidence.incidents.possible")),
        **{f"_{name}_about": nw.col(f"_{name}_strength") + nw.col(f"_{name}_marker") > 0 for name in SHORT.values()},
    )
