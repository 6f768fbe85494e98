import sys
from pathlib import Path

import polars as pl
import pytest

from vigilance.errors import UsageError
from vigilance.report import reports, wording
from vigilance.report.document import Bullets, Document, Text
from vigilance.report.material import Material, gather
from vigilance.report.regulator import LAWS
from vigilance.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from attacks import READERS


def texts(document: Document) -> str:
    found = []
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Text):
                found.append(block.text)
            elif isinstance(block, Bullets):
                found += block.items
    return " ".join([*found, *(s.text for s in document.statements)])


@pytest.mark.parametrize("reader", READERS)
def test_every_report_says_what_is_weak(material: Material, reader: str, lang: str) -> None:
    said = texts(reports.document(material, reader))
    for sentence in wording.weaknesses():
        assert sentence in said


@pytest.mark.parametrize("law", LAWS)
def test_leaving_comes_last(material: Material, law: str, lang: str) -> None:
    assert wording.conduct() in texts(reports.document(material, f"regulator:{law}"))


@pytest.mark.parametrize("law", LAWS)
def test_every_statement_is_traced_to_rows_or_named_as_a_gap(material: Material, law: str) -> None:
    document = reports.document(material, f"regulator:{law}")
    ids = [statement.id for statement in document.statements]
    assert len(ids) == len(set(ids))
    known = set(material.sites["_supplier_id"])
    for statement in document.statements:
        assert set(statement.ids) <= known
        assert "{" not in statement.text
        assert statement.gap == statement.text.startswith("Not assessed")


@pytest.mark.parametrize("law", LAWS)
def test_a_filter_finds_the_same_rows_again(material: Material, law: str) -> None:
    """The filters that are written beside statements are run, as SQL, on the run's own table."""
    scores = material.run.scores.collect()
    context = pl.SQLContext(scores=scores)
    tried = 0
    for statement in reports.document(material, f"regulator:{law}").statements:
        if statement.gap or any(
            word in statement.basis for word in ("-", "order by", "matrix", "sum(", ".parquet", "*")
        ):
            continue
        found = context.execute(f"select supplier_id from scores where {statement.basis}", eager=True)
        wanted = set(statement.ids)
        if "spend_eur" not in statement.basis:
            assert set(found["supplier_id"]) == wanted, statement.id
        tried += 1
    assert tried >= 3


def test_without_evidence_the_concrete_step_is_a_gap_and_with_it_it_is_not(run: Run, audited: Run) -> None:
    gaps = {}
    for name, one in (("bare", run), ("audited", audited)):
        found = reports.document(gather(one), "regulator:lksg").statements
        gaps[name] = {s.id for s in found if s.gap}
    assert "concrete.moved.forced_labour" in gaps["bare"] - gaps["audited"]
    assert "concrete.audits" in gaps["bare"] - gaps["audited"]
    assert "weigh.influence" in gaps["audited"]


def test_the_five_parts_of_the_french_plan_in_order(material: Material) -> None:
    titles = [section.title[:2] for section in reports.document(material, "regulator:loi-2017-399").sections]
    assert titles[1:6] == ["1.", "2.", "3.", "4.", "5."]


def test_labour_imposed_by_the_state_is_named(material: Material) -> None:
    found = {s.id: s for s in reports.document(material, "regulator:eu-2024-3015").statements}
    assert found["scale.imposed"].ids == ("TM-1",)
    assert found["part.share"].gap


def test_spend_in_the_severe_band_adds_up(material: Material) -> None:
    found = {s.id: s for s in reports.document(material, "regulator:eu-2024-3015").statements}["volume.spend"]
    severe = material.sites.filter((pl.col("forced_labour_band") == "severe") & pl.col("_spend_eur").is_not_null())
    assert wording.number(severe["_spend_eur"].sum()) in found.text


def test_an_unknown_site_is_answered_with_the_nearest(material: Material) -> None:
    with pytest.raises(UsageError, match="BD-1"):
        reports.document(material, "supplier:BD-2")


@pytest.mark.parametrize("reader", ["nobody", "supplier:", "regulator:moon", "csr:x"])
def test_an_unknown_reader_is_refused(material: Material, reader: str) -> None:
    with pytest.raises(UsageError):
        reports.document(material, reader)


def test_a_file_is_never_named_after_what_a_user_wrote() -> None:
    assert reports.name("supplier:../../etc/passwd").count("/") == 0
