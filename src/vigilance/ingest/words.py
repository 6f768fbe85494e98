"""Columns read through their distinct values: each is understood once in Python, then looked up for all rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from vigilance import terms
from vigilance.i18n import messages
from vigilance.ingest.columns import BLANK_WORDS, Cell, Check, Column, Distinct, Note, Plan, Reader, Text, lookup
from vigilance.ingest.folding import fold, unmasked, visible, words

_ = messages("ingest")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one distinct text means. ``text`` is what has to be said of it; an error means it could not be read."""

    value: Any = None
    text: Text | None = None
    repaired: str | None = None
    """A spelling that reads the same and needs no remark; None leaves the cell as it is."""


Resolver = Callable[[Sequence[str]], Sequence[Reading]]


def read_words(
    cell: Cell, resolver: Resolver, typed: Mapping[str, tuple[pl.DataType | type[pl.DataType], Callable[[Any], Any]]]
) -> Reader:
    """Read a column through its distinct values.

    ``typed`` gives, per typed column, its dtype and how to take it from a reading's value. A text that cannot be read
    sets its rows aside; what is said of a text that can is one note per distinct text.
    """
    everything: pl.DataFrame = yield Distinct(cell.text)
    found = everything.drop_nulls("value")
    blank = cell.required and found.height < everything.height
    texts = found["value"].to_list()
    readings = {t: _said(t, r) for t, r in zip(texts, resolver(texts), strict=True)}
    good = {text: r for text, r in readings.items() if not _is_error(r)}
    bad = {text: r.text for text, r in readings.items() if _is_error(r) and r.text is not None}
    notes = [
        Note(_counted(reading.text, rows), cell.header, text, line)
        for (text, rows, line) in found.select("value", "rows", "line").iter_rows()
        if (reading := readings[text]).text is not None and not _is_error(reading)
    ]
    repairs = {text: r.repaired for text, r in good.items() if r.repaired is not None}
    check = Check(cell.header, cell.text, lookup(cell.text, {text: text for text in bad}, pl.String()), bad)
    return Plan(
        typed={
            name: lookup(
                cell.text,
                {text: taken for text, r in good.items() if (taken := take(r.value)) is not None},
                dtype,
            )
            for name, (dtype, take) in typed.items()
        },
        checks=[*([check] if bad else []), *([cell.blank()] if blank else [])],
        notes=notes,
        repaired=pl.coalesce(lookup(cell.text, repairs, pl.String()), pl.col(cell.name)) if repairs else None,
        failing=bool(bad) or blank,
    )


def _said(text: str, reading: Reading) -> Reading:
    """A reading that had to see through invisible or look-alike characters says so."""
    if reading.text is not None or (plain := unmasked(text)) == text:
        return reading
    said = Text(
        "text_lookalike",
        "warning",
        _("characters that cannot be seen or only look right; read as '{plain}'").format(plain=plain),
        _("type the text again"),
    )
    return Reading(reading.value, said, reading.repaired or plain)


def _is_error(reading: Reading) -> bool:
    return reading.text is not None and reading.text.severity == "error"


def _counted(text: Text, rows: int) -> Text:
    if rows == 1:
        return text
    return Text(
        text.code, text.severity, _("{message} (in {rows} rows)").format(message=text.message, rows=rows), text.hint
    )


def same(value: Any) -> Any:
    """The value of a reading as it is."""
    return value


# Yes, no, unknown

_YES: Final = frozenset(
    [
        "true",
        "yes",
        "y",
        "t",
        "oui",
        "o",
        "vrai",
        "v",
        "x",
        "1",
        "1.0",
        "✓",
        "✔",
        "☑",
        "checked",
        "coche",
        "wahr",
        "ja",
        "si",
        "sim",
        "present",
    ]
)
_NO: Final = frozenset(
    ["false", "no", "n", "f", "non", "faux", "0", "0.0", "☐", "✗", "✘", "falsch", "nein", "absent", "none", "aucun"]
)


def _boolean(text: str) -> Reading:
    low = visible(text).casefold()
    if low in _YES or fold(low) in _YES - {""}:
        return Reading(True, repaired=None)
    if low in _NO or fold(low) in _NO - {""}:
        return Reading(False)
    if low in BLANK_WORDS:
        return Reading(None)
    return Reading(
        text=Text(
            "boolean_unreadable",
            "error",
            _("neither yes, no nor unknown"),
            _("write yes, no, or leave the cell blank for unknown"),
        )
    )


