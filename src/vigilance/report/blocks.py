"""Blocks of a document as HTML: what the page, the static document and the PDF have in common."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vigilance.i18n import messages
from vigilance.report import charts, wording
from vigilance.report.document import NUMERIC, Block, Chart, cell

_ = messages("report")

WIDTH: Final = 720
"""Width of a drawing in a document, in CSS pixels."""
BESIDE: Final = 460
"""Width of one of two drawings side by side."""
MAP_HEIGHT: Final = 250
LISTED_IDS: Final = 12
"""A statement names its sites when there are so few; a workbook names them all."""


def environment() -> Environment:
    """Templates of this package; every value is escaped, an unknown name is an error."""
    return Environment(
        loader=PackageLoader("vigilance.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


def asset(name: str) -> str:
    """A style sheet or a script of this package."""
    return resources.files("vigilance.report").joinpath("assets", name).read_text(encoding="utf-8")


def policy(scripts: Sequence[str] = ()) -> str:
    """A content security policy under which nothing is loaded and only these very scripts run."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def renderer(env: Environment) -> Callable[[Block], Markup]:
    """A function that turns a block into HTML."""
    template = env.get_template("block.html")
    texts = {"rows": _("Rows:"), "sites_found": _("sites:")}

    def render(block: Block) -> Markup:
        return Markup(  # noqa: S704 - made by an escaping template
            template.render(
                block=block,
                kind=type(block).__name__,
                numeric=NUMERIC,
                cell=cell,
                plain=wording.plain,
                count=wording.number,
                texts=texts,
                listed=LISTED_IDS,
                pictures=_drawings(block) if isinstance(block, Chart) else (),
                beside=isinstance(block, Chart) and not isinstance(block.spec.get("width"), dict),
            )
        )

    return render


def _drawings(chart: Chart) -> list[tuple[str, str]]:
    """The drawings of a chart, base64: one per hazard where it has that switch."""
    switch = any(p.get("name") == charts.HAZARD_PARAM for p in chart.spec.get("params", []))
    stepped = isinstance(chart.spec.get("width"), dict)
    width = None if stepped else BESIDE if switch else WIDTH
    versions: list[tuple[str, dict[str, Any]]] = (
        [(name, charts.fixed(chart.spec, hazard, width)) for hazard, name in wording.hazards().items()]
        if switch
        else [("", charts.fixed(chart.spec, "", width))]
    )
    drawn = [(name, {**spec, "height": MAP_HEIGHT} if chart.name == "map" else spec) for name, spec in versions]
    return [(name, base64.b64encode(charts.drawn(spec).encode()).decode()) for name, spec in drawn]
