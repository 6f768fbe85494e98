"""The pages show what happens: their commands and their Python run, and print what the pages say."""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from vigilance import ingest
from vigilance.ingest.headers import Headers
from vigilance.ingest.input_tables import NAMES, table

ROOT = Path(__file__).parent.parent
WRITTEN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "scripts" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pages"] = module
    spec.loader.exec_module(module)
    return module


pages = _script()


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda path: path.name)
def test_a_page_shows_what_happens(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = {block.language for block in pages.blocks(text)}
    assert shown & {"console", "python"}, "nothing of this page is run"
    now = pages.renewed(text)
    assert now.splitlines() == text.splitlines(), "python scripts/pages.py --write renews it; read what changed"


def test_a_wrong_output_is_seen() -> None:
    page = (
        "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\n```console\n$ printf 'a\\nb\\n' | tail -n 1\nwrong\n```\n"
    )
    right = page.replace("3\n", "2\n").replace("wrong", "b")
    assert pages.renewed(page) == right
    assert pages.renewed(right) == right


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _hash, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{page.name} links to {target}"
        if anchor and other.suffix == ".md":
            assert anchor in anchors(other.read_text(encoding="utf-8")), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:src|tests|rules|data|docs|scripts|benchmarks)/[\w./-]+\.\w+)`", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"


def test_the_two_readmes_say_the_same() -> None:
    english, french = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.fr.md"))
    count = [len(re.findall(r"^## ", text, re.MULTILINE)) for text in (english, french)]
    assert count[0] == count[1]
    named = [set(re.findall(r"`(vigilance [a-z]+(?: [a-z]+)?)`", text)) for text in (english, french)]
    assert named[0] == named[1]
    links = [set(re.findall(r"\]\((docs/[^)]+)\)", text)) for text in (english, french)]
    assert links[0] == links[1]
    calls = [[b.language for b in pages.blocks(text)] for text in (english, french)]
    assert calls[0] == calls[1]


INPUTS = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_column_that_can_be_given_is_told(name: str) -> None:
    told = set(re.findall(r"`([a-z_]+)`", INPUTS))
    columns = {column.name for column in table(name).columns}
    assert columns <= told
    for needed in table(name).needed:
        assert len(needed) > 1 or f"**`{needed[0]}`**" in INPUTS or name == "suppliers"


def test_the_french_headers_that_are_told_are_understood() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]+) \| [^|]+\|$", INPUTS, re.MULTILINE)
    pairs = [
        (column, header)
        for columns, headers in rows
        for column, header in zip(re.findall(r"[a-z_]+", columns), headers.strip().split(", "), strict=False)
        if header
    ]
    assert len(pairs) > 20
    for column, header in pairs:
        found = Headers("suppliers").match([header])
        assert column in found.mapping, f"{header} is not read as {column}"


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "data" / "examples").glob("*.csv")))
def test_what_is_shipped_to_copy_is_read_whole(name: str) -> None:
    """A newcomer's first list has nothing set aside."""
    if name not in NAMES:
        pytest.skip("not an input table of ingest: docs/portfolio.md")
    intake = ingest.read(ROOT / "data" / "examples" / f"{name}.csv", table=name, on=date(2026, 11, 1))
    assert intake.counts["set_aside"] == 0
    assert "error" not in intake.issues["severity"].to_list()
