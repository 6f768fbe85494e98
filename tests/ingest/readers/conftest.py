from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from vigilance.ingest.readers import Names, RawTable, read_raw

WANTED = Names(("id", "name", "country"))


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write bytes to a file and give its path."""

    def write(content: bytes, name: str = "list.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def cells(table: RawTable) -> list[tuple[str | None, ...]]:
    """The values of a table without the position columns."""
    frame = table.collect()
    assert frame.columns == [*table.names, "_row", "_line"]
    assert frame["_row"].to_list() == list(range(frame.height))
    assert all(dtype == pl.String for dtype in frame.schema.dtypes()[:-2])
    return [row[:-2] for row in frame.rows()]


def lines(table: RawTable) -> list[int]:
    return table.collect()["_line"].to_list()


def codes(table: RawTable) -> list[tuple[str, int | None]]:
    return table.issues.select("code", "row").rows()


def read(path: Path, **options: object) -> RawTable:
    return read_raw(path, required=options.pop("required", WANTED), **options)[0]  # type: ignore[arg-type]
