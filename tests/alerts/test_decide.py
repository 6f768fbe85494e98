import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.frames import conditions, limits, places

from vigilance.alerts import decide
from vigilance.alerts.decide import Past, Suppression

WEEK = "2026-W47"
NEXT = "2026-W48"


def told(found: pl.DataFrame, past: Past | None = None, week: str = WEEK, **given: object) -> pl.DataFrame:
    ids = sorted({row for row in found["place"] if row})
    return decide.decide(found, places(*ids), past or Past(), week, limits(**given))


def states(decided: pl.DataFrame) -> list[tuple[str, str, bool, str]]:
    return list(decided.sort("place", "rule").select("place", "state", "sent", "held").iter_rows())


LASTS = {"rule": "overdue_action", "hazard": "", "place": "A", "measure": 2}


def test_something_that_lasts_is_told_once_then_when_it_worsens_then_when_it_ends() -> None:
    first = told(conditions(LASTS))
    assert states(first) == [("A", "new", True, "")]
    second = told(conditions(LASTS), Past(before=first), NEXT)
    assert states(second) == [("A", "unchanged", False, "")]
    worse = told(conditions({**LASTS, "measure": 3}), Past(before=second), "2026-W49")
    assert states(worse) == [("A", "updated", True, "")]
    proven = told(conditions({**LASTS, "measure": 3, "proven": True}), Past(before=worse), "2026-W50")
    assert states(proven) == [("A", "updated", True, "")]
    over = told(conditions(), Past(before=proven), "2026-W51")
    assert states(over) == [("A", "gone", True, "")]
    assert over["first_week"].to_list() == [WEEK]
    assert told(conditions(), Past(before=over), "2026-W52").is_empty()


def test_what_was_never_told_does_not_end() -> None:
    held = told(conditions(LASTS), budget=0)
    assert states(held) == [("A", "new", False, "budget")]
    assert told(conditions(), Past(before=held), NEXT).is_empty()


def test_what_the_budget_held_back_is_proposed_again() -> None:
    event = {"rule": "event", "place": "A", "object": "E-1"}
    held = told(conditions(event), budget=0)
    again = told(conditions(), Past(before=held), NEXT)
    assert states(again) == [("A", "new", True, "")]
    assert again["first_week"].to_list() == [WEEK]
    much_later = told(conditions(), Past(before=held), "2027-W01")
    assert much_later.is_empty()


def test_the_most_urgent_fill_the_budget() -> None:
    found = conditions(
        {"rule": "stale_data", "place": "A", "priority": 90_000},
        {"rule": "grievance", "place": "B", "object": "G", "priority": 10_000},
        {"rule": "grievance", "place": "C", "object": "H", "priority": 10_000, "proven": True},
    )
    decided = told(found, budget=2)
    assert decided.filter("sent")["place"].to_list() == ["C", "B"]
    assert decided.filter(pl.col("held") == "budget")["place"].to_list() == ["A"]


def test_an_earlier_revision_of_the_week_is_not_told_twice_and_is_taken_back() -> None:
    rise = {"rule": "significant_change", "place": "A"}
    first = told(conditions(rise))
    again = told(conditions(rise), Past(this_week=first))
    assert states(again) == [("A", "new", False, "already_told")]
    assert again["id"].to_list() == first["id"].to_list()
    back = told(conditions(), Past(this_week=first))
    assert states(back) == [("A", "gone", True, "")]
    assert set(back["id"]).isdisjoint(first["id"])


def test_a_suppression_holds_what_it_names_and_nothing_else() -> None:
    found = conditions({"place": "A"}, {"place": "B"}, {"place": "A", "hazard": "child_labour"})
    past = Past(suppressions=[Suppression("me", "seen", "2027-01-01", place="A", hazard="forced_labour")])
    decided = told(found, past)
    assert decided.filter(~pl.col("sent")).select("place", "hazard", "held").rows() == [
        ("A", "forced_labour", "suppressed")
    ]
    assert decided["sent"].sum() == 2


