"""How an alert reads: a title, a reason, and what to do first, in French and in English."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from vigilance.alerts.sites import PROBABILITY_UNITS, SCORE_UNITS
from vigilance.i18n import language, messages

_ = messages("alerts")

SHOWN_UNITS: Final = SCORE_UNITS // 20
"""Half a tenth of a point: a smaller part is not worth a word."""

Alert = Mapping[str, Any]
"""One row of ``decide.DECIDED`` by name."""


def N_(text: str) -> str:  # noqa: N802 - the gettext mark for a text that is translated later
    """Mark a text for the catalogue."""
    return text


RULES: Final = {
    "override": N_("State-imposed labour or a confirmed case"),
    "list_match": N_("possible match with a list"),
    "grievance": N_("grievance"),
    "new_finding": N_("new audit finding"),
    "event": N_("event"),
    "band_crossing": N_("higher risk band"),
    "overdue_action": N_("overdue corrective action"),
    "significant_change": N_("significant rise of the score"),
    "ratification": N_("change of a convention's status"),
    "vanished": N_("site at risk no longer listed"),
    "grade_fall": N_("less is known than before"),
    "stale_data": N_("nobody looked for a long time"),
}
HAZARDS: Final = {"forced_labour": N_("forced labour"), "child_labour": N_("child labour"), "": N_("both hazards")}
LEVELS: Final = {"site": N_("site"), "zone": N_("zone"), "region": N_("region"), "country": N_("country")}
STATES: Final = {"new": N_("new"), "updated": N_("updated"), "unchanged": N_("unchanged"), "gone": N_("gone")}
BANDS: Final = {"low": N_("low"), "moderate": N_("moderate"), "high": N_("high"), "severe": N_("severe")}
STATUSES: Final = {
    "not_ratified": N_("not ratified"),
    "ratified": N_("ratified"),
    "in_force": N_("in force"),
    "denounced": N_("denounced"),
}
HELD: Final = {
    "budget": N_("more urgent alerts filled the budget of the week"),
    "suppressed": N_("suppressed by a person"),
    "rolled_up": N_("told once for the place"),
    "same_site": N_("told with another alert about the same site"),
    "method": N_("the method changed, not the site"),
    "already_told": N_("an earlier revision of this week told it"),
}
FIRST_STEP: Final = {
    "override": N_("Protect the people first, then ask for remedy; leave only where labour is State-imposed."),
    "list_match": N_("Have a person confirm or reject the match."),
    "grievance": N_("Answer through the channel it came from, and protect whoever spoke."),
    "new_finding": N_("Agree on a corrective action with a date, with the workers heard."),
    "event": N_("Ask the sites concerned what they saw and what they did."),
    "band_crossing": N_("See what changed, then plan an engagement or an audit."),
    "overdue_action": N_("Ask for the proof of the action, and help where it is blocked."),
    "significant_change": N_("See what changed, then plan an engagement or an audit."),
    "ratification": N_("Read what the change means in practice; a treaty alone changes no site."),
    "vanished": N_("Ask who ended the relation and why; leaving comes last."),
    "grade_fall": N_("Ask for what is missing."),
    "stale_data": N_("Ask for a fresh description, or look."),
}


def said(words: Mapping[str, str], key: str) -> str:
    """A word of a vocabulary in the language in use; itself where it is unknown."""
    return _(words[key]) if key in words else key


def number(value: float, digits: int = 1) -> str:
    """A number with a decimal comma in French."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language() == "fr" else text


def points(units: int | None) -> float:
    """A score or a change of score in points."""
    return 0.0 if units is None else units / SCORE_UNITS


def title(alert: Alert) -> str:
    """One line: what, which hazard, where."""
    detail = json.loads(alert["detail"] or "{}")
    name = detail.get("name")
    where = f"{name} ({alert['place']})" if name else str(alert["place"])
    what = said(RULES, alert["rule"])
    hazard = said(HAZARDS, alert["hazard"])
    return _("{where}: {what}, {hazard}").format(where=where, what=what, hazard=hazard)


