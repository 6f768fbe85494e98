"""A plan's folder: written beside its place, synced, then renamed, so that it is whole or absent."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from vigilance import atomic
from vigilance.atomic import digest, refuse_existing
from vigilance.i18n import language
from vigilance.planning import ics, listing, workbook
from vigilance.planning.make import Plan
from vigilance.planning.summary import summary
from vigilance.tabular import write_csv


def write(plan: Plan, folder: Path, origin: dict[str, Any], on: date) -> dict[str, Any]:
    """Write ``plan.csv, left_out.csv, plan.json, plan.ics, plan.xlsx`` to a new folder.

    The content of ``plan.json``.

    ``origin`` says which run, rules and files the plan rests on and goes into ``plan.json``. Raises
    ``UsageError`` when the folder exists and is not empty: a plan is never overwritten.
    """
    refuse_existing(folder)
    planned, left = listing.planned(plan), listing.left_out(plan)
    figures = summary(plan, planned, left)
    with atomic.folder(folder) as beside:
        write_csv(planned, beside / "plan.csv", language())
        write_csv(left, beside / "left_out.csv", language())
        plan_id = digest(beside / "plan.csv")[:12]
        text = ics.calendar(planned, on, plan_id, plan.protocol.team_size)
        (beside / "plan.ics").write_bytes(text.encode("utf-8"))
        workbook.write(beside / "plan.xlsx", planned, left, figures)
        outputs = {path.name: digest(path) for path in sorted(beside.iterdir())}
        said = {**figures, "origin": origin, "outputs": outputs}
        (beside / "plan.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return said


def new_name(parent: Path, stem: str) -> Path:
    """A folder of this name that does not exist yet, numbered from 2 when need be."""
    folder, number = parent / stem, 2
    while folder.exists():
        folder, number = parent / f"{stem}-{number}", number + 1
    return folder