def boolean(cell: Cell, column: Column) -> Reader:
    """Yes or no in English or French, blank for unknown; typed as Boolean, null unknown."""
    return read_words(cell, lambda texts: [_boolean(t) for t in texts], {column.typed: (pl.Boolean(), same)})


def factor(cell: Cell, column: Column) -> Reader:
    """A workforce factor: typed as the digit of ``terms`` (0 no, 1 yes); null where unknown."""
    digits = {True: terms.PRESENT, False: terms.ABSENT}
    return read_words(cell, lambda texts: [_boolean(t) for t in texts], {column.typed: (pl.Int32(), digits.get)})


# Tiers

_TIER_WORDS: Final = frozenset(
    [
        "t",
        "tier",
        "tiers",
        "rang",
        "rank",
        "r",
        "n",
        "niveau",
        "level",
        "fournisseur",
        "supplier",
        "de",
        "of",
        "le",
        "the",
    ]
)


_TIER_OPEN: Final = re.compile(
    r"(?:\+|\bet plus|\bet au-delà|\bor more|\band more|\band beyond|\band above|\bor higher)$", re.IGNORECASE
)
_TIER_SAID: Final = {
    **dict.fromkeys(("first", "1st", "premier", "premiere", "1er", "1re", "1ere", "i", "direct", "directe"), 1),
    **dict.fromkeys(("second", "2nd", "deuxieme", "seconde", "2e", "2eme", "ii"), 2),
    **dict.fromkeys(("third", "3rd", "troisieme", "3e", "3eme", "iii"), 3),
    **dict.fromkeys(("fourth", "4th", "quatrieme", "4e", "4eme", "iv"), 4),
}
"""Tiers in words: ordinals and Roman numbers."""


def _tier(text: str) -> Reading:
    if visible(text).casefold() in BLANK_WORDS:
        return Reading(None)
    raw = visible(text).replace(",", ".")
    bare = _TIER_OPEN.sub("", raw).strip()
    number = _tier_number(bare)
    if number not in terms.TIERS or raw.startswith("-"):
        return Reading(
            text=Text(
                "tier_unreadable",
                "error",
                _("not a tier from 1 to 4"),
                _("write 1 (final production), 2, 3 or 4 (raw materials), or leave blank"),
            )
        )
    if bare != raw:
        said = Text("tier_open", "warning", _("read as tier {tier}").format(tier=number), _("write one tier, 1 to 4"))
        return Reading(number, said, str(number))
    return Reading(number)


def _tier_number(bare: str) -> int | None:
    """The tier that a text names, in figures or as an ordinal; None where it names none or more than one."""
    said = [_TIER_SAID[word] for word in words(bare) if word in _TIER_SAID]
    rest = [word for word in words(bare) if word not in _TIER_SAID and word not in _TIER_WORDS]
    if said and not rest:
        return said[0] if len(set(said)) == 1 else None
    parts = [part for part in words(_split_digits(bare)) if part not in _TIER_WORDS]
    if parts[1:] == ["0"]:  # 2.0, as a spreadsheet writes a whole number
        parts = parts[:1]
    if len(parts) != 1 or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 4):
        return None
    return int(parts[0])


def _split_digits(text: str) -> str:
    """A blank between letters and digits: ``T1`` → ``T 1``."""
    return "".join(
        f" {char}" if i and char.isdigit() != text[i - 1].isdigit() and text[i - 1] != " " else char
        for i, char in enumerate(text)
    )


def tier(cell: Cell, column: Column) -> Reader:
    """A tier 1 to 4 in figures or as ``T1``, ``rang 2``, ``Tier 3+``; typed Int8, null unknown."""
    return read_words(cell, lambda texts: [_tier(t) for t in texts], {column.typed: (pl.Int8(), same)})


# One of a few words


def choice(cell: Cell, column: Column) -> Reader:
    """One of ``options['words']``: value → the folded spellings that mean it. Typed String."""
    spellings = {fold(s): value for value, known in column.options["words"].items() for s in (value, *known)}
    hint = _("one of: {words}").format(words=", ".join(column.options["words"]))
    missing = Text("value_missing", "error", _("a required cell is blank"), hint)
    unsaid = Reading(text=missing) if cell.required else Reading(None)

    def resolve(texts: Sequence[str]) -> list[Reading]:
        return [
            unsaid
            if visible(text).casefold() in BLANK_WORDS
            else Reading(spellings[fold(text)])
            if fold(text) in spellings
            else Reading(text=Text("word_unknown", "error", _("not a known word for this column"), hint))
            for text in texts
        ]

    return read_words(cell, resolve, {column.typed: (pl.String(), same)})
