"""The alerts kept in a store, as a person asks for them, and what a person asks to hear no more of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from vigilance.alerts import words
from vigilance.alerts.decide import SUPPRESSED, suppression
from vigilance.alerts.emit import SOURCE
from vigilance.alerts.weeks import week_of
from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.store import lock, schema
from vigilance.store.chain import Record
from vigilance.store.file import Store, opened
from vigilance.store.replay import find

_ = messages("alerts")

FIELDS = ("fingerprint", "rule", "hazard", "level", "place")


def alerts(path: Path, week: str | None, *, every: bool, wait: float = lock.WAIT_SECONDS) -> dict[str, Any]:
    """The alerts of a week (the last by default) that were told; with ``every`` also what stands or was held.

    Raises ``UsageError`` when the store holds no such run; else as ``file.opened``.
    """
    with opened(path, wait=wait) as store:
        record = _run(store, week)
        rows = store.table("alerts", record).to_dicts()
    shown = [row for row in rows if every or row["sent"]]
    return {
        "week": record.week,
        "revision": record.revision,
        "on": record.body["on"],
        "source": SOURCE,
        "alerts": [_said(row) for row in shown],
        "held_back": sum(1 for row in rows if row["held"]),
        "open": sum(1 for row in rows if row["state"] in {"new", "updated", "unchanged"} and row["told_week"]),
    }


def _run(store: Store, week: str | None) -> Record:
    if week is not None:
        return find(store, week, None)
    if not store.runs:
        raise UsageError(_("{path} holds no run yet").format(path=store.path))
    return store.runs[-1]


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "fingerprint", "rule", "hazard", "level", "place", "object", "proven", "state", "sent", "held")
    said = {key: row[key] for key in (*keys, "first_week", "told_week", "urgency", "sites")}
    change = {part: words.points(units) for part, units in words.parts(row).items()}
    return {**said, "title": words.title(row), "reason": words.reason(row), "change": change}


def suppress(
    path: Path, wanted: Mapping[str, str], author: str, reason: str, on: date, until: date, wait: float
) -> dict[str, Any]:
    """Record that alerts are not to be told until a day, by whom and why. ``wanted`` has some of ``FIELDS``.

    It is a record of the chain: who silenced what can be read for ever, and nothing is silenced without an end.
    Raises ``UsageError`` for an empty reason or author, no subject, or an end that is not after the start.
    """
    subject = {name: value for name, value in wanted.items() if name in FIELDS and value}
    if not subject:
        raise UsageError(_("which alerts?"), hint=_("give a fingerprint, --rule or --place"))
    if not author.strip() or not reason.strip():
        raise UsageError(_("a suppression needs an author and a reason"))
    if until <= on:
        raise UsageError(_("a suppression ends after it begins ({on})").format(on=on.isoformat()))
    body = {
        **subject,
        "author": author.strip(),
        "reason": reason.strip(),
        "on": on.isoformat(),
        "until": until.isoformat(),
    }
    with opened(path, write=True, wait=wait) as store:
        record = store.commit(schema.SUPPRESSION, week_of(on), 1, body)
    return {**body, "record": record.digest}


def suppressions(path: Path, on: date, wait: float = lock.WAIT_SECONDS) -> list[dict[str, Any]]:
    """The suppressions in force on a day."""
    with opened(path, wait=wait) as store:
        bodies = [dict(r.body) for r in store.records if r.kind == schema.SUPPRESSION]
    active = [body for body in bodies if body["on"] <= on.isoformat() <= body["until"]]
    return [{**body, "held": SUPPRESSED, "fingerprint": suppression(body).fingerprint} for body in active]
