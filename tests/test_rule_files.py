"""Rule files as trees: what is refused is a flaw with its line, never a warning on standard error."""

from __future__ import annotations

import warnings
from pathlib import Path

from vigilance.rule_files import read


def test_an_anchor_used_twice_is_a_flaw_and_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text("a: &x 1\nb: &x 2\nc: *x\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = read(path, path.name)
    assert [flaw.line for flaw in tree.flaws] == [1, 2, 3]
    assert tree.content == {"a": None, "b": None, "c": None}
