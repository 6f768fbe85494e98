"""What an intake says of its typed columns without looking at them again: the user's own text, and regular lines."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import ingest
from vigilance.ingest.columns import LINE, ROW
from vigilance.ingest.readers import coding
from vigilance.reference import Facts

ON = date(2026, 11, 1)
HEADER = ("supplier_id", "name", "country", "activity", "address", "parent_company", "zone")
FLAWS = (" Site", "Site ", "", " ", "'=1", "'Site", "Si\u200bte", "n/a", "a\nb", "a,b", 'say "hi"', "Аcme")
NAMES = st.sampled_from(["Site", "Rivière", *FLAWS])
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["France", "FR", "Bangladesh", "Nowhere"]),
        st.sampled_from(["13", "Textiles", " 14", "xyzzy", "'14", ""]),
        st.sampled_from(["1 Main Street", "Rue 5 ", ""]),
        NAMES,
        st.sampled_from(["", "Z1"]),
    ),
    min_size=1,
    max_size=25,
)


def written(path: Path, rows: Sequence[tuple[str, ...]], gap: int | None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for i, cells in enumerate(rows):
            if i == gap:
                file.write("\n")
            writer.writerow((f"S-{i}", *cells))
    return path


@pytest.mark.parametrize("held", [True, False])
@settings(max_examples=40)
@given(rows=ROWS, clean=st.booleans(), gap=st.none() | st.integers(0, 25))
def test_what_is_said_of_typed_columns_holds(
    held: bool, rows: list[tuple[str, ...]], clean: bool, gap: int | None, facts: Facts
) -> None:
    if clean:
        rows = [("Site", "France", *cells[2:]) for cells in rows]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "LEAST_ROWS", 1 if held else 10**9)
        patch.setattr(coding, "_REPEATING", 1.0)
        intake = ingest.read(
            [written(Path(folder) / "list.csv", rows, gap)], on=ON, reference=facts, delimiter=",", encoding="utf-8"
        )
        found = intake.rows.with_columns(pl.selectors.categorical().cast(pl.String)).collect()
    for typed, own in intake.unchanged.items():
        assert found[typed].equals(found[own].alias(typed), null_equal=True), typed
    assert "_zone" not in intake.unchanged
    if intake.first_line is not None:
        assert found[ROW].to_list() == list(range(found.height))
        assert found[LINE].to_list() == list(range(intake.first_line, intake.first_line + found.height))
    plain = not any("\n" in cell for cells in rows for cell in cells)
    if plain and clean and (gap is None or gap >= len(rows)):
        assert intake.first_line == 2


def test_a_long_list_without_flaws_says_it_of_all_its_texts(
    tmp_path: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)
    rows = [(f"Site {i}", "France", "13", f"{i} Main Street", "Holding", "") for i in range(60)]
    intake = ingest.read([written(tmp_path / "list.csv", rows, None)], on=ON, reference=facts)
    names = ("supplier_id", "name", "activity", "address", "parent_company")
    assert dict(intake.unchanged) == {f"_{name}": name for name in names}
    assert intake.first_line == 2


def test_of_several_files_nothing_is_said(tmp_path: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)
    one = written(tmp_path / "one.csv", [("Site", "France", "13", "", "", "")] * 5, None)
    other = tmp_path / "other.csv"
    other.write_text(one.read_text(encoding="utf-8").replace("S-", "T-"), encoding="utf-8")
    intake = ingest.read([one, other], on=ON, reference=facts)
    assert intake.counts["loaded"] == 10
    assert not intake.unchanged
    assert intake.first_line is None
