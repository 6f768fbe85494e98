"""Texts and identifiers: kept as text, with their check digits tested where they have them.

The tests of all rows are expressions: ISO 7064 mod 97-10 for a LEI, the Luhn sum for an ISIN, the sum of GS1 for a GLN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Final

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import Cell, Check, Column, Counts, Plan, Reader, Text
from vigilance.ingest.folding import INVISIBLE_PATTERN, MIXED_PATTERN

_ = messages("ingest")

MASK: Final = "[" + "".join(f"\\x{{{ord(char):x}}}" if char != "-" else "-" for char in INVISIBLE_PATTERN[1:-1]) + "]"
_LUHN_DIGITS: Final = 24
"""Digits of an ISIN at most, once each letter has become two."""

_SCIENTIFIC: Final = r"^\d(?:[.,]\d+)?[eE]\+?\d+$"


def text(cell: Cell, column: Column) -> Reader:
    """A text as it is; what cannot be seen in it is named. Typed String, without surrounding blanks."""
    is_key = bool(column.options.get("key"))
    scientific = cell.text.str.contains(_SCIENTIFIC) if is_key else pl.lit(False)
    foreign = cell.text.str.len_bytes() != cell.text.str.len_chars()
    seen = yield Counts(
        {
            "blank": cell.rows(cell.text.is_null()),
            "foreign": cell.rows(foreign),
            "guarded": cell.rows(cell.text.str.starts_with("'")),
            "scientific": cell.rows(scientific),
        }
    )
    invisible, mixed = cell.text.str.contains(MASK), cell.text.str.contains(MIXED_PATTERN)
    odd = {"invisible": 0, "mixed": 0}
    if seen["foreign"]:
        held = pl.when(foreign).then(cell.text)
        odd = yield Counts(
            {"invisible": cell.rows(held.str.contains(MASK)), "mixed": cell.rows(held.str.contains(MIXED_PATTERN))}
        )
    key = pl.when(invisible).then(pl.lit("invisible")).when(mixed).then(pl.lit("mixed"))
    key = key.when(scientific).then(pl.lit("scientific"))
    blank = cell.required and bool(seen["blank"])
    strange = bool(odd["invisible"] or odd["mixed"] or seen["scientific"])
    plain = cell.text.str.replace_all(MASK, "") if odd["invisible"] else cell.text
    repaired = plain if odd["invisible"] else None
    if seen["guarded"]:
        # The apostrophe that our exports (and spreadsheets) put before what could be a formula is not of the text.
        plain = plain.str.replace(r"^'([\s]*[=+\-@＝＋－＠])", "${1}")
    strange_check = Check(cell.header, cell.text, key, _texts())
    return Plan(
        typed={column.typed: plain},
        checks=[*([strange_check] if strange else []), *([cell.blank()] if blank else [])],
        repaired=repaired,
        failing=strange or blank,
    )


def _texts() -> dict[str, Text]:
    return {
        "invisible": Text(
            "text_invisible",
            "warning",
            _("invisible characters in the text; they are left out when it is compared"),
            _("type the text again"),
        ),
        "mixed": Text(
            "text_lookalike",
            "warning",
            _("letters of two alphabets in one word"),
            _("type the word again; some letters only look right"),
        ),
        "scientific": Text(
            "id_scientific",
            "warning",
            _("an identifier that a spreadsheet has turned into a number"),
            _("format the column as text and export it again"),
        ),
    }


def _character(value: pl.Expr, position: int) -> pl.Expr:
    """The value of a character: digits 0 to 9, letters A = 10 to Z = 35."""
    return value.str.slice(position, 1).str.to_integer(base=36, strict=False)


def _mod97(value: pl.Expr) -> pl.Expr:
    """The remainder of an alphanumeric text of 20 characters by ISO 7064 mod 97-10."""

    def step(rest: pl.Expr, position: int) -> pl.Expr:
        digit = _character(value, position)
        return (rest * pl.when(digit < 10).then(10).otherwise(100) + digit) % 97

    return reduce(step, range(20), pl.lit(0, dtype=pl.Int64))


def valid_lei(value: pl.Expr) -> pl.Expr:
    """Whether a text is a LEI: 18 characters and two check digits (ISO 17442)."""
    return value.str.contains(r"^[0-9A-Z]{18}[0-9]{2}$") & (_mod97(value) == 1)


def valid_gln(value: pl.Expr) -> pl.Expr:
    """Whether a text is a GLN: thirteen digits, the last a GS1 check digit."""
    digits = [_character(value, i) * (3 if i % 2 else 1) for i in range(13)]
    return value.str.contains(r"^[0-9]{13}$") & (reduce(add, digits) % 10 == 0)


def valid_isin(value: pl.Expr) -> pl.Expr:
    """Whether a text is an ISIN: country, nine characters, a Luhn check digit over the expanded digits (ISO 6166)."""
    letters = {chr(code): str(code - 55) for code in range(ord("A"), ord("Z") + 1)}
    digits = value.str.replace_many(list(letters), list(letters.values())).str.reverse()
    total = pl.lit(0, dtype=pl.Int64)
    for position in range(_LUHN_DIGITS):
        digit = _character(digits, position).fill_null(0)
        total = total + (digit if position % 2 == 0 else digit * 2 - pl.when(digit > 4).then(9).otherwise(0))
    return value.str.contains(r"^[A-Z]{2}[0-9A-Z]{9}[0-9]$") & (total % 10 == 0)


def valid_duns(value: pl.Expr) -> pl.Expr:
    """Whether a text is a DUNS number: nine digits (it has no check digit any more)."""
    return value.str.contains(r"^[0-9]{9}$")


def _form(name: str) -> str:
    return {
        "LEI": _("20 characters, the last two check digits"),
        "ISIN": _("12 characters, the last a check digit"),
        "GLN": _("13 digits, the last a check digit"),
        "DUNS": _("9 digits"),
    }[name]


def _checked(valid: Callable[[pl.Expr], pl.Expr], name: str) -> Callable[[Cell, Column], Reader]:
    def reader(cell: Cell, column: Column) -> Reader:
        plain = cell.text.str.to_uppercase().str.replace_all(r"[\s.\-]", "")
        bad = cell.text.is_not_null() & ~valid(plain)
        seen = yield Counts({"bad": cell.rows(bad), "spaced": cell.rows(plain != cell.text)})
        severity = "error" if column.options.get("key") else "warning"
        said = Text(
            f"{column.name}_invalid",
            "error" if severity == "error" else "warning",
            _("not a valid {name}").format(name=name),
            _("a {name} has {form}; format the column as text so that no zero is lost").format(
                name=name, form=_form(name)
            ),
        )
        return Plan(
            typed={column.typed: pl.when(~bad).then(plain)},
            checks=[Check(cell.header, cell.text, pl.when(bad).then(pl.lit("bad")), {"bad": said})],
            repaired=pl.when(~bad).then(plain) if seen["bad"] or seen["spaced"] else None,
            failing=bool(seen["bad"]),
        )

    return reader


lei = _checked(valid_lei, "LEI")
isin = _checked(valid_isin, "ISIN")
gln = _checked(valid_gln, "GLN")
duns = _checked(valid_duns, "DUNS")
