"""The contract of a table of facts: its card, and the check of the table against the card.

A card (``data/<table>/card.yaml``) says what a table holds: columns with type, unit and meaning, the key, the sources
with their licence, the as-of date, the sha256 and the known gaps. ``read_card`` reads one, strictly; ``check`` holds a
table against it and returns the typed rows and the issues. ``manifest`` condenses all cards into the small file that
:mod:`vigilance.reference` reads when scoring, so that no YAML is parsed there.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from vigilance import issues
from vigilance.errors import RuleError, UsageError
from vigilance.i18n import messages
from vigilance.reference import DTYPES, MANIFEST, read_csv

_ = messages("data")

CARD: Final = "card.yaml"
TABLE: Final = "table.csv"
CARD_LIMIT: Final = 256 * 1024
"""Bytes that a card may have: they are written by hand, and a bigger one is a mistake or an attack."""

SHOWN_ISSUES: Final = 20
"""Rows named per column and kind of problem; the rest is counted."""

Kind = Literal["string", "integer", "number", "boolean", "date"]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Strict(BaseModel):
    """A model without unknown fields and without silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Text(Strict):
    """A text in both languages."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class Column(Strict):
    """One column. ``references`` is ``table.column`` of another table; ``event`` lists the columns blanked with it."""

    name: Slug
    type: Kind
    meaning: str = Field(min_length=1)
    unit: str | None = None
    nullable: bool = False
    allowed: tuple[str, ...] | None = Field(default=None, strict=False)
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    references: str | None = Field(default=None, pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    event: tuple[Slug, ...] | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _types_fit(self) -> Column:
        if self.event is not None and self.type != "date":
            raise ValueError(f"column {self.name}: only a date can be an event")
        if (self.allowed is not None or self.pattern is not None) and self.type != "string":
            raise ValueError(f"column {self.name}: allowed values and patterns are for strings")
        return self


class Source(Strict):
    """Where the facts come from, and on what terms."""

    publisher: str = Field(min_length=1)
    title: str = Field(min_length=1)
    url: str | None = None
    licence: str = Field(min_length=1)


class Card(Strict):
    """What a table holds. ``sha256`` and ``rows`` are those of ``table.csv``; ``file`` names another file it holds."""

    table: Slug
    title: Text
    description: str = Field(min_length=1)
    key: tuple[Slug, ...] = Field(min_length=1, strict=False)
    columns: tuple[Column, ...] = Field(min_length=1, strict=False)
    sources: tuple[Source, ...] = Field(min_length=1, strict=False)
    licence: str = Field(min_length=1)
    as_of: date
    compiled_on: date
    importer: str | None = None
    files: Mapping[str, str] = Field(default_factory=dict)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(ge=1)
    known_gaps: tuple[str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _names_fit(self) -> Card:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns named twice: {', '.join(twice)}")
        told = {*self.key, *(name for column in self.columns for name in column.event or ())}
        unknown = sorted(told - set(names))
        if unknown:
            raise ValueError(f"not a column of this table: {', '.join(unknown)}")
        nullable = [column.name for column in self.columns if column.nullable and column.name in self.key]
        if nullable:
            raise ValueError(f"a key column cannot be nullable: {', '.join(nullable)}")
        return self

    @property
    def types(self) -> dict[str, str]:
        """Column names and types, in order."""
        return {column.name: column.type for column in self.columns}


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    yaml.allow_duplicate_keys = False
    return yaml


def read_card(path: Path) -> Card:
    """Read one card. Raises ``RuleError`` naming the file, the key and what is wrong with it, all errors together."""
    content = path.read_bytes()
    if len(content) > CARD_LIMIT:
        raise RuleError(
            _("{path}: {size} bytes; a card has at most {limit}").format(path=path, size=len(content), limit=CARD_LIMIT)
        )
    try:
        raw = _yaml().load(content.decode("utf-8"))
        return Card.model_validate(raw)
    except (YAMLError, UnicodeDecodeError) as error:
        raise RuleError(_("{path}: not valid YAML: {reason}").format(path=path, reason=error)) from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, item['loc'])) or 'card'}: {item['msg']}" for item in error.errors()]
        raise RuleError("\n".join([_("{path}: the card is wrong").format(path=path), *lines])) from error


def read_cards(root: Path) -> dict[str, Card]:
    """All cards of a data folder by table name. Raises ``RuleError`` with the errors of all cards together."""
    cards: dict[str, Card] = {}
    errors: list[str] = []
    for path in sorted(root.glob(f"*/{CARD}")):
        try:
            card = read_card(path)
        except RuleError as error:
            errors.append(error.message)
            continue
        if card.table != path.parent.name:
            errors.append(
                _("{path}: the card is of table {table!r}").format(path=path, table=card.table)
                + f" (!= {path.parent.name!r})"
            )
        cards[path.parent.name] = card
    if errors:
        raise RuleError("\n".join(errors))
    if not cards:
        raise UsageError(_("no tables at {root}").format(root=root))
    return cards


Lookup = Mapping[str, pl.DataFrame]
"""Other tables by name, for the check of references."""


def check(card: Card, content: bytes, others: Lookup | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hold the bytes of a ``table.csv`` against its card.

    Returns ``(rows, issues)``: the typed rows (empty when the columns do not fit) and a frame of ``issues.SCHEMA``.
    ``others`` are the tables that columns refer to; a reference to a table that is not given is not checked.
    """
    file = f"{card.table}/{TABLE}"
    found: list[dict[str, Any]] = []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        found.append(issues.issue("encoding", _("not UTF-8: {reason}").format(reason=error), file=file))
        return _empty(card), issues.frame(found)
    if "\r" in text or text.startswith("\ufeff"):
        found.append(issues.issue("line_ends", _("a table has LF line ends and no byte-order mark"), file=file))
    found += _shape(card, text, file)
    if found:
        return _empty(card), issues.frame(found)
    raw = read_csv(content, dict.fromkeys(card.types, "string"))
    rows, found = _typed(card, raw, file)
    for column in card.columns:
        found += _values(column, raw[column.name], rows[column.name], file)
        found += _reference(column, rows[column.name], others or {}, file)
    found += _key(card, rows, file)
    return rows, issues.frame(found)


