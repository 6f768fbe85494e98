"""Averages stay at the published estimates, and what is listed around a cell moves it the right way."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigilance import reference, rules
from vigilance.calibrate.windows import Changed, with_base_rates
from vigilance.scoring import lines
from vigilance.scoring.cells import NO_ZONE, Places, cell_lines
from vigilance.scoring.centring import Axes, axes, balance, ln_average, share
from vigilance.scoring.listings import LIST_MAKER
from vigilance.scoring.model import Model, build
from vigilance.scoring.neighbours import elsewhere, graded, in_country
from vigilance.terms import HAZARDS, Hazard

MADE = (lines.WORKFORCE, *lines.LISTS, *lines.EVENED)
DRAWN = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FORCED, CHILD = HAZARDS


@pytest.fixture(scope="module")
def at(model: Model) -> Axes:
    return axes(model.judgements, model.countries, model.grid.divisions)


def terms(model: Model, hazard: Hazard) -> dict[str, np.ndarray]:
    """ln of each line of every cell (C×D)."""
    shape = model.grid.empty().shape
    country, division = (axis.ravel() for axis in np.indices(shape))
    zero = np.zeros(country.size, dtype=np.intp)
    where = Places(country, division, zero, np.full(country.size, NO_ZONE, dtype="U32"))
    return {name: line.ln.reshape(shape) for name, line in cell_lines(model, hazard, where).items()}


def made(model: Model, hazard: Hazard) -> np.ndarray:
    """ln of all that tells the cells of a region and sector apart, but for country, tier and zone."""
    found = terms(model, hazard)
    return np.sum([found[name] for name in MADE], axis=0)


def place(model: Model, iso3: str, division: str) -> tuple[int, int]:
    return model.grid.countries.tolist().index(iso3), model.grid.divisions.tolist().index(division)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_averages_over_regions_and_sectors_are_the_base_rates(model: Model, at: Axes, hazard: Hazard) -> None:
    base = model.hazards[hazard].base
    weight = at.weight * np.exp(base.activity[None, :] + base.region[:, None])
    ratio = np.exp(made(model, hazard))
    assert ratio.std() > 0.3
    for group in (at.by_region(), np.broadcast_to(at.sector[None, :], weight.shape)):
        mean = share(ratio, weight, group)
        assert mean[group >= 0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_usual_workforce_averages_to_one_over_its_sector(model: Model, at: Axes, hazard: Hazard) -> None:
    ln = np.broadcast_to(model.hazards[hazard].workforce.ln, at.weight.shape)
    assert ln_average(ln, at.weight, np.broadcast_to(at.sector[None, :], ln.shape)) == pytest.approx(0.0, abs=1e-12)
    builders, medicines = (model.grid.divisions.tolist().index(code) for code in ("41", "21"))
    assert ln[0, builders] > ln[0, medicines]


@pytest.mark.parametrize("hazard", HAZARDS)
def test_garments_stand_above_medicines_cotton_and_brick_kilns_above_machines(model: Model, hazard: Hazard) -> None:
    rate = np.sum(list(terms(model, hazard).values()), axis=0)
    for iso3, higher, lower in (("BGD", "14", "21"), ("IND", "23", "28"), ("IND", "01", "28"), ("PAK", "23", "29")):
        assert rate[place(model, iso3, higher)] > rate[place(model, iso3, lower)] + np.log(1.5), (iso3, higher, lower)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_an_unknown_activity_and_the_maker_of_the_list(model: Model, hazard: Hazard) -> None:
    found = terms(model, hazard)
    for name in (lines.WORKFORCE, lines.LISTED_GOOD, lines.LISTED_ELSEWHERE, lines.BALANCE):
        assert (found[name][:, 0] == 0).all(), name
    maker = model.grid.countries.tolist().index(LIST_MAKER)
    for name in (lines.LISTED_GOOD, lines.LISTED_OTHER, lines.LISTED_UPSTREAM, lines.LISTED_IN_COUNTRY):
        assert (found[name][maker] == 0).all(), name


@pytest.mark.parametrize("hazard", HAZARDS)
def test_services_say_nothing_of_goods(model: Model, hazard: Hazard) -> None:
    found = terms(model, hazard)
    retail = model.grid.divisions.tolist().index("47")
    assert (found[lines.LISTED_ELSEWHERE][:, retail] == 0).all()
    assert (found[lines.LISTED_GOOD][:, retail] == 0).all()


@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_list_is_bounded(model: Model, hazard: Hazard) -> None:
    found = terms(model, hazard)
    said = np.sum([found[name] for name in lines.LISTS], axis=0)
    assert np.abs(said + found[lines.LIST_BOUND]).max() < np.log(50)
    assert (np.abs(said + found[lines.LIST_BOUND]) <= np.abs(said) + 1e-12).all()


@DRAWN
@given(seed=st.integers(0, 10**6), spread=st.floats(0.0, 3.0))
def test_balance_reaches_both_margins(at: Axes, seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    ln = rng.normal(0, spread, at.weight.shape)
    weight = at.weight * np.exp(rng.normal(0, 1, at.weight.shape))
    ratio = np.exp(ln + balance(ln, weight, at))
    for group in (np.where(at.sector[None, :] < 0, -1, at.by_region()), at.by_both() * 0 + at.sector[None, :]):
        assert share(ratio, weight, group)[group >= 0] == pytest.approx(1.0, abs=1e-9)


@DRAWN
@given(seed=st.integers(0, 10**6), proof=st.floats(0, 1), share_listed=st.floats(0, 0.5))
def test_graded_ratios_average_to_one_whatever_is_listed(
    model: Model, at: Axes, seed: int, proof: float, share_listed: float
) -> None:
    rng = np.random.default_rng(seed)
    strength = rng.random(at.weight.shape) * (rng.random(at.weight.shape) < share_listed)
    ratio = model.judgements.get("factors.listed_elsewhere.ratio.child_labour")
    found = graded(ratio, proof, (strength, strength), at.weight, at.by_both())
    assert ln_average(found.ln, at.weight, at.by_both()) == pytest.approx(0.0, abs=1e-9)
    assert found.ln == pytest.approx(np.log(ratio.value) * found.centred)
    inside = at.by_both() >= 0
    assert (found.ln[~inside] == 0).all()


@DRAWN
@given(seed=st.integers(0, 10**6), row=st.integers(0, 200), column=st.integers(1, 80))
def test_one_more_listing_never_weakens_the_evidence(model: Model, at: Axes, seed: int, row: int, column: int) -> None:
    rng = np.random.default_rng(seed)
    own, other = (rng.random(at.weight.shape) < 0.03 for _ in range(2))
    more = own.copy()
    more[row, column] = True
    for flags in ((own, more, other, other), (own, own, other, other | more)):
        before = elsewhere(model.judgements, flags[0], flags[2], at.region)
        after = elsewhere(model.judgements, flags[1], flags[3], at.region)
        assert (after >= before).all()
        assert (
            in_country(model.judgements, flags[1], flags[3]) >= in_country(model.judgements, flags[0], flags[2])
        ).all()
    # In the same region one more tells more than in another.
    near = at.region == at.region[row]
    if at.region[row] >= 0 and not own[row, column]:
        gain = elsewhere(model.judgements, more, other, at.region) - elsewhere(model.judgements, own, other, at.region)
        assert gain[near, column].max() > 0
        assert (gain[:, np.arange(gain.shape[1]) != column] == 0).all()


def with_listing(book: reference.Reference, iso3: str, good: str, hazard: Hazard, known_on: date) -> Changed:
    """The same facts with one more line on the newest edition."""
    goods = book.table("goods")
    like = goods.filter(pl.col("edition") == goods["edition"].max()).head(1)
    row = like.with_columns(
        iso3=pl.lit(iso3),
        good=pl.lit(good),
        child_labour=pl.lit(hazard is CHILD),
        forced_labour=pl.lit(hazard is FORCED),
        forced_child_labour=pl.lit(value=False),
        input_child_labour=pl.lit(None, dtype=pl.Boolean),
        input_forced_labour=pl.lit(None, dtype=pl.Boolean),
        delisted_on=pl.lit(None, dtype=pl.Date),
        known_on=pl.lit(known_on),
    )
    return Changed(book, {"goods": pl.concat([goods, row.select(goods.columns)])})


@pytest.fixture(scope="module")
def book() -> reference.Reference:
    return reference.load()


@pytest.mark.parametrize("hazard", HAZARDS)
@pytest.mark.parametrize(
    ("iso3", "good", "division"), [("LKA", "Garments", "14"), ("DEU", "Bricks", "23"), ("GAB", "Gold", "07")]
)
def test_a_listing_raises_its_cell_and_its_neighbours(
    hazard: Hazard, iso3: str, good: str, division: str, model: Model, book: reference.Reference
) -> None:
    changed = with_listing(book, iso3, good, hazard, date(2022, 9, 28))
    after = build(changed.in_force(model.facts.on), model.judgements)
    one, two = (np.sum(list(terms(of, hazard).values()), axis=0) for of in (model, after))
    cell = place(model, iso3, division)
    assert two[cell] > one[cell] + np.log(1.5)
    gain = two - one
    region = model.countries["ilo_region"].to_numpy()
    same = (region == region[cell[0]]) & (np.arange(len(region)) != cell[0])
    # The same activity in the region gains on the other activities there, and the country on the region.
    others = [model.grid.divisions.tolist().index(code) for code in ("20", "21", "28", "29")]
    assert np.median(gain[same, cell[1]]) > np.median(gain[np.ix_(same, others)])
    assert np.median(gain[cell[0], others]) > np.median(gain[np.ix_(same, others)])


def test_an_unlisted_cell_is_not_lowered_for_standing_among_listed_ones(model: Model) -> None:
    """Within a region and sector, absence costs every cell the same, however much of its activity is listed there."""
    for hazard in HAZARDS:
        listing = model.hazards[hazard].listings[lines.LISTED_GOOD]
        asia = model.countries["ilo_region"].to_numpy() == "asia_pacific"
        codes = model.grid.divisions.tolist()
        absent = listing.effect.ln[
            np.ix_(asia, [codes.index(code) for code in ("10", "13", "14", "21", "23", "28")], [0])
        ]
        assert np.ptp(absent) == pytest.approx(0.0, abs=1e-12)


def test_nothing_listed_later_is_used(book: reference.Reference, judgements: rules.Judgements) -> None:
    day = date(2021, 6, 1)
    later = with_listing(book, "DEU", "Garments", FORCED, day + timedelta(days=1))
    one, two = (build(with_base_rates(facts).in_force(day), judgements) for facts in (book, later))
    for hazard in HAZARDS:
        assert np.array_equal(made(one, hazard), made(two, hazard))


def test_the_model_of_some_years_before_moves_only_where_the_list_did(
    book: reference.Reference, judgements: rules.Judgements, model: Model
) -> None:
    same = build(model.facts, judgements, earlier=model.facts)
    for hazard in HAZARDS:
        assert np.array_equal(made(same, hazard), made(model, hazard))
    before = build(model.facts, judgements, earlier=book.in_force(date(2021, 11, 1)))
    for hazard in HAZARDS:
        assert np.array_equal(before.hazards[hazard].balance, model.hazards[hazard].balance)
        moved = made(model, hazard) - made(before, hazard)
        assert (moved >= -1e-9).mean() > 0.9, "the list grew: only what left it falls"
