"""The words of fund files: folding, and the lists of ``headers.toml``."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import polars as pl

_LETTERS: Final = re.compile(r"[^0-9a-z]+")
_PLAIN: Final = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Lower case, no accents, only letters and digits, single spaces: how words are compared."""
    plain = "".join(_PLAIN.get(c, c) for c in text.casefold())
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return _LETTERS.sub(" ", bare).strip()


def folded(column: str | pl.Expr) -> pl.Expr:
    """``fold`` as an expression over a text column."""
    expr = pl.col(column) if isinstance(column, str) else column
    return (
        expr.str.to_lowercase()
        .str.replace_many(list(_PLAIN), list(_PLAIN.values()))
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.replace_all(r"[^0-9a-z]+", " ")
        .str.strip_chars()
    )


@cache
def _lists() -> dict[str, Any]:
    text = Path(__file__).with_name("headers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


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
