"""What is usual in an activity: how common each workforce factor is, how large sites are, at which tier they stand.

A base rate is already an average over sites with and without each factor, so a factor enters relative to its average in
the activity (method: centring). With prevalence q and ratio r, a factor that is present multiplies the rate by
r / (1 + q(r-1)), one that is absent by 1 / (1 + q(r-1)) as far as its absence is proven, and one that is unknown by 1,
with its variance q(1-q)(ln r)² in the interval.

Shapes: D divisions (sorted codes, the first being the unknown activity ``00``), K factors, 3 states (absent, present,
unknown). Variances are on the logarithmic scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from vigilance.rules import RANGE_WIDTH, Judgements
from vigilance.scoring.uncertainty import held, of_chance
from vigilance.terms import ABSENT, DIVISION_UNKNOWN, FACTORS, HAZARDS, PRESENT, TIERS, UNKNOWN, Hazard

Floats = NDArray[np.float64]
PROOF_OF_A_LIST: Final = "declared"
"""A supplier list states its absences without proof."""


@dataclass(frozen=True)
class Factor:
    """One hazard's three-state factors: tables indexed by division, factor and state.

    ``ln`` and ``var`` are D×K×3; ``weight`` (D×K) is the variance that the absence of the answer adds, and ``known``
    (D×K×3) the part of it that an answer takes away. For the unknown activity ``weight`` is the largest and ``known``
    builds on the smallest of all activities, so that leaving the activity blank never improves a grade; ``var`` is that
    of its own profile (``HazardModel.unknown_activity`` sees to the interval).
    """

    ln: Floats
    var: Floats
    weight: Floats
    known: Floats


@dataclass(frozen=True)
class Activities:
    """Usual values by division (D); see the module for shapes. Shares are 0-1, sizes in workers."""

    codes: NDArray[np.str_]
    factors: dict[Hazard, Factor]
    migrants: Floats
    """D×3: low, central and high share of migrants."""
    size: Floats
    """D×3: low, central and high number of workers of a site."""
    tiers: Floats
    """D×4: share of sites at each tier; rows sum to 1."""
    workforce: dict[Hazard, Floats]
    """D: ln of what the factors and migrants that are usual in the activity make of its rate, before any centring."""

    def index(self, divisions: NDArray[np.str_]) -> NDArray[np.intp]:
        """Positions of division codes; an unknown code counts as the unknown activity."""
        place = np.searchsorted(self.codes, divisions)
        place = np.minimum(place, len(self.codes) - 1)
        return np.where(self.codes[place] == divisions, place, 0)


def activities(judgements: Judgements) -> Activities:
    """Read the activity profiles and centre every factor on them."""
    table = nw.from_native(judgements.table("activity_profile"), eager_only=True)
    codes = np.unique(table["division"].to_numpy().astype("U2"))
    if codes[0] != DIVISION_UNKNOWN:
        raise ValueError(f"the activity profiles lack the unknown activity {DIVISION_UNKNOWN}")
    read = _reader(table, codes)
    tiers = np.stack([read(f"tier{tier}", "value") for tier in TIERS], axis=1)
    spread = ("low", "value", "high")
    prevalence = np.stack([read(factor, "value") for factor in FACTORS], axis=1)
    return Activities(
        codes=codes,
        factors={hazard: _factor(prevalence, hazard, judgements) for hazard in HAZARDS},
        migrants=np.stack([read("migrant_share", bound) for bound in spread], axis=1),
        size=np.stack([read("size", bound) for bound in spread], axis=1),
        tiers=tiers / tiers.sum(axis=1, keepdims=True),
        workforce={
            hazard: _workforce(prevalence, read("migrant_share", "value"), hazard, judgements) for hazard in HAZARDS
        },
    )


def _workforce(prevalence: Floats, migrants: Floats, hazard: Hazard, judgements: Judgements) -> Floats:
    """Σ ln(1 + q(r - 1)) over the factors, + ln(1 + a·m̄): the averages that a site's answers are centred on (D)."""
    total = np.zeros(len(prevalence))
    for place, name in enumerate(FACTORS):
        path = f"factors.{name}.ratio.{hazard}"
        if judgements.has(path):
            total += np.log1p(prevalence[:, place] * (judgements.value(path) - 1.0))
    path = f"factors.migrant_share.coefficient.{hazard}"
    if judgements.has(path):
        total += np.log1p(judgements.value(path) * migrants)
    return total


