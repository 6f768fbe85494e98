"""The report on intervals and robustness: what stands in it follows from what was counted."""

from __future__ import annotations

import polars as pl
import pytest

from vigilance.calibrate import figures, groups, report_stress, words
from vigilance.calibrate.attribution import OTHERS, Attribution
from vigilance.calibrate.coverage import Coverage, coverage
from vigilance.calibrate.robustness import Screening
from vigilance.i18n import use
from vigilance.report.document import Chart, Section, Table, Text
from vigilance.scoring.model import Model

DRAWS = pl.DataFrame({"rank_correlation": [0.9, 0.95], "first_tenth_kept": [0.7, 0.8]})
PATHS = [f"method.number_{place:02d}" for place in range(15)]


@pytest.fixture(scope="module")
def counted(model: Model) -> Coverage:
    return coverage(model, draws=60, count=200)


def made(section: Section, kind: type) -> list:
    return [block for block in section.blocks if isinstance(block, kind)]


def attributed() -> Attribution:
    total = [0.3 / (place + 1) for place in range(15)]
    rows = {
        "path": [*PATHS, OTHERS],
        **{
            f"{name}{end}": [value * scale for value in [*total, 0.1]]
            for name in ("total", "first", "top_tenth")
            for end, scale in (("", 1.0), ("_low", 0.5), ("_high", 1.5))
        },
    }
    return Attribution(pl.DataFrame(rows), DRAWS, sites=100, samples=64, judgements=220)


def screened() -> Screening:
    effects = pl.DataFrame({"path": PATHS, "effect": 0.1, "spread": 0.01, "top_tenth": 0.2})
    return Screening(effects, DRAWS, sites=100, trajectories=4)


def test_every_group_that_was_counted_is_in_a_table_and_a_drawing(counted: Coverage) -> None:
    section = report_stress.coverage(counted)
    said = {row[1] for table in made(section, Table)[:2] for row in table.rows}
    assert said == {words.groups()[name] for name in counted.groups["group"]}
    assert {chart.name for chart in made(section, Chart)} == {"coverage", "coverage-places"}
    kinds = set(counted.groups["kind"])
    assert kinds == {groups.SITES, groups.MIX, groups.REGION, groups.INCOME}
    assert len(made(section, Table)[3].rows) == counted.lines.height


def test_what_is_outside_the_bar_is_named_and_explained(counted: Coverage) -> None:
    off = counted.groups.with_columns(
        coverage=pl.when(pl.col("group") == "size_unknown").then(0.95).otherwise(pl.lit(0.9))
    )
    told = made(report_stress.coverage(Coverage(off, counted.reasons, counted.lines, 200, 60)), Text)
    gap = [block.text for block in told if block.tone == "gap"]
    assert len(gap) == 1
    assert gap[0].count(words.groups()["size_unknown"]) == 2
    assert "95.0%" in gap[0].replace(" ", "").replace("\u202f", "").replace("\xa0", "")
    fine = counted.groups.with_columns(coverage=pl.lit(0.9))
    inside = report_stress.coverage(Coverage(fine, counted.reasons, counted.lines, 200, 60))
    assert not [block for block in made(inside, Text) if block.tone == "gap"]


def test_the_ten_that_matter_most_come_with_their_intervals() -> None:
    section = report_stress.robustness(screened(), attributed())
    first = made(section, Table)[0]
    assert [row[0] for row in first.rows] == PATHS[:10]
    assert all("(" in cell for row in first.rows for cell in row[1:])
    drawn = next(chart for chart in made(section, Chart) if chart.name == "sobol")
    assert "205" in str(drawn.spec)
    assert not [chart for chart in made(report_stress.robustness(screened(), None), Chart) if chart.name == "sobol"]


def test_it_is_said_in_french(counted: Coverage) -> None:
    with use("fr"):
        section = report_stress.robustness(screened(), attributed())
        assert "indice total de Sobol" in made(section, Text)[1].text
        assert "205 autres" in str(made(section, Chart)[0].spec)
        assert figures.coverage(counted.groups)