def _empty(card: Card) -> pl.DataFrame:
    return pl.DataFrame(schema={name: DTYPES[kind] for name, kind in card.types.items()})


def _shape(card: Card, text: str, file: str) -> list[dict[str, Any]]:
    """The header, and the number of cells of each line, counted by ourselves."""
    reader = csv.reader(io.StringIO(text), strict=True)
    want = list(card.types)
    found: list[dict[str, Any]] = []
    try:
        header = next(reader, [])
        if header != want:
            absent = [name for name in want if name not in header]
            extra = [name for name in header if name not in want]
            message = _("the columns are not those of the card (missing: {absent}; not in the card: {extra})")
            return [
                issues.issue(
                    "columns",
                    message.format(absent=", ".join(absent) or "-", extra=", ".join(extra) or "-"),
                    file=file,
                    row=1,
                    hint=_("the card says, in this order: {names}").format(names=", ".join(want)),
                )
            ]
        for cells in reader:
            if len(cells) != len(want) and len(found) < SHOWN_ISSUES:
                message = _("{found} cells where the header has {want}")
                found.append(
                    issues.issue(
                        "cells",
                        message.format(found=len(cells), want=len(want)),
                        file=file,
                        row=reader.line_num,
                    )
                )
    except csv.Error as error:
        found.append(
            issues.issue("quotes", _("not a CSV: {reason}").format(reason=error), file=file, row=reader.line_num)
        )
    return found


def _typed(card: Card, raw: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    parsed: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "string": lambda c: c,
        "integer": lambda c: c.str.to_integer(strict=False),
        "number": lambda c: c.cast(pl.Float64, strict=False),
        "boolean": lambda c: pl.when(c.is_in(["true", "false"])).then(c == "true"),
        "date": lambda c: c.str.to_date("%Y-%m-%d", strict=False),
    }
    rows = raw.select(parsed[column.type](pl.col(column.name)).alias(column.name) for column in card.columns)
    found: list[dict[str, Any]] = []
    for column in card.columns:
        lost = rows[column.name].is_null() & raw[column.name].is_not_null()
        found += _at(lost, "type", _wanted(column.type), raw[column.name], file)
    return rows, found


def _wanted(kind: Kind) -> str:
    """What a value of a type must be, in words."""
    return {
        "string": _("not a text"),
        "integer": _("not a whole number"),
        "number": _("not a number"),
        "boolean": _("not true or false"),
        "date": _("not a date as 2026-11-01"),
    }[kind]


