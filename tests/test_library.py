"""Vigilance from Python: any kind of table, the same numbers as the command line, errors that can be caught."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import vigilance
from vigilance.scoring.assess import PLACE, SCORES

ON = "2026-11-01"
ROWS = {
    "supplier_id": ["A-1", "A-2", "A-3"],
    "name": ["Penang Gloves", "Delta Knit", "Rivière Couture"],
    "country": ["Malaysia", "Bangladesh", "France"],
    "activity": ["22", "14", "14"],
    "tier": [1, None, 1],
    "workers": [3000, None, 40],
    "migrant_share": [0.7, None, 0.1],
    "recruitment_fees": [True, None, False],
    "remark": ["keep", None, "keep"],
}
FRAME = pl.DataFrame(ROWS)


@pytest.fixture(scope="module")
def scored() -> vigilance.Scored:
    return vigilance.score(FRAME, on=ON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    FRAME.write_csv(tmp_path / "list.csv")
    return tmp_path / "list.csv"


def results(of: vigilance.Scored) -> pl.DataFrame:
    return of.scores.select(*SCORES, *PLACE, "rank", "rank_low", "rank_high")


def test_a_frame_keeps_its_columns_and_its_order(scored: vigilance.Scored) -> None:
    assert scored.scores.columns == [*ROWS, *SCORES, *PLACE, "rank", "rank_low", "rank_high"]
    assert scored.scores["supplier_id"].to_list() == ROWS["supplier_id"]
    assert scored.scores["remark"].to_list() == ROWS["remark"]
    assert scored.scores["rank"].to_list()[0] == 1
    assert scored.summary["counts"]["sites"] == 3
    assert sum(scored.summary["bands"]["child_labour"].values()) == 3
    json.dumps(scored.summary)


def test_it_is_shown_in_one_line(scored: vigilance.Scored) -> None:
    assert repr(scored) == f"Scored(3 sites on {ON}, 0 rows set aside: .scores, .issues, .summary, .run)"


@pytest.mark.parametrize("kind", ["lazy", "pandas", "arrow", "duckdb"])
def test_every_kind_of_table_gives_the_same_scores(scored: vigilance.Scored, kind: str) -> None:
    arrow = FRAME.to_arrow()
    table: Any = {
        "lazy": FRAME.lazy,
        "pandas": lambda: pd.DataFrame(ROWS),
        "arrow": lambda: pa.table(arrow),
        "duckdb": lambda: duckdb.from_arrow(arrow),
    }[kind]()
    assert results(vigilance.score(table, on=ON)).equals(results(scored))


def test_a_path_gives_the_same_scores_as_its_frame(scored: vigilance.Scored, path: Path) -> None:
    for given in (path, str(path), [path]):
        assert results(vigilance.score(given, on=date(2026, 11, 1))).equals(results(scored))


def test_the_engines_agree(scored: vigilance.Scored) -> None:
    assert results(vigilance.score(FRAME, on=ON, engine="duckdb")).equals(results(scored))


def test_a_run_is_written_when_asked_for(scored: vigilance.Scored, path: Path, tmp_path: Path) -> None:
    from_path = vigilance.score(path, on=ON, out=tmp_path / "one")
    from_frame = vigilance.score(FRAME, on=ON, out=tmp_path / "two")
    for made in (from_path, from_frame):
        assert results(made).equals(results(scored))
        assert results(
            vigilance.Scored(vigilance.open_run(made.run.path).scores.collect(), made.issues, {}, made.run)
        ).equals(results(scored))
    assert json.loads((tmp_path / "two" / "run.json").read_bytes())["inputs"][0]["file"] == "frame.parquet"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_the_same_explanation_from_memory_and_from_a_folder(
    scored: vigilance.Scored, path: Path, tmp_path: Path
) -> None:
    vigilance.score(path, on=ON, out=tmp_path / "run")
    held = vigilance.explain(scored, "A-1")
    assert held == scored.explain("A-1")
    assert held == vigilance.explain(tmp_path / "run", "A-1")
    assert held == vigilance.explain(vigilance.open_run(tmp_path / "run"), "A-1")
    assert held["hazards"]["forced_labour"]["p50"] == pytest.approx(scored.scores["forced_labour_p50"][0], abs=1e-9)


def test_evidence_counts_and_is_explained(scored: vigilance.Scored, tmp_path: Path) -> None:
    audits = tmp_path / "audits.csv"
    audits.write_text("supplier_id,audited_on,kind,notice,person_days\nA-1,2026-03-01,initial,unannounced,4\n")
    known = vigilance.score(FRAME, on=ON, evidence={"audits": audits})
    held = vigilance.score(FRAME, on=ON, evidence={"audits": pl.read_csv(audits, try_parse_dates=True)})
    assert results(held).equals(results(known))
    assert known.scores["forced_labour_p50"][0] < scored.scores["forced_labour_p50"][0]
    assert known.scores["forced_labour_p50"][1] == scored.scores["forced_labour_p50"][1]
    steps = known.explain("A-1")["hazards"]["forced_labour"]["steps"]
    assert "evidence" in {line["step"] for line in steps}


def test_a_what_if_changes_what_it_should(scored: vigilance.Scored) -> None:
    changed = vigilance.score(FRAME, on=ON, set={"factors.recruitment_fees.ratio.forced_labour": 3.0})
    assert changed.scores["forced_labour_p50"][0] > scored.scores["forced_labour_p50"][0]
    assert changed.scores["child_labour_p50"].equals(scored.scores["child_labour_p50"])
    assert changed.summary["rules"]["set"] == {"factors.recruitment_fees.ratio.forced_labour": 3.0}
    assert changed.explain("A-1")["hazards"]["forced_labour"]["p50"] == pytest.approx(
        changed.scores["forced_labour_p50"][0], abs=1e-9
    )


def test_french_words(scored: vigilance.Scored) -> None:
    french = vigilance.score(FRAME, on=ON, lang="fr")
    said = " ".join(french.scores[f"forced_labour_driver_{place}"][0] for place in (1, 2, 3))
    assert "travailleurs migrants ×" in said
    assert french.scores["forced_labour_score"].equals(scored.scores["forced_labour_score"])
    assert "migrant workers ×" in " ".join(scored.scores[f"forced_labour_driver_{place}"][0] for place in (1, 2, 3))


def test_rows_that_cannot_be_used_are_told(path: Path) -> None:
    bad = FRAME.with_columns(country=pl.Series(["Malaysia", "Atlantis", "France"]))
    with pytest.raises(vigilance.InputRefused, match="Atlantis"):
        vigilance.score(bad, on=ON)
    kept = vigilance.score(bad, on=ON, max_rejected=0.5)
    assert kept.scores["supplier_id"].to_list() == ["A-1", "A-3"]
    errors = kept.issues.filter(severity="error")
    assert errors.select("row", "column", "value").row(0) == (2, "country", "Atlantis")


def test_an_exported_list_can_be_scored_again(scored: vigilance.Scored, tmp_path: Path) -> None:
    for options in ({}, {"out": tmp_path / "run"}):
        again = vigilance.score(scored.scores, on=ON, **options)
        assert results(again).equals(results(scored))
        kept = again.scores["own_forced_labour_p50"].cast(pl.Float64)
        assert kept.to_list() == scored.scores["forced_labour_p50"].to_list()
        assert "column_named_like_a_result" in again.issues["code"].to_list()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"on": "1 November"}, "not a date"),
        ({"on": 20261101}, "not a date"),
        ({"lang": "de"}, "no texts"),
        ({"engine": "abacus"}, "no engine"),
        ({"set": {"method.nothing": 1.0}}, "nothing"),
        ({"evidence": {"horoscopes": "h.csv"}}, "horoscopes"),
        ({"rules": "/nowhere"}, "no rules folder"),
    ],
)
def test_an_argument_that_cannot_be_used_says_so(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(vigilance.UsageError, match=words):
        vigilance.score(FRAME, **{"on": ON, **arguments})


@pytest.mark.parametrize("source", [42, None, object(), {"supplier_id": ["A"]}])
def test_what_is_no_table_is_refused(source: Any) -> None:
    with pytest.raises(vigilance.UsageError, match="neither a path nor a table"):
        vigilance.score(source, on=ON)


def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(vigilance.InputRefused, match="no such file"):
        vigilance.score(tmp_path / "absent.csv", on=ON)
    with pytest.raises(vigilance.InputRefused, match="no column for"):
        vigilance.score(FRAME.drop("country"), on=ON)
    with pytest.raises(vigilance.InputRefused, match="no supplier row"):
        vigilance.score(FRAME.clear(), on=ON)
    with pytest.raises(vigilance.UsageError, match="no site"):
        vigilance.explain(vigilance.score(FRAME, on=ON), "A-9")
    assert issubclass(vigilance.InputRefused, vigilance.VigilanceError)


def test_the_country_index() -> None:
    frame = vigilance.countries(on=ON)
    assert frame.height >= 187
    assert frame["iso3"].is_sorted()
    by_code = {row["iso3"]: row for row in frame.iter_rows(named=True)}
    assert by_code["NOR"]["forced_labour_index"] < by_code["PRK"]["forced_labour_index"]
    assert by_code["CHN"]["c029"] == "in_force"
    assert by_code["NOR"]["forced_labour_ratio"] < 1
    assert by_code["NOR"]["forced_labour_rate"] < by_code["TKM"]["forced_labour_rate"]
    early = vigilance.countries(on=datetime(2022, 10, 1))  # noqa: DTZ001 - a date in disguise
    assert dict(early.select("iso3", "c029").iter_rows())["CHN"] == "ratified"
    assert dict(vigilance.countries(on=ON, lang="fr").select("iso3", "name").iter_rows())["DEU"] == "Allemagne"


def test_the_public_names_are_there_and_nothing_else_is() -> None:
    assert len(vigilance.__all__) <= 14
    for name in vigilance.__all__:
        assert getattr(vigilance, name) is not None
        assert name in dir(vigilance)
    assert vigilance.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        _ = vigilance.scores


def test_importing_loads_nothing_of_it() -> None:
    code = "import sys, vigilance; print([m for m in sys.modules if m.split('.')[0] in %r])"
    heavy = {"vigilance", "polars", "numpy", "narwhals", "duckdb", "pydantic", "pyarrow", "click", "rich"}
    said = subprocess.run([sys.executable, "-c", code % heavy], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "['vigilance']"
