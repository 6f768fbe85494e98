"""Import, corrected copy, import again: the same rows and no remark, for every table in every dialect."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from tests.ingest.hostile.tables import MAKERS, make

from vigilance import ingest
from vigilance.ingest import Intake, anytable, corrected
from vigilance.reference import Facts

ON = date(2026, 11, 1)
ABOUT_COLUMNS = ["column_unknown", "id_derived"]
DIALECTS = list(
    itertools.product(",;\t|", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ["utf-8", "utf-8-sig", "utf-16"], ["\n", "\r\n"])
)
TABLES = {
    "suppliers": """supplier_id|name|country|activity|tier|workers|migrant_share|seasonal|spend_eur|lat|lng
S1|Acme, "X"|Viet Nam|Textiles|T2|100-500|40 %|oui|1234.5||
S2|=cmd|IN|13|1|2,500|5 %|no|7|28.6|77.2
S3|Zoë|Côte d’Ivoire|Growing of cotton|3+|> 20|||||""",
    "audits": """supplier_id|audited_on|scheme|kind|notice|person_days|interviews|auditor|grade
S1|2025-03-04|SMETA|initial|announced|2|10|Bureau|B
S2|04/25/2025|SA8000|follow_up|unannounced|1.5|||""",
    "findings": """supplier_id|audited_on|topic|severity|status|found_on
S1|2025-03-04|wages|major|open|2025-03-04
S2|2025-04-25|health|minor|closed|""",
    "grievances": """incident_id|supplier_id|received_on|channel|indicator|substantiated|language
G1|S1|2025-03-04|hotline|debt_bondage|yes|fr
G2|S2|2025-04-05|hotline|||""",
    "events": """event_id|place_kind|place|occurred_on|known_on|kind|source|proven
E1|country|FR|2025-01-02|2025-01-03|strike|press|yes
E2|site|S1|2025-01-04|2025-01-05|raid|ngo|no""",
    "lists": """list|name|aliases|country|since|until|product
UFLPA|Acme|Ac;Me|China|2023-01-01||cotton""",
    "links": """buyer_id|supplier_id|share|product
S1|S2|40 %|yarn
S2|S3|35 %|""",
    "audit_statistics": """country|activity|hazard|audits|positives|year|drawn_with|source
Viet Nam|Textiles|travail forcé|1 200|7|2025|40 %|a scheme
IN||child_labour|300|0|2024|5 %|
|13|forced labor|45|1|2023||a "paper", of all""",
    "holdings": """name|isin|ticker|weight|value|currency|country|activity
Apple|US0378331005|AAPL|3.5 %|1 000|USD|US|
Air Liquide|FR0000120073|AI|2.5 %|500|EUR|France|Chemicals""",
    "issuers": """isin|name|country|activity|share
US0378331005|Apple|China|Electronics|60 %
US0378331005|Apple|India|26|40 %""",
    "rankings": """country|value|year
Viet Nam|1 200,5|2023
IN|7|2024
"Congo, Democratic Republic of the"||2023""",
}  # fmt: skip


def written(rows: list[list[str]], dialect: tuple[str, int, str, str]) -> bytes:
    mark, quoting, encoding, end = dialect
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode(encoding)


def typed(intake: Intake) -> pl.DataFrame:
    """What scoring reads; positions and confidence apart."""
    rows = intake.rows.collect().select(pl.selectors.matches("^_[a-z].*$"))
    return rows.drop("_row", "_line", "_division_confidence", "_activity", strict=False)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_in_every_dialect(tmp_path: Path, facts: Facts, table: str) -> None:
    rows = [line.split("|") for line in TABLES[table].splitlines()]
    for dialect in DIALECTS[:: 7 if table == "suppliers" else 11]:
        path, copy = tmp_path / "list.csv", tmp_path / "corrected.csv"
        path.write_bytes(written(rows, dialect))
        first = ingest.read(path, table, on=ON, reference=facts)
        assert first.counts["loaded"] == len(rows) - 1
        corrected.write_csv(first, copy)
        second = ingest.read(copy, table, on=ON, reference=facts)
        assert second.issues.filter(~pl.col("code").is_in(ABOUT_COLUMNS)).height == 0
        assert typed(second).equals(typed(first))


@pytest.mark.parametrize("kind", MAKERS)
def test_any_table_in_every_dialect(tmp_path: Path, kind: str) -> None:
    table = make(kind, 12)
    rows = [table.header, *([cell.replace("\n", " ") for cell in row] for row in table.rows)]
    for dialect in DIALECTS[::5]:
        path, copy = tmp_path / "list.csv", tmp_path / "corrected.csv"
        path.write_bytes(written(rows, dialect))
        first = anytable.read(path)
        corrected.write_csv(first, copy)
        second = anytable.read(copy)
        assert second.issues.height == 0
        values = [[cell or "" for cell in row] for row in second.rows.drop("_row", "_line").collect().rows()]
        assert [second.corrected.collect_schema().names(), *values] == rows


def test_cells_like_formulas_are_guarded_aloud(tmp_path: Path) -> None:
    path, copy = tmp_path / "list.csv", tmp_path / "corrected.csv"
    path.write_text("id,note\n1,=1+1\n2,-5\n3,@x\n")
    first = anytable.read(path)
    assert first.issues.select("code", "row", "column").rows() == [("formula_guarded", 2, "note")]
    corrected.write_csv(first, copy)
    second = anytable.read(copy)
    assert second.issues.height == 0
    assert second.rows.collect()["note"].to_list() == ["'=1+1", "-5", "'@x"]
