"""The words of evidence: what its lines say, and the vocabulary that it is read with."""

from __future__ import annotations

from datetime import date

import pytest
from tests.scoring.evidence_cases import HAZARDS, HISTORY, explained
from tests.scoring.evidence_rows import ON, SITES, audit, collected, evidence, judgements, on_polars, ticket

from vigilance.i18n import use
from vigilance.scoring.evidence import lines
from vigilance.scoring.evidence_columns import numbers, spellings
from vigilance.scoring.evidence_words import label


def test_dates_of_lines_are_mondays_and_no_text_of_a_ticket_is_read() -> None:
    known = evidence(grievances=[ticket(2)], audits=[audit(3)])
    told = collected(lines(on_polars(SITES), known, judgements(), ON))
    assert {date.fromisoformat(day).isoweekday() for day in told["since"]} == {1}
    assert set(told["source"]) == {"grievances", "audits"}


def test_every_spelling_of_the_vocabulary_means_one_word() -> None:
    coding = judgements().words("evidence.vocabulary.coding")
    for block in ("topics", "severity", "status", "kinds"):
        assert spellings(coding[block])
    with pytest.raises(ValueError, match="means both"):
        spellings({"a": ["x"], "b": ["X."]})


def test_rules_name_only_topics_of_the_vocabulary() -> None:
    known = set(judgements().words("evidence.vocabulary.coding.topics"))
    used = {
        path.rsplit(".", 1)[1]
        for part in ("strength", "marker")
        for path in judgements().under(f"evidence.findings.{part}")
    }
    assert used <= known


def test_every_factor_has_words_in_both_languages() -> None:
    factors = set(explained([HISTORY], on_polars)["factor"])
    factors |= {
        f"finding:{topic}" for h in HAZARDS for topic in numbers(f"evidence.findings.strength.{h}", judgements())
    }
    factors |= {f"marker:{topic}" for topic in numbers("evidence.findings.marker.forced_labour", judgements())}
    for factor in factors:
        english = label(factor)
        with use("fr"):
            french = label(factor)
        assert "_" not in english + french
        assert english != factor or factor == "grievance"
        assert english != french
    assert label("something new") == "something new"
