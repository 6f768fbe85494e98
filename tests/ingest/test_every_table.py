"""Every input table: what is read of it, written as the corrected copy and read again is the same, without a remark."""

# ruff: noqa: E501 - pools of cells read better unbroken

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.conftest import ON

from vigilance import ingest
from vigilance.ingest import activities, corrected, countries, dates, identifiers, numbers, words
from vigilance.ingest.columns import Column, Table
from vigilance.ingest.input_tables import NAMES, audit_statistics, table
from vigilance.reference import Facts

FOR_A_PERSON = [
    "column_unknown",
    "id_derived",
    "coordinates_contradict",
    "address_contradicts",
    "zone_contradicts_address",
]
"""What is said of a file's columns, and contradictions: only a person can settle them, so a copy has them again."""

DAYS = [
    "2026-02-01",
    "13/02/2026",
    "03/04/2025",
    "1er février 2026",
    "May 4, 2024",
    "20250131",
    "31/02/2026",
    "soon",
    "",
]
CELLS = {
    identifiers.text: ["A", "=1+1", "@cmd", 'Acme, "Ltd"', "Zoë\u200b", "-5", "line\nbreak", "'quoted", " spaced ", "007", ""],
    countries.column: ["France", "Inde", "Fran\u200bce", "Atlantis", "NO", "CÃ´te d'Ivoire", "Espa?a", "Scotland", "RCA"],
    activities.column: ["Textiles", "", "Filature", "Manufacturing", "T-Shirts|Pants", "61", "NACE 1.13", "hospital beds"],
    audit_statistics.activity: ["Textiles", "", "Filature", "Manufacturing", "61", "unknown", "NACE 1.13"],
    words.tier: ["1", "T2", "Tier 3+", "deuxième rang", "", "2.0", "5"],
    words.factor: ["oui", "no", "", "x", "maybe"],
    words.boolean: ["oui", "non", "", "1", "partly"],
    numbers.count: ["10", "1 000", "100-500", "> 20", "", "n/a", "2,500", "1.000", "40 salariés", "5k"],
    numbers.share: ["40 %", "1", "0,4", "", "12,5 %", "0", "100", "0.2"],
    numbers.number: ["1,5", "1 234,56", "", "7", "1.234", "12", "-3", "1E2"],
    dates.column: DAYS,
    identifiers.lei: ["7H6GLXDRUGQFU57RNE97", "7H6G LXDR UGQF U57R NE97", "7H6GLXDRUGQFU57RNE98", ""],
    identifiers.isin: ["US0378331005", "us0378331005", "US0378331006", ""],
    identifiers.gln: ["4006381333931", "4006381333932", ""],
    identifiers.duns: ["012345678", "01-234-5678", "123", ""],
}  # fmt: skip


def cells_of(column: Column, rows: int) -> st.SearchStrategy[list[str]]:
    """Cells of one column: of its own pool, of its words where it has some, and each its own where it is a key."""
    if column.parser is words.choice:
        known = [spelling for value, found in column.options["words"].items() for spelling in (value, *found)]
        pool = [*known, "", "neither"]
    else:
        pool = CELLS[column.parser]
    return st.lists(st.sampled_from(pool), min_size=rows, max_size=rows)


@st.composite
def lists(draw: st.DrawFn, of: Table) -> pl.DataFrame:
    """A list of some of a table's columns, the needed ones among them."""
    rows = draw(st.integers(1, 6))
    needed = {draw(st.sampled_from(names)) for names in of.needed} | {c.name for c in of.columns if c.required}
    chosen = [c for c in of.columns if c.name in needed or draw(st.booleans())]
    frame = {c.name: draw(cells_of(c, rows)) for c in chosen}
    # Mostly each row of its own: rows of one key that differ are set aside.
    if of.key and of.key[0] in frame and draw(st.integers(0, 3)):
        frame[of.key[0]] = [f"K{i}" for i in range(rows)]
    return pl.DataFrame(frame, schema=dict.fromkeys(frame, pl.String))


def typed(intake: ingest.Intake) -> pl.DataFrame:
    """The typed columns, in input order; positions, confidence and the words of an activity apart."""
    read = intake.rows.collect().select(pl.selectors.matches("^_[a-z].*$"))
    return read.drop("_row", "_line", "_division_confidence", "_activity", strict=False)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_reading_the_corrected_copy_is_the_identity(
    facts: Facts, tmp_path: Path, kind: str, name: str, data: st.DataObject
) -> None:
    frame = data.draw(lists(table(name)))
    first = ingest.from_frame(frame, name, on=ON, reference=facts)
    assert first.counts["rows_in"] == frame.height
    if not first.counts["loaded"]:
        return
    path = tmp_path / f"corrected.{kind}"
    if kind == "csv":
        corrected.write_csv(first, path)
    else:
        assert corrected.write_xlsx(first, path)
    second = ingest.read(path, name, on=ON, reference=facts)
    said = second.issues.filter(~pl.col("code").is_in(FOR_A_PERSON))
    assert said.height == 0, said.to_dicts()
    assert typed(second).equals(typed(first))
