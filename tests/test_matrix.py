"""The matrix: now and years before, like for like, with the conventions and no small counts."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from vigilance import evidence, matrix, pipeline, reference, rules
from vigilance.report import matrix_pages
from vigilance.terms import HAZARDS

ON = date(2026, 11, 1)
EXAMPLES = Path(__file__).parent.parent / "data" / "examples"


@pytest.fixture(scope="module")
def found(judgements: rules.Judgements) -> matrix.Matrix:
    return matrix.matrix(reference.load(), judgements, ON)


def row(found: matrix.Matrix, iso3: str, division: str) -> dict[str, object]:
    return found.cells.row(by_predicate=(pl.col("iso3") == iso3) & (pl.col("division") == division), named=True)


def test_every_member_by_every_activity(found: matrix.Matrix) -> None:
    assert found.cells["iso3"].n_unique() == 187
    assert found.cells["division"].n_unique() == 88
    assert found.before == date(2021, 11, 1)
    assert found.cells.select(pl.col("^.*_p80$").is_between(0, 1).all()).row(0) == (True, True)


def test_uzbek_cotton_got_better_when_the_programme_ended(found: matrix.Matrix) -> None:
    # The systemic forced labour of the harvest ended with 2021; in Turkmenistan it goes on.
    assert row(found, "UZB", "01")["forced_labour_direction"] == "down"
    assert row(found, "TKM", "01")["forced_labour_direction"] == "same"


def test_conventions_then_and_now(found: matrix.Matrix) -> None:
    china = row(found, "CHN", "14")
    assert (china["c029_before"], china["c029"]) == ("not_ratified", "in_force")
    assert row(found, "USA", "14")["c029"] == "not_ratified"


def test_a_direction_follows_the_change(found: matrix.Matrix) -> None:
    for hazard in HAZARDS:
        up = found.cells.filter(pl.col(f"{hazard}_direction") == "up")
        assert (up[f"{hazard}_p50"] > up[f"{hazard}_p50_before"]).all()


@pytest.fixture(scope="module")
def with_run(
    tmp_path_factory: pytest.TempPathFactory, judgements: rules.Judgements, facts: reference.Facts
) -> matrix.Matrix:
    job = pipeline.Job(
        inputs=[EXAMPLES / "suppliers.csv"],
        on=ON,
        out=tmp_path_factory.mktemp("matrix") / "run",
        evidence={name: EXAMPLES / f"{name}.csv" for name in ("audits", "findings")},
        max_rejected=1.0,
    )
    done = pipeline.score(job, facts, judgements).run
    return matrix.matrix(reference.load(), judgements, ON, run=done, countries=["BGD", "IND", "CHN"])


def test_cells_of_a_run_keep_small_counts_to_themselves(with_run: matrix.Matrix) -> None:
    told = with_run.cells.filter(pl.col("audits").is_not_null())
    assert (told["sites"] >= 5).all()
    for hazard in HAZARDS:
        known = told.filter(pl.col("audits") > 0)
        assert (known[f"{hazard}_presence_p05"] <= known[f"{hazard}_presence_p95"]).all()


def test_statistics_of_audits_move_their_cells_and_no_other(
    found: matrix.Matrix, judgements: rules.Judgements, facts: reference.Facts
) -> None:
    known = evidence.typed(evidence.statistics(EXAMPLES / "audit_statistics.csv", facts).rows).collect()
    told = matrix.matrix(reference.load(), judgements, ON, statistics=known)
    assert row(told, "IND", "13")["forced_labour_audit_statistics"] != 1.0
    same = told.cells.filter((pl.col("forced_labour_audit_statistics") == 1) & (pl.col("iso3") != "TUR"))
    assert same.height == 187 * 88 - 88 - 3
    of = ["iso3", "division", "forced_labour_p50", "forced_labour_p50_before"]
    assert same.select(of).equals(same.select("iso3", "division").join(found.cells.select(of), on=["iso3", "division"]))
    # No statistic of 2024 or 2025 was known five years before.
    before = ["forced_labour_p50_before", "child_labour_p50_before"]
    assert told.cells.select(before).equals(found.cells.select(before))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_pages(with_run: matrix.Matrix, lang: str) -> None:
    page = matrix_pages.html(with_run, lang).decode()
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    book = openpyxl.load_workbook(io.BytesIO(matrix_pages.xlsx(with_run, lang)))
    assert len(book.worksheets) == 3
    header = matrix_pages.csv(with_run, lang).decode("utf-8-sig").splitlines()[0]
    assert (";" in header) is (lang == "fr")
    assert matrix_pages.xlsx(with_run, lang) == matrix_pages.xlsx(with_run, lang)
