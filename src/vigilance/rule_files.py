"""Rule files as plain trees that remember where each thing was written.

YAML 1.2 (a country ``NO`` stays a word), one document per file, no aliases, no tags, no duplicate keys,
bounded size and depth. Everything wrong is collected as ``Flaw`` records; nothing is raised here for the
content of a file, so that one load can report all of them together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from vigilance.i18n import messages
from vigilance.issues import shown

_ = messages("rules")

MAX_BYTES: Final = 256 * 1024
"""A rule file is written by hand; the largest shipped one is a tenth of this."""
MAX_DEPTH: Final = 12
_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final = {"str", "int", "float", "bool", "null", "timestamp", "map", "seq"}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of a file."""


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """One thing wrong in a rule file: where (file, 1-based line and column, key path), what, and the fix."""

    file: str
    line: int
    column: int
    key: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        text = f"{place}: {self.key}: {self.what}" if self.key else f"{place}: {self.what}"
        return f"{text}\n    {self.fix}" if self.fix else text


def dotted(path: Sequence[str | int]) -> str:
    """A key path as a person writes it: ``ratio.forced_labour[0].since``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


@dataclass(slots=True)
class Tree:
    """The content of one file, with the position of each key path and the flaws met so far."""

    file: str
    content: dict[str, Any] = field(default_factory=dict)
    marks: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def at(self, path: KeyPath) -> tuple[int, int]:
        """Line and column (1-based) of a key path, or of the nearest part of it that was written."""
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, (1, 1))

    def flaw(self, path: KeyPath, what: str, fix: str = "") -> None:
        """Note one thing wrong at a key path."""
        line, column = self.at(path)
        self.flaws.append(Flaw(self.file, line, column, dotted(path), what, fix))


def read(path: Path, name: str) -> Tree:
    """Read one YAML file as a tree; ``name`` is the file as messages call it.

    Mapping keys become text (``1`` and ``"1"`` are one key). ``OSError`` when the file cannot be opened.
    """
    tree = Tree(name)
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        tree.flaw(
            (),
            _("the file has {size:,} bytes; at most {limit:,} are read").format(size=len(raw), limit=MAX_BYTES),
            _("Split it: every file under rules/ is loaded."),
        )
        return tree
    node = _compose(raw, tree)
    if node is None:
        return tree
    value = _Builder(tree).build(node, ())
    if isinstance(value, dict):
        tree.content = value
    else:
        tree.flaw((), _("the file must hold keys and values"), _("Write it as `key: value` lines."))
    return tree


def _compose(raw: bytes, tree: Tree) -> Node | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        tree.flaws.append(Flaw(tree.file, line, 1, "", _("not UTF-8 text"), _("Save the file as UTF-8.")))
        return None
    yaml = YAML(typ="safe", pure=True)
    # Anchors are refused below, each with its line: a warning on standard error that two are alike adds nothing.
    yaml.composer.warn_double_anchors = False
    try:
        node: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = _("not valid YAML: {problem}").format(problem=shown(error.problem or error.context))
        fix = _("Check the indentation, the quotes and the brackets there.")
        tree.flaws.append(Flaw(tree.file, line, column, "", what, fix))
        return None
    except YAMLError as error:
        tree.flaw((), _("not valid YAML: {problem}").format(problem=shown(str(error).splitlines()[0])))
        return None
    except RecursionError:
        tree.flaw((), _("nested too deeply"), _("At most {n} levels are read.").format(n=MAX_DEPTH))
        return None
    if node is None:
        tree.flaw((), _("the file is empty"), _("Give it at least a title, a review date and a value."))
    return node


class _Builder:
    """Turns composed YAML nodes into plain values; notes positions, refuses what rule files may not hold."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.seen: set[int] = set()

    def build(self, node: Node, path: KeyPath) -> Any:
        if path not in self.tree.marks:
            self.tree.marks[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if node.anchor is not None or id(node) in self.seen:
            self.tree.flaw(path, _("anchors and aliases are not read"), _("Write the value out."))
            return None
        self.seen.add(id(node))
        if len(path) > MAX_DEPTH:
            fix = _("At most {n} levels are read.").format(n=MAX_DEPTH)
            self.tree.flaw(path, _("nested too deeply"), fix)
            return None
        tag = str(node.tag)
        if not tag.startswith(_TAG) or tag.removeprefix(_TAG) not in _KINDS:
            self.tree.flaw(path, _("the tag {tag} is not read").format(tag=shown(tag)), _("Remove it."))
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.tree.flaw(path, _("a key must be a word or a number"))
                continue
            key = str(key_node.value)
            place = (*path, key)
            if key in built:
                line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
                what = _("the key is written twice (first on line {line})").format(line=self.tree.marks[place][0])
                fix = _("Keep one of the two.")
                self.tree.flaws.append(Flaw(self.tree.file, line, column, dotted(place), what, fix))
                continue
            self.tree.marks[place] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            built[key] = self.build(value_node, place)
        return built

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        text = str(node.value)
        try:
            return _scalar_value(str(node.tag).removeprefix(_TAG), text)
        except ValueError:
            self.tree.flaw(
                path,
                _("{value} is not a date or number that exists").format(value=shown(text)),
                _("Write dates as 2026-11-01 and numbers as 0.5; put words in quotes."),
            )
            return None


def _scalar_value(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text.replace("_", ""), 0)
    if kind == "float":
        number = float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise ValueError(text)
        return number
    if kind == "timestamp":
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    return text
