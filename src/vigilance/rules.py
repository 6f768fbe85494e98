"""Judgements: every number of the method, dated, sourced, with its range.

    rulebook = rules.load()
    judgements = rulebook.in_force(date(2026, 11, 1))
    judgements.value("method.size_exponent")

A value's path is its file under ``rules/`` and its keys, joined by dots: ``rules/factors/seasonal.yaml`` →
``factors.seasonal.ratio.forced_labour``. Low and high are the 5 % and 95 % bounds of belief.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vigilance.dated import Dated, History
from vigilance.errors import RuleError, UsageError
from vigilance.i18n import language, messages
from vigilance.rule_cache import compiled_rules

if TYPE_CHECKING:
    import polars as pl

_ = messages("rules")

RANGE_WIDTH: Final = 3.29
"""Standard deviations between the 5 % and the 95 % bound of a normal variable."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A judgement in force: a number, the bounds within which it is believed to lie, and why."""

    path: str
    value: float
    low: float
    high: float
    sources: tuple[str, ...]
    since: date
    notes: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""

    @property
    def note(self) -> str:
        """The remark beside the value, in the language in use; empty when there is none."""
        return self.notes.get(language(), "")

    @property
    def exact(self) -> bool:
        """Whether the number is a convention, without a range."""
        return self.low == self.high

    @property
    def sd(self) -> float:
        """Standard deviation, in the unit of the value."""
        return (self.high - self.low) / RANGE_WIDTH

    @property
    def sd_ln(self) -> float:
        """Standard deviation of the logarithm; 0 when exact. ``RuleError`` when low is not above zero."""
        if self.exact:
            return 0.0
        if self.low <= 0:
            raise RuleError(_("{path} has no logarithm: its low bound is {low:g}").format(path=self.path, low=self.low))
        return math.log(self.high / self.low) / RANGE_WIDTH


@dataclass(frozen=True, slots=True)
class Source:
    """What a judgement rests on."""

    id: str
    title: Mapping[str, str]
    kind: str
    publisher: str
    year: int | None = None
    url: str = ""
    reference: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """The remark beside the source, in the language in use; empty when there is none."""
        return self.notes.get(language(), "")

    def text(self, lang: str | None = None) -> str:
        """The source as a line that a person reads, in English or French."""
        where = self.url or self.reference
        year = f" ({self.year})" if self.year else ""
        return f"{self.publisher}{year}, {self.title[lang or language()]}. {where}"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What one rule file says about itself: titles, notes, what it reads, its worked examples."""

    id: str
    file: str
    title: Mapping[str, str]
    reviewed: date
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: Mapping[str, str] | None = None
    reads: tuple[str, ...] = ()
    form: str = ""
    unknown: str | Mapping[str, Any] = ""
    examples: tuple[Mapping[str, Any], ...] = ()
    signs: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Rulebook:
    """All rule files of a folder, of every date. ``in_force(on)`` is what the rest of the project reads."""

    def __init__(self, root: Path, compiled: Mapping[str, Any], digest: str) -> None:
        self.root = root
        self.digest = digest
        self.compiled = compiled

    @cached_property
    def files(self) -> dict[str, RuleFile]:
        """The rule files by id (path under ``rules/`` joined by dots, without extension)."""
        return {name: _rule_file(name, said) for name, said in self.compiled["files"].items()}

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Every source by id."""
        return {name: _source(name, said) for name, said in self.compiled["sources"].items()}

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of every number, whatever its date."""
        return tuple(self.compiled["values"])

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the judgements that are tables."""
        return tuple(self.compiled["tables"])

    def history(self, path: str) -> History[Estimate]:
        """All values of one judgement over time; ``UsageError`` with the nearest names when unknown."""
        if path not in self.compiled["values"]:
            raise UsageError(_("no judgement is called {path}").format(path=path), hint=self.near(path))
        return _history(path, self.compiled["values"][path])

    def near(self, path: str) -> str:
        """A hint with the known paths nearest to a mistyped one."""
        from difflib import get_close_matches  # noqa: PLC0415 - only for an error

        close = get_close_matches(path, self.paths, n=3, cutoff=0.5)
        listed = _("`vigilance rules list` shows them all.")
        if not close:
            return listed
        return " ".join([_("Did you mean {names}?").format(names=", ".join(close)), listed])

    def in_force(self, on: date) -> Judgements:
        """The judgements that hold on a date; nothing dated after it is used."""
        return Judgements(self, on)


