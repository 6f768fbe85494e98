"""Workbooks (XLSX, XLSM, XLSB, XLS, ODS): checked from outside, read in a limited process, judged row by row.

This process never parses the workbook itself: it looks at the archive's directory, starts ``workbook_child`` and reads
the CSV files that come back. Whatever the child does (abort, run out of memory or time), the file is refused.
"""

from __future__ import annotations

import csv
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers import scratch
from vigilance.ingest.readers.child import Died, ask
from vigilance.ingest.readers.cleaning import FOLDED_CR, FOLDED_LF
from vigilance.ingest.readers.dialect import nearest
from vigilance.ingest.readers.layouts import quoted
from vigilance.ingest.readers.limits import MIB, Limits
from vigilance.ingest.readers.sheet import Grid, sheet_table
from vigilance.ingest.readers.table import HeaderMatcher, Match, RawTable
from vigilance.issues import issue

_ = messages("readers")

_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class _Fit:
    grid: Grid
    row: int
    match: Match | None


def read_workbook(path: Path, name: str, matcher: HeaderMatcher | None, limits: Limits, sheet: str | None) -> RawTable:
    """The one table of a workbook: the sheet whose header fits, or the one that ``sheet`` names."""
    unpacked = _check_container(path, name, limits)
    folder = Path(tempfile.mkdtemp(dir=scratch.folder()))
    answer = _run(path, limits, sheet, unpacked, folder)
    if "refused" in answer:
        raise _refusal(name, str(answer["refused"]), str(answer.get("detail", "")))
    grids = [
        Grid(name, info, _head(folder, info, limits), _values(folder, info))
        for info in answer["sheets"]
        if info["file"]
    ]
    notes = [
        issue(
            "hidden_sheet",
            _("the hidden sheet '{sheet}' was not read").format(sheet=info["name"]),
            severity="warning",
            file=name,
            sheet=info["name"],
        )
        for info in answer["sheets"]
        if not info["visible"] and info["name"] != sheet
    ]
    if sheet is not None:
        grids = [grid for grid in grids if grid.name == sheet]
        if not grids:
            raise InputRefused(
                _("{file}: there is no sheet '{sheet}'; it has: {sheets}").format(
                    file=name, sheet=sheet, sheets=", ".join(f"'{info['name']}'" for info in answer["sheets"])
                )
            )
    fit = _choose(grids, name, matcher)
    return sheet_table(path, fit.grid, fit.row, fit.match, notes, limits)


def _check_container(path: Path, name: str, limits: Limits) -> int:
    """Bytes of the workbook once unpacked, as its directory says; refused when absurd or encrypted."""
    size = path.stat().st_size
    if size > limits.workbook_bytes:
        raise _refusal(name, "size", f"{size} > {limits.workbook_bytes}")
    content = path.read_bytes()
    if not content.startswith(b"PK"):
        if _ENCRYPTED in content:
            raise _refusal(name, "password")
        return size
    try:
        with zipfile.ZipFile(path) as book:
            entries = book.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error, UnicodeError) as error:
        raise _refusal(name, "damaged", str(error)) from None
    return _check_entries(entries, size, name, limits)


def _check_entries(entries: Sequence[zipfile.ZipInfo], size: int, name: str, limits: Limits) -> int:
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > limits.workbook_entries:
        raise _refusal(name, "bomb", f"{len(entries)} entries")
    if unpacked > limits.workbook_unzipped:
        raise _refusal(name, "bomb", f"{unpacked} bytes unpacked")
    if sum(entry.compress_size for entry in entries) > size:
        raise _refusal(name, "bomb", "entries overlap")
    for entry in entries:
        if entry.file_size > limits.ratio_from // 4 and entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise _refusal(name, "bomb", f"{entry.file_size} bytes from {entry.compress_size}")
        if entry.flag_bits & 1:
            raise _refusal(name, "password")
    if not any(entry.filename.lower().endswith(("workbook.xml", "workbook.bin", "content.xml")) for entry in entries):
        raise _refusal(name, "foreign")
    return unpacked


