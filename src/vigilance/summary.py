"""What a person wants to know first of a run: sites by band and grade, and the worst of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from vigilance.terms import BANDS, GRADES, HAZARDS

TOP: Final = 10
SHOWN: Final = ("score", "band", "grade", "p05", "p50", "p80", "p95", "driver_1", "driver_2", "driver_3", "override")


@dataclass
class Summary:
    """What a person wants to know first; filled batch by batch."""

    sites: int = 0
    bands: dict[str, dict[str, int]] = field(
        default_factory=lambda: {h: dict.fromkeys(map(str, BANDS), 0) for h in HAZARDS}
    )
    grades: dict[str, dict[str, int]] = field(default_factory=lambda: {h: dict.fromkeys(GRADES, 0) for h in HAZARDS})
    top: dict[str, pl.DataFrame] = field(default_factory=dict)
    ranked: bool = True

    def add(self, frame: pl.DataFrame) -> None:
        """Count a scored batch and keep its worst sites."""
        self.sites += frame.height
        for hazard in HAZARDS:
            for said, column in ((self.bands, "band"), (self.grades, "grade")):
                for word, count in _counted(frame[f"{hazard}_{column}"]):
                    said[hazard][word] += count
            columns = ["supplier_id", "_name", "country_iso3", *(f"{hazard}_{m}" for m in SHOWN)]
            held = self.top.get(hazard)
            # Only a site that is no better than the worst kept can take its place.
            least = held[f"{hazard}_p80"].min() if held is not None and held.height == TOP else -1.0
            worst = frame[(frame[f"{hazard}_p80"] >= least).arg_true(), columns]
            if held is None or worst.height:
                order = [f"{hazard}_p80", f"{hazard}_p50", "supplier_id"]
                kept = worst.top_k(TOP, by=order, reverse=[False, False, True])
                kept = kept if held is None else pl.concat([held, kept])
                self.top[hazard] = kept.sort(order, descending=[True, True, False]).head(TOP)


def _counted(verdicts: pl.Series) -> Iterable[tuple[str, int]]:
    """How many rows have each word."""
    if not isinstance(verdicts.dtype, pl.Enum):
        return verdicts.value_counts().iter_rows()
    counts = np.bincount(verdicts.to_physical().to_numpy(), minlength=len(verdicts.dtype.categories))
    return zip(verdicts.dtype.categories, counts.tolist(), strict=True)
