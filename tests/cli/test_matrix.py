"""The matrix at a terminal: what is named, what is refused, and that it fits."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from vigilance.cli.matrix import command
from vigilance.errors import UsageError

ON = ("--on", "2026-11-01")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*ON, *arguments], catch_exceptions=False)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_it_fits_eighty_columns_and_names_its_columns(lang: str) -> None:
    said = run("--country", "Bangladesh", "--country", "in", "--country", "CHN", "--lang", lang).stdout
    assert max(map(len, said.splitlines())) <= 80
    assert {"BGD", "IND", "CHN"} <= {line[:3] for line in said.splitlines()}
    assert "41 Construction" in said
    for band in ("L low", "H high") if lang == "en" else ("F faible", "É élevé"):
        assert band in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--country", "ZZZ"), "no country is called 'ZZZ'"),
        (("--country", "Bangladsh"), "did you mean Bangladesh"),
        (("--activity", "777"), "no activity is called '777'"),
        (("--country", "BGD", "--activity", "C"), "no activity is called 'C'"),
    ],
)
def test_what_is_none_is_refused(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(*arguments)


def test_an_activity_by_its_name() -> None:
    by_name = run("--country", "BGD", "--activity", "Manufacture of textiles", "--format", "csv").stdout
    assert by_name == run("--country", "BGD", "--activity", "13", "--format", "csv").stdout
    assert len(by_name.splitlines()) == 2