def _run(path: Path, limits: Limits, sheet: str | None, unpacked: int, folder: Path) -> dict[str, Any]:
    """What the child answers; its death is an answer too."""
    memory = min(limits.workbook_memory, 224 * MIB + 24 * unpacked)
    seconds = min(limits.workbook_seconds, 12 + unpacked // (10 * MIB))
    request = {
        "path": str(path.resolve()),
        "out": str(folder),
        "memory": memory,
        "seconds": seconds,
        "cells": limits.workbook_cells,
        "sheet": sheet,
    }
    answer = ask("workbook_child", request, seconds + 1)
    if not isinstance(answer, Died):
        return answer
    if answer.reason == "time":
        return {"refused": "time", "detail": str(seconds)}
    if "assword" in answer.last or "ncrypted" in answer.last:
        return {"refused": "password"}
    return {"refused": answer.reason, "detail": answer.last}


def _refusal(name: str, reason: str, detail: str = "") -> InputRefused:
    texts = {
        "password": _("{file}: the workbook is protected by a password"),
        "bomb": _("{file}: the archive is over the limits for a workbook ({detail})"),
        "size": _("{file}: the workbook is over the size limit ({detail})"),
        "extent": _("{file}: a sheet is over the limit of cells ({detail})"),
        "memory": _("{file}: reading the workbook takes more memory than is allowed ({detail})"),
        "time": _("{file}: reading the workbook takes longer than {detail} seconds"),
        "doctype": _("{file}: the workbook declares a document type, which none needs"),
        "foreign": _("{file}: the content is an archive but not a workbook"),
    }
    hints = {
        "password": _("remove the password and save it again"),
        "extent": _("delete the cells far from the table, or export the sheet as CSV"),
        "bomb": _("export the sheet as CSV"),
    }
    text = texts.get(reason, _("{file}: the workbook is damaged ({detail})"))
    return InputRefused(text.format(file=name, detail=detail), hint=hints.get(reason))


def _head(folder: Path, info: dict[str, Any], limits: Limits) -> list[list[str]]:
    """The first rows of a sheet, with merged ranges filled by their first cell."""
    rows: list[list[str]] = []
    with (folder / info["file"]).open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            rows.append([cell.replace(FOLDED_LF, "\n").replace(FOLDED_CR, "\r") for cell in row])
            if len(rows) > limits.preamble:
                break
    for top, left, bottom, right in info["merges"]:
        if top < len(rows) and left < len(rows[top]):
            for row in rows[top : min(bottom, top + 10) + 1]:
                row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
    return rows


def _values(folder: Path, info: dict[str, Any]) -> pl.DataFrame:
    """All cells of a sheet as text, columns ``0``, ``1``, ...; an empty cell is null."""
    if not info["rows"] or not info["columns"]:
        return pl.DataFrame()
    frame = pl.read_csv(
        folder / info["file"],
        has_header=False,
        schema={str(index): pl.String() for index in range(info["columns"])},
        null_values=[""],
        infer_schema=False,
    )
    return frame.with_columns(pl.all().str.replace_many([FOLDED_LF, FOLDED_CR], ["\n", "\r"]))


def _choose(grids: Sequence[Grid], name: str, matcher: HeaderMatcher | None) -> _Fit:
    """The sheet and row of the header; refused when no sheet fits, or more than one."""
    fits = [fit for grid in grids if (fit := _fit(grid, matcher))]
    if len(fits) > 1:
        raise InputRefused(
            _("{file}: two sheets fit: {sheets}").format(
                file=name, sheets=", ".join(f"'{fit.grid.name}'" for fit in fits)
            ),
            hint=_("say which sheet to read"),
        )
    if fits:
        return fits[0]
    if matcher is None or not any(any(map(str.strip, row)) for grid in grids for row in grid.head):
        raise InputRefused(_("{file}: no sheet holds a table").format(file=name))
    tried = [
        (match.score, -index, grid, row, match)
        for grid in grids
        for index, row in enumerate(grid.head)
        if any(map(str.strip, row))
        for match in [matcher.match(row)]
    ]
    _score, index, grid, row, match = max(tried, key=lambda one: one[:2])
    found = [cell for cell in row if cell.strip()]
    raise InputRefused(
        _("{file}, sheet '{sheet}': no header with {missing}; row {line} has: {found}").format(
            file=name, sheet=grid.name, missing=quoted(match.missing), line=1 - index, found=quoted(found)
        ),
        hint=nearest(match.missing, found),
    )


def _fit(grid: Grid, matcher: HeaderMatcher | None) -> _Fit | None:
    if matcher is None:
        width = max((sum(1 for cell in row if cell.strip()) for row in grid.head), default=0)
        for index, row in enumerate(grid.head):
            if width and sum(1 for cell in row if cell.strip()) * 2 > width:
                return _Fit(grid, index, None)
        return None
    for index, row in enumerate(grid.head):
        match = matcher.match(row)
        if not match.missing:
            return _lowest(grid, _Fit(grid, index, match), matcher)
    return None


def _lowest(grid: Grid, fit: _Fit, matcher: HeaderMatcher) -> _Fit:
    """The last row of a header merged downwards: the filling repeats it down to the row above the data."""
    below = fit.row + 1
    while below < len(grid.head) and grid.merged_into(below):
        match = matcher.match(grid.head[below])
        if match.missing:
            break
        fit, below = _Fit(grid, below, match), below + 1
    return fit
