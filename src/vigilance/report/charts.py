"""The charts, as Vega-Lite made with Altair: the page draws them live, documents get them as drawings (SVG).

Colours: blue, yellow, orange, dark red, in steps of lightness that stay apart for every kind of colour vision; bands
and directions are also written in words or signs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final, Literal

import altair as alt
import polars as pl

from vigilance.i18n import language, messages
from vigilance.report import wording
from vigilance.terms import BANDS, HAZARDS

_ = messages("report")

COLOURS: Final = {"low": "#6baed6", "moderate": "#fed976", "high": "#fd8d3c", "severe": "#a50f15"}
INDEX_STEPS: Final = ("#e6eaee", "#c9d1d8", "#a7b2bd", "#84919e", "#5d6b7a")
ARROWS: Final = {-1: "▼", 0: "•", 1: "▲"}
"""Better, no change, worse: a sign, so that colour is never alone."""
CONFIG: Final[Mapping[str, Any]] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "grid": True,
        "gridColor": "#8884",
        "domain": False,
        "labelLimit": 190,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12},
    "text": {"fontSize": 12},
}
POWERS: Final = (1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0)
ROW: Final = 20
"""Height of a row of a waterfall, in pixels; the page multiplies it by the number of lines."""
FIT: Final[Mapping[str, str]] = {"type": "fit-x", "contains": "padding"}
HAZARD_PARAM: Final = "hazard"
ROOM: Final[Mapping[str, int]] = {"left": 36, "top": 18, "right": 16, "bottom": 5}
"""Around a fixed drawing: its labels were measured in a font that the reader's machine may replace by a wider one."""


def spec(chart: alt.TopLevelMixin, **top: Any) -> dict[str, Any]:
    """A chart as a Vega-Lite object with our configuration; validated by Altair's schema."""
    made: dict[str, Any] = json.loads(chart.to_json(validate=True))
    made.pop("$schema", None)
    made["$schema"] = "https://vega.github.io/schema/vega-lite/v6.json"
    made["config"] = dict(CONFIG)
    return {**made, **top}


def fixed(chart: Mapping[str, Any], hazard: str, width: int | None = None) -> dict[str, Any]:
    """The same chart for one hazard and a fixed width, for a document that cannot be switched."""
    params = [{**p, "value": hazard} if p.get("name") == HAZARD_PARAM else p for p in chart.get("params", [])]
    made = {**chart, "params": params, "padding": ROOM}
    return made if width is None else {**made, "width": width}


def _band_scale() -> alt.Scale:
    return alt.Scale(domain=[wording.band_of(str(b)) for b in BANDS], range=[COLOURS[str(b)] for b in BANDS])


def _legend(orient: str) -> alt.Legend:
    return alt.Legend(title=None, orient=orient, symbolType="square", symbolStrokeWidth=0)


def _named(name: str) -> alt.NamedData:
    """Data that are put in after Altair has checked the chart: it would copy them many times over."""
    return alt.NamedData(name=name)


def _hazard() -> alt.Parameter:
    return alt.param(name=HAZARD_PARAM, value=str(HAZARDS[0]))


def distribution(counts: pl.DataFrame) -> dict[str, Any]:
    """Sites by tier and band. Columns ``hazard, tier, band, place, sites``; words in the language of the report."""
    order = [wording.band_of(str(b)) for b in BANDS]
    tiers = [wording.tier_of(t) for t in (1, 2, 3, 4, 0)]
    chart = (
        alt.Chart(_named("counts"))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("sites:Q", stack="zero", title=_("sites"), axis=alt.Axis(format="~s", tickMinStep=1)),
            y=alt.Y("tier:N", sort=tiers, title=None, axis=alt.Axis(grid=False, labelLimit=200)),
            color=alt.Color(
                "band:N",
                scale=_band_scale(),
                sort=order,
                legend=_legend("top"),
            ),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("tier:N", title=_("tier")),
                alt.Tooltip("band:N", title=_("band")),
                alt.Tooltip("sites:Q", title=_("sites"), format=","),
            ],
        )
        .transform_filter(f"datum.hazard == {HAZARD_PARAM}")
        .add_params(_hazard())
        .properties(width="container", height=ROW * 1.5 * counts["tier"].n_unique())
    )
    return spec(chart, autosize=FIT, datasets={"counts": counts.to_dicts()})


