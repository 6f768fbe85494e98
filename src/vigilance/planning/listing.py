"""The plan as tables for people: what is planned and why, what is left out and at what risk."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from vigilance.i18n import language, messages
from vigilance.planning import eligibility
from vigilance.planning.assemble import CHOSEN_BY, RANDOM
from vigilance.planning.make import Plan
from vigilance.planning.problem import NONE, UNITS_PER_DAY, Floats, Ints
from vigilance.planning.protocol import ACTIONS
from vigilance.planning.value import severity
from vigilance.terms import HAZARDS, Hazard

_ = messages("planning")


def sentence(template: str, **parts: pl.Expr) -> pl.Expr:
    """A translated text with ``{names}`` as a column of texts, one per row."""
    pieces: list[pl.Expr] = []
    for literal, name, _spec, _conversion in string.Formatter().parse(template):
        if literal:
            pieces.append(pl.lit(literal))
        if name:
            pieces.append(parts[name].cast(pl.String).fill_null("?"))
    return pl.concat_str(pieces)


def rounded(frame: pl.DataFrame, decimals: Mapping[str, int]) -> pl.DataFrame:
    """Columns half up at so many decimals, by a true division so that 60.4 is written 60.4."""

    def one(name: str, digits: int) -> pl.Series:
        values = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return pl.Series(name, np.floor(values * 10.0**digits + 0.5) / 10.0**digits).fill_nan(None)

    return frame.with_columns(one(name, digits) for name, digits in decimals.items())


def figure(column: pl.Expr, decimals: int) -> pl.Expr:
    """A number that is not negative as text with so many decimals, half up."""
    scale = 10**decimals
    whole = (column * scale + 0.5).floor().cast(pl.Int64)
    text: pl.Expr = whole.cast(pl.String)
    if not decimals:
        return text
    fraction = (whole % scale).cast(pl.String).str.zfill(decimals)
    return pl.concat_str((whole // scale).cast(pl.String), pl.lit("." if language() == "en" else ","), fraction)


def action_words() -> dict[str, str]:
    """What people call each action, in the language in use."""
    return {
        "semi_announced": _("semi-announced audit"),
        "unannounced": _("unannounced audit"),
        "follow_up": _("follow-up"),
        "field_audit": _("field audit"),
        "worker_survey": _("off-site worker survey"),
        "desk_review": _("desk review"),
    }


def _hazard_words() -> dict[str, str]:
    return {Hazard.FORCED_LABOUR: _("forced labour"), Hazard.CHILD_LABOUR: _("child labour")}


def _at(array: Floats, choice: Ints) -> Floats:
    """The rows of an (A, N) array at a choice (N,)."""
    return array[np.maximum(choice, 0), np.arange(choice.size)]


def _sites(plan: Plan, choice: Ints) -> pl.DataFrame:
    """What both tables say of every site, for the action in ``choice``."""
    base = plan.ground
    frame = base.table.frame
    affected = {h: base.table.numbers(f"{h}_expected_affected") for h in HAZARDS}
    found = {h: affected[h] * _at(base.worth.detection[h], choice) for h in HAZARDS}
    harm_left = sum(severity(plan.protocol, h, base.table.risk(h)) * affected[h] for h in HAZARDS)
    main = np.where(affected[Hazard.FORCED_LABOUR] >= affected[Hazard.CHILD_LABOUR], 0, 1)
    detection = np.where(main == 0, *(_at(base.worth.detection[h], choice) for h in HAZARDS))
    return pl.DataFrame(
        {
            "supplier_id": frame["_supplier_id"],
            "name": frame["_name"],
            "country": frame["_iso3"],
            "activity": frame["_division"],
            "tier": frame["_tier"],
            "spend_eur": frame["_spend_eur"],
            "forced_labour_p50": frame["forced_labour_p50"],
            "child_labour_p50": frame["child_labour_p50"],
            "grade": np.where(main == 0, *(frame[f"{h}_grade"].to_numpy() for h in HAZARDS)).tolist(),
            "hazard": np.array([str(h) for h in HAZARDS])[main],
            "presence": np.where(main == 0, *(base.table.numbers(f"{h}_p50") for h in HAZARDS)),
            "people_affected": sum(affected.values()),
            "people_found": sum(found.values()),
            "harm": harm_left,
            "detection": detection,
            "harm_value": _at(base.worth.harm, choice),
            "learning_value": _at(base.worth.learning, choice),
            "value": _at(base.worth.total, choice),
            "person_days": _at(base.problem.days, choice) / UNITS_PER_DAY,
            "action": np.array([*map(str, ACTIONS), ""])[choice],
        },
        schema_overrides={"grade": pl.String, "spend_eur": pl.Float64},
        strict=False,
    )


PLAN_COLUMNS: Final = (
    "supplier_id",
    "action",
    "person_days",
    "start_on",
    "team",
    "chosen_by",
    "probability",
    "value",
    "reason",
    "name",
    "country",
    "activity",
    "tier",
    "travel_days",
    "trip",
    "people_found",
    "harm_value",
    "learning_value",
    "forced_labour_p50",
    "child_labour_p50",
    "spend_eur",
    "also_by_value",
    "kept",
)
LEFT_OUT_COLUMNS: Final = (
    "supplier_id",
    "best_action",
    "person_days",
    "value",
    "harm_at_risk",
    "people_affected",
    "why",
    "probability",
    "name",
    "country",
    "activity",
    "tier",
    "forced_labour_p50",
    "child_labour_p50",
    "spend_eur",
)

_ROUNDED: Final = {
    "forced_labour_p50": 6,
    "child_labour_p50": 6,
    "people_affected": 3,
    "people_found": 3,
    "harm_value": 6,
    "learning_value": 6,
    "value": 6,
}


def planned(plan: Plan) -> pl.DataFrame:
    """``plan.csv``: one row per action, by first day, then id."""
    slots = plan.ground.calendar.slots
    teams = np.array([*(slot.team for slot in slots), ""], dtype=object)
    rows = (
        _sites(plan, plan.choice)
        .with_columns(
            pl.Series("start_on", plan.start.astype("datetime64[D]")).cast(pl.Date),
            pl.Series("team", teams[plan.slot].tolist(), dtype=pl.String),
            pl.Series("chosen_by", np.array(CHOSEN_BY)[plan.fixed.chosen_by]),
            pl.Series("probability", plan.fixed.probability),
            pl.Series("travel_days", plan.travel_days),
            pl.Series("trip", _trip_names(plan), dtype=pl.String),
            pl.Series("also_by_value", plan.also_by_value),
            pl.Series("duty", plan.fixed.why),
            pl.Series("kept", plan.fixed.kept),
        )
        .filter(pl.Series(plan.planned))
    )
    said = rounded(rows.with_columns(_reason(plan).alias("reason")), {**_ROUNDED, "travel_days": 4, "probability": 9})
    return said.sort("start_on", "supplier_id").select(PLAN_COLUMNS)


def _trip_names(plan: Plan) -> list[str | None]:
    """The area and number of each site's trip; null for actions without travel and sites left out."""
    problem = plan.ground.problem
    going = plan.planned & problem.on_trip[np.maximum(plan.choice, 0)]
    numbers = pl.DataFrame({"trip": problem.trip, "going": going}).with_columns(
        pl.Series("area", plan.ground.trips.area.gather(problem.trip))
    )
    named = numbers.select(pl.when("going").then(pl.format("{} #{}", "area", pl.col("trip") + 1)).alias("name"))
    return named["name"].to_list()


