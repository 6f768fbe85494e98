"""A long text file in memory, its repeating columns as codes, begun before the whole file is proved."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vigilance import ingest
from vigilance.ingest import coded
from vigilance.ingest.readers import Limits, RawTable, coding, proof, read_raw
from vigilance.ingest.readers.table import LINE, ROW
from vigilance.reference import Facts


def test_a_code_that_proves_too_narrow_is_made_wider(
    tmp_path: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows know five parents, the whole file more than a byte can count."""
    monkeypatch.setattr(coding, "_SAMPLE", 100)
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)
    parents = [f"Group {i % 5 if i < 100 else i // 2}" for i in range(1000)]
    path = tmp_path / "sites.csv"
    ids = [f"S{i}" for i in range(1000)]
    pl.DataFrame({"supplier_id": ids, "name": ids, "country": "France", "parent_company": parents}).write_csv(path)
    rows = ingest.read([path], on=date(2026, 11, 22), reference=facts).rows.collect()
    assert rows["_parent_company"].to_list() == parents
    assert isinstance(rows.schema["parent_company"], pl.Enum)
    assert rows["parent_company"].cast(pl.String).to_list() == parents


def test_the_memory_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(coding, "_GROUP_LIMIT", limit)
    whole = coding._memory()
    assert whole > 0
    limit.write_text("max\n")
    assert coding._memory() == whole
    limit.write_text("1000000\n")
    assert coding._memory() == 1_000_000


def _table(path: Path, rows: int, flaw: str = "") -> Path:
    """A file of two columns; the row before the last is ``flaw``, if there is one."""
    lines = [f"S{i},{['red', 'green', ''][i % 3]}" for i in range(rows)]
    if flaw:
        lines[-2] = flaw
    path.write_text("id,word\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and segments of a few lines, however short the file."""
    monkeypatch.setattr(proof, "SMALLEST", 0)
    monkeypatch.setattr(proof, "BLOCK", 200)
    monkeypatch.setattr(coding, "SEGMENT", 500)
    monkeypatch.setattr(coding, "LEAST_ROWS", 1)


def _read(path: Path, *, ahead: bool = True) -> RawTable:
    (raw,) = read_raw(path, required=None, limits=Limits(cell=100), delimiter=",", ahead=ahead)
    return raw


@pytest.mark.usefixtures("begins")
def test_a_clean_file_is_parsed_while_it_is_proved(tmp_path: Path) -> None:
    path = _table(tmp_path / "list.csv", 500)
    raw = _read(path)
    assert raw.begun is not None
    held = raw.begun.result()
    assert held is not None
    assert isinstance(held.frame.schema["word"], pl.Enum)
    plain = raw.collect()
    assert held.frame.with_columns(pl.col("word").cast(pl.String)).equals(plain.drop(ROW, LINE))
    assert _read(path, ahead=False).begun is None


@pytest.mark.usefixtures("begins")
@pytest.mark.parametrize("flaw", ["S498", "S498,a,b", 'S498,"a', ""])
def test_what_was_parsed_of_a_file_with_a_flaw_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flaw: str
) -> None:
    met: list[bytes] = []
    read = coding.Ahead._read

    def watched(self: coding.Ahead, begin: int, end: int) -> bytes:
        met.append(read(self, begin, end))
        return met[-1]

    monkeypatch.setattr(coding.Ahead, "_read", watched)
    path = _table(tmp_path / "list.csv", 500, flaw or "\n")
    early, plain = _read(path), _read(path, ahead=False)
    assert early.begun is None
    assert early.collect().equals(plain.collect())
    assert early.counts == plain.counts
    assert early.rejected.equals(plain.rejected)
    assert early.issues.equals(plain.issues)
    # What is not proved never meets the parser.
    assert met
    assert not any(b"S497" in piece for piece in met)


@pytest.mark.usefixtures("begins")
def test_a_code_that_proves_too_narrow_for_a_later_segment_is_made_wider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coding, "_SAMPLE", 100)
    words = [f"word {i % 5 if i < 100 else i // 2}" for i in range(1000)]
    path = tmp_path / "list.csv"
    pl.DataFrame({"id": [f"S{i}" for i in range(1000)], "word": words}).write_csv(path)
    raw = _read(path)
    assert raw.begun is not None
    held = coded.hold(raw)
    assert held is not None
    frame = held.frame.collect()
    assert frame["word"].cast(pl.String).to_list() == words
    assert frame[ROW].to_list() == list(range(1000))


