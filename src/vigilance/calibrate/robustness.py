"""Which judgements the ranks hang on: Morris screening over every number with a range, by the engine itself.

Each evaluation draws one set of judgements for all sites, so that ranks are coherent. From one point of a trajectory to
the next a single judgement moves by two thirds of its range; how far the ranks of the sites move with it, in shares of
the list, is its elementary effect. Sampling is SALib's; a trajectory costs one scoring per judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance import engines, evidence, reference
from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.ranking import worst
from vigilance.rules import Judgements, Rulebook, load
from vigilance.scoring.model import build

_ = messages("calibrate")

Floats = NDArray[np.float64]

LEVELS: Final = 4
TRAJECTORIES: Final = 4
SEED: Final = 41
TOP: Final = 10
PREFIXES: Final = ("method", "factors", "country_index")
WITH_EVIDENCE: Final = ("evidence", "measures")
PROFILE: Final = "activity_profile"
TABLE_PREFIX: Final = "tables"


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


class Stressed(Judgements):
    """Judgements with some numbers changed, and columns of the activity profiles moved within their ranges."""

    def __init__(self, base: Judgements, values: Mapping[str, float], columns: Mapping[str, float]) -> None:
        super().__init__(base.book, base.on, {**base.overrides, **values})
        self.columns = dict(columns)

    def table(self, name: str) -> pl.DataFrame:
        """The table, its profiles moved: 0 is the low bound, one half the value, 1 the high bound."""
        frame = super().table(name)
        if name != PROFILE or not self.columns:
            return frame
        moved = pl.col("value")
        for parameter, place in self.columns.items():
            end = pl.coalesce("low" if place < 0.5 else "high", "value")
            share = abs(2.0 * place - 1.0)
            moved = (
                pl.when(pl.col("parameter") == parameter)
                .then(pl.col("value") * (1 - share) + end * share)
                .otherwise(moved)
            )
        return frame.with_columns(moved.alias("value"))


def names(judgements: Judgements, prefixes: Iterable[str] = PREFIXES) -> list[str]:
    """The paths that are moved: every number with a range, and each column of the activity profiles as one."""
    paths = [
        path
        for prefix in prefixes
        for path, estimate in judgements.under(prefix).items()
        if not estimate.exact and estimate.high > estimate.low
    ]
    ranged = judgements.table(PROFILE).filter(pl.col("low").is_not_null(), pl.col("high") > pl.col("low"))
    columns = sorted(ranged["parameter"].unique().to_list())
    return [*paths, *(f"{TABLE_PREFIX}.{PROFILE}.{column}" for column in columns)]


def stressed(judgements: Judgements, paths: Sequence[str], point: Floats) -> Stressed:
    """The judgements at a point of the unit cube: 0 is each low bound, one half the value, 1 the high bound."""
    values, columns = {}, {}
    for path, place in zip(paths, point.tolist(), strict=True):
        if path.startswith(f"{TABLE_PREFIX}."):
            columns[path.rsplit(".", 1)[1]] = place
        else:
            values[path] = _within(judgements, path, place)
    return Stressed(judgements, values, columns)


def _within(judgements: Judgements, path: str, place: float) -> float:
    estimate = judgements.get(path)
    end = estimate.low if place < 0.5 else estimate.high
    share = abs(2.0 * place - 1.0)
    if estimate.low > 0:
        return float(estimate.value ** (1 - share) * end**share)
    return float(estimate.value * (1 - share) + end * share)


@dataclass(frozen=True)
class Task:
    """What a worker needs to rank the sites under a set of judgements; made again in each process."""

    rules: Path
    data: Path
    on: Any
    overrides: Mapping[str, float]
    sites: pl.DataFrame
    tables: Mapping[str, pl.DataFrame]
    paths: tuple[str, ...]

    def ranker(self) -> Callable[[Floats], Floats]:
        """A function from a point of the unit cube to what the sites are ranked on."""
        facts = reference.load(self.data).in_force(self.on)
        judgements = load(self.rules).in_force(self.on).with_values(self.overrides)

        def levels(point: Floats) -> Floats:
            model = build(facts, stressed(judgements, self.paths, point))
            known = evidence.table(self.sites.lazy(), self.tables, model.judgements, self.on)
            scored = pl.concat(list(engines.polars(self.sites.lazy(), model, known)))
            return scored.select(worst("p80")).to_series().to_numpy()

        return levels


_worker: dict[str, Callable[[Floats], Floats]] = {}


def _start(task: Task) -> None:
    _worker["levels"] = task.ranker()


def _evaluate(point: Floats) -> Floats:
    return _worker["levels"](point)


def screening(
    facts: reference.Facts,
    judgements: Judgements,
    sites: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame] | None = None,
    trajectories: int = TRAJECTORIES,
    seed: int = SEED,
    jobs: int = 1,
    paths: Sequence[str] | None = None,
) -> Screening:
    """Screen the ranks of typed sites. ``jobs`` processes share the work; the result does not depend on their number.

    Raises ``UsageError`` when SALib is not installed.
    """
    given = dict(tables or {})
    wanted = tuple(paths or names(judgements, (*PREFIXES, *WITH_EVIDENCE) if given else PREFIXES))
    points = _sample(wanted, trajectories, seed)
    book: Rulebook = judgements.book
    task = Task(book.root, facts.reference.root, facts.on, judgements.overrides, sites, given, wanted)
    evaluated = _evaluated(task, [np.full(len(wanted), 0.5), *points], jobs)
    ranks = np.stack([_ranks(levels) for levels in evaluated])
    return Screening(
        effects=_effects(points, ranks[1:], wanted, trajectories),
        draws=_draws(ranks),
        sites=sites.height,
        trajectories=trajectories,
    )


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


def _evaluated(task: Task, points: Sequence[Floats], jobs: int) -> list[Floats]:
    if jobs <= 1:
        levels = task.ranker()
        return [levels(point) for point in points]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(task,)) as pool:
        return list(pool.map(_evaluate, points, chunksize=8))


def _ranks(levels: Floats) -> Floats:
    """Ranks as shares of the list, ties sharing the mean; 0 is the highest risk."""
    ranked = pl.Series(-levels).rank("average").to_numpy() - 1.0
    return ranked / max(len(levels) - 1, 1)


def _effects(points: Floats, ranks: Floats, paths: Sequence[str], trajectories: int) -> pl.DataFrame:
    """Moves of ranks between neighbouring points, by the judgement that moved."""
    count = len(paths)
    step = np.diff(points.reshape(trajectories, count + 1, count), axis=1)
    by_trajectory = ranks.reshape(trajectories, count + 1, -1)
    moved = np.abs(np.diff(by_trajectory, axis=1)).mean(axis=2)
    top = by_trajectory < 0.1
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


def _draws(ranks: Floats) -> pl.DataFrame:
    """Each evaluated set against the shipped judgements (the first row)."""
    shipped, others = ranks[0], ranks[1:]
    centred = others - others.mean(axis=1, keepdims=True)
    own = shipped - shipped.mean()
    scale = np.sqrt((centred**2).sum(axis=1) * (own**2).sum())
    top = shipped < 0.1
    return pl.DataFrame(
        {
            "rank_correlation": ((centred @ own) / np.where(scale > 0, scale, 1.0)).round(6),
            "first_tenth_kept": ((others < 0.1) & top).sum(axis=1) / max(int(top.sum()), 1),
        }
    )
