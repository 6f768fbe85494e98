"""Zones inside a country, from a column of their own or from the address: by name, by code or by postcode.

The names are those of ``data/zone_aliases``. A road called after a city is not in it (Urumqi Road is in Shanghai), so
names of roads are taken out of an address before it is searched.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import Cell, Check, Counts, Distinct, Plan, Reader, Tables, Text, lookup
from vigilance.ingest.folding import fold, visible
from vigilance.ingest.identifiers import MASK

_ = messages("ingest")

ZONE: Final = "_zone"
_NAMES: Final = Path(__file__).parent / "vocabulary" / "zone_names.csv"
_ROADS: Final = (
    r"(?i)[\w'’-]+(?:\s+(?:north|south|east|west|middle|bei|nan|dong|xi|zhong|n|s|e|w)\.?)?\s+"
    r"(?:road|rd|street|str|st|avenue|ave|boulevard|lu|jie|dadao|lane|rue)\b|\p{Han}{2,4}(?:路|街|大道|巷)"
)
_CHINA: Final = "CHN"


@dataclass(frozen=True, slots=True)
class Zones:
    """Names of zones by country: ``names[iso3][folded name]`` is the zone; patterns find them in an address."""

    names: Mapping[str, Mapping[str, str]]
    searched: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]
    postcodes: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, facts: Tables) -> Zones:
        """Index ``data/zones`` and ``data/zone_aliases``. A name of two zones of a country is left out."""
        meanings: dict[tuple[str, str], set[str]] = defaultdict(set)
        searched: dict[str, tuple[dict[str, str], dict[str, str]]] = defaultdict(lambda: ({}, {}))
        postcodes: dict[str, dict[str, str]] = defaultdict(dict)
        for zone, iso3 in facts.table("zones").select("zone", "iso3").iter_rows():
            meanings[iso3, fold(zone)].add(zone)
        known = {zone for zones in meanings.values() for zone in zones}
        rows = facts.table("zone_aliases").select("zone", "iso3", "alias", "kind").rows()
        for zone, iso3, alias, kind in [*rows, *(row for row in _other_scripts() if row[0] in known)]:
            if kind == "postcode_prefix":
                postcodes[iso3][alias] = zone
                continue
            meanings[iso3, fold(alias)].add(zone)
            if len(alias) > 3 or not alias.isascii():
                searched[iso3][kind == "place"][alias.casefold()] = zone
        names: dict[str, dict[str, str]] = defaultdict(dict)
        for (iso3, key), zones in meanings.items():
            if key and len(zones) == 1:
                names[iso3][key] = next(iter(zones))
        return cls(names, searched, postcodes)

    def named(self, text: str) -> dict[str, str]:
        """Country → zone for every country in which a text is the name or code of a zone."""
        key = fold(visible(text))
        return {iso3: names[key] for iso3, names in self.names.items() if key in names}

    def in_address(self, address: pl.Expr, iso3: pl.Expr, countries: Collection[str]) -> pl.Expr:
        """The zone that an address names: a zone's own name, else its postcode, else a place in it.

        Only zones of the given countries are sought: to compile the patterns of all takes longer than a short list.
        """
        bare = address.str.replace_all(_ROADS, " ").str.to_lowercase()
        found = []
        for country in sorted({*self.searched, *self.postcodes}.intersection(countries)):
            names, places = self.searched.get(country, ({}, {}))
            within = pl.coalesce(_searched(bare, names), self._by_postcode(address, country), _searched(bare, places))
            found.append(pl.when(iso3 == country).then(within))
        return pl.coalesce(*found) if found else pl.lit(None, dtype=pl.String)

    def _by_postcode(self, address: pl.Expr, country: str) -> pl.Expr:
        prefixes = self.postcodes.get(country)
        if not prefixes or country != _CHINA:
            return pl.lit(None, dtype=pl.String)
        pattern = r"(?:^|\D)(" + "|".join(sorted(prefixes, key=lambda p: (-len(p), p))) + ")" + r"\d{4}(?:\D|$)"
        return lookup(address.str.extract(pattern, 1), prefixes, pl.String())


def _other_scripts() -> list[tuple[str, str, str, str]]:
    """Names of zones in other scripts and spellings: zone, country, name, kind."""
    with _NAMES.open(encoding="utf-8", newline="") as file:
        return [
            (row["zone"], row["iso3"], alias, row["kind"])
            for row in csv.DictReader(file)
            for alias in row["aliases"].split("|")
        ]


def _searched(text: pl.Expr, names: Mapping[str, str]) -> pl.Expr:
    if not names:
        return pl.lit(None, dtype=pl.String)
    ordered = sorted(names, key=lambda name: (-len(name), name))
    latin = "|".join(
        re.escape(name) for name in ordered if name.isascii() or (name[0].isalpha() and ord(name[0]) < 0x3000)
    )
    other = "|".join(re.escape(name) for name in ordered if ord(name[0]) >= 0x3000)
    patterns = [rf"\b({latin})\b"] * bool(latin) + [f"({other})"] * bool(other)
    return lookup(pl.coalesce(*(text.str.extract(p, 1) for p in patterns)), names, pl.String())


def _own_name(text: pl.Expr) -> pl.Expr:
    """The name of a zone as two people would write it alike: small letters, single spaces, nothing unseen."""
    plain = text.str.replace_all(MASK, "").str.replace(r"^'([\s]*[=+\-@＝＋－＠])", "${1}")
    return plain.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def zone_reader(zone: Cell | None, address: Cell | None, facts: Tables) -> Reader:
    """The typed column ``_zone`` of rows that already have ``_iso3``.

    A zone that its column names goes before one found in the address; where the two differ, that is said.
    """
    if zone is None and address is None:
        return Plan(typed={ZONE: pl.lit(None, dtype=pl.String)})
    zones = Zones.of(facts)
    iso3 = pl.col("_iso3")
    stated: pl.Expr = pl.lit(None, dtype=pl.String)
    written = pl.lit("") if zone is None else zone.text.fill_null("")
    found: pl.DataFrame = yield Distinct(pl.concat_str(iso3, pl.lit("\x1f"), written))
    there = [value.partition("\x1f") for value in found["value"].drop_nulls().to_list()]
    if zone is not None:
        of = {text: zones.named(text) for text in {text for _country, _mark, text in there if text}}
        pairs = {
            f"{country}\x1f{text}": of[text][country] for country, _mark, text in there if country in of.get(text, {})
        }
        stated = lookup(pl.concat_str(iso3, pl.lit("\x1f"), zone.text), pairs, pl.String())
    # A zone that is in no list is kept under its own name: events there still find the sites that name it.
    unlisted = pl.lit(None, dtype=pl.String) if zone is None else _own_name(zone.text)
    if address is None or not zones.searched:
        return Plan(typed={ZONE: pl.coalesce(stated, unlisted)})
    addressed = zones.in_address(address.text, iso3, {country for country, _mark, _text in there})
    differing = (stated != addressed).fill_null(value=False)
    seen: Mapping[str, Any] = yield Counts({"differing": differing.sum()})
    said = Text(
        "zone_contradicts_address",
        "warning",
        _("the address lies in another zone; the zone column is kept"),
        _("correct the zone or the address"),
    )
    value = zone.text if zone is not None else address.text
    header = zone.header if zone is not None else address.header
    check = Check(header, value, pl.when(differing).then(pl.lit("zone")), {"zone": said})
    return Plan(
        typed={ZONE: pl.coalesce(stated, addressed, unlisted)},
        checks=[check] if seen["differing"] else [],
        failing=bool(seen["differing"]),
    )
