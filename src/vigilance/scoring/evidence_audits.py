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
from datetime import date, timedelta
from itertools import pairwise
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
BLIND: Final = -60.0
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


def visits(audits: Frame, sites: Frame, judgements: Judgements, on: date, *, once: bool = False) -> Frame:
    """One row per site and day with an audit, in force on a date.

    Reads ``_supplier_id, _audited_on`` and, where present, the columns of ``OPTIONAL`` and ``_workers``, of the audits
    or else of the sites. Gives ``_shift`` (logit of Se, the best of the day), ``_rank`` (of the notice, the least
    announced of the day) and, when the table names auditors, ``_auditor`` (empty when unknown or several). The
    same audit twice is one row; ``once`` promises that there is none.
    """
    named = "_auditor" in audits.collect_schema().names()
    rows = completed(audits, OPTIONAL).filter(by_then("_audited_on", on), ~nw.col("_supplier_id").is_null())
    rows = _with_required_days(rows, audits, sites, judgements).with_columns(_rank=_notice_rank())
    who = nw.col("_auditor").fill_null("")
    if once:
        by = [who.alias("_auditor")] if named else []
        return rows.select("_supplier_id", "_audited_on", "_rank", *by, _shift=_conditions(judgements))
    rows = rows.select(
        "_supplier_id",
        "_audited_on",
        "_rank",
        *([who.alias("_who")] if named else []),
        _shift=_conditions(judgements),
    )
    several = [nw.col("_who").min().alias("_first_who"), nw.col("_who").max().alias("_last_who")] if named else []
    daily = rows.group_by("_supplier_id", "_audited_on").agg(nw.col("_shift").max(), nw.col("_rank").min(), *several)
    if not named:
        return daily
    one = nw.col("_first_who") == nw.col("_last_who")
    auditor = nw.when(one).then(nw.col("_first_who")).otherwise(nw.lit(""))
    return daily.select("_supplier_id", "_audited_on", "_shift", "_rank", _auditor=auditor)


def _blind() -> nw.Expr:
    return ~nw.col("_in_season").fill_null(True)


def _notice_rank() -> nw.Expr:
    notice = nw.col("_notice")
    semi = nw.when(notice == "semi_announced").then(SEMI_ANNOUNCED).otherwise(ANNOUNCED)
    return nw.when(notice == "unannounced").then(UNANNOUNCED).otherwise(semi)


def _conditions(judgements: Judgements) -> nw.Expr:
    """The sum of the shifts of logit Se; only a blank notice shifts it (it counts as announced)."""
    shift = numbers(f"{_RULES}.shift", judgements)
    rank = nw.col("_rank")
    announced = nw.when(rank == ANNOUNCED).then(shift["announced"]).otherwise(0.0)
    total = nw.when(rank == UNANNOUNCED).then(shift["unannounced"]).otherwise(announced)
    days, needed = nw.col("_person_days"), nw.col("_needed")
    thorough = (days / needed).log() * shift["log_days"]
    total = total + nw.when((days > 0) & (needed > 0)).then(thorough).otherwise(0.0)
    for condition, name in (
        (nw.col("_offsite_interviews") > 0, "offsite_interviews"),
        (nw.col("_woman_in_team"), "woman_in_team"),
        (nw.col("_paid_by") == "supplier", "paid_by_supplier"),
        (nw.col("_kind") == "follow_up", "follow_up"),
    ):
        total = total + nw.when(condition).then(shift[name]).otherwise(0.0)
    return nw.when(_blind()).then(BLIND).otherwise(total)


def _with_required_days(rows: Frame, audits: Frame, sites: Frame, judgements: Judgements) -> Frame:
    """The audits with the person-days that a full audit of their site takes; null where days or workforce are not."""
    given = audits.collect_schema().names()
    if "_person_days" not in given:
        return rows.with_columns(_needed=nw.lit(None, dtype=nw.Float64))
    if "_workers" in given:
        return rows.with_columns(_needed=_required_days(judgements))
    if "_workers" in sites.collect_schema().names():
        theirs = sites.select("_supplier_id", _needed=_required_days(judgements))
        return rows.join(theirs, on="_supplier_id", how="left")
    return rows.with_columns(_needed=nw.lit(None, dtype=nw.Float64))


def _required_days(judgements: Judgements) -> nw.Expr:
    days = numbers(f"{_RULES}.required_days", judgements)
    limits = numbers(f"{_RULES}.required_days_up_to_workers", judgements)
    needed = nw.lit(days["largest"])
    for size, limit in sorted(limits.items(), key=lambda item: -item[1]):
        needed = nw.when(nw.col("_workers") <= limit).then(days[size]).otherwise(needed)
    return nw.when(~nw.col("_workers").is_null()).then(needed)


