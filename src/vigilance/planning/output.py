"""A plan's folder: written beside its place, synced, then renamed, so that a half-written plan is never seen."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from vigilance.errors import UsageError
from vigilance.i18n import language, messages
from vigilance.planning import ics, listing, workbook
from vigilance.planning.cells import guard_texts
from vigilance.planning.make import Plan
from vigilance.planning.summary import summary

_ = messages("planning")


def write(plan: Plan, folder: Path, origin: dict[str, Any], on: date) -> dict[str, Any]:
    """Write ``plan.csv, left_out.csv, plan.json, plan.ics, plan.xlsx`` to a new folder; the content of ``plan.json``.

    ``origin`` says which run, rules and files the plan rests on and goes into ``plan.json``. Raises ``UsageError``
    when the folder exists and is not empty: a plan is never overwritten.
    """
    refuse_existing(folder)
    planned, left = listing.planned(plan), listing.left_out(plan)
    figures = summary(plan, planned, left)
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside.mkdir()
    try:
        _csv(planned, beside / "plan.csv")
        _csv(left, beside / "left_out.csv")
        plan_id = hashlib.sha256((beside / "plan.csv").read_bytes()).hexdigest()[:12]
        text = ics.calendar(planned, on, plan_id, plan.protocol.team_size)
        (beside / "plan.ics").write_bytes(text.encode("utf-8"))
        workbook.write(beside / "plan.xlsx", planned, left, figures)
        written = sorted(path for path in beside.iterdir())
        said = {**figures, "origin": origin, "outputs": {path.name: _sha256(path) for path in written}}
        (beside / "plan.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _settle(beside, folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return said


def refuse_existing(folder: Path) -> None:
    """Raise ``UsageError`` when a folder is already in use."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            _("{folder} already exists; a plan is never overwritten").format(folder=folder),
            hint=_("Give another --out."),
        )


def new_name(parent: Path, stem: str) -> Path:
    """A folder of this name that does not exist yet, numbered from 2 when need be."""
    folder, number = parent / stem, 2
    while folder.exists():
        folder, number = parent / f"{stem}-{number}", number + 1
    return folder


def _csv(table: pl.DataFrame, path: Path) -> None:
    french = language() == "fr"
    guard_texts(table).write_csv(
        path, include_bom=True, separator=";" if french else ",", decimal_comma=french, date_format="%Y-%m-%d"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(beside: Path, folder: Path) -> None:
    """Sync every file and the folder, then give the folder its name."""
    for path in (*beside.iterdir(), beside):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    beside.rename(folder)
    handle = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
