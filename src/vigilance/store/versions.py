"""The files that decide a run, kept by digest: the user's own, the judgements, the facts, and what the program was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from vigilance import reference, rules
from vigilance.reference import Facts
from vigilance.rules import Judgements
from vigilance.store.chain import Record
from vigilance.store.file import Store

Files = dict[str, str]
"""Name of a file inside its folder → sha256."""

_FACTS: Final = {".csv", ".json", ".geojson", ".yaml"}
_RULES: Final = {".csv", ".yaml", ".yml"}


@cache
def code() -> dict[str, str]:
    """The version of the program and the sha256 over its modules."""
    root = Path(__file__).resolve().parent.parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(path.read_bytes())
    return {"version": version("vigilance"), "sha256": total.hexdigest()}


def folder_files(root: Path, endings: Iterable[str]) -> tuple[Files, dict[str, bytes]]:
    """The files of a folder: by name their sha256, and by sha256 their bytes."""
    names: Files = {}
    contents: dict[str, bytes] = {}
    wanted = set(endings)
    for path in sorted(p for p in root.rglob("*") if p.suffix in wanted and p.is_file()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        names[path.relative_to(root).as_posix()] = digest
        contents[digest] = content
    return names, contents


def kept_rules(judgements: Judgements) -> tuple[Files, dict[str, bytes]]:
    """The rule files behind some judgements."""
    return folder_files(judgements.book.root, _RULES)


def kept_facts(facts: Facts) -> tuple[Files, dict[str, bytes]]:
    """The tables behind some facts, their manifest and their cards."""
    root = facts.reference.root
    names, contents = folder_files(root, _FACTS)
    # Beside the tables, a data folder may hold examples for people: they decide nothing.
    inside = {
        name: digest
        for name, digest in names.items()
        if name.split("/")[0] in {*facts.reference.tables, "manifest.json"}
    }
    return inside, {digest: contents[digest] for digest in inside.values()}


@contextmanager
def unpacked_folder(store: Store, files: Mapping[str, str]) -> Iterator[Path]:
    """Kept files laid out in a folder of their own for the time of a block."""
    with TemporaryDirectory(prefix="vigilance-") as scratch:
        root = Path(scratch)
        for name, digest in files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.blob(digest))
        yield root


class Past:
    """The judgements and facts of a run as they were, on any date; files are unpacked only when asked for."""

    def __init__(
        self, store: Store, run: Record, current_rules: Judgements, current_facts: Facts, scratch: Path
    ) -> None:
        self._store = store
        self._body: Mapping[str, Any] = run.body
        self._rules = current_rules
        self._facts = current_facts
        self._scratch = scratch

    def judgements(self, on: date) -> Judgements:
        """The judgements of the run, as they hold on a date."""
        said = self._body["rules"]
        book = self._rules.book
        if book.digest != said["book"]:
            book = rules.load(self._laid_out("rules", self._files(said)))
        found = book.in_force(on)
        return found.with_values(said["set"]) if said["set"] else found

    def facts(self, on: date) -> Facts:
        """The facts of the run, as they were public on a date."""
        said = self._body["facts"]
        if self._facts.digest == said["sha256"]:
            return self._facts.reference.in_force(on)
        return reference.load(self._laid_out("facts", self._files(said))).in_force(on)

    def _files(self, said: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._store.blob(said["files"]))
        return found

    def _laid_out(self, name: str, files: Mapping[str, str]) -> Path:
        root = self._scratch / name
        if not root.exists():
            for file, digest in files.items():
                target = root / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._store.blob(digest))
        return root
