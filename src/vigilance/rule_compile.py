"""A folder of rule files as one compiled content: plain data that JSON can hold and a cache can keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.errors import RuleError
from vigilance.i18n import messages
from vigilance.rule_files import KeyPath, Tree, dotted, read
from vigilance.rule_schema import (
    HEADER_KEYS,
    NAME,
    SOURCE_ID,
    WORD_KEYS,
    Card,
    Entry,
    Header,
    Source,
    all_flaws,
    dated_entries,
    nearest,
    unknown_sources,
    validated,
)
from vigilance.rule_tables import read_table

_ = messages("rules")

_SHOWN_FLAWS: Final = 200

Compiled = dict[str, Any]
"""``values`` (path → dated entries), ``words`` (path → vocabulary or text), ``files`` (id → what the file
says about itself), ``sources`` (id → reference) and ``tables`` (name → card)."""


def rule_paths(root: Path) -> list[Path]:
    """Every YAML file under a rules folder, in a fixed order."""
    return sorted(p for p in root.rglob("*") if p.suffix.lower() in (".yaml", ".yml") and p.is_file())


def table_paths(root: Path) -> list[Path]:
    """Every table of judgements (``tables/<name>/table.csv``), in a fixed order."""
    return sorted(root.glob("tables/*/table.csv"))


def compile_rules(root: Path) -> Compiled:
    """Read and check all rule files of a folder.

    Raises ``RuleError`` with every flaw of every file: where it is, what is wrong and the fix.
    """
    compiler = _Compiler(root)
    compiler.run()
    _raise_all(compiler.trees, root)
    return compiler.compiled


def folder_sources(root: Path) -> dict[str, Any]:
    """The sources that a rules folder holds, by id; errors as ``compile_rules``."""
    compiler = _Compiler(root)
    tree = read(root / "sources.yaml", "sources.yaml")
    compiler.trees.append(tree)
    compiler.sources(tree)
    _raise_all(compiler.trees, root)
    known: dict[str, Any] = compiler.compiled["sources"]
    return known


def check_file(path: Path, sources: Mapping[str, Any]) -> Compiled:
    """Read and check one file of judgements, as if it stood in a rules folder whose sources are given.

    Raises ``RuleError`` as ``compile_rules`` does.
    """
    compiler = _Compiler(path.parent)
    compiler.compiled["sources"] = dict(sources)
    compiler.one(path)
    _raise_all(compiler.trees, path)
    return compiler.compiled


def _raise_all(trees: list[Tree], root: Path) -> None:
    flaws = all_flaws(trees)
    if not flaws:
        return
    head = _("{n} problem(s) in the rules at {root}:").format(n=len(flaws), root=root)
    lines = [str(flaw) for flaw in flaws[:_SHOWN_FLAWS]]
    if len(flaws) > _SHOWN_FLAWS:
        lines.append(_("... and {n} more").format(n=len(flaws) - _SHOWN_FLAWS))
    raise RuleError("\n  ".join([head, *lines]))


class _Compiler:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.trees: list[Tree] = []
        self.written: dict[str, str] = {}
        self.compiled: Compiled = {"values": {}, "words": {}, "files": {}, "sources": {}, "tables": {}}

    def run(self) -> None:
        trees = {path: read(path, path.relative_to(self.root).as_posix()) for path in rule_paths(self.root)}
        self.trees = list(trees.values())
        sources = self.root / "sources.yaml"
        if sources in trees:
            self.sources(trees.pop(sources))
        else:
            missing = Tree("sources.yaml")
            missing.flaw((), _("the file is missing"), _("It holds what every judgement rests on."))
            self.trees.append(missing)
        for path, tree in trees.items():
            self._file(tree, path)

    def one(self, path: Path) -> None:
        tree = read(path, path.name)
        self.trees.append(tree)
        self._file(tree, path)

    def _file(self, tree: Tree, path: Path) -> None:
        names = path.relative_to(self.root).with_suffix("").parts
        if not self._named_well(tree, path, names) or not tree.content:
            return
        if names[0] == "tables":
            self._card(tree, path.parent)
        else:
            self._judgements(tree, ".".join(names))

    def _named_well(self, tree: Tree, path: Path, names: tuple[str, ...]) -> bool:
        fix = _("Use small letters, digits and _, as in recruitment_fees.yaml.")
        for name in names:
            if not NAME.fullmatch(name) or name != name.lower():
                tree.flaw((), _("the file or folder name `{name}` cannot be a key").format(name=name), fix)
                return False
        if path.suffix != ".yaml":
            tree.flaw((), _("the file name must end in .yaml"), fix)
            return False
        return True

    def sources(self, tree: Tree) -> None:
        content = dict(tree.content)
        listed = content.pop("sources", {})
        validated(Header, content, tree, ())
        if not isinstance(listed, dict) or not listed:
            tree.flaw(("sources",), _("the list of sources is empty or is not keys and values"))
            return
        for name, item in listed.items():
            if not SOURCE_ID.fullmatch(name):
                what = _("the source id `{name}` has odd characters").format(name=name)
                tree.flaw(("sources", name), what, _("Use small letters, digits and hyphens."))
            source = validated(Source, item, tree, ("sources", name))
            # A flawed source still counts as known: one mistake, one message.
            self.compiled["sources"][name] = source.model_dump(mode="json") if source else {}

    def _judgements(self, tree: Tree, stem: str) -> None:
        said = {key: value for key, value in tree.content.items() if key in HEADER_KEYS}
        header = validated(Header, said, tree, ())
        for name, value in tree.content.items():
            if name not in HEADER_KEYS:
                self._walk(tree, value, (name,), stem)
        if header is None:
            return
        if header.id and header.id != stem.rsplit(".", 1)[-1]:
            what = _("the id `{id}` is not the name of the file").format(id=header.id)
            tree.flaw(("id",), what, _("Remove it or rename the file."))
        unknown_sources(tree, header.sources, ("sources",), self.compiled["sources"])
        self._titles_name_keys(tree, header, stem)
        self.compiled["files"][stem] = {"file": tree.file, **header.model_dump(mode="json")}

    def _titles_name_keys(self, tree: Tree, header: Header, stem: str) -> None:
        known = [p[len(stem) + 1 :] for p in (*self.written, *self.compiled["words"]) if p.startswith(f"{stem}.")]
        for key in header.titles:
            if not any(path == key or path.startswith(f"{key}.") for path in known):
                what = _("a title for `{key}`, which this file does not hold").format(key=key)
                tree.flaw(("titles", key), what, nearest(key, known))

    def _walk(self, tree: Tree, value: Any, path: KeyPath, stem: str) -> None:
        name = str(path[-1])
        if name in WORD_KEYS:
            self._words(tree, value, path, stem)
        elif not NAME.fullmatch(name):
            fix = _("Use letters, digits and _.")
            tree.flaw(path, _("the key `{name}` has odd characters").format(name=name), fix)
        elif isinstance(value, list):
            self._leaf(tree, value, path, stem)
        elif isinstance(value, dict) and value and not {"since", "value"} <= set(value):
            for key, inner in value.items():
                self._walk(tree, inner, (*path, key), stem)
        elif isinstance(value, dict) and value:
            tree.flaw(path, _("a dated value must stand in a list"), _("Write it as `- {since: ...}`."))
        elif not any(flaw.key.startswith(dotted(path)) for flaw in tree.flaws):
            self._not_a_value(tree, path, name)

    def _not_a_value(self, tree: Tree, path: KeyPath, name: str) -> None:
        if len(path) == 1:
            what = _("unknown field `{name}`: neither a field of rule files nor a list of dated values")
            tree.flaw(path, what.format(name=name), nearest(name, (*HEADER_KEYS, *WORD_KEYS)))
        else:
            fix = _("Write `- {since: 2026-01-01, value: 1.5, low: 1, high: 2, sources: [...]}`.")
            tree.flaw(path, _("a list of dated values is expected here"), fix)

    def _leaf(self, tree: Tree, items: list[Any], path: KeyPath, stem: str) -> None:
        before = len(tree.flaws)
        entries = dated_entries(tree, items, path)
        if len(tree.flaws) > before and len(path) == 1 and not any(isinstance(i, dict) for i in items):
            hint = nearest(str(path[0]), (*HEADER_KEYS, *WORD_KEYS))
            tree.flaw(path, _("unknown field `{name}`").format(name=path[0]), hint)
        for i, entry in enumerate(entries):
            unknown_sources(tree, entry.sources, (*path, i, "sources"), self.compiled["sources"])
        full = f"{stem}.{'.'.join(map(str, path))}"
        if full in self.written:
            what = _("{path} is already given by {file}").format(path=full, file=self.written[full])
            tree.flaw(path, what, _("Keep one of the two."))
        self.written[full] = tree.file
        self.compiled["values"][full] = [_packed(entry) for entry in entries]

    def _words(self, tree: Tree, value: Any, path: KeyPath, stem: str) -> None:
        """A block of words; dated numbers inside it are judgements like any other."""
        full = f"{stem}.{'.'.join(map(str, path))}"
        plain, undated = value, False
        if isinstance(value, dict):
            plain = {}
            for key, inner in value.items():
                place = (*path, key)
                if isinstance(inner, list) and inner and isinstance(inner[0], dict) and "since" in inner[0]:
                    self._leaf(tree, inner, place, stem)
                else:
                    plain[key] = _json_ready(inner)
                    undated = undated or any(_numbers(inner))
            self._block_sources(tree, plain, path, undated)
        elif value is None:
            tree.flaw(path, _("the block of words is empty"), _("Remove it or fill it."))
        self.compiled["words"][full] = _json_ready(plain)

    def _block_sources(self, tree: Tree, block: dict[str, Any], path: KeyPath, undated: bool) -> None:
        stated = block.get("sources", tree.content.get("sources"))
        if isinstance(block.get("sources"), list):
            unknown_sources(tree, map(str, block["sources"]), (*path, "sources"), self.compiled["sources"])
        if undated and path[-1] != "text" and not stated:
            fix = _("Add `sources: [...]` to the block or to the file.")
            tree.flaw(path, _("numbers without a source"), fix)

    def _card(self, tree: Tree, folder: Path) -> None:
        card = validated(Card, tree.content, tree, ())
        if card is None:
            return
        unknown_sources(tree, card.sources, ("sources",), self.compiled["sources"])
        for name in card.key:
            if name not in card.columns:
                tree.flaw(("key",), _("the key names `{name}`, which is no column").format(name=name))
        about = {"file": f"tables/{folder.name}/table.csv", **card.model_dump(mode="json")}
        self.compiled["tables"][folder.name] = about
        rows = Tree(about["file"])
        self.trees.append(rows)
        if not tree.flaws:
            self._rows(rows, card, folder / "table.csv")

    def _rows(self, tree: Tree, card: Card, path: Path) -> None:
        try:
            frame = read_table(path, {name: column.type for name, column in card.columns.items()})
        except (pl.exceptions.PolarsError, OSError) as error:
            tree.flaw((), _("cannot be read as its card says: {why}").format(why=str(error).splitlines()[0]))
            return
        for what, lines in _row_flaws(frame, card, set(self.compiled["sources"])):
            shown_lines = ", ".join(str(line) for line in lines[:5])
            tree.flaw((), _("{what} on line(s) {lines}").format(what=what, lines=shown_lines))


def _row_flaws(frame: pl.DataFrame, card: Card, sources: set[str]) -> Iterator[tuple[str, list[int]]]:
    """What is wrong in the rows of a table, with the physical lines."""
    numbered = frame.with_row_index("line_", offset=2)

    def lines(condition: pl.Expr) -> list[int]:
        return numbered.filter(condition)["line_"].to_list()

    checks = [
        (_("an empty `{name}`").format(name=name), pl.col(name).is_null())
        for name, column in card.columns.items()
        if not column.optional
    ]
    checks += [
        (_("a number that is not finite in `{name}`").format(name=name), ~pl.col(name).is_finite())
        for name, column in card.columns.items()
        if column.type == "number"
    ]
    checks.append((_("the key twice"), pl.struct(card.key).is_duplicated()))
    if {"low", "value", "high"} <= set(card.columns):
        out = (pl.col("low") > pl.col("value")) | (pl.col("value") > pl.col("high"))
        checks.append((_("low ≤ value ≤ high does not hold"), out))
    if "source" in card.columns:
        stated = pl.col("source").str.split(" ").list.eval(~pl.element().is_in(sorted(sources))).list.any()
        checks.append((_("a source that is not in sources.yaml"), stated))
    for what, condition in checks:
        if found := lines(condition):
            yield what, found


def _packed(entry: Entry) -> list[Any]:
    low = entry.value if entry.low is None else entry.low
    high = entry.value if entry.high is None else entry.high
    return [entry.since.isoformat(), entry.value, low, high, entry.sources, entry.note, entry.unit]


def _json_ready(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json_ready(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json_ready(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _numbers(value: Any) -> Iterator[bool]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    else:
        yield isinstance(value, int | float) and not isinstance(value, bool)
