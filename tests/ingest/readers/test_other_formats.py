"""Parquet, Arrow and JSON lines as text; damage is refused."""

import datetime as dt
import random

import polars as pl
import pytest

from vigilance.errors import InputRefused
from vigilance.ingest.readers import read_raw

from .conftest import WANTED, cells, codes, lines, read


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [7, 8],
            "name": ["a", ""],
            "country": pl.Series(["FR", "DE"], dtype=pl.Categorical),
            "share": [1.0, float("nan")],
            "small": [0.1, None],
            "day": [dt.date(2026, 2, 1), None],
            "at": [dt.datetime(2026, 2, 1, 3, 4, 5)] * 2,  # noqa: DTZ001 - the column has no time zone
            "yes": [True, None],
            "list": [[1], [2]],
        }
    )


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_typed_columns_become_text(frame, tmp_path, kind):
    path = tmp_path / f"list.{kind}"
    frame.write_parquet(path) if kind == "parquet" else frame.write_ipc(path)
    table = read(path)
    assert cells(table) == [
        ("7", "a", "FR", "1", "0.1", "2026-02-01", "2026-02-01 03:04:05", "true"),
        ("8", None, "DE", None, None, None, "2026-02-01 03:04:05", None),
    ]
    assert table.types["share"] == "Float64"
    assert codes(table) == [("nested_column", None), ("not_a_number", None)]
    assert lines(table) == [1, 2]


def test_missing_columns_and_other_content_are_refused(frame, tmp_path):
    path = tmp_path / "list.parquet"
    frame.drop("name").write_parquet(path)
    with pytest.raises(InputRefused, match="no columns 'name'"):
        read(path)
    path.write_bytes(b"id,name,country\n")
    with pytest.raises(InputRefused, match="name says columnar"):
        read(path)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_damaged_files_raise_nothing_else(frame, tmp_path, seed, kind):
    rng = random.Random(seed)
    path = tmp_path / f"list.{kind}"
    frame.write_parquet(path) if kind == "parquet" else frame.write_ipc(path)
    content = bytearray(path.read_bytes())
    for _index in range(rng.randint(1, 5)):
        content[rng.randrange(8, len(content))] = rng.randrange(256)
    path.write_bytes(content)
    try:
        table = read_raw(path, required=WANTED)[0]
    except InputRefused:
        return
    assert table.collect().height == table.counts.loaded


def test_json_lines_keep_numbers_as_written(put):
    content = (
        b'{"id":1.10,"name":"a\\nb","country":"FR","tags":["x"]}\n\n[1]\n'
        b'{"id":12345678901234567890123,"country":null,"name":true,"new":""}\n'
        b'{"id":1,"id":2}\n{"id":NaN}\n{"id":"\\ud800"}\nnothing\n'
    )
    table = read(put(content, "list.jsonl"))
    assert cells(table) == [
        ("1.10", "a\nb", "FR", '["x"]', None),
        ("12345678901234567890123", "true", None, None, None),
    ]
    assert lines(table) == [1, 4]
    assert table.counts.blank == 1
    assert table.counts.set_aside == 5
    assert table.rejected.row(0) == (3, b"[1]", "not_an_object")
    assert set(table.issues["code"]) == {"not_an_object", "bad_json"}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"[\n]\n", "no line holds"),
        (b'{"id":1}\n', "'name'"),
        (b'{"id":1}\n{"id":"\xff"}\n', "line 2"),
        (b'{"id":1}\n{"id":"\0"}\n', "NUL"),
        (b'{"id":1,"name":2,"country":3,"Name":4}\n', "twice"),
        (b"[" * 100_000, "no line holds"),
    ],
)
def test_json_lines_refused(put, content, word):
    with pytest.raises(InputRefused, match=word):
        read(put(content, "list.jsonl"))


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_names_with_wildcards_are_plain_names(frame, tmp_path, kind):
    path = tmp_path / f"list [1] *?.{kind}"
    {"csv": frame.drop("list").write_csv, "parquet": frame.write_parquet, "arrow": frame.write_ipc}[kind](path)
    (tmp_path / f"list 1 xy.{kind}").write_bytes(b"other")
    assert [row[0] for row in cells(read(path))] == ["7", "8"]
