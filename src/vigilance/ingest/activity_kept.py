"""The index of activities, kept between runs: folding eight thousand labels takes longer than reading a short list.

Kept as JSON, each distinct set of shares once. Believed only as :mod:`vigilance.cache` says, and only for the same
tables (their files still those that the manifest describes), vocabulary and code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from vigilance import cache
from vigilance.reference import Facts, Reference

Weights = Mapping[str, float]

TABLES: Final = ("activity_aliases", "activities")
_HERE: Final = Path(__file__).parent
_CODE: Final = (_HERE, _HERE / "vocabulary" / "activity_words.csv", _HERE.parent / "reference.py")
"""Whatever may decide what the index holds, or how it is kept: the whole folder, so that no new module is forgotten."""


class Tables(NamedTuple):
    """What the index is made of; see ``activities.Activities``."""

    titles: dict[str, tuple[str, str]]
    sections: dict[str, str]
    labels: dict[str, Weights]
    codes: dict[tuple[str, str], Weights]
    keywords: dict[tuple[str, ...], Weights]


def entry(facts: object) -> str | None:
    """The cache entry of the index over some facts; None where something other than files decides it."""
    code = cache.code_digest(_CODE)
    if type(facts) is not Facts or type(facts.reference) is not Reference or code is None:
        return None
    if not facts.reference.intact(TABLES):
        return None
    return f"activities-{cache.key(facts=facts.identity(TABLES), code=code, python=sys.version)}.json"


def read(name: str | None) -> Tables | None:
    """What is kept under an entry."""
    content = None if name is None else cache.get(name)
    if content is None:
        return None
    held: dict[str, Any] = json.loads(content)
    weights: list[Weights] = held["weights"]
    return Tables(
        titles={code: (english, french) for code, (english, french) in held["titles"].items()},
        sections=held["sections"],
        labels={key: weights[at] for key, at in held["labels"].items()},
        codes={(scheme, code): weights[at] for scheme, of in held["codes"].items() for code, at in of.items()},
        keywords={tuple(tokens.split(" ")): weights[at] for tokens, at in held["keywords"].items()},
    )


def write(name: str | None, tables: Tables) -> None:
    """Keep an index under an entry."""
    if name is None:
        return
    places: dict[str, int] = {}

    def place(weights: Weights) -> int:
        # The order of equal shares decides between them, so it is part of what is kept.
        return places.setdefault(json.dumps(weights), len(places))

    codes: dict[str, dict[str, int]] = {}
    for (scheme, code), weights in tables.codes.items():
        codes.setdefault(scheme, {})[code] = place(weights)
    held = {
        "titles": tables.titles,
        "sections": tables.sections,
        "labels": {key: place(weights) for key, weights in tables.labels.items()},
        "codes": codes,
        "keywords": {" ".join(tokens): place(weights) for tokens, weights in tables.keywords.items()},
        "weights": [],
    }
    held["weights"] = [json.loads(text) for text in places]
    cache.put(name, json.dumps(held, ensure_ascii=False, separators=(",", ":")).encode())
