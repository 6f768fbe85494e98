"""Evidence through the whole run: orphans set aside, privacy, engines, explanation, laws seen from outside."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from vigilance import explanation, pipeline, reference, rules, run
from vigilance.terms import HAZARDS

ON = date(2026, 11, 1)
SITES = "supplier_id,name,country,activity,tier,workers\n" + "".join(
    f"S-{i},Site {i},Bangladesh,Wearing apparel,1,500\n" for i in range(1, 7)
)
AUDIT = "supplier_id,audited_on,scheme,kind,notice,person_days,interviews,auditor,grade\n"


@pytest.fixture
def score(tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements) -> Any:
    count = 0

    def of(engine: str = "polars", **tables: str) -> run.Run:
        nonlocal count
        count += 1
        folder = tmp_path / f"in{count}"
        folder.mkdir()
        (folder / "suppliers.csv").write_text(SITES, encoding="utf-8")
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        job = pipeline.Job(
            inputs=[folder / "suppliers.csv"],
            on=ON,
            out=tmp_path / f"out{count}",
            engine=engine,
            max_rejected=1.0,
            evidence={name: folder / f"{name}.csv" for name in tables},
        )
        return pipeline.score(job, facts, judgements).run

    return of


def p50(done: run.Run, hazard: str = "forced_labour") -> dict[str, float]:
    frame = done.scores.select("supplier_id", f"{hazard}_p50").collect()
    return dict(frame.iter_rows())


def test_a_clean_audit_barely_reassures_and_an_announced_one_less(score: Any) -> None:
    audits = AUDIT + (
        "S-1,2026-06-01,ICS,initial,announced,2,13,Firm A,A\nS-2,2026-06-01,ICS,initial,unannounced,2,13,Firm A,A\n"
    )
    without, done = p50(score()), p50(score(audits=audits))
    assert done["S-2"] < done["S-1"] < without["S-1"]
    assert done["S-2"] > 0.4 * without["S-2"]
    assert done["S-3"] == without["S-3"]


def test_an_audit_of_an_unknown_site_is_set_aside_and_named(score: Any) -> None:
    done = score(audits=AUDIT + "NOBODY,2026-06-01,ICS,initial,announced,2,13,Firm A,A\n")
    row = done.issues.filter(pl.col("code") == "orphan").row(0, named=True)
    assert (row["file"], row["row"], row["value"]) == ("audits.csv", 2, "NOBODY")
    assert done.meta["counts"]["evidence"]["audits"]["set_aside"] == 1


EVENT = "event_id,place_kind,place,occurred_on,known_on,kind,source,proven\n"
TICKET = "incident_id,supplier_id,zone,received_on,channel,indicator,substantiated\n"


@pytest.mark.parametrize(
    ("table", "text", "value"),
    [
        ("audits", AUDIT + "NOBODY,2026-06-01,ICS,initial,announced,2,13,Firm A,A\n", "NOBODY"),
        ("findings", "supplier_id,audited_on,topic\nNOBODY,2026-06-01,debt bondage\n", "NOBODY"),
        ("events", EVENT + "E1,site,NOBODY,2026-10-01,2026-10-02,ngo_report,an NGO,true\n", "NOBODY"),
        ("measures", "supplier_id,pillar,proof,coverage,since\nNOBODY,act,documented,1,2026-01-01\n", "NOBODY"),
        ("grievances", TICKET + "G1,NOBODY,,2026-09-01,hotline,debt bondage,true\n", ""),
    ],
)
def test_a_row_of_any_table_about_an_unknown_site_is_set_aside(score: Any, table: str, text: str, value: str) -> None:
    done = score(**{table: text})
    row = done.issues.filter(pl.col("code") == "orphan").row(0, named=True)
    column = "place" if table == "events" else "supplier_id"
    assert (row["file"], row["row"], row["column"], row["value"]) == (f"{table}.csv", 2, column, value)
    counts = done.meta["counts"]["evidence"][table]
    assert (counts["set_aside"], counts["loaded"]) == (1, 0)
    assert p50(done) == p50(score())


def test_rows_about_companies_and_places_of_no_site_stay_and_are_counted(score: Any) -> None:
    events = EVENT + (
        "E1,country,Bangladesh,2026-10-01,2026-10-02,press,a paper,true\n"
        "E2,country,France,2026-10-01,2026-10-02,press,a paper,true\n"
        "E3,entity,Unheard of Ltd,2026-10-01,2026-10-02,press,a paper,true\n"
        "E4,zone,nowhere,2026-10-01,2026-10-02,press,a paper,true\n"
    )
    measures = "parent_company,pillar,proof,coverage,since\nUnheard of Ltd,act,documented,1,2026-01-01\n"
    done = score(events=events, measures=measures, grievances=TICKET + "G1,,nowhere,2026-09-01,hotline,debt bondage,\n")
    said = done.issues.filter(pl.col("code") == "elsewhere")
    told = {row["file"]: (row["severity"], row["message"].split()[0]) for row in said.iter_rows(named=True)}
    assert told == {"events.csv": ("info", "3"), "grievances.csv": ("info", "1"), "measures.csv": ("warning", "1")}
    assert done.evidence("events").collect().height == 4


def test_a_company_and_a_zone_that_a_site_names_are_not_elsewhere(
    tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    (tmp_path / "s.csv").write_text(
        "supplier_id,name,country,zone,activity,parent_company\nA,a,Bangladesh,Savar EPZ,Wearing apparel,Acme Ltd\n",
        encoding="utf-8",
    )
    (tmp_path / "e.csv").write_text(
        EVENT + "E1,zone,savar epz,2026-10-01,,press,a paper,true\n"
        "E2,region,Savar EPZ,2026-10-01,,press,a paper,true\nE3,entity, ACME ltd,2026-10-01,,press,a paper,true\n",
        encoding="utf-8",
    )
    (tmp_path / "m.csv").write_text("parent_company,pillar,proof\nacme LTD,act,declared\n", encoding="utf-8")
    tables = {"events": tmp_path / "e.csv", "measures": tmp_path / "m.csv"}
    job = pipeline.Job(inputs=[tmp_path / "s.csv"], on=ON, out=tmp_path / "o", evidence=tables)
    assert pipeline.score(job, facts, judgements).run.issues.filter(pl.col("code") == "elsewhere").is_empty()


def test_a_row_set_aside_keeps_its_cells_and_says_what_was_odd(score: Any) -> None:
    odd = "NO\x07BODY" + "y" * 90
    rows = f'{odd},2026-06-01,,initial,"announced",2,,"Firm, A",A\nS-1,2026-06-01,ICS,initial,announced,2,13,Firm A,A\n'
    done = score(audits=AUDIT + rows)
    row = done.issues.filter(pl.col("code") == "orphan").row(0, named=True)
    assert row["value"] == "NO\\x07BODY" + "y" * 69 + "…"
    kept = b"".join(path.read_bytes() for path in (done.path / "rejected").glob("*.bin"))
    assert kept.decode() == f'{odd},2026-06-01,,initial,announced,2,,"Firm, A",A\n'
    assert done.evidence("audits").collect().height == 1


def test_no_words_of_a_grievance_reach_the_run(score: Any) -> None:
    text = (
        "incident_id,supplier_id,received_on,channel,indicator,substantiated,language,description,worker_name\n"
        "G1,S-1,2026-09-01,hotline,debt bondage,true,bn,they took my passport in March,Rahima Begum\n"
        "G2,NOBODY,2026-09-01,hotline,debt bondage,true,bn,nobody must read this,Karim\n"
    )
    done = score(grievances=text)
    assert p50(done)["S-1"] > p50(done)["S-2"]
    secret = ("passport in March", "Rahima", "nobody must read", "Karim")
    for path in done.path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(word.encode() in content for word in secret), path.name


def test_nothing_after_the_date_counts_and_an_incident_counts_once(score: Any) -> None:
    head = "event_id,place_kind,place,occurred_on,known_on,kind,source,proven\n"
    late = score(events=head + "E1,site,S-1,2026-10-01,2026-12-24,ngo_report,an NGO,true\n")
    assert p50(late) == p50(score())
    once = p50(score(events=head + "E1,site,S-1,2026-10-01,2026-10-02,ngo_report,an NGO,true\n"))
    twice = p50(score(events=head + "E1,site,S-1,2026-10-01,2026-10-02,ngo_report,an NGO,true\n" * 2))
    assert once["S-1"] > once["S-2"]
    assert once == twice


def test_a_confirmed_case_sets_presence_to_one(score: Any) -> None:
    head = "supplier_id,audited_on,topic,severity,status,found_on,due_on,closed_on\n"
    done = score(findings=head + "S-1,2026-06-01,debt bondage,critical,confirmed,2026-06-01,2026-07-01,\n")
    row = done.scores.collect().row(0, named=True)
    if row["forced_labour_override"] == "confirmed_case":
        assert row["forced_labour_p50"] == row["forced_labour_p05"] == 1.0
        assert row["forced_labour_band"] == "severe"
    assert row["forced_labour_p50"] > done.scores.collect().row(1, named=True)["forced_labour_p50"]


EXAMPLES = Path(__file__).parent.parent / "data" / "examples"
EVIDENCE = {
    name: EXAMPLES / f"{name}.csv"
    for name in ("audits", "findings", "grievances", "events", "measures", "lists", "audit_statistics")
}


def example(tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements, engine: str) -> run.Run:
    job = pipeline.Job(
        inputs=[EXAMPLES / "suppliers.csv"],
        on=ON,
        out=tmp_path / engine,
        engine=engine,
        evidence=EVIDENCE,
        max_rejected=1.0,
    )
    return pipeline.score(job, facts, judgements).run


def test_engines_agree_with_evidence(tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements) -> None:
    one, other = (example(tmp_path, facts, judgements, name).scores.collect() for name in ("polars", "duckdb"))
    for column in one.columns:
        if one[column].dtype.is_float():
            assert float((one[column] - other[column]).abs().max() or 0) <= 1e-12, column
        else:
            assert one[column].to_list() == other[column].to_list(), column


def test_the_lines_lead_to_the_scores_of_every_site_with_evidence(
    tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    done = example(tmp_path, facts, judgements, "polars")
    with (EXAMPLES / "audits.csv").open(encoding="utf-8") as handle:
        audited = sorted({row["supplier_id"] for row in csv.DictReader(handle)})[:6]
    for supplier_id in audited:
        found = explanation.site(done, supplier_id)
        json.dumps(found)
        for hazard in HAZARDS:
            said = found["hazards"][str(hazard)]
            odds = said["p0"] / (1 - said["p0"])
            for step in said["steps"]:
                odds *= step["ratio"] if step["step"] == "evidence" else 1.0
            if said["override"] != "confirmed_case":
                assert odds / (1 + odds) == pytest.approx(said["p50"], abs=1e-9)


def test_an_event_in_a_country_or_a_zone_reaches_its_sites_by_any_name(score: Any) -> None:
    head = "event_id,place_kind,place,occurred_on,known_on,kind,source,proven\n"
    without = p50(score())
    country = p50(score(events=head + "E1,country,Bangladesch,2026-10-01,2026-10-02,press,a paper,true\n"))
    assert all(country[site] > without[site] for site in without)
    done = score(events=head + "E1,country,Atlantis,2026-10-01,2026-10-02,press,a paper,true\n")
    assert p50(done) == without
    assert done.issues.filter(pl.col("code") == "country_unknown")["value"].to_list() == ["Atlantis"]


def test_a_zone_of_no_list_is_found_by_its_own_name(
    tmp_path: Path, facts: reference.Facts, judgements: rules.Judgements
) -> None:
    (tmp_path / "s.csv").write_text(
        "supplier_id,name,country,zone,activity\nA,a,Bangladesh,Savar  EPZ,Wearing apparel\n"
        "B,b,Bangladesh,Elsewhere,Wearing apparel\nC,c,China,Some Park,Textiles\nD,d,China,,Textiles\n",
        encoding="utf-8",
    )
    (tmp_path / "e.csv").write_text(
        "event_id,place_kind,place,occurred_on,known_on,kind,source,proven\n"
        "E1,zone,savar epz,2026-10-01,2026-10-02,ngo_report,an NGO,true\n",
        encoding="utf-8",
    )
    job = pipeline.Job(inputs=[tmp_path / "s.csv"], on=ON, out=tmp_path / "o", evidence={"events": tmp_path / "e.csv"})
    found = p50(pipeline.score(job, facts, judgements).run)
    assert found["A"] > found["B"]
    # A park that no list knows may lie in the zone of imposed labour: it reads as an unstated one.
    assert found["C"] == found["D"]


def test_audit_statistics_move_their_cells_whoever_is_on_the_list(score: Any) -> None:
    head = "country,activity,hazard,audits,positives,year,source\n"
    without = p50(score())
    worse = p50(score(audit_statistics=head + "Bangladesh,14,forced_labour,400,60,2025,a scheme\n"))
    assert all(worse[site] > without[site] for site in without)
    for nothing in (
        "Bangladesh,14,forced_labour,400,60,2026,x",
        ",14,forced_labour,400,60,2025,x",
        "FRA,,child labour,9,1,2025,",
    ):
        assert p50(score(audit_statistics=head + nothing + "\n")) == without


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("Bangladesh,14,forced_labour,4,5,2025,x", "positives_above_audits"),
        ("Bangladesh,14,forced_labour,,5,2025,x", "value_missing"),
        ("Bangladesh,14,forced_labour,9,5,,x", "year_unreadable"),
        ("Bangladesh,Manufacturing,forced_labour,9,5,2025,x", "activity_broad"),
        ("Atlantis,14,forced_labour,9,5,2025,x", "country_unknown"),
    ],
)
def test_a_statistic_that_cannot_be_is_set_aside(score: Any, wrong: str, code: str) -> None:
    head = "country,activity,hazard,audits,positives,year,source\n"
    done = score(audit_statistics=f"{head}{wrong}\nFrance,14,forced_labour,9,0,2025,x\n")
    assert code in done.issues.filter(pl.col("severity") == "error")["code"].to_list()
    assert done.meta["counts"]["evidence"]["audit_statistics"]["set_aside"] == 1
    assert p50(done) == p50(score())
