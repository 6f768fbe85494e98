"""The drawings of a validation report, as Vega-Lite objects (``report.charts.spec``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from vigilance.calibrate import backtest as back
from vigilance.calibrate import coverage as cover
from vigilance.calibrate import words
from vigilance.calibrate.fit import Scores
from vigilance.calibrate.windows import GOODS
from vigilance.i18n import messages
from vigilance.report.charts import spec

_ = messages("calibrate")

OURS: Final = "#08519c"
OTHERS: Final = "#8c96a3"
AHEAD: Final = "#fd8d3c"
BAND: Final = "#a50f15"
REGIONS: Final = ["#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#08519c", "#8c96a3"]
"""One colour a region, told apart by people who see fewer colours; the last for countries without one."""
WIDTH: Final = 460
STEP: Final = 22
PERCENT: Final = alt.Axis(format=".0%", tickCount=6)


def _data(frame: pl.DataFrame) -> alt.Data:
    return alt.Data(values=frame.to_dicts())


def discrimination(found: back.Backtest) -> dict[str, Any]:
    """AUC of every predictor with its interval, pooled over windows and hazards, against the bar."""
    rows = found.results.filter(
        pl.col("hazard") == back.BOTH, pl.col("window") == back.POOLED, pl.col("scope") == GOODS
    ).sort("auc", descending=True, nulls_last=True)
    named = rows.select(
        pl.Series("name", [words.predictors()[name] for name in rows["predictor"]]),
        pl.Series("kind", [words.kind(name) for name in rows["predictor"]]),
        "auc",
        low="auc_low",
        high="auc_high",
    )
    kinds = words.kinds()
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=list(kinds.values()), range=[OURS, OTHERS, AHEAD]),
        legend=alt.Legend(orient="bottom"),
    )
    base = alt.Chart(_data(named)).encode(
        y=alt.Y("name:N", sort=named["name"].to_list(), title=None, axis=alt.Axis(labelLimit=330))
    )
    x = alt.X("auc:Q", title=_("area under the curve"), scale=alt.Scale(domain=[0.3, 1.0], clamp=True))
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=_("area under the curve")), x2="high:Q", color=colour
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, color=colour)
    bar = alt.Chart(alt.Data(values=[{"bar": back.BAR}])).mark_rule(color=BAND, strokeDash=[4, 3]).encode(x="bar:Q")
    return spec(alt.layer(bars, points, bar).properties(width=WIDTH, height=alt.Step(STEP)))


def coverage(groups: pl.DataFrame) -> dict[str, Any]:
    """Coverage by group of sites against the bar, both hazards."""
    rows = groups.drop_nulls("coverage")
    named = rows.select(
        pl.Series("group", [words.groups()[name] for name in rows["group"]]),
        pl.Series("hazard", [words.hazards()[name] for name in rows["hazard"]]),
        "coverage",
    )
    order = list(dict.fromkeys(named["group"].to_list()))
    low, high = cover.BAR
    scale = alt.Scale(domain=[0.8, 1.0], clamp=True)
    x = alt.X("coverage:Q", title=_("share of draws inside the 90 % interval"), scale=scale, axis=PERCENT)
    area = alt.Chart(alt.Data(values=[{"low": low, "high": high}])).mark_rect(color=OURS, opacity=0.12)
    points = alt.Chart(_data(named)).mark_point(filled=True, size=80, opacity=1)
    shape = alt.Shape("hazard:N", title=None, legend=alt.Legend(orient="bottom"))
    y = alt.Y("group:N", sort=order, title=None, axis=alt.Axis(labelLimit=330))
    drawn = points.encode(x=x, y=y, shape=shape, color=alt.value(OURS))
    band = area.encode(x=alt.X("low:Q", scale=scale, title=_("share of draws inside the 90 % interval")), x2="high:Q")
    return spec(alt.layer(band, drawn).properties(width=WIDTH, height=alt.Step(STEP + 6)))


def robustness(effects: pl.DataFrame) -> dict[str, Any]:
    """The judgements that move ranks most."""
    rows = effects.select("path", "effect", high=pl.col("effect") + pl.col("spread"))
    y = alt.Y("path:N", sort=rows["path"].to_list(), title=None, axis=alt.Axis(labelLimit=330))
    x = alt.X("effect:Q", title=_("mean move of a rank, share of the list"), axis=alt.Axis(format=".1%"))
    bars = alt.Chart(_data(rows)).mark_bar(color=OURS, height={"band": 0.7}).encode(x=x, y=y)
    return spec(bars.properties(width=WIDTH, height=alt.Step(STEP)))


def attribution(indices: pl.DataFrame) -> dict[str, Any]:
    """The share of the variance of ranks that each judgement has, with its interval."""
    rows = indices.select("path", "total", low="total_low", high="total_high")
    y = alt.Y("path:N", sort=rows["path"].to_list(), title=None, axis=alt.Axis(labelLimit=330))
    title = _("share of the variance of ranks")
    x = alt.X("total:Q", title=title, axis=PERCENT, scale=alt.Scale(zero=True))
    base = alt.Chart(_data(rows)).encode(y=y)
    bars = base.mark_bar(color=OURS, height={"band": 0.7}, opacity=0.85).encode(x=x)
    rules = base.mark_rule(color=BAND, strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    return spec(alt.layer(bars, rules).properties(width=WIDTH, height=alt.Step(STEP)))


def reliability(scores: Scores) -> dict[str, Any]:
    """Predicted and observed share of sites with a finding, before and after; on the diagonal they agree."""
    said = {"before": _("before"), "after": _("after")}
    rows = scores.reliability.with_columns(predictions=pl.col("predictions").replace(said))
    top = max(float(rows[name].max() or 0.0) for name in ("predicted", "observed"))  # type: ignore[arg-type]
    axis = {"axis": PERCENT, "scale": alt.Scale(domain=[0, top * 1.05])}
    x = alt.X("predicted:Q", title=_("predicted share of sites with a finding"), **axis)
    y = alt.Y("observed:Q", title=_("observed"), **axis)
    colour = alt.Color(
        "predictions:N",
        title=None,
        scale=alt.Scale(domain=list(said.values()), range=[OTHERS, OURS]),
        legend=alt.Legend(orient="bottom"),
    )
    lines = alt.Chart(_data(rows)).mark_line(point=True).encode(x=x, y=y, color=colour)
    ends = alt.Data(values=[{"x": 0, "y": 0}, {"x": top, "y": top}])
    diagonal = alt.Chart(ends).mark_line(color=BAND, strokeDash=[4, 3]).encode(x="x:Q", y="y:Q")
    return spec(alt.layer(diagonal, lines).properties(width=WIDTH - 100, height=WIDTH - 160))


def places(compared: pl.DataFrame, named: Sequence[str]) -> dict[str, Any]:
    """Countries by their places, here and in a ranking of others, the worst at the top right; some are ``named``."""
    regions = words.regions()
    rows = compared.select(
        "iso3",
        "ours",
        "theirs",
        label=pl.when(pl.col("iso3").is_in(named)).then("iso3").otherwise(pl.lit("")),
        region=pl.col("region").replace_strict(regions, default=_("no region")),
    )
    last = max(2.0, float(rows.height))
    scale = alt.Scale(domain=[1, last], reverse=True, nice=False, zero=False)
    x = alt.X("theirs:Q", title=_("place there (1 is the worst)"), scale=scale)
    y = alt.Y("ours:Q", title=_("place here (1 is the worst)"), scale=scale)
    base = alt.Chart(_data(rows)).encode(x=x, y=y)
    shown = [name for name in (*regions.values(), _("no region")) if name in rows["region"].unique().to_list()]
    colour = alt.Color(
        "region:N",
        title=None,
        scale=alt.Scale(domain=shown, range=REGIONS[: len(shown)]),
        legend=alt.Legend(orient="bottom", columns=2),
    )
    points = base.mark_point(filled=True, size=45, opacity=0.85).encode(color=colour)
    labels = base.mark_text(align="left", dx=6, fontSize=9).encode(text="label:N")
    ends = alt.Data(values=[{"theirs": 1, "ours": 1}, {"theirs": last, "ours": last}])
    diagonal = alt.Chart(ends).mark_line(color=BAND, strokeDash=[4, 3]).encode(x=x, y=y)
    return spec(alt.layer(diagonal, points, labels).properties(width=WIDTH, height=WIDTH))
