"""Tables that look like real ones, written in many dialects: which delimiter a reader must find, or leave open."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.ingest.hostile.sheets import record


@dataclass(frozen=True)
class Sample:
    """A file and the delimiter in it; one of a single column has none, and any delimiter that it lacks is right.

    ``text`` is what stands outside quotes.
    """

    name: str
    content: bytes
    delimiter: str
    text: str = ""

    def fits(self, delimiter: str) -> bool:
        """Whether a reader found the delimiter."""
        return delimiter == self.delimiter if self.delimiter else delimiter not in self.text


_WORDS = [
    "mill",
    "yarn",
    "dye",
    "plant",
    "north",
    "river",
    "stone",
    "cotton",
    "steel",
    "label",
    "trade",
    "union",
    "report",
    "safety",
    "site",
    "visit",
]
_NAMES = ["Anna", "Bruno", "Chloé", "Dmitri", "Elif", "Farah", "Goran", "Hélène", "Ivo", "Jürgen"]
_CITIES = ["Paris, France", "Dhaka, Bangladesh", "Porto, Portugal", "Lyon, France", "Hà Nội, Việt Nam"]
Maker = Callable[[random.Random, int], str]

CELLS: dict[str, Maker] = {
    "id": lambda rng, row: str(1000 + row),
    "code": lambda rng, row: f"{rng.choice('ABCD')}{rng.randint(10, 99)}-{rng.randint(100, 999)}",
    "name": lambda rng, row: rng.choice(_NAMES),
    "words": lambda rng, row: " ".join(rng.sample(_WORDS, rng.randint(1, 5))),
    "sentence": lambda rng, row: ", ".join(" ".join(rng.sample(_WORDS, 3)) for _ in range(rng.randint(1, 3))) + ".",
    "semicolons": lambda rng, row: "; ".join(rng.sample(_WORDS, rng.randint(1, 4))),
    "pipes": lambda rng, row: "|".join(rng.sample(_WORDS, 2)),
    "place": lambda rng, row: rng.choice(_CITIES),
    "count": lambda rng, row: str(rng.randint(0, 5000)),
    "decimal": lambda rng, row: f"{rng.uniform(0, 900):.2f}",
    "decimal comma": lambda rng, row: f"{rng.uniform(0, 900):.2f}".replace(".", ","),
    "thousands": lambda rng, row: f"{rng.randint(1000, 9_000_000):,}",
    "pair": lambda rng, row: f"{rng.uniform(-90, 90):.4f},{rng.uniform(-180, 180):.4f}",
    "percent": lambda rng, row: f"{rng.randint(0, 100)} %",
    "date": lambda rng, row: f"2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
    "slashed date": lambda rng, row: f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/2024",
    "moment": lambda rng, row: f"2024-05-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:15:00Z",
    "time": lambda rng, row: f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}",
    "link": lambda rng, row: f"https://example.org/a/{rng.randint(1, 999)}?b={rng.randint(1, 9)}&c=d,e;f",
    "mail": lambda rng, row: f"{rng.choice(_WORDS)}.{rng.choice(_WORDS)}@example.org",
    "json": lambda rng, row: json.dumps({"a": rng.randint(1, 9), "b": [rng.choice(_WORDS), row]}),
    "quoting": lambda rng, row: f'the "{rng.choice(_WORDS)}" of {rng.choice(_NAMES)}',
    "lines": lambda rng, row: f"{rng.choice(_WORDS)}\n{rng.choice(_WORDS)}, {rng.choice(_WORDS)}",
    "yes": lambda rng, row: rng.choice(["yes", "no", ""]),
    "empty": lambda rng, row: "",
    "address": lambda rng, row: f"{rng.randint(1, 99)} {rng.choice(_WORDS)} street, {rng.choice(_CITIES)}",
}

TABLES: dict[str, list[str]] = {
    "plain": ["id", "name", "count", "date"],
    "numbers": ["count", "decimal", "decimal", "decimal", "count"],
    "decimal commas": ["name", "decimal comma", "decimal comma"],
    "only decimal commas": ["decimal comma"] * 3,
    "thousands": ["name", "thousands", "thousands", "date"],
    "text": ["id", "sentence", "semicolons", "yes"],
    "only text": ["words", "sentence", "place"],
    "places": ["id", "place", "pair", "address"],
    "log": ["moment", "time", "code", "words", "count"],
    "web": ["id", "link", "mail", "date", "percent"],
    "json": ["id", "json", "moment"],
    "quotes": ["id", "quoting", "decimal", "slashed date"],
    "lines": ["code", "lines", "count"],
    "sparse": ["id", "empty", "yes", "empty", "count", "empty", "words"],
    "two columns": ["code", "sentence"],
    "times": ["time", "time", "decimal"],
    "pipes": ["id", "pipes", "semicolons", "sentence"],
}
ALONE = ("code", "words", "count", "date", "link", "sentence", "name", "mail", "moment")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
UNUSUAL = {"blank": " ", "caret": "^", "tilde": "~", "colon": ":"}


def samples(rows: tuple[int, ...] = (2, 5, 40), seed: int = 7) -> Iterator[Sample]:
    """Every table in every dialect that can hold it."""
    for count in rows:
        for name, kinds in TABLES.items():
            for dialect, mark in DELIMITERS.items():
                for headed in (True, False):
                    yield from _written(f"{name}, {dialect}, {count} rows", kinds, mark, count, seed, headed)
        for dialect, mark in UNUSUAL.items():
            for name in ("plain", "quotes", "text"):
                yield from _written(f"{name}, {dialect}, {count} rows", TABLES[name], mark, count, seed, True)
        for kind in ALONE:
            text = "".join(f"{line}\n" for line in [kind, *_alone(kind, count, seed)])
            yield Sample(f"only {kind}, {count} rows", text.encode(), "", re.sub('"[^"]*"', "", text))


def _alone(kind: str, count: int, seed: int) -> list[str]:
    rng = random.Random(f"{seed}{kind}{count}")
    cells = [CELLS[kind](rng, row) for row in range(count)]
    return [record([cell]) for cell in cells]


def _written(name: str, kinds: list[str], mark: str, count: int, seed: int, headed: bool) -> Iterator[Sample]:
    rng = random.Random(f"{seed}{name}")
    rows = [[CELLS[kind](rng, row) for kind in kinds] for row in range(count)]
    header = [f"{kind} {place}" if kinds.count(kind) > 1 else kind for place, kind in enumerate(kinds)]
    for always in (False, True):
        for end in ("\n", "\r\n"):
            lines = [header, *rows] if headed else rows
            text = "".join(record(row, mark, always=always) + end for row in lines)
            what = f"{name}{'' if headed else ', no header'}{', all quoted' if always else ''}, {end!r}"
            yield Sample(what, text.encode(), mark)
