"""``plan.json``: what the plan promises, how good it is proven to be, and what would change it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from vigilance.planning.assemble import CHOSEN_BY, RANDOM
from vigilance.planning.make import Plan
from vigilance.planning.problem import UNITS_PER_DAY, UNITS_PER_PERSON, use
from vigilance.planning.protocol import ACTIONS


def summary(plan: Plan, planned: pl.DataFrame, left_out: pl.DataFrame) -> dict[str, Any]:
    """The whole plan in figures; person-days, severity-weighted people per year, shares between 0 and 1."""
    problem = plan.ground.problem
    on_site, travel = float(plan.on_site_days.sum()), float(_travel(plan))
    value = _sum(planned["value"])
    learning = _sum(planned["learning_value"])
    random_days = _sum(planned.filter(pl.col("chosen_by") == CHOSEN_BY[RANDOM])["person_days"])
    drawn = plan.fixed.drawn
    return {
        "budget": plan.request.days,
        "used": on_site + travel,
        "on_site_days": on_site,
        "travel_days": travel,
        "gap": _rounded(plan.solution.gap, 9),
        "optimal": plan.solution.exact,
        "value": value,
        "people_found": _sum(planned["people_found"]),
        "value_of_next_day": _rounded(plan.solution.price * UNITS_PER_DAY / UNITS_PER_PERSON, 6),
        "seed": plan.request.seed,
        "from": plan.request.start.isoformat(),
        "to": plan.request.end.isoformat(),
        "actions": {str(a): int((plan.choice == i).sum()) for i, a in enumerate(ACTIONS)},
        "chosen_by": {by: int((planned["chosen_by"] == by).sum()) for by in CHOSEN_BY},
        "curve": [{"person_days": _rounded(d, 2), "value": _rounded(v, 6)} for d, v in plan.outlook.curve],
        "sensitivity": [
            {
                "sensitivity": case.sensitivity,
                "value_of_this_plan": _rounded(case.value, 6),
                "value_of_best_plan": _rounded(case.best_value, 6),
                "same_sites": _rounded(case.same_sites, 4),
                "actions": case.actions,
            }
            for case in plan.outlook.cases
        ],
        "learning": {
            "share_of_value": _rounded(learning / value if value else 0.0, 6),
            "random_share_of_days": _rounded(random_days / on_site if on_site else 0.0, 6),
            "drawn": 0 if drawn is None else int(drawn.sites.size),
            "drawn_from": 0 if drawn is None else int(drawn.frame.sum()),
            "probability": 0.0 if drawn is None else _rounded(drawn.probability, 9),
            "share_that_could_be_drawn": 0.0 if drawn is None else _rounded(drawn.frame_share, 6),
        },
        "limits": [
            {
                "limit": limit.name,
                "days": limit.bound / UNITS_PER_DAY,
                "used": use(problem, limit, plan.choice) / UNITS_PER_DAY,
            }
            for limit in problem.limits
        ],
        "left_out": {
            "sites": left_out.height,
            "harm_at_risk": _sum(left_out["harm_at_risk"]),
            "people_affected": _sum(left_out["people_affected"]),
            "why": {
                row["why"]: row["sites"]
                for row in left_out.group_by("why").agg(pl.len().alias("sites")).sort("why").iter_rows(named=True)
            },
        },
    }


def _travel(plan: Plan) -> float:
    problem = plan.ground.problem
    going = plan.planned & problem.on_trip[np.maximum(plan.choice, 0)]
    return float(problem.travel[np.unique(problem.trip[going])].sum() / UNITS_PER_DAY)


def _sum(column: pl.Series) -> float:
    """The sum of figures with six decimals, made on whole millionths so that order does not matter."""
    whole = np.floor(column.fill_null(0.0).to_numpy() * 1e6 + 0.5)
    return float(whole.sum() / 1e6)


def _rounded(value: float, digits: int) -> float:
    return float(np.floor(value * 10.0**digits + 0.5) / 10.0**digits)