def heat_map(cells: pl.DataFrame, countries: list[str], activities: list[str]) -> dict[str, Any]:
    """Countries × activities.

    Columns ``country, activity, sites`` and per hazard ``<h>_band, _p50, _before, _arrow, _grade``: words and written
    percentages.
    """
    base = (
        alt.Chart(_named("cells"))
        .transform_calculate(
            band=f"datum[{HAZARD_PARAM} + '_band']",
            p50=f"datum[{HAZARD_PARAM} + '_p50']",
            before=f"datum[{HAZARD_PARAM} + '_before']",
            arrow=f"datum[{HAZARD_PARAM} + '_arrow']",
            grade=f"datum[{HAZARD_PARAM} + '_grade']",
            mark="datum.arrow + ' ' + datum.sites",
        )
        .encode(
            x=alt.X(
                "activity:N",
                sort=activities,
                title=None,
                axis=alt.Axis(orient="top", labelAngle=-40, labelLimit=150, grid=False, labelOverlap=False),
            ),
            y=alt.Y("country:N", sort=countries, title=None, axis=alt.Axis(grid=False, labelLimit=130)),
            tooltip=[
                alt.Tooltip("country:N", title=_("country")),
                alt.Tooltip("activity:N", title=_("activity")),
                alt.Tooltip("sites:Q", title=_("sites"), format=","),
                alt.Tooltip("p50:N", title=_("typical site, P50")),
                alt.Tooltip("before:N", title=_("five years before")),
                alt.Tooltip("band:N", title=_("band")),
                alt.Tooltip("grade:N", title=_("usual evidence grade")),
            ],
        )
    )
    squares = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color(
            "band:N",
            scale=_band_scale(),
            sort=[wording.band_of(str(b)) for b in BANDS],
            legend=alt.Legend(title=None, orient="bottom", symbolType="square", symbolStrokeWidth=0),
        )
    )
    severe = wording.band_of("severe")
    marks = base.mark_text(fontSize=11).encode(
        text="mark:N",
        color=alt.condition(f"datum.band == {json.dumps(severe)}", alt.value("#ffffff"), alt.value("#1b1b1b")),
    )
    chart = alt.layer(squares, marks).add_params(_hazard()).properties(width=alt.Step(44), height=alt.Step(22))
    return spec(chart, datasets={"cells": cells.to_dicts()})


