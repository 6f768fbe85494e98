"""What the tests of ingest share: the shipped facts and a reader of small tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from vigilance import ingest, reference
from vigilance.reference import Facts

ON = date(2026, 11, 1)


@pytest.fixture(scope="session")
def facts() -> Facts:
    return reference.load().in_force(ON)


Reader = Callable[..., ingest.Intake]


@pytest.fixture(scope="session")
def sites(facts: Facts) -> Reader:
    """Read columns of suppliers; the three required ones are filled in where they are not given."""

    def read(columns: Mapping[str, Sequence[Any]], table: str = "suppliers", **options: Any) -> ingest.Intake:
        rows = len(next(iter(columns.values())))
        given: dict[str, Sequence[Any]] = dict(columns)
        if table == "suppliers":
            given = {
                "supplier_id": [f"S{i}" for i in range(rows)],
                "name": [f"Site {i}" for i in range(rows)],
                "country": ["France"] * rows,
                **given,
            }
        return ingest.from_frame(pl.DataFrame(given), table, on=ON, reference=facts, **options)

    return read


@pytest.fixture(scope="session")
def column(sites: Reader) -> Callable[..., list[Any]]:
    """The typed values of one column of suppliers, by row; ``"aside"`` for a row that was set aside."""

    def values(name: str, texts: Sequence[str | None], typed: str | None = None) -> list[Any]:
        intake = sites({name: list(texts)})
        rows = intake.rows.collect()
        found = dict(zip(rows["_row"], rows[typed or f"_{name}"], strict=True))
        return [found.get(i, "aside") for i in range(len(texts))]

    return values


def codes(intake: ingest.Intake) -> list[str]:
    """The codes of all issues, in their order."""
    return intake.issues["code"].to_list()
