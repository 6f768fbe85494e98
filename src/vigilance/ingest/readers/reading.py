"""One file to its reader, by what its first bytes are; the name of the file only has to agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.limits import DEFAULT, Limits
from vigilance.ingest.readers.patterns import set_unlike_aside
from vigilance.ingest.readers.sources import check_readable, digest, gunzip, kind_of_bytes, kind_of_name
from vigilance.ingest.readers.table import HeaderMatcher, RawTable
from vigilance.ingest.readers.text import Asked, read_text

_ = messages("readers")

_BYTES_OF: Final = {
    "workbook": ("zip", "ole"),
    "columnar": ("parquet", "arrow"),
    "text": ("",),
    "json": ("",),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One file to read: ``source`` holds the bytes, ``name`` is what to call it."""

    source: Path
    name: str
    kind: str
    required: HeaderMatcher | None
    limits: Limits
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    ahead: bool


def read_raw(
    path: Path | str,
    *,
    required: HeaderMatcher | None,
    limits: Limits = DEFAULT,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    ahead: bool = False,
) -> list[RawTable]:
    """The tables of one file as text (today always one; a list, for formats that hold several).

    ``required`` knows the header to look for; None accepts any header, and then the cell counts must settle the
    dialect. ``encoding`` and ``delimiter`` are for text, ``sheet`` names the sheet of a workbook. ``ahead`` says
    that the table will be wanted in memory (``RawTable.begun``). Raises ``InputRefused`` (file, place and remedy in the
    message), ``UsageError`` for an impossible option and ``OutOfResources`` without permission.
    """
    path = Path(path)
    size = check_readable(path, limits)
    pool = ThreadPoolExecutor(1)
    hashing = pool.submit(digest, path)
    pool.shutdown(wait=False)
    source, packed = path, kind_of_bytes(path) == "gzip"
    if packed:
        source = gunzip(path, path.name, limits)
    kind = _settle_kind(source, path)
    table = _read(Request(source, path.name, kind, required, limits, encoding, delimiter, sheet, ahead))
    return [replace(table, file=path, size=size, sha256=hashing)]


def _settle_kind(source: Path, path: Path) -> str:
    """The reader for a file; refused when its name and its first bytes contradict each other."""
    real, named = kind_of_bytes(source), kind_of_name(path)
    if named and real in _BYTES_OF[named]:
        return real if named == "columnar" else named
    if not named and not real:
        return "text"
    if not named:
        for kind, magics in _BYTES_OF.items():
            if real in magics:
                return real if kind == "columnar" else kind
    raise InputRefused(
        _("{file}: the name says {named}, the content is {real}").format(
            file=path.name, named=named or _("nothing known"), real=real or _("something else")
        ),
        hint=_("export the table as CSV or XLSX"),
    )


def _read(request: Request) -> RawTable:
    if request.kind == "workbook":
        from vigilance.ingest.readers.workbook import read_workbook  # noqa: PLC0415 - only when needed

        table = read_workbook(request.source, request.name, request.required, request.limits, request.sheet)
        return set_unlike_aside(table) if request.required is None else table
    if request.kind in ("parquet", "arrow"):
        from vigilance.ingest.readers.columnar import read_columnar  # noqa: PLC0415 - only when needed

        return read_columnar(request.source, request.name, request.kind, request.required, request.limits)
    if request.kind == "json":
        from vigilance.ingest.readers.jsonlines import read_json_lines  # noqa: PLC0415 - only when needed

        return read_json_lines(request.source, request.name, request.required, request.limits)
    return read_text(
        Asked(
            request.source,
            request.name,
            request.required,
            request.limits,
            request.encoding,
            request.delimiter,
            request.ahead,
        )
    )
