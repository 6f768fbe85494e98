"""The kept model: the same numbers to the last bit, and never those of other facts, rules, dates or code."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import narwhals.stable.v2 as nw
import polars as pl
import pytest
from tests.conftest import ON, sites

from vigilance import cache, engines, models, reference, rules
from vigilance.errors import InputRefused
from vigilance.packing import pack, unpack
from vigilance.scoring import explain
from vigilance.scoring.assess import assess
from vigilance.scoring.model import Model, build

ROWS = [
    {"iso3": iso3, "division": division, "tier": tier, "workers": workers, "migrant_share": migrants}
    for iso3 in ("BGD", "FRA", "QAT", "CHN", "MYS", "ATA")
    for division in ("00", "01", "14", "41")
    for tier, workers, migrants in ((0, None, None), (1, 50.0, 0.1), (4, 3000.0, 0.9))
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    return tmp_path / "cache" / "vigilance"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The dates for which a model was built rather than taken."""
    seen: list[date] = []

    def watched(facts: reference.Facts, judgements: rules.Judgements) -> Model:
        seen.append(facts.on)
        return build(facts, judgements)

    monkeypatch.setattr(models, "build", watched)
    return seen


def scored(model: Model) -> pl.DataFrame:
    frame = sites(ROWS)
    found = assess(nw.from_native(frame, eager_only=True), model, engines.look_up(frame, model)).to_native()
    return pl.DataFrame(found)


def bits(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.selectors.float().reinterpret(dtype=pl.UInt64))


def test_a_kept_model_scores_to_the_last_bit(
    folder: Path, builds: list[date], model: Model, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    first, second = models.in_force(facts, judgements), models.in_force(facts, judgements)
    assert builds == [ON]
    assert len(list(folder.glob("model-*.bin"))) == 1
    assert second.facts is facts
    assert second.judgements is judgements
    fresh = bits(scored(model))
    assert bits(scored(first)).equals(fresh)
    assert bits(scored(second)).equals(fresh)
    frame = sites(ROWS)
    lines = [
        bits(explain.ratios(nw.from_native(frame, eager_only=True), m, engines.look_up(frame, m)).to_native())
        for m in (model, second)
    ]
    assert lines[0].equals(lines[1])


def test_packing_twice_changes_nothing(model: Model, facts: reference.Facts, judgements: rules.Judgements) -> None:
    known = {"facts": facts, "judgements": judgements}
    once = unpack(pack(model, known), known)
    assert bits(scored(unpack(pack(once, known), known))).equals(bits(scored(model)))


def test_other_dates_judgements_languages_and_code_have_their_own(
    folder: Path,
    builds: list[date],
    facts: reference.Facts,
    judgements: rules.Judgements,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = date(2026, 10, 1)
    models.in_force(facts, judgements)
    models.in_force(reference.load().in_force(before), judgements)
    models.in_force(facts, rules.load().in_force(before))
    models.in_force(facts, judgements.with_value("method.size_exponent", 0.4))
    monkeypatch.setattr(cache, "code_digest", lambda files: "another version")
    models.in_force(facts, judgements)
    assert len(builds) == len(list(folder.glob("model-*.bin"))) == 5


def test_a_damaged_entry_is_built_again(
    folder: Path, builds: list[date], model: Model, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    models.in_force(facts, judgements)
    (kept,) = folder.glob("model-*.bin")
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    assert bits(scored(models.in_force(facts, judgements))).equals(bits(scored(model)))
    assert len(builds) == 2


def test_changed_facts_are_refused_as_ever(
    folder: Path, tmp_path: Path, builds: list[date], judgements: rules.Judgements
) -> None:
    data = tmp_path / "data"
    shutil.copytree(reference.shipped_data(), data)
    models.in_force(reference.load(data).in_force(ON), judgements)
    table = data / "sponsorship" / "table.csv"
    table.write_bytes(table.read_bytes().replace(b"1", b"0"))
    with pytest.raises(InputRefused):
        models.in_force(reference.load(data).in_force(ON), judgements)
    table.unlink()
    with pytest.raises(InputRefused):
        models.in_force(reference.load(data).in_force(ON), judgements)


def test_facts_that_are_no_files_are_not_kept(
    folder: Path, builds: list[date], facts: reference.Facts, judgements: rules.Judgements
) -> None:
    class Other(reference.Facts):
        pass

    for _time in range(2):
        models.in_force(Other(facts.reference, facts.on), judgements)
    assert len(builds) == 2
    assert not folder.exists()


def test_without_a_cache_all_is_built(
    folder: Path,
    builds: list[date],
    facts: reference.Facts,
    judgements: rules.Judgements,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(cache.VARIABLE, "off")
    for _time in range(2):
        models.in_force(facts, judgements)
    assert len(builds) == 2
    assert not folder.exists()


def test_all_code_that_makes_a_model_is_in_its_name() -> None:
    code = "import sys, vigilance.models; print(*(m for m in sys.modules if m.startswith('vigilance.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    parts = {name.split(".")[1] for name in done.stdout.split()}
    covered = {part.removesuffix(".py") for part in models._CODE}
    # These say what goes wrong, or keep what others made: no number comes from them.
    assert parts - covered <= {"cache", "errors", "i18n", "rule_cache"}
    assert covered - {"rule_tables"} <= parts
