"""Puts the questions of all columns in one pass over the rows, round by round, until every column is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from vigilance.ingest.columns import LINE, WEIGHT, Counts, Distinct, Plan, Question, Reader

SHORT: Final = 20_000
"""Rows up to which a question is answered in one piece: cut up, each thread would compile every pattern anew."""


def decide(
    frame: pl.LazyFrame,
    readers: Mapping[str, Reader],
    distinct: Mapping[str, pl.LazyFrame] | None = None,
    *,
    short: bool = False,
) -> dict[str, Plan]:
    """Run each reader to its plan. Every round is one streaming pass over ``frame``, however many columns ask.

    ``distinct`` holds the distinct texts of some columns (``coded.Coded.prepared``): those are asked instead. ``short``
    says that the frame has at most ``SHORT`` rows.
    """
    apart = distinct or {}
    plans: dict[str, Plan] = {}
    waiting: dict[str, tuple[Reader, Question]] = {}
    for name, reader in readers.items():
        _advance(name, reader, None, waiting, plans)
    while waiting:
        asked = {name: question for name, (_reader, question) in waiting.items()}
        answers = _ask(frame, {n: question for n, question in asked.items() if n not in apart}, short=short)
        answers |= {name: _ask_distinct(apart[name], question) for name, question in asked.items() if name in apart}
        current, waiting = waiting, {}
        for name, (reader, _question) in current.items():
            _advance(name, reader, answers[name], waiting, plans)
    return {name: plans[name] for name in readers}


def _advance(
    name: str,
    reader: Reader,
    answer: Any,
    waiting: dict[str, tuple[Reader, Question]],
    plans: dict[str, Plan],
) -> None:
    try:
        question = next(reader) if answer is None else reader.send(answer)
    except StopIteration as done:
        plans[name] = done.value
    else:
        waiting[name] = (reader, question)


def _ask(frame: pl.LazyFrame, questions: Mapping[str, Question], *, short: bool) -> dict[str, Any]:
    scalars = [
        expression.alias(f"{name}\x00{alias}")
        for name, question in questions.items()
        if isinstance(question, Counts)
        for alias, expression in question.expressions.items()
    ]
    distinct = [name for name, question in questions.items() if isinstance(question, Distinct)]
    plans: list[pl.LazyFrame] = [frame.select(scalars)] if scalars else []
    for name in distinct:
        question = questions[name]
        assert isinstance(question, Distinct)
        plans.append(
            frame.select(question.expression.alias("value"), pl.col(LINE).alias("line"))
            .group_by("value")
            .agg(pl.len().alias("rows"), pl.col("line").min())
        )
    collected = list(pl.collect_all(plans, engine="in-memory" if short else "streaming"))
    answers: dict[str, Any] = {}
    if scalars:
        for key, value in collected.pop(0).row(0, named=True).items():
            name, alias = key.split("\x00")
            answers.setdefault(name, {})[alias] = value
    answers |= {name: found.sort("line", "value") for name, found in zip(distinct, collected, strict=True)}
    return answers


def _ask_distinct(words: pl.LazyFrame, question: Question) -> Any:
    """The answer from a frame of distinct texts."""
    there = words.filter(pl.col(WEIGHT) > 0)
    if isinstance(question, Counts):
        return there.select(**question.expressions).collect().row(0, named=True)
    found = there.select(question.expression.alias("value"), LINE, WEIGHT)
    grouped = found.group_by("value").agg(pl.col(WEIGHT).sum().alias("rows"), pl.col(LINE).min().alias("line"))
    return grouped.sort("line", "value").collect()


def rows_failing(frame: pl.LazyFrame, plans: Sequence[Plan]) -> pl.DataFrame:
    """The rows that fail any check of the plans: ``_row, _line`` and, per check ``i``, ``key_i`` and ``value_i``."""
    checks = [check for plan in plans for check in plan.checks]
    keys = [check.key.alias(f"key_{i}") for i, check in enumerate(checks)]
    values = [check.value.cast(pl.String).alias(f"value_{i}") for i, check in enumerate(checks)]
    failing = pl.any_horizontal(pl.col(f"key_{i}").is_not_null() for i in range(len(checks)))
    return frame.select("_row", LINE, *keys, *values).filter(failing).collect(engine="streaming").sort("_row")
