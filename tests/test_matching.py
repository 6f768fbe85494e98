"""Lists against sites: what looks alike is shown, and only a person decides."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from vigilance import matching, rules
from vigilance.errors import InputRefused, UsageError
from vigilance.rules import Judgements

ON = date(2026, 11, 1)


@cache
def judgements() -> Judgements:
    return rules.load().in_force(ON)


def pairs(names: list[str], sites: list[tuple[str, str | None]], aliases: str | None = None) -> pl.DataFrame:
    lists = pl.DataFrame(
        {
            "_list": ["uflpa"] * len(names),
            "_name": names,
            "_aliases": [aliases] * len(names),
            "_iso3": ["CHN"] * len(names),
        },
        schema_overrides={"_aliases": pl.String},
    )
    made = pl.DataFrame(
        {
            "_supplier_id": [f"S{i}" for i in range(len(sites))],
            "_name": [n for n, _ in sites],
            "_iso3": [c for _, c in sites],
        },
        schema_overrides={"_iso3": pl.String},
    )
    return matching.possible(lists, made.lazy(), judgements())


@pytest.mark.parametrize(
    ("listed", "site"),
    [
        ("Hotan Taida Apparel Co., Ltd.", "HOTAN TAIDA APPAREL"),
        ("Société Lumière S.A.", "Lumiere SA"),
        ("Hotan Taida Apparel", "Taida Hotan Aparel Company Limited"),
        ("Kashgar Knitwear GmbH", "kashgar  knitwear"),
    ],
)
def test_spellings_of_one_name_meet(listed: str, site: str) -> None:
    found = pairs([listed], [(site, "CHN")])
    assert found.select("_supplier_id", "_site_name").rows() == [("S0", site)]
    assert found["_confidence"].item() > 0.5


def test_other_names_do_not() -> None:
    assert pairs(
        ["Hotan Taida Apparel"], [("Taida Steel Works", "CHN"), ("Apparel Global", "CHN"), ("Ltd", "CHN")]
    ).is_empty()


def test_an_alias_is_enough_and_is_shown() -> None:
    found = pairs(["Hotan Taida Apparel"], [("Hetian Teda", "CHN")], aliases="Hetian TEDA; Other name")
    assert found.select("_name", "_alias").row(0) == ("Hotan Taida Apparel", "Hetian TEDA")


def test_the_country_is_a_second_signal() -> None:
    found = pairs(["Kashgar Knitwear"], [("Kashgar Knitwear", c) for c in ("CHN", None, "FRA")])
    sure = dict(found.select("_supplier_id", "_confidence").iter_rows())
    assert sure["S0"] == 1.0
    assert sure["S0"] > sure["S1"] > sure["S2"] > 0


def test_a_name_of_common_words_matches_only_as_a_whole() -> None:
    crowd = [(f"Global Textile {i}x", "CHN") for i in range(60)]
    found = pairs(["Global Textile"], [*crowd, ("Textile Global", "CHN"), ("GLOBAL TEXTILE LTD", "CHN")])
    assert found["_supplier_id"].to_list() == ["S61"]


def test_decisions_are_saved_and_replayed(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    found = pairs(["Kashgar Knitwear"], [("Kashgar Knitwear", "CHN"), ("Kashgar Knitwears", "CHN")])
    assert found["_decision"].null_count() == 2
    name = "Kashgar Knitwear"
    made = matching.decide(matching.read_decisions(path), [("uflpa", name, "S0")], "rejected", "kim", date(2026, 9, 1))
    made = matching.decide(made, [("uflpa", name, "S0"), ("uflpa", name, "S1")], "confirmed", "lea", date(2026, 10, 1))
    matching.write_decisions(made, path)
    again = matching.read_decisions(path)
    assert again.equals(made)

    def decided(on: date) -> dict[str, str | None]:
        return dict(matching.with_decisions(found, again, on).select("_supplier_id", "_decision").iter_rows())

    assert decided(ON) == {"S0": "confirmed", "S1": "confirmed"}
    assert decided(date(2026, 9, 15)) == {"S0": "rejected", "S1": None}
    assert decided(date(2026, 1, 1)) == {"S0": None, "S1": None}


@pytest.mark.parametrize(
    "text",
    [
        "list,name,supplier_id,decision,by,on\nuflpa,X,S0,maybe,kim,2026-01-01\n",
        "list,name,supplier_id,decision,by,on\nuflpa,X,S0,confirmed,kim,01/02/2026\n",
        "list,name,supplier_id,decision,by,on\nuflpa,X,S0,confirmed,,2026-01-01\n",
        "list,name,site,decision,by,on\nuflpa,X,S0,confirmed,kim,2026-01-01\n",
    ],
)
def test_a_decision_is_never_guessed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        matching.read_decisions(path)


def test_only_two_decisions_exist() -> None:
    with pytest.raises(UsageError):
        matching.decide(matching.DECISION_SCHEMA.to_frame(), [("l", "n", "s")], "maybe", "kim", ON)
