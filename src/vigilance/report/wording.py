"""The words of the reports, and numbers and dates as each language writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal

from vigilance.i18n import language, messages
from vigilance.terms import FACTORS

_ = messages("report")

MISSING: Final = "–"
LONGEST_NAME: Final = 200
"""Characters of a name that a report shows; the whole name stays in the run."""
CONTROL: Final = dict.fromkeys(
    (*range(32), 127, *range(128, 160), *range(8234, 8239), *range(8294, 8298), 8206, 8207), " "
)
"""Control characters and marks that turn the direction of writing: they could disguise the text around a name."""


def number(value: float | None, digits: int = 0) -> str:
    """A number as the language in use writes it: ``12,345.6`` or ``12 345,6``."""
    if value is None or math.isnan(value):
        return MISSING
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(value, format=pattern, locale=language()))


def percent(share: float | None, digits: int | None = None) -> str:
    """A probability, never shown as certain: below 0.1 % and above 99.9 % it says so."""
    if share is None or math.isnan(share):
        return MISSING
    gap = "\u202f" if language() == "fr" else ""
    if 0.0 < share < 0.001 and digits is None:
        return "<" + number(0.1, 1) + gap + "%"
    if share > 0.999 and digits is None:
        return ">" + number(99.9, 1) + gap + "%"
    wanted = (1 if share < 0.1 or share > 0.99 else 0) if digits is None else digits
    return number(share * 100.0, wanted) + gap + "%"


def share_of(part: int, whole: int) -> str:
    """A plain share of a count as a whole percentage."""
    gap = "\u202f" if language() == "fr" else ""
    return number(100.0 * part / whole if whole else 0.0) + gap + "%"


def ratio(value: float) -> str:
    """A ratio with two or three significant digits: ``×1.8`` or ``×1,8``."""
    digits = 3 if value < 0.1 else 2 if value < 10 else 1
    return "×" + number(value, digits)


def day(value: date) -> str:
    """A date in words: ``1 November 2026``, ``1 novembre 2026``."""
    locale = "fr" if language() == "fr" else "en_GB"
    text = str(format_date(value, format="long", locale=locale))
    return text.replace("1 ", "1er ", 1) if locale == "fr" and value.day == 1 else text


def plain(name: object, limit: int = LONGEST_NAME) -> str:
    """A user's text as a report may show it: no control or direction mark, at most ``limit`` characters."""
    text = "" if name is None else str(name).translate(CONTROL)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def bands() -> dict[str, str]:
    """Names of the bands, mildest first."""
    return {"low": _("low"), "moderate": _("moderate"), "high": _("high"), "severe": _("severe")}


def hazards() -> dict[str, str]:
    """Names of the two hazards."""
    return {"forced_labour": _("Forced labour"), "child_labour": _("Child labour")}


def overrides() -> dict[str, str]:
    """What may raise a band."""
    return {"state_imposed_labour": _("labour imposed by the State"), "confirmed_case": _("confirmed case")}


def tiers() -> dict[int, str]:
    """Names of the tiers; 0 is an unknown one."""
    return {
        0: _("unknown tier"),
        1: _("1 final production"),
        2: _("2 transformation of materials"),
        3: _("3 processing of raw materials"),
        4: _("4 raw materials"),
    }


def questions() -> dict[str, str]:
    """What to ask or look for, to settle an input that nobody stated; by the line of the explanation."""
    asked = {
        "activity": _("State the activity of the site (an ISIC or NACE code, or plain words)."),
        "country": _("Little is published about this country: look at the site itself."),
        "tier": _("State the tier of the site in the chain, 1 to 4."),
        "state_imposed_zone": _("State the zone or the province of the site."),
        "migrant_share": _("Ask which share of the workers are migrants, internal migrants included."),
        "sponsorship": _("Ask which share of the workers are migrants under sponsorship."),
        "size": _("Ask how many people work at the site, agency workers included."),
        "recruitment_fees": _("Ask workers what they paid for the job, and to whom."),
        "agency_labour": _("Ask which workers are employed through agencies."),
        "employer_housing": _("Ask who houses, transports and feeds the workers."),
        "isolated": _("Say whether workers can leave the site freely and reach a town."),
        "subcontracting": _("Reconcile orders with the capacity of the site to find undeclared subcontractors."),
        "seasonal": _("Ask for the calendar of the seasons and of the workforce."),
        "piece_rate": _("Ask how wages are reckoned: by the hour or by the piece."),
        "family_labour": _("Ask whether families work together, and where the children are."),
    }
    missing = set(FACTORS) - set(asked)
    if missing:
        raise KeyError(f"no question for {sorted(missing)}")
    return asked


def evidence_tables() -> dict[str, str]:
    """Names of the evidence tables."""
    return {
        "audits": _("audits"),
        "findings": _("findings"),
        "grievances": _("grievances"),
        "events": _("events"),
        "measures": _("measures in place"),
        "lists": _("lists"),
        "links": _("links of the chain"),
        "audit_statistics": _("statistics of audits"),
    }


def weaknesses() -> list[str]:
    """What is weak in every run (method, section 7), in whole sentences."""
    return [
        _(
            "How often an audit finds forced labour cannot be learned from audits alone. Levels lean on prior "
            "judgements; the order of the sites leans on them less. Read ranks before percentages."
        ),
        _("Base rates are modelled for whole regions and broad activities, not measured for a site."),
        _("Most ratios are expert priors with wide ranges; each is named as such in the lines of a site."),
        _("Countries with a free press report more events: silence elsewhere is not safety."),
        _("Audits go where risk is suspected, so they are no random sample of the sites."),
        _("A site or a good that is on no list is not thereby free of risk."),
        _("Zero cases reported is never good news: it may mean that nobody could speak."),
        _("A score says where to look first. It is no finding about any company or person."),
    ]


def conduct() -> str:
    """The order of answers to a risk."""
    return _(
        "Engage and remediate first, with the workers concerned. Leaving a supplier comes last, because it can leave "
        "people worse off; the exception is labour imposed by the State, where engagement cannot free anyone."
    )


def band_of(code: str) -> str:
    """The name of one band; an unknown code as it is."""
    return bands().get(code, code)


def tier_of(tier: int | None) -> str:
    """The name of one tier."""
    return tiers().get(tier or 0, str(tier))


def named(names: Mapping[str, str], code: str | None) -> str:
    """A name by code, the code where there is none."""
    return MISSING if code is None else names.get(code, code)
