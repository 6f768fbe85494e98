"""Ratios moved towards a user's own audit outcomes, held by their priors: penalised likelihood.

    maximise  Σ_i ln(1 + P_i(θ)·(LR_i - 1)) - ½ Σ_k ((θ_k - ln r_k)/sd_k)² ,   sd_k = ln(high/low)/3.29

θ are the logarithms of the ratios of one hazard, with the level of the base and the slope of the country among them;
P is the inherent presence (``recomputed``), LR the record of audits (``outcomes``). A ratio of which the audits say
nothing stays where it was. The level cannot be told from the sensitivity of audits: it is fitted along, never proposed,
and the fit is made again under the low and the high sensitivity to show what depends on it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import brier_score_loss, log_loss

from vigilance.calibrate.outcomes import Outcomes
from vigilance.calibrate.recomputed import BASE, Design, Parameters, View, link, presence
from vigilance.rules import RANGE_WIDTH

Floats = NDArray[np.float64]
Chosen = NDArray[np.intp]

FOLDS: Final = 5
BINS: Final = 10
STEP: Final = 1e-4
LEARNED: Final = 0.9
"""A ratio is learned when its posterior sd is below this share of its prior sd."""
MOVED: Final = 1.645
"""... and moved when it left its prior by this many posterior sds."""
GAIN: Final = 0.0
"""Proposals are made only where the cross-validated log score rose by more than this."""


@dataclass(frozen=True)
class Fit:
    """Where the parameters went: logarithms and posterior sds (Laplace), P each."""

    before: Parameters
    ln: Floats
    sd: Floats

    @property
    def after(self) -> Parameters:
        """The parameters at the maximum."""
        return self.before.with_ln(self.ln)


def subset(of: Design, chosen: Chosen) -> Design:
    """The design of some of its sites."""
    stated = View(**{name: getattr(of.stated, name)[chosen] for name in View.__dataclass_fields__})
    arrays = {
        name: getattr(of, name)[chosen]
        for name in Design.__dataclass_fields__
        if isinstance(getattr(of, name), np.ndarray)
    }
    return replace(of, **arrays, stated=stated)


def fit(of: Design, records: Outcomes, numbers: Parameters) -> Fit:
    """Fit the parameters with a range to the records of audited sites; the others stay."""
    chosen = np.flatnonzero(records.audits > 0)
    of, records = subset(of, chosen), records.at(chosen)
    free = np.flatnonzero(numbers.sd > 0)
    prior, sd = numbers.ln[free], numbers.sd[free]

    def penalty(z: Floats) -> tuple[float, Floats]:
        """Negative log posterior and gradient, in units of the prior's sd, which scales the problem."""
        ln = numbers.ln.copy()
        ln[free] = prior + sd * z
        made = link(of, numbers.with_ln(ln), of.stated, gradient=True)
        m = np.exp(made.ln_m)
        excess = records.ratio - 1.0
        likelihood = 1.0 + presence(made.ln_m) * excess
        slope = (excess / likelihood * m * np.exp(-m)) @ made.gradient[:, free]
        return float(0.5 * z @ z - np.log(likelihood).sum()), z - slope * sd

    found = minimize(penalty, np.zeros(len(free)), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    ln, spread = numbers.ln.copy(), np.zeros(len(numbers.ln))
    ln[free] = prior + sd * found.x
    spread[free] = sd * np.sqrt(np.diag(_inverse_curvature(penalty, found.x)))
    return Fit(numbers, ln, spread)


def _inverse_curvature(penalty: Any, z: Floats) -> Floats:
    """Inverse Hessian by central differences of the gradient; eigenvalues held at the prior's 1 at least."""
    size = len(z)
    steps = np.eye(size) * STEP
    rows = np.stack([(penalty(z + step)[1] - penalty(z - step)[1]) / (2 * STEP) for step in steps])
    values, vectors = np.linalg.eigh((rows + rows.T) / 2)
    inverse: Floats = (vectors / np.maximum(values, 1.0)) @ vectors.T
    return inverse


def predicted(of: Design, numbers: Parameters, records: Outcomes) -> Floats:
    """Probability that the record of each site holds a finding."""
    return records.seen(presence(link(of, numbers, of.stated).ln_m))


def folds(ids: NDArray[np.str_], count: int = FOLDS) -> Chosen:
    """The fold of each site, from its id alone: the same site always falls into the same one."""
    return np.array([zlib.crc32(name.encode()) % count for name in ids.tolist()], dtype=np.intp)


@dataclass(frozen=True)
class Scores:
    """Out-of-fold quality of the predictions of any finding, before and after; the reliability of both."""

    audited: int
    positive: int
    before: dict[str, float]
    after: dict[str, float]
    reliability: pl.DataFrame

    @property
    def gain(self) -> float:
        """How much the mean log score of a record rose."""
        return self.after["record_log_score"] - self.before["record_log_score"]


def cross_validated(of: Design, records: Outcomes, numbers: Parameters, count: int = FOLDS) -> Scores:
    """Fit on all folds but one, predict that one, for each fold."""
    audited = np.flatnonzero(records.audits > 0)
    of, records = subset(of, audited), records.at(audited)
    fold = folds(of.ids, count)
    p = {name: np.zeros(len(audited)) for name in ("before", "after")}
    for number in np.unique(fold):
        held, kept = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        made = fit(subset(of, kept), records.at(kept), numbers)
        tested = subset(of, held)
        for name, used in (("before", numbers), ("after", made.after)):
            p[name][held] = presence(link(tested, used, tested.stated).ln_m)
    scores = {name: _scores(found, records) for name, found in p.items()}
    reliability = pl.concat([_reliability(name, records.seen(found), records.positive) for name, found in p.items()])
    return Scores(len(audited), int(records.positive.sum()), scores["before"], scores["after"], reliability)


def _scores(p: Floats, records: Outcomes) -> dict[str, float]:
    """Mean log score of the whole record (higher is better); Brier and log loss of any finding (lower is better)."""
    seen = np.clip(records.seen(p), 1e-12, 1 - 1e-12)
    flags = records.positive.astype(int)
    found = {
        "record_log_score": float(np.log(1.0 + p * (records.ratio - 1.0)).mean()),
        "brier": float(brier_score_loss(flags, seen)),
        "log_loss": float(log_loss(flags, seen, labels=[0, 1])),
        "mean_predicted": float(seen.mean()),
        "observed": float(flags.mean()),
    }
    return {name: round(value, 8) for name, value in found.items()}


def _reliability(name: str, seen: Floats, positive: NDArray[np.bool_]) -> pl.DataFrame:
    """Predicted and observed share of sites with a finding, in bins of equal size."""
    parts = [part for part in np.array_split(np.argsort(seen, kind="stable"), BINS) if len(part)]
    return pl.DataFrame(
        {
            "predictions": [name] * len(parts),
            "sites": [len(part) for part in parts],
            "predicted": [round(float(seen[part].mean()), 6) for part in parts],
            "observed": [round(float(positive[part].mean()), 6) for part in parts],
        }
    )


def table(made: Fit, low: Fit, high: Fit, gain: float) -> pl.DataFrame:
    """One row per parameter: before and after with ranges, what the audits taught, and whether a change is proposed.

    ``low`` and ``high`` are the fits under the low and the high sensitivity of audits. A change is proposed when the
    ratio was learned, moved, keeps its direction under both, and the held-out score rose.
    """
    rows = []
    for place, path in enumerate(made.before.paths):
        prior, sd = made.before.ln[place], made.before.sd[place]
        moved, spread = made.ln[place] - prior, made.sd[place]
        others = [fit_.ln[place] - prior for fit_ in (low, high)]
        learned = bool(sd > 0 and spread < LEARNED * sd)
        firm = learned and abs(moved) > MOVED * spread and all(moved * other > 0 for other in others)
        rows.append(
            {
                "path": path,
                "before": round(float(np.exp(prior)), 6),
                "before_low": round(float(np.exp(prior - sd * RANGE_WIDTH / 2)), 6),
                "before_high": round(float(np.exp(prior + sd * RANGE_WIDTH / 2)), 6),
                "after": round(float(np.exp(made.ln[place])), 6),
                "after_low": round(float(np.exp(made.ln[place] - spread * RANGE_WIDTH / 2)), 6),
                "after_high": round(float(np.exp(made.ln[place] + spread * RANGE_WIDTH / 2)), 6),
                "after_low_sensitivity": round(float(np.exp(low.ln[place])), 6),
                "after_high_sensitivity": round(float(np.exp(high.ln[place])), 6),
                "learned": learned,
                "proposed": bool(firm and gain > GAIN and not path.startswith(BASE)),
            }
        )
    return pl.DataFrame(rows)
