"""Checked rules kept between runs, because parsing YAML in pure Python takes a second and JSON a few ms.

The cache is keyed by the sha256 of every rule file and of the modules that read them, and carries the sha256
of its own content. A cache that cannot be read, written or trusted is silently done without: it is only a
matter of speed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

_KEPT: Final = 8
"""How many sets of rules stay in the cache; the oldest go first."""
_READERS: Final = ("rule_cache.py", "rule_compile.py", "rule_files.py", "rule_schema.py", "rule_tables.py")


def compiled_rules(root: Path) -> tuple[dict[str, Any], str]:
    """The compiled content of a rules folder, and the sha256 over its files; errors as ``compile_rules``."""
    digest = folder_digest(root)
    key = hashlib.sha256(f"{digest}{_readers_digest()}".encode()).hexdigest()
    folder = _cache_folder()
    kept = None if folder is None else _read(folder / f"rules-{key}.json")
    if kept is not None:
        return kept, digest
    from vigilance.rule_compile import compile_rules  # noqa: PLC0415 - YAML and pydantic only when needed

    compiled = compile_rules(root)
    if folder is not None:
        _write(folder, f"rules-{key}.json", compiled)
    return compiled, digest


def folder_digest(root: Path) -> str:
    """sha256 over the names and bytes of every rule file and table of a folder, in a fixed order."""
    total = hashlib.sha256()
    for name, path in sorted(_rule_files(root)):
        total.update(f"{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _rule_files(root: Path) -> list[tuple[str, Path]]:
    """The files that count: every YAML file and the tables (``rglob`` costs several times this walk)."""
    found: list[tuple[str, Path]] = []
    stem = len(str(root)) + 1
    for folder, _folders, files in os.walk(root):
        for file in files:
            if file.lower().endswith((".yaml", ".yml")) or file == "table.csv":
                full = f"{folder}{os.sep}{file}"
                found.append((full[stem:].replace(os.sep, "/"), Path(full)))
    return found


def _readers_digest() -> str:
    """sha256 over the modules that read rules, so that a new version never meets an old cache."""
    total = hashlib.sha256()
    for name in _READERS:
        try:
            total.update((Path(__file__).parent / name).read_bytes())
        except OSError:
            total.update(name.encode())
    return total.hexdigest()


def _cache_folder() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG specification: a relative path is invalid and must be ignored.
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "vigilance"
    except RuntimeError:
        return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        stated, _newline, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest().encode() != stated:
        return None
    kept: dict[str, Any] = json.loads(content)
    return kept


def _write(folder: Path, name: str, compiled: dict[str, Any]) -> None:
    content = json.dumps(compiled, ensure_ascii=False).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=folder, prefix=".rules-")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        Path(beside).replace(folder / name)
        for old in sorted(folder.glob("rules-*.json"), key=lambda p: p.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return
