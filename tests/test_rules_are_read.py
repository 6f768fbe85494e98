"""Every judgement moves something: the commands, run on the example files, read all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vigilance import rules
from vigilance.cli import main

EXAMPLES = Path(__file__).parent.parent / "data" / "examples"
OF_A_LIBRARY = {"evidence.audit_cells.prior_mean"}
"""What stands in where a caller of ``audit_cells.presence`` has no model to ask; the commands have one."""
GOOD = {0, 4, 10}
"""Done; done with rows set aside; done, with a band that was asked for reached."""


def options(*names: str) -> list[str]:
    """``--audits <file of the examples>`` and so on."""
    return [word for name in names for word in (f"--{name.replace('_', '-')}", str(EXAMPLES / f"{name}.csv"))]


@pytest.mark.slow
def test_every_judgement_is_read_by_some_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    get = rules.Judgements.get

    def recorded(self: rules.Judgements, path: str) -> rules.Estimate:
        read.add(path)
        return get(self, path)

    monkeypatch.setattr(rules.Judgements, "get", recorded)
    # A model that was kept from an earlier run reads nothing.
    monkeypatch.setenv("VIGILANCE_CACHE", "off")
    monkeypatch.chdir(tmp_path)
    suppliers, on = str(EXAMPLES / "suppliers.csv"), ["--on", "2026-11-01"]
    evidence = options("audits", "findings", "grievances", "events", "measures", "lists", "links", "audit_statistics")
    whole = ["--max-rejected", "1", "--quiet"]
    for command in (
        ["score", suppliers, *on, "--out", "run", "--explain", *evidence, *whole],
        ["watch", "--store", "s.duckdb", suppliers, "--on", "2026-10-25", "--out", "week-1", *whole],
        ["watch", "--store", "s.duckdb", suppliers, *on, "--out", "week-2", *evidence, *whole],
        ["plan", "run", "--days", "60", "--out", "plan", "--quiet"],
        ["matrix", *on, "--run", "run", "--quiet"],
        [
            "screen",
            str(EXAMPLES / "holdings.csv"),
            *options("issuers", "questionnaire"),
            *on,
            "--out",
            "screen",
            "--quiet",
        ],
    ):
        monkeypatch.setattr(sys, "argv", ["vigilance", *command])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code in GOOD, command
    assert sorted(set(rules.load().paths) - read - OF_A_LIBRARY) == []
