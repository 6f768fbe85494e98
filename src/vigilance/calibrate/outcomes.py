"""What a user's audits say of each site, as a likelihood: imperfect tests, concealment and decay as in the evidence.

For a site with presence P0, the probability of its record of audits is B·(1 + P0·(LR - 1)), where B does not depend on
the parameters and LR = Σ_k v_k·exp(Σ_j d_j·ln lr_jk) over the nested types of concealment k: lr is (1 - Se)/Sp for a
clean audit and Se/(1 - Sp) for one with a finding where the type is open to it, and 1 where it conceals. The record is
used with the site's *inherent* presence, so that no audit is counted twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.rules import Judgements
from vigilance.scoring.evidence_audits import NOTICES, Test, visits
from vigilance.scoring.evidence_columns import SHORT, age_days, halved, small_tables
from vigilance.scoring.evidence_findings import found_days, read_findings
from vigilance.terms import Hazard

_ = messages("calibrate")

Floats = NDArray[np.float64]

FEWEST_AUDITED: Final = 30
"""Audited sites below which nothing is fitted: the prior would come back."""


@dataclass(frozen=True)
class Outcomes:
    """One hazard's records, for n sites in the order of their ids."""

    audits: NDArray[np.int64]
    positive: NDArray[np.bool_]
    """Whether any audit found the hazard."""
    ratio: Floats
    """LR of the record; 1 without audits."""
    seen_if_present: Floats
    seen_if_absent: Floats
    """Probability of any finding, given presence and absence."""

    def seen(self, presence: Floats) -> Floats:
        """Probability that the record holds a finding, given the presence of the site."""
        return presence * self.seen_if_present + (1.0 - presence) * self.seen_if_absent

    def at(self, chosen: NDArray[np.intp]) -> Outcomes:
        """The records of some sites."""
        return Outcomes(
            audits=self.audits[chosen],
            positive=self.positive[chosen],
            ratio=self.ratio[chosen],
            seen_if_present=self.seen_if_present[chosen],
            seen_if_absent=self.seen_if_absent[chosen],
        )


def outcomes(
    sites: pl.DataFrame,
    audits: pl.DataFrame,
    findings: pl.DataFrame,
    judgements: Judgements,
    on: date,
    hazard: Hazard,
) -> Outcomes:
    """The records of typed sites (``_supplier_id, _workers``) from typed audits and findings.

    Raises ``InputRefused`` when fewer than ``FEWEST_AUDITED`` sites were audited by then.
    """
    test = Test.of(hazard, judgements)
    told = _visits(sites, audits, findings, judgements, on, test)
    ids = pl.DataFrame({"_supplier_id": sites["_supplier_id"], "site": np.arange(sites.height)})
    told = told.join(ids, on="_supplier_id", how="inner").sort("site", "_audited_on")
    if told["site"].n_unique() < FEWEST_AUDITED:
        raise InputRefused(
            _("only {count} sites of the list have an audit; {needed} are needed to learn from them").format(
                count=told["site"].n_unique(), needed=FEWEST_AUDITED
            ),
            hint=_("give the audits of more sites with --audits and their findings with --findings"),
        )
    found = told[f"_{SHORT[hazard]}_found"].fill_null(0).to_numpy() > 0
    site, rank = told["site"].to_numpy(), told["_rank"].to_numpy().astype(np.intp)
    se, fresh, sp = told["_se"].to_numpy(), told["_fresh"].to_numpy(), test.specificity
    told_ln = np.where(found, np.log(se) - math.log(1.0 - sp), np.log(1.0 - se) - math.log(sp))
    concealed = [judgements.value(f"evidence.audits.concealment.{notice}") for notice in NOTICES]
    count = sites.height
    record = _by_rank(site, rank, fresh * told_ln, count)
    missed = _by_rank(site, rank, np.log(1.0 - se) - math.log(sp), count)
    number = np.bincount(site, minlength=count)
    clean_if_absent: Floats = np.power(sp, number.astype(float))
    return Outcomes(
        audits=number,
        positive=np.bincount(site, weights=found, minlength=count) > 0,
        ratio=_over_types(record, concealed),
        seen_if_present=1.0 - clean_if_absent * _over_types(missed, concealed),
        seen_if_absent=1.0 - clean_if_absent,
    )


def _visits(
    sites: pl.DataFrame, audits: pl.DataFrame, findings: pl.DataFrame, judgements: Judgements, on: date, test: Test
) -> pl.DataFrame:
    """Each visit with its sensitivity, what is left of it by age, and whether it found each hazard."""
    frames = [nw.from_native(frame.lazy()) for frame in (audits, sites.select("_supplier_id", "_workers"), findings)]
    seen: Any = visits(frames[0], frames[1], judgements, on)
    half_life = judgements.value("evidence.audits.half_life_days")
    seen = seen.with_columns(
        _se=test.sensitivity(nw.col("_shift")), _fresh=halved(age_days("_audited_on", on), half_life)
    )
    found = found_days(read_findings(frames[2], judgements, on, small_tables(frames[2])))
    joined: pl.DataFrame = seen.join(found, on=["_supplier_id", "_audited_on"], how="left").to_native().collect()
    return joined


def _by_rank(site: NDArray[np.int64], rank: NDArray[np.intp], ln: Floats, count: int) -> Floats:
    """Sums of logarithms by site and notice (n×3)."""
    width = len(NOTICES)
    summed: Floats = np.bincount(site * width + rank, weights=ln, minlength=count * width).astype(float)
    return summed.reshape(count, width)


def _over_types(ln: Floats, concealed: list[float]) -> Floats:
    """Σ_k v_k·exp(sum of the notices open to type k): who conceals from an unannounced audit conceals from all."""
    order = np.argsort(concealed, kind="stable")
    shares = np.diff([*(concealed[rank] for rank in order), 1.0])
    open_to = np.cumsum(ln[:, order], axis=1)
    total: Floats = concealed[order[0]] + (shares * np.exp(open_to)).sum(axis=1)
    return total