def world(outlines: Mapping[str, Any], index: pl.DataFrame, points: pl.DataFrame) -> dict[str, Any]:
    """The map: countries by index, sites by place.

    ``index`` has ``iso3, country, <h>_index``; ``points`` has ``lng, lat, where, sites`` and per hazard ``<h>_band``.
    """
    known = alt.LookupData(data=_named("index"), key="iso3", fields=[c for c in index.columns if c != "iso3"])
    shapes = (
        alt.Chart(_named("land"))
        .mark_geoshape(stroke="#ffffff", strokeWidth=0.4)
        .transform_lookup(lookup="properties.iso3", from_=known)
        .transform_calculate(index=f"datum[{HAZARD_PARAM} + '_index']")
        .encode(
            color=alt.condition(
                "isValid(datum.index)",
                alt.Color(
                    "index:Q",
                    scale=alt.Scale(type="quantize", domain=[0, 1], range=list(INDEX_STEPS)),
                    legend=alt.Legend(title=_("country index, 0 to 1"), orient="bottom", format=".1f", columns=3),
                ),
                alt.value("#f7f7f7"),
            ),
            tooltip=[
                alt.Tooltip("country:N", title=_("country")),
                alt.Tooltip("index:Q", title=_("country index"), format=".2f"),
            ],
        )
    )
    dots = (
        alt.Chart(_named("points"))
        .transform_calculate(band=f"datum[{HAZARD_PARAM} + '_band']")
        .mark_circle(opacity=0.85, stroke="#1b1b1b", strokeWidth=0.6)
        .encode(
            longitude="lng:Q",
            latitude="lat:Q",
            size=alt.Size("sites:Q", scale=alt.Scale(type="sqrt", range=[30, 500]), legend=None),
            fill=alt.Fill(
                "band:N",
                scale=_band_scale(),
                sort=[wording.band_of(str(b)) for b in BANDS],
                legend=alt.Legend(title=_("worst band here"), orient="bottom", symbolType="circle"),
            ),
            tooltip=[
                alt.Tooltip("where:N", title=_("country")),
                alt.Tooltip("sites:Q", title=_("sites here"), format=","),
                alt.Tooltip("band:N", title=_("worst band here")),
            ],
        )
    )
    chart = (
        alt.layer(shapes, dots)
        .add_params(_hazard())
        .project(type="equalEarth")
        .properties(width="container", height=470)
        .resolve_scale(color="independent", fill="independent")
    )
    data = {"land": list(outlines["features"]), "index": index.to_dicts(), "points": points.to_dicts()}
    return spec(chart, datasets=data)


def waterfall(rows: pl.DataFrame | None = None) -> dict[str, Any]:
    """The running product of a site.

    Rows: ``line, order, from, to, kind`` (start, raises, lowers, total), ``label``, ``low``, ``high`` (null but for
    totals). Without rows, the page fills the data set ``steps``.
    """
    kinds = {"start": "#5d6b7a", "raises": "#d95f02", "lowers": "#2b7bba", "total": "#5d6b7a"}
    y = alt.Y("line:N", sort=alt.EncodingSortField("order"), title=None, axis=alt.Axis(grid=False))
    powers = list(POWERS)
    if rows is not None:
        ends = [v for name in ("from", "to", "low", "high") for v in rows[name].to_list() if v is not None]
        powers = [power for power in POWERS if min(ends) <= power <= max(ends)]
    scale = alt.Scale(type="log", nice=False, clamp=True)
    x = alt.X("from:Q", scale=scale, title=_("running product"), axis=alt.Axis(format=".2~%", values=powers))
    base = alt.Chart(_named("steps")).encode(y=y)
    bars = base.mark_bar(height={"band": 0.72}).encode(
        x=x,
        x2="to:Q",
        color=alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=list(kinds.values())), legend=None),
        tooltip=[alt.Tooltip("line:N", title=_("line")), alt.Tooltip("label:N", title=_("ratio"))],
    )
    whisker = base.mark_rule(strokeWidth=2, color="#1b1b1b").encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    labels = (
        base.mark_text(align="left", dx=5, fontSize=11)
        .transform_calculate(end="max(datum.from, datum.to, datum.high || 0)")
        .encode(x=alt.X("end:Q", scale=scale), text="label:N")
    )
    height = ROW * (1 if rows is None else rows.height)
    chart = alt.layer(bars, whisker, labels).properties(width="container", height=height)
    return spec(chart, autosize=FIT, datasets={} if rows is None else {"steps": rows.to_dicts()})


def drawn(chart: Mapping[str, Any]) -> str:
    """A chart as SVG, drawn without a browser; the same bytes each time."""
    return _drawn(json.dumps(chart), language())


@lru_cache(maxsize=16)
def _drawn(chart: str, lang: str) -> str:
    import vl_convert  # noqa: PLC0415 - starts an engine

    marks: Literal["fr-FR", "en-US"] = "fr-FR" if lang == "fr" else "en-US"
    return str(vl_convert.vegalite_to_svg(chart, vl_version="6.4", format_locale=marks))


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script; no network."""
    import vl_convert  # noqa: PLC0415 - starts an engine

    return str(vl_convert.javascript_bundle(None, vl_version="6.4"))  # type: ignore[arg-type]
