"""The facts: ``data/`` read, verified against its manifest, and seen as of one date.

``load()`` reads only ``data/manifest.json`` (the cards in short: columns, types, keys and sha256 of each table), so
that it costs a few milliseconds; a table is read, and its sha256 verified, when it is first asked for. The cards
themselves are checked by :mod:`vigilance.tables` (``vigilance data check``).

What a date hides. A table with a column ``known_on`` keeps only the rows that were public on the date asked for (an
empty ``known_on`` means that the row is undated: a name, a code, a status whose day nobody could verify). Columns that
the card marks ``event`` hold the date of something that may come later (a delisting, the end of a programme): where
that date is after the one asked for, it is blanked together with the columns that tell of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import language, messages

_ = messages("data")

MANIFEST: Final = "manifest.json"
KNOWN_ON: Final = "known_on"
DTYPES: Final[Mapping[str, pl.DataType]] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}
"""The types a card may give to a column, and what they are in a frame."""

NOT_RATIFIED: Final = "not_ratified"
RATIFIED: Final = "ratified"
IN_FORCE: Final = "in_force"
DENOUNCED: Final = "denounced"
RATIFICATION_STATUSES: Final = (NOT_RATIFIED, RATIFIED, IN_FORCE, DENOUNCED)


@dataclass(frozen=True, slots=True)
class TableEntry:
    """What the manifest says of one table.

    ``columns`` maps a name to one of ``DTYPES``; ``events`` maps a date column to the columns that are blanked with it
    while the date lies ahead.
    """

    name: str
    sha256: str
    rows: int
    columns: Mapping[str, str]
    key: tuple[str, ...]
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


DATA_VARIABLE: Final = "VIGILANCE_DATA"
"""Environment variable: a folder of facts of the user's own, made by ``vigilance data import --data DIR``."""


def default_data() -> Path:
    """The folder that ``load()`` reads: the one that ``VIGILANCE_DATA`` names, else the shipped one."""
    own = os.environ.get(DATA_VARIABLE)
    return Path(own) if own else shipped_data()


def shipped_data() -> Path:
    """The folder of the facts that come with the package, or with the checkout it is run from."""
    package = Path(__file__).parent
    shipped = package / "_shipped" / "data"
    return shipped if shipped.is_dir() else package.parent.parent / "data"


def read_csv(content: bytes, columns: Mapping[str, str]) -> pl.DataFrame:
    """A table's bytes as a typed frame; empty cells are null. Raises ``polars`` errors on a value of another type."""
    return pl.read_csv(
        io.BytesIO(content),
        schema={name: DTYPES[kind] for name, kind in columns.items()},
        null_values=[""],
        encoding="utf8",
    )


