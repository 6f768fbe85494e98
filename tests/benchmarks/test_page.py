"""The pages on speed show what was measured, and say plainly what was missed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import page, speed


@pytest.mark.parametrize("name", page.SECTIONS)
def test_a_page_shows_the_measurements_that_were_kept(name: str) -> None:
    path = page.ROOT / page.SECTIONS[name][0]
    text = path.read_text(encoding="utf-8")
    found = json.loads((page.MEASURED / f"{name}.json").read_text(encoding="utf-8"))
    assert page.renewed(text, name, found) == text, "python -m benchmarks.page --write renews it"


def test_every_contender_has_its_words_and_every_goal_its_contender() -> None:
    assert set(page.CONTENDERS) == set(speed.CONTENDERS)
    assert set(speed.GOALS) < set(speed.CONTENDERS)


def measured(**ratios: tuple[float, float]) -> dict[str, Any]:
    row = {"least": 0.5, "most": 3.0, "seconds": 1.0, "cpu": 2.0, "peak_gib": 1.5}
    return {
        "rows": 1000,
        "bytes": 10**9,
        "audits": 0,
        "rounds": [{}],
        "machine": speed.machine(),
        "load_at_end": 1.0,
        "versions": {"polars": "2"},
        "ratios": {name: {**row, "ratio": wall, "cpu_ratio": cpu} for name, (wall, cpu) in ratios.items()},
        "largest_difference_of_p50": 1e-13,
    }


@pytest.mark.parametrize(
    ("wall", "cpu", "said"),
    [(1.4, 9.0, "1.5: reached |"), (1.6, 1.5, "1.5: reached in CPU only |"), (1.6, 1.6, "missed")],
)
def test_a_goal_is_reached_or_missed(wall: float, cpu: float, said: str) -> None:
    made = page.speed(measured(copy_duckdb=(1.0, 1.0), ours_polars=(wall, cpu)))
    assert said in made.splitlines()[-3]
    assert "0.50 to 3.00" in made


def test_a_page_without_the_section_is_refused() -> None:
    with pytest.raises(ValueError, match="<!-- speed -->"):
        page.renewed("# nothing here", "speed", measured())
