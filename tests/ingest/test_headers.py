"""Headers: exact after folding, never by likeness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilance.errors import UsageError
from vigilance.ingest.headers import Headers, aliases, header_key, nearest
from vigilance.ingest.input_tables import NAMES, table


@pytest.mark.parametrize("name", NAMES)
def test_every_column_has_its_own_aliases(name: str) -> None:
    known = aliases(name)
    assert set(known) == {column.name for column in table(name).columns}
    seen: dict[str, str] = {}
    for column, keys in known.items():
        for key in keys:
            assert key
            assert seen.setdefault(key, column) == column, (key, column, seen[key])


@given(
    st.sampled_from(sorted(aliases("suppliers"))),
    st.sampled_from([str.upper, str.title, str.lower, lambda t: f"  {t} "]),
)
def test_case_and_blanks_do_not_matter(column: str, spell: object) -> None:
    assert header_key(spell(column)) == header_key(column)  # type: ignore[operator]


def test_the_preferred_header_wins_and_a_map_goes_first() -> None:
    cells = ["Country code", "country", "name", "Vendor"]
    assert Headers("suppliers").match(cells).mapping["country"] == 1
    mapped = Headers("suppliers", mapping={"country": "country CODE", "name": "vendor"}).match(cells).mapping
    assert (mapped["country"], mapped["name"]) == (0, 3)


def test_a_required_column_may_have_alternatives() -> None:
    headers = Headers("grievances", table("grievances").needed)
    assert not headers.match(["ticket", "date", "zone"]).missing
    assert headers.match(["ticket", "date"]).missing == ["supplier_id"]


def test_percent_tells_weight_from_value() -> None:
    mapping = Headers("holdings").match(["Name", "Market Value", "Market Value %"]).mapping
    assert (mapping["value"], mapping["weight"]) == (1, 2)


def test_a_near_header_is_only_a_suggestion() -> None:
    assert nearest("suppliers", "Contry", ["country", "name"]) == "country"
    assert nearest("suppliers", "colour", ["country", "name"]) is None
    assert "country" not in Headers("suppliers").match(["Contry"]).mapping


def test_a_map_to_an_unknown_column_is_refused() -> None:
    with pytest.raises(UsageError, match="colour"):
        Headers("suppliers", mapping={"colour": "x"})
