"""The layers of docs/architecture.md, held by reading the imports."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "vigilance"

LAYERS = [
    {"terms", "errors", "i18n", "dated", "issues", "_shipped"},
    {
        "tables",
        "rules",
        "rule_files",
        "rule_schema",
        "rule_compile",
        "rule_tables",
        "rule_cache",
        "cache",
        "packing",
        "rule_examples",
        "rule_docs",
        "reference",
        "publishers",
        "atomic",
        "tabular",
        "privacy",
        "matching",
    },
    {"ingest", "scoring"},
    {
        "planning",
        "alerts",
        "portfolio",
        "engines",
        "lookups",
        "models",
        "spark",
        "drivers",
        "wording",
        "writing",
        "ranking",
        "summary",
        "typed_columns",
    },
    {"run", "store", "pipeline", "explanation", "register", "tickets", "orphans", "evidence", "matrix", "whatif"},
    {"report", "calibrate", "library"},
    {"cli"},
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
APART = [("ingest", "scoring"), ("scoring", "ingest"), ("planning", "alerts"), ("alerts", "planning")]


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it, those for type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


MODULES = [p for p in sorted(SOURCE.rglob("*.py")) if part_of(p) not in {"__init__", "__main__"}]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_imports_only_from_its_left(path: Path) -> None:
    mine = part_of(path)
    assert mine in LEVEL, f"{mine} has no place in the layers"
    others = {name.split(".")[1] for name in imported(path) if name.startswith("vigilance.")} - {mine}
    wrong = {other for other in others if LEVEL.get(other, -1) > LEVEL[mine]}
    wrong |= {other for one, other in APART if one == mine and other in others}
    assert not wrong, f"{mine} imports {sorted(wrong)}"


@pytest.mark.parametrize("path", sorted((SOURCE / "scoring").glob("*.py")), ids=lambda p: p.name)
def test_the_scoring_core_knows_no_engine_and_no_file(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & {"polars", "duckdb", "pyspark", "pandas", "pyarrow", "pathlib", "io", "os"}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "open" not in calls


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_scikit_learn_stays_in_calibrate(path: Path) -> None:
    if part_of(path) != "calibrate":
        assert not {name for name in imported(path) if name.startswith("sklearn")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_modules_fit_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
