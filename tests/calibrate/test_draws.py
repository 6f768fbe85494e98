"""Joint draws: near the closed form, coherent, the same for the same seed, refused where they cannot be held."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import pipeline, reference, rules
from vigilance.calibrate.draws import refined
from vigilance.errors import UsageError
from vigilance.terms import HAZARDS

EXAMPLES = Path(__file__).parent.parent.parent / "data" / "examples"


def scored(tmp_path: Path, name: str, facts: reference.Facts, judgements: rules.Judgements, draws: int) -> pl.DataFrame:
    job = pipeline.Job(
        inputs=[EXAMPLES / "suppliers.csv"],
        on=date(2026, 11, 1),
        out=tmp_path / name,
        draws=draws,
        refine=refined if draws else None,
        evidence={"audits": EXAMPLES / "audits.csv", "findings": EXAMPLES / "findings.csv"},
        max_rejected=1.0,
    )
    return pipeline.score(job, facts, judgements).run.scores.collect()


def test_draws_stand_near_the_closed_form(tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements) -> None:
    closed = scored(tmp_path, "closed", facts, judgements, 0)
    drawn = scored(tmp_path, "drawn", facts, judgements, 400)
    again = scored(tmp_path, "again", facts, judgements, 400)
    assert drawn.equals(again)
    for hazard in HAZARDS:
        assert drawn[f"{hazard}_p50"].equals(closed[f"{hazard}_p50"])
        assert drawn[f"{hazard}_score"].equals(closed[f"{hazard}_score"])
        ordered = drawn.select(
            (pl.col(f"{hazard}_p05") <= pl.col(f"{hazard}_p50")).all()
            & (pl.col(f"{hazard}_p50") <= pl.col(f"{hazard}_p80")).all()
            & (pl.col(f"{hazard}_p80") <= pl.col(f"{hazard}_p95")).all()
        ).item()
        assert ordered
        # The closed form is the wider one: it never lets a blank narrow an interval.
        assert abs(drawn[f"{hazard}_p80"].mean() - closed[f"{hazard}_p80"].mean()) < 0.08  # type: ignore[operator]
    # Parameters common to all sites move their levels together, so ranks are surer than levels.
    width = drawn["rank_high"] - drawn["rank_low"]
    assert width.mean() < (closed["rank_high"] - closed["rank_low"]).mean()  # type: ignore[operator]
    assert (drawn["rank_low"] <= drawn["rank"]).all()
    assert (drawn["rank"] <= drawn["rank_high"]).all()


def test_a_list_too_long_to_draw_is_refused() -> None:
    frame = pl.DataFrame({"_zone": [None] * 10}, schema={"_zone": pl.String})
    with pytest.raises(UsageError, match="too many to hold"):
        refined(frame, None, None, 10_000_000)  # type: ignore[arg-type]
