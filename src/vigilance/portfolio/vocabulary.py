"""The words of fund files: folding, and the lists of ``headers.yaml``."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl
from ruamel.yaml import YAML

_LETTERS: Final = re.compile(r"[^0-9a-z]+")
_PLAIN: Final = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}


def fold(text: str) -> str:
    """Lower case, no accents, only letters and digits, single spaces: how words are compared."""
    plain = "".join(_PLAIN.get(c, c) for c in text.casefold())
    decomposed = unicodedata.normalize("NFKD", plain)
    return _LETTERS.sub(" ", decomposed).strip()


def folded(column: str | pl.Expr) -> pl.Expr:
    """``fold`` as an expression over a text column."""
    expr = pl.col(column) if isinstance(column, str) else column
    return (
        expr.str.to_lowercase()
        .str.replace_many(list(_PLAIN), list(_PLAIN.values()))
        .str.normalize("NFKD")
        .str.replace_all(r"[^0-9a-z]+", " ")
        .str.strip_chars()
    )


@cache
def _lists() -> dict[str, Any]:
    text = Path(__file__).with_name("headers.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return content


@cache
def words(kind: str) -> dict[str, str]:
    """Folded word → meaning, for ``columns``, ``asset_classes``, ``name_signs``, ``sectors``, ``places``, ..."""
    return {fold(word): meaning for meaning, spelt in _lists()[kind].items() for word in spelt}


@cache
def flat(kind: str) -> tuple[str, ...]:
    """A plain list of words, for ``totals`` and ``in_scope``."""
    return tuple(_lists()[kind])


def table(kind: str, key: str, value: str) -> pl.DataFrame:
    """``words(kind)`` as a frame of two text columns, to join on."""
    found = words(kind)
    return pl.DataFrame({key: list(found), value: list(found.values())}, schema={key: pl.String, value: pl.String})
