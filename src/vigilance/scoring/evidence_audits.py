"""Audits as imperfect tests: what a run of clean ones says of a site, and how sensitive each was.

Method section 3, Evidence. A run of clean audits multiplies the odds by

    LR = Σ_k v_k · exp(Σ_{j open to type k} d_j · ln((1 - Se_j) / Sp))

over the types of site: those that conceal from every audit (v_0 = the smallest c), from all but unannounced
ones, from announced ones alone, and from none. With audits of one notice it is the method's c + (1 - c)·Π((1
- Se_j)/Sp)^d_j; with several, concealment is nested: who conceals from an unannounced audit conceals from an
announced one. It never rises above 1 and never falls below the smallest c of the notices in the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from vigilance.scoring.evidence_columns import (
    SHORT,
    Frame,
    age_days,
    by_then,
    completed,
    halved,
    logit,
    numbers,
    of_quanta,
    quanta,
    sd_logit,
)
from vigilance.terms import HAZARDS, Hazard

if TYPE_CHECKING:
    from vigilance.rules import Judgements

NOTICES: Final = ("unannounced", "semi_announced", "announced")
"""Position = rank of the notice; a blank notice counts as announced, the least reassuring."""
UNANNOUNCED, SEMI_ANNOUNCED, ANNOUNCED = 0, 1, 2

_RULES: Final = "evidence.audits"
_BLIND: Final = -60.0
"""Shift of an audit out of season: sensitivity falls to its floor 1 - Sp."""
_RANGE_WIDTH: Final = 3.29

OPTIONAL: Final = {
    "_kind": nw.String,
    "_notice": nw.String,
    "_person_days": nw.Float64,
    "_offsite_interviews": nw.Float64,
    "_auditor": nw.String,
    "_paid_by": nw.String,
    "_woman_in_team": nw.Boolean,
    "_in_season": nw.Boolean,
}


@dataclass(frozen=True, slots=True)
class Test:
    """The audit as a test of one hazard: base logit of Se with its sd, Sp, and the sd of ln(1 - Sp)."""

    __test__ = False

    base: float
    sd_base: float
    specificity: float
    sd_ln_error: float

    @classmethod
    def of(cls, hazard: Hazard, judgements: Judgements) -> Test:
        """The test as the rules describe it."""
        se = judgements.get(f"{_RULES}.sensitivity.{hazard}")
        sp = judgements.get(f"{_RULES}.specificity")
        spread = math.log((1.0 - sp.low) / (1.0 - sp.high)) / _RANGE_WIDTH
        return cls(logit(se.value), sd_logit(se.low, se.high), sp.value, spread)

    def sensitivity(self, shift: nw.Expr) -> nw.Expr:
        """Se of an audit whose conditions shift the logit; at least 1 - Sp."""
        se = 1.0 / ((-(shift + self.base)).exp() + 1.0)
        floor = 1.0 - self.specificity
        return nw.when(se > floor).then(se).otherwise(nw.lit(floor))

    def clean(self, se: nw.Expr) -> nw.Expr:
        """ln((1 - Se) / Sp): at most 0 as Se is at least 1 - Sp, but for the last bit, which is cut."""
        ratio = ((1.0 - se) / self.specificity).log()
        return nw.when(ratio < 0).then(ratio).otherwise(nw.lit(0.0))


def visits(audits: Frame, sites: Frame, judgements: Judgements, on: date) -> Frame:
    """One row per site and day with an audit, in force on a date.

    Reads ``_supplier_id, _audited_on`` and, where present, the columns of ``OPTIONAL`` and the sites'
    ``_workers``. Gives ``_shift`` (logit of Se, the best of the day), ``_rank`` (of the notice, the least
    announced of the day), ``_auditor`` (empty when unknown or several), ``_looked`` (1 when in season). The
    same audit twice is one row.
    """
    rows = completed(audits, OPTIONAL).filter(by_then("_audited_on", on), ~nw.col("_supplier_id").is_null())
    needed = _required_days(audits, sites, judgements)
    if needed is not None:
        rows = rows.join(needed, on="_supplier_id", how="left")
    else:
        rows = rows.with_columns(_needed=nw.lit(None, dtype=nw.Float64))
    rows = rows.select(
        "_supplier_id",
        "_audited_on",
        _shift=_conditions(judgements),
        _rank=_notice_rank(),
        _who=nw.col("_auditor").fill_null(""),
        _looked=nw.when(_blind()).then(0).otherwise(1),
    )
    daily = rows.group_by("_supplier_id", "_audited_on").agg(
        nw.col("_shift").max(),
        nw.col("_rank").min(),
        nw.col("_looked").max(),
        nw.col("_who").min().alias("_first_who"),
        nw.col("_who").max().alias("_last_who"),
    )
    one = nw.col("_first_who") == nw.col("_last_who")
    return daily.with_columns(_auditor=nw.when(one).then(nw.col("_first_who")).otherwise(nw.lit(""))).drop(
        "_first_who", "_last_who"
    )


def _blind() -> nw.Expr:
    return ~nw.col("_in_season").fill_null(True)


def _notice_rank() -> nw.Expr:
    notice = nw.col("_notice")
    semi = nw.when(notice == "semi_announced").then(SEMI_ANNOUNCED).otherwise(ANNOUNCED)
    return nw.when(notice == "unannounced").then(UNANNOUNCED).otherwise(semi)


def _conditions(judgements: Judgements) -> nw.Expr:
    """The sum of the shifts of logit Se; only a blank notice shifts it (it counts as announced)."""
    shift = numbers(f"{_RULES}.shift", judgements)
    rank = _notice_rank()
    total = (
        nw.when(rank == UNANNOUNCED)
        .then(shift["unannounced"])
        .otherwise(nw.when(rank == ANNOUNCED).then(shift["announced"]).otherwise(0.0))
    )
    days, needed = nw.col("_person_days"), nw.col("_needed")
    total = total + nw.when((days > 0) & (needed > 0)).then((days / needed).log() * shift["log_days"]).otherwise(0.0)
    for condition, name in (
        (nw.col("_offsite_interviews") > 0, "offsite_interviews"),
        (nw.col("_woman_in_team"), "woman_in_team"),
        (nw.col("_paid_by") == "supplier", "paid_by_supplier"),
        (nw.col("_kind") == "follow_up", "follow_up"),
    ):
        total = total + nw.when(condition).then(shift[name]).otherwise(0.0)
    return nw.when(_blind()).then(_BLIND).otherwise(total)


def _required_days(audits: Frame, sites: Frame, judgements: Judgements) -> Frame | None:
    """Person-days that a full audit of each site takes; None when days or workforces are not given."""
    if "_person_days" not in audits.collect_schema().names() or "_workers" not in sites.collect_schema().names():
        return None
    days = numbers(f"{_RULES}.required_days", judgements)
    limits = numbers(f"{_RULES}.required_days_up_to_workers", judgements)
    needed = nw.lit(days["largest"])
    for size, limit in sorted(limits.items(), key=lambda item: -item[1]):
        needed = nw.when(nw.col("_workers") <= limit).then(days[size]).otherwise(needed)
    known = ~nw.col("_workers").is_null()
    return sites.select("_supplier_id", _needed=nw.when(known).then(needed))


def clean_runs(visited: Frame, found: Frame | None, judgements: Judgements, on: date) -> Frame:
    """What the clean audits of each site say: one row per site.

    ``visited`` from ``visits``; ``found`` has ``_supplier_id, _audited_on, _fl_found, _cl_found`` (1 where
    that day's audit found the hazard, and so is not clean). Gives per hazard ``_ev_fl_clean`` (ln LR in
    quanta, at most 0), ``_ev_fl_clean_sd`` (its sd), ``_ev_fl_clean_n``, and ``_ev_audits`` (all visits),
    ``_ev_first``, ``_ev_last`` (dates), ``_ev_checked`` (1 after a look within the window).
    """
    tests = {hazard: Test.of(hazard, judgements) for hazard in HAZARDS}
    rows = visited.with_columns(
        _age=age_days("_audited_on", on),
        _fresh=halved(age_days("_audited_on", on), judgements.value(f"{_RULES}.half_life_days")),
    )
    if found is not None:
        rows = rows.join(found, on=["_supplier_id", "_audited_on"], how="left")
    familiar = judgements.value(f"{_RULES}.shift.same_auditor")
    window = judgements.value(f"{_RULES}.checked_days")
    rows = rows.select(
        "_supplier_id",
        "_audited_on",
        "_auditor",
        "_rank",
        *(column for hazard in HAZARDS for column in _terms(hazard, tests[hazard], familiar, found is not None)),
        _checked=nw.when(nw.col("_age") <= window).then(nw.col("_looked")).otherwise(0),
    )
    return _site_level(_by_notice(_by_auditor(rows)), tests, judgements)


def _terms(hazard: Hazard, test: Test, familiar: float, checked_findings: bool) -> list[nw.Expr]:
    """Columns of one visit: full and familiar ln LR, leverage of Se, whether it counts as clean."""
    name = SHORT[hazard]
    clean = nw.col(f"_{name}_found").is_null() | (nw.col(f"_{name}_found") == 0) if checked_findings else None

    def kept(value: nw.Expr) -> nw.Expr:
        return value if clean is None else nw.when(clean).then(value).otherwise(nw.lit(0.0))

    fresh, se = nw.col("_fresh"), test.sensitivity(nw.col("_shift"))
    full = kept(fresh * test.clean(se))
    seen = kept(fresh * test.clean(test.sensitivity(nw.col("_shift") + familiar)))
    # Nobody knows whether an unnamed auditor has been before.
    again = nw.when(nw.col("_auditor") == "").then(full).otherwise(seen)
    count = nw.lit(1) if clean is None else nw.when(clean).then(1).otherwise(0)
    return [
        quanta(full).alias(f"_{name}_full"),
        quanta(again).alias(f"_{name}_again"),
        quanta(kept(fresh * se)).alias(f"_{name}_lever"),
        count.alias(f"_{name}_n"),
    ]


def _by_auditor(rows: Frame) -> Frame:
    """One row per site, auditor and notice: all audits but the most telling count as by a familiar auditor.

    The sum of the familiar terms plus the least of (full - familiar) can only fall when an audit is added: a
    clean audit never raises the risk, whoever made it.
    """
    gain = rows.with_columns(
        **{f"_{n}_gain": nw.col(f"_{n}_full") - nw.col(f"_{n}_again") for n in SHORT.values()},
    )
    grouped = gain.group_by("_supplier_id", "_auditor", "_rank").agg(
        *(nw.col(f"_{n}_{part}").sum() for n in SHORT.values() for part in ("again", "lever", "n")),
        *(nw.col(f"_{n}_gain").min() for n in SHORT.values()),
        nw.len().alias("_visits"),
        nw.col("_audited_on").min().alias("_first"),
        nw.col("_audited_on").max().alias("_last"),
        nw.col("_checked").max(),
    )
    return grouped.with_columns(
        **{f"_{n}_term": nw.col(f"_{n}_again") + nw.col(f"_{n}_gain") for n in SHORT.values()},
    )


def _by_notice(rows: Frame) -> Frame:
    """One row per site with the sums of each notice, in quanta."""
    ranks = range(len(NOTICES))

    def of_rank(rank: int, column: str) -> nw.Expr:
        return nw.when(nw.col("_rank") == rank).then(nw.col(column)).otherwise(0).sum()

    return rows.group_by("_supplier_id").agg(
        *(
            of_rank(rank, f"_{n}_{part}").alias(f"_{n}_{part}_{rank}")
            for n in SHORT.values()
            for part in ("term", "lever")
            for rank in ranks
        ),
        *(nw.col(f"_{n}_n").sum().alias(f"_ev_{n}_clean_n") for n in SHORT.values()),
        nw.col("_visits").sum().alias("_ev_audits"),
        nw.col("_first").min().alias("_ev_first"),
        nw.col("_last").max().alias("_ev_last"),
        nw.col("_checked").max().alias("_ev_checked"),
    )


def _site_level(sums: Frame, tests: dict[Hazard, Test], judgements: Judgements) -> Frame:
    found = {notice: judgements.get(f"{_RULES}.concealment.{notice}") for notice in NOTICES}
    columns: list[nw.Expr] = []
    for hazard in HAZARDS:
        name = SHORT[hazard]
        term, lever = (
            [of_quanta(nw.col(f"_{name}_{part}_{rank}")) for rank in range(len(NOTICES))] for part in ("term", "lever")
        )
        middle, slope = _run([found[n].value for n in NOTICES], term, lever)
        low, _ = _run([found[n].low for n in NOTICES], term, lever)
        high, _ = _run([found[n].high for n in NOTICES], term, lever)
        from_c = (high - low) / _RANGE_WIDTH
        from_se = slope * tests[hazard].sd_base
        value = nw.when(middle < 0).then(middle).otherwise(nw.lit(0.0))
        columns += [
            quanta(value).alias(f"_ev_{name}_clean"),
            (from_c * from_c + from_se * from_se).sqrt().alias(f"_ev_{name}_clean_sd"),
        ]
    kept = [f"_ev_{name}_clean_n" for name in SHORT.values()]
    return sums.select("_supplier_id", *columns, *kept, "_ev_audits", "_ev_first", "_ev_last", "_ev_checked")


def _run(concealed: list[float], term: list[nw.Expr], lever: list[nw.Expr]) -> tuple[nw.Expr, nw.Expr]:
    """ln LR of a run and how fast it falls with logit Se, over the nested types of concealment."""
    order = sorted(range(len(concealed)), key=concealed.__getitem__)
    weight = concealed[order[0]]
    total, leverage = nw.lit(weight), nw.lit(0.0)
    seen, pull = nw.lit(0.0), nw.lit(0.0)
    for position, rank in enumerate(order):
        following = concealed[order[position + 1]] if position + 1 < len(order) else 1.0
        seen, pull = seen + term[rank], pull + lever[rank]
        part = seen.exp() * (following - concealed[rank])
        total, leverage = total + part, leverage + part * pull
    return total.log(), leverage / total
