"""Whole files through the door: the bad-input contract, counts, keys, templates, frames."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest.conftest import ON, codes

from vigilance import ingest
from vigilance.errors import InputRefused, UsageError
from vigilance.reference import Facts
from vigilance.terms import SITE_COLUMNS

HEADER = "supplier_id,name,country,activity,tier,workers,migrant_share,recruitment_fees"
GOOD = "A-{i},Site {i},France,Textiles,1,50,0.1,no"


@pytest.fixture
def read(facts: Facts, tmp_path: Path) -> Callable[..., ingest.Intake]:
    def from_text(*lines: str, header: str = HEADER, **options: Any) -> ingest.Intake:
        path = tmp_path / "list.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return ingest.read(path, on=ON, reference=facts, **options)

    return from_text


CONTRACT = [
    (",Site,France,Textiles,1,50,0.1,no", "value_missing", "supplier_id", ""),
    ("A,,France,Textiles,1,50,0.1,no", "value_missing", "name", ""),
    ("A,Site,,Textiles,1,50,0.1,no", "value_missing", "country", ""),
    ("A,Site,Atlantis,Textiles,1,50,0.1,no", "country_unknown", "country", "Atlantis"),
    ("A,Site,Korea,Textiles,1,50,0.1,no", "country_ambiguous", "country", "Korea"),
    ("A,Site,France,Textiles,99,50,0.1,no", "tier_unreadable", "tier", "99"),
    ("A,Site,France,Textiles,1,-5,0.1,no", "number_out_of_range", "workers", "-5"),
    ("A,Site,France,Textiles,1,9000000,0.1,no", "number_out_of_range", "workers", "9000000"),
    ("A,Site,France,Textiles,1,many,0.1,no", "number_unreadable", "workers", "many"),
    ("A,Site,France,Textiles,1,50,7.5,no", "number_out_of_range", "migrant_share", "7.5"),
    ("A,Site,France,Textiles,1,50,0.1,perhaps", "boolean_unreadable", "recruitment_fees", "perhaps"),
    ("A,Site,France,Textiles,1,50,0.1,no,more", "", "", ""),
]


@pytest.mark.parametrize(("line", "code", "column", "value"), CONTRACT)
def test_a_bad_row_is_named_and_the_good_ones_are_kept(
    read: Callable[..., ingest.Intake], line: str, code: str, column: str, value: str
) -> None:
    intake = read(GOOD.format(i=1), line, GOOD.format(i=2))
    errors = intake.issues.filter(pl.col("severity") == "error")
    assert errors.height == 1
    issue = errors.row(0, named=True)
    assert issue["row"] == 3
    if code:
        assert (issue["code"], issue["column"], issue["value"]) == (code, column, value)
        assert issue["hint"]
    assert intake.counts == {"rows_in": 3, "loaded": 2, "set_aside": 1, "blank": 0}
    assert intake.rows.collect()["_supplier_id"].to_list() == ["A-1", "A-2"]
    assert intake.rejected["line"].to_list() == [3]
    assert line.split(",")[1].encode() in intake.rejected["original"][0]


def test_the_columns_that_scoring_reads_are_there_with_their_types(read: Callable[..., ingest.Intake]) -> None:
    rows = read("A,Site,Inde,Textiles,T2,100,40 %,oui", "B,Bis,IN,,,,,").rows.collect()
    assert set(SITE_COLUMNS) <= set(rows.columns)
    kinds = {"_row": pl.Int64, "_tier": pl.Int8, "_workers": pl.Float64, "_factors": pl.Int32, "_zone": pl.String}
    assert {name: rows.schema[name] for name in kinds} == kinds
    assert rows.select("_iso3", "_division", "_tier", "_workers", "_migrant_share").rows() == [
        ("IND", "13", 2, 100.0, 0.4),
        ("IND", "00", 0, None, None),
    ]
    assert rows["country"].to_list() == ["Inde", "IN"]


def test_required_columns_that_are_missing_are_named_with_what_was_found(read: Callable[..., ingest.Intake]) -> None:
    with pytest.raises(InputRefused) as refused:
        read("A,France", header="supplier_id,country")
    assert "name" in str(refused.value)
    with pytest.raises(UsageError):
        read(GOOD, mapping={"colour": "x"})
    with pytest.raises(UsageError):
        read(GOOD, table="spaceships")


def test_headers_in_french_and_a_map(read: Callable[..., ingest.Intake]) -> None:
    header = "Identifiant fournisseur,Raison sociale,PAYS,Secteur d'activité,Rang,Effectif,Part de migrants,Truc"
    intake = read("A,Site,Inde,Textile,rang 2,100,0.4,oui", header=header, mapping={"recruitment_fees": "truc"})
    assert intake.columns["recruitment_fees"] == "Truc"
    assert intake.columns["activity"] == "Secteur d'activité"
    assert codes(intake) == []


def test_an_unknown_column_is_kept_and_a_near_miss_suggested(read: Callable[..., ingest.Intake]) -> None:
    intake = read("A,Site,France,x,50", header="supplier_id,name,country,colour,wrokers")
    assert codes(intake) == ["column_unknown", "column_unknown"]
    hints = dict(zip(intake.issues["column"], intake.issues["hint"], strict=True))
    assert "workers" in hints["wrokers"]
    assert intake.rows.collect()["colour"].to_list() == ["x"]
    assert "_workers" in intake.rows.collect().columns


def test_identical_rows_are_taken_once_and_different_ones_not_at_all(read: Callable[..., ingest.Intake]) -> None:
    twice = "B,Site B,France,Textiles,1,50,0.1,no"
    other = "C,Site C,France,Textiles,1,50,0.1,no"
    intake = read(GOOD.format(i=1), twice, twice, other, other.replace("50", "51"))
    assert intake.rows.collect()["_supplier_id"].to_list() == ["A-1", "B"]
    assert sorted(zip(intake.issues["code"], intake.issues["row"], strict=True)) == [
        ("duplicate_identical", 4),
        ("duplicate_key", 5),
        ("duplicate_key", 6),
    ]
    assert intake.counts == {"rows_in": 5, "loaded": 2, "set_aside": 3, "blank": 0}


def test_keys_are_compared_over_all_files(facts: Facts, tmp_path: Path) -> None:
    for name, workers in (("a.csv", 50), ("b.csv", 60)):
        (tmp_path / name).write_text(f"supplier_id,name,country,workers\nA,X,France,{workers}\n{name},Y,France,1\n")
    intake = ingest.read(tmp_path, on=ON, reference=facts)
    rows = intake.rows.collect()
    assert rows["_supplier_id"].to_list() == ["a.csv", "b.csv"]
    assert rows["_row"].to_list() == [1, 3]
    assert intake.issues["file"].to_list() == ["a.csv", "b.csv"]
    assert [(s.rows_in, s.loaded, s.set_aside) for s in intake.sources] == [(2, 1, 1), (2, 1, 1)]


def test_an_id_is_derived_and_said_and_is_the_same_everywhere(facts: Facts) -> None:
    one = pl.DataFrame({"name": ["Atelier  Durand", "B"], "country": ["France", "Italy"], "address": ["Lyon", None]})
    two = pl.DataFrame({"Country": ["Italie", "FR"], "Nom": ["b", "atelier durand"], "Adresse": [None, "LYON"]})
    first, second = (ingest.from_frame(f, on=ON, reference=facts) for f in (one, two))
    assert codes(first) == ["id_derived"]
    ids = first.rows.collect()["_supplier_id"].to_list()
    assert ids == second.rows.collect()["_supplier_id"].to_list()[::-1]
    assert all(len(i) == 18 and i.startswith("D-") for i in ids)
    assert len(set(ids)) == 2


def test_open_supply_hub_and_prewave_templates_as_they_come(read: Callable[..., ingest.Intake]) -> None:
    upload = read(
        "Bangladesh,Knit,Road 1,Apparel|Textiles,Cut and Sew,100-500,Group,23.8,90.4",
        header="country,name,address,sector_product_type,facility_type_processing_type,number_of_workers,parent_company,lat,lng",
    )
    row = upload.rows.collect().row(0, named=True)
    assert (row["_iso3"], row["_division"], row["_workers"], row["_parent_company"]) == ("BGD", "14", 223.0, "Group")
    download = read(
        "BD2020,2020-01-01,Knit,Road 1,BD,Bangladesh,23.8,90.4,Apparel,200,Group",
        header="os_id,contribution_date,name,address,country_code,country_name,lat,lng,sector,number_of_workers,parent_company",
    )
    assert download.rows.collect()["_supplier_id"].to_list() == ["BD2020"]
    prewave = read(
        "supplier,R1,Klang Glove,MY,Klang,12 Jalan,1000",
        "supplier,R2,Klang Glove,MY,Klang,12 Jalan,1000",
        header="connection_type,your_reference,site_details_name,country_code,locality,address_line,spend_data",
    )
    assert prewave.rows.collect()["_spend_eur"].sum() == 1000
    assert "duplicate_identical" in codes(prewave)


def test_grievances_keep_nothing_but_known_columns(sites: Callable[..., Any]) -> None:
    text = "My name is A. and the foreman took my passport"
    intake = sites(
        {"incident_id": ["I1"], "supplier_id": ["S1"], "received_on": ["2026-01-02"], "description": [text]},
        "grievances",
    )
    assert text not in str(intake.rows.collect().rows())
    assert text not in str(intake.corrected.collect().rows())
    assert text not in str(intake.issues.rows())
    assert codes(intake) == ["column_unknown"]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("audits", {"supplier_id": "S", "date d'audit": "13/02/2026", "préavis": "inopiné", "jours-homme": "2,5"}),
        ("findings", {"supplier_id": "S", "audit date": "2026-02-13", "topic": "wages", "severity": "major"}),
        ("events", {"event_id": "E", "place_kind": "pays", "place": "CHN", "date": "2026-02-13", "proven": "oui"}),
        ("measures", {"parent company": "G", "pilier": "cartographier", "preuve": "documentée", "couverture": "40 %"}),
        ("lists", {"list": "UFLPA", "entity name": "X Co", "pays": "Chine", "since": "2022-06-21"}),
        ("links", {"buyer": "A", "supplier": "B", "share": "0.4"}),
        (
            "audit_statistics",
            {
                "pays": "Inde",
                "secteur": "13",
                "danger": "travail forcé",
                "nombre d'audits": "40",
                "constats": "2",
                "année": "2025",
                "probabilité de tirage": "0,2",
                "éditeur": "X",
            },
        ),
        ("holdings", {"Name": "APPLE INC", "Ticker": "AAPL", "Weight (%)": "50.00", "Location": "United States"}),
        ("issuers", {"name": "Acme", "country": "FR", "activity": "Textiles", "share": "0.4"}),
        ("rankings", {"pays": "Inde", "prévalence": "8,0"}),
    ],
)
def test_every_other_table_is_read(sites: Callable[..., Any], table: str, columns: dict[str, str]) -> None:
    intake = sites({name: [value] for name, value in columns.items()}, table)
    assert intake.counts["loaded"] == 1
    assert len(intake.columns) == len(columns)
    assert all(value is not None for value in intake.rows.collect().select("^_[a-z].*$").drop("_row", "_line").row(0))


def test_the_same_rows_from_any_kind_of_frame(facts: Facts) -> None:
    frame = pl.DataFrame(
        {
            "supplier_id": ["A", "B"],
            "name": ["X", "Y"],
            "country": ["FR", "Inde"],
            "tier": [1, None],
            "workers": [5.0, None],
        }
    )
    relation = duckdb.sql("SELECT * FROM frame")
    given: list[Any] = [frame, frame.lazy(), frame.to_pandas(), frame.to_arrow(), pa.table(frame.to_arrow()), relation]
    expected = ingest.from_frame(frame, on=ON, reference=facts).rows.collect().select("^_[a-z].*$")
    for other in given:
        found = ingest.from_frame(other, on=ON, reference=facts).rows.collect().select("^_[a-z].*$")
        assert found.equals(expected), type(other)
    with pytest.raises(UsageError):
        ingest.from_frame(42, on=ON, reference=facts)
    with pytest.raises(InputRefused, match="country"):
        ingest.from_frame(frame.drop("country"), on=ON, reference=facts)


def test_a_column_named_like_ours_is_kept_apart(sites: Callable[..., Any]) -> None:
    rows = sites({"country": ["France"], "_iso3": ["mine"], "_zone": ["z"]}).rows.collect()
    assert (rows["_iso3"][0], rows["own_iso3"][0], rows["own_zone"][0]) == ("FRA", "mine", "z")


def test_strict_refuses_the_first_error(read: Callable[..., ingest.Intake]) -> None:
    with pytest.raises(InputRefused, match="not the name of a country"):
        read("A,Site,Atlantis,Textiles,1,50,0.1,no", strict=True)


CELLS = {
    "country": ["France", "Inde", "Atlantis", "Korea", "", "NA", "中国"],
    "activity": ["Textiles", "", "zzz", "Manufacturing", "13"],
    "tier": ["1", "T2", "9", "", "Tier 3+"],
    "workers": ["10", "-1", "1 000", "100-500", "", "x"],
    "migrant_share": ["0.1", "7.5", "", "abc"],
}


@settings(max_examples=20, deadline=None)
@given(data=st.data(), rows=st.integers(1, 12))
def test_no_row_is_lost_and_each_row_reads_alone_as_among_others(
    sites: Callable[..., Any], data: st.DataObject, rows: int
) -> None:
    columns = {n: data.draw(st.lists(st.sampled_from(v), min_size=rows, max_size=rows)) for n, v in CELLS.items()}
    columns["supplier_id"] = data.draw(st.lists(st.sampled_from("ABCDEFGH"), min_size=rows, max_size=rows))
    intake = sites(columns)
    counts = intake.counts
    assert counts["rows_in"] == counts["loaded"] + counts["set_aside"] + counts["blank"] == rows
    assert intake.rows.collect().height == counts["loaded"]
    assert intake.rejected.height == counts["set_aside"]
    assert set(intake.rejected["line"]) <= set(intake.issues["row"].drop_nulls())


@pytest.mark.slow
def test_a_large_mixed_file(read: Callable[..., ingest.Intake]) -> None:
    rng = random.Random(3)
    bad = {"country": "Atlantis", "workers": "-5", "tier": "99"}
    lines, spoilt = [], 0
    for i in range(200_000):
        cells = {"country": rng.choice(["France", "Inde", "BD"]), "workers": str(rng.randint(1, 4000)), "tier": "1"}
        if rng.random() < 0.01:
            spoilt += 1
            name = rng.choice(list(bad))
            cells[name] = bad[name]
        lines.append(f"S{i},Site {i},{cells['country']},Textiles,{cells['tier']},{cells['workers']},0.1,")
    intake = read(*lines)
    assert intake.counts == {"rows_in": 200_000, "loaded": 200_000 - spoilt, "set_aside": spoilt, "blank": 0}
    assert intake.issues.filter(pl.col("severity") == "error").height == spoilt
    assert intake.rows.select(pl.len()).collect().item() == 200_000 - spoilt
