"""Fixed drawings: numbers as the language writes them, and room for a wider font."""

from __future__ import annotations

import polars as pl

from vigilance.i18n import use
from vigilance.report import charts

ROWS = pl.DataFrame(
    {
        "line": ["A", "B"],
        "order": [0, 1],
        "from": [1e-3, 5e-3],
        "to": [5e-3, 5e-2],
        "end": [5e-3, 5e-2],
        "kind": ["start", "raises"],
        "label": ["0.5 %", "×10"],
        "low": [None, None],
        "high": [None, None],
    },
    schema_overrides={"low": pl.Float64, "high": pl.Float64},
)


def drawing() -> str:
    return charts.drawn(charts.fixed(charts.waterfall(ROWS), "forced_labour", 500))


def test_each_language_writes_its_own_percent() -> None:
    assert "1%" in drawing()
    with use("fr"):
        french = drawing()
    assert "1\u202f%" in french
    assert "1%" not in french
    assert drawing() != french, "a drawing that is kept is kept by language"


def test_a_fixed_drawing_has_room_beside_its_labels() -> None:
    chart = charts.fixed(charts.waterfall(ROWS), "forced_labour", 500)
    assert chart["padding"]["left"] >= 30
