import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from tests.store.lists import MONDAY, events, rows, watch, worse, write

from vigilance.errors import InputRefused, StoreBusy, UsageError
from vigilance.store import listing, lock, upkeep, weekly
from vigilance.store.file import Store, opened
from vigilance.store.replay import replay

WEEK = timedelta(weeks=1)


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a quiet week and one in which two sites became worse."""
    folder = tmp_path_factory.mktemp("weeks")
    watch(folder, MONDAY, "one", rows())
    watch(folder, MONDAY + WEEK, "two", worse(rows(), 0, 5))
    return folder


@pytest.fixture
def weeks(two_weeks: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    for name in ("store.duckdb", "store.duckdb.head", "list.csv"):
        shutil.copy(two_weeks / name, tmp_path / name)
    return tmp_path


def test_a_change_is_told_and_split(two_weeks: Path) -> None:
    told = [json.loads(line) for line in (two_weeks / "two" / "alerts.jsonl").read_text().splitlines()]
    assert {event["data"]["place"] for event in told} == {"S000", "S005"}
    for event in told:
        score, change = event["data"]["score"], event["data"]["change"]
        if score["before"] is not None:
            assert sum(change.values()) == pytest.approx(score["after"] - score["before"], abs=1e-7)
    assert (two_weeks / "one" / "alerts.jsonl").read_bytes() == b""
    assert (two_weeks / "two" / "run" / "scores.parquet").is_file()


def test_the_ledger_adds_up_to_the_published_scores(two_weeks: Path) -> None:
    scores = {
        name: dict(
            pl.read_parquet(two_weeks / name / "run" / "scores.parquet")
            .select("supplier_id", "forced_labour_score")
            .iter_rows()
        )
        for name in ("one", "two")
    }
    with opened(two_weeks / "store.duckdb") as store:
        ledger = store.table("ledger", store.runs[-1]).filter(pl.col("hazard") == "forced_labour")
    for row in ledger.iter_rows(named=True):
        assert row["after"] == round(scores["two"][row["supplier_id"]] * 10**8)
        assert row["before"] == round(scores["one"][row["supplier_id"]] * 10**8)
        assert row["data"] + row["facts"] + row["code"] + row["weights"] + row["time"] == row["after"] - row["before"]
        assert row["facts"] == row["weights"] == row["code"] == 0
    assert {"S000", "S005"} <= set(ledger["supplier_id"])


def test_the_same_week_twice_is_one_run_and_no_second_alert(weeks: Path) -> None:
    again = watch(weeks, MONDAY + WEEK + timedelta(days=3), "again")
    assert again.already
    assert events(again) == []
    assert upkeep.check(weeks / "store.duckdb")["runs"] == 2
    quiet = weekly.run(weekly.Watch(weeks / "store.duckdb", [weeks / "list.csv"], MONDAY + WEEK))
    assert quiet.folder is None


def test_other_inputs_are_a_revision_that_tells_only_what_is_new(weeks: Path) -> None:
    revised = watch(weeks, MONDAY + WEEK, "revised", worse(rows(), 0, 10))
    assert (revised.record.revision, revised.record.body["revises"] is not None) == (2, True)
    states = {(event["data"]["place"], event["data"]["state"]) for event in events(revised)}
    assert {place for place, state in states if state == "new"} == {"S010"}
    assert {place for place, state in states if state == "gone"} == {"S005"}
    third = watch(weeks, MONDAY + 2 * WEEK, "third")
    assert third.record.body["compared_to"] == revised.record.seq
    assert events(third) == []


def test_an_unchanged_week_tells_nothing(weeks: Path) -> None:
    third = watch(weeks, MONDAY + 2 * WEEK, "third")
    assert events(third) == []
    assert not third.already
    listed = listing.alerts(weeks / "store.duckdb", None, every=True)
    assert {alert["state"] for alert in listed["alerts"]} <= {"unchanged"}


def test_an_improvement_ends_the_alert(weeks: Path) -> None:
    third = watch(weeks, MONDAY + 2 * WEEK, "third", rows())
    assert {event["data"]["state"] for event in events(third)} == {"gone"}


def test_risk_follows_a_move_and_a_risky_site_does_not_vanish_unnoticed(weeks: Path) -> None:
    moved = [[f"N{row[0]}", *row[1:8], row[0]] if row[0] == "S003" else row for row in worse(rows(), 0, 5)]
    third = watch(weeks, MONDAY + 2 * WEEK, "third", [row for row in moved if row[0] != "S000"])
    with opened(weeks / "store.duckdb") as store:
        kinds = dict(store.table("ledger", third.record).select("supplier_id", "kind").iter_rows())
    assert kinds["NS003"] == "moved"
    assert kinds["S000"] == "vanished"
    assert "S003" not in kinds
    vanished = [event for event in events(third) if event["data"]["rule"] == "vanished"]
    assert {event["data"]["place"] for event in vanished} == {"S000"}


def test_a_change_of_the_rules_is_not_told_as_a_change_of_the_sites(weeks: Path) -> None:
    third = watch(weeks, MONDAY + 2 * WEEK, "third", changed={"method.size_exponent": 0.45})
    with opened(weeks / "store.duckdb") as store:
        ledger = store.table("ledger", third.record)
    assert (ledger["weights"].abs() > 0).any()
    assert ledger.select(
        (pl.sum_horizontal("data", "facts", "code", "weights", "time") == pl.col("after") - pl.col("before")).all()
    ).item()
    assert (ledger["data"] == 0).all()
    assert not [event for event in events(third) if event["data"]["rule"] in {"band_crossing", "significant_change"}]
    assert third.folder is not None
    assert "method" in (third.folder / "held_back.csv").read_text(encoding="utf-8")


def test_a_run_is_made_again_to_the_byte(weeks: Path) -> None:
    watch(weeks, MONDAY + 2 * WEEK, "third", worse(rows(), 0, 5, 7), lang="fr", changed={"method.size_exponent": 0.4})
    write(weeks / "list.csv", rows(3))
    for week in ("2026-W45", "2026-W46", "2026-W47"):
        found = replay(weeks / "store.duckdb", week, weeks / f"replay-{week}")
        assert found.differ == ()
        assert len(found.same) > 10
    assert (weeks / "replay-2026-W47" / "alerts.jsonl").read_bytes() == (weeks / "third" / "alerts.jsonl").read_bytes()
    with pytest.raises(UsageError, match="no run of 2026-W40"):
        replay(weeks / "store.duckdb", "2026-W40", weeks / "none")


def test_a_store_from_another_folder_and_list_exports_the_same_bytes(
    weeks: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    watch(other, MONDAY, "x", rows())
    watch(other, MONDAY + WEEK, "y", worse(rows(), 0, 5))
    for folder in (weeks, other):
        upkeep.export(folder / "store.duckdb", folder / "export")
    for name in ("records.jsonl", "sites.parquet", "ledger.parquet", "alerts.parquet"):
        assert (weeks / "export" / name).read_bytes() == (other / "export" / name).read_bytes(), name


def test_suppressed_until_a_day(weeks: Path) -> None:
    path = weeks / "store.duckdb"
    with pytest.raises(UsageError, match="which alerts"):
        listing.suppress(path, {}, "me", "why", MONDAY, MONDAY + WEEK, 1)
    with pytest.raises(UsageError, match="author"):
        listing.suppress(path, {"place": "S010"}, " ", "why", MONDAY, MONDAY + WEEK, 1)
    with pytest.raises(UsageError, match="ends after"):
        listing.suppress(path, {"place": "S010"}, "me", "why", MONDAY, MONDAY, 1)
    listing.suppress(path, {"place": "S010"}, "me", "visited", MONDAY, MONDAY + 2 * WEEK, 1)
    assert len(listing.suppressions(path, MONDAY + WEEK)) == 1
    assert listing.suppressions(path, MONDAY + 3 * WEEK) == []
    third = watch(weeks, MONDAY + 2 * WEEK, "third", worse(rows(), 0, 5, 10))
    assert "S010" not in {event["data"]["place"] for event in events(third)}
    assert third.folder is not None
    assert "suppressed" in (third.folder / "held_back.csv").read_text(encoding="utf-8")


def test_a_run_that_was_not_handed_over_is_by_the_next(weeks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the commit and the folder: the alerts are in the store, and nobody has them."""

    def killed(folder: Path, files: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(weekly, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            watch(weeks, MONDAY + 2 * WEEK, "third", worse(rows(), 0, 5, 10))
    assert not (weeks / "third").exists()
    assert upkeep.check(weeks / "store.duckdb")["undelivered"] == ["2026-W47"]
    later = watch(weeks, MONDAY + 3 * WEEK, "fourth")
    assert events(later) == []
    late = (weeks / "fourth" / "late-2026-W47-1" / "alerts.jsonl").read_text().splitlines()
    assert {json.loads(line)["data"]["place"] for line in late} == {"S010"}
    assert upkeep.check(weeks / "store.duckdb")["undelivered"] == []


def test_the_same_run_again_hands_over_what_was_not(weeks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(weekly, "_delivered", lambda store, record: None)
        first = watch(weeks, MONDAY + 2 * WEEK, "third", worse(rows(), 0, 5, 10))
    again = watch(weeks, MONDAY + 2 * WEEK, "third")
    assert again.already
    assert again.sent == 0  # the folder had arrived: not twice
    assert first.sent == len(events(first)) > 0
    assert watch(weeks, MONDAY + 2 * WEEK, "elsewhere").sent == 0


def test_weeks_around_new_year(tmp_path: Path) -> None:
    for on, week in ((date(2026, 12, 28), "2026-W53"), (date(2027, 1, 4), "2027-W01")):
        assert watch(tmp_path, on, week, rows(3)).record.week == week
    assert watch(tmp_path, date(2027, 1, 1), "new-year").already is True
    assert upkeep.check(tmp_path / "store.duckdb")["last_run"] == "2027-W01"


def test_a_clock_set_back_is_seen_and_a_correction_on_purpose_is_not(weeks: Path) -> None:
    with pytest.raises(UsageError, match="clock"):
        watch(weeks, MONDAY - timedelta(days=1), "back", on_given=False)
    late = watch(weeks, MONDAY - WEEK, "late")
    assert late.record.week == "2026-W44"
    third = watch(weeks, MONDAY + 2 * WEEK, "third")
    with opened(weeks / "store.duckdb") as store:
        assert store.seq(third.record.body["compared_to"]).week == "2026-W46"


def test_a_store_in_use_is_said_and_a_lock_left_behind_is_none(weeks: Path) -> None:
    path = weeks / "store.duckdb"
    with lock.held(path, write=True), pytest.raises(StoreBusy, match="another process"):
        watch(weeks, MONDAY + 2 * WEEK, "third", wait=0.1)
    assert lock.lock_path(path).exists()
    assert watch(weeks, MONDAY + 2 * WEEK, "third", wait=0.1).record.week == "2026-W47"


def test_readers_share_a_store(weeks: Path) -> None:
    with lock.held(weeks / "store.duckdb", write=False):
        assert listing.alerts(weeks / "store.duckdb", None, every=False, wait=0.1)["week"] == "2026-W46"


def test_foreign_missing_and_older_files_are_refused_by_name(weeks: Path) -> None:
    path = weeks / "store.duckdb"
    with pytest.raises(UsageError, match="no store at"):
        upkeep.check(weeks / "none.duckdb")
    foreign = weeks / "list.csv"
    with pytest.raises(InputRefused, match=r"list\.csv is not a store"):
        upkeep.check(foreign)
    older = weeks / "backup.duckdb"
    upkeep.backup(path, older)
    with pytest.raises(UsageError, match="never overwritten"):
        upkeep.backup(path, older)
    watch(weeks, MONDAY + 2 * WEEK, "third")
    shutil.copy(older, path)
    with pytest.raises(InputRefused, match="older than what was written last") as refused:
        upkeep.check(path)
    assert "store.duckdb.head" in str(refused.value)
    path.unlink()
    with pytest.raises(InputRefused, match="2026-W47"):
        watch(weeks, MONDAY + 3 * WEEK, "fourth")


def test_another_duckdb_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE sites (a INT)")
    with pytest.raises(InputRefused, match="not a store of vigilance"):
        watch(tmp_path, MONDAY, "out", rows(3))


@pytest.mark.parametrize("there", ["folder", "table", "other database", "nothing"])
def test_what_is_no_store_is_left_as_it_was(tmp_path: Path, there: str) -> None:
    path = tmp_path / "mine"
    write(tmp_path / "list.csv", rows(3))
    if there == "folder":
        path.mkdir()
    elif there == "table":
        path.write_text("a,b\n1,2\n", encoding="utf-8")
    elif there == "other database":
        with duckdb.connect(str(path)) as other:
            other.execute("CREATE TABLE sites (a INT)")
    before = {found.name for found in tmp_path.iterdir()}
    for touch in (
        lambda: upkeep.check(path),
        lambda: upkeep.export(path, tmp_path / "out"),
        lambda: upkeep.compact(path),
        lambda: upkeep.backup(path, tmp_path / "copy"),
        lambda: listing.alerts(path, None, every=False),
        lambda: replay(path, "2026-W46", tmp_path / "out"),
    ):
        with pytest.raises((InputRefused, UsageError)):
            touch()
        assert {found.name for found in tmp_path.iterdir()} == before
    if there != "nothing":
        with pytest.raises(InputRefused, match=r"not a store|a folder"):
            weekly.run(weekly.Watch(path, [tmp_path / "list.csv"], MONDAY))
        assert {found.name for found in tmp_path.iterdir()} == before


def test_a_lock_taken_away_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with pytest.raises(InputRefused), lock.held(path, write=True):
        raise InputRefused("no store")
    assert not lock.lock_path(path).exists()
    with lock.held(path, write=False), pytest.raises(InputRefused), lock.held(path, write=False):
        raise InputRefused("no store")
    assert lock.lock_path(path).exists(), "another reader still holds it"
    with lock.held(path, write=True), pytest.raises(StoreBusy), lock.held(path, write=True, wait=0):
        raise AssertionError("two writers")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sites SET forced_labour_score = forced_labour_score + 1 WHERE row = 3 AND run = 1",
        "DELETE FROM alerts",
        "UPDATE records SET body = replace(body, '2026-11-02', '2026-11-03')",
        "DELETE FROM records WHERE seq = 1",
        "UPDATE blobs SET content = content[:20]",
        "DELETE FROM blobs WHERE bytes = (SELECT max(bytes) FROM blobs)",
        "INSERT INTO ledger (run, supplier_id) VALUES (99, 'x')",
    ],
)
def test_whatever_is_changed_behind_its_back_is_found(weeks: Path, change: str) -> None:
    path = weeks / "store.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute(change)
    with pytest.raises(InputRefused, match=r"store\.duckdb"):
        upkeep.check(path)


def test_nothing_reaches_out_of_an_open_store(weeks: Path) -> None:
    def refused(store: Store, query: str) -> None:
        with pytest.raises(duckdb.Error):
            store.connection.execute(query).fetchall()

    with opened(weeks / "store.duckdb", write=True) as store:
        refused(store, f"SELECT * FROM read_csv('{weeks / 'list.csv'}')")
        refused(store, f"COPY records TO '{weeks / 'out.csv'}'")
        refused(store, "SET enable_external_access = true")
        refused(store, f"ATTACH '{weeks / 'other.duckdb'}'")
        refused(store, "INSTALL httpfs")


def test_compacting_forgets_nothing(weeks: Path) -> None:
    path = weeks / "store.duckdb"
    before = upkeep.check(path)
    upkeep.compact(path)
    after = upkeep.check(path)
    assert {**after, "bytes": 0} == {**before, "bytes": 0}
    assert replay(path, "2026-W46", weeks / "replayed").differ == ()


def test_a_newer_version_is_refused(weeks: Path) -> None:
    with duckdb.connect(str(weeks / "store.duckdb")) as other:
        other.execute("UPDATE about SET value = '99' WHERE key = 'version'")
    with pytest.raises(InputRefused, match="newer version"):
        upkeep.check(weeks / "store.duckdb")
