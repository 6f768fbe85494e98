"""From a publisher's file to a table of ours: what would change, and the change itself.

``propose`` reads the file, merges it and checks the result against the card; nothing is written. ``apply`` keeps the
old table under ``previous/``, writes the new one beside it, renames it into place, and records the new sha256 in the
card and the manifest.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import atomic, issues, tables
from vigilance.errors import InputRefused, OutOfResources, UsageError
from vigilance.i18n import messages
from vigilance.publishers import registry
from vigilance.publishers.reading import Reading
from vigilance.reference import MANIFEST, read_csv

_ = messages("data")

PREVIOUS: Final = "previous"
ABOUT_THE_ROW: Final = ("source", "confidence", "note", "date_confidence", "status_as_of", "complete_year", "known_on")
"""Columns that say where a fact comes from: another value there confirms the fact, it does not change it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A table as it would be after an import, and how it differs from the present one.

    ``added``, ``removed`` hold rows of the table; ``changed`` holds ``key, column, before, after`` as text;
    ``confirmed`` counts rows that the file repeats.
    """

    card: tables.Card
    reading: Reading
    content: bytes
    rows: int
    added: pl.DataFrame
    changed: pl.DataFrame
    removed: pl.DataFrame
    confirmed: int

    @property
    def empty(self) -> bool:
        """Nothing would be different."""
        return not (self.added.height or self.changed.height or self.removed.height)


def propose(root: Path, table: str, path: Path, as_of: date | None = None) -> Proposal:
    """What an import would change. Raises ``InputRefused`` when the file, or the table it would make, is wrong."""
    cards = tables.read_cards(root)
    if table not in cards:
        tables.columns_of(cards, table)
    card = cards[table]
    reading = registry.read(table, path, as_of)
    if reading.rows.is_empty():
        raise InputRefused(_("{path}: no row that can be used").format(path=path.name))
    old = read_csv((root / table / tables.TABLE).read_bytes(), card.types)
    new = merged(old, reading, card)
    content = tables.to_csv(card, new)
    _rows, found = tables.check(card, content, _others(root, cards, card))
    errors = found.filter(pl.col("severity") == "error")
    if errors.height:
        raise InputRefused(
            _("{path}: the table {table} would not fit its card").format(path=path.name, table=table),
            hint="; ".join(
                f"{row['column']} = {row['value']!r}: {row['message']}" for row in errors.head(3).iter_rows(named=True)
            ),
        )
    added, changed, removed, confirmed = differences(old, new, reading.rows, card.key)
    reading = replace(reading, issues=issues.ordered((reading.issues, older(old, reading.rows, card.key, path.name))))
    return Proposal(card, reading, content, new.height, added, changed, removed, confirmed)


def _others(root: Path, cards: dict[str, tables.Card], card: tables.Card) -> dict[str, pl.DataFrame]:
    wanted = {column.references.split(".")[0] for column in card.columns if column.references}
    return {
        name: read_csv((root / name / tables.TABLE).read_bytes(), cards[name].types)
        for name in sorted(wanted & set(cards))
    }


def merged(old: pl.DataFrame, reading: Reading, card: tables.Card) -> pl.DataFrame:
    """The old rows with those of the file over them.

    An empty cell of the file erases nothing, except in the columns that say where the fact comes from. Where the file
    covers its scope completely, old rows of that scope that it does not repeat are dropped.
    """
    key = list(card.key)
    told = [name for name in card.types if name in reading.rows.columns]
    rows = reading.rows.select(pl.col(name).cast(old.schema[name]) for name in told)
    both = rows.join(old, on=key, how="left", suffix="_old", maintain_order="left")
    values = []
    for name in card.types:
        if name in key or name not in told or name in ABOUT_THE_ROW:
            values.append(pl.col(name))
        else:
            values.append(pl.coalesce(name, f"{name}_old").alias(name))
    fresh = both.select(values)
    rest = old.join(rows.select(key), on=key, how="anti", maintain_order="left")
    if reading.scope:
        scope = list(reading.scope)
        rest = rest.join(rows.select(scope).unique(), on=scope, how="anti", maintain_order="left")
    return pl.concat([rest, fresh]).sort(key)


KNOWN_ON: Final = "known_on"


def older(old: pl.DataFrame, told: pl.DataFrame, key: Sequence[str], file: str) -> pl.DataFrame:
    """A warning when rows of the file were known before those of the table that they would replace."""
    if KNOWN_ON not in old.columns or KNOWN_ON not in told.columns:
        return issues.frame()
    both = told.select(*key, KNOWN_ON).join(old.select(*key, KNOWN_ON), on=list(key), how="inner", suffix="_old")
    behind = both.filter(pl.col(KNOWN_ON) < pl.col(f"{KNOWN_ON}_old"))
    if behind.is_empty():
        return issues.frame()
    first = behind.row(0, named=True)
    record = issues.issue(
        "older_than_table",
        _("values older than those of the table, which they would replace: {count}").format(count=behind.height),
        severity="warning",
        file=file,
        column=KNOWN_ON,
        value=f"{' '.join(str(first[name]) for name in key)}: {first[KNOWN_ON]} < {first[f'{KNOWN_ON}_old']}",
        hint=_("take the publisher's newest file, or leave the table as it is"),
    )
    return issues.frame([record])


def differences(
    old: pl.DataFrame, new: pl.DataFrame, told: pl.DataFrame, key: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, int]:
    """``(added, changed, removed, confirmed)`` between two states of a table; see ``Proposal``."""
    keys = list(key)
    added = new.join(old.select(keys), on=keys, how="anti", maintain_order="left")
    removed = old.join(new.select(keys), on=keys, how="anti", maintain_order="left")
    facts = [name for name in new.columns if name not in keys and name not in ABOUT_THE_ROW]
    both = new.join(old, on=keys, how="inner", suffix="_old", maintain_order="left")
    label = pl.concat_str([pl.col(name).cast(pl.String) for name in keys], separator=" ").alias("key")
    parts = [
        both.filter(pl.col(name).ne_missing(pl.col(f"{name}_old"))).select(
            label,
            pl.lit(name).alias("column"),
            pl.col(f"{name}_old").cast(pl.String).alias("before"),
            pl.col(name).cast(pl.String).alias("after"),
        )
        for name in facts
    ]
    empty = pl.DataFrame(schema=dict.fromkeys(("key", "column", "before", "after"), pl.String))
    changed = pl.concat([empty, *parts]).sort("key", "column")
    repeated = told.select(keys).join(old.select(keys), on=keys, how="inner").height
    return added, changed, removed, repeated - changed["key"].n_unique()


def apply(root: Path, proposal: Proposal) -> Path:
    """Write a proposal; return the path where the old table is kept.

    Raises ``OutOfResources`` when the folder cannot be written.
    """
    card = proposal.card
    folder = root / card.table
    table, card_path = folder / tables.TABLE, folder / tables.CARD
    kept = folder / PREVIOUS / f"{card.as_of.isoformat()}-{card.sha256[:8]}.csv"
    as_of = proposal.reading.as_of
    newer = as_of if as_of is not None and as_of > card.as_of else None
    text = tables.stamped(card_path.read_text(encoding="utf-8"), proposal.content, proposal.rows, newer)
    try:
        kept.parent.mkdir(exist_ok=True)
        atomic.write_bytes(kept, table.read_bytes())
        atomic.write_bytes(table, proposal.content)
        atomic.write_bytes(card_path, text.encode("utf-8"))
        atomic.write_bytes(root / MANIFEST, tables.manifest(tables.read_cards(root)))
    except PermissionError as error:
        raise OutOfResources(
            _("{root} cannot be written").format(root=root),
            hint=_("give a folder of your own: --data DIR (a copy of the facts is made there)"),
        ) from error
    return kept


def copy_of(root: Path, target: Path) -> Path:
    """A copy of the facts in a folder of the user's own; an existing copy is kept as it is.

    Raises ``UsageError`` when ``target`` holds something else.
    """
    if (target / MANIFEST).is_file():
        return target
    if target.exists() and any(target.iterdir()):
        raise UsageError(_("{target} holds something that is not a copy of the facts").format(target=target))
    shutil.copytree(root, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("examples"))
    return target


def record(root: Path) -> list[str]:
    """Write the sha256 and row count of each table into its card, and the manifest; the tables that were stale.

    For a person who edited a table by hand and read the change. Raises ``InputRefused`` when a table does not fit its
    card.
    """
    stale: list[str] = []
    for name, card in tables.read_cards(root).items():
        content = (root / name / tables.TABLE).read_bytes()
        rows, found = tables.check(card, content)
        if found.height:
            first = found.row(0, named=True)
            raise InputRefused(
                f"{first['file']}, {first['row'] or ''} {first['column']}: {first['message']}",
                hint=issues.shown(first["value"]) or None,
            )
        path = root / name / tables.CARD
        text = path.read_text(encoding="utf-8")
        fresh = tables.stamped(text, content, rows.height)
        if fresh != text:
            stale.append(name)
            atomic.write_bytes(path, fresh.encode("utf-8"))
    content = tables.manifest(tables.read_cards(root))
    if not (root / MANIFEST).exists() or (root / MANIFEST).read_bytes() != content:
        atomic.write_bytes(root / MANIFEST, content)
    return stale
