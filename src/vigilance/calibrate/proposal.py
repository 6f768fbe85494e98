"""A change of the rules, proposed as a diff for a person to accept: written beside the report, never applied.

The files are changed as text, so that comments and layout stay: the new dated entry goes above those that are there,
and the source that it rests on is added to ``sources.yaml``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from vigilance.errors import RuleError
from vigilance.i18n import messages
from vigilance.rules import Rulebook

_ = messages("calibrate")

SOURCES: Final = "sources.yaml"
DIGITS: Final = 3


@dataclass(frozen=True)
class Change:
    """A new dated value of one judgement."""

    path: str
    value: float
    low: float
    high: float
    note: str


@dataclass(frozen=True)
class Proposal:
    """The changed files (name under ``rules/`` → whole text), the unified diff, and the values by path."""

    files: Mapping[str, str]
    diff: str
    values: Mapping[str, float]


def propose(rulebook: Rulebook, changes: Sequence[Change], since: date, source: str, title: str) -> Proposal:
    """The diff that would make some changes hold from a date, resting on a source of the given id and title.

    Raises ``RuleError`` when a judgement already has a value of that date.
    """
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    for change in changes:
        file, keys = _location(rulebook, change.path)
        old.setdefault(file, (rulebook.root / file).read_text(encoding="utf-8"))
        new[file] = _with_entry(new.get(file, old[file]), keys, change, since, source)
    if changes and source not in rulebook.sources:
        old[SOURCES] = (rulebook.root / SOURCES).read_text(encoding="utf-8")
        new[SOURCES] = old[SOURCES].rstrip("\n") + _source_text(source, title, since)
    diff = "".join(
        line
        for file in sorted(new)
        for line in difflib.unified_diff(
            old[file].splitlines(keepends=True),
            new[file].splitlines(keepends=True),
            f"a/rules/{file}",
            f"b/rules/{file}",
        )
    )
    return Proposal(new, diff, {change.path: _plain(change.value) for change in changes})


def _location(rulebook: Rulebook, path: str) -> tuple[str, list[str]]:
    """The file of a judgement, and its keys in it."""
    stem = max((name for name in rulebook.files if path.startswith(f"{name}.")), key=len)
    file = rulebook.files[stem].file
    return Path(file).as_posix().removeprefix("rules/"), path[len(stem) + 1 :].split(".")


def _with_entry(text: str, keys: list[str], change: Change, since: date, source: str) -> str:
    entries = _entries(text, keys, change.path)
    if any(str(entry["since"]) == since.isoformat() for entry in entries):
        raise RuleError(_("{path} already has a value from {since}").format(path=change.path, since=since.isoformat()))
    line, column = entries.lc.line, entries.lc.col
    entry = (
        f"{' ' * column}- {{since: {since.isoformat()}, value: {_plain(change.value):g}, low: {_plain(change.low):g}, "
        f'high: {_plain(change.high):g}, sources: [{source}], note: "{change.note}"}}\n'
    )
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], entry, *lines[line:]])


def _entries(text: str, keys: list[str], path: str) -> CommentedSeq:
    node: Any = YAML(typ="rt").load(text)
    for key in keys:
        node = node[key] if isinstance(node, CommentedMap) and key in node else None
    if not isinstance(node, CommentedSeq):
        raise RuleError(_("the entries of {path} are not a list in its file").format(path=path))
    return node


def _source_text(source: str, title: str, since: date) -> str:
    return (
        "\n\n  # -- learned from a user's own audits ---------------------------------------------------------------\n"
        f"  {source}:\n"
        f'    title: {{en: "{title}", fr: "{title}"}}\n'
        "    kind: expert_prior\n"
        "    publisher: vigilance validate\n"
        f"    year: {since.year}\n"
        "    reference: docs/validation.md\n"
    )


def _plain(value: float) -> float:
    """A number to three significant digits: no more is known."""
    return float(f"{value:.{DIGITS}g}")