def clean_runs(visited: Frame, found: Frame | None, judgements: Judgements, on: date) -> Frame:
    """What the clean audits of each site say: one row per site.

    ``visited`` from ``visits``; ``found`` has ``_supplier_id, _audited_on, _fl_found, _cl_found`` (1 where that
    day's audit found the hazard, and so is not clean). Gives per hazard ``_ev_fl_clean`` (ln LR in quanta, at most
    0), ``_ev_fl_clean_sd`` (its sd), ``_ev_fl_clean_n``, and ``_ev_audits`` (all visits), ``_ev_last`` (date of the
    last one in season), ``_ev_checked`` (1 when that is within the window).
    """
    fresh = halved(age_days("_audited_on", on), judgements.value(f"{_RULES}.half_life_days"))
    rows = visited.with_columns(_fresh=fresh)
    if found is not None:
        rows = rows.join(found, on=["_supplier_id", "_audited_on"], how="left")
    tests = {hazard: Test.of(hazard, judgements) for hazard in HAZARDS}
    named = "_auditor" in visited.collect_schema().names()
    sums = _by_auditor(rows, tests, judgements, found is not None) if named else _alone(rows, tests, found is not None)
    return _site_level(_by_notice(sums, found is not None), tests, judgements, on)


def _clean(hazard: Hazard, findings: bool) -> nw.Expr:
    """Whether a visit found nothing of a hazard."""
    return nw.col(f"_{SHORT[hazard]}_found").fill_null(0) == 0 if findings else nw.lit(True)


def _term(hazard: Hazard, test: Test, shift: nw.Expr, findings: bool) -> nw.Expr:
    """Decayed ln LR of one visit as a clean one, in quanta; 0 where it found the hazard."""
    term = quanta(nw.col("_fresh") * test.clean(test.sensitivity(shift)))
    return nw.when(_clean(hazard, findings)).then(term).otherwise(0) if findings else term


def _in_season() -> nw.Expr:
    return nw.when(nw.col("_shift") > BLIND / 2).then(nw.col("_audited_on"))


def _counts(findings: bool) -> dict[str, nw.Expr]:
    """Of one visit: 1 per hazard where it was clean; nothing without findings, as all were."""
    if not findings:
        return {}
    return {f"_{SHORT[h]}_n": nw.when(_clean(h, findings)).then(1).otherwise(0) for h in HAZARDS}


def _alone(rows: Frame, tests: dict[Hazard, Test], findings: bool) -> Frame:
    return rows.select(
        "_supplier_id",
        "_rank",
        **{f"_{SHORT[h]}_term": _term(h, tests[h], nw.col("_shift"), findings) for h in HAZARDS},
        **_counts(findings),
        _visits=nw.lit(1),
        _last=_in_season(),
    )


def _by_auditor(rows: Frame, tests: dict[Hazard, Test], judgements: Judgements, findings: bool) -> Frame:
    """One row per site, auditor and notice: all audits but the most telling count as by a familiar auditor.

    The sum of the familiar terms plus the least of (full - familiar) can only fall when an audit is added: a clean
    audit never raises the risk, whoever made it. Nobody knows whether an unnamed auditor has been before.
    """
    familiar = nw.col("_shift") + judgements.value(f"{_RULES}.shift.same_auditor")
    shift = nw.when(nw.col("_auditor") == "").then(nw.col("_shift")).otherwise(familiar)
    full = {f"_{SHORT[h]}_full": _term(h, tests[h], nw.col("_shift"), findings) for h in HAZARDS}
    again = {f"_{SHORT[h]}_again": _term(h, tests[h], shift, findings) for h in HAZARDS}
    names = SHORT.values()
    single = rows.select("_supplier_id", "_auditor", "_rank", **full, **again, **_counts(findings), _last=_in_season())
    grouped = single.group_by("_supplier_id", "_auditor", "_rank").agg(
        *(nw.col(f"_{n}_again").sum() for n in names),
        *((nw.col(f"_{n}_full") - nw.col(f"_{n}_again")).min().alias(f"_{n}_gain") for n in names),
        *(nw.col(column).sum() for column in _counts(findings)),
        nw.len().alias("_visits"),
        nw.col("_last").max(),
    )
    return grouped.with_columns(**{f"_{n}_term": nw.col(f"_{n}_again") + nw.col(f"_{n}_gain") for n in names})


def _by_notice(rows: Frame, findings: bool) -> Frame:
    """One row per site with the sums of each notice, in quanta."""

    def of_rank(rank: int, column: str) -> nw.Expr:
        return nw.when(nw.col("_rank") == rank).then(nw.col(column)).otherwise(0).sum()

    return rows.group_by("_supplier_id").agg(
        *(
            of_rank(rank, f"_{n}_term").alias(f"_{n}_term_{rank}")
            for n in SHORT.values()
            for rank in range(len(NOTICES))
        ),
        *(nw.col(column).sum() for column in _counts(findings)),
        nw.col("_visits").sum().alias("_ev_audits"),
        nw.col("_last").max().alias("_ev_last"),
    )


