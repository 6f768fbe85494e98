"""The calendar as iCalendar (RFC 5545): one all-day event per action, the same bytes for the same plan."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
import polars as pl

from vigilance.i18n import messages
from vigilance.planning.listing import action_words

_ = messages("planning")

FOLD = 75
"""Octets on a line, its end not counted."""

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def calendar(planned: pl.DataFrame, stamp: date, plan_id: str, team_size: float) -> str:
    """The text of ``plan.ics``.

    ``stamp`` is the run's as-of date: a file that knew the clock would never repeat.
    """
    words = action_words()
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//vigilance//audit plan//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    for row in planned.iter_rows(named=True):  # one event per planned action
        start: date = row["start_on"]
        length = max(1, int(np.ceil(row["person_days"] / team_size)))
        end = np.busday_offset(start, length - 1, roll="forward").astype(object) + timedelta(days=1)
        place = " ".join(filter(None, (row["name"], row["country"])))
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(row['supplier_id'])}-{start:%Y%m%d}-{plan_id}@vigilance",
            f"DTSTAMP:{stamp:%Y%m%d}T000000Z",
            f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
            f"DTEND;VALUE=DATE:{end:%Y%m%d}",
            f"SUMMARY:{_text(words[row['action']])}: {_text(row['name'] or row['supplier_id'])}",
            f"LOCATION:{_text(place)}",
            "DESCRIPTION:"
            + _text(
                _("{id}, {days:g} person-days. {reason}").format(
                    id=row["supplier_id"], days=row["person_days"], reason=row["reason"]
                )
            ),
            f"CATEGORIES:{row['chosen_by'].upper()}",
            "CLASS:CONFIDENTIAL",
            "TRANSP:OPAQUE",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _text(value: str) -> str:
    clean = _UNSAFE.sub("", value)
    escaped = clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return re.sub(r"\r?\n", r"\\n", escaped).replace("\r", "")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, never inside a character."""
    if len(line.encode()) <= FOLD:
        return line
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > FOLD:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return "\r\n".join([*pieces, piece])
