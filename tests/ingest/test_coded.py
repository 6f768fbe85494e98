"""A list held as codes reads as one that is read row by row: same values, same issues, same rows set aside."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import ingest
from vigilance.ingest import coded
from vigilance.ingest.columns import LINE
from vigilance.ingest.readers import coding, read_raw
from vigilance.reference import Facts

CELLS = {
    "country": ["France", "Norway", "", "Nowhere", " India "],
    "activity": ["Textiles", "", "growing of cotton", "xyzzy qwv", "13"],
    "tier": ["1", "T2", "", "9", "3+"],
    "workers": ["12", "1 200", "", "-5", "100-400"],
    "migrant_share": ["40", "12 %", "", "3", "oops"],
    "isolated": ["yes", "no", "", "perhaps", "x"],
    "agency_labour": ["oui", "", "non", "YES", "n/a"],
    "seasonal": ["", "true", "false", "1", "0"],
    "family_labour": ["no", "no", "no", "yes", ""],
}


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    rows = 400
    columns = {"supplier_id": [f"S{i if i != 70 else 3}" for i in range(rows)], "name": [f"N {i}" for i in range(rows)]}
    # Periods without a common factor, and mostly good values, so that any two values meet in some row.
    for step, (name, values) in enumerate(CELLS.items()):
        columns[name] = [values[0] if (i * (step + 3)) % 11 else values[(i // 7 + step) % 5] for i in range(rows)]
    path = tmp_path / "sites.csv"
    pl.DataFrame(columns).write_csv(path, quote_style="necessary")
    return path


@pytest.mark.parametrize("sums", [2**16 - 1, 40, 1])
def test_codes_change_nothing(listed: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch, sums: int) -> None:
    monkeypatch.setattr(coded, "_SUMS", sums)

    def read() -> ingest.Intake:
        return ingest.read([listed], on=date(2026, 11, 22), reference=facts)

    by_rows = read()
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)
    by_codes = read()
    plain = pl.selectors.enum().cast(pl.String)
    assert any(isinstance(kind, pl.Enum) for kind in by_codes.rows.collect_schema().values())
    assert by_codes.rows.with_columns(plain).collect().equals(by_rows.rows.collect())
    assert by_codes.corrected.collect().equals(by_rows.corrected.collect())
    assert by_codes.issues.equals(by_rows.issues)
    assert by_codes.rejected.equals(by_rows.rejected)
    assert by_codes.counts == by_rows.counts
    assert by_codes.counts["set_aside"] > 20


def test_words_are_counted_and_know_their_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "_CHUNK", 3)
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)
    path = tmp_path / "words.csv"
    given = ["b", "", "a", "b", "c", "", "a", "a"]
    pl.DataFrame({"n": [f"n{i}" for i in range(8)], "w": given}).write_csv(path)
    monkeypatch.setattr(coding, "_REPEATING", 0.5)
    (raw,) = read_raw(path, required=None)
    held = coded.hold(raw)
    assert held is not None
    assert held.words["w"].sort(LINE).rows() == [("b", 2, 2), (None, 3, 2), ("a", 4, 3), ("c", 6, 1)]
    codes = held.frame.select(pl.col("w").to_physical()).collect()["w"].to_list()
    texts = held.words["w"]["w"].to_list()
    assert ["" if code is None else texts[code] for code in codes] == given


def test_a_list_too_large_to_hold_is_not_held(listed: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)
    monkeypatch.setattr(coding, "_memory", lambda: 4_000)
    rows = ingest.read([listed], on=date(2026, 11, 22), reference=facts).rows
    assert not any(isinstance(kind, pl.Enum) for kind in rows.collect_schema().values())
