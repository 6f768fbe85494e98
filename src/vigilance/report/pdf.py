"""PDF through WeasyPrint, or through Chromium where only that is there."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from vigilance.errors import OutOfResources, UsageError
from vigilance.i18n import messages
from vigilance.report.html import static
from vigilance.report.writers import Request, writer

_ = messages("report")

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
SECONDS: Final = 120
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
)
DATES: Final = re.compile(rb"/(CreationDate|ModDate) \(D:\d{14}([^)]*)\)")


@writer("pdf")
def write(request: Request) -> bytes:
    """The document as PDF. Raises ``UsageError`` that names what to install when no engine is there."""
    text = static(request)
    if has_weasyprint():
        try:
            return by_weasyprint(text)
        except OSError:  # its native libraries are missing: another engine may do
            if browser() is None:
                raise
    found = browser()
    if found is None:
        raise UsageError(
            _("no engine for PDF was found"),
            hint=_("install WeasyPrint (`pip install weasyprint`) or the Chromium browser, or ask for html or md"),
        )
    return by_chromium(found, text)


def has_weasyprint() -> bool:
    """Whether the Python package is there; its native libraries may still be missing."""
    return importlib.util.find_spec("weasyprint") is not None


def by_weasyprint(text: str) -> bytes:
    """PDF by WeasyPrint; nothing outside the document can be read."""
    import weasyprint  # noqa: PLC0415 - heavy, and optional

    inside_only = weasyprint.urls.URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    made: bytes = weasyprint.HTML(string=text, url_fetcher=inside_only).write_pdf()
    return made


def browser() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def by_chromium(path: str, text: str) -> bytes:
    """PDF by headless Chromium; its dates are set to nothing, so that the same run gives the same bytes."""
    with tempfile.TemporaryDirectory(prefix="vigilance-") as scratch:
        folder = Path(scratch)
        (folder / "report.html").write_text(text, encoding="utf-8")
        target = folder / "report.pdf"
        command = [
            path,
            *FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            f"--print-to-pdf={target}",
            (folder / "report.html").as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 - fixed command
        except subprocess.TimeoutExpired as error:
            raise OutOfResources(_("Chromium did not finish the PDF in {n} seconds").format(n=SECONDS)) from error
        if done.returncode or not target.is_file():
            raise OutOfResources(_("Chromium could not write the PDF"), hint=_("install WeasyPrint instead"))
        return DATES.sub(rb"/\1 (D:20000101000000\2)", target.read_bytes())
