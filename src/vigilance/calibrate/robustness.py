"""Which judgements the ranks hang on: Morris screening over every number with a range.

From one point of a trajectory to the next a single judgement moves by two thirds of its range; how far the ranks of the
sites move with it, in shares of the list, is its elementary effect. Sampling is SALib's; a trajectory costs one scoring
per judgement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.calibrate.stress import TOP_SHARE, Stress, against_shipped
from vigilance.errors import UsageError
from vigilance.i18n import messages

_ = messages("calibrate")

Floats = NDArray[np.float64]

LEVELS: Final = 4
TRAJECTORIES: Final = 4
SEED: Final = 41
TOP: Final = 10


@dataclass(frozen=True)
class Screening:
    """What was found.

    ``effects``: one row per judgement, largest first: ``path, effect`` (mean move of a site's rank, share of the
    list), ``spread`` (sd over trajectories), ``top_tenth`` (mean share of the first tenth that is replaced).
    ``draws``: for each evaluated set, the rank correlation with the shipped judgements and the first tenth kept.
    """

    effects: pl.DataFrame
    draws: pl.DataFrame
    sites: int
    trajectories: int


def screening(
    stress: Stress, trajectories: int = TRAJECTORIES, seed: int = SEED, paths: Sequence[str] | None = None
) -> Screening:
    """Screen the ranks of typed sites over ``paths``, by default everything with a range.

    Raises ``UsageError`` when SALib is not installed.
    """
    wanted = tuple(paths or stress.paths())
    points = _sample(wanted, trajectories, seed)
    ranks = stress.ranks(wanted, [np.full(len(wanted), 0.5), *points])
    return Screening(
        effects=_effects(points, ranks[1:], wanted, trajectories),
        draws=against_shipped(ranks),
        sites=stress.sites.height,
        trajectories=trajectories,
    )


def evaluations(judgements: int, trajectories: int) -> int:
    """How many sets of judgements a screening ranks, the shipped one among them."""
    return 1 + trajectories * (judgements + 1)


def _salib() -> ModuleType:
    try:
        from SALib.sample import morris  # noqa: PLC0415 - an extra: only where robustness is asked for
    except ImportError as error:
        raise UsageError(
            _("the robustness check needs SALib, which is not installed"), hint=_("pip install SALib")
        ) from error
    module: ModuleType = morris
    return module


def _sample(paths: Sequence[str], trajectories: int, seed: int) -> Floats:
    """Points of the unit cube (r·(k+1) × k), trajectory by trajectory."""
    problem = {"num_vars": len(paths), "names": list(paths), "bounds": [[0.0, 1.0]] * len(paths)}
    points: Floats = _salib().sample(problem, N=trajectories, num_levels=LEVELS, seed=seed)
    return points


def _effects(points: Floats, ranks: Floats, paths: Sequence[str], trajectories: int) -> pl.DataFrame:
    """Moves of ranks between neighbouring points, by the judgement that moved."""
    count = len(paths)
    step = np.diff(points.reshape(trajectories, count + 1, count), axis=1)
    by_trajectory = ranks.reshape(trajectories, count + 1, -1)
    moved = np.abs(np.diff(by_trajectory, axis=1)).mean(axis=2)
    top = by_trajectory < TOP_SHARE
    replaced = (top[:, :-1] & ~top[:, 1:]).sum(axis=2) / np.maximum(top[:, :-1].sum(axis=2), 1)
    which = np.abs(step).argmax(axis=2)
    effect, first = np.zeros((trajectories, count)), np.zeros((trajectories, count))
    for trajectory in range(trajectories):
        effect[trajectory, which[trajectory]] = moved[trajectory]
        first[trajectory, which[trajectory]] = replaced[trajectory]
    frame = pl.DataFrame(
        {
            "path": list(paths),
            "effect": effect.mean(axis=0).round(8),
            "spread": effect.std(axis=0).round(8),
            "top_tenth": first.mean(axis=0).round(8),
        }
    )
    return frame.sort(["effect", "path"], descending=[True, False])
