"""The folder of a validation report, in every form.

``validation.md``, ``validation.html`` (self-contained), ``validation.json``, ``figures/`` (SVG and PNG), ``tables/``
(CSV), with a back-test ``trial.diff``, and with a calibration ``proposal.diff`` and ``proposal.json``. The same inputs
give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import atomic, tabular
from vigilance.calibrate import trial
from vigilance.calibrate.job import Found, summary
from vigilance.calibrate.report import TRIAL, document
from vigilance.i18n import language
from vigilance.report import blocks, charts
from vigilance.report.document import Block, Bullets, Chart, Document, Table, Text
from vigilance.report.markdown import safe

PNG_SCALE: Final = 2.0
NUMERIC: Final = re.compile(r"^[\d\s.,%()±/–\u202f-]*$")


def html(said: Document) -> str:
    """One self-contained page that loads nothing and runs no script."""
    env = blocks.environment()
    return env.get_template("document.html").render(
        lang=language(),
        policy=blocks.policy(),
        document=said,
        css=blocks.asset("report.css"),
        render=blocks.renderer(env),
        compact=False,
    )


def markdown(said: Document) -> str:
    """The document as Markdown, its drawings as images of the folder ``figures``."""
    lines = [f"# {safe(said.title)}", "", safe(said.subtitle), ""]
    for section in said.sections:
        lines += [f"## {safe(section.title)}", ""]
        for block in section.blocks:
            lines += [*_lines(block), ""]
    lines += [f"- {safe(label)}: {safe(value)}" for label, value in said.facts]
    return "\n".join(lines).rstrip() + "\n"


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Text):
        yield f"> {safe(block.text)}" if block.tone == "gap" else safe(block.text)
    elif isinstance(block, Bullets):
        yield from (f"- {safe(item)}" for item in block.items)
    elif isinstance(block, Chart):
        yield f"![{safe(block.caption)}](figures/{block.name}.svg)"
    elif isinstance(block, Table):
        yield from (f"**{safe(block.caption)}**", "")
        yield "| " + " | ".join(safe(column.title) for column in block.columns) + " |"
        yield "|" + "---|" * len(block.columns)
        for row in block.rows:
            yield "| " + " | ".join(_cell(str(value)) for value in row) + " |"
        if block.note:
            yield from ("", safe(block.note))


def _cell(text: str) -> str:
    """A number as it is; words without markup (their first letters would be escaped as a list's otherwise)."""
    return text if NUMERIC.match(text) else safe(text)


def write(found: Found, folder: Path, lang: str) -> None:
    """Fill a folder with the report in every form."""
    said = document(found)
    (folder / "validation.md").write_text(markdown(said), encoding="utf-8")
    (folder / "validation.html").write_text(html(said), encoding="utf-8")
    (folder / "validation.json").write_text(json.dumps(summary(found), indent=1) + "\n", encoding="utf-8")
    (folder / "figures").mkdir()
    for chart in [block for section in said.sections for block in section.blocks if isinstance(block, Chart)]:
        (folder / "figures" / f"{chart.name}.svg").write_text(charts.drawn(chart.spec), encoding="utf-8")
        (folder / "figures" / f"{chart.name}.png").write_bytes(_png(charts.drawn(chart.spec)))
    (folder / "tables").mkdir()
    for name, frame in _frames(found).items():
        tabular.write_csv(frame, folder / "tables" / f"{name}.csv", lang)
    if found.backtest is not None:
        (folder / TRIAL).write_text(trial.diff(found.asked.on), encoding="utf-8")
    if found.proposal is not None:
        (folder / "proposal.diff").write_text(found.proposal.diff, encoding="utf-8")
        proposed = json.dumps(dict(found.proposal.values), indent=1)
        (folder / "proposal.json").write_text(proposed + "\n", encoding="utf-8")


def _png(svg: str) -> bytes:
    import vl_convert  # noqa: PLC0415 - starts an engine

    return bytes(vl_convert.svg_to_png(svg, scale=PNG_SCALE))


def _frames(found: Found) -> dict[str, pl.DataFrame]:
    frames: dict[str, pl.DataFrame] = {}
    if found.backtest is not None:
        frames |= {
            f"backtest-{name}": getattr(found.backtest, name)
            for name in ("results", "against", "groups", "lines", "added")
        }
    if found.coverage is not None:
        frames |= {"coverage": found.coverage.groups, "coverage-reasons": found.coverage.reasons}
        frames["coverage-lines"] = found.coverage.lines
    if found.audits is not None:
        frames["audits"] = found.audits.rows
    if found.rankings is not None:
        frames |= {
            f"rankings-{name}": getattr(found.rankings, name)
            for name in ("results", "against", "regions", "differences", "issues")
        }
    if found.robustness is not None:
        frames |= {"robustness": found.robustness.effects, "robustness-draws": found.robustness.draws}
    if found.attribution is not None:
        frames |= {"sobol": found.attribution.indices, "sobol-draws": found.attribution.draws}
    for one in found.calibration:
        frames |= {
            f"calibration-{one.hazard}": one.table,
            f"reliability-{one.hazard}": one.scores.reliability,
        }
    return frames


def save(found: Found, out: Path, lang: str) -> None:
    """Write the report to a new folder, whole or not at all. Raises ``UsageError`` when something is there."""
    with atomic.folder(out) as folder:
        write(found, folder, lang)
