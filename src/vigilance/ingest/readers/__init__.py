"""From a file on disk to tables of text, never silently wrong.

``read_raw`` reads one file: delimited text, workbook, Parquet, Arrow or JSON lines, each also under gzip where that
is usual. What it cannot read without guessing is refused (``InputRefused``); records that cannot be read are set
aside with their bytes; everything skipped or repaired is an issue.
"""

from vigilance.ingest.readers.limits import DEFAULT, Limits
from vigilance.ingest.readers.reading import read_raw
from vigilance.ingest.readers.sources import expand
from vigilance.ingest.readers.table import Counts, Dialect, HeaderMatcher, Match, Names, RawTable

__all__ = [
    "DEFAULT",
    "Counts",
    "Dialect",
    "HeaderMatcher",
    "Limits",
    "Match",
    "Names",
    "RawTable",
    "expand",
    "read_raw",
]
