"""What a rule file may hold: the models of its parts, and how a tree is checked against them.

Three shapes of file: judgements (dated numbers under keys), ``sources.yaml`` (what they rest on) and the card
of a table. A misspelt field, a missing source or a value outside its own range is a ``Flaw`` with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vigilance.i18n import messages
from vigilance.issues import shown
from vigilance.rule_files import Flaw, KeyPath, Tree, dotted

_ = messages("rules")

M = TypeVar("M", bound=BaseModel)

NAME: Final = re.compile(r"[A-Za-z0-9_]+")
SOURCE_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")
WORD_KEYS: Final = ("text", "coding", "choices")
"""Under these keys, at any level, a file holds words (vocabularies, wording) instead of dated numbers."""

Sign = Literal["consent", "constraint", "isolation", "freedom_of_movement"]
"""The four families of signs of the RHSF prevention guide."""
Indicator = Literal[
    "abuse_of_vulnerability",
    "deception",
    "restriction_of_movement",
    "isolation",
    "physical_and_sexual_violence",
    "intimidation_and_threats",
    "retention_of_identity_documents",
    "withholding_of_wages",
    "debt_bondage",
    "abusive_working_and_living_conditions",
    "excessive_overtime",
]
"""The eleven indicators of forced labour of the ILO (2012)."""


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Text(_Model):
    """A text in both languages."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _note(value: Any) -> dict[str, str]:
    """A remark in both languages; a plain text stands for both."""
    if not value:
        return {}
    if isinstance(value, str):
        return {"en": value, "fr": value}
    if isinstance(value, dict) and set(value) == {"en", "fr"} and all(map(_is_text, value.values())):
        return value
    raise ValueError(_("must be a text, or {en: ..., fr: ...}"))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


Note = Annotated[dict[str, str], BeforeValidator(_note)]
Words = Annotated[list[str], BeforeValidator(_as_list)]


class Entry(_Model):
    """One dated value: the day it holds from, the number, its 5-95 % range and what it rests on."""

    since: date
    value: float
    low: float | None = None
    high: float | None = None
    exact: bool = False
    sources: list[str] = Field(min_length=1)
    note: Note = Field(default_factory=dict)
    unit: str = ""

    @model_validator(mode="after")
    def _range(self) -> Entry:
        if self.low is None and self.high is None:
            if not self.exact:
                raise ValueError(_("a range is missing: give low and high, or `exact: true` for a convention"))
        elif self.low is None or self.high is None:
            raise ValueError(_("low and high go together: one of them is missing"))
        elif self.exact:
            raise ValueError(_("`exact: true` and a range exclude each other"))
        elif not self.low <= self.value <= self.high:
            raise ValueError(
                _("low ≤ value ≤ high does not hold: {low:g}, {value:g}, {high:g}").format(
                    low=self.low, value=self.value, high=self.high
                )
            )
        return self


class Example(_Model):
    """A worked case that runs as a test: what is given, what comes out."""

    given: dict[str, Any]
    expect: Any
    note: Note = Field(default_factory=dict)


class Header(_Model):
    """What a file says about itself, beside its numbers."""

    id: str = ""
    title: Text
    reviewed: date
    titles: dict[str, Text] = Field(default_factory=dict)
    notes: Text | None = None
    reads: Words = Field(default_factory=list)
    form: Literal["three_state", "share", "strength", "listing", ""] = ""
    unknown: str | dict[str, Any] = ""
    examples: list[Example] = Field(default_factory=list)
    signs: list[Sign] = Field(default_factory=list)
    indicators: list[Indicator] = Field(default_factory=list)
    sources: list[str] = Field(default_factory=list)


class Source(_Model):
    """What a judgement rests on: a publication, a law, a data set, or an expert prior that says so."""

    title: Text
    kind: Literal["publication", "law", "standard", "data", "expert_prior"]
    publisher: str = Field(min_length=1)
    year: int | None = Field(default=None, ge=1900, le=2100)
    url: str = Field(default="", pattern=r"^(https://\S+)?$")
    reference: str = ""
    note: Note = Field(default_factory=dict)

    @model_validator(mode="after")
    def _found_again(self) -> Source:
        if not (self.url or self.reference):
            raise ValueError(_("give a url or a reference, so that a reader can find it"))
        return self


class Column(_Model):
    """One column of a table of judgements."""

    type: Literal["string", "number", "integer"]
    title: Text
    unit: str = ""
    optional: bool = False


