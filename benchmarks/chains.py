"""Five million links over ten tiers: time and peak memory.

    taskset -c 0,1 python benchmarks/chains.py [LINKS]

The bar: under 60 s and 6 GiB on two cores.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import polars as pl

from vigilance.portfolio import chains

TIERS = 10
MEASURES = [f"{h}_{q}" for h in ("forced_labour", "child_labour") for q in ("p05", "p50", "p80", "p95")]


def network(n_links: int, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ten tiers of equal size, each buyer with some ten suppliers one tier up, and a few links that close cycles."""
    rng = np.random.default_rng(seed)
    per_tier = max(n_links // (10 * (TIERS - 1)), 10)
    tier = rng.integers(0, TIERS - 1, n_links)
    buyer = tier * per_tier + rng.integers(0, per_tier, n_links)
    supplier = (tier + 1) * per_tier + rng.integers(0, per_tier, n_links)
    back = rng.random(n_links) < 1e-7 * 10
    buyer, supplier = np.where(back, supplier, buyer), np.where(back, buyer, supplier)
    known = rng.random(n_links) < 0.5
    ids = pl.int_range(TIERS * per_tier, eager=True).cast(pl.String).str.zfill(8)
    names = "SITE-" + ids
    links = pl.DataFrame(
        {
            "buyer_id": names.gather(buyer),
            "supplier_id": names.gather(supplier),
            "share": pl.Series(rng.random(n_links) * 0.1).set(pl.Series(~known), None),
        }
    )
    sites = pl.DataFrame({"id": names}).with_columns(
        *(pl.Series(m, rng.beta(1, 20, names.len())) for m in MEASURES),
        *(pl.lit(0.05).alias(f"{m}_unknown") for m in MEASURES),
    )
    return links, sites


def main() -> None:
    n_links = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    links, sites = network(n_links)
    started = time.perf_counter()
    found = chains.solve(links, sites, MEASURES, listed_share=0.7)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{links.height:,} links, {sites.height:,} sites, {found.cycles.height} cycles: "
        f"{seconds:.1f} s, peak {peak:.2f} GiB"
    )


if __name__ == "__main__":
    main()
