"""Every text that a person reads has its French, whole and compiled."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogues", ROOT / "scripts" / "catalogues.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


catalogues = _script()
EXTRACTED = catalogues.extracted()


def test_the_sources_speak() -> None:
    assert {"cli", "run", "scoring", "ingest", "rules", "data"} <= set(EXTRACTED)
    assert "Forced labour" in EXTRACTED["cli"]
    assert "world average" in EXTRACTED["scoring"]


@pytest.mark.parametrize("domain", sorted(EXTRACTED))
def test_every_text_has_its_french(domain: str) -> None:
    missing = catalogues.missing(domain, EXTRACTED[domain])
    assert not missing, f"python scripts/catalogues.py adds them to {domain}.po; translate them"


@pytest.mark.parametrize("domain", sorted(EXTRACTED))
def test_no_translation_loses_a_placeholder(domain: str) -> None:
    assert not catalogues.damaged(catalogues.read(catalogues.catalogue_path(domain)))


@pytest.mark.parametrize("domain", sorted(EXTRACTED))
def test_the_compiled_catalogue_says_what_its_source_says(domain: str) -> None:
    assert not catalogues.stale(catalogues.catalogue_path(domain)), "run python scripts/catalogues.py"


def test_one_domain_a_module() -> None:
    for path in sorted(catalogues.SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if catalogues.domain(tree) is None and path.name not in {"drivers.py", "i18n.py"}:
            marked = list(catalogues.marked(tree))
            assert not marked, f"{path} marks texts and names no domain"


def test_what_is_missing_or_damaged_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "fr" / "LC_MESSAGES" / "cli.po"
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid "{count} rows in {file}"\nmsgstr "{count} lignes"\n\n'
        'msgid "kept {share:.0%}"\nmsgstr "{share:.1%} gardé"\n',
        encoding="utf-8",
    )
    assert catalogues.damaged(catalogues.read(path)) == ["{count} rows in {file}"]
    assert catalogues.stale(path)
    catalogues.compile_(path)
    assert not catalogues.stale(path)
    path.write_text(path.read_text(encoding="utf-8").replace("gardé", "retenu"), encoding="utf-8")
    assert catalogues.stale(path)


def test_an_fstring_cannot_be_translated() -> None:
    with pytest.raises(SystemExit, match="f-string"):
        list(catalogues.marked(ast.parse("_(f'{x} rows')")))
