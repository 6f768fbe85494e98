"""How large an untrusted file may be before it is refused; every limit can be raised by the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one input file. Sizes are bytes, times are seconds."""

    bytes: int = 32 * GIB
    """Of a file as it lies on the disk: more than 200 million rows of sites."""
    unpacked: int = 8 * GIB
    """Of the text that comes out of a compressed file."""
    rows: int = 200_000_000
    columns: int = 2_000
    cell: int = 32_767
    """Bytes of one cell: what a spreadsheet cell may hold."""
    record: int = MIB
    """Bytes of one record; a quote that is still open after so many bytes is an unclosed quote."""
    header: int = 64 * KIB
    rejects: int = 1_000_000
    """Records set aside before the file as a whole is refused."""
    preamble: int = 100
    """Records above the header in which the header is looked for."""
    ratio: int = 200
    """Decompressed bytes per compressed byte in a workbook, above ``ratio_from`` bytes."""
    gzip_ratio: int = 100
    ratio_from: int = 64 * MIB
    workbook_bytes: int = 256 * MIB
    workbook_unzipped: int = GIB
    workbook_entries: int = 10_000
    workbook_cells: int = 5_000_000
    workbook_memory: int = 3 * GIB
    """Address space of the child process that reads a workbook."""
    workbook_seconds: int = 60


DEFAULT: Final = Limits()
