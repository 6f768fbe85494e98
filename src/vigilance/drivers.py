"""The words of an explanation: what each line is called, and how a ratio reads, in French and in English."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from vigilance.i18n import language, messages

_ = messages("scoring")


def N_(text: str) -> str:  # noqa: N802 - the gettext mark for a text that is translated later
    """Mark a text for the catalogue."""
    return text


TITLES: Final[Mapping[str, str]] = {
    "base": N_("world average"),
    "activity": N_("activity"),
    "usual_workforce": N_("usual workforce of the activity"),
    "region": N_("region"),
    "country": N_("country"),
    "tier": N_("tier in the chain"),
    "listed_good": N_("listed good"),
    "listed_other_hazard": N_("listed for the other hazard only"),
    "listed_elsewhere": N_("activity listed elsewhere"),
    "listed_in_country": N_("listed goods of the country"),
    "listed_upstream": N_("listed good upstream"),
    "list_ratio_bound": N_("bound on what the list says"),
    "balance": N_("averages kept at the published estimates"),
    "audit_cells": N_("statistics of audits"),
    "state_imposed_zone": N_("State-imposed labour"),
    "migrant_share": N_("migrant workers"),
    "sponsorship": N_("sponsorship (kafala)"),
    "recruitment_fees": N_("recruitment fees or debt"),
    "agency_labour": N_("agency labour"),
    "employer_housing": N_("employer housing"),
    "isolated": N_("isolated site"),
    "subcontracting": N_("unauthorised subcontracting"),
    "seasonal": N_("seasonal work"),
    "piece_rate": N_("piece rate"),
    "family_labour": N_("family labour"),
    "combined_ratio_bound": N_("bound on the factors together"),
    "rate_ceiling": N_("ceiling of the rate"),
    "measures": N_("measures in place"),
    "size": N_("size of the site"),
    "evidence": N_("evidence about the site"),
    "clean_audits": N_("clean audits"),
    "grievance": N_("grievance"),
    "incident": N_("incident"),
}


OVERRIDES: Final[Mapping[str, str]] = {
    "state_imposed_labour": N_("labour imposed by the State"),
    "listed_entity": N_("a listed entity, as a person confirmed"),
    "confirmed_case": N_("a confirmed case whose remediation is not verified"),
}


def override(name: str) -> str:
    """Why a band was raised, in the language in use."""
    return _(OVERRIDES[name]) if name in OVERRIDES else name.replace("_", " ")


def title(line: str) -> str:
    """What a line is called, in the language in use; a name unknown here stays as it is."""
    return _(TITLES[line]) if line in TITLES else line.replace("_", " ")


def ratio(value: float) -> str:
    """A ratio with two or three significant digits: ``×1.8`` or, in French, ``×1,8``."""
    digits = 2 if value < 1 else 1 if value < 100 else 0
    if value < 0.1:
        digits = 3
    text = f"×{value:.{digits}f}"
    return text.replace(".", ",") if language() == "fr" else text


def words(line: str, ln_ratio: float) -> str:
    """A driver as a person reads it: its title and its ratio."""
    return f"{title(line)} {ratio(math.exp(ln_ratio))}"


def catalogue(codes: Iterable[int]) -> dict[int, str]:
    """Readable drivers for the driver codes that occur (``scoring.lines.decoded``)."""
    from vigilance.scoring.lines import decoded  # noqa: PLC0415 - narwhals only where scores are made

    found = {code: decoded(code) for code in codes}
    return {code: "" if line is None else words(*line) for code, line in found.items()}