def _values(column: Column, raw: pl.Series, typed: pl.Series, file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if not column.nullable:
        found += _at(raw.is_null(), "empty", _("empty, and the card says never empty"), raw, file)
    if column.allowed is not None:
        wrong = typed.is_not_null() & ~typed.is_in(list(column.allowed))
        found += _at(
            wrong,
            "not_allowed",
            _("not one of: {values}").format(values=", ".join(column.allowed)),
            raw,
            file,
        )
    if column.pattern is not None:
        wrong = typed.is_not_null() & ~typed.str.contains(f"^(?:{column.pattern})$").fill_null(value=True)
        found += _at(wrong, "pattern", _("not of the form {pattern}").format(pattern=column.pattern), raw, file)
    if column.minimum is not None:
        found += _at(typed < column.minimum, "range", _("under {limit:g}").format(limit=column.minimum), raw, file)
    if column.maximum is not None:
        found += _at(typed > column.maximum, "range", _("over {limit:g}").format(limit=column.maximum), raw, file)
    if column.type == "number":
        odd = (typed.is_nan() | typed.is_infinite()).fill_null(value=False)
        found += _at(odd, "range", _("not a finite number"), raw, file)
    return found


def _reference(column: Column, typed: pl.Series, others: Lookup, file: str) -> list[dict[str, Any]]:
    if column.references is None:
        return []
    table, name = column.references.split(".")
    if table not in others:
        return []
    known = others[table][name].drop_nulls().unique()
    wrong = typed.is_not_null() & ~typed.is_in(known.implode())
    return _at(wrong, "reference", _("not in {reference}").format(reference=column.references), typed, file)


def _key(card: Card, rows: pl.DataFrame, file: str) -> list[dict[str, Any]]:
    key = list(card.key)
    shown = rows.select(pl.concat_str([pl.col(c).cast(pl.String) for c in key], separator=" / "))
    values = shown.to_series().rename("+".join(key))
    found = _at(
        rows.select(key).is_duplicated(),
        "key",
        _("the key is not unique: {key}").format(key=", ".join(key)),
        values,
        file,
    )
    if not found and not rows.select(key).equals(rows.select(key).sort(key)):
        found.append(
            issues.issue("order", _("the rows are not sorted by the key: {key}").format(key=", ".join(key)), file=file)
        )
    return found


def _at(mask: pl.Series, code: str, message: str, values: pl.Series, file: str) -> list[dict[str, Any]]:
    """Issues at the rows where ``mask`` holds: the first ones named, the rest counted."""
    positions = mask.fill_null(value=False).arg_true().to_list()
    found = [
        issues.issue(code, message, file=file, row=at + 2, column=values.name, value=values[at])
        for at in positions[:SHOWN_ISSUES]
    ]
    if len(positions) > SHOWN_ISSUES:
        more = _("{message} (and {count} more rows)").format(message=message, count=len(positions) - SHOWN_ISSUES)
        found.append(issues.issue(code, more, file=file, column=values.name))
    return found


def check_all(root: Path) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Check every table of a data folder against its card, its sha256, its row count and the tables it refers to.

    Returns the typed tables by name and all issues. Raises ``RuleError`` when cards are wrong.
    """
    cards = read_cards(root)
    contents = {name: (root / name / TABLE).read_bytes() for name in cards}
    tables = {name: check(card, contents[name])[0] for name, card in cards.items()}
    parts = [check(card, contents[name], tables)[1] for name, card in cards.items()]
    records = [record for name, card in cards.items() for record in _digests(root, card, contents[name])]
    if (root / MANIFEST).exists() and (root / MANIFEST).read_bytes() != manifest(cards):
        records.append(
            issues.issue("manifest", _("the manifest is not that of the cards"), file=MANIFEST, hint=_write_hint())
        )
    return tables, issues.ordered([*parts, issues.frame(records)])


def _write_hint() -> str:
    return _("after reading the change: `vigilance data check --write`")


def _digests(root: Path, card: Card, content: bytes) -> list[dict[str, Any]]:
    file = f"{card.table}/{TABLE}"
    found: list[dict[str, Any]] = []
    if hashlib.sha256(content).hexdigest() != card.sha256:
        found.append(issues.issue("sha256", _("the sha256 is not that of the card"), file=file, hint=_write_hint()))
    for name, digest in card.files.items():
        path = root / card.table / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append(issues.issue("sha256", _("the sha256 is not that of the card"), file=f"{card.table}/{name}"))
    return found


def manifest(cards: Mapping[str, Card]) -> bytes:
    """The manifest of a data folder: the cards in short, as JSON, the same bytes for the same cards."""
    tables = {
        name: {
            "sha256": card.sha256,
            "rows": card.rows,
            "key": list(card.key),
            "columns": card.types,
            "events": {c.name: list(c.event) for c in card.columns if c.event is not None},
        }
        for name, card in sorted(cards.items())
    }
    return (json.dumps({"version": 1, "tables": tables}, indent=1, ensure_ascii=False) + "\n").encode()


def to_csv(card: Card, rows: pl.DataFrame) -> bytes:
    """Rows as the bytes of a ``table.csv``: the card's columns, sorted by its key, UTF-8, LF, empty for null."""
    ordered = rows.select(list(card.types)).sort(list(card.key), nulls_last=True, maintain_order=True)
    return ordered.write_csv(line_terminator="\n", float_precision=None).encode("utf-8")


_DIGEST_LINE: Final = re.compile(r"^sha256: .*$", re.MULTILINE)
_ROWS_LINE: Final = re.compile(r"^rows: .*$", re.MULTILINE)
_AS_OF_LINE: Final = re.compile(r"^as_of: .*$", re.MULTILINE)


def stamped(card_text: str, content: bytes, rows: int, as_of: date | None = None) -> str:
    """The text of a card with the sha256 and the row count (and as-of date) of a new table; all else untouched."""
    text = _DIGEST_LINE.sub(f"sha256: '{hashlib.sha256(content).hexdigest()}'", card_text)
    text = _ROWS_LINE.sub(f"rows: {rows}", text)
    return text if as_of is None else _AS_OF_LINE.sub(f"as_of: {as_of.isoformat()}", text)


def columns_of(cards: Mapping[str, Card], table: str) -> Sequence[Column]:
    """The columns of one table's card. Raises ``UsageError`` for a table without a card."""
    if table not in cards:
        raise UsageError(
            _("there is no table {name!r}").format(name=table),
            hint=_("tables: {names}").format(names=", ".join(sorted(cards))),
        )
    return cards[table].columns
