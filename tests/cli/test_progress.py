"""The progress bar: only at a terminal, only on long work, in the language in use, gone at the end."""

from __future__ import annotations

import io
import subprocess
import sys
import time

import pytest

from vigilance.cli import progress as progress_
from vigilance.cli.progress import progress
from vigilance.i18n import use


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, long: float, wanted: str = "") -> str:
    """What is drawn during some work that ends when the wanted words are there."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(progress_, "LONG", long)
    with progress(hidden=False) as step:
        step("read", 0)
        step("score", 1200)
        step("score", 34)
        for _attempt in range(600):
            if wanted in terminal.getvalue():
                break
            time.sleep(0.05)
    return terminal.getvalue()


def test_long_work_shows_what_was_done_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    with use("fr"):
        text = drawn(monkeypatch, 0.0, "1,234")
    assert "1,234" in text
    assert "évaluation" in text


def test_short_work_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, 3600.0) == ""


@pytest.mark.parametrize("hidden", [True, False])
def test_hidden_or_without_a_terminal_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch, *, hidden: bool) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(progress_, "LONG", 0.0)
    with progress(hidden=hidden) as step:
        step("score", 5)
        time.sleep(0.05)
    assert said.getvalue() == ""


def test_short_work_imports_no_library_for_bars() -> None:
    code = (
        "import io, sys\n"
        "class Terminal(io.StringIO):\n"
        "    def isatty(self): return True\n"
        "sys.stderr = Terminal()\n"
        "from vigilance.cli.progress import progress\n"
        "with progress(hidden=False) as step: step('score', 5)\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
