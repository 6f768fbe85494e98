"""Scored batches in words: drivers as a person reads them.

Words that repeat over millions of rows are kept as codes: a small number a row, and a list of words. It grows with
the batches of a run, so that all of them share it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from vigilance import drivers
from vigilance.scoring.assess import SCORES
from vigilance.scoring.lines import RAISES

DRIVER_COLUMNS: Final = tuple(name for name in SCORES if "_driver_" in name)


class Words:
    """The words of driver codes, each worded when it first occurs, in the language in use."""

    def __init__(self) -> None:
        self.kind = pl.Categorical(pl.Categories.random("vigilance"))
        # Polars forgets the words of a kind with the last column that holds them.
        self.kept: list[pl.Series] = []
        # One more than the place of each code's words; zeros cost nothing until they are touched.
        self.place = np.zeros(2 * RAISES, dtype=np.uint32)

    def of(self, codes: pl.Series) -> pl.Series:
        """A column of driver codes as words."""
        given = codes.to_numpy()
        place = self.place.take(given)
        if place.size and place.min() == 0:
            said = drivers.catalogue(np.unique(given[place == 0]).tolist())
            self.kept.append(pl.Series(list(said.values()), dtype=self.kind))
            self.place[list(said)] = self.kept[-1].to_physical().to_numpy() + 1
            place = self.place.take(given)
        return pl.Series(codes.name, place - np.uint32(1)).cat.to(self.kind)


def in_words(frame: pl.DataFrame, words: Words | None = None) -> pl.DataFrame:
    """Driver codes as words, and the supplier id under its own name."""
    said = words or Words()
    frame = frame.with_columns(said.of(frame[name]) for name in DRIVER_COLUMNS)
    return frame if "supplier_id" in frame.columns else frame.with_columns(supplier_id="_supplier_id")