def _reason(plan: Plan) -> pl.Expr:
    hazards, actions = _hazard_words(), action_words()
    price = plan.solution.price * UNITS_PER_DAY / 1_000_000
    by_value = sentence(
        _(
            "{hazard} at {presence} % (grade {grade}); {action} finds it {found} times in 100 where it is; "
            "{worth} per day with travel, against {price} for the last day of the plan"
        ),
        hazard=pl.col("hazard").replace_strict(list(hazards), list(hazards.values()), return_dtype=pl.String),
        presence=figure(pl.col("presence") * 100, 1),
        grade=pl.col("grade"),
        action=pl.col("action").replace_strict(list(actions), list(actions.values()), return_dtype=pl.String),
        found=figure(pl.col("detection") * 100, 0),
        worth=figure(pl.col("value") / (pl.col("person_days") + pl.col("travel_days")), 3),
        price=figure(pl.lit(price), 3),
    )
    at_random = sentence(
        _("drawn at random, 1 in {n}, to learn about the sites that nobody targets"),
        n=figure(1.0 / pl.col("probability"), 1),
    )
    duty = (
        pl.when(pl.col("duty") == "confirmed_case")
        .then(pl.lit(_("a confirmed case without verified remediation")))
        .when(pl.col("duty") == "overdue_action")
        .then(pl.lit(_("a critical corrective action is overdue")))
        .when(pl.col("duty") == "asked")
        .then(pl.lit(_("mandatory in the constraints")))
        .otherwise(pl.lit(_("mandatory in the earlier plan")))
    )
    words = (
        pl.when(pl.col("chosen_by") == "mandatory")
        .then(duty)
        .when(pl.col("chosen_by") == CHOSEN_BY[RANDOM])
        .then(at_random)
        .otherwise(by_value)
    )
    kept = sentence(_("kept from the earlier plan: {reason}"), reason=words)
    return pl.when(pl.col("kept")).then(kept).otherwise(words)


def left_out(plan: Plan) -> pl.DataFrame:
    """``left_out.csv``: every other site, its best action, what that is worth and why it is not planned."""
    base = plan.ground
    units = base.problem.value
    best = np.where(np.isfinite(units).any(axis=0), units.argmax(axis=0), NONE)
    unreachable = ~np.asarray(base.calendar.allowed.any(axis=1))[base.calendar.site_class]
    barred = eligibility.excluded(base.table, plan.request.constraints)
    why = np.where(
        barred,
        "excluded",
        np.where(unreachable, "no_team_or_season", np.where(plan.no_room, "no_room", "worth_less")),
    )
    probability = 0.0 if plan.fixed.drawn is None else plan.fixed.drawn.probability
    frame = plan.fixed.drawn.frame if plan.fixed.drawn is not None else np.zeros(best.size, dtype=np.bool_)
    words = {
        "excluded": _("excluded in the constraints"),
        "no_team_or_season": _("no team or season in the window"),
        "no_room": _("the teams have no days left"),
        "worth_less": _("worth less per day than what is planned"),
    }
    table = rounded(
        _sites(plan, best).with_columns(
            pl.Series("why", why).replace_strict(list(words), list(words.values()), return_dtype=pl.String),
            pl.Series("probability", np.where(frame, probability, 0.0)),
            pl.col("harm").alias("harm_at_risk"),
        ),
        {**_ROUNDED, "probability": 9, "harm_at_risk": 6},
    )
    possible = pl.col("action") != ""
    return (
        table.filter(pl.Series(~plan.planned))
        .with_columns(
            pl.when(possible).then(pl.col("action")).alias("best_action"),
            *(pl.when(possible).then(pl.col(name)).alias(name) for name in ("person_days", "value")),
        )
        .sort("harm_at_risk", "supplier_id", descending=[True, False])
        .select(LEFT_OUT_COLUMNS)
    )
