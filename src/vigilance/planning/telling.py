"""A plan and a review in words, at 80 columns."""

from __future__ import annotations

import textwrap
from typing import Any

from vigilance.i18n import language, messages
from vigilance.planning.listing import action_words

_ = messages("planning")

WIDTH = 80
BAR = 24
NARROW = "\u202f"
"""The narrow space that French puts between thousands and before a percent sign; no line breaks there."""


def number(value: float, digits: int = 0) -> str:
    """A number: ``1,234.5`` or, in French, ``1 234,5``; no line breaks inside it."""
    text = f"{value:,.{digits}f}"
    return text.replace(",", NARROW).replace(".", ",") if language() == "fr" else text


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage, a dash when unknown."""
    if share is None:
        return "-"
    return number(share * 100, digits) + (f"{NARROW}%" if language() == "fr" else "%")


def tell(figures: dict[str, Any], folder: str) -> str:
    """The summary of a plan."""
    lines = [
        *_wrapped(
            _("Audit plan, {start} to {end}: {used} of {budget} person-days ({travel} on the road)").format(
                start=figures["from"],
                end=figures["to"],
                used=number(figures["used"], 1),
                budget=number(figures["budget"], 1),
                travel=number(figures["travel_days"], 1),
            )
        ),
        "",
    ]
    words = action_words()
    most = max([1, *figures["actions"].values()])
    for action, count in figures["actions"].items():
        if count:
            lines.append(f"  {words[action]:<24} {number(count):>9}  {'#' * max(1, count * BAR // most)}")
    chosen = figures["chosen_by"]
    learning = figures["learning"]
    lines += [
        "",
        _("Chosen: {mandatory} mandatory, {value} by value, {random} drawn at random").format(
            **{key: number(count) for key, count in chosen.items()}
        ),
    ]
    if learning["drawn"]:
        lines.append(
            _("  from {n} sites, each with probability {p}; {share} of the days on site").format(
                n=number(learning["drawn_from"]),
                p=percent(learning["probability"], 3),
                share=percent(learning["random_share_of_days"]),
            )
        )
    else:
        lines.append(_("  nothing could be drawn: the budget is too small for a random visit"))
    gap = (
        _("the best possible")
        if figures["optimal"]
        else _("within {gap} of the best possible").format(gap=percent(figures["gap"], 4))
    )
    lines += [
        "",
        *_wrapped(
            _(
                "Expected: {found} people found at affected sites, {value} put right, weighed by severity; "
                "{gap}. One more day: {next}. Learning is {learning} of the value."
            ).format(
                found=number(figures["people_found"]),
                value=number(figures["value"], 1),
                gap=gap,
                next=number(figures["value_of_next_day"], 3),
                learning=percent(learning["share_of_value"]),
            )
        ),
        *_sensitivity(figures["sensitivity"]),
        *_curve(figures),
        "",
        *_wrapped(
            _("Left out: {sites} sites with {people} people expected to be affected.").format(
                sites=number(figures["left_out"]["sites"]), people=number(figures["left_out"]["people_affected"])
            )
        ),
        "",
        *_wrapped(
            _(
                "What audits detect is a judgement that audits cannot correct: read the order of sites "
                "before the numbers."
            )
        ),
        "",
        _("Plan: {folder}").format(folder=folder),
    ]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def _sensitivity(cases: list[dict[str, Any]]) -> list[str]:
    lines = ["", _("If audits detect    this plan is worth    the best would be    same sites")]
    lines += [
        f"  {percent(case['sensitivity'], 0):>14}    {number(case['value_of_this_plan'], 1):>18}"
        f"    {number(case['value_of_best_plan'], 1):>17}    {percent(case['same_sites'], 0):>10}"
        for case in cases
    ]
    return lines


def _curve(figures: dict[str, Any]) -> list[str]:
    """Some points of the curve, up to three times the budget."""
    points = [p for p in figures["curve"] if p["person_days"] <= 3 * figures["budget"]]
    step = max(1, len(points) // 8)
    shown = points[::step]
    most = max([1e-9, *(p["value"] for p in shown)])
    lines = ["", _("  person-days         worth")]
    lines += [
        f"  {number(p['person_days'], 1):>11}  {number(p['value'], 1):>12}  {'#' * int(p['value'] / most * BAR)}"
        for p in shown
    ]
    return lines


def tell_review(said: dict[str, Any]) -> str:
    """The review of past plans."""
    lines: list[str] = []
    share, interval, audits = _("share"), _("interval (90 %)"), _("audits")
    rate = _("hit-rate")
    heading = f"  {rate:<36} {share:>8}  {interval:>19}  {audits:>6}"
    for plan in said["plans"]:
        lines += [
            _("{plan}: {audited} of {planned} actions audited, {hits} with a grave finding").format(
                plan=plan["plan"], **{key: number(plan[key]) for key in ("audited", "planned", "hits")}
            ),
            "",
            heading,
            _row(_("chosen by value"), plan["hit_rate"]),
            _row(_("country risk only"), plan["baselines"]["country_only"]),
            _row(_("largest spend first"), plan["baselines"]["spend_rank"]),
            _row(_("at random"), plan["baselines"]["random"]),
            "",
            _("  in the {n} sites not audited, from {drawn} drawn").format(
                n=number(plan["not_audited"]["sites"]), drawn=number(plan["not_audited"]["drawn"])
            ),
            _row(_("as audits see it"), plan["not_audited"]["as_audits_see_it"]),
            *(
                _row(_("true share if they detect {se}").format(se=percent(case["sensitivity"], 0)), case)
                for case in plan["not_audited"]["corrected"]
            ),
            "",
        ]
    return "\n".join(lines).rstrip()


def _row(label: str, rate: dict[str, Any]) -> str:
    bounds = f"{percent(rate['low'])} - {percent(rate['high'])}" if rate["low"] is not None else "-"
    return f"    {label:<34.34} {percent(rate['share']):>8}  {bounds:>19}  {number(rate['sites']):>6}"
