"""A small run made once: eight sites, some of them with names that attack whoever shows them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from vigilance import pipeline, reference, rules
from vigilance.i18n import use
from vigilance.report.material import Material, gather
from vigilance.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from attacks import HEADER, SITES

ON = date(2026, 11, 1)
AUDITS = [
    ("BD-1", "2026-05-02", "SMETA", "initial", "announced", 3, 20),
    ("MY-1", "2026-03-11", "SMETA", "initial", "unannounced", 3, 30),
]


def scored(folder: Path, sites: Sequence[Sequence[object]], evidence: dict[str, Path] | None = None) -> Run:
    """Score rows under ``HEADER`` into ``folder/run``."""
    source = folder / "suppliers.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        rows.writerows(sites)
    facts, judgements = reference.load().in_force(ON), rules.load().in_force(ON)
    job = pipeline.Job(inputs=[source], on=ON, out=folder / "run", evidence=evidence or {})
    return pipeline.score(job, facts, judgements).run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return scored(tmp_path_factory.mktemp("report"), SITES)


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("audited")
    audits = folder / "audits.csv"
    with audits.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["supplier_id", "audited_on", "scheme", "kind", "notice", "person_days", "interviews"])
        rows.writerows(AUDITS)
    return scored(folder, SITES, {"audits": audits})


@pytest.fixture(scope="session")
def material(run: Run) -> Material:
    return gather(run)


@pytest.fixture(params=["en", "fr"])
def lang(request: pytest.FixtureRequest) -> Iterator[str]:
    with use(request.param):
        yield request.param
