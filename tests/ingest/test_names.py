"""Headers that Polars would take for patterns of names: ``*``, and ``^`` to ``$``."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import ingest
from vigilance.reference import Facts

ON = date(2026, 11, 1)
NAMES = ("*", "^.*$", "^s.*$")
FIXED = "supplier_id,name,country,activity"
ROW = "S1,Weavers,Bangladesh,Textiles"


def read_through(content: bytes, path: Path, facts: Facts) -> ingest.Intake:
    path.write_bytes(content)
    return ingest.read(path, on=ON, reference=facts)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "jsonl", "frame"])
def test_a_column_named_like_a_pattern_is_one_column(name: str, ending: str, tmp_path: Path, facts: Facts) -> None:
    cells = {name: "own", **dict(zip(FIXED.split(","), ROW.split(","), strict=True))}
    frame = pl.DataFrame(cells)
    path = tmp_path / f"list.{ending}"
    if ending == "frame":
        intake = ingest.from_frame(frame, on=ON, reference=facts)
    elif ending == "parquet":
        frame.write_parquet(path)
        intake = ingest.read(path, on=ON, reference=facts)
    elif ending == "jsonl":
        frame.write_ndjson(path)
        intake = ingest.read(path, on=ON, reference=facts)
    else:
        text = frame.write_csv().encode()
        intake = read_through(gzip.compress(text) if ending == "csv.gz" else text, path, facts)
    rows = intake.rows.collect()
    assert rows["column 1"].to_list() == ["own"]
    assert rows["_iso3"].to_list() == ["BGD"]
    told = intake.issues.filter(pl.col("code") == "unnamed_column")
    assert told["value"].to_list() == [name]


def test_a_needed_column_may_have_such_a_name(tmp_path: Path, facts: Facts) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"^key$,{FIXED.removeprefix('supplier_id,')}\n{ROW}\n", encoding="utf-8")
    rows = ingest.read(path, on=ON, reference=facts, mapping={"supplier_id": "^key$"}).rows.collect()
    assert rows["_supplier_id"].to_list() == ["S1"]
