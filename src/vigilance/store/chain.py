"""Records and their chain: each holds the sha256 of the one before, so that none can be changed or lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vigilance.errors import InputRefused
from vigilance.i18n import messages

_ = messages("alerts")

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """One link. ``body`` is plain JSON; ``week`` is that of the run that the record is about."""

    seq: int
    kind: str
    week: str
    revision: int
    body: Mapping[str, Any]
    previous: str
    digest: str

    @property
    def name(self) -> str:
        """What a person calls it: ``2026-W47`` or, for a correction, ``2026-W47 revision 2``."""
        return self.week if self.revision == 1 else _("{week} revision {n}").format(week=self.week, n=self.revision)


def canonical(value: object) -> str:
    """A value as JSON, the same text for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sealed(seq: int, kind: str, week: str, revision: int, body: Mapping[str, Any], previous: str) -> Record:
    """A record with its digest."""
    return Record(
        seq, kind, week, revision, body, previous, _digest(seq, kind, week, revision, canonical(body), previous)
    )


def _digest(seq: int, kind: str, week: str, revision: int, body: str, previous: str) -> str:
    return hashlib.sha256(canonical([seq, kind, week, revision, body, previous]).encode()).hexdigest()


def verified(rows: Iterable[tuple[int, str, str, int, str, str, str]], name: str) -> list[Record]:
    """The records of a store in order, each checked against its digest and its predecessor.

    Raises ``InputRefused`` that names the store, the first bad record and the last good run.
    """
    good: list[Record] = []
    previous = GENESIS
    for position, (seq, kind, week, revision, body, before, digest) in enumerate(rows, start=1):
        if seq != position or before != previous or _digest(seq, kind, week, revision, body, before) != digest:
            raise InputRefused(
                _("{name}: record {n} is not the one that was written").format(name=name, n=position),
                hint=last_good(good),
            )
        good.append(Record(seq, kind, week, revision, json.loads(body), before, digest))
        previous = digest
    return good


def last_good(records: Iterable[Record]) -> str:
    """A hint that names the last run of a list of records that can be trusted."""
    runs = [record for record in records if record.kind == "run"]
    restore = _("restore the store from a backup (`vigilance store backup` makes one)")
    if not runs:
        return restore
    return _("the last good run is {week}; {restore}").format(week=runs[-1].name, restore=restore)
