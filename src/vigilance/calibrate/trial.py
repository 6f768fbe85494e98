"""A rule on trial: the same activity listed elsewhere in the region. Tried in the back-test, proposed, not applied.

A good that is made with forced or child labour in one country of a region is often made so in the next one, before
anybody has looked there. The engine gives a cell nothing for it. The trial multiplies the rate of a cell by ``RATIO``
where another country of its ILO region has a listed good of the same activity, and compares before and after.
"""

from __future__ import annotations

import difflib
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NAME: Final = "listed_nearby"
RATIO: Final = 2.0
RANGE: Final = (1.3, 4.0)
"""A round number between that of a good listed upstream and that of a good listed in the cell; not tuned."""


def on_trial(activity_in_region: Floats) -> Floats:
    """ln ratio of each cell, from ln(½ + cells of the activity listed elsewhere in the region)."""
    ln: Floats = np.where(np.exp(activity_in_region) >= 1.0, np.log(RATIO), 0.0)
    return ln


def diff(since: date) -> str:
    """The rule file that the trial stands for, as a unified diff; the engine would need code to read it."""
    low, high = RANGE
    entry = (
        f"    - {{since: {since.isoformat()}, value: {RATIO:g}, low: {low:g}, high: {high:g}, "
        'sources: [us-dol-ilab-tvpra, expert-prior-2026], note: "tried in vigilance validate backtest"}\n'
    )
    text = (
        f"id: {NAME}\n"
        'title: {en: "The same activity is listed elsewhere in the region", '
        'fr: "La même activité figure sur la liste ailleurs dans la région"}\n'
        f"reviewed: {since.isoformat()}\n"
        "\n"
        "ratio:\n"
        f"  forced_labour:\n{entry}"
        f"  child_labour:\n{entry}"
    )
    lines = difflib.unified_diff([], text.splitlines(keepends=True), "/dev/null", f"b/rules/factors/{NAME}.yaml")
    return "".join(lines)
