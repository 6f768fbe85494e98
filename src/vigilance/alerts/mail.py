"""The mail of a week: text and HTML, the same bytes for the same alerts. It is written, not sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Any, Final

from vigilance.alerts import words
from vigilance.i18n import language, messages

_ = messages("alerts")

HOST: Final = "vigilance.invalid"
"""A name that is reserved and can never receive mail (RFC 2606)."""


def digest_mail(
    week: str,
    revision: int,
    on: date,
    sent: Sequence[Mapping[str, Any]],
    held: Mapping[str, int],
    counts: Mapping[str, int],
) -> bytes:
    """A draft that a mail program opens ready to be addressed (``X-Unsent``), in the language in use."""
    told = [alert for alert in sent if alert["state"] != "gone"]
    over = [alert for alert in sent if alert["state"] == "gone"]
    blocks = _blocks(week, told, over, held, counts)
    identity = hashlib.sha256(repr([week, revision, language(), *(a["id"] for a in sent)]).encode()).hexdigest()[:24]
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = _("{week}: {count} alerts on forced labour and child labour").format(week=week, count=len(told))
    mail["From"] = f"vigilance <watch@{HOST}>"
    mail["To"] = "undisclosed-recipients:;"
    mail["Date"] = format_datetime(datetime.combine(on, time(), tzinfo=UTC))
    mail["Message-ID"] = f"<{week}.{revision}.{identity}@{HOST}>"
    mail["Content-Language"] = language()
    mail["X-Unsent"] = "1"
    mail.set_content(_text(blocks), cte="quoted-printable")
    mail.add_alternative(_html(blocks), subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_vigilance_{identity}")
    return bytes(mail)


Block = tuple[str, list[tuple[str, str]]]


def _blocks(
    week: str,
    told: Sequence[Mapping[str, Any]],
    over: Sequence[Mapping[str, Any]],
    held: Mapping[str, int],
    counts: Mapping[str, int],
) -> list[Block]:
    """Headings with lines, each a strong part and the rest."""
    summary = _("{sites} sites; {changed} changed, {appeared} appeared, {moved} moved, {vanished} vanished.").format(
        **counts
    )
    blocks: list[Block] = [(_("Week {week}").format(week=week), [("", summary)])]
    if told:
        blocks.append((_("To act on"), [_line(alert) for alert in told]))
    else:
        blocks[0][1].append(("", _("Nothing new to act on this week. That is not proof that nothing happened.")))
    if over:
        blocks.append((_("No longer holds"), [(words.title(alert), words.reason(alert)) for alert in over]))
    if held:
        lines = [("", f"{words.said(words.HELD, code)}: {count}") for code, count in held.items()]
        blocks.append((_("Held back (held_back.csv lists each)"), lines))
    return blocks


def _line(alert: Mapping[str, Any]) -> tuple[str, str]:
    kind = _("proven") if alert["proven"] else _("possible")
    state = words.said(words.STATES, alert["state"])
    step = words.said(words.FIRST_STEP, alert["rule"])
    return f"[{state}, {kind}] {words.title(alert)}", f"{words.reason(alert)} {step}"


def _text(blocks: Sequence[Block]) -> str:
    parts = []
    for heading, lines in blocks:
        body = "\n".join(f"- {strong}\n  {rest}" if strong else rest for strong, rest in lines)
        parts.append(f"{heading}\n{'=' * len(heading)}\n{body}\n")
    return "\n".join(parts)


def _html(blocks: Sequence[Block]) -> str:
    parts = []
    for heading, lines in blocks:
        items = "".join(
            f"<li><strong>{escape(strong)}</strong><br>{escape(rest)}</li>" if strong else f"<li>{escape(rest)}</li>"
            for strong, rest in lines
        )
        parts.append(f"<h2>{escape(heading)}</h2><ul>{items}</ul>")
    head = '<head><meta charset="utf-8"><title>vigilance</title></head>'
    return f'<!DOCTYPE html><html lang="{language()}">{head}<body>{"".join(parts)}</body></html>\n'
