"""Reports: one run, several readers, several formats.

    Run ── gather ──▶ Material ──▶ Document (sections and blocks) ──▶ writer: html · md · pdf · xlsx
                              └──▶ interactive page and workbook of the whole list

``reports.write`` is the way in. A format is one module with one ``@writer`` function.
"""

from vigilance.report.reports import Report, write
from vigilance.report.writers import FORMATS, Request

__all__ = ["FORMATS", "Report", "Request", "write"]