def _reader(table: nw.DataFrame[Any], codes: NDArray[np.str_]) -> Callable[[str, str], Floats]:
    """A look-up ``(parameter, column) → values by division``; missing ones are NaN."""
    division = np.searchsorted(codes, table["division"].to_numpy().astype("U2"))
    parameter = table["parameter"].to_numpy().astype(str)
    columns = {bound: table[bound].to_numpy().astype(float) for bound in ("low", "value", "high")}

    def read(name: str, bound: str) -> Floats:
        mine = parameter == name
        values = np.full(len(codes), np.nan)
        values[division[mine]] = columns[bound][mine]
        return values

    return read


def _factor(prevalence: Floats, hazard: Hazard, judgements: Judgements) -> Factor:
    """Centre the factors of one hazard on their prevalence (D×K)."""
    paths = [f"factors.{name}.ratio.{hazard}" for name in FACTORS]
    has = [judgements.has(path) for path in paths]
    ratio = np.array([judgements.value(p) if h else 1.0 for p, h in zip(paths, has, strict=True)])
    sd = np.array([judgements.sd_ln(p) if h else 0.0 for p, h in zip(paths, has, strict=True)])
    proof = judgements.value(f"method.absence_proof.{PROOF_OF_A_LIST}")
    return _with_unknown_activity(centred(prevalence, ratio, sd, proof))


def centred(
    prevalence: Floats,
    ratio: Floats | float,
    sd: Floats | float,
    proof: float,
    *,
    chance: Floats | None = None,
    asked: NDArray[np.bool_] | bool = True,
) -> Factor:
    """The three states of factors with given prevalence (any shape), raw ratio and sd of its logarithm.

    ``chance`` is that of a blank being a presence, where it is not the prevalence. Where the site is ``asked`` for the
    state, no answer has more variance than the blank; what a public list says is no answer of the site.
    """
    blank = prevalence if chance is None else chance
    average = 1.0 + prevalence * (ratio - 1.0)
    present = np.log(ratio) - np.log(average)
    absent = -proof * np.log(average)
    # How the centred logarithm moves with ln r, which gives the uncertainty of the ratio itself.
    slope_present = (1.0 - prevalence) / average
    slope_absent = prevalence * ratio / average
    between = blank * (1.0 - blank) * np.log(ratio) ** 2
    own_present, own_absent = (slope_present * sd) ** 2, (slope_absent * sd) ** 2
    var_absent = of_chance((1.0 - proof) * blank, np.log(ratio), own_present, own_absent)
    var_unknown = of_chance(blank, np.log(ratio), own_present, own_absent)

    ln, var = (np.zeros((*prevalence.shape, 3)) for _ in range(2))
    ln[..., PRESENT], ln[..., ABSENT] = present, absent
    var[..., UNKNOWN] = var_unknown
    var[..., PRESENT] = np.where(asked, held(own_present, var_unknown), own_present)
    var[..., ABSENT] = np.where(asked, held(var_absent, var_unknown), var_absent)
    known = np.zeros_like(ln)
    known[..., PRESENT], known[..., ABSENT] = between, proof * between
    return Factor(ln=ln, var=var, weight=between, known=known)


def _with_unknown_activity(factor: Factor) -> Factor:
    """Give the unknown activity (row 0) the largest weights and the least credit of all activities."""
    weight, known = factor.weight.copy(), factor.known.copy()
    weight[0] = factor.weight.max(axis=0)
    known[0] = factor.known.min(axis=0)
    return Factor(ln=factor.ln, var=factor.var, weight=weight, known=known)


def ln_spread(low: Floats, high: Floats) -> Floats:
    """Standard deviation of a logarithm from its 5 % and 95 % bounds."""
    return np.log(high / low) / RANGE_WIDTH
