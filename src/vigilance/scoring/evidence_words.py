"""The factors of evidence lines in words, English or French."""

from __future__ import annotations

from vigilance.i18n import messages

_ = messages("evidence")


def label(factor: str) -> str:
    """A factor id of ``evidence.lines`` as a person reads it; the id itself where it is not known.

    ``finding:debt_bondage`` → "finding: debt bondage"; ``list:uflpa`` → "on a list: uflpa".
    """
    kind, _colon, rest = factor.partition(":")
    whole = _factors().get(factor)
    if whole is not None:
        return whole
    pattern = {
        "finding": _("finding: {what}"),
        "marker": _("sign: {what}"),
        "list": _("name on a list: {what}"),
    }.get(kind)
    return factor if pattern is None else pattern.format(what=_topics().get(rest, rest))


def _factors() -> dict[str, str]:
    return {
        "clean_audits": _("audits without a finding"),
        "grievance": _("grievance"),
        "incident": _("incident reported by several channels"),
        "event:site": _("event at the site"),
        "event:entity": _("event about the company"),
        "event:zone": _("events in the zone"),
        "event:region": _("events in the region"),
        "event:country": _("events in the country"),
        "measures": _("measures in place"),
    }


def _topics() -> dict[str, str]:
    return {
        "forced_labour": _("forced labour"),
        "child_labour": _("child labour"),
        "young_workers": _("young workers"),
        "hazardous_child_work": _("hazardous work of children"),
        "debt_bondage": _("debt bondage"),
        "restriction_of_movement": _("restriction of movement"),
        "retention_of_identity_documents": _("retention of identity documents"),
        "recruitment_fees": _("recruitment fees"),
        "deception": _("deception"),
        "intimidation_and_threats": _("intimidation and threats"),
        "physical_and_sexual_violence": _("physical and sexual violence"),
        "abuse_of_vulnerability": _("abuse of vulnerability"),
        "isolation": _("isolation"),
        "abusive_working_and_living_conditions": _("abusive working and living conditions"),
        "excessive_overtime": _("excessive overtime"),
        "withholding_of_wages": _("withholding of wages"),
        "discipline": _("disciplinary practices"),
    }
