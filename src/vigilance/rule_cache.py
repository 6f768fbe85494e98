"""Checked rules kept between runs, because parsing YAML in pure Python takes a second and JSON a few ms.

The entry is named after the sha256 of every rule file and of the modules that read them (:mod:`vigilance.cache`).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

from vigilance import cache

_READERS: Final = ("rule_cache.py", "rule_compile.py", "rule_files.py", "rule_schema.py", "rule_tables.py")


def compiled_rules(root: Path) -> tuple[dict[str, Any], str]:
    """The compiled content of a rules folder, and the sha256 over its files; errors as ``compile_rules``."""
    digest = folder_digest(root)
    code = cache.code_digest(tuple(Path(__file__).parent / name for name in _READERS))
    name = f"rules-{cache.key(rules=digest, code=code)}.json"
    kept = None if code is None else cache.get(name)
    if kept is not None:
        held: dict[str, Any] = json.loads(kept)
        return held, digest
    from vigilance.rule_compile import compile_rules  # noqa: PLC0415 - YAML and pydantic only when needed

    compiled = compile_rules(root)
    if code is not None and folder_digest(root) == digest:  # else a file was changed while it was read
        cache.put(name, json.dumps(compiled, ensure_ascii=False).encode())
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
