"""A made-up world-index fund of 2,400 lines in the words of a real one: read without help, resolved, reconciled."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vigilance import reference, rules
from vigilance.portfolio import job

from .world import ON

SECTORS = [
    "Information Technology",
    "Financials",
    "Health Care",
    "Consumer Discretionary",
    "Industrials",
    "Communication",
    "Consumer Staples",
    "Energy",
    "Utilities",
    "Materials",
    "Real Estate",
]
PLACES = [
    "United States",
    "Japan",
    "United Kingdom",
    "China",
    "Korea (South)",
    "Taiwan",
    "Hong Kong",
    "Russian Federation",
    "Turkey",
    "Czech Republic",
    "United Arab Emirates",
    "Viet Nam",
    "Saudi Arabia",
    "South Africa",
    "Brazil",
    "Netherlands",
    "Türkiye",
    "Philippines",
    "Egypt",
    "Qatar",
    "Kuwait",
    "Israel",
    "New Zealand",
    "Macau",
    "Puerto Rico",
    "Bermuda",
    "Isle of Man",
]
HEADER = (
    "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Notional Value,Quantity,Price,Location,Exchange,Currency"
    ",FX Rate,Market Currency,Accrual Date"
)
CASH = '"USD","USD CASH","Cash and/or Derivatives","Cash","{:,.2f}","0.40","0","0","1","United States","-","USD"'
ABOVE = '\ufeffExample All World Fund\nFund Holdings as of,"Oct 30, 2026"\nShares Outstanding,"191,200,000.00"\n\xa0\n'
BELOW = '\n\xa0\n"The content of this file\nis owned by somebody."\n'


def fund(path: Path, n: int = 2400) -> tuple[Path, float]:
    """A fund whose values fall off as an index does; its printed weights are rounded to two decimals."""
    values = [1e9 / (i + 1) ** 0.9 for i in range(n)]
    cash = sum(values) * 0.004
    weights = [round(100 * v / (sum(values) + cash), 2) for v in values]
    lines = [
        f'"T{i}","COMPANY NUMBER {i} PLC","{SECTORS[i % 11]}","Equity","{v:,.2f}","{w:.2f}","{v:,.2f}","{i + 1:,}.00",'
        f'"10.00","{PLACES[i % len(PLACES)]}","Exchange {i % 7}","USD","1.00","USD","-"'
        for i, (v, w) in enumerate(zip(values, weights, strict=True))
    ]
    path.write_text(ABOVE + "\n".join((HEADER, *lines, CASH.format(cash))) + BELOW, encoding="utf-8")
    return path, sum(weights) / 100


def test_a_world_index_fund(tmp_path: Path) -> None:
    path, stated = fund(tmp_path / "world.csv")
    started = time.perf_counter()
    found = job.run(job.Job([path], ON, tmp_path / "out"), reference.load().in_force(ON), rules.load().in_force(ON))
    seconds = time.perf_counter() - started
    cover, sums = found.portfolio["coverage"], found.portfolio["reconciliation"]
    assert cover["country_and_activity_resolved"] >= 0.99
    assert cover["country_and_activity_resolved_by_value"] >= 0.99
    assert sums["weight_in_scope"] == pytest.approx(stated, rel=1e-9)
    assert sums["rows_read"] == sums["rows_accounted_for"] == 2401
    assert found.issuers.height == 2400
    assert seconds < 20, "the bar is 2 s on an idle machine; this only catches a loop"
