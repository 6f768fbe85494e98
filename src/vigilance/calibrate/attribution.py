"""How much of what ranks do under all judgements at once is due to each: Sobol's indices, on ranks.

Screening (``robustness``) says which judgements move ranks; here the leading ones share out the variance of the ranks
when everything moves over its range at once, the others together as one more. A *first-order* index is the share of
that variance that would go if the judgement were known; a *total* index the share that would be left if everything else
were: what it does alone, and with others. The output is the rank of every site: numerators and variances are summed
over the sites before they are divided (generalised indices). Sampling is SALib's, after Saltelli; the estimators are
those of SALib for one site, and a test holds them to it. Intervals resample the rows of the base sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance.calibrate.stress import TOP_SHARE, Stress, against_shipped
from vigilance.errors import UsageError
from vigilance.i18n import messages

_ = messages("calibrate")

Floats = NDArray[np.float64]

LEADING: Final = 15
"""So many judgements, those that move ranks most in the screening, have an index each."""
SAMPLES: Final = 64
"""Rows of the base sample, a power of two; each costs one scoring per judgement, and two more."""
SEED: Final = 43
RESAMPLES: Final = 400
CONFIDENCE: Final = (0.05, 0.95)
OTHERS: Final = "others"


@dataclass(frozen=True)
class Attribution:
    """What was found.

    ``indices``: one row per leading judgement, largest total first, then ``others``: ``path``; ``total`` and ``first``
    (shares of the variance of ranks) and ``top_tenth`` (total share of the variance of who is in the first tenth), each
    with its 90 % interval (``_low, _high``). ``draws``: as in ``robustness``, for independent sets.
    """

    indices: pl.DataFrame
    draws: pl.DataFrame
    sites: int
    samples: int
    judgements: int


def attribution(stress: Stress, leading: Sequence[str], samples: int = SAMPLES, seed: int = SEED) -> Attribution:
    """Share out the variance of ranks over the ``leading`` judgements and all the others together.

    Raises ``UsageError`` when SALib is not installed or ``samples`` is no power of two.
    """
    if samples & (samples - 1):
        raise UsageError(
            _("the number of samples is a power of two"), hint=_("--samples {n}").format(n=1 << samples.bit_length())
        )
    others = [path for path in stress.paths() if path not in set(leading)]
    paths, groups = [*leading, *others], [*leading, *[OTHERS] * len(others)]
    points = sample(paths, groups, samples, seed)
    ranks = stress.ranks(paths, [np.full(len(paths), 0.5), *points])
    names = list(dict.fromkeys(groups))
    worlds = ranks[1:].reshape(samples, len(names) + 2, -1)
    independent = np.concatenate([ranks[:1], worlds[:, 0], worlds[:, -1]])
    return Attribution(
        indices=_table(names, worlds, seed),
        draws=against_shipped(independent),
        sites=stress.sites.height,
        samples=samples,
        judgements=len(paths),
    )


def evaluations(groups: int, samples: int) -> int:
    """How many sets of judgements an attribution ranks, the shipped one among them."""
    return 1 + samples * (groups + 2)


def _salib() -> ModuleType:
    try:
        from SALib.sample import sobol  # noqa: PLC0415 - an extra: only where robustness is asked for
    except ImportError as error:
        raise UsageError(
            _("the robustness check needs SALib, which is not installed"), hint=_("pip install SALib")
        ) from error
    module: ModuleType = sobol
    return module


def sample(paths: Sequence[str], groups: Sequence[str], samples: int, seed: int) -> Floats:
    """Points of the unit cube (samples·(groups + 2) × paths): row by row A, A with each group of B in turn, B."""
    problem = {
        "num_vars": len(paths),
        "names": list(paths),
        "groups": list(groups),
        "bounds": [[0.0, 1.0]] * len(paths),
    }
    points: Floats = _salib().sample(problem, samples, calc_second_order=False, seed=seed)
    return points


def _table(names: Sequence[str], worlds: Floats, seed: int) -> pl.DataFrame:
    """The indices of every group from the ranks (rows of the base sample × (groups + 2) × sites)."""
    rng = np.random.default_rng([seed, 1])
    rows = len(worlds)
    drawn = rng.multinomial(rows, np.full(rows, 1.0 / rows), RESAMPLES)
    weights = np.vstack([np.ones((1, rows)), drawn]) / rows
    total, first = indices(worlds, weights)
    top, _first = indices((worlds < TOP_SHARE).astype(float), weights)
    columns: dict[str, Any] = {"path": list(names)}
    for name, found in (("total", total), ("first", first), ("top_tenth", top)):
        low, high = np.quantile(found[1:], CONFIDENCE, axis=0)
        columns |= {name: found[0].round(6), f"{name}_low": low.round(6), f"{name}_high": high.round(6)}
    frame = pl.DataFrame(columns)
    last = pl.col("path") == OTHERS
    return frame.sort([last, "total", "path"], descending=[False, True, False])


def indices(worlds: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Total and first-order indices (resamples × groups) under weights of the rows of the base sample (resamples × N).

    Jansen's estimator of the total, Saltelli's of the first order, summed over the sites (last axis).
    """
    centred = worlds - worlds.mean(axis=(0, 1))
    a, b = centred[:, 0], centred[:, -1]
    mixed = centred[:, 1:-1]
    moved = ((a[:, None] - mixed) ** 2).mean(axis=2)
    alone = (b[:, None] * (mixed - a[:, None])).mean(axis=2)
    mean = weights @ (a + b) / 2.0
    variance = weights @ ((a**2 + b**2) / 2.0).mean(axis=1) - (mean**2).mean(axis=1)
    held = np.where(variance > 0, variance, 1.0)[:, None]
    return 0.5 * (weights @ moved) / held, (weights @ alone) / held
