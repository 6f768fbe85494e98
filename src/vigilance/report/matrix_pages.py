"""The risk matrix as CSV, JSON, a workbook and a heat map."""

from __future__ import annotations

import io
import json as json_
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from jinja2 import Environment

from vigilance import tabular
from vigilance.i18n import language, messages, use
from vigilance.matrix import Matrix
from vigilance.terms import HAZARDS

_ = messages("report")

COLOURS: Final = {"low": "#e8eef7", "moderate": "#b8cbe6", "high": "#e8a33d", "severe": "#a63603"}
"""A scale that people with any colour vision tell apart, from pale blue to dark orange."""
INK: Final = {"low": "#111", "moderate": "#111", "high": "#111", "severe": "#fff"}
ARROWS: Final = {"up": "▲", "same": "", "down": "▼"}


def csv(found: Matrix, lang: str) -> bytes:
    """The cells as CSV, as ``scores.csv`` is written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.csv"
        tabular.write_csv(found.cells, path, lang)
        return path.read_bytes()


def json(found: Matrix, lang: str) -> bytes:
    """The cells as JSON with the two dates."""
    del lang
    said = {
        "on": found.on.isoformat(),
        "before": found.before.isoformat(),
        "years": found.years,
        "cells": found.cells.to_dicts(),
    }
    return (json_.dumps(said, ensure_ascii=False) + "\n").encode()


def xlsx(found: Matrix, lang: str) -> bytes:
    """A workbook: one sheet per hazard with coloured bands, one with every cell."""
    import xlsxwriter  # noqa: PLC0415 - only where a workbook is asked for

    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(target, options)
    book.set_properties(
        {"created": datetime(found.on.year, found.on.month, found.on.day, tzinfo=UTC).replace(tzinfo=None)}
    )
    formats = {
        band: book.add_format({"bg_color": colour, "font_color": INK[band], "num_format": "0.0%"})
        for band, colour in COLOURS.items()
    }
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    with use(lang):
        for hazard in map(str, HAZARDS):
            _sheet(book.add_worksheet(_titles()[hazard][:31]), found.cells, hazard, formats, bold)
        _all(book.add_worksheet(_("All cells")), found.cells, bold)
    book.close()
    return target.getvalue()


def _titles() -> dict[str, str]:
    return {"forced_labour": _("Forced labour"), "child_labour": _("Child labour")}


def _sheet(sheet: Any, cells: pl.DataFrame, hazard: str, formats: dict[str, Any], bold: Any) -> None:
    divisions = cells.select("division", "activity").unique().sort("division").rows()
    columns = {code: place + 1 for place, (code, _name) in enumerate(divisions)}
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 28)
    sheet.write_string(0, 0, _("P80; the arrow is the direction"), bold)
    for code, name in divisions:
        sheet.write_string(0, columns[code], f"{code} {name or ''}", bold)
    for line, (_key, rows) in enumerate(cells.group_by("iso3", "country", maintain_order=True), start=1):
        sheet.write_string(line, 0, f"{rows['iso3'][0]} {rows['country'][0] or ''}")
        for row in rows.iter_rows(named=True):
            sheet.write_number(line, columns[row["division"]], row[f"{hazard}_p80"], formats[row[f"{hazard}_band"]])


def _all(sheet: Any, cells: pl.DataFrame, bold: Any) -> None:
    sheet.freeze_panes(1, 2)
    for column, name in enumerate(cells.columns):
        sheet.write_string(0, column, name, bold)
    for line, row in enumerate(cells.iter_rows(), start=1):
        for column, value in enumerate(row):
            if isinstance(value, (int, float)):
                sheet.write_number(line, column, value)
            elif value is not None:
                sheet.write_string(line, column, str(value))
    sheet.autofilter(0, 0, cells.height, len(cells.columns) - 1)


PAGE: Final = """<!doctype html>
<html lang="{{ lang }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title><style>
:root{color-scheme:light dark;--ink:#111;--paper:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#eee;--paper:#15181c}}
body{font:15px/1.4 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:1rem}
.wrap{overflow:auto;max-height:80vh;border:1px solid #8888}
table{border-collapse:collapse;font-size:13px}
th,td{padding:3px 6px;border:1px solid #8884;white-space:nowrap}
thead th{position:sticky;top:0;background:var(--paper);vertical-align:bottom}
thead th span{writing-mode:vertical-rl;max-height:13rem;overflow:hidden;text-overflow:ellipsis;text-align:left}
thead th:first-child{left:0;z-index:2}
tbody th{position:sticky;left:0;background:var(--paper);text-align:left}
td{text-align:right;font-variant-numeric:tabular-nums}
{% for band, colour in colours.items() %}.{{ band }}{background:{{ colour }};color:{{ ink[band] }}}
{% endfor %}.key span{padding:2px 8px;margin-right:6px}
@media print{.wrap{max-height:none;overflow:visible}}
</style></head><body><h1>{{ title }}</h1><p>{{ lead }}</p>
<p class="key">{% for band, word in bands.items() %}<span class="{{ band }}">{{ word }}</span>{% endfor %}</p>
{% for hazard in hazards %}<h2 id="{{ hazard.id }}">{{ hazard.title }}</h2>
<div class="wrap" tabindex="0" role="region" aria-labelledby="{{ hazard.id }}"><table>
<thead><tr><th scope="col">{{ country }}</th>
{%- for name in activities %}<th scope="col" title="{{ name }}"><span>{{ name }}</span></th>{% endfor %}
<th scope="col">C029</th><th scope="col">C105</th><th scope="col">C138</th><th scope="col">C182</th></tr></thead>
<tbody>{% for row in hazard.rows %}<tr><th scope="row">{{ row.name }}</th>
{%- for cell in row.cells %}<td class="{{ cell.band }}" title="{{ cell.title }}">{{ cell.text }}</td>{% endfor %}
{%- for held in row.conventions %}<td>{{ held }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>{% endfor %}<p>{{ limits }}</p></body></html>
"""


def html(found: Matrix, lang: str) -> bytes:
    """One page with a heat map per hazard: no script, no network, readable by a screen reader as a table."""
    with use(lang):
        divisions = found.cells.select("division", "activity").unique().sort("division").rows()
        page = (
            Environment(autoescape=True)
            .from_string(PAGE)
            .render(
                lang=lang,
                title=_("Risk matrix on {date}").format(date=found.on.isoformat()),
                lead=_(
                    "P80 at a site of which only country and activity are known; arrows compare with {date}."
                ).format(date=found.before.isoformat()),
                country=_("Country"),
                activities=[f"{code} {name or ''}" for code, name in divisions],
                bands=_band_words(),
                colours=COLOURS,
                ink=INK,
                hazards=[
                    {"id": hazard, "title": title, "rows": _rows(found.cells, hazard)}
                    for hazard, title in _titles().items()
                ],
                limits=_("Levels are prior-driven, rankings less so; absence from a list is not absence of risk."),
            )
        )
    return page.encode()


def _band_words() -> dict[str, str]:
    return {"low": _("low"), "moderate": _("moderate"), "high": _("high"), "severe": _("severe")}


def _statuses() -> dict[str | None, str]:
    return {
        "in_force": _("in force"),
        "ratified": _("ratified, not yet in force"),
        "denounced": _("denounced"),
        "not_ratified": _("not ratified"),
        None: "",
    }


def _rows(cells: pl.DataFrame, hazard: str) -> list[dict[str, Any]]:
    said, words = _statuses(), _band_words()
    rows = []
    for _key, mine in cells.group_by("iso3", "country", maintain_order=True):
        first = mine.row(0, named=True)
        held = []
        for name in ("c029", "c105", "c138", "c182"):
            now, before = said[first[name]], said[first[f"{name}_before"]]
            held.append(now if now == before else f"{before} → {now}")
        rows.append(
            {
                "name": f"{first['iso3']} {first['country'] or ''}",
                "conventions": held,
                "cells": [
                    {
                        "band": row[f"{hazard}_band"],
                        "text": f"{_percent(row[f'{hazard}_p80'])} {ARROWS[row[f'{hazard}_direction']]}".strip(),
                        "title": f"{words[row[f'{hazard}_band']]}, {row['activity'] or row['division']}",
                    }
                    for row in mine.iter_rows(named=True)
                ],
            }
        )
    return rows


def _percent(share: float) -> str:
    text = ">99" if share > 0.99 else f"{share * 100:.1f}" if share < 0.1 else f"{share * 100:.0f}"
    return (text.replace(".", ",") + " %") if language() == "fr" else text + "%"


def written(found: Matrix, form: str, lang: str) -> bytes:
    """The matrix in one of the forms ``csv``, ``json``, ``xlsx``, ``html``."""
    writers: dict[str, Callable[[Matrix, str], bytes]] = {"csv": csv, "json": json, "xlsx": xlsx, "html": html}
    return writers[form](found, lang)