@pytest.mark.usefixtures("begins")
@pytest.mark.parametrize("texts", [3, 40, 400])
@pytest.mark.parametrize("at", [None, 50, 5_000, 9_999])
def test_a_text_that_the_sample_lacks_is_read_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: int, at: int | None
) -> None:
    """Columns are taken to have the texts of their sample alone, and that is seen to be wrong where it is."""
    monkeypatch.setattr(coding, "_SAMPLE", 2_000)
    monkeypatch.setattr(coding, "SEGMENT", 40_000)
    words = [f"word {i % texts}" if i % 11 else None for i in range(10_000)]
    if at is not None:
        words[at] = "new"
    frame = pl.DataFrame({"id": [f"S{i}" for i in range(10_000)], "word": words, "rows": ["a", "b"] * 5_000})
    path = tmp_path / "list.csv"
    frame.write_csv(path)
    kinds = []
    piece = coding.Ahead._piece

    def watched(*given: Any) -> pl.DataFrame | None:
        made = piece(*given)
        assert made is not None
        kinds.append(made.schema["rows"])
        return made

    monkeypatch.setattr(coding.Ahead, "_piece", watched)
    begun = _read(path).begun
    assert begun is not None
    held = begun.result()
    assert held is not None
    assert held.frame.with_columns(pl.col("word", "rows").cast(pl.String)).equals(frame)
    assert all(isinstance(held.frame.schema[name], pl.Enum) for name in ("word", "rows"))
    assert len(kinds) > 3
    assert all(isinstance(kind, pl.Enum) for kind in kinds) == (at is None or at == 50)
    told = held.words["word"]
    assert dict(zip(told.texts, told.rows.tolist(), strict=True)) == {None: words.count(None)} | Counter(
        word for word in words if word is not None
    )
    assert [words[row] for row in told.first.tolist()] == told.texts.to_list()


@pytest.mark.usefixtures("begins")
def test_what_would_not_fit_into_memory_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file counts, not the rows of the sample."""
    monkeypatch.setattr(coding, "_SAMPLE", 10)
    path = _table(tmp_path / "list.csv", 500)
    for memory, fits in ((coding.SHARE * 500 * 20, True), (coding.SHARE * 500 * 12, False)):
        monkeypatch.setattr(coding, "_memory", lambda memory=memory: memory)
        raw = _read(path)
        assert raw.begun is not None
        assert (raw.begun.result() is not None) == fits


@pytest.mark.usefixtures("begins")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(*[st.text(alphabet='ab ,"é;', max_size=6)] * 2), min_size=3, max_size=60),
    segment=st.integers(1, 400),
    last=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
@example(rows=[("", ";")] * 4, segment=1, last=False, end="\r\n")
def test_segments_are_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, str]], segment: int, last: bool, end: str
) -> None:
    monkeypatch.setattr(coding, "SEGMENT", segment)
    monkeypatch.setattr(coding, "_REPEATING", 2.0)
    path = tmp_path / "list.csv"
    frame = pl.DataFrame(
        {"id": [f"S{i}" for i in range(len(rows))], "a": [a for a, _ in rows], "b": [b for _, b in rows]}
    )
    text = frame.write_csv(quote_style="necessary", line_terminator=end)
    path.write_text(text if last else text.removesuffix(end), encoding="utf-8", newline="")
    raw = _read(path)
    assert raw.dialect.line_end == {"\n": "LF", "\r\n": "CRLF"}[end]
    assert raw.begun is not None
    held = coded.hold(raw)
    assert held is not None
    assert held.frame.with_columns(pl.selectors.enum().cast(pl.String)).collect().equals(raw.collect())


def test_a_file_that_became_shorter_is_not_read_as_if_it_were_whole(tmp_path: Path) -> None:
    ahead = coding.Ahead(_table(tmp_path / "list.csv", 50), 0, lambda _lines, _kinds: pl.LazyFrame(), ["id", "word"])
    size = (tmp_path / "list.csv").stat().st_size
    assert len(ahead._read(0, size)) == size
    with pytest.raises(OSError, match="became shorter"):
        ahead._read(0, size + 1)
    ahead.forget()


def test_codes_do_not_depend_on_which_thread_met_a_text_first() -> None:
    texts = ["b", "d", "z", "y", "x", "a"]
    for order in (texts, texts[::-1]):
        kind = pl.Categorical(pl.Categories.random("test", physical=pl.UInt8))
        known = pl.Series(["b", "d"]).cast(kind)
        met = pl.Series(order).cast(kind)
        found, words = coding._coded(pl.Series("w", ["a", None, "x", "b", "z", "a"]).cast(kind), len(known))
        assert found.dtype == pl.Enum(["b", "d", "a", "x", "y", "z"])
        assert found.cast(pl.String).to_list() == ["a", None, "x", "b", "z", "a"]
        assert words.texts.to_list() == ["b", "d", "a", "x", "y", "z", None]
        assert words.rows.tolist() == [1, 0, 2, 1, 0, 1, 1]
        assert words.first.tolist() == [3, 0, 0, 2, 0, 4, 1]
        assert len(met) == len(texts)


def test_many_texts_stay_codes_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "_FEW", 2)
    kind = pl.Categorical(pl.Categories.random("test"))
    found, words = coding._coded(pl.Series("w", ["c", "a", "b", "a"]).cast(kind), 0)
    assert found.dtype == kind
    assert words.texts.to_list() == ["c", "a", "b", None]
    assert words.rows.tolist() == [1, 2, 1, 0]
