"""The alerts of a week as files: CloudEvents lines, a table, a feed, a mail, and what was held back.

Everything is made in memory first and depends on the alerts alone: the same week gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from xml.sax.saxutils import escape

import polars as pl

from vigilance import tabular
from vigilance.alerts import words
from vigilance.alerts.mail import digest_mail
from vigilance.i18n import LANGUAGES, messages, use

_ = messages("alerts")

SOURCE: Final = "urn:vigilance:watch"
TYPE: Final = "org.vigilance.alert"
LISTED: Final = 20
"""Sites and buyers named in an event; all of them are in ``reach.csv``."""


@dataclass(frozen=True, slots=True)
class Issue:
    """What a week has to say: ``decided`` has ``decide.DECIDED``, ``reach`` is ``reach.reach``."""

    week: str
    revision: int
    on: date
    decided: pl.DataFrame
    reach: pl.DataFrame
    counts: Mapping[str, int]
    lang: str = "en"

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The alerts that leave, the most urgent first."""
        return self.decided.filter("sent").to_dicts()


def files(issue: Issue) -> dict[str, bytes]:
    """Every file of a week by its name."""
    events = cloud_events(issue)
    made = {
        "alerts.jsonl": "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode(),
        "alerts.csv": _table(_alert_rows(issue), issue.lang),
        "alerts.atom": atom(issue).encode(),
        "held_back.csv": _table(held_back(issue), issue.lang),
        "reach.csv": _table(issue.reach, issue.lang),
    }
    for lang in LANGUAGES:
        with use(lang):
            made[f"digest.{lang}.eml"] = digest_mail(
                issue.week, issue.revision, issue.on, issue.sent, _held_counts(issue), issue.counts
            )
    return made


def cloud_events(issue: Issue) -> list[dict[str, Any]]:
    """One CloudEvent (version 1.0) per alert that is sent."""
    concerned = {
        (alert, how): ids
        for alert, how, ids in issue.reach.group_by("id", "how", maintain_order=True).agg("supplier_id").iter_rows()
    }
    return [_event(alert, issue, concerned) for alert in issue.sent]


def _event(
    alert: Mapping[str, Any], issue: Issue, concerned: Mapping[tuple[str, str], Sequence[str]]
) -> dict[str, Any]:
    ids = {how: concerned.get((alert["id"], how), ()) for how in ("site", "buyer")}
    return {
        "specversion": "1.0",
        "id": alert["id"],
        "source": SOURCE,
        "type": f"{TYPE}.{alert['rule']}",
        "subject": f"{alert['level']}/{alert['place']}",
        "time": f"{issue.on.isoformat()}T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "hazard": alert["hazard"] or None,
            "level": alert["level"],
            "place": alert["place"],
            "object": alert["object"] or None,
            "proven": alert["proven"],
            "rule": alert["rule"],
            "state": alert["state"],
            "title": words.title(alert),
            "reason": words.reason(alert),
            "first_step": words.said(words.FIRST_STEP, alert["rule"]),
            "week": issue.week,
            "revision": issue.revision,
            "first_week": alert["first_week"],
            "fingerprint": alert["fingerprint"],
            "urgency": alert["urgency"],
            "score": {"before": _points(alert["before"]), "after": _points(alert["after"])},
            "change": {part: words.points(units) for part, units in words.parts(alert).items()},
            "reach": {
                "sites": len(ids["site"]),
                "buyers": len(ids["buyer"]),
                "first_sites": list(ids["site"][:LISTED]),
                "first_buyers": list(ids["buyer"][:LISTED]),
            },
        },
    }


def _points(units: int | None) -> float | None:
    return None if units is None else words.points(units)


_CSV_COLUMNS: Final = (
    *("id", "state", "rule", "hazard", "level", "place", "object", "proven", "title", "reason", "week", "first_week"),
    *("urgency", "sites", "data", "method", "weights", "time", "fingerprint"),
)


def _alert_rows(issue: Issue) -> pl.DataFrame:
    rows = [
        {
            **alert,
            "title": words.title(alert),
            "reason": words.reason(alert),
            "week": issue.week,
            **{part: words.points(units) for part, units in words.parts(alert).items()},
        }
        for alert in issue.sent
    ]
    kinds: dict[str, Any] = dict.fromkeys(_CSV_COLUMNS, pl.String)
    kinds |= {"proven": pl.Boolean, "urgency": pl.Int64, "sites": pl.Int64}
    kinds |= dict.fromkeys(("data", "method", "weights", "time"), pl.Float64)
    return pl.DataFrame([{name: row[name] for name in _CSV_COLUMNS} for row in rows], schema=kinds)


def held_back(issue: Issue) -> pl.DataFrame:
    """What was not told and why, the most urgent first."""
    held = issue.decided.filter(pl.col("held") != "")
    reasons = {code: _(text) for code, text in words.HELD.items()}
    return held.select(
        "rule",
        "hazard",
        "level",
        "place",
        "object",
        "state",
        "proven",
        "first_week",
        "urgency",
        "held",
        pl.col("held").replace_strict(reasons, default=pl.col("held"), return_dtype=pl.String).alias("why"),
        "fingerprint",
    )


def _held_counts(issue: Issue) -> dict[str, int]:
    counted = issue.decided.filter(pl.col("held") != "").group_by("held").len().sort("held")
    return dict(counted.iter_rows())


def _table(frame: pl.DataFrame, lang: str) -> bytes:
    with TemporaryDirectory(prefix="vigilance-") as scratch:
        path = Path(scratch) / "table.csv"
        tabular.write_csv(frame, path, lang)
        return path.read_bytes()


def atom(issue: Issue) -> str:
    """The alerts as an Atom feed (RFC 4287); one entry per alert, its id that of the event."""
    moment = f"{issue.on.isoformat()}T00:00:00Z"
    entries = "".join(
        f"<entry><id>urn:vigilance:alert:{alert['id']}</id><title>{_xml(words.title(alert))}</title>"
        f"<updated>{moment}</updated><category term={_attribute(alert['rule'])}/>"
        f"<category term={_attribute(alert['state'])}/>"
        f'<content type="text">{_xml(words.reason(alert))}</content></entry>\n'
        for alert in issue.sent
    )
    name = _("vigilance: alerts of {week}").format(week=issue.week)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={_attribute(issue.lang)}>\n'
        f"<id>urn:vigilance:alerts:{issue.week}:{issue.revision}</id><title>{_xml(name)}</title>"
        f"<updated>{moment}</updated><author><name>vigilance</name></author>\n{entries}</feed>\n"
    )


def _xml(text: str) -> str:
    """Text for XML; the control characters that it cannot hold become a mark."""
    return escape("".join(c if c >= " " or c in "\t\n" else "�" for c in text))


def _attribute(text: str) -> str:
    return '"' + _xml(text).replace('"', "&quot;") + '"'
