"""Make a report: the document for the reader, in the formats asked for, in a folder that appears whole."""

from __future__ import annotations

import filecmp
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigilance import atomic
from vigilance.errors import UsageError
from vigilance.i18n import language, messages, use
from vigilance.report import regulator, summary, supplier
from vigilance.report.document import Document
from vigilance.report.material import Material, gather
from vigilance.report.writers import Request, find
from vigilance.run import Run

_ = messages("report")

CSR: Final = "csr"
BOARD: Final = "board"
SUPPLIER: Final = "supplier"
REGULATOR: Final = "regulator"


@dataclass(frozen=True)
class Report:
    """A finished report: its folder, its files, its document, and whether the very same one was already there."""

    folder: Path
    files: Sequence[Path]
    document: Document
    already: bool = False


def write(
    run: Run,
    formats: Sequence[str],
    audience: str = CSR,
    *,
    lang: str = "en",
    out: Path | None = None,
    rules_path: Path | None = None,
    data_path: Path | None = None,
) -> Report:
    """Write a report of a run.

    ``audience`` is ``csr``, ``board``, ``supplier:<id>`` or ``regulator:<law>``. Without ``out``, a new folder beside
    the run. Raises ``UsageError`` for an unknown format, reader or site, for a folder that holds something else, and
    when rules or facts are not those of the run.
    """
    with use(lang):
        writers = [(extension, find(extension)) for extension in dict.fromkeys(formats)]
        if not writers:
            raise UsageError(_("no format was asked for"))
        material = gather(run, rules_path, data_path)
        request = Request(material, document(material, audience), audience)
        stem = name(audience)
        target = out or run.path.resolve().parent / f"{run.path.resolve().name}-{stem}"
        made = {f"{stem}.{extension}": writer(request) for extension, writer in writers}
        return _place(target, made, request.document)


def document(material: Material, audience: str) -> Document:
    """The document for one reader. Raises ``UsageError`` when there is no such reader."""
    kind, _colon, which = audience.partition(":")
    if kind == CSR and not which:
        return summary.full(material)
    if kind == BOARD and not which:
        return summary.board(material)
    if kind == SUPPLIER and which:
        return supplier.sheet(material, which)
    if kind == REGULATOR and which:
        return regulator.annex(material, which)
    raise UsageError(
        _("there is no report for {name}").format(name=audience),
        hint=_("readers: csr, board, supplier:ID, {laws}").format(
            laws=", ".join(f"regulator:{law}" for law in regulator.LAWS)
        ),
    )


def name(audience: str) -> str:
    """The name of a report's files; a supplier's own id never becomes part of a file name."""
    kind, _colon, which = audience.partition(":")
    if kind == SUPPLIER:
        which = hashlib.sha256(which.encode()).hexdigest()[:8]
    return "-".join(part for part in ("report", kind, which, language()) if part)


def _place(target: Path, made: dict[str, bytes], said: Document) -> Report:
    """Put the files into a folder that takes its name only when all are written; the same files again are no error."""
    files = [target / name for name in made]
    with tempfile.TemporaryDirectory(prefix="vigilance-") as scratch:
        for name, content in made.items():
            (Path(scratch) / name).write_bytes(content)
        if target.is_dir() and {p.name for p in target.iterdir()} == set(made):
            same, _different, _missing = filecmp.cmpfiles(scratch, target, list(made), shallow=False)
            if len(same) == len(made):
                return Report(target, files, said, already=True)
    with atomic.folder(target) as folder:
        for name, content in made.items():
            (folder / name).write_bytes(content)
    return Report(target, files, said)
