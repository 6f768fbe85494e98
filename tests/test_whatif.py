"""What-if: another judgement, two runs, and what would move a band."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vigilance import explanation, pipeline, reference, rules, run, whatif
from vigilance.scoring.model import build

ON = date(2026, 11, 1)
ROWS = [
    "BD,Ashulia Knit,Bangladesh,Wearing apparel,1,900,true,true",
    "FR,Atelier,France,Retail trade,1,60,false,false",
    "IN,Cotton farm,India,Growing of cotton,4,20,,true",
]
HEADER = "supplier_id,name,country,activity,tier,workers,recruitment_fees,seasonal"


def made(folder: Path, rows: list[str], facts: reference.Facts, judgements: rules.Judgements) -> run.Run:
    folder.mkdir()
    (folder / "s.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return pipeline.score(pipeline.Job(inputs=[folder / "s.csv"], on=ON, out=folder / "run"), facts, judgements).run


def test_the_same_judgement_moves_nothing(tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements) -> None:
    done = made(tmp_path / "a", ROWS, facts, judgements)
    moves = whatif.under(done, judgements)
    assert moves.summary["largest_rank_move"] == 0
    assert all(said["largest_score_change"] == 0 for said in moves.summary["hazards"].values())


def test_a_larger_size_exponent_raises_every_score(
    tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    done = made(tmp_path / "a", ROWS, facts, judgements)
    moves = whatif.under(done, judgements.with_value("method.size_exponent", 0.45))
    assert (moves.sites["forced_labour_score_change"] > 0).all()
    assert moves.summary["hazards"]["forced_labour"]["bands_down"] == 0


def test_two_runs_say_who_came_and_who_went(
    tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    one = made(tmp_path / "a", ROWS, facts, judgements)
    other = made(
        tmp_path / "b", [*ROWS[1:], "DE,Werk,Germany,Manufacture of motor vehicles,1,800,,"], facts, judgements
    )
    moves = whatif.moves(whatif.of_run(one), whatif.of_run(other))
    assert (moves.summary["in_both"], moves.summary["appeared"], moves.summary["vanished"]) == (2, 1, 1)


def test_options_name_what_lowers_the_risk(
    tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    done = made(tmp_path / "a", ROWS, facts, judgements)
    options = whatif.options(done, "BD", build(facts, judgements))
    forced = [option for option in options if option["hazard"] == "forced_labour"]
    assert forced[0]["factor"] == "recruitment_fees"
    assert forced[0]["action"] == "end"
    assert all(option["p80"] < option["p80_now"] for option in options)
    assert whatif.options(done, "nobody", build(facts, judgements)) == []


def test_rules_that_changed_are_refused(tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements) -> None:
    done = made(tmp_path / "a", ROWS, facts, judgements.with_value("method.size_exponent", 0.4))
    assert explanation.basis(done)[1].value("method.size_exponent") == pytest.approx(0.4)
