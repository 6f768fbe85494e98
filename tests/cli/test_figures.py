"""Numbers at a terminal: the marks of each language, and no probability told as certain."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.cli import group
from vigilance.cli.figures import chance, number, percent, plain
from vigilance.i18n import use


def test_each_language_has_its_marks() -> None:
    assert number(1234567.891, 1) == "1,234,567.9"
    assert percent(0.0512) == "5.1%"
    assert plain(0.35) == "0.35"
    with use("fr"):
        assert number(1234567.891, 1) == "1\u202f234\u202f567,9"
        assert percent(0.0512) == "5,1\u202f%"
        assert plain(0.35) == "0,35"
    assert percent(None) == "-"


@given(st.floats(0, 1))
def test_no_chance_is_told_as_certain(probability: float) -> None:
    said = chance(probability)
    assert said not in {"100%", "0%", "100.0%"}
    assert (said == "0.0%") == (probability == 0)


@given(st.floats(0, 0.99), st.floats(0, 0.99))
def test_a_smaller_chance_never_reads_larger(one: float, other: float) -> None:
    low, high = sorted((one, other))

    def value(said: str) -> float:
        return float(said.strip("<>%"))

    assert value(chance(low)) <= value(chance(high)) or chance(low).startswith("<")


def test_pipes_get_utf8_whatever_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    group._write_utf8()
    stream.write("évalués → ×2")
    stream.flush()
    assert stream.buffer.getvalue() == "évalués → ×2".encode()


def test_an_old_code_page_does_not_stop_the_help() -> None:
    words = [sys.executable, "-m", "vigilance", "--lang", "fr", "--help"]
    done = subprocess.run(words, capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=False)
    assert done.returncode == 0, done.stderr
    assert "Évalue" in done.stdout.decode()
