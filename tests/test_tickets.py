"""Names, e-mail addresses and telephone numbers in every cell of a grievance: none of them is in any output."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance import tickets
from vigilance.cli.group import cli
from vigilance.rules import Judgements

ON = "2026-11-01"
WORDS = "Rahima Begum / rahima.begum@example.org / +880 1712 345678"
SECRETS = ("rahima", "begum", "712 345678")
COLUMNS = [
    "incident_id",
    "supplier_id",
    "zone",
    "received_on",
    "channel",
    "indicator",
    "substantiated",
    "language",
    "description",
]
WHOLE = ["G-1", "S-1", "", "2026-09-01", "hotline", "debt bondage", "true", "bn", "x"]


def ids(texts: list[str | None]) -> list[str | None]:
    found: list[str | None] = tickets.numbered(pl.Series(texts, dtype=pl.String)).to_list()
    return found


@pytest.mark.parametrize("text", ["G-2026-014", "T12", "1234", "2026-0042", None])
def test_ticket_numbers_stay_as_they_are(text: str | None) -> None:
    assert ids([text]) == [text]


@settings(deadline=None)
@given(st.lists(st.sampled_from([WORDS, "Rahima", "+8801712345678", "8801712345678", "r.b@x.org", "G 1 Rahima"])))
def test_other_ids_become_one_digest_each(texts: list[str]) -> None:
    made = ids([*texts, "G-1"])
    assert made[-1] == "G-1"
    assert len(set(made)) == len({*texts, "G-1"})
    assert all(text is not None and len(text) == 17 and text[0] == "#" for text in made[:-1])
    assert ids(made) == made


def test_what_is_kept_of_a_ticket(judgements: Judgements) -> None:
    rows = pl.DataFrame(
        {
            "_incident_id": ["G-1", "G-2"],
            "_channel": ["NGO partner", WORDS],
            "_indicator": ["Debt bondage", WORDS],
            "_language": ["bn", WORDS],
            "_zone": ["BD-C", WORDS],
        }
    )
    assert tickets.kept(rows, judgements, {"BD-C"}).rows() == [
        ("G-1", "ngo partner", "Debt bondage", "bn", "BD-C"),
        ("G-2", "other", None, None, None),
    ]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("told by x.y@example.org", "told by …"),
        ("call +880 1712-345678 now", "call … now"),
        ("https://example.org/2026/10/123456789012", "https://example.org/2026/10/123456789012"),
        ("US CBP, 2026-10-05", "US CBP, 2026-10-05"),
    ],
)
def test_sources_of_events_lose_addresses_and_numbers(source: str, shown: str) -> None:
    assert pl.select(tickets.masked(pl.lit(source))).item() == shown


def run(*given: object) -> Result:
    result = CliRunner().invoke(cli, [str(part) for part in given])
    assert result.exit_code in (0, 4), result.output
    return result


def written(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.mark.parametrize("ragged", [False, True])
def test_no_word_of_a_ticket_is_in_any_output(tmp_path: Path, ragged: bool) -> None:
    """One row with the words in each column in turn, one that is not of the list, one twice, one with a cell more."""
    sites = [["supplier_id", "name", "country", "activity", "tier", "workers"]]
    sites += [[f"S-{i}", f"Site {i}", "Bangladesh", "Wearing apparel", "1", "500"] for i in range(1, 8)]
    suppliers = written(tmp_path / "suppliers.csv", sites)
    rows = [[*WHOLE[:place], f"{WHOLE[place]} {WORDS}".strip(), *WHOLE[place + 1 :]] for place in range(len(COLUMNS))]
    for number, row in enumerate(rows[1:], 2):
        row[0] = f"G-{number}"
    rows += [
        ["G-90", "", WORDS, *WHOLE[3:]],
        ["G-91", *WHOLE[1:-1], WORDS],
        ["G-91", *WHOLE[1:6], "false", "bn", WORDS],
    ]
    rows += [["G-92", *WHOLE[1:], WORDS]] if ragged else []
    grievances = written(tmp_path / "grievances.csv", [COLUMNS, *rows])
    done, text = tmp_path / "run", []
    evidence: list[Any] = ["--grievances", grievances, "--on", ON, "--max-rejected", 1]
    text.append(run("score", suppliers, *evidence, "--out", done, "--explain").output)
    text.append(run("explain", "S-1", "--run", done, "--json").output)
    text.append(run("explain", "S-1", "--run", done, "--lang", "fr").output)
    run("report", done, "--format", "html,md,xlsx", "--out", tmp_path / "report")
    store = tmp_path / "store"
    text.append(run("watch", "--store", store, suppliers, *evidence, "--out", tmp_path / "watched").output)
    text.append(run("plan", done, "--days", 6, "--out", tmp_path / "plan").output)
    made = pl.read_parquet(done / "grievances.parquet")
    assert made.height >= 5
    for secret in SECRETS:
        assert not any(secret in said.lower() for said in text), secret
        for path in tmp_path.rglob("*"):
            if path.is_file() and path not in (grievances, suppliers):
                assert secret.encode() not in path.read_bytes().lower(), (secret, path)
    for column in made.select(pl.selectors.string()):
        assert not column.str.to_lowercase().str.contains_any(list(SECRETS)).any(), column.name
    assert date.fromisoformat(ON) >= made["_received_on"].max()  # type: ignore[operator]