class Judgements:
    """The numbers of the method as they hold on one date, with the what-if values of ``--set``."""

    def __init__(self, book: Rulebook, on: date, overrides: Mapping[str, float] | None = None) -> None:
        self.book = book
        self.on = on
        self.overrides = dict(overrides or {})
        self._known: dict[str, Estimate] = {}

    def get(self, path: str) -> Estimate:
        """One judgement.

        Raises ``UsageError`` (with the nearest names) for an unknown path, and ``RuleError`` when none of its
        values holds yet on the date.
        """
        if path not in self._known:
            found = self._in_force(path)
            if found is None:
                first = self.book.history(path).first
                raise RuleError(
                    _("{path} has no value in force on {on}; the first holds from {first}").format(
                        path=path, on=self.on.isoformat(), first=first.isoformat() if first else "?"
                    )
                )
            self._known[path] = found
        return self._known[path]

    def _in_force(self, path: str) -> Estimate | None:
        dated = self.book.history(path).at(self.on)
        if dated is None:
            return None
        return _overridden(dated.value, self.overrides[path]) if path in self.overrides else dated.value

    def value(self, path: str) -> float:
        """The number of one judgement; errors as ``get``."""
        return self.get(path).value

    def sd(self, path: str) -> float:
        """Standard deviation of a judgement, in its own unit: (high - low) / 3.29."""
        return self.get(path).sd

    def sd_ln(self, path: str) -> float:
        """Standard deviation of a judgement's logarithm: ln(high / low) / 3.29; 0 when exact."""
        return self.get(path).sd_ln

    def has(self, path: str) -> bool:
        """Whether a path exists and has a value in force."""
        return path in self.book.compiled["values"] and self._in_force(path) is not None

    def under(self, prefix: str) -> dict[str, Estimate]:
        """The judgements below a path that hold on the date, by full path, in the order of the files."""
        start = f"{prefix}."
        return {path: self.get(path) for path in self.book.paths if path.startswith(start) and self.has(path)}

    def table(self, name: str) -> pl.DataFrame:
        """A judgement that is a table, as its card types it.

        Raises ``UsageError`` for an unknown name, ``RuleError`` when the table does not hold yet on the date.
        """
        from vigilance.rule_tables import read_table  # noqa: PLC0415 - polars only where a table is read

        cards = self.book.compiled["tables"]
        if name not in cards:
            known = _("Known: {names}.").format(names=", ".join(cards))
            raise UsageError(_("no table of judgements is called {name}").format(name=name), hint=known)
        card = cards[name]
        if date.fromisoformat(card["since"]) > self.on:
            raise RuleError(
                _("the table {name} holds from {since}, after {on}").format(
                    name=name, since=card["since"], on=self.on.isoformat()
                )
            )
        types = {column: about["type"] for column, about in card["columns"].items()}
        return read_table(self.book.root / card["file"], types)

    def words(self, path: str) -> Any:
        """A vocabulary or a text block (``text``, ``coding``, ``choices``), or a part of one, by its path."""
        blocks = self.book.compiled["words"]
        for block in (path, *_parents(path)):
            if block in blocks:
                found = blocks[block]
                for step in path[len(block) + 1 :].split(".") if path != block else ():
                    if not isinstance(found, dict) or step not in found:
                        break
                    found = found[step]
                else:
                    return found
        raise UsageError(_("no words are kept at {path}").format(path=path))

    def rule(self, name: str) -> RuleFile:
        """What a rule file says about itself. ``UsageError`` when there is no such file."""
        if name not in self.book.files:
            known = _("Known: {names}.").format(names=", ".join(self.book.files))
            raise UsageError(_("no rule file is called {name}").format(name=name), hint=known)
        return self.book.files[name]

    def source(self, name: str) -> Source:
        """One source by its id. ``UsageError`` when there is none."""
        if name not in self.book.sources:
            raise UsageError(_("no source is called {name}").format(name=name))
        return self.book.sources[name]

    def title(self, path: str, lang: str | None = None) -> str:
        """The title of a judgement: of its key where the file gives one, else of its file."""
        lang = lang or language()
        for stem in (path, *_parents(path)):
            if stem in self.book.files:
                rule = self.book.files[stem]
                inner = path[len(stem) + 1 :]
                for key in (inner, *_parents(inner)):
                    if key in rule.titles:
                        return rule.titles[key][lang]
                return rule.title[lang]
        raise UsageError(_("no judgement is called {path}").format(path=path), hint=self.book.near(path))

    def with_value(self, path: str, value: float) -> Judgements:
        """The same judgements with one number changed, for a what-if; errors as ``with_values``."""
        return self.with_values({path: value})

    def with_values(self, values: Mapping[str, float]) -> Judgements:
        """The same judgements with some numbers changed.

        The range of a changed number is kept, and widened to hold the new value: a what-if never narrows an
        interval. ``UsageError`` for an unknown path, a number that is not finite, or a sign that the
        judgement cannot have.
        """
        for path, value in values.items():
            _check_override(self.get(path), value)
        return Judgements(self.book, self.on, {**self.overrides, **values})

    @cached_property
    def digest(self) -> str:
        """sha256 over all rule files and the what-if values."""
        if not self.overrides:
            return self.book.digest
        changed = json.dumps(sorted(self.overrides.items()))
        return hashlib.sha256(f"{self.book.digest}\n{changed}".encode()).hexdigest()


