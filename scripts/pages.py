"""Run what the pages show, and keep the outputs that they print true.

    python scripts/pages.py            say which page shows something else than what happens; exit with 1 if any does
    python scripts/pages.py --write    paste what happens into the pages

In a page, a ``console`` block holds commands after ``$`` with what they print; a ``python`` block is run, and what it
prints stands in the ``text`` block that follows it. Each page starts in its own folder, which holds ``data/examples``;
its blocks run in order. Other blocks are only read.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = tuple(
    ROOT / name
    for name in (
        "README.md",
        "README.fr.md",
        "docs/method.md",
        "docs/library.md",
        "docs/outputs.md",
        "docs/bad-input.md",
    )
)
FENCE = re.compile(r"^```(\w+)?[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, and where they stand in the page."""

    language: str
    body: str
    start: int
    end: int


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(m[1] or "", m[2], m.start(2), m.end(2)) for m in FENCE.finditer(text)]


def commands(body: str) -> list[str]:
    """The commands of a console block; one that ends in a backslash goes on in the next line."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", body, re.MULTILINE)


def printed(command: str) -> str:
    """What a command prints. ``vigilance`` runs in this process, what follows a bar and all else in a shell."""
    first, bar, rest = command.replace("\\\n", " ").partition(" | ")
    words = shlex.split(first, comments=True)
    if not words or words[0] != "vigilance":
        return _shell(command, "")
    said = _vigilance(words)
    return _shell(rest, said) if bar else said


def _shell(command: str, given: str) -> str:
    clean = {**os.environ, "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(command, shell=True, input=given, capture_output=True, text=True, check=False, env=clean)  # noqa: S602 - the commands of our own pages
    return ran.stdout + ran.stderr


def _vigilance(words: list[str]) -> str:
    from vigilance.cli import main  # noqa: PLC0415 - only where a page calls it

    held, before = io.StringIO(), sys.argv
    sys.argv = words
    try:
        with contextlib.redirect_stdout(held), contextlib.redirect_stderr(held), contextlib.suppress(SystemExit):
            main()
    finally:
        sys.argv = before
    return held.getvalue()


def ran(body: str, names: dict[str, Any]) -> str:
    """What a python block prints; ``names`` carry over to the next one."""
    held = io.StringIO()
    with contextlib.redirect_stdout(held):
        exec(compile(body, "page", "exec"), names)  # noqa: S102 - the code of our own pages
    return held.getvalue()


def actual(text: str) -> Iterator[tuple[Block, str]]:
    """The blocks whose lines are outputs, each with what it should hold. Runs in the current folder."""
    names: dict[str, Any] = {}
    pending: str | None = None
    for block in blocks(text):
        if block.language == "python":
            pending = ran(block.body, names)
            continue
        if block.language == "console":
            lines = [f"$ {command}\n{_ended(printed(command))}" for command in commands(block.body)]
            yield block, "".join(lines)
        elif block.language == "text" and pending:
            yield block, _ended(pending)
        pending = None


def _ended(said: str) -> str:
    """Lines without blanks at their end, the last one ended."""
    lines = [line.rstrip() for line in said.splitlines()]
    return "".join(f"{line}\n" for line in lines)


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder of its own with the example inputs, made the current one."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="vigilance-") as scratch:
        shutil.copytree(ROOT / "data" / "examples", Path(scratch) / "data" / "examples")
        os.chdir(scratch)
        try:
            yield Path(scratch)
        finally:
            os.chdir(before)


def renewed(text: str) -> str:
    """The page as it should read."""
    with workplace():
        found = list(actual(text))
    for block, body in reversed(found):
        text = text[: block.start] + body + text[block.end :]
    return text


def main() -> int:
    """Check or write; the exit code of the command."""
    options = argparse.ArgumentParser(description="Run what the pages show.")
    options.add_argument("--write", action="store_true", help="paste what happens into the pages")
    write = options.parse_args().write
    wrong = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        now = renewed(text)
        if now != text:
            wrong.append(page)
            if write:
                page.write_text(now, encoding="utf-8")
    sys.stdout.write("".join(f"{page.relative_to(ROOT)} {'renewed' if write else 'is stale'}\n" for page in wrong))
    return 1 if wrong and not write else 0


if __name__ == "__main__":
    sys.exit(main())
