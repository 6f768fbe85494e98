"""The typed columns of a run are those that ingest gave, wherever they stand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
import pytest

from vigilance import engines, ingest, pipeline, run
from vigilance.atomic import digest
from vigilance.errors import InputRefused
from vigilance.ingest.readers import coding
from vigilance.reference import Facts
from vigilance.rules import Judgements

ON = date(2026, 11, 1)
ROWS = 40
COUNTRIES, ACTIVITIES = ("Bangladesh", "France", "Malaysia"), ("14", "13", "Manufacture of wearing apparel")
ALWAYS = {"_iso3", "_division", "_zone", "_tier"}
TEXTS = {"_supplier_id", "_name", "_activity"}
COUNTED = {"_row", "_line"}


def line(i: int) -> list[str]:
    return [f"S-{i}", f"Site {i}", COUNTRIES[i % 3], ACTIVITIES[i % 3], str(i % 4 + 1), str(10 * i + 5), f"note {i}"]


LINES = [line(i) for i in range(ROWS)]
HEADER = ("supplier_id", "name", "country", "activity", "tier", "workers", "remark")


def text(lines: Sequence[Sequence[str]] = LINES, header: Sequence[str] = HEADER) -> str:
    return "\n".join(",".join(cells) for cells in [header, *lines]) + "\n"


def changed(at: Mapping[int, Mapping[int, str]]) -> list[list[str]]:
    """The lines with other cells: line → column → text."""
    return [[at.get(i, {}).get(c, cell) for c, cell in enumerate(cells)] for i, cells in enumerate(LINES)]


@dataclass(frozen=True)
class Case:
    """Lists, how to read them, and the typed columns that need no writing of their own."""

    files: Sequence[str]
    elsewhere: set[str]
    held: bool = True
    mapping: Mapping[str, str] = field(default_factory=dict)
    engine: str = "polars"
    csv: bool | None = None


WITHOUT_ID = [cells[1:] for cells in LINES]
CASES = {
    "short": Case([text()], ALWAYS | COUNTED, held=False),
    "held": Case([text()], ALWAYS | TEXTS | COUNTED),
    "csv kept": Case([text()], ALWAYS | TEXTS | COUNTED, csv=True),
    "duckdb": Case([text()], ALWAYS | TEXTS | COUNTED, engine="duckdb"),
    "blanks to trim": Case(
        [text(changed({3: {1: "  Site 3 "}, 7: {3: "14 "}}))], (ALWAYS | TEXTS | COUNTED) - {"_name", "_activity"}
    ),
    "no name": Case([text(changed({3: {1: '""'}}))], ALWAYS | TEXTS),
    "no activity": Case([text(changed({3: {3: '""'}, 4: {3: ""}}))], ALWAYS | TEXTS | COUNTED),
    "invisible": Case([text(changed({3: {1: "Si\u200bte 3"}}))], (ALWAYS | TEXTS | COUNTED) - {"_name"}),
    "an apostrophe of ours": Case([text(changed({3: {1: "'=Site 3"}}))], (ALWAYS | TEXTS | COUNTED) - {"_name"}),
    "called like results": Case(
        [text(header=("supplier_id", "rank", "country_iso3", "activity", "tier", "workers", "place"))],
        ALWAYS | TEXTS | COUNTED,
        mapping={"name": "rank", "country": "country_iso3"},
    ),
    "called like ours": Case(
        [text(header=("_supplier_id", "_name", "_iso3", "activity", "tier", "workers", "_row"))],
        # Renamed columns are not held, and a list without supplier_id is given one.
        ALWAYS | COUNTED | {"_supplier_id"},
        mapping={"supplier_id": "_supplier_id", "name": "_name", "country": "_iso3"},
    ),
    "rows set aside": Case([text(changed({3: {2: "Nowhere"}, 20: {5: "-5"}}))], ALWAYS | TEXTS),
    "the last row set aside": Case([text(changed({ROWS - 1: {2: "Nowhere"}}))], ALWAYS | TEXTS),
    "a row twice": Case([text([*LINES, LINES[5]])], ALWAYS | TEXTS),
    "a line left blank": Case([text().replace("S-9,", "\nS-9,")], ALWAYS | TEXTS),
    "a title above": Case(["Our suppliers\n\n" + text()], ALWAYS | TEXTS | COUNTED),
    "several files": Case([text(LINES[:20]), text(LINES[20:])], ALWAYS),
    "no id": Case([text(WITHOUT_ID, HEADER[1:])], ALWAYS | TEXTS | COUNTED),
    "another id": Case(
        [text(header=("Ref", *HEADER[1:-1], "supplier_id"))], ALWAYS | TEXTS | COUNTED, mapping={"supplier_id": "Ref"}
    ),
    "another id, short": Case(
        [text(header=("Ref", *HEADER[1:-1], "supplier_id"))],
        ALWAYS | COUNTED,
        held=False,
        mapping={"supplier_id": "Ref"},
    ),
}


@pytest.fixture(params=["one table", "a stream of row groups"])
def written_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "one table":
        monkeypatch.setattr(pipeline, "ROW_GROUP", 10)
        monkeypatch.setattr(pipeline, "RANKED_ROWS", 10)


@pytest.mark.usefixtures("written_as")
@pytest.mark.parametrize("name", CASES)
def test_a_run_gives_the_typed_rows_that_were_read(
    name: str, tmp_path: Path, facts: Facts, judgements: Judgements, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setattr(coding, "LEAST_ROWS", 1 if case.held else 10**9)
    paths = [tmp_path / f"list-{i}.csv" for i in range(len(case.files))]
    for path, content in zip(paths, case.files, strict=True):
        path.write_text(content, encoding="utf-8")
    read = ingest.read(paths, on=ON, reference=facts, mapping=case.mapping)
    job = pipeline.Job(
        paths,
        ON,
        out=tmp_path / "run",
        mapping=case.mapping,
        engine=case.engine,
        csv=case.csv,
        max_rejected=0.5,
    )
    made = pipeline.score(job, facts, judgements).run

    expected = read.rows.select(engines.typed_names(read.rows)).with_columns(pl.selectors.categorical().cast(pl.String))
    assert made.sites.collect().equals(expected.collect())
    assert made.sites.collect_schema() == expected.collect_schema()
    assert made.has("scores.csv") == (case.csv or "scores.csv" in made.meta["outputs"])

    in_file = set(pl.read_parquet_schema(made.path / run.SITES))
    typed = set(expected.collect_schema().names())
    assert typed - in_file == case.elsewhere


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, facts: Facts, judgements: Judgements) -> Path:
    folder = tmp_path_factory.mktemp("typed")
    (folder / "list.csv").write_text(text(), encoding="utf-8")
    job = pipeline.Job([folder / "list.csv"], ON, out=folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "LEAST_ROWS", 1)
        return pipeline.score(job, facts, judgements).run.path


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows.filter(pl.col("_supplier_id") == "S-7"),
        lambda rows: rows.filter(pl.col("_supplier_id") == "S-7").select("_line"),
        lambda rows: rows.select("_iso3", "_supplier_id"),
        lambda rows: rows.select("_row"),
        lambda rows: rows.select(pl.len()),
        lambda rows: rows.head(5).filter(pl.col("_tier") > 1),
        lambda rows: rows.filter(pl.col("_tier") > 1).head(5),
        lambda rows: rows.filter(pl.col("_row") >= 30).tail(3),
        lambda rows: rows.slice(10, 20).filter(pl.col("_workers") > 150),
        lambda rows: rows.select(pl.arg_where(pl.col("_row") == 11)),
        lambda rows: rows.filter(pl.col("_iso3") == "XXX"),
        lambda rows: rows.with_columns(pl.col("_name").alias("_activity")).filter(pl.col("_activity") == "Site 3"),
        lambda rows: rows.group_by("_iso3").agg(pl.col("_workers").sum()).sort("_iso3"),
        lambda rows: rows.join(rows.filter(pl.col("_division") == "13"), on="_supplier_id", how="semi").sort("_row"),
    ],
)
def test_whatever_is_asked_of_them(made: Path, engine: Literal["in-memory", "streaming"], ask: object) -> None:
    lazy = run.open_run(made).sites
    whole = lazy.collect()
    assert callable(ask)
    assert ask(lazy).collect(engine=engine).equals(ask(whole.lazy()).collect())


def old_style(folder: Path, target: Path) -> Path:
    """The run as it was written before the record said where typed columns are: all of them in sites.parquet."""
    typed = run.open_run(folder).sites.collect()
    shutil.copytree(folder, target)
    typed.write_parquet(target / run.SITES)
    meta = json.loads((target / run.RECORD).read_bytes())
    del meta["sites"]
    path = target / run.SITES
    meta["outputs"][run.SITES] = {"sha256": digest(path), "bytes": path.stat().st_size}
    meta["seal"] = run.seal(meta)
    (target / run.RECORD).write_text(json.dumps(meta), encoding="utf-8")
    return target


def spoiled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_an_older_run_reads_the_same(made: Path, tmp_path: Path) -> None:
    older = old_style(made, tmp_path / "older")
    expected = run.open_run(made).sites.collect()
    assert run.open_run(older).sites.collect().equals(expected)
    spoiled(older / run.SCORES)
    # Not one number of its scores is needed.
    assert run.open_run(older).sites.collect().equals(expected)


@pytest.mark.parametrize("name", [run.SCORES, run.SITES])
def test_a_damaged_file_that_holds_some_of_them_is_refused(made: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(made, copy)
    spoiled(copy / name)
    with pytest.raises(InputRefused, match=name.replace(".", r"\.")):
        _ = run.open_run(copy).sites


def test_the_record_says_where_they_are_and_is_sealed(made: Path, tmp_path: Path) -> None:
    opened = run.open_run(made)
    stands = opened.meta["sites"]
    assert stands["columns"] == opened.sites.collect_schema().names()
    assert stands["in_scores"]["_name"] == "name"
    assert stands["counted_from"] == {"_row": 0, "_line": 2}
    copy = tmp_path / "run"
    shutil.copytree(made, copy)
    meta = json.loads((copy / run.RECORD).read_bytes())
    meta["sites"]["in_scores"]["_name"] = "remark"
    (copy / run.RECORD).write_text(json.dumps(meta), encoding="utf-8")
    with pytest.raises(InputRefused, match="changed after the run"):
        run.open_run(copy)