def load(path: Path | None = None) -> Rulebook:
    """All judgements of a rules folder; the shipped ones without a path.

    Raises ``RuleError`` listing every flaw of every file, or ``UsageError`` when there is no such folder.
    """
    root = path or shipped_rules()
    if not root.is_dir():
        raise UsageError(_("there is no rules folder at {path}").format(path=root))
    compiled, digest = compiled_rules(root)
    return Rulebook(root, compiled, digest)


def parse_override(text: str) -> tuple[str, float]:
    """Read ``RULE=VALUE`` as a path and a number; ``UsageError`` when it is not of that form."""
    path, equals, number = text.partition("=")
    try:
        return path.strip(), float(number)
    except ValueError:
        hint = _("Write it as method.size_exponent=0.4.")
        what = _("{text} sets nothing") if not equals else _("{text} does not set a number")
        raise UsageError(what.format(text=repr(text[:80])), hint=hint) from None


def shipped_rules() -> Path:
    """The rules that come with the package: inside it when installed, beside ``src/`` in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "_shipped" / "rules"
    return inside if inside.is_dir() else package.parent.parent / "rules"


def _history(path: str, entries: list[list[Any]]) -> History[Estimate]:
    return History(
        Dated(day, Estimate(path, value, low, high, tuple(sources), day, notes, unit))
        for since, value, low, high, sources, notes, unit in entries
        for day in (date.fromisoformat(since),)
    )


def _source(name: str, said: Mapping[str, Any]) -> Source:
    said = dict(said)
    return Source(id=name, notes=said.pop("note"), **said)


def _rule_file(name: str, said: Mapping[str, Any]) -> RuleFile:
    return RuleFile(
        id=name,
        file=said["file"],
        title=said["title"],
        reviewed=date.fromisoformat(said["reviewed"]),
        titles=said["titles"],
        notes=said["notes"],
        reads=tuple(said["reads"]),
        form=said["form"],
        unknown=said["unknown"],
        examples=tuple(said["examples"]),
        signs=tuple(said["signs"]),
        indicators=tuple(said["indicators"]),
        sources=tuple(said["sources"]),
    )


def _overridden(old: Estimate, value: float) -> Estimate:
    low, high = (value, value) if old.exact else (min(old.low, value), max(old.high, value))
    return Estimate(old.path, value, low, high, old.sources, old.since, old.notes, old.unit)


def _check_override(old: Estimate, value: float) -> None:
    if not math.isfinite(value):
        raise UsageError(_("{path} cannot be set to {value}").format(path=old.path, value=value))
    if (old.low > 0 and value <= 0) or (old.low >= 0 and value < 0):
        what = _("{path} cannot be set to {value:g}: its range is above zero")
        raise UsageError(
            what.format(path=old.path, value=value),
            hint=_("Its range is {low:g} to {high:g}.").format(low=old.low, high=old.high),
        )


def _parents(path: str) -> Iterator[str]:
    while "." in path:
        path = path.rsplit(".", 1)[0]
        yield path
