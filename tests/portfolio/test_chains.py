"""The laws of chains: the formula, cycles, unknown shares; adding a risky tier never lowers risk."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilance.portfolio import chains

LINKS = {"buyer_id": pl.String, "supplier_id": pl.String, "share": pl.Float64}


def links(*rows: tuple[str, str, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=LINKS, orient="row")


def sites(risk: dict[str, float | None], unknown: dict[str, float] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": list(risk), "p": list(risk.values()), "p_unknown": [(unknown or {}).get(k) for k in risk]},
        schema={"id": pl.String, "p": pl.Float64, "p_unknown": pl.Float64},
    )


def upstream(result: chains.Chains, node: str) -> float:
    return result.nodes.filter(pl.col("id") == node)["p_upstream"].item()


def test_the_formula_over_two_tiers() -> None:
    found = chains.solve(
        links(("R", "A", 0.6), ("R", "B", 0.4), ("A", "C", 1.0)),
        sites({"R": None, "A": 0.1, "B": 0.2, "C": 0.5}),
        ["p"],
        listed_share=1.0,
    )
    assert upstream(found, "R") == pytest.approx(1 - 0.9**0.6 * 0.8**0.4 * 0.5**0.6, abs=1e-12)
    assert upstream(found, "B") == 0.0
    assert found.cycles.height == 0
    assert found.issues.height == 0


def test_the_unknown_share_stands_at_the_average_of_its_sector() -> None:
    found = chains.solve(links(("R", "A", 0.25)), sites({"R": None, "A": 0.1}, {"R": 0.3}), ["p"], listed_share=1.0)
    assert upstream(found, "R") == pytest.approx(1 - 0.9**0.25 * 0.7**0.75, abs=1e-12)


def test_suppliers_without_a_share_split_what_is_left() -> None:
    found = chains.solve(
        links(("R", "A", 0.5), ("R", "B", None), ("R", "C", None)),
        sites({"R": None, "A": 0.1, "B": 0.2, "C": 0.3}, {"R": 0.4}),
        ["p"],
        listed_share=0.8,
    )
    assert upstream(found, "R") == pytest.approx(1 - 0.9**0.5 * 0.8**0.2 * 0.7**0.2 * 0.6**0.1, abs=1e-12)


def test_a_cycle_is_named_and_goes_round_once() -> None:
    found = chains.solve(
        links(("A", "B", 1.0), ("B", "A", 1.0), ("R", "A", 1.0)),
        sites({"R": None, "A": 0.1, "B": 0.2}),
        ["p"],
        listed_share=1.0,
    )
    assert found.cycles.rows() == [(1, 2, "A → B")]
    assert "cycle_in_links" in found.issues["code"].to_list()
    assert upstream(found, "A") == pytest.approx(0.2)
    assert upstream(found, "R") == pytest.approx(1 - 0.9 * 0.8)


def test_a_cycle_passes_on_what_is_upstream_of_it() -> None:
    found = chains.solve(
        links(("A", "B", 0.5), ("B", "A", 0.5), ("B", "C", 0.5)),
        sites({"A": 0.1, "B": 0.2, "C": 0.5}),
        ["p"],
        listed_share=1.0,
    )
    assert upstream(found, "A") == pytest.approx(1 - 0.8**0.5 * 0.5**0.25)


def test_what_is_wrong_is_named() -> None:
    found = chains.solve(
        links(("R", "R", 0.5), ("R", "ghost", 0.5), ("A", "B", 0.9), ("A", "C", 0.6)),
        sites({"R": None, "A": 0.1, "B": 0.2, "C": 0.5}, {"R": 0.3}),
        ["p"],
        listed_share=1.0,
    )
    named = dict(found.issues.select("code", "value").iter_rows())
    assert named == {"link_to_itself": "R", "link_unknown_supplier": "ghost", "shares_over_one": "A"}
    assert upstream(found, "R") == pytest.approx(0.3)
    assert upstream(found, "A") == pytest.approx(1 - 0.8**0.6 * 0.5**0.4)


def test_a_chain_beyond_the_limit_is_cut_aloud() -> None:
    rows = [(f"N{i:02d}", f"N{i + 1:02d}", 1.0) for i in range(12)]
    risk = {f"N{i:02d}": 0.1 for i in range(13)}
    whole = chains.solve(links(*rows), sites(risk), ["p"], listed_share=1.0)
    cut = chains.solve(links(*rows), sites(risk), ["p"], listed_share=1.0, max_tiers=5)
    assert upstream(whole, "N00") == pytest.approx(1 - 0.9**12)
    assert upstream(cut, "N00") == pytest.approx(1 - 0.9**5)
    assert whole.issues.height == 0
    assert cut.issues["code"].to_list() == ["chain_cut"]


risks = st.floats(0.0, 0.9)
names = [f"S{i}" for i in range(8)]


@st.composite
def networks(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names), st.floats(0.01, 0.5)), max_size=16))
    risk = {name: draw(risks) for name in names}
    unknown = {name: draw(st.floats(0.0, 0.5)) for name in names}
    return links(*pairs), sites(risk, unknown)


@settings(max_examples=60, deadline=None)
@given(networks(), st.floats(0.0, 0.4))
def test_adding_a_risky_tier_never_lowers_anything(network: tuple[pl.DataFrame, pl.DataFrame], extra: float) -> None:
    known, table = network
    before = chains.solve(known, table, ["p"], listed_share=0.7).nodes
    leaves = before.filter(pl.col("suppliers") == 0)
    top = float(table["p_unknown"].max())  # type: ignore[arg-type]
    added = links(*((leaf, "NEW", 0.5) for leaf in leaves["id"]))
    more = pl.concat([table, sites({"NEW": min(top + extra, 0.95)})])
    after = chains.solve(pl.concat([known, added]), more, ["p"], listed_share=0.7).nodes
    both = before.join(after, on="id", suffix="_after")
    assert (both["p_upstream_after"] >= both["p_upstream"] - 1e-12).all()


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from(names), st.floats(0.0, 0.09))
def test_a_riskier_site_never_lowers_anything(
    network: tuple[pl.DataFrame, pl.DataFrame], worse: str, more: float
) -> None:
    known, table = network
    raised = table.with_columns(p=pl.when(pl.col("id") == worse).then(pl.col("p") + more).otherwise("p"))
    one = chains.solve(known, table, ["p"], listed_share=0.7).nodes
    two = chains.solve(known, raised, ["p"], listed_share=0.7).nodes
    assert (two["p_chain"] >= one["p_chain"] - 1e-12).all()
    assert one["p_chain"].is_between(0, 1).all()


@settings(max_examples=40, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_of_links_changes_nothing(network: tuple[pl.DataFrame, pl.DataFrame], rng) -> None:
    known, table = network
    order = list(range(known.height))
    rng.shuffle(order)
    one = chains.solve(known, table, ["p"], listed_share=0.7)
    two = chains.solve(known[order], table, ["p"], listed_share=0.7)
    assert np.allclose(one.nodes["p_chain"], two.nodes["p_chain"], atol=1e-12)
    assert one.cycles.equals(two.cycles)


def test_no_links_at_all() -> None:
    found = chains.solve(links(), sites({"A": 0.2}, {"A": 0.1}), ["p"], listed_share=1.0)
    assert upstream(found, "A") == pytest.approx(0.1)
