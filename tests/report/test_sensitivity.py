"""Bands and first places under other sensitivities of audits: the same as scoring the whole run again."""

from __future__ import annotations

import html
import io

import numpy as np
import openpyxl
import pytest

from vigilance import whatif
from vigilance.report import sensitivity, summary
from vigilance.report.document import Table
from vigilance.report.material import Material, gather
from vigilance.report.reports import document
from vigilance.report.writers import Request, find
from vigilance.run import Run
from vigilance.scoring.model import build
from vigilance.terms import HAZARDS


@pytest.fixture(scope="module")
def audited_material(audited: Run) -> Material:
    return gather(audited)


def test_cases_are_those_of_the_whole_run_scored_again(audited_material: Material) -> None:
    found = sensitivity.cases(audited_material)
    assert [case.sensitivity for case in found] == [0.05, 0.15, 0.35]
    for case in found:
        changed = audited_material.judgements.with_values(
            {f"evidence.audits.sensitivity.{hazard}": case.sensitivity for hazard in HAZARDS}
        )
        again = whatif.scored(
            audited_material.run.sites,
            build(audited_material.facts, changed),
            audited_material.evidence_frames,
        )
        assert case.ranks.tolist() == again["rank"].to_list()
        for hazard in map(str, HAZARDS):
            counted = {str(band): count for band, count in again[f"{hazard}_band"].value_counts().iter_rows()}
            assert case.bands[hazard] == counted


def test_a_clean_audit_is_worth_more_the_more_audits_see(audited_material: Material) -> None:
    """Ranks of the audited sites only fall, those of the others only rise."""
    few, _, many = sensitivity.cases(audited_material)
    audited = audited_material.sites["_supplier_id"].is_in(["BD-1", "MY-1"]).to_numpy()
    assert np.all(many.ranks[audited] >= few.ranks[audited])
    assert np.all(many.ranks[~audited] <= few.ranks[~audited])


def test_without_audits_nothing_is_said(material: Material) -> None:
    assert sensitivity.blocks(material) == []


def test_every_format_shows_it_in_both_languages(audited_material: Material, lang: str) -> None:
    tables = [block for block in sensitivity.blocks(audited_material) if isinstance(block, Table)]
    captions = [table.caption for table in tables]
    assert len(set(captions)) == 2
    request = Request(audited_material, document(audited_material, "csr"), "csr")
    for extension in ("html", "md"):
        text = html.unescape(find(extension)(request).decode())
        assert all(caption in text for caption in captions), extension
    sheets = openpyxl.load_workbook(io.BytesIO(find("xlsx")(request)))
    shown = sheets[{"en": "First in line", "fr": "En tête"}[lang]]
    assert [row[1] for row in shown.iter_rows(min_row=2, values_only=True)] == [row[1] for row in tables[1].rows]
    assert {"en": "Sensitivity", "fr": "Sensibilité"}[lang] in sheets.sheetnames


def test_a_board_is_told_how_far_ranks_move(audited_material: Material, material: Material) -> None:
    moved = sensitivity.told(sensitivity.cases(audited_material))
    assert moved in summary.board(audited_material).sections[-1].blocks
    assert "5" in moved.text
    assert "35" in moved.text
    assert len(summary.board(material).sections[-1].blocks) == 1
