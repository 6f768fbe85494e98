"""The vocabulary of the project: hazards, bands, grades, factors and column names.

Every word here is the same in YAML, in a column, in an attribute and in a heading. Sources of the terms: ILO
conventions C029 and C182 for the two hazards; RHSF prevention guide for the workforce factors.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Hazard(StrEnum):
    """What may happen to people. The two are never merged into one number."""

    FORCED_LABOUR = "forced_labour"
    CHILD_LABOUR = "child_labour"


HAZARDS: Final = tuple(Hazard)


class Band(StrEnum):
    """Bands of presence risk, mildest first; the limits are in ``rules/method.yaml``."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    SEVERE = "severe"


BANDS: Final = tuple(Band)
GRADES: Final = ("A", "B", "C", "D", "E")
TIERS: Final = (1, 2, 3, 4)
TIER_UNKNOWN: Final = 0

FACTORS: Final = (
    "recruitment_fees",
    "agency_labour",
    "employer_housing",
    "isolated",
    "subcontracting",
    "seasonal",
    "piece_rate",
    "family_labour",
)
"""The eight three-state workforce factors (yes, no, unknown), in the order of the digits of a pattern code."""

ABSENT, PRESENT, UNKNOWN = 0, 1, 2
"""The digits of a pattern code, base 3: ``code = sum(digit[k] * 3**k)`` over ``FACTORS``."""

ALL_UNKNOWN: Final = 3 ** len(FACTORS) - 1
"""The pattern code of a site of whose workforce nothing is known."""

DIVISION_UNKNOWN: Final = "00"
"""Stands for an activity that nobody stated; not an ISIC code."""

QUANTILES: Final = (("p05", 0.05), ("p50", 0.50), ("p80", 0.80), ("p95", 0.95))

INTERNAL: Final = "_"
"""Prefix of the typed columns that ingest adds beside a user's own columns (``_iso3``, ``_division``, ...)."""

SITE_COLUMNS: Final = (
    "_supplier_id",
    "_name",
    "_iso3",
    "_division",
    "_tier",
    "_workers",
    "_migrant_share",
    "_factors",
    "_zone",
)
"""What the scoring core reads of a site; see docs/architecture.md for types and units."""
