"""The corrected copy: reading it again says nothing and gives the same rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.conftest import ON

from vigilance import ingest
from vigilance.ingest import corrected
from vigilance.reference import Facts

ABOUT_COLUMNS = ["column_unknown", "id_derived"]
"""What is said of a file's columns: a copy with the same columns has them again."""

CELLS = {
    "name": ["Site", "=1+1", "@cmd", "Acme, \"Ltd\"", "Zoë\u200b", "-5", "line\nbreak", "'quoted", " spaced "],
    "country": ["France", "Inde", "Fran\u200bce", "Atlantis", "NO", "Korea, Rep."],
    "activity": ["Textiles", "", "Growing of cotton", "Manufacturing", "T-Shirts|Pants", "61", "NACE 14.13"],
    "tier": ["1", "T2", "Tier 3+", "", "2.0"],
    "workers": ["10", "1 000", "100-500", "> 20", "", "n/a", "2,500"],
    "migrant_share": ["40 %", "5 %", "", "12,5 %"],
    "spend_eur": ["1,5", "1 234,56", "", "7"],
    "seasonal": ["oui", "no", "", "x"],
    "duns": ["012345678", "123", ""],
}  # fmt: skip


def typed(intake: ingest.Intake) -> pl.DataFrame:
    """What scoring reads, in input order; positions and confidence apart."""
    return (
        intake.rows.collect()
        .select(pl.selectors.matches("^_[a-z].*$"))
        .drop("_row", "_line", "_division_confidence", "_activity", strict=False)
    )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=st.integers(1, 8))
def test_reading_the_corrected_copy_is_the_identity(
    facts: Facts, tmp_path: Path, kind: str, data: st.DataObject, rows: int
) -> None:
    columns = {n: data.draw(st.lists(st.sampled_from(v), min_size=rows, max_size=rows)) for n, v in CELLS.items()}
    frame = pl.DataFrame({"supplier_id": [f"S{i}" for i in range(rows)], **columns})
    first = ingest.from_frame(frame, on=ON, reference=facts)
    path = tmp_path / f"corrected.{kind}"
    if kind == "csv":
        corrected.write_csv(first, path)
    else:
        assert corrected.write_xlsx(first, path)
    second = ingest.read(path, on=ON, reference=facts)
    said = second.issues.filter(~pl.col("code").is_in(ABOUT_COLUMNS))
    assert said.height == 0, said.to_dicts()
    assert typed(second).equals(typed(first))


def test_no_cell_of_the_copy_can_become_a_formula(sites: Callable[..., Any], tmp_path: Path) -> None:
    names = ["=1+1", "+A1", "@x", "-2+3", "\t=1", "＝1", "-5", "plain"]
    intake = sites({"name": names})
    corrected.write_csv(intake, tmp_path / "c.csv")
    found = pl.read_csv(tmp_path / "c.csv", infer_schema_length=0)["name"].to_list()
    assert all(not text.lstrip().startswith(("=", "+", "@", "＝", "-2")) for text in found)
    assert "-5" in found
    assert "plain" in found


def test_the_same_rows_give_the_same_bytes(sites: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("a", "b"):
        intake = sites({"name": ["X", "Y"], "workers": ["1 000", "5"]})
        corrected.write_csv(intake, tmp_path / f"{name}.csv")
        corrected.write_xlsx(intake, tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
