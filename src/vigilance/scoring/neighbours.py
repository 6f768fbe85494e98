"""What the list of goods says of a cell that nobody listed: its activity elsewhere, and its country otherwise.

A good made with forced or child labour in one country is often made so in the next, before anybody has looked there.
The strength of such evidence lies between 0 (nothing listed) and 1 (listed everywhere), the ratio is raised to it, and
the result is held against its average in the broad sector or the region. What lies below the average counts only as
far as silence is proof, for absence from a list is not absence of risk; the average stays one all the same.
Shapes: C countries × D divisions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigilance.rules import Estimate, Judgements
from vigilance.scoring import lines
from vigilance.scoring.centring import NONE, Floats, Groups, ln_average

Flags = NDArray[np.bool_]
ELSEWHERE = f"factors.{lines.LISTED_ELSEWHERE}"
IN_COUNTRY = f"factors.{lines.LISTED_IN_COUNTRY}"


@dataclass(frozen=True)
class Graded:
    """A ratio raised to a strength: ``ln`` = ln ratio × ``centred``, with the variance of the ratio itself."""

    centred: Floats
    ln: Floats
    var: Floats


def elsewhere(judgements: Judgements, own: Flags, other: Flags, regions: Groups) -> Floats:
    """Strength (C×D) of the evidence that an activity is listed in other countries, those of the region counting more.

    The cell itself counts as well where it is listed: of a cell that is not listed, that says nothing.
    """
    counted = own + judgements.value(f"{ELSEWHERE}.other_hazard") * other
    near = np.zeros(counted.shape)
    for region in np.unique(regions):
        near[regions == region] = counted[regions == region].sum(axis=0)
    count = counted.sum(axis=0)[None, :] + (judgements.value(f"{ELSEWHERE}.same_region") - 1.0) * near
    strength: Floats = count / (count + judgements.value(f"{ELSEWHERE}.half"))
    return strength


def in_country(judgements: Judgements, own: Flags, other: Flags) -> Floats:
    """Strength (C×D, the same for all activities of a country) of the evidence that its goods are listed."""
    count = own.sum(axis=1) + judgements.value(f"{IN_COUNTRY}.other_hazard") * other.sum(axis=1)
    strength = count / (count + judgements.value(f"{IN_COUNTRY}.half"))
    return np.broadcast_to(strength[:, None], own.shape)


def graded(ratio: Estimate, proof: float, strength: tuple[Floats, Floats], weight: Floats, group: Groups) -> Graded:
    """The ratio raised to a strength, centred in each group; 1 outside the groups (C×D).

    ``strength`` is that of now and the one that counts; they differ only in a model of some years before. The offsets
    are those of now, so that a cell moves between two dates only when what is known of it moved.
    """
    now, then = strength
    ln_ratio = np.log(ratio.value)
    whole = ln_average(ln_ratio * now, weight, group)
    again = ln_average(_lowered(ln_ratio * now - whole, proof), weight, group)
    ln = np.where(group == NONE, 0.0, _lowered(ln_ratio * then - whole, proof) - again)
    centred = ln / ln_ratio
    return Graded(centred=centred, ln=ln, var=(centred * ratio.sd_ln) ** 2)


def _lowered(ln: Floats, proof: float) -> Floats:
    return np.where(ln < 0, proof * ln, ln)
