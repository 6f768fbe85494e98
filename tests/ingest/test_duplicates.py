"""Near duplicates: proposed with both values and a reason; decisions saved and replayed; nothing merged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from vigilance.errors import InputRefused, UsageError
from vigilance.ingest import duplicates

SITES = {
    "supplier_id": ["A1", "A2", "A3", "A4", "A5", "A6"],
    "name": [
        "Ashulia Knit Ltd",
        "ASHULIA KNIT LIMITED",
        "Ashulia Knitwear",
        "Chittagong Shoes",
        "Ashulia Knit",
        "Other",
    ],
    "country": ["Bangladesh"] * 4 + ["India", "France"],
    "address": ["12 Road, Ashulia", "12 Road Ashulia", "12 Road, Ashulia", "12 Road, Ashulia", "12 Road, Ashulia", ""],
}


def pairs(frame: pl.DataFrame) -> set[tuple[str, str]]:
    return set(frame.select("supplier_id_1", "supplier_id_2").iter_rows())


def test_pairs_are_proposed_with_both_values_and_the_reason(sites: Callable[..., Any]) -> None:
    intake = sites(SITES)
    found = duplicates.propose(intake.rows)
    assert ("A1", "A2") in pairs(found)
    assert not {p for p in pairs(found) if "A4" in p or "A5" in p or "A6" in p}
    first = found.row(0, named=True)
    assert (first["name_1"], first["name_2"]) == ("Ashulia Knit Ltd", "ASHULIA KNIT LIMITED")
    assert first["reason"] == "same name and address"
    assert first["likeness"] == 1.0
    assert intake.counts["loaded"] == 6


def test_the_order_of_rows_changes_nothing(sites: Callable[..., Any]) -> None:
    turned = {name: values[::-1] for name, values in SITES.items()}
    one, two = (duplicates.propose(sites(s).rows) for s in (SITES, turned))
    assert one.equals(two)


def test_decisions_are_saved_and_replayed(sites: Callable[..., Any], tmp_path: Path) -> None:
    decided = pl.DataFrame({"supplier_id_1": ["A2"], "supplier_id_2": ["A1"], "decision": [duplicates.DIFFERENT]})
    duplicates.save(decided, tmp_path / "d.csv")
    found = duplicates.propose(sites(SITES).rows, duplicates.load(tmp_path / "d.csv"))
    decision = dict(
        zip(zip(found["supplier_id_1"], found["supplier_id_2"], strict=True), found["decision"], strict=True)
    )
    assert decision["A1", "A2"] == duplicates.DIFFERENT
    assert set(decision.values()) <= {"", duplicates.DIFFERENT}


def test_wrong_decisions_are_refused(tmp_path: Path) -> None:
    both = pl.DataFrame({"supplier_id_1": ["A", "B"], "supplier_id_2": ["B", "A"], "decision": ["same", "different"]})
    with pytest.raises(UsageError, match="both ways"):
        duplicates.save(both, tmp_path / "d.csv")
    (tmp_path / "e.csv").write_text("supplier_id_1,supplier_id_2,decision\nA,B,maybe\n")
    with pytest.raises(InputRefused, match="maybe"):
        duplicates.load(tmp_path / "e.csv")
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputRefused, match="decision"):
        duplicates.load(tmp_path / "f.csv")


def test_a_list_without_duplicates_proposes_nothing(sites: Callable[..., Any]) -> None:
    assert duplicates.propose(sites({"name": ["Alpha", "Omega"]}).rows).height == 0