def _site_level(sums: Frame, tests: dict[Hazard, Test], judgements: Judgements, on: date) -> Frame:
    concealment = [judgements.get(f"{_RULES}.concealment.{notice}") for notice in NOTICES]
    middle, low, high = (
        Nested.of([float(getattr(share, of)) for share in concealment]) for of in ("value", "low", "high")
    )
    runs = _with_open_terms(sums, [middle, low, high])
    present = set(sums.collect_schema().names())
    # Each step has columns of its own: an engine would compute a common part again for every place that it stands in.
    runs = runs.with_columns(
        **{
            f"_{n}_{of}": nested.total(n)
            for n in SHORT.values()
            for of, nested in (("m", middle), ("l", low), ("h", high))
        }
    )
    runs = runs.with_columns(
        *(nw.col(f"_{n}_m").log().alias(f"_{n}_ln") for n in SHORT.values()),
        *(
            ((nw.col(f"_{n}_h").log() - nw.col(f"_{n}_l").log()) / _RANGE_WIDTH).alias(f"_{n}_from_c")
            for n in SHORT.values()
        ),
        *(
            (middle.slope(SHORT[h]) / nw.col(f"_{SHORT[h]}_m") * tests[h].sd_base).alias(f"_{SHORT[h]}_from_se")
            for h in HAZARDS
        ),
    )
    columns: list[nw.Expr] = []
    for name in SHORT.values():
        value, from_c, from_se = (nw.col(f"_{name}_{part}") for part in ("ln", "from_c", "from_se"))
        columns += [
            quanta(nw.when(value < 0).then(value).otherwise(nw.lit(0.0))).alias(f"_ev_{name}_clean"),
            (from_c * from_c + from_se * from_se).sqrt().alias(f"_ev_{name}_clean_sd"),
            nw.col(f"_{name}_n" if f"_{name}_n" in present else "_ev_audits").alias(f"_ev_{name}_clean_n"),
        ]
    # Whole days, compared as dates: the day at which the window opens still counts.
    window = on - timedelta(days=math.floor(judgements.value(f"{_RULES}.checked_days")))
    checked = nw.when(nw.col("_ev_last") >= nw.lit(window)).then(1).otherwise(0)
    return runs.select("_supplier_id", *columns, "_ev_audits", "_ev_last", _ev_checked=checked)


@dataclass(frozen=True, slots=True)
class Nested:
    """Types of site by what they conceal from: ``order`` of the ranks of notice, least concealed first.

    ``weights[i]`` is the share of sites open to the audits of ``order[:i]`` and to no other; the last one is open to
    all.
    """

    order: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, concealed: list[float]) -> Nested:
        """The types that follow from the share concealing from each rank of notice."""
        order = tuple(sorted(range(len(concealed)), key=concealed.__getitem__))
        shares = [concealed[rank] for rank in order] + [1.0]
        return cls(order, (shares[0], *(after - before for before, after in pairwise(shares))))

    def open_to(self) -> list[tuple[int, ...]]:
        """The ranks that each type but the first is open to."""
        return [self.order[: count + 1] for count in range(len(self.order))]

    def total(self, name: str) -> nw.Expr:
        """LR of a run of clean audits."""
        total = nw.lit(self.weights[0])
        for weight, ranks in zip(self.weights[1:], self.open_to(), strict=True):
            total = total + nw.col(_open(name, ranks, "lr")) * weight
        return total

    def slope(self, name: str) -> nw.Expr:
        """How fast the LR falls with logit Se, never less than it does.

        d ln(1 - Se) / d logit Se = -Se is at most |ln(1 - Se)|: the slope is bounded by the terms themselves, so that
        the interval is never too narrow.
        """
        slope = nw.lit(0.0)
        for weight, ranks in zip(self.weights[1:], self.open_to(), strict=True):
            slope = slope - nw.col(_open(name, ranks, "lr")) * weight * nw.col(_open(name, ranks, "ln"))
        return slope


def _open(name: str, ranks: tuple[int, ...], what: str) -> str:
    return f"_{name}_{what}_{''.join(map(str, ranks))}"


def _with_open_terms(sums: Frame, nested: list[Nested]) -> Frame:
    """The runs with the summed ln LR of the audits that each type of site is open to, and its exponential."""
    every = sorted({ranks for each in nested for ranks in each.open_to()})
    terms: dict[str, nw.Expr] = {}
    for name in SHORT.values():
        for ranks in every:
            total = of_quanta(nw.col(f"_{name}_term_{ranks[0]}"))
            for rank in ranks[1:]:
                total = total + of_quanta(nw.col(f"_{name}_term_{rank}"))
            terms[_open(name, ranks, "ln")] = total
    summed = sums.with_columns(**terms)
    return summed.with_columns(
        **{_open(n, ranks, "lr"): nw.col(_open(n, ranks, "ln")).exp() for n in SHORT.values() for ranks in every}
    )