def test_many_sites_of_a_place_are_told_once_for_the_place() -> None:
    found = conditions(*({"place": f"S{n}", "priority": n} for n in range(4)))
    decided = decide.decide(found, places(*(f"S{n}" for n in range(6)), zone="Z"), Past(), WEEK, limits())
    sent = decided.filter("sent")
    assert sent.select("level", "place", "sites").rows() == [("zone", "Z", 4)]
    assert set(decided.filter(pl.col("held") == "rolled_up")["place"]) == {"S0", "S1", "S2", "S3"}
    assert decide.to_store(decided).height == 1


def test_too_few_or_too_small_a_share_stay_alone() -> None:
    found = conditions(*({"place": f"S{n}"} for n in range(4)))
    few = decide.decide(found.head(2), places("S0", "S1"), Past(), WEEK, limits())
    assert set(few.filter("sent")["level"]) == {"site"}
    rare = decide.decide(found, places(*(f"S{n}" for n in range(9))), Past(), WEEK, limits())
    assert set(rare.filter("sent")["level"]) == {"site"}


def test_a_rise_is_not_told_beside_the_report_that_explains_it() -> None:
    found = conditions({"place": "A"}, {"rule": "grievance", "hazard": "", "place": "A", "object": "G"})
    decided = told(found)
    assert decided.filter("sent")["rule"].to_list() == ["grievance"]
    assert decided.filter(pl.col("held") == "same_site")["rule"].to_list() == ["significant_change"]


def test_identity_is_rule_subject_and_week() -> None:
    one = conditions({"place": "A", "measure": 1, "detail": '{"name":"x"}'})
    two = conditions({"place": "A", "measure": 9, "detail": '{"name":"y"}'})
    assert told(one)["id"].to_list() == told(two)["id"].to_list()
    assert told(one)["fingerprint"].to_list() == told(one, week=NEXT)["fingerprint"].to_list()
    assert told(one)["id"].to_list() != told(one, week=NEXT)["id"].to_list()


def test_a_subject_cannot_be_spelled_into_another() -> None:
    one = told(conditions({"place": "A", "object": "B C"}))
    two = told(conditions({"place": "A B", "object": "C"}))
    assert one["id"].to_list() != two["id"].to_list()


rows = st.lists(
    st.fixed_dictionaries(
        {
            "rule": st.sampled_from(["grievance", "overdue_action", "band_crossing", "list_match", "event"]),
            "place": st.sampled_from(["A", "B", "C", "D"]),
            "measure": st.integers(1, 3),
            "priority": st.integers(0, 100_000),
            "proven": st.booleans(),
        }
    ),
    max_size=12,
)


@given(st.lists(rows, min_size=1, max_size=5), st.integers(0, 5))
def test_laws_of_a_series_of_weeks(weeks: list[list[dict[str, object]]], budget: int) -> None:
    before = decide.no_alerts()
    seen: set[str] = set()
    for number, week in enumerate(weeks):
        name = f"2026-W{10 + number}"
        decided = decide.decide(
            conditions(*week), places("A", "B", "C", "D"), Past(before=before), name, limits(budget=budget)
        )
        sent = decided.filter("sent")
        assert sent.filter(pl.col("state") != "gone").height <= budget
        assert decided["id"].is_unique().all()
        assert seen.isdisjoint(sent["id"])
        silent = decided.filter(~pl.col("sent") & (pl.col("held") == ""))
        assert set(silent["state"]) <= {"unchanged"}  # nothing is left out without a reason
        seen |= set(sent["id"])
        before = decide.to_store(decided)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_order_of_what_was_found_changes_nothing(order: int) -> None:
    found = conditions(*({"place": f"S{n}", "rule": "grievance", "object": str(n)} for n in range(30)))
    shuffled = found.sample(fraction=1, shuffle=True, seed=order)
    assert told(found).equals(told(shuffled))