class Card(_Model):
    """What a table of judgements is: its columns, its key, the day it holds from, what it rests on."""

    title: Text
    reviewed: date
    since: date
    columns: dict[str, Column] = Field(min_length=1)
    key: list[str] = Field(min_length=1)
    sources: list[str] = Field(min_length=1)
    notes: Text


HEADER_KEYS: Final = tuple(Header.model_fields)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known words, or all of them when they are few; empty without any."""
    names = list(known)
    close = get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return _("Did you mean {names}?").format(names=", ".join(close))
    if 0 < len(names) <= 15:
        return _("Known: {names}.").format(names=", ".join(names))
    return ""


def validated(model: type[M], value: Any, tree: Tree, path: KeyPath) -> M | None:
    """A part of a tree as its model; every error becomes a flaw of the tree and the result is then None."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note_error(model, detail, tree, path)
        return None


def _wanted(kind: str) -> str | None:
    """What should stand where pydantic found something else, by the stem of its error."""
    known = {
        "float": _("a number such as 1.5"),
        "int": _("a whole number"),
        "date": _("a date such as 2026-11-01, without quotes"),
        "list": _("a list, as in [a, b]"),
        "string": _("a text; put it in quotes"),
        "bool": _("true or false"),
        "dict": _("keys and values"),
        "model": _("keys and values"),
    }
    return known.get(kind.split("_", 1)[0])


def _note_error(model: type[BaseModel], detail: Any, tree: Tree, path: KeyPath) -> None:
    kind: str = detail["type"]
    where: KeyPath = (*path, *detail["loc"])
    if any(flaw.key == dotted(where) for flaw in tree.flaws):
        return  # the reader already said why there is nothing here: one mistake, one message
    name = str(where[-1]) if where else ""
    if kind == "missing":
        tree.flaw(where, _("`{name}` is missing").format(name=name), _("Add it."))
    elif kind == "extra_forbidden":
        known = _fields_at(model, detail["loc"][:-1])
        # `{note: rare, at best}` reads as a second, empty field: YAML ends a plain text at the comma.
        comma = _("A text with a comma needs quotes.") if detail["input"] is None else ""
        hint = comma or nearest(name, known)
        tree.flaw(where, _("unknown field `{name}`").format(name=shown(name)), hint)
    elif kind == "value_error":
        tree.flaw(where, str(detail["ctx"]["error"]))
    elif kind == "literal_error":
        what = _("{value} is not one of the words allowed here").format(value=shown(detail["input"]))
        tree.flaw(where, what, _("Known: {names}.").format(names=detail["ctx"]["expected"]))
    elif kind in ("too_short", "string_too_short"):
        tree.flaw(where, _("`{name}` is empty").format(name=name), _("Name at least one."))
    else:
        wanted = _wanted(kind) or detail["msg"]
        what = _("{value} is not {wanted}").format(value=shown(detail["input"]), wanted=wanted)
        tree.flaw(where, what)


def _fields_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The fields known at a place inside a model; the model's own when the place is not a model."""
    current: type[BaseModel] = model
    for step in loc:
        info = current.model_fields.get(str(step))
        parts = [info.annotation, *getattr(info.annotation, "__args__", ())] if info else []
        inner = [p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)]
        if inner:
            current = inner[0]
    return list(current.model_fields)


def dated_entries(tree: Tree, items: list[Any], path: KeyPath) -> list[Entry]:
    """The entries of one leaf, oldest first; what is wrong with them goes to the flaws of the tree."""
    if not items:
        tree.flaw(path, _("the list of values is empty"), _("Add `- {since: ..., value: ...}`."))
    entries = [entry for i, item in enumerate(items) if (entry := validated(Entry, item, tree, (*path, i))) is not None]
    seen: set[date] = set()
    for entry in entries:
        if entry.since in seen:
            what = _("two values hold from {since}").format(since=entry.since.isoformat())
            tree.flaw(path, what, _("Keep one of the two."))
        seen.add(entry.since)
    return sorted(entries, key=lambda entry: entry.since)


def unknown_sources(tree: Tree, named: Iterable[str], path: KeyPath, known: Iterable[str]) -> None:
    """Note each source that sources.yaml does not hold."""
    ids = set(known)
    for name in named:
        if name not in ids:
            what = _("the source `{name}` is not in sources.yaml").format(name=shown(name))
            tree.flaw(path, what, nearest(name, sorted(ids)) or _("Add it to sources.yaml."))


def all_flaws(trees: Iterable[Tree]) -> list[Flaw]:
    """The flaws of several files, in the order a person reads them."""
    return sorted(flaw for tree in trees for flaw in tree.flaws)
