"""Costs, detection and value of actions: the protocol's numbers, and directions that must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.planning import protocol, value
from vigilance.planning.protocol import ACTIONS, INDEX, Action
from vigilance.planning.value import HazardRisk
from vigilance.terms import HAZARDS, Hazard

from .runs import numbers

PROTOCOL = numbers()


def one(p50: float, people: float, sd: float = 1.0) -> HazardRisk:
    logit = np.log(p50 / (1 - p50))
    share = [1 / (1 + np.exp(-(logit + z * sd))) for z in (-1.645, 1.645)]
    return HazardRisk(np.array([p50]), np.array([share[0]]), np.array([share[1]]), np.array([people]))


def nothing() -> HazardRisk:
    return HazardRisk(np.array([1e-9]), np.array([1e-9]), np.array([1e-9]), np.array([0.0]))


def test_person_days_follow_the_scheme() -> None:
    days = protocol.person_days(PROTOCOL, np.array([10.0, 150.0, 151.0, 500.0, 1200.0, 1201.0, np.nan]))
    assert days[INDEX[Action.SEMI_ANNOUNCED]].tolist() == [1, 1, 2, 2, 3, 4, 2]
    assert set(days[INDEX[Action.FOLLOW_UP]]) == {1.0}
    assert days[INDEX[Action.FIELD_AUDIT]].max() == 5


def test_value_is_the_formula() -> None:
    risk = one(0.2, 40.0)
    worth = value.worth(PROTOCOL, {Hazard.FORCED_LABOUR: risk, Hazard.CHILD_LABOUR: nothing()}, np.array([300.0]))
    scope = np.log10(1 + 40 / 0.2) / 3
    severity = np.sqrt((0.9**2 + scope**2 + 0.6**2) / 3)
    assert worth.harm[INDEX[Action.SEMI_ANNOUNCED], 0] == pytest.approx(severity * 40 * 0.6 * 0.15 * 0.5)
    se = 1 / (1 + np.exp(-(np.log(0.15 / 0.85) + 0.7)))
    assert worth.harm[INDEX[Action.UNANNOUNCED], 0] == pytest.approx(severity * 40 * 0.85 * se * 0.5)


@given(p=st.floats(0.001, 0.9), people=st.floats(0.01, 1000), more=st.floats(1.01, 3))
def test_more_people_affected_is_worth_more(p: float, people: float, more: float) -> None:
    def harm(affected: float) -> np.ndarray:
        risks = {Hazard.FORCED_LABOUR: one(p, affected), Hazard.CHILD_LABOUR: nothing()}
        return value.worth(PROTOCOL, risks, np.array([300.0])).harm

    assert (harm(people * more) > harm(people)).all()


@given(p=st.floats(0.001, 0.99), sd=st.floats(0.05, 2), wider=st.floats(1.1, 3))
def test_information_grows_with_ignorance_and_is_nothing_without(p: float, sd: float, wider: float) -> None:
    found = np.full((1, 1), 0.2)
    known = value.information(one(p, 1.0, 1e-9), found, 0.997)
    some = value.information(one(p, 1.0, sd), found, 0.997)
    assert known[0, 0] == pytest.approx(0.0, abs=1e-9)
    assert 0 <= some[0, 0] <= 1
    blind = value.information(one(p, 1.0, sd), np.full((1, 1), 0.003), 0.997)
    assert blind[0, 0] == pytest.approx(0.0, abs=1e-9)
    near = value.information(one(0.05, 1.0, sd), found, 0.997)
    assert value.information(one(0.05, 1.0, sd * wider), found, 0.997)[0, 0] > near[0, 0]


def test_where_audits_see_little_surveys_win() -> None:
    workers = np.array([2000.0])
    risks = {Hazard.FORCED_LABOUR: one(0.3, 200.0), Hazard.CHILD_LABOUR: nothing()}
    days = protocol.person_days(PROTOCOL, workers)

    def better(sensitivity: float) -> bool:
        case = replace(PROTOCOL, sensitivity=dict.fromkeys(HAZARDS, sensitivity))
        per_day = value.worth(case, risks, workers).harm / days
        return bool(per_day[INDEX[Action.WORKER_SURVEY], 0] > per_day[INDEX[Action.UNANNOUNCED], 0])

    assert better(0.02)
    assert not better(0.6)


def test_sensitivity_never_falls_below_false_alarms() -> None:
    found = protocol.sensitivities(PROTOCOL, Hazard.FORCED_LABOUR, np.array([100.0]), logit_shift=-20.0)
    assert found.min() == pytest.approx(1 - PROTOCOL.specificity)
    assert found.shape == (len(ACTIONS), 1)
