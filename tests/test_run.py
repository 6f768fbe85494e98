"""A run is opened only while every file of it is the one that was written."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from vigilance import issues, pipeline
from vigilance.errors import InputRefused, UsageError
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.run import open_run, seal
from vigilance.scoring.assess import PLACE, SCORES

ON = date(2026, 11, 1)
LIST = """\
supplier_id,name,country,activity,tier,workers,remark
A-1,Penang Gloves,Malaysia,22,1,3000,keep
A-2,Delta Knit,Bangladesh,14,,"2,5",
A-3,Rivière Couture,France,14,1,40,keep
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, facts: Facts, judgements: Judgements) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "list.csv").write_text(LIST, encoding="utf-8")
    job = pipeline.Job(inputs=[folder / "list.csv"], on=ON, out=folder / "run", explain=True)
    return pipeline.score(job, facts, judgements).run.path


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def test_a_run_gives_its_tables(run: Path) -> None:
    opened = open_run(run)
    opened.verify_all()
    assert opened.on == ON
    scores, sites = opened.scores.collect(), opened.sites.collect()
    assert scores.columns[:7] == ["supplier_id", "name", "country", "activity", "tier", "workers", "remark"]
    assert scores.columns[7:] == [*SCORES, *PLACE, "rank", "rank_low", "rank_high"]
    assert scores["workers"].to_list() == ["3000", "2,5", "40"]
    assert sites["_workers"].to_list() == [3000.0, 2.5, 40.0]
    assert scores["supplier_id"].to_list() == sites["_supplier_id"].to_list()
    assert opened.issues.schema == issues.SCHEMA
    assert opened.has("ratios.parquet")
    assert opened.evidence("audits") is None


def test_words_are_handed_out_as_text(run: Path) -> None:
    schema = open_run(run).scores.collect_schema()
    for column in ("forced_labour_band", "forced_labour_grade", "forced_labour_driver_1"):
        assert schema[column] == pl.String


def files(folder: Path) -> list[str]:
    return sorted(json.loads((folder / "run.json").read_bytes())["outputs"])


def test_one_bit_of_any_file_is_noticed(run: Path) -> None:
    opened = open_run(run)
    assert {"scores.parquet", "sites.parquet", "scores.csv", "ratios.parquet", "issues.csv"} <= set(files(run))
    for name in files(run):
        path = run / name
        good = path.read_bytes()
        if not good:
            continue
        for place in (0, len(good) // 2, len(good) - 1):
            bad = bytearray(good)
            bad[place] ^= 1
            path.write_bytes(bad)
            with pytest.raises(InputRefused, match=name.replace(".", r"\.")):
                opened.verify_all()
        path.write_bytes(good)
    opened.verify_all()


@pytest.mark.parametrize("name", ["scores.parquet", "sites.parquet"])
def test_no_number_of_a_damaged_table_is_shown(run: Path, name: str) -> None:
    path = run / name
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    opened = open_run(run)
    with pytest.raises(InputRefused, match=name.replace(".", r"\.")):
        _ = opened.scores if name == "scores.parquet" else opened.sites


def test_a_missing_file_is_named(run: Path) -> None:
    (run / "sites.parquet").unlink()
    with pytest.raises(InputRefused, match=r"sites\.parquet is missing"):
        open_run(run).verify_all()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("on",), "2020-01-01"),
        (("counts", "sites"), 7),
        (("rules", "sha256"), "0" * 64),
        (("outputs", "scores.parquet", "sha256"), "0" * 64),
    ],
)
def test_a_changed_record_is_refused(run: Path, path: tuple[str, ...], value: object) -> None:
    record = run / "run.json"
    meta = json.loads(record.read_bytes())
    *outer, last = path
    block = meta
    for key in outer:
        block = block[key]
    block[last] = value
    record.write_text(json.dumps(meta))
    with pytest.raises(InputRefused, match="changed after the run"):
        open_run(run)


def test_how_long_it_took_is_outside_the_seal(run: Path) -> None:
    record = run / "run.json"
    meta = json.loads(record.read_bytes())
    meta["seconds"] = 12.5
    assert seal(meta) == meta["seal"]
    record.write_text(json.dumps(meta))
    open_run(run)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"seal": 1, "outputs": 2}', b"\xff\xfe"])
def test_a_record_that_is_none_is_refused(run: Path, content: bytes) -> None:
    (run / "run.json").write_bytes(content)
    with pytest.raises(InputRefused, match=r"run\.json"):
        open_run(run)


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.json is missing"):
        open_run(tmp_path / "nothing")


def test_the_record_says_what_was_read_and_written(made: Path) -> None:
    meta = open_run(made).meta
    assert [source["file"] for source in meta["inputs"]] == ["list.csv"]
    assert len(meta["inputs"][0]["sha256"]) == len(meta["facts"]["sha256"]) == len(meta["rules"]["sha256"]) == 64
    on_disk = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} - {"run.json"}
    assert set(meta["outputs"]) == on_disk
    assert str(made) not in (made / "run.json").read_text(), "a record must not name the machine's folders"
