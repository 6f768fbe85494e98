"""Fund files as they come: every kind of line is named, and nothing disappears."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.errors import InputRefused
from vigilance.portfolio import holdings

from .world import HEADER, LINES, ON, positions, write

ABOVE = '\ufeffExample World Fund\nFund Holdings as of,"Dec 24, 2024"\n \n'
BELOW = '\n"The content of this file is\nfor information only, and ""nothing"" else."\n'


def reasons(held: holdings.Holdings) -> dict[str, int]:
    return dict(held.apart.group_by("reason").len().sort("reason").iter_rows())


def test_an_ishares_like_file(tmp_path: Path) -> None:
    held = holdings.read([write(tmp_path / "a.csv", *LINES, above=ABOVE, below=BELOW)], ON)
    assert held.lines["name"].to_list() == ["APPLE INC", "LVMH", "FAST RETAILING LTD"]
    assert held.lines["weight"].to_list() == pytest.approx([0.5, 0.3, 0.18])
    assert held.lines["_row"].to_list() == [5, 6, 7]
    assert reasons(held) == {"cash": 1}
    assert held.funds.select("fund", pl.col("date").cast(pl.String), "value_sum").rows() == [
        ("Example World Fund", "2024-12-24", 2_000_000.0)
    ]
    assert held.rows == held.lines.height + held.apart.height == 4


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_percent_or_fraction_is_decided_by_the_sum(tmp_path: Path, scale: float, delimiter: str) -> None:
    rows = [
        delimiter.join((f"Firm {i}", "Financials", "France", f"{w * scale:.4f}")) for i, w in enumerate((0.5, 0.3, 0.2))
    ]
    header = delimiter.join(("Name", "Sector", "Location", "Weight"))
    held = holdings.read([write(tmp_path / "a.csv", *rows, header=header)], ON)
    assert held.lines["weight"].to_list() == pytest.approx([0.5, 0.3, 0.2])


def test_a_list_of_the_ten_first_keeps_its_percent(tmp_path: Path) -> None:
    held = holdings.read([write(tmp_path / "a.csv", "A,1.9", "B,1.7", header="Name,Weight (%)")], ON)
    assert held.lines["weight"].to_list() == pytest.approx([0.019, 0.017])
    assert "weights_do_not_add_up" in held.issues["code"].to_list()


def test_french_file_with_decimal_commas(tmp_path: Path) -> None:
    rows = (
        "LVMH;FR0000121014;Consommation discrétionnaire;France;60,5",
        "BNP Paribas;FR0000131104;Finance;France;39,5",
    )
    header = "Libellé;Code ISIN;Secteur;Pays;Poids (%)"
    held = holdings.read([write(tmp_path / "a.csv", *rows, header=header)], ON)
    assert held.lines["weight"].to_list() == pytest.approx([0.605, 0.395])
    assert held.lines["isin"].to_list() == ["FR0000121014", "FR0000131104"]


def test_a_workbook_with_lines_above(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["Fund Name:", "Example Sector Fund"],
        ["Ticker Symbol:", "XLX"],
        ["Holdings:", "As of 30-Sep-2026"],
        [],
        ["Name", "Ticker", "Identifier", "SEDOL", "Weight", "Sector", "Shares Held", "Local Currency"],
        ["APPLE INC", "AAPL", "037833100", "2046251", 60.25, "Information Technology", 100, "USD"],
        ["US DOLLAR", "-", "CASH_USD", "Unassigned", 39.75, "Cash", 5, "USD"],
        [],
        ["Past performance is not a guide to the future."],
    ):
        sheet.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    held = holdings.read([path], ON)
    assert held.lines.select("name", "weight", "_row").rows() == [("APPLE INC", 0.6025, 6)]
    assert held.funds["fund"].to_list() == ["Example Sector Fund"]
    assert str(held.funds["date"][0]) == "2026-09-30"
    assert reasons(held) == {"cash": 1}


def test_several_funds_and_dates_in_one_file(tmp_path: Path) -> None:
    header = "Fund Name,Date,Name,Weight,Market Value,Base Currency"
    rows = (
        "One,2026-09-30,A,60,600,EUR",
        "One,2026-09-30,B,40,400,EUR",
        "One,2026-06-30,A,100,900,EUR",
        "Two,2026-09-30,A,100,3000,EUR",
        "Two,2027-01-31,A,100,9000,EUR",
    )
    held = holdings.read([write(tmp_path / "a.csv", *rows, header=header)], ON)
    assert reasons(held) == {"after_the_date": 1, "older_date": 1}
    weight = dict(
        held.lines.group_by("fund", "name")
        .agg(pl.col("weight").sum())
        .select(pl.concat_str("fund", "name"), "weight")
        .iter_rows()
    )
    assert weight == pytest.approx({"OneA": 0.15, "OneB": 0.1, "TwoA": 0.75})


def test_two_tables_in_one_file(tmp_path: Path) -> None:
    one = "\n".join(
        ("First Fund", "", "Name,Weight", "A,55", "B,45", "Total,100", "", "Second Fund", "", "Name,Weight", "C,100")
    )
    path = tmp_path / "a.csv"
    path.write_text(one + "\n", encoding="utf-8")
    held = holdings.read([path], ON)
    assert held.lines.select("fund", "name").rows() == [("First Fund", "A"), ("First Fund", "B"), ("Second Fund", "C")]
    assert reasons(held) == {"total": 1}


def test_kinds_of_lines(tmp_path: Path) -> None:
    header = "Name,Asset Class,Sector,Weight"
    rows = (
        "A,Equity,Financials,40",
        "B,Fixed Income,Corporate,20",
        "C,Fixed Income,Treasury,10",
        "S&P FUTURE,Futures,Cash and/or Derivatives,1",
        "EUR/USD,FX,Cash and/or Derivatives,1",
        "MMF,Money Market,Cash and/or Derivatives,2",
        "GOLD,Commodity,,6",
        "OPT,Options,,20",
    )
    held = holdings.read([write(tmp_path / "a.csv", *rows, header=header)], ON)
    assert held.lines["name"].to_list() == ["A", "B"]
    assert reasons(held) == {
        "commodity": 1,
        "currency": 1,
        "derivative": 1,
        "future": 1,
        "government": 1,
        "money_market": 1,
    }


def test_shorts_are_counted_and_not_exposed() -> None:
    held = positions([{"name": "A", "weight": "130"}, {"name": "B", "weight": "-30"}])
    assert held.lines["weight"].to_list() == pytest.approx([1.3])
    assert held.apart.select("reason", "weight").rows() == [("short", -0.3)]
    assert "short_position" in held.issues["code"].to_list()
    assert held.funds.select("long_sum", "short_sum").row(0) == pytest.approx((1.3, -0.3))


def test_a_copied_line_is_dropped_only_when_the_weights_betray_it() -> None:
    twice = [{"name": "A", "isin": "X", "weight": "50"}, {"name": "A", "isin": "X", "weight": "50"}]
    lots = positions(twice)
    assert lots.lines["weight"].sum() == pytest.approx(1.0)
    assert lots.issues["code"].to_list() == ["duplicate_line"]
    copied = positions([*twice, {"name": "B", "weight": "50"}])
    assert copied.lines["weight"].to_list() == pytest.approx([0.5, 0.5])
    assert copied.apart["reason"].to_list() == ["duplicate"]


def test_values_make_weights_and_two_currencies_need_a_rate(tmp_path: Path) -> None:
    one = positions(
        [{"name": "A", "value": "300", "currency": "EUR"}, {"name": "B", "value": "100", "currency": "EUR"}]
    )
    assert one.lines["weight"].to_list() == pytest.approx([0.75, 0.25])
    with pytest.raises(InputRefused, match="several currencies"):
        positions([{"name": "A", "value": "300", "currency": "EUR"}, {"name": "B", "value": "100", "currency": "USD"}])
    header = "Name,Market Value,Currency,FX Rate"
    rated = holdings.read([write(tmp_path / "a.csv", "A,300,EUR,1", "B,200,USD,2", header=header)], ON)
    assert rated.lines["weight"].to_list() == pytest.approx([0.75, 0.25])


def test_a_fund_of_funds_is_opened_when_its_holdings_are_given(tmp_path: Path) -> None:
    columns = "Name,Asset Class,Weight"
    funds_held = ("A,Equity,60", "Inner Fund,Fund,30", "Closed Fund,ETF,10")
    outer = write(tmp_path / "outer.csv", *funds_held, header=columns, above="Outer Fund\n\n")
    inner = write(tmp_path / "inner.csv", "A,Equity,50", "B,Equity,50", header=columns, above="Inner Fund\n\n")
    held = holdings.read([outer, inner], ON)
    weight = dict(held.lines.group_by("name").agg(pl.col("weight").sum()).iter_rows())
    assert weight == pytest.approx({"A": 0.75, "B": 0.15})
    assert held.apart.select("name", "reason", "weight").rows() == [
        ("Closed Fund", "fund_not_opened", pytest.approx(0.1))
    ]
    assert set(held.issues["code"]) >= {"fund_of_funds"}


def test_unreadable_lines_are_set_apart_and_named(tmp_path: Path) -> None:
    held = holdings.read([write(tmp_path / "a.csv", "A,60", "B,abc", ",,", "C,40", header="Name,Weight")], ON)
    assert held.rejected == 1
    error = held.issues.filter(pl.col("severity") == "error").row(0, named=True)
    assert (error["code"], error["row"], error["value"]) == ("weight_unreadable", 3, "abc")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"1,2,3\n4,5,6\n", "no header"),
        (b"Name,Weight\nSoci\xe9t\xe9,5\n", "Windows-1252"),
        (b"Name,Weight\nA\x00,5\n", "NUL"),
        (b"Name,Weight\n", "no positions"),
        (b"PK\x03\x04 nothing", "workbook"),
        (b'Name;Weight\nB;50\n"A;50\nC;50\n', "line 3"),
        (b"Name,Weight,Weight\nA,50,50\n", "two columns are called Weight"),
    ],
)
def test_files_refused_with_a_reason(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputRefused, match=words):
        holdings.read([path], ON)


def test_rows_too_long_or_too_short_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "A,50", "B,40,extra", "C", "D,50", "", "Source: us", header="Name,Weight")
    held = holdings.read([path], ON)
    assert held.lines["name"].to_list() == ["A", "D"]
    errors = held.issues.filter(pl.col("severity") == "error")
    assert sorted(errors.select("row", "code").rows()) == [(3, "too_many_cells"), (4, "weight_unreadable")]
    assert held.rejected == 2
    assert held.rows == held.lines.height + held.apart.height == 4


def test_utf16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Name\tWeight\nSociété\t100\n".encode("utf-16"))
    assert holdings.read([path], ON).lines["name"].to_list() == ["Société"]


weights = st.lists(st.integers(-50, 500), min_size=1, max_size=12).filter(lambda w: sum(w) > 0 and max(w) > 0)


@settings(max_examples=40, deadline=None)
@given(weights)
def test_every_weight_is_accounted_for(parts: list[int]) -> None:
    whole = sum(parts)
    rows = [{"name": f"Firm {i}", "weight": f"{100 * p / whole:.8f}"} for i, p in enumerate(parts)]
    held = positions(rows)
    assert held.rows == held.lines.height + held.apart.height
    assert held.lines["weight"].sum() + held.apart["weight"].sum() == pytest.approx(1.0, abs=1e-6)


def test_the_header_of_the_accepted_file_is_known() -> None:
    assert holdings.header(HEADER.split(",")) is not None
    assert holdings.header(["a", "b"]) is None
    assert holdings.header(["Name", "Country"]) is None


@pytest.mark.parametrize(
    "words",
    [
        "Name,ISIN,Country,Currency,Exchange,Type of Security,Industry Classification,Weighting",
        "Nom,Secteur,Classe d'actifs,Valeur de marché,Pondération (%),Emplacement,Place boursière,Devise du marché",
        "Emittententicker,Name,Sektor,Anlageklasse,Marktwert,Gewichtung (%),Standort,Börse,Marktwährung",
        "ISIN,SEDOL,Security Name,Number of Shares,Percent of Fund,Base Market Value,Trade Country Name",
        "Fund Ticker,Security Identifier,Holding Ticker,MarketValue,Weight,Name,Class of Shares,Sector,Date",
        "Holding name,% of fund,Sector,Market value",
        "Company,ISIN,% of Net Assets",
    ],
)
def test_headers_of_other_managers(words: str) -> None:
    found = holdings.header(words.split(","))
    assert found is not None
    assert {"name", "weight"} <= set(found)
