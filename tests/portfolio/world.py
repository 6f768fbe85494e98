"""A small world for the tests: facts and judgements of a few countries and activities, and a scorer of cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from vigilance import rules
from vigilance.portfolio import holdings, inputs, issuers, screen

ON = date(2026, 11, 1)

COUNTRIES = pl.DataFrame(
    {
        "iso3": ["FRA", "USA", "JPN", "CHN", "BGD", "IND", "KOR"],
        "iso2": ["FR", "US", "JP", "CN", "BD", "IN", "KR"],
        "name_en": ["France", "United States", "Japan", "China", "Bangladesh", "India", "South Korea"],
        "name_fr": ["France", "États-Unis", "Japon", "Chine", "Bangladesh", "Inde", "Corée du Sud"],
        "name_iso": [
            "France",
            "United States of America (the)",
            "Japan",
            "China",
            "Bangladesh",
            "India",
            "Korea (the Republic of)",
        ],
    }
)
ALIASES = pl.DataFrame(
    [
        ("gics", "45", "information technology", "en", "26", 0.6),
        ("gics", "45", "information technology", "en", "62", 0.4),
        ("gics", "25", "consumer discretionary", "en", "14", 1.0),
        ("gics", "40", "financials", "en", "64", 1.0),
        ("isic4", "14", "Manufacture of wearing apparel", "en", "14", 1.0),
        ("isic4", "13", "Manufacture of textiles", "en", "13", 1.0),
    ],
    schema=["scheme", "code", "label", "lang", "isic_division", "weight"],
    orient="row",
)
FOOTPRINT = pl.DataFrame(
    [
        ("26", "all", "CHN", 0.5, "export value"),
        ("26", "all", "KOR", 0.3, "export value"),
        ("14", "all", "BGD", 0.5, "export value"),
        ("14", "all", "CHN", 0.4, "export value"),
        ("13", "all", "CHN", 0.6, "export value"),
        ("13", "all", "IND", 0.3, "export value"),
        ("01", "all", "IND", 0.4, "export value"),
        ("01", "all", "USA", 0.4, "export value"),
        ("01", "cotton", "IND", 0.9, "production"),
        ("64", "all", "BGD", 1.0, "workers' origin (deployed migrants)"),
    ],
    schema=["isic_division", "commodity", "iso3", "share", "flow"],
    orient="row",
)
UPSTREAM = pl.DataFrame(
    [
        ("14", 2, "13", 0.6),
        ("14", 3, "13", 0.5),
        ("14", 4, "01", 0.8),
        ("26", 2, "26", 0.5),
        ("26", 3, "13", 0.4),
        ("26", 4, "01", 0.3),
        ("13", 2, "13", 0.4),
        ("13", 3, "01", 0.7),
        ("64", 2, "62", 0.3),
    ],
    schema={"division": pl.String, "upstream_tier": pl.Int64, "upstream_division": pl.String, "value": pl.Float64},
    orient="row",
)
RISK = {"FRA": 0.01, "USA": 0.02, "JPN": 0.02, "KOR": 0.03, "CHN": 0.15, "IND": 0.2, "BGD": 0.25}


@dataclass(frozen=True)
class Facts:
    """The tables that a screening asks for."""

    tables: dict[str, pl.DataFrame] = field(
        default_factory=lambda: {"countries": COUNTRIES, "activity_aliases": ALIASES, "footprint": FOOTPRINT}
    )

    def table(self, name: str) -> pl.DataFrame:
        return self.tables[name]


@cache
def judgements() -> rules.Judgements:
    """The shipped judgements: what is tested is how they are used, not their values."""
    return rules.load().in_force(ON)


@cache
def small_world() -> inputs.World:
    class Upstream:
        def value(self, path: str) -> float:
            raise KeyError(path)

        def table(self, name: str) -> pl.DataFrame:
            return UPSTREAM

    return inputs.world(Facts(), Upstream())


def score(cells: pl.DataFrame) -> pl.DataFrame:
    """Risk by country, rising with the tier; quantiles around it; child labour at a third of it."""
    base = pl.col("iso3").replace_strict(RISK, default=None, return_dtype=pl.Float64)
    risk = base * (1 + pl.col("tier").cast(pl.Float64) / 4)
    spread = {"p05": 0.3, "p50": 1.0, "p80": 1.6, "p95": 2.0}
    return cells.with_columns(
        (risk * factor * share).alias(f"{hazard}_{q}")
        for hazard, share in (("forced_labour", 1.0), ("child_labour", 1 / 3))
        for q, factor in spread.items()
    )


HEADER = "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Location,Exchange,Currency"
LINES = (
    '"AAPL","APPLE INC","Information Technology","Equity","1,000,000.00","50.00","United States","NASDAQ","USD"',
    '"MC","LVMH","Consumer Discretionary","Equity","600,000.00","30.00","France","Euronext","EUR"',
    '"9983","FAST RETAILING LTD","Consumer Discretionary","Equity","360,000.00","18.00","Japan","Tokyo","JPY"',
    '"USD","USD CASH","Cash and/or Derivatives","Cash","40,000.00","2.00","United States","-","USD"',
)


def write(path: Path, *lines: str, header: str = HEADER, above: str = "", below: str = "") -> Path:
    path.write_text(above + "\n".join((header, *lines)) + "\n" + below, encoding="utf-8")
    return path


def positions(rows: list[dict[str, object]]) -> holdings.Holdings:
    """Holdings from rows of text."""
    names = (
        "name",
        "isin",
        "lei",
        "ticker",
        "exchange",
        "country",
        "activity",
        "asset_class",
        "weight",
        "value",
        "currency",
    )
    frame = pl.DataFrame(
        {n: [None if r.get(n) is None else str(r[n]) for r in rows] for n in names},
        schema=dict.fromkeys(names, pl.String),
    )
    return holdings.from_frame(frame, ON)


def screened(rows: list[dict[str, object]], **more: object) -> screen.Screening:
    """Rows of text, screened in the small world."""
    held = positions(rows)
    known = issuers.build(held.lines, Facts())
    return screen.screen(known, small_world(), judgements(), score, **more)  # type: ignore[arg-type]
