"""HTML: the interactive page for those who work with the whole list, a static document for the other readers."""

from __future__ import annotations

from vigilance.i18n import language
from vigilance.report import blocks
from vigilance.report.page import page
from vigilance.report.writers import Request, writer


@writer("html")
def write(request: Request) -> bytes:
    """One self-contained file that opens from disk and loads nothing."""
    text = page(request) if request.whole_list else static(request)
    return text.encode("utf-8")


def static(request: Request) -> str:
    """The document without scripts, also what a PDF is made from."""
    env = blocks.environment()
    return env.get_template("document.html").render(
        lang=language(),
        policy=blocks.policy(),
        document=request.document,
        css=blocks.asset("report.css"),
        render=blocks.renderer(env),
        compact=request.audience.startswith("supplier"),
    )
