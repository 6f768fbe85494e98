"""The model in force, kept between runs: building it takes longer than scoring a thousand sites.

What ``scoring.model.build`` made is read back only for the same facts (each file still the one that the manifest
describes), judgements, date, code, libraries and processor: see :mod:`vigilance.cache` for what is believed and
:mod:`vigilance.packing` for how it is kept, to the last bit.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import narwhals
import numpy as np
import polars as pl

from vigilance import cache
from vigilance.i18n import language
from vigilance.packing import pack, unpack
from vigilance.reference import Facts, Reference
from vigilance.rule_cache import folder_digest
from vigilance.rules import Judgements, Rulebook
from vigilance.scoring.model import Model, build

_CODE: Final = (
    *("scoring", "dated.py", "models.py", "packing.py", "reference.py"),
    *("rule_tables.py", "rules.py", "terms.py"),
)
"""Whatever decides what a model holds, or how it is kept."""


def in_force(facts: Facts, judgements: Judgements) -> Model:
    """``scoring.model.build(facts, judgements)``, taken from the cache where the same was built before.

    Raises what ``build`` raises.
    """
    name = _name(facts, judgements)
    if name is None or not facts.reference.intact():
        return build(facts, judgements)
    given = {"facts": facts, "judgements": judgements}
    held = cache.get(name)
    if held is not None:
        model: Model = unpack(held, given)
        return model
    model = build(facts, judgements)
    if folder_digest(judgements.book.root) == judgements.book.digest:  # its tables were read only now
        cache.put(name, pack(model, given))
    return model


def _name(facts: Facts, judgements: Judgements) -> str | None:
    """The entry of a model; None where something other than the files of facts and rules decides it."""
    plain = type(facts) is Facts and type(facts.reference) is Reference
    plain = plain and type(judgements) is Judgements and type(judgements.book) is Rulebook
    root = Path(__file__).parent
    code = cache.code_digest(tuple(root / part for part in _CODE))
    if not plain or code is None or not judgements.book.digest:
        return None
    made_of = cache.key(
        facts=facts.reference.identity(),
        rules=judgements.digest,
        on=[facts.on, judgements.on],
        code=code,
        language=language(),
        machine=_machine(),
    )
    return f"model-{made_of}.bin"


def _machine() -> list[Any]:
    """Libraries and processor: with others, a logarithm may differ in its last bit."""
    features = sys.modules["numpy._core._multiarray_umath"].__cpu_features__
    there = sorted(name for name, present in features.items() if present)
    return [sys.version, sys.byteorder, np.__version__, pl.__version__, narwhals.__version__, there]
