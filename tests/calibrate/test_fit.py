"""Ratios move towards outcomes as far as outcomes speak: recovered when they do, at the prior when they do not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from tests.calibrate.world import ON, World, world

from vigilance.calibrate import fit as fitting
from vigilance.calibrate.outcomes import FEWEST_AUDITED, Outcomes, outcomes
from vigilance.calibrate.recomputed import Design, Parameters, design, parameters
from vigilance.errors import InputRefused
from vigilance.scoring.model import Model
from vigilance.terms import HAZARDS, Hazard

MOVED = {"factors.isolated.ratio": 2.5, "factors.piece_rate.ratio": -2.0, "method.country_slope": 1.5}
"""Parameters that differ from their priors in the drawn world, in prior sds."""


def shifted(numbers: Parameters) -> Parameters:
    ln = numbers.ln.copy()
    for stem, sds in MOVED.items():
        place = numbers.at(f"{stem}.{numbers.hazard}")
        ln[place] += sds * numbers.sd[place]
    return numbers.with_ln(ln)


def records(model: Model, drawn: World, hazard: Hazard) -> Outcomes:
    return outcomes(drawn.sites, drawn.audits, drawn.findings, model.judgements, ON, hazard)


@pytest.fixture(scope="module", params=HAZARDS)
def shift(request: pytest.FixtureRequest, model: Model) -> tuple[Parameters, Parameters, Design, Outcomes]:
    hazard = request.param
    numbers = parameters(model.judgements, hazard)
    true = shifted(numbers)
    drawn = world(model, hazard, true, 20_000, seed=3)
    return numbers, true, design(model, drawn.sites, hazard), records(model, drawn, hazard)


def test_the_record_is_predicted_right_by_the_truth(shift: tuple[Parameters, Parameters, Design, Outcomes]) -> None:
    _numbers, true, of, seen = shift
    expected = fitting.predicted(of, true, seen)
    error = 4 * np.sqrt((expected * (1 - expected)).sum()) / len(expected)
    assert seen.positive.mean() == pytest.approx(expected.mean(), abs=error)


def test_shifted_ratios_are_recovered_better_than_by_the_prior(
    shift: tuple[Parameters, Parameters, Design, Outcomes],
) -> None:
    numbers, true, of, seen = shift
    made = fitting.fit(of, seen, numbers)
    for stem in MOVED:
        place = numbers.at(f"{stem}.{numbers.hazard}")
        before = abs(numbers.ln[place] - true.ln[place])
        after = abs(made.ln[place] - true.ln[place])
        assert after < 0.6 * before, numbers.paths[place]
        assert after < 3 * made.sd[place]
    assert (made.sd <= numbers.sd + 1e-9).all()


def test_the_held_out_score_rises(shift: tuple[Parameters, Parameters, Design, Outcomes]) -> None:
    numbers, _true, of, seen = shift
    scores = fitting.cross_validated(of, seen, numbers, count=3)
    assert scores.gain > 0
    assert scores.after["log_loss"] < scores.before["log_loss"]
    assert scores.after["brier"] < scores.before["brier"]
    after = scores.reliability.filter(pl.col("predictions") == "after")
    assert after["sites"].sum() == scores.audited == 20_000
    # Predicted and observed shares agree in every bin, to sampling error.
    for row in after.iter_rows(named=True):
        assert row["observed"] == pytest.approx(row["predicted"], abs=4 * np.sqrt(0.25 / row["sites"]))


def test_a_change_is_proposed_where_ratios_differ_and_the_level_never_is(
    shift: tuple[Parameters, Parameters, Design, Outcomes],
) -> None:
    numbers, _true, of, seen = shift
    made = fitting.fit(of, seen, numbers)
    told = fitting.table(made, made, made, gain=0.001)
    proposed = set(told.filter("proposed")["path"])
    assert {f"{stem}.{numbers.hazard}" for stem in ("factors.isolated.ratio", "factors.piece_rate.ratio")} <= proposed
    assert not any(path.startswith("method.base_range") for path in proposed)
    assert not fitting.table(made, made, made, gain=-0.001)["proposed"].any()
    other = fitting.Fit(made.before, 2 * made.before.ln - made.ln, made.sd)
    assert not fitting.table(made, made, other, gain=0.001)["proposed"].any()


def test_uninformative_outcomes_move_nothing(model: Model) -> None:
    """A world drawn at the priors, few sites, announced audits that see next to nothing."""
    hazard = HAZARDS[0]
    numbers = parameters(model.judgements, hazard)
    drawn = world(model, hazard, numbers, 120, seed=8, audits=1, size=20.0)
    seen = records(model, drawn, hazard)
    made = fitting.fit(design(model, drawn.sites, hazard), seen, numbers)
    free = numbers.sd > 0
    assert (np.abs(made.ln - numbers.ln)[free] < 0.7 * numbers.sd[free]).all()
    assert (made.sd[free] > 0.6 * numbers.sd[free]).all()
    scores = fitting.cross_validated(design(model, drawn.sites, hazard), seen, numbers)
    assert (
        not fitting.table(made, made, made, scores.gain)
        .filter(pl.col("path").str.starts_with("factors"))["proposed"]
        .any()
    )


def test_sites_without_audits_say_nothing(model: Model) -> None:
    hazard = HAZARDS[0]
    numbers = parameters(model.judgements, hazard)
    drawn = world(model, hazard, numbers, 400, seed=4)
    kept = drawn.sites["_supplier_id"].to_list()[:200]
    audits, findings = (frame.filter(pl.col("_supplier_id").is_in(kept)) for frame in (drawn.audits, drawn.findings))
    part = outcomes(drawn.sites, audits, findings, model.judgements, ON, hazard)
    assert (part.audits[200:] == 0).all()
    assert (part.ratio[200:] == 1).all()
    alone = drawn.sites.head(200)
    whole = fitting.fit(design(model, drawn.sites, hazard), part, numbers)
    only = fitting.fit(
        design(model, alone, hazard), outcomes(alone, audits, findings, model.judgements, ON, hazard), numbers
    )
    assert whole.ln == pytest.approx(only.ln, abs=1e-6)


def test_one_audit_by_hand(model: Model) -> None:
    """One unannounced audit today: LR of a clean one c + (1 - c)(1 - Se)/Sp, of a finding c + (1 - c)·Se/(1 - Sp)."""
    count = FEWEST_AUDITED
    hazard = HAZARDS[0]
    drawn = world(model, hazard, parameters(model.judgements, hazard), count, seed=1, audits=1)
    today = drawn.audits.with_columns(_audited_on=pl.lit(ON))
    found = today.head(1).select(
        "_supplier_id", "_audited_on", _topic=pl.lit(str(hazard)), _severity=pl.lit("major"), _status=pl.lit("open")
    )
    seen = outcomes(drawn.sites, today, found, model.judgements, ON, hazard)
    value = model.judgements.value
    base = value(f"evidence.audits.sensitivity.{hazard}")
    logit = np.log(base / (1 - base)) + value("evidence.audits.shift.unannounced")
    se, sp = 1 / (1 + np.exp(-logit)), value("evidence.audits.specificity")
    c = value("evidence.audits.concealment.unannounced")
    assert seen.ratio[0] == pytest.approx(c + (1 - c) * se / (1 - sp), rel=1e-9)
    assert seen.ratio[1] == pytest.approx(c + (1 - c) * (1 - se) / sp, rel=1e-9)
    assert seen.seen_if_absent[1] == pytest.approx(1 - sp)
    assert seen.seen_if_present[1] == pytest.approx(1 - c * sp - (1 - c) * (1 - se))
    assert seen.positive.tolist() == [True] + [False] * (count - 1)


def test_what_comes_after_the_date_does_not_count_and_too_little_is_refused(model: Model) -> None:
    hazard = HAZARDS[0]
    drawn = world(model, hazard, parameters(model.judgements, hazard), 60, seed=1, audits=1)
    later = drawn.audits.with_columns(_audited_on=pl.lit(ON + timedelta(days=1)))
    with pytest.raises(InputRefused, match="only 0 sites"):
        outcomes(drawn.sites, later, drawn.findings, model.judgements, ON, hazard)


def test_the_fold_of_a_site_is_its_own() -> None:
    ids = np.array([f"S{n}" for n in range(500)])
    assert (fitting.folds(ids)[::-1] == fitting.folds(ids[::-1])).all()
    assert np.bincount(fitting.folds(ids)).min() > 60


@pytest.mark.slow
def test_a_world_drawn_at_the_priors_leads_to_few_proposals(model: Model) -> None:
    """Where nothing differs from the priors, a proposal is a false alarm; they are rarer than one ratio in twenty."""
    proposed = ratios = 0
    for hazard in HAZARDS:
        numbers = parameters(model.judgements, hazard)
        for seed in range(6):
            drawn = world(model, hazard, numbers, 4000, seed=100 + seed)
            of, seen = design(model, drawn.sites, hazard), records(model, drawn, hazard)
            made = fitting.fit(of, seen, numbers)
            told = fitting.table(made, made, made, fitting.cross_validated(of, seen, numbers).gain)
            proposed += int(told["proposed"].sum())
            ratios += told.height
    assert proposed <= 0.05 * ratios
