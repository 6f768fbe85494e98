"""Small frames of sites and conditions for the tests of the alerts."""

from datetime import date

import polars as pl

from vigilance.alerts.conditions import CONDITIONS
from vigilance.alerts.sites import SITES
from vigilance.alerts.thresholds import RULES, Thresholds
from vigilance.terms import HAZARDS

POINT = 10**8


def limits(**given: object) -> Thresholds:
    """Thresholds with round numbers."""
    values = {
        "bands": (2 * 10**8, 5 * 10**8, 15 * 10**8),
        "band_margin": 0.1,
        "band_from": 2,
        "change": 8 * POINT,
        "grade_steps": 1,
        "overdue_days": 7,
        "stale_days": 730,
        "roll_up_sites": 3,
        "roll_up_share": 0.5,
        "budget": 20,
        "carry_weeks": 4,
        "proven": 2000,
        "urgency": {rule: 1000 * (len(RULES) - place) for place, rule in enumerate(RULES)},
    }
    return Thresholds(**{**values, **given})  # type: ignore[arg-type]


def sites(*rows: dict[str, object]) -> pl.DataFrame:
    """Sites as they are kept; what a row does not say is the same for all."""
    neutral: dict[str, object] = {
        "predecessor_id": None,
        "parent": None,
        "lei": None,
        "country": "FRA",
        "division": "14",
        "zone": None,
        "tier": 1,
        "workers": 100.0,
        "migrant_share": None,
        "factors": 0,
        "since": date(2026, 1, 5),
    }
    for hazard in HAZARDS:
        neutral |= {f"{hazard}_{name}": 0 for name in ("score", "p80", "band", "grade", "held", "told")}
        neutral[f"{hazard}_override"] = None
    made = [{"row": place, **neutral, **row} for place, row in enumerate(rows)]
    return pl.DataFrame(made, schema=SITES)


def conditions(*rows: dict[str, object]) -> pl.DataFrame:
    """Conditions; what a row does not say is neutral."""
    neutral: dict[str, object] = {
        "rule": "significant_change",
        "hazard": "forced_labour",
        "level": "site",
        "object": "",
        "proven": False,
        "measure": 1,
        "priority": 0,
        "sites": 1,
        "held": "",
        "standing": False,
        "detail": "{}",
    }
    return pl.DataFrame([{**neutral, **row} for row in rows], schema=CONDITIONS)


def places(*ids: str, **columns: str) -> pl.DataFrame:
    """Sites with their places, all in one country."""
    rows = [{"supplier_id": i, "parent": None, "zone": None, "region": None, "country": "FRA", **columns} for i in ids]
    kinds = dict.fromkeys(("supplier_id", "parent", "zone", "region", "country"), pl.String)
    return pl.DataFrame(rows, schema=kinds)
