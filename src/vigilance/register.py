"""The sites of a list by their id: where in the list each id that an evidence table names stands.

Millions of ids are matched by their hashes, which are numbers, and each match is proven on the texts; from then on a
site is its place in the list, an integer, and what is known of it is fetched, not joined.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Final

import polars as pl

ID: Final = "_supplier_id"
ROW: Final = "_row"
PLACE: Final = pl.Int32
"""A list has fewer than 2^31 sites."""
DAYS: Final = 2**21
"""More days than any calendar here has: a place and a day as one number."""


class Register:
    """The ids of typed sites (unique, as the importer sees to), and some of their columns, in the order of the list."""

    def __init__(self, sites: pl.LazyFrame, columns: Collection[str] = ()) -> None:
        there = sites.collect_schema().names()
        wanted = [name for name in there if name in {ROW, ID, *columns}]
        self.sites: pl.DataFrame = sites.select(wanted).collect(engine="streaming")
        self.ids = self.sites[ID]

    @cached_property
    def _hashes(self) -> pl.Series:
        return self.ids.hash()

    def places(self, ids: pl.Series) -> pl.Series:
        """The place of each id (``PLACE``), null where there is none or no site of the list has it."""
        given = pl.LazyFrame({"hash": ids.hash()}).with_row_index("at").filter(ids.is_not_null())
        known = pl.LazyFrame({"hash": self._hashes}).with_row_index("place")
        pairs = known.join(given, on="hash", how="inner").select("place", "at").collect(engine="streaming")
        same = self.ids.gather(pairs["place"]) == ids.gather(pairs["at"])
        if not same.all():
            pairs = pairs.filter(same)
        found = pl.Series("_place", [None], dtype=PLACE).new_from_index(0, len(ids))
        return found.scatter(pairs["at"], pairs["place"].cast(PLACE))

    def of_sites(self, frame: pl.DataFrame, places: pl.Series | None = None) -> pl.DataFrame:
        """Rows about sites with places for ids; those about a site that is not in the list are left out.

        A row that names no site (a ticket about a zone, a measure of a group) stays. ``places`` of the ids, where they
        are known.
        """
        places = self.places(frame[ID]) if places is None else places
        coded = frame.with_columns(places.alias(ID))
        lost = places.is_null() & frame[ID].is_not_null()
        return coded.filter(~lost) if lost.any() else coded

    def told_of(self, frames: Iterable[pl.DataFrame]) -> pl.Series:
        """The places that occur in the ``_supplier_id`` of some frames, each once and in the order of the list."""
        parts = [frame[ID].unique() for frame in frames]
        return pl.concat(parts).drop_nulls().unique().sort() if parts else pl.Series(ID, [], dtype=PLACE)

    def at(self, places: pl.Series | None, columns: Collection[str]) -> pl.DataFrame:
        """Some columns of the sites at some places (all when None), their id being the place."""
        wanted = self.sites.select(name for name in self.sites.columns if name in columns and name != ID)
        if places is None:
            every = pl.int_range(0, self.sites.height, dtype=PLACE, eager=True)
            return every.alias(ID).to_frame().hstack(wanted)
        return places.alias(ID).to_frame().hstack(wanted[places] if wanted.width else [])

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame by place, in the order of the list, with the id and, where the sites have it, the row of each."""
        ordered = frame.sort(ID)
        there = self.sites.select(name for name in (ROW, ID) if name in self.sites.columns)
        return pl.concat([there[ordered[ID]], ordered.drop(ID)], how="horizontal")


def once_a_day(audits: pl.DataFrame) -> bool:
    """Whether no site (by place) has two audits on one day."""
    days = audits.select(pl.col(ID).cast(pl.Int64) * DAYS + pl.col("_audited_on").to_physical()).to_series().sort()
    return not (days.head(-1) == days.tail(-1)).any() if days.len() > 1 else True


def beyond(frames: Mapping[str, pl.DataFrame]) -> bool:
    """Whether any evidence reaches sites that it does not name: events, tickets about a zone, measures of a group."""
    if "events" in frames and frames["events"].height:
        return True
    return any(ID not in frame.columns or frame[ID].null_count() > 0 for frame in frames.values())
