"""What the page multiplies is what the run wrote."""

import math
import re
from pathlib import Path

import polars as pl
import pytest

from vigilance.report import page, waterfall
from vigilance.report.material import Material, gather
from vigilance.report.supplier import waterfall_rows
from vigilance.run import Run
from vigilance.scoring import lines
from vigilance.terms import FACTORS, HAZARDS, UNKNOWN

SCRIPT = (Path(page.__file__).parent / "assets" / "page.js").read_text(encoding="utf-8")
OUTSIDE = tuple(re.findall(r"[a-z_]+", SCRIPT.split("const OUTSIDE = [")[1].split("]")[0]))


def product(data: dict, hazard: str, site: int) -> float:
    """P50 of a site from the page's own data, by the formulas that its script uses."""
    sites, told_lines = data["sites"], data["lines"]
    cell, own, division = sites["cell"][site], sites["own"][site], sites["division"][site]
    found = {name: line["ln"][cell] for name, line in told_lines["cells"][hazard].items()}
    found |= {name: line["ln"][own] for name, line in told_lines["own"][hazard].items()}
    for place, name in enumerate(told_lines["factors"]):
        if name in told_lines["patterns"][hazard]:
            state = sites["factors"][site] // 3**place % 3
            found[name] = told_lines["patterns"][hazard][name]["ln"][state][division]
    outside = sum(ln for name, ln in found.items() if name in OUTSIDE)
    factors = sum(ln for name, ln in found.items() if name not in OUTSIDE)
    limit, top = told_lines["limits"]["together"], told_lines["limits"]["ceiling"]
    raw = outside + limit * math.tanh(factors / limit)
    rate = top * -math.expm1(-math.exp(raw) / top)
    workers = sites["workers"][site]
    size = math.log(workers) if workers is not None else told_lines["size"]["ln_usual"][division]
    told = data["evidence"]
    mine = [
        k for k, of in enumerate(told["site"]) if of == site and told["words"]["hazard"][told["hazard"][k]] == hazard
    ]
    step = {k: told["words"]["step"][told["step"][k]] for k in mine}
    measures = sum(told["ln"][k] for k in mine if step[k] == "rate")
    shift = sum(told["ln"][k] for k in mine if step[k] == "evidence")
    m = rate * math.exp(told_lines["size"]["exponent"] * size + measures)
    odds = math.expm1(m) * math.exp(shift)
    return odds / (1 + odds)


def test_the_script_knows_what_multiplies_outside_the_bound() -> None:
    assert OUTSIDE == lines.OUTSIDE


@pytest.mark.parametrize("which", ["run", "audited"])
def test_the_lines_of_the_page_multiply_to_the_score(which: str, request: pytest.FixtureRequest) -> None:
    material = gather(request.getfixturevalue(which))
    data = page._data(material)
    for hazard in HAZARDS:
        written = material.sites[f"{hazard}_p50"].to_list()
        for site, p50 in enumerate(written):
            assert product(data, str(hazard), site) == pytest.approx(p50, rel=2e-3)


def test_evidence_moves_the_sites_that_it_speaks_of(audited: Run) -> None:
    told = waterfall.evidence_lines(gather(audited))
    ids = gather(audited).sites["_supplier_id"].to_list()
    assert {ids[site] for site in told["site"]} == {"BD-1", "MY-1"}


def test_the_ratios_of_a_site_are_all_sourced_and_dated(material: Material) -> None:
    long = waterfall.ratios(material, ["BD-1", "TM-1"])
    assert long["supplier_id"].unique(maintain_order=True).to_list() == ["BD-1", "TM-1"]
    assert long["source_text"].str.len_chars().min() > 3
    assert long["since"].is_not_null().all()
    assert not long["title"].str.contains("_").any()


def test_a_waterfall_ends_at_the_probability(material: Material) -> None:
    row = material.sites.filter(pl.col("_supplier_id") == "MY-1").row(0, named=True)
    for hazard in HAZARDS:
        mine = waterfall.ratios(material, ["MY-1"]).filter(pl.col("hazard") == str(hazard))
        steps = waterfall_rows(mine, row, hazard)
        assert steps[0]["kind"] == "start"
        assert steps[-1]["to"] == row[f"{hazard}_p50"]
        assert all((step["to"] > step["from"]) == (step["kind"] == "raises") for step in steps[1:-1])


def test_what_is_unknown_is_asked_for_the_most_telling_first(material: Material) -> None:
    row = material.sites.filter(pl.col("_supplier_id") == "IN-1").row(0, named=True)
    mine = waterfall.ratios(material, ["IN-1"]).filter(pl.col("hazard") == "forced_labour")
    known = {step["factor"]: step["known"] for step in mine.iter_rows(named=True)}
    asked = waterfall.unknowns(material, HAZARDS[0], row["_division"], row["_factors"], known)
    assert {"size", "migrant_share", "recruitment_fees"} <= set(asked)
    assert "seasonal" not in asked
    digits = [row["_factors"] // 3**k % 3 for k in range(len(FACTORS))]
    assert all(digits[FACTORS.index(name)] == UNKNOWN for name in asked if name in FACTORS)