def load(path: Path | None = None) -> Reference:
    """Open the facts at ``path`` (default: ``default_data()``).

    Raises ``UsageError`` when there is no manifest there, ``InputRefused`` when it cannot be read.
    """
    root = default_data() if path is None else Path(path)
    manifest = root / MANIFEST
    if not manifest.is_file():
        raise UsageError(
            _("no facts at {root}: {name} is missing").format(root=root, name=MANIFEST),
            hint=_("run `vigilance data check --write`, or install the package again"),
        )
    try:
        content = json.loads(manifest.read_bytes())
        entries = {name: _entry(name, raw) for name, raw in content["tables"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputRefused(
            _("{path} cannot be read: {reason}").format(path=manifest, reason=error),
            hint=_("write it again from the cards: `vigilance data check --write`"),
        ) from error
    return Reference(root, entries)


def _entry(name: str, raw: Mapping[str, Any]) -> TableEntry:
    events = {column: tuple(others) for column, others in raw.get("events", {}).items()}
    return TableEntry(name, str(raw["sha256"]), int(raw["rows"]), dict(raw["columns"]), tuple(raw["key"]), events)


class Reference:
    """All facts, of all dates. Tables are read once, when first asked for."""

    def __init__(self, root: Path, entries: Mapping[str, TableEntry]) -> None:
        self.root = root
        self.entries = dict(entries)
        self._frames: dict[str, pl.DataFrame] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables, sorted."""
        return tuple(sorted(self.entries))

    def table(self, name: str) -> pl.DataFrame:
        """A table whole, whatever its dates, verified against its sha256.

        Raises ``UsageError`` for an unknown name, ``InputRefused`` when the file is not the one that the manifest
        describes.
        """
        if name not in self._frames:
            self._frames[name] = self._read(name)
        return self._frames[name]

    def in_force(self, on: date) -> Facts:
        """The facts that were public on a date."""
        return Facts(self, on)

    def identity(self, names: Iterable[str] | None = None) -> str:
        """sha256 over what the manifest says of some tables, or of all: their digests, and how they are read."""
        known = self.entries if names is None else {name: self.entries[name] for name in names if name in self.entries}
        said = {name: asdict(entry) for name, entry in sorted(known.items())}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def intact(self, names: Iterable[str] | None = None) -> bool:
        """Whether the files of some tables, or of all, are those that the manifest describes, by their sha256.

        They are read for it, because size and time tell nothing for certain (a restored backup, a clock set back), and
        the facts are small enough: some milliseconds.
        """
        try:
            return all(self._content(name) is not None for name in names or self.entries)
        except (KeyError, OSError):
            return False

    def _content(self, name: str) -> bytes | None:
        """The bytes of a table; None where their sha256 is not that of the manifest."""
        with open(f"{self.root}/{name}/table.csv", "rb") as file:  # noqa: PTH123 - a path costs more than the file
            content = file.read()
        return content if hashlib.sha256(content).hexdigest() == self.entries[name].sha256 else None

    def _read(self, name: str) -> pl.DataFrame:
        entry = self.entries.get(name)
        if entry is None:
            raise UsageError(
                _("there is no table {name!r}").format(name=name),
                hint=_("tables: {names}").format(names=", ".join(self.tables)),
            )
        path = self.root / name / "table.csv"
        try:
            content = self._content(name)
        except FileNotFoundError as error:
            raise InputRefused(_("{path} is missing").format(path=path)) from error
        if content is None:
            raise InputRefused(
                _("{path} is not the table that the manifest describes (sha256 differs)").format(path=path),
                hint=_("if the change is wanted, check it and record it with `vigilance data check --write`"),
            )
        try:
            return read_csv(content, entry.columns)
        except pl.exceptions.PolarsError as error:
            raise InputRefused(_("{path} cannot be read: {reason}").format(path=path, reason=error)) from error


class Facts:
    """The facts as of one date. Nothing dated after ``on`` is in any of its tables."""

    def __init__(self, reference: Reference, on: date) -> None:
        self.on = on
        self.reference = reference
        self._frames: dict[str, pl.DataFrame] = {}

    @property
    def digest(self) -> str:
        """sha256 over the names and sha256 of all tables: the same facts give the same digest, read or unread."""
        lines = (f"{name} {self.reference.entries[name].sha256}\n" for name in self.reference.tables)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def identity(self, names: Iterable[str]) -> str:
        """What decides the rows of some tables: their digests, how they are read and, where one is dated, the date."""
        entries = [self.reference.entries[name] for name in names if name in self.reference.entries]
        dated = any(entry.events or KNOWN_ON in entry.columns for entry in entries)
        return f"{self.reference.identity(names)} {self.on.isoformat() if dated else ''}"

    def table(self, name: str) -> pl.DataFrame:
        """The rows of a table that were known on the date; columns as in its card.

        Raises ``UsageError`` for an unknown name, ``InputRefused`` for a table that fails its sha256.
        """
        if name not in self._frames:
            entry = self.reference.entries.get(name)
            events = {} if entry is None else entry.events
            self._frames[name] = as_of(self.reference.table(name), self.on, events)
        return self._frames[name]

    def names(self, table: str, key: str | None = None, lang: str | None = None) -> dict[str, str]:
        """Names in a language by code: ``names("countries")``, ``names("activities", lang="fr")``.

        ``key`` defaults to the first column of the table's key; ``lang`` to the language in use.
        """
        column = key or self.reference.entries[table].key[0]
        frame = self.table(table)
        name = f"name_{lang or language()}"
        return dict(frame.select(column, pl.coalesce(name, "name_en")).iter_rows())

    def ratification_status(self) -> pl.DataFrame:
        """Status of each ILO member and convention on the date.

        One row per member and convention: ``iso3, convention, status`` (one of ``RATIFICATION_STATUSES``), ``since``
        (Date, null where the day is unknown), ``date_precision, declared_min_age, confidence``. Rules, in the card of
        ``ratifications``: in force 12 months after the deposit; a deposit of which only the year is known counts from
        the last day of that year; one without any date counts as in force since the convention's own entry into
        force.
        """
        return ratification_status(self.reference.table("ratifications"), self.reference.table("conventions"), self.on)


def as_of(frame: pl.DataFrame, on: date, events: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """The rows known on a date, with what lies ahead blanked (see the head of this module)."""
    if KNOWN_ON in frame.columns:
        frame = frame.filter(pl.col(KNOWN_ON).is_null() | (pl.col(KNOWN_ON) <= on))
    hidden = {column: (column, *others) for column, others in events.items() if column in frame.columns}
    changes = [
        pl.when(pl.col(column) > on).then(None).otherwise(pl.col(name)).alias(name)
        for column, names in hidden.items()
        for name in names
    ]
    return frame.with_columns(changes) if changes else frame


def ratification_status(ratifications: pl.DataFrame, conventions: pl.DataFrame, on: date) -> pl.DataFrame:
    """``Facts.ratification_status`` on given tables."""
    day = pl.lit(on)
    opened = conventions.select(pl.col("code").alias("convention"), pl.col("in_force_on").alias("_opened"))
    end_of_year = pl.date(pl.col("deposited_year"), 12, 31)
    deposited = pl.coalesce("deposited_on", end_of_year)
    in_force = pl.coalesce("in_force_on", end_of_year.dt.offset_by("12mo"), "_opened")
    ended = pl.coalesce("denounced_on", pl.date(pl.col("denounced_year"), 12, 31))
    stated = pl.col("stated_status") != NOT_RATIFIED
    status = (
        pl.when(stated & (ended <= day))
        .then(pl.lit(DENOUNCED))
        .when(stated & (in_force <= day))
        .then(pl.lit(IN_FORCE))
        .when(stated & (deposited <= day))
        .then(pl.lit(RATIFIED))
        .otherwise(pl.lit(NOT_RATIFIED))
    )
    since = (
        pl.when(status == DENOUNCED)
        .then(pl.col("denounced_on"))
        .when(status == IN_FORCE)
        .then(pl.col("in_force_on"))
        .when(status == RATIFIED)
        .then(pl.col("deposited_on"))
    )
    return (
        ratifications.join(opened, on="convention", how="left")
        .select(
            "iso3",
            "convention",
            status.alias("status"),
            since.alias("since"),
            "date_precision",
            pl.when(status != NOT_RATIFIED).then(pl.col("declared_min_age")).alias("declared_min_age"),
            "confidence",
        )
        .sort("iso3", "convention")
    )
