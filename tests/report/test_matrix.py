import polars as pl

from vigilance.report import pictures
from vigilance.report.material import Material
from vigilance.report.matrix import by_country, matrix
from vigilance.report.pictures import Pictures
from vigilance.terms import HAZARDS


def test_the_cells_are_those_of_the_list_and_their_sites_add_up(material: Material) -> None:
    cells = matrix(material)
    assert cells["sites"].sum() == material.sites.height
    assert set(cells["iso3"]) == set(material.sites["_iso3"])
    for hazard in HAZARDS:
        assert cells[f"{hazard}_p50"].is_between(0, 1).all()
        assert set(cells[f"{hazard}_direction"]) <= {-1, 0, 1}
        severe = (material.sites[f"{hazard}_band"] == "severe").sum()
        assert cells[f"{hazard}_severe"].sum() == severe


def test_a_direction_agrees_with_its_two_numbers(material: Material) -> None:
    cells = matrix(material)
    for hazard in HAZARDS:
        worse = cells.filter(pl.col(f"{hazard}_direction") == 1)
        better = cells.filter(pl.col(f"{hazard}_direction") == -1)
        assert (worse[f"{hazard}_p50"] > worse[f"{hazard}_p50_before"]).all()
        assert (better[f"{hazard}_p50"] < better[f"{hazard}_p50_before"]).all()


def test_the_bands_of_a_country_add_up_to_its_sites(material: Material) -> None:
    countries = by_country(material)
    for hazard in HAZARDS:
        total = countries.select(pl.sum_horizontal(f"{hazard}_{b}" for b in ("low", "moderate", "high", "severe")))
        assert total.to_series().to_list() == countries["sites"].to_list()


def test_every_site_is_on_the_map_or_named_as_missing(material: Material) -> None:
    points, lost = Pictures(material).places(_outlines(material))
    assert points["sites"].sum() + sum(n for _country, n in lost) == material.sites.height
    assert points["lat"].is_between(-90, 90).all()


def _outlines(material: Material) -> dict:
    return pictures._outlines(material)