def reason(alert: Alert) -> str:
    """Why it is told, in one or two sentences, with the split of the change where there is one."""
    detail = json.loads(alert["detail"] or "{}")
    if alert["state"] == "gone":
        return _("This no longer holds; it was first seen in {week}.").format(week=alert["first_week"])
    if "of" in detail and "first" in detail:
        text = _("{count} of {of} sites, among them {first}.").format(
            count=detail["count"], of=detail["of"], first=", ".join(detail["first"])
        )
    else:
        text = _REASONS[alert["rule"]](detail)
    split = because(alert)
    return f"{text} {split}" if split else text


def because(alert: Alert) -> str:
    """The parts of a change of score in words; empty where there is none."""
    change = {part: units for part, units in parts(alert).items() if abs(units) >= SHOWN_UNITS}
    if not change:
        return ""
    named = {"data": _("data"), "method": _("method"), "weights": _("weights"), "time": _("passing of time")}
    told = ", ".join(
        f"{named[part]} {'+' if units > 0 else '−'}{number(points(abs(units)))}" for part, units in change.items()
    )
    return _("Change of the score this week: {parts}.").format(parts=told)


def parts(alert: Alert) -> dict[str, int]:
    """The four parts of a change, in units; facts and program together are the method."""
    of = {name: alert[name] or 0 for name in ("data", "facts", "code", "weights", "time")}
    return {"data": of["data"], "method": of["facts"] + of["code"], "weights": of["weights"], "time": of["time"]}


def _override(detail: Mapping[str, Any]) -> str:
    if detail["override"] == "confirmed_case":
        return _("A confirmed case without verified remedy.")
    return _("Labour imposed by the State where this site is.")


def _band(detail: Mapping[str, Any]) -> str:
    share = number(100 * detail["p80"] / PROBABILITY_UNITS)
    return _("From {before} to {after}: the 80th percentile of the presence risk is {share} %.").format(
        before=said(BANDS, detail["from"]), after=said(BANDS, detail["to"]), share=share
    )


def _finding(detail: Mapping[str, Any]) -> str:
    topic = str(detail["topic"]).replace("_", " ")
    return _("{topic}, severity {severity}, in the audit of {on}.").format(
        topic=topic, severity=detail["severity"] or "?", on=detail["on"] or "?"
    )


_REASONS: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "override": _override,
    "band_crossing": _band,
    "new_finding": _finding,
    "list_match": lambda d: _("The name is on the list {list}; to be confirmed by a person.").format(list=d["list"]),
    "grievance": lambda d: _("Received through {channel}.").format(channel=d["channel"] or "?"),
    "event": lambda d: _("{kind}, {on}, reported by {source}.").format(
        kind=str(d["kind"] or "?").replace("_", " "), on=d["on"] or "?", source=d["source"] or "?"
    ),
    "overdue_action": lambda d: _("{count} corrective actions are overdue, the oldest since {due}.").format(
        count=d["count"], due=d["due"]
    ),
    "significant_change": lambda d: _("{rise} points more than when last told; the score is now {score}.").format(
        rise=number(points(d["rise"])), score=number(points(d["score"]))
    ),
    "ratification": lambda d: _("{convention}: from {before} to {after}.").format(
        convention=d["convention"], before=said(STATUSES, d["from"]), after=said(STATUSES, d["to"])
    ),
    "vanished": lambda d: _("It stood in the band {band} and left the list without a successor.").format(
        band=said(BANDS, d["to"])
    ),
    "grade_fall": lambda d: _("The evidence grade fell from {before} to {after}.").format(
        before=d["from"], after=d["to"]
    ),
    "stale_data": lambda d: _("Nothing new since {since}, and no audit.").format(since=d["since"]),
}
