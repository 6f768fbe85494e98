"""The ranks of sites under changed judgements, by the engine itself: what screening and attribution have in common.

Each evaluation takes one set of judgements for all sites, a point of the unit cube, so that ranks are coherent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vigilance import engines, evidence, reference
from vigilance.ranking import worst
from vigilance.rules import Judgements, load
from vigilance.scoring.model import build

Floats = NDArray[np.float64]

PREFIXES: Final = ("method", "factors", "country_index")
WITH_EVIDENCE: Final = ("evidence", "measures")
PROFILE: Final = "activity_profile"
TABLE_PREFIX: Final = "tables"
TOP_SHARE: Final = 0.1
"""The first tenth of a list: about what a year of audits reaches."""


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
            model = evidence.informed(build(facts, stressed(judgements, self.paths, point)), self.tables)
            known = evidence.table(self.sites.lazy(), self.tables, model.judgements, self.on)
            scored = pl.concat(list(engines.polars(self.sites.lazy(), model, known)))
            return scored.select(worst("p80")).to_series().to_numpy()

        return levels


_worker: dict[str, Callable[[Floats], Floats]] = {}


def _start(task: Task) -> None:
    _worker["levels"] = task.ranker()


def _evaluate(point: Floats) -> Floats:
    return _worker["levels"](point)


@dataclass(frozen=True)
class Stress:
    """Sites whose ranks are taken under changed judgements, and how: ``jobs`` processes; ``told`` after each set."""

    facts: reference.Facts
    judgements: Judgements
    sites: pl.DataFrame
    tables: Mapping[str, pl.DataFrame]
    jobs: int = 1
    told: Callable[[], None] = lambda: None

    def paths(self) -> tuple[str, ...]:
        """Everything that is moved: with evidence, its judgements too."""
        return tuple(names(self.judgements, (*PREFIXES, *WITH_EVIDENCE) if self.tables else PREFIXES))

    def ranks(self, paths: Sequence[str], points: Sequence[Floats]) -> Floats:
        """Ranks of the sites as shares of the list, at each point of the unit cube (points × sites).

        The result does not depend on the number of processes.
        """
        root = self.facts.reference.root
        task = Task(
            self.judgements.book.root,
            root,
            self.facts.on,
            self.judgements.overrides,
            self.sites,
            dict(self.tables),
            tuple(paths),
        )
        made = []
        with _evaluations(task, points, self.jobs) as evaluations:
            for levels in evaluations:
                made.append(shares(levels))
                self.told()
        return np.stack(made)


@contextmanager
def _evaluations(task: Task, points: Sequence[Floats], jobs: int) -> Iterator[Iterable[Floats]]:
    if jobs <= 1:
        yield map(task.ranker(), points)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(task,)) as pool:
        yield pool.map(_evaluate, points, chunksize=8)


def shares(levels: Floats) -> Floats:
    """Ranks as shares of the list, ties sharing the mean; 0 is the highest risk."""
    ranked = pl.Series(-levels).rank("average").to_numpy() - 1.0
    return ranked / max(len(levels) - 1, 1)


def against_shipped(ranks: Floats) -> pl.DataFrame:
    """Each set against the shipped judgements (the first row): ``rank_correlation``, ``first_tenth_kept``."""
    shipped, others = ranks[0], ranks[1:]
    centred = others - others.mean(axis=1, keepdims=True)
    own = shipped - shipped.mean()
    scale = np.sqrt((centred**2).sum(axis=1) * (own**2).sum())
    top = shipped < TOP_SHARE
    return pl.DataFrame(
        {
            "rank_correlation": ((centred @ own) / np.where(scale > 0, scale, 1.0)).round(6),
            "first_tenth_kept": ((others < TOP_SHARE) & top).sum(axis=1) / max(int(top.sum()), 1),
        }
    )
