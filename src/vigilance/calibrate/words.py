"""The words of a validation report."""

from __future__ import annotations

from typing import Final

from vigilance.calibrate import predictors as of
from vigilance.calibrate import rankings
from vigilance.i18n import messages

_ = messages("calibrate")

OURS: Final = "ours"
BASELINE: Final = "baseline"
AHEAD: Final = "ahead"


def hazards() -> dict[str, str]:
    """The hazards, and both together."""
    return {"forced_labour": _("Forced labour"), "child_labour": _("Child labour"), "both": _("Both hazards")}


def predictors() -> dict[str, str]:
    """What each predictor is."""
    return {
        of.CELL: _("Rate of the cell, as scores use it"),
        of.CELL_WITHOUT_BASE: _("The same without base rates"),
        of.NEIGHBOURS: _("Neighbours on the list, with the country index"),
        of.COUNTRY_INDEX: _("Country index"),
        of.LAST_LIST: _("Last list: activity × country"),
        of.LAST_LIST_ACTIVITY: _("Last list: activity listed elsewhere"),
        of.LAST_LIST_COUNTRY: _("Last list: country listed otherwise"),
        of.TRAFFICKING_TIER: _("Trafficking tier"),
        of.RANDOM: _("Random"),
        of.ON_TRIAL: _("Rate of the cell, with the rule on trial"),
        of.ON_TRIAL_TODAY: _("Rate with facts of today and the rule on trial"),
        of.CELL_TODAY: _("Rate of the cell, with facts of today"),
        of.GOVERNANCE_TODAY: _("Rule of law, of today"),
        of.INCOME_TODAY: _("Output per worker, of today"),
    }


def kinds() -> dict[str, str]:
    """Kinds of predictors."""
    return {OURS: _("ours"), BASELINE: _("baseline"), AHEAD: _("looks ahead")}


def kind(predictor: str) -> str:
    """The kind of a predictor, in words."""
    which = AHEAD if predictor in of.LOOKS_AHEAD else OURS if predictor in of.OURS else BASELINE
    return kinds()[which]


def groups() -> dict[str, str]:
    """Groups of sites in the coverage."""
    return {
        "all": _("All sites"),
        "mostly_stated": _("Most fields stated"),
        "with_blanks": _("With blanks"),
        "activity_unknown": _("Activity unknown"),
        "tier_unknown": _("Tier unknown"),
        "size_unknown": _("Number of workers unknown"),
        "larger_than_usual": _("Larger than 95 % of its activity"),
        "many_factors": _("Three or more risk factors present"),
        "lower_half": _("Lower half of risk"),
        "upper_half": _("Upper half of risk"),
        "everything_stated": _("A list that states everything"),
        "everything_blank": _("A list with country and activity alone"),
    } | regions()


def intervals() -> dict[str, str]:
    """The intervals that are compared on the same draws."""
    return {
        "closed_form": _("As the engine makes them"),
        "without_bounds": _("The same, if the truth had no bound on factors and no ceiling"),
        "drawn_variance": _("With the variance that was drawn"),
        "drawn_variance_and_mean": _("With the variance and the mean that were drawn"),
    }


def regions() -> dict[str, str]:
    """ILO regions and thirds of output per worker."""
    return {
        "africa": _("Africa"),
        "americas": _("Americas"),
        "arab_states": _("Arab States"),
        "asia_pacific": _("Asia and the Pacific"),
        "europe_central_asia": _("Europe and Central Asia"),
        "low": _("Lowest third of output per worker"),
        "middle": _("Middle third"),
        "high": _("Highest third"),
    }


def ranked() -> dict[str, str]:
    """What is held against a ranking of countries."""
    return {
        "forced_labour_index": _("Forced labour, index"),
        "forced_labour_rate": _("Forced labour, rate"),
        "child_labour_index": _("Child labour, index"),
        "child_labour_rate": _("Child labour, rate"),
        "forced_labour_region_rate": _("Forced labour, rate of the region alone"),
        "child_labour_region_rate": _("Child labour, rate of the region alone"),
        "forced_labour_plain_rate": _("Forced labour, rate by rule of law"),
        "child_labour_plain_rate": _("Child labour, rate by rule of law"),
        rankings.RULE_OF_LAW: _("Rule of law alone"),
        rankings.GOVERNANCE: _("Governance, mean of three"),
    }


def rankings_of() -> dict[str, str]:
    """Kinds of rankings that have a bar."""
    return {rankings.PREVALENCE: _("prevalence"), rankings.VULNERABILITY: _("vulnerability")}
