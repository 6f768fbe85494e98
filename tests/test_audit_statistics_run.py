"""Audit statistics through a run: whoever makes its scores again reads the same statistics."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import vigilance
from vigilance import explanation, pipeline, reference, rules, run, whatif
from vigilance.report import material, waterfall
from vigilance.scoring.lines import AUDIT_CELLS
from vigilance.terms import HAZARDS

ON = date(2026, 11, 1)
EXAMPLES = Path(__file__).parent.parent / "data" / "examples"
STATISTICS = {"audit_statistics": EXAMPLES / "audit_statistics.csv"}


def made(folder: Path, facts: reference.Facts, judgements: rules.Judgements, **evidence: Path) -> run.Run:
    job = pipeline.Job(
        inputs=[EXAMPLES / "suppliers.csv"], on=ON, out=folder, evidence=evidence, max_rejected=1.0, explain=True
    )
    return pipeline.score(job, facts, judgements).run


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, facts: reference.Facts, judgements: rules.Judgements) -> run.Run:
    return made(tmp_path_factory.mktemp("told") / "run", facts, judgements, **STATISTICS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, facts: reference.Facts, judgements: rules.Judgements) -> run.Run:
    return made(tmp_path_factory.mktemp("plain") / "run", facts, judgements)


def test_only_sites_of_cells_with_statistics_move(told: run.Run, plain: run.Run) -> None:
    ratios = pl.read_parquet(told.path / run.RATIOS).filter(factor=AUDIT_CELLS)
    assert AUDIT_CELLS not in pl.read_parquet(plain.path / run.RATIOS)["factor"].unique().to_list()
    for hazard in map(str, HAZARDS):
        both = plain.scores.collect().join(told.scores.collect(), on="supplier_id", suffix="_told")
        lined = both.join(ratios.filter(hazard=hazard), on="supplier_id")
        assert lined.height == both.height
        moved = lined[f"{hazard}_p50_told"] != lined[f"{hazard}_p50"]
        assert moved.to_list() == (lined["ratio"] != 1.0).to_list()
        assert 0 < moved.sum() < lined.height
        assert ((lined[f"{hazard}_p50_told"] > lined[f"{hazard}_p50"]) == (lined["ratio"] > 1.0)).all()
        assert lined[f"{hazard}_grade"].to_list() == lined[f"{hazard}_grade_told"].to_list()


def test_the_statistics_are_part_of_what_the_run_is(told: run.Run, plain: run.Run) -> None:
    assert told.meta["identity"] != plain.meta["identity"]
    assert told.meta["evidence"]["audit_statistics"][0]["file"] == "audit_statistics.csv"
    assert told.evidence("audit_statistics") is not None


def test_explanation_what_if_and_reports_score_as_the_run_did(told: run.Run) -> None:
    site = told.scores.filter(pl.col("country_iso3") == "BGD").select("supplier_id").collect().item(0, 0)
    found = explanation.site(told, site)  # raises where the lines do not lead to the score that was written
    for hazard in map(str, HAZARDS):
        assert AUDIT_CELLS in {step["factor"] for step in found["hazards"][hazard]["steps"]}
    facts, judgements = explanation.basis(told)
    moves = whatif.under(told, judgements)
    assert moves.summary["largest_rank_move"] == 0
    assert (
        whatif.under(told, judgements.with_values({"evidence.audit_cells.chosen": 0.8})).summary["rank_correlation"] < 1
    )
    gathered = material.gather(told)
    line = waterfall.ratios(gathered, [site]).filter(factor=AUDIT_CELLS)
    assert line["title"].unique().to_list() == ["Statistics of audits"]
    assert line["source_text"].unique().to_list() == ["statistics of audits"]
    assert facts.on == ON


def test_the_library_scores_as_the_command_does(told: run.Run) -> None:
    found = vigilance.score(EXAMPLES / "suppliers.csv", on=ON, evidence=dict(STATISTICS), max_rejected=1.0).scores
    wanted = ["supplier_id", *(f"{hazard}_p80" for hazard in HAZARDS)]
    assert found.select(wanted).equals(told.scores.select(wanted).collect())
