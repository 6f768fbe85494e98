"""Number formats of a workbook under which a cell shows something else than its number: leading zeros, per cent.

Runs in the child process of the workbook reader: standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ASIDE = re.compile(r'\[[^\]]*\]|\\.|"[^"]*"|[_*].')
"""Parts of a format that stand for themselves: colours and conditions, quoted text, fillers."""
_ZEROS = re.compile(r"0{2,}")

BUILT_IN = {9: "0%", 10: "0.00%"}
"""The formats that are known by their number alone and matter here."""


class Shown:
    """By the number of a cell style: digits that it pads to with zeros, and whether it shows a percentage."""

    def __init__(self) -> None:
        self.zeros: dict[int, int] = {}
        self.percents: set[int] = set()
        self._count = 0

    def add(self, code: str) -> None:
        """Take the format of the next cell style."""
        positive = _ASIDE.sub("", code).partition(";")[0]
        if _ZEROS.fullmatch(positive):
            self.zeros[self._count] = len(positive)
        elif "%" in positive:
            self.percents.add(self._count)
        self._count += 1

    def add_number(self, number: int, codes: Mapping[int, str]) -> None:
        """Take the next cell style by the number of its format."""
        self.add(codes.get(number, BUILT_IN.get(number, "")))
