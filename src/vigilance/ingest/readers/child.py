"""A process of its own for code that touches untrusted bytes: whatever happens in it, this process goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

START: Final = """
import importlib, json, sys, types
for name, folder in json.loads(sys.argv[1]):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
main = importlib.import_module(sys.argv[2]).main
json.dump(main(sys.argv[3]), sys.stdout)
"""
"""What the child runs: our packages as bare folders, so that it loads its own modules and not the whole engine."""

_HERE: Final = Path(__file__).parent
_PACKAGES: Final = [
    ("vigilance", str(_HERE.parent.parent)),
    ("vigilance.ingest", str(_HERE.parent)),
    ("vigilance.ingest.readers", str(_HERE)),
]


@dataclass(frozen=True, slots=True)
class Died:
    """How a child ended that did not answer: ``reason`` is ``time``, ``memory`` or ``damaged``."""

    reason: str
    last: str = ""


def ask(module: str, request: Mapping[str, Any], seconds: int) -> dict[str, Any] | Died:
    """What ``main`` of a module of this package answers to a request, in a process that ends after ``seconds``."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter on our own code
            [sys.executable, "-I", "-c", START, json.dumps(_PACKAGES), f"{__package__}.{module}", json.dumps(request)],
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Died("time", str(seconds))
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
    lacking = done.returncode < 0 or "MemoryError" in last or "memory allocation" in last
    return Died("memory" if lacking else "damaged", last)


def limit(memory: int, seconds: int) -> None:
    """Cap the address space (bytes) and processor time of this process, where the system can."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
