"""The list that the speed benchmark scores: any number of sites, all factors, made from a fixed seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

COUNTRIES = [
    "France",
    "Norway",
    "Bangladesh",
    "China",
    "India",
    "Viet Nam",
    "Qatar",
    "Malaysia",
    "Brazil",
    "Turkey",
    "Pakistan",
    "Ethiopia",
    "Germany",
    "Italy",
    "Spain",
    "Morocco",
    "Mexico",
    "Kenya",
    "Peru",
    "Japan",
]
ACTIVITIES = [
    "Wearing apparel",
    "Textiles",
    "Growing of cotton",
    "Construction of buildings",
    "Rubber products",
    "Retail trade",
    "Manufacture of food products",
]
FACTORS = [
    "recruitment_fees",
    "agency_labour",
    "employer_housing",
    "isolated",
    "subcontracting",
    "seasonal",
    "piece_rate",
    "family_labour",
]
CHUNK = 1_000_000


def sites(rows: int, path: Path) -> None:
    """Write ``rows`` sites as CSV, in chunks so that any number fits into memory."""
    rng = np.random.default_rng(1)
    with path.open("wb") as out:
        for start in range(0, rows, CHUNK):
            _chunk(rng, start, min(CHUNK, rows - start)).write_csv(out, include_header=start == 0)


def _chunk(rng: np.random.Generator, start: int, rows: int) -> pl.DataFrame:
    number = pl.Series(np.arange(start, start + rows)).cast(pl.String)
    states = np.array(["true", "false", ""])
    return pl.DataFrame(
        {
            "supplier_id": number.str.zfill(9),
            "name": "Site " + number,
            "country": np.array(COUNTRIES)[rng.integers(0, len(COUNTRIES), rows)],
            "activity": np.array(ACTIVITIES)[rng.integers(0, len(ACTIVITIES), rows)],
            "tier": rng.integers(1, 5, rows),
            "workers": rng.integers(5, 4000, rows),
            "migrant_share": np.round(rng.random(rows), 2),
            **{name: states[rng.integers(0, 3, rows)] for name in FACTORS},
        }
    )


def audits(rows: int, sites_: int, path: Path) -> None:
    """Write ``rows`` audits of those sites as CSV: of a site once a day, as no key may be there twice."""
    rng = np.random.default_rng(2)
    audit = np.arange(rows)
    number = pl.Series(audit * 7919 % sites_).cast(pl.String).str.zfill(9)
    since = pl.Series(19_000 + 30 * (audit // sites_) + rng.integers(0, 30, rows), dtype=pl.Int32).cast(pl.Date)
    pl.DataFrame(
        {
            "supplier_id": number,
            "audited_on": since.cast(pl.String),
            "scheme": np.array(["SMETA", "BSCI", "ICS"])[rng.integers(0, 3, rows)],
            "kind": np.array(["initial", "follow_up", "re_audit"])[rng.integers(0, 3, rows)],
            "notice": np.array(["announced", "semi_announced", "unannounced"])[rng.integers(0, 3, rows)],
            "person_days": rng.integers(1, 6, rows),
        }
    ).write_csv(path)
