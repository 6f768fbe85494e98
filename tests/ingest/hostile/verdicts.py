"""What a reader made of a damaged file, compared with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import polars as pl
from tests.ingest.hostile.sheets import Case


@dataclass(frozen=True)
class Verdict:
    """``exact``, ``aside`` (bad rows named, the others right), ``refused``, or ``silent`` with the reason."""

    outcome: str
    why: str = ""
    kept: int = 0
    whole: int = 0


def judge(case: Case, header: list[str], loaded: list[list[str]], issues: pl.DataFrame, lines: list[int]) -> Verdict:
    """Compare loaded rows, in order and with their lines, with the truth.

    ``warned``: a row was read wrongly, but it is named.
    """
    whole = len(case.rows) - len(case.damaged)
    named = set(issues.filter(pl.col("severity") != "info")["row"].drop_nulls().to_list())
    if [name.strip() for name in header] != [name.strip() for name in case.header]:
        said = issues.filter(pl.col("code").is_in(HEADER_CODES)).height > 0 or bool({1, 2} & named)
        if not said:
            return Verdict("silent", f"header {header}", 0, whole)
    truth = [[text.strip() for text in row] for row in case.rows]
    got = [[(text or "").strip() for text in row][: len(case.header)] for row in loaded]
    used = align(truth, got)
    wrong = [got[i] for i, at in enumerate(used) if at is None]
    have = {at for at in used if at is not None}
    kept = len(have - case.damaged)
    lost = [i for i in range(len(truth)) if i not in have]
    unsaid = [i for i in lost if not (case.lines[i] & named)]
    if wrong:
        near = {line for i in sorted(case.damaged) for line in case.lines[i]}
        told = {lines[i] for i, at in enumerate(used) if at is None} <= named
        if told or (near & named and len(wrong) <= len(case.damaged)):
            return Verdict("warned", f"wrong {wrong[:2]}", kept, whole)
        return Verdict("silent", f"wrong {wrong[:2]}", kept, whole)
    if unsaid:
        return Verdict("silent", f"lost without a word {[truth[i] for i in unsaid[:2]]}", kept, whole)
    return Verdict("aside" if lost else "exact", "", kept, whole)


def f1(case: Case, loaded: list[list[str]]) -> float:
    """Harmonic mean of precision and recall of whole records, in order, against the truth."""
    truth = [[text.strip() for text in row] for row in case.rows]
    got = [[(text or "").strip() for text in row] for row in loaded]
    if not truth and not got:
        return 1.0
    right = sum(place is not None for place in align(truth, got))
    return 2 * right / (len(truth) + len(got))


HEADER_CODES = (
    "no_header",
    "header_set_aside",
    "header_delimiter",
    "unnamed_column",
    "duplicate_header",
    "empty_columns",
    "trailing_delimiter",
    "title_lines",
)


def align(truth: list[list[str]], got: list[list[str]]) -> list[int | None]:
    """For each row that was read, its place in the truth, in order; None for one that is not there."""
    used: list[int | None] = []
    at = 0
    for row in got:
        place = next((i for i in range(at, len(truth)) if truth[i] == row), None)
        used.append(place)
        at = at if place is None else place + 1
    assert all(a is None or b is None or a < b for a, b in pairwise(used))
    return used
