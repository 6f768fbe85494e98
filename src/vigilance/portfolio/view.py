"""The portfolio view: coverage first, then distribution, contributions, concentration, and comparisons.

One number for both hazards does not exist here, by design.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from vigilance.portfolio.exposure import LEVELS, exact_sum
from vigilance.portfolio.holdings import Holdings
from vigilance.portfolio.issuers import Issuers
from vigilance.portfolio.screen import NOT_ASSESSED, SCOPES, Screening
from vigilance.terms import BANDS, HAZARDS

TOP: Final = 10
_DIGITS: Final = 10


def portfolio(holdings: Holdings, issuers: Issuers, found: Screening) -> dict[str, Any]:
    """The whole view as plain data; ``coverage`` is its first key."""
    return {
        "coverage": coverage(holdings, issuers, found),
        "reconciliation": reconciliation(holdings, found),
        "hazards": {str(h): _hazard(found, str(h)) for h in HAZARDS},
    }


def coverage(holdings: Holdings, issuers: Issuers, found: Screening) -> dict[str, Any]:
    """How much is known and how much assumed: shares of the value in scope, by the level of each issuer."""
    table = found.issuers
    whole = _total(table["weight"])
    by_level = {level: _share(table.filter(pl.col("exposure_source") == level)["weight"], whole) for level in LEVELS}
    resolved = table.filter(pl.col("iso3").is_not_null() & pl.col("exposure_source").is_in(list(LEVELS[:3])))
    worth = _total_value(table["value"]) if table["value"].null_count() == 0 else None
    apart = holdings.apart.group_by("reason").agg(lines=pl.len(), weight=exact_sum(pl.col("weight").fill_null(0.0)))
    return {
        "value_by_exposure_source": by_level,
        "country_and_activity_resolved": _share(resolved["weight"], whole),
        "country_and_activity_resolved_by_value": _number(_total_value(resolved["value"]) / worth) if worth else None,
        "known_of_the_issuers_themselves": _number(_total(table["weight"] * table["coverage"]) / whole)
        if whole
        else 0.0,
        "questionnaire_assessed": _share(table.filter(pl.col("residual_state") != NOT_ASSESSED)["weight"], whole),
        "issuers": table.height,
        "lines": holdings.lines.height,
        "set_apart": {
            reason: {"lines": lines, "weight": _number(weight)}
            for reason, lines, weight in apart.sort("reason").iter_rows()
        },
        "names_to_decide": issuers.undecided.height,
    }


def reconciliation(holdings: Holdings, found: Screening) -> dict[str, Any]:
    """What was read against what the files say: per fund, and the whole."""
    scope, apart = _total(found.issuers["weight"]), _total(holdings.apart["weight"].fill_null(0.0))
    funds = holdings.funds.select(
        "fund", pl.col("date").cast(pl.String), "file", "lines", "weights_from", "stated_sum", "weight_sum", "long_sum",
        "short_sum", "value_sum", "value_currency", "file_total_value", "fund_share",
    )  # fmt: skip
    rows = holdings.lines.height + holdings.apart.height
    return {
        "weight_in_scope": _number(scope),
        "weight_set_apart": _number(apart),
        "weight_read": _number(scope + apart),
        "rows_read": holdings.rows,
        "rows_accounted_for": rows,
        "funds": [{k: _number(v) if isinstance(v, float) else v for k, v in row.items()} for row in funds.to_dicts()],
    }


def _hazard(found: Screening, hazard: str) -> dict[str, Any]:
    table = found.issuers
    assessed = table.filter(pl.col(f"{hazard}_inherent_p50").is_not_null())
    whole = _total(assessed["weight"])
    return {
        "presence": {scope: _presence(assessed, hazard, scope, whole) for scope in SCOPES},
        "gap": _mean(assessed, f"{hazard}_gap", whole),
        "share_of_places_at_significant_risk": _mean(assessed, f"{hazard}_at_risk_share", whole),
        "bands": {scope: _bands(table, f"{hazard}_{scope}_band") for scope in SCOPES},
        "contributions": {d: _top(found.contributions, hazard, d) for d in ("issuer", "country", "activity", "tier")},
        "concentration": _concentration(found.contributions, hazard),
    }


def _presence(table: pl.DataFrame, hazard: str, scope: str, whole: float) -> dict[str, float | None]:
    """Weighted mean presence at the quantiles that the scope has."""
    names = [q for q in ("p05", "p50", "p80", "p95") if f"{hazard}_{scope}_{q}" in table.columns]
    return {q: _mean(table, f"{hazard}_{scope}_{q}", whole) for q in names}


def _bands(table: pl.DataFrame, column: str) -> dict[str, Any]:
    words = [*map(str, BANDS), NOT_ASSESSED]
    whole = _total(table["weight"])
    weighted = {w: _share(table.filter(pl.col(column) == w)["weight"], whole) for w in words}
    unweighted = {w: _number(table.filter(pl.col(column) == w).height / max(table.height, 1)) for w in words}
    return {"weighted": weighted, "unweighted": unweighted}


def _top(contributions: pl.DataFrame, hazard: str, dimension: str) -> list[dict[str, Any]]:
    mine = contributions.filter((pl.col("hazard") == hazard) & (pl.col("dimension") == dimension)).head(TOP)
    return [
        {"key": key, "label": label, "contribution": _number(value), "share": _number(share or 0.0)}
        for key, label, value, share in mine.select("key", "label", "contribution", "share").iter_rows()
    ]


def _concentration(contributions: pl.DataFrame, hazard: str) -> dict[str, Any]:
    """How few issuers, countries and activities make up the whole: share of the ten first, Herfindahl index."""
    said = {}
    for dimension in ("issuer", "country", "activity"):
        shares = contributions.filter((pl.col("hazard") == hazard) & (pl.col("dimension") == dimension))["share"]
        kept = shares.drop_nulls()
        said[dimension] = {
            "top_10_share": _number(float(kept.head(TOP).sum())),
            "herfindahl": _number(float((kept * kept).sum())),
            "needed_for_half": int((kept.cum_sum() < 0.5).sum() + 1) if kept.len() else 0,
        }
    return said


def against(mine: Screening, other: Screening) -> dict[str, Any]:
    """The portfolio beside a benchmark screened the same way: presence, bands and the countries that differ most."""
    return {str(h): _against(mine, other, str(h)) for h in HAZARDS}


def _against(mine: Screening, other: Screening, hazard: str) -> dict[str, Any]:
    one, two = _hazard(mine, hazard), _hazard(other, hazard)
    first, second = (
        s.contributions.filter((pl.col("hazard") == hazard) & (pl.col("dimension") == "country")).select("key", "share")
        for s in (mine, other)
    )
    both = first.join(second, on="key", how="full", coalesce=True, suffix="_benchmark").fill_null(0.0)
    both = both.with_columns(difference=pl.col("share") - pl.col("share_benchmark"))
    both = both.sort([pl.col("difference").abs(), "key"], descending=[True, False]).head(TOP)
    return {
        "presence": {
            scope: {
                "portfolio": one["presence"][scope]["p50"],
                "benchmark": two["presence"][scope]["p50"],
                "ratio": _ratio(one["presence"][scope]["p50"], two["presence"][scope]["p50"]),
            }
            for scope in SCOPES
        },
        "operations_bands": {"portfolio": one["bands"]["operations"], "benchmark": two["bands"]["operations"]},
        "countries": [{k: _number(v) if isinstance(v, float) else v for k, v in r.items()} for r in both.to_dicts()],
    }


def change(before: pl.DataFrame, now: pl.DataFrame) -> dict[str, Any]:
    """Since the last screening, per hazard: what the changed weights did and what the changed risk did.

    ``Δ Σ w·P = Σ Δw·(P+P')/2 + Σ ΔP·(w+w')/2`` over the issuers of either date: the two parts add up exactly.
    An issuer known on one date only brings its own P to both.
    """
    return {str(h): _change(before, now, f"{h}_inherent_p50") for h in HAZARDS} | {
        "entered": sorted(set(now["issuer"]) - set(before["issuer"])),
        "left": sorted(set(before["issuer"]) - set(now["issuer"])),
    }


def _change(before: pl.DataFrame, now: pl.DataFrame, p: str) -> dict[str, float]:
    both = before.select("issuer", w0="weight", p0=p).join(
        now.select("issuer", w1="weight", p1=p), on="issuer", how="full", coalesce=True
    )
    both = both.with_columns(pl.col("w0", "w1").fill_null(0.0), p0=pl.coalesce("p0", "p1"), p1=pl.coalesce("p1", "p0"))
    both = both.drop_nulls("p0")
    weights = exact_sum((pl.col("w1") - pl.col("w0")) * (pl.col("p0") + pl.col("p1")) / 2)
    risk = exact_sum((pl.col("p1") - pl.col("p0")) * (pl.col("w0") + pl.col("w1")) / 2)
    by_weights, by_risk = both.select(weights.alias("a"), risk.alias("b")).row(0)
    return {"total": _number(by_weights + by_risk), "holdings": _number(by_weights), "risk": _number(by_risk)}


def _total_value(values: pl.Series) -> float:
    """A sum of money, on cents, so that its order changes nothing."""
    cents = (pl.col("v") * 100.0 + 0.5).floor().cast(pl.Int128).sum()
    return float(values.to_frame("v").select(cents).item()) / 100.0


def _total(values: pl.Series) -> float:
    return float(values.to_frame("v").select(exact_sum(pl.col("v"))).item())


def _share(values: pl.Series, whole: float) -> float:
    return _number(_total(values) / whole) if whole else 0.0


def _mean(table: pl.DataFrame, column: str, whole: float) -> float | None:
    return _number(_total(table["weight"] * table[column]) / whole) if whole else None


def _ratio(one: float | None, two: float | None) -> float | None:
    return _number(one / two) if one is not None and two else None


def _number(value: float) -> float:
    """Ten digits after the point, so that the last bit of a sum reaches no file."""
    return round(float(value), _DIGITS)
