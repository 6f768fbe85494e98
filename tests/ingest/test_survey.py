"""Questions answered in one piece and in many: the same decisions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vigilance import ingest, reference
from vigilance.ingest import typed
from vigilance.reference import Facts

EXAMPLES = reference.shipped_data() / "examples"


@pytest.mark.parametrize(("file", "table"), [("suppliers.csv", "suppliers"), ("audits.csv", "audits")])
def test_a_short_list_and_a_long_one_are_read_alike(
    file: str, table: str, facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some faults beside what is well written, so that something is asked of every kind.
    path = tmp_path / file
    lines = (EXAMPLES / file).read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[1].replace(",", ",?", 2), lines[2].lower()]) + "\n", encoding="utf-8")
    read = [ingest.read(path, table, on=date(2026, 11, 1), reference=facts)]
    monkeypatch.setattr(typed, "SHORT", 0)
    read.append(ingest.read(path, table, on=date(2026, 11, 1), reference=facts))
    assert read[0].rows.collect().equals(read[1].rows.collect())
    assert read[0].issues.equals(read[1].issues)
    assert read[0].counts == read[1].counts
    assert read[0].issues.height
