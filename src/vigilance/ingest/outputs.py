"""What is written about a file: all issues, and the rows set aside with their text as it was read."""

from __future__ import annotations

from pathlib import Path

from vigilance import tabular
from vigilance.ingest.intake import Intake


def write_findings(intake: Intake, folder: Path) -> None:
    """Write ``issues.csv``, ``issues.jsonl`` and, where rows were set aside, ``rejected/<number>.txt`` with an index.

    Files are numbered in the order of the sources: their names never come from the contents of a cell or a path.
    """
    tabular.write_csv(intake.issues, folder / "issues.csv")
    intake.issues.write_ndjson(folder / "issues.jsonl")
    if not intake.rejected.height:
        return
    target = folder / "rejected"
    target.mkdir()
    for number, source in enumerate(intake.sources, 1):
        rows = intake.rejected.filter(
            (intake.rejected["file"] == source.file) & (intake.rejected["sheet"] == source.sheet)
        )
        if rows.height:
            (target / f"{number}.txt").write_bytes(b"\n".join(rows["original"].fill_null(b"").to_list()) + b"\n")
            tabular.write_csv(rows.drop("original"), target / f"{number}-reasons.csv")
